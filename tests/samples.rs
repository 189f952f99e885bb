//! The samples that come with the project: what the program prints of them, and what it makes of them when they are damaged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

#[allow(dead_code, reason = "each test binary uses a part")]
#[path = "captures/double.rs"]
mod double;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use preloaded::assess::assess;
use preloaded::bytes::Limits;
use preloaded::check;
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::phone::PhoneSource;
use preloaded::collect::saved::SavedSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::Inventory;
use preloaded::profile;

const FIRMWARE: &str = "orion-p1-firmware.zip";
const PHONE: &str = "orion-p1-phone.json";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Runs the program in the project's root, as the README does.
fn preloaded(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C")
        .env_remove("PRELOADED_ID")
        .output()
        .unwrap()
}

/// Holds `content` against a file of the project; with `UPDATE_GOLDEN` set it is written instead.
fn golden(path: &Path, content: &[u8]) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, content).unwrap();
    }
    let expected = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        expected == content,
        "{} differs (UPDATE_GOLDEN=1 writes it); now:\n{}",
        path.display(),
        String::from_utf8_lossy(content)
    );
}

fn phone() -> Inventory {
    let phone = double::Phone::fictional("orion-p1");
    let mut source = PhoneSource::new(&phone, "adb:ORION000001", Some("2026-05-20T09:00:00Z".to_owned()));
    source.collect(&Request::default(), &Silent).unwrap()
}

fn check_sample(sample: &str, format: &str) {
    let arguments = [
        "check",
        &format!("samples/{sample}"),
        "--profile",
        "ru/smartphone",
        "--as-of",
        "2026-06-01",
        "--format",
        format,
    ];
    let output = preloaded(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let extension = if format == "text" { "txt" } else { "json" };
    let stem = sample.rsplit_once('.').unwrap().0;
    golden(&samples().join(format!("{stem}.report.{extension}")), &output.stdout);
}

#[test]
fn the_saved_inventory_is_what_its_phone_answers() {
    let mut text = serde_json::to_vec_pretty(&phone()).unwrap();
    text.push(b'\n');
    golden(&samples().join(PHONE), &text);
}

#[test]
fn the_firmware_without_any_mandated_app_is_not_compliant_and_reported_as_before() {
    check_sample(FIRMWARE, "text");
    check_sample(FIRMWARE, "json");
}

#[test]
fn the_saved_phone_without_max_is_not_compliant_for_that_alone_and_reported_as_before() {
    check_sample(PHONE, "text");
    check_sample(PHONE, "json");
    let output = preloaded(&["check", "samples/orion-p1-phone.json", "-p", "ru/smartphone", "--as-of", "2026-06-01"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let failed: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(failed, ["FAIL  RU-MAX  MAX (messenger) is pre-installed [absent]"]);
}

#[test]
fn the_saved_phone_is_compliant_on_the_last_day_before_max() {
    let judge = |day| preloaded(&["check", "samples/orion-p1-phone.json", "-p", "ru/smartphone", "--as-of", day]);
    // VK Messenger, which MAX replaced, is not on the phone either.
    assert_eq!(judge("2025-08-31").status.code(), Some(1));
    assert_eq!(judge("2025-09-01").status.code(), Some(1));
    assert_eq!(judge("2020-01-01").status.code(), Some(2));
}

#[test]
fn the_readme_shows_exactly_what_the_program_prints() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains("cargo xtask test"));
    for sample in [FIRMWARE, PHONE] {
        let command =
            format!("$ cargo run --release -- check samples/{sample} --profile ru/smartphone --as-of 2026-06-01\n");
        let shown = readme.split(&command).nth(1).unwrap_or_else(|| panic!("README.md does not show: {command}"));
        let shown = shown.split("```").next().unwrap();
        let stem = sample.rsplit_once('.').unwrap().0;
        let report = fs::read_to_string(samples().join(format!("{stem}.report.txt"))).unwrap();
        // Each piece between two marks of omission stands in the report, in this order; the first one begins it.
        let mut rest = report.as_str();
        for (index, piece) in shown.split("[...]\n").enumerate() {
            let at =
                rest.find(piece).unwrap_or_else(|| panic!("README.md shows of {sample} what is not printed: {piece}"));
            assert!(index > 0 || at == 0, "{sample}: the beginning is missing");
            rest = &rest[at + piece.len()..];
        }
    }
}

#[test]
fn inventories_and_reports_are_valid_by_the_schemas_that_the_program_prints() {
    for (which, files) in
        [("inventory", vec![PHONE]), ("report", vec!["orion-p1-firmware.report.json", "orion-p1-phone.report.json"])]
    {
        let schema = preloaded(&["schema", which]);
        assert!(schema.status.success());
        let validator = jsonschema::validator_for(&serde_json::from_slice(&schema.stdout).unwrap()).unwrap();
        for file in files {
            let instance: serde_json::Value = serde_json::from_slice(&fs::read(samples().join(file)).unwrap()).unwrap();
            let errors: Vec<String> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{file}: {errors:#?}");
            let mut broken = instance.clone();
            broken["tool"]["version"] = serde_json::Value::Null;
            assert!(!validator.is_valid(&broken), "{which}: a schema that accepts anything");
        }
    }
    let scanned = preloaded(&["scan", "samples/orion-p1-firmware.zip"]);
    assert_eq!(scanned.status.code(), Some(0));
    let schema = serde_json::from_slice(&preloaded(&["schema", "inventory"]).stdout).unwrap();
    let instance = serde_json::from_slice(&scanned.stdout).unwrap();
    jsonschema::validate(&schema, &instance).unwrap();
}

#[test]
fn the_same_input_gives_the_same_bytes_and_a_saved_inventory_the_same_verdict() {
    let first = preloaded(&["scan", "samples/orion-p1-firmware.zip"]).stdout;
    let second = preloaded(&["scan", "samples/orion-p1-firmware.zip"]).stdout;
    assert!(first == second);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.json");
    fs::write(&saved, &first).unwrap();
    let judged = |target: &str| {
        preloaded(&["check", target, "-p", "ru/smartphone", "--as-of", "2026-06-01", "--format", "json"]).stdout
    };
    assert!(judged("samples/orion-p1-firmware.zip") == judged(saved.to_str().unwrap()));
}

/// What a damaged sample may come to: an error, or an inventory whose verdict is no pass.
fn judge_damaged(bytes: &[u8], file: &Path, what: &str) {
    fs::write(file, bytes).unwrap();
    let read = if SavedSource::recognizes(file) {
        SavedSource::new(file).collect(&Request::default(), &Silent)
    } else {
        FirmwareSource::new(file, Limits::default()).collect(&Request::default(), &Silent)
    };
    let Ok(inventory) = read else { return };
    let profile = profile::load("ru/smartphone").unwrap();
    let context = check::Context::on(jiff::civil::date(2026, 6, 1));
    let assessment = assess(&profile, &inventory, &context).unwrap();
    assert_ne!(assessment.overall, preloaded::assess::Overall::Compliant, "{what}");
}

/// Every position of a small sample, some two thousand of a larger one.
fn positions(length: usize) -> impl Iterator<Item = usize> {
    let step = if length <= 64 << 10 { 1 } else { length / 2_000 };
    // Beginning and end hold what everything else is found by.
    (0..length).filter(move |at| at % step == 0 || *at < 512 || length - at < 512)
}

fn damage_sample(sample: &str) {
    let whole = fs::read(samples().join(sample)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(sample);
    let (mut cuts, mut changes) = (0, 0);
    for at in positions(whole.len()) {
        judge_damaged(&whole[..at], &file, &format!("{sample} cut at {at}"));
        cuts += 1;
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        judge_damaged(&changed, &file, &format!("{sample} with byte {at} changed"));
        changes += 1;
    }
    println!("{sample}: {} bytes, {cuts} cuts and {changes} changes survived", whole.len());
}

#[test]
fn a_firmware_sample_cut_or_changed_anywhere_ends_in_an_error_or_in_no_pass() {
    damage_sample(FIRMWARE);
}

#[test]
fn a_saved_inventory_cut_or_changed_anywhere_ends_in_an_error_or_in_no_pass() {
    damage_sample(PHONE);
}

#[test]
fn a_package_file_sample_cut_or_changed_anywhere_ends_in_an_error_or_in_facts() {
    for entry in fs::read_dir(samples().join("apks")).unwrap() {
        let whole = fs::read(entry.unwrap().path()).unwrap();
        for at in positions(whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            for bytes in [whole[..at].to_vec(), changed] {
                let source: preloaded::bytes::SharedBytes = std::sync::Arc::new(bytes);
                let _ = preloaded::apk::open(&source);
            }
        }
    }
}
