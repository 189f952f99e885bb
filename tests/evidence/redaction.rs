//! `redact`: old files without what points to a person.

use std::fs;

use super::{PHONE, run};

#[test]
fn an_old_inventory_loses_its_serial_number_and_keeps_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean.json");
    let clean = clean.to_str().unwrap();
    let said = run(["redact", PHONE, "-o", clean]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("taken out: 1 places with a serial number"), "{}", said.err);
    let text = fs::read_to_string(clean).unwrap();
    assert!(fs::read_to_string(PHONE).unwrap().contains("ORION000001") && !text.contains("ORION000001"));
    let check = |target: &str| {
        let said = run(["check", target, "--profile", "ru/smartphone", "--as-of", "2026-06-01"]);
        (said.code, said.out.replace("adb:ORION000001", "phone-1"))
    };
    assert_eq!(check(clean), check(PHONE));
}

#[test]
fn a_report_is_cleaned_too_and_still_compares() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let report = run([
        "check",
        PHONE,
        "--profile",
        "ru/smartphone",
        "--as-of",
        "2026-06-01",
        "--format",
        "json",
        "--id",
        "plain",
    ]);
    assert!(report.out.contains("ORION000001"));
    fs::write(path("report.json"), &report.out).unwrap();
    let said = run(["redact", &path("report.json"), "-o", &path("clean.json"), "--serial", "not-there"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!fs::read_to_string(path("clean.json")).unwrap().contains("ORION000001"));
    assert_eq!(run(["diff", &path("report.json"), &path("clean.json")]).code, 0);
}

#[test]
fn what_is_no_json_is_refused() {
    assert_eq!(run(["redact", "README.md"]).code, 4);
    let zip = run(["redact", "samples/orion-p1-firmware.zip"]);
    assert!(zip.code == 4 && zip.err.contains("its signature would be wrong"), "{}", zip.err);
}
