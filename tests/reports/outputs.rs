//! The program's outputs: several at once, whole or not at all, phones unnamed unless asked, converted later.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::made::{self, preloaded};

const PHONE: &str = "samples/orion-p1-phone.json";
const SERIAL: &str = "ORION000001";

fn check(more: &[&str]) -> Output {
    preloaded(&[&["check", PHONE, "-p", "ru/smartphone", "--as-of", "2026-06-01"], more].concat())
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every format into one folder, by `check` or `convert`.
fn all_into(folder: &Path) -> Vec<String> {
    let formats = preloaded::report::FORMATS.iter();
    formats.flat_map(|format| ["-o".to_owned(), format!("{0}={1}/{0}", format.name(), folder.display())]).collect()
}

#[test]
fn every_format_can_be_converted_later_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    fs::create_dir(&first).unwrap();
    fs::create_dir(&second).unwrap();
    let outputs = all_into(&first);
    let words: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let checked = check(&words);
    assert_eq!(checked.status.code(), Some(1), "{}", err(&checked));
    assert!(out(&checked).starts_with("NOT COMPLIANT  phone-1: 1 failed"), "{}", out(&checked));
    let report = first.join("json");
    let outputs = all_into(&second);
    let words: Vec<&str> =
        ["convert", report.to_str().unwrap()].into_iter().chain(outputs.iter().map(String::as_str)).collect();
    let converted = preloaded(&words);
    assert_eq!(converted.status.code(), Some(0), "{}", err(&converted));
    let names = files(&first);
    assert_eq!(names.len(), preloaded::report::FORMATS.len());
    for name in names {
        assert!(fs::read(first.join(&name)).unwrap() == fs::read(second.join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn one_report_may_go_to_standard_output_and_two_may_not() {
    let said = check(&["-o", "json=-"]);
    assert!(serde_json::from_str::<serde_json::Value>(&out(&said)).is_ok());
    for wrong in [
        &["-o", "json=-", "-o", "junit=-"][..],
        &["-o", "json=-", "--format", "text"],
        &["--events", "-", "-o", "json=-"],
        &["-o", "json"],
        &["-o", "json="],
        &["-o", "jsn=x"],
        &["-o", "json=x", "-o", "html=x"],
        &["-o", "spdx=x", "--findings-only"],
        &["--csv-delimiter", "x"],
        &["--id", "hmac"],
    ] {
        let said = check(wrong);
        assert_eq!(said.status.code(), Some(2), "{wrong:?}: {}", err(&said));
        assert!(said.stdout.is_empty() && !err(&said).is_empty(), "{wrong:?}");
        assert!(!made::root().join("x").exists(), "{wrong:?}");
    }
    let events = check(&["--events", "-"]);
    assert!(out(&events).lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn an_output_that_cannot_be_written_is_said_before_anything_is_read_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = format!("json={}/good.json", folder.path().display());
    let nowhere = format!("html={}/no/such/folder.html", folder.path().display());
    let said = check(&["-o", &good, "-o", &nowhere]);
    assert_eq!(said.status.code(), Some(2), "{}", err(&said));
    assert!(err(&said).contains("/no/such/folder.html: "), "{}", err(&said));
    assert!(said.stdout.is_empty());
    assert_eq!(files(folder.path()), Vec::<String>::new());
    let is_folder = format!("html={}", folder.path().display());
    assert_eq!(check(&["-o", &is_folder]).status.code(), Some(2));
    assert_eq!(check(&["-o", "html=/dev/null"]).status.code(), Some(2));
    assert!(!Path::new("/dev/null").is_file(), "the device is still one");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("html={}/report.html", folder.path().display());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["check", PHONE, "-p", "ru/smartphone", "--as-of", "2026-06-01", "-o", &output])
        .current_dir(made::root())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(4), "{}", err(&status));
    assert!(err(&status).contains("No space left"), "{}", err(&status));
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn junit_of_a_large_batch_goes_on_in_further_files_that_are_reports_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = made::sample("orion-p1-phone");
    run.targets[0].inventory = None;
    let model = run.targets.remove(0);
    for number in 0..1200 {
        let mut report = model.clone();
        report.target.name = format!("image-{number}");
        report.target.kind = preloaded::inventory::TargetKind::Firmware;
        run.targets.push(report);
    }
    let path = |name: &str| folder.path().join(name);
    fs::write(path("run.json"), serde_json::to_vec(&run).unwrap()).unwrap();
    fs::write(path("out-5.xml"), "old").unwrap();
    let (first, second) =
        (format!("junit={}", path("out.xml").display()), format!("markdown={}", path("out-2.xml").display()));
    let said = preloaded(&["convert", path("run.json").to_str().unwrap(), "-o", &first, "-o", &second, "-o", "json=-"]);
    assert_eq!(said.status.code(), Some(0), "{}", err(&said));
    // `out-2.xml` is another report's name.
    assert_eq!(files(folder.path()), ["out-2.xml", "out-3.xml", "out-4.xml", "out-5.xml", "out.xml", "run.json"]);
    assert!(
        err(&said).contains("out.xml: goes on to ") && err(&said).contains("out-4.xml, 3 files in all"),
        "{}",
        err(&said)
    );
    assert!(serde_json::from_slice::<serde_json::Value>(&said.stdout).is_ok());
    let schema = made::root().join("tests/data/reports/junit-10.xsd");
    let mut names = std::collections::BTreeSet::new();
    assert!(err(&said).contains("out-5.xml: was there before and is no part"), "{}", err(&said));
    for part in ["out.xml", "out-3.xml", "out-4.xml"] {
        let file = path(part);
        let arguments = ["--noout", "--schema", schema.to_str().unwrap(), file.to_str().unwrap()];
        let valid = made::run_tool(Path::new("xmllint"), &arguments);
        assert!(valid.status.success(), "{part}: {}", err(&valid));
        let text = fs::read_to_string(path(part)).unwrap();
        assert!(text.len() < 30_000_000);
        let document = roxmltree::Document::parse(&text).unwrap();
        let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
        assert_eq!(document.root_element().attribute("tests"), Some(cases.to_string().as_str()), "{part}");
        names.extend(suites.iter().map(|suite| suite.attribute("name").unwrap().to_owned()));
    }
    assert_eq!(names.len(), 1200);
}

#[test]
fn an_older_file_stays_as_it_is_where_the_run_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    fs::write(&file, "old").unwrap();
    let output = format!("json={}", file.display());
    assert_eq!(check(&["-o", &output, "-p", "nothing"]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(check(&["-o", &output]).status.code(), Some(1));
    assert!(fs::read_to_string(&file).unwrap().starts_with('{'));
    assert_eq!(files(folder.path()), ["report.json"]);
}

#[test]
fn no_file_holds_a_serial_number_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "a key of the organisation\n").unwrap();
    let events = folder.path().join("events");
    let outputs = all_into(folder.path());
    let mut names = Vec::new();
    for identity in [&["--id", "none"][..], &["--id", "hmac", "--id-key", key.to_str().unwrap()], &["--id", "plain"]] {
        let mut words: Vec<&str> = outputs.iter().map(String::as_str).collect();
        words.extend(["--events", events.to_str().unwrap()]);
        words.extend(identity);
        let said = check(&words);
        assert_eq!(said.status.code(), Some(1), "{}", err(&said));
        let holding: Vec<String> = files(folder.path())
            .into_iter()
            .filter(|name| String::from_utf8_lossy(&fs::read(folder.path().join(name)).unwrap()).contains(SERIAL))
            .collect();
        assert_eq!(holding.is_empty(), identity[1] != "plain", "{identity:?}: {holding:?}");
        assert_eq!(out(&said).contains(SERIAL), identity[1] == "plain");
        let report: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join("json")).unwrap()).unwrap();
        assert_eq!(report["targets"][0]["target"]["name"], report["targets"][0]["inventory"]["target"]["name"]);
        names.push(report["targets"][0]["target"]["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(names[0], "phone-1");
    assert!(names[1].starts_with("adb:hmac-") && names[1].len() == "adb:hmac-".len() + 32, "{}", names[1]);
    assert_eq!(names[2], format!("adb:{SERIAL}"));
    // An old report with serial numbers is converted without them.
    let plain = folder.path().join("json");
    let said = preloaded(&["convert", plain.to_str().unwrap(), "--format", "json"]);
    assert!(said.status.success() && !out(&said).contains(SERIAL));
    // The same key gives the same name, another key another one; a short key is refused.
    fs::write(&key, "another key of the organisation").unwrap();
    let said = check(&["--id", "hmac", "--id-key", key.to_str().unwrap(), "--format", "json"]);
    assert!(said.status.code() == Some(1) && !out(&said).contains(&names[1]));
    fs::write(&key, "short").unwrap();
    let said = check(&["--id", "hmac", "--id-key", key.to_str().unwrap()]);
    assert!(said.status.code() == Some(2) && err(&said).contains("at least 16"), "{}", err(&said));
}

#[test]
fn a_terminal_shows_the_serial_number_and_the_file_beside_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let line = format!(
        "{} check {PHONE} -p ru/smartphone --as-of 2026-06-01 -o json={}",
        env!("CARGO_BIN_EXE_preloaded"),
        file.display()
    );
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(made::root())
        .env("LC_ALL", "C")
        .env_remove("PRELOADED_ID")
        .output()
        .expect("script (Debian package bsdutils) runs a program on a terminal");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(out(&output).contains(&format!("adb:{SERIAL}")), "{}", out(&output));
    assert!(!fs::read_to_string(&file).unwrap().contains(SERIAL));
}

#[test]
fn a_saved_inventory_names_no_phone_unless_asked() {
    let said = preloaded(&["scan", PHONE]);
    assert!(said.status.success() && !out(&said).contains(SERIAL), "{}", err(&said));
    assert!(out(&preloaded(&["scan", PHONE, "--id", "plain"])).contains(SERIAL));
}

#[test]
fn the_language_is_that_of_the_option_or_of_the_environment() {
    let russian = "НЕ СООТВЕТСТВУЕТ";
    assert!(out(&check(&["--lang", "ru"])).starts_with(russian));
    assert!(out(&check(&[])).starts_with("NOT COMPLIANT"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["check", PHONE, "-p", "ru/smartphone", "--as-of", "2026-06-01"])
        .current_dir(made::root())
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", "ru_RU.UTF-8")
        .output()
        .unwrap();
    assert!(out(&output).starts_with(russian));
    let html = out(&check(&["--lang", "ru", "--format", "html"]));
    assert!(html.contains("<html lang=\"ru\">") && html.contains("id=\"lang-ru\" aria-label=\"Русский\" checked>"));
}

#[test]
fn a_report_of_findings_alone_says_what_it_cannot_become() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("slim.json");
    let said = check(&["-o", &format!("json={}", report.display()), "--findings-only"]);
    assert_eq!(said.status.code(), Some(1), "{}", err(&said));
    let whole = check(&["--format", "json"]).stdout.len();
    assert!(usize::try_from(fs::metadata(&report).unwrap().len()).unwrap() < whole / 2);
    let name = report.to_str().unwrap();
    for format in ["cyclonedx", "spdx", "csv-packages", "csv-permissions"] {
        let said = preloaded(&["convert", name, "--format", format]);
        assert_eq!(said.status.code(), Some(2));
        assert!(err(&said).contains("without inventories") && err(&said).contains(format), "{}", err(&said));
    }
    for format in ["html", "junit", "json", "text"] {
        assert_eq!(preloaded(&["convert", name, "--format", format]).status.code(), Some(0), "{format}");
    }
}

#[test]
fn what_is_no_report_is_refused_with_code_4_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let report = String::from_utf8(fs::read(made::root().join("samples/orion-p1-phone.report.json")).unwrap()).unwrap();
    let newer = report.replacen("\"schema_version\": \"1.0\"", "\"schema_version\": \"2.0\"", 1);
    for (text, says) in [
        ("", "not a report"),
        ("{}", "not a report"),
        ("\u{7f}ELF", "not a report"),
        (&report[..report.len() / 2], "not a report"),
        (newer.as_str(), "schema 2.0"),
    ] {
        let file = folder.path().join("file.json");
        fs::write(&file, text).unwrap();
        let said = preloaded(&["convert", file.to_str().unwrap()]);
        assert_eq!(said.status.code(), Some(4), "{says}");
        assert!(err(&said).contains("file.json") && err(&said).contains(says), "{}", err(&said));
    }
    assert_eq!(preloaded(&["convert", "/nonexistent"]).status.code(), Some(4));
}
