//! The program as a user meets it: options, exit codes, and what is said when something is wrong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

#[path = "cli/grants.rs"]
mod grants;

const PHONE: &str = "samples/orion-p1-phone.json";
const FIRMWARE: &str = "samples/orion-p1-firmware.zip";

struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program in the project's root, with an ADB server's port at which nobody listens.
fn preloaded(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("ADB_SERVER_SOCKET")
        .env("ANDROID_ADB_SERVER_PORT", "1")
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C")
        .env_remove("PRELOADED_ID")
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn check(target: &str, more: &[&str]) -> Said {
    preloaded(&[&["check", target, "--profile", "ru/smartphone", "--as-of", "2026-06-01"], more].concat())
}

fn profile(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("rules.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const RULE: &str = r#"schema = 1
id = "shop/one"
version = "1"
title = { en = "One rule" }

[sources]
H1 = "house rules"

[[rule]]
id = "SHOP-1"
title = "The store is installed"
check = "required-package"
status = "policy"
settings = { any-of = ["ru.vk.store"] }
legal = { instrument = "House rules", sources = ["H1"], confidence = "A" }
remedy = { en = "Install it." }
"#;

#[test]
fn a_profile_of_ones_own_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = profile(&folder, RULE);
    let said = preloaded(&["check", PHONE, "--profile", &path]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.starts_with("COMPLIANT  phone-1: 1 passed\n"), "{}", said.out);
    assert_eq!(preloaded(&["check", FIRMWARE, "--profile", &path]).code, 1);
}

#[test]
fn a_misspelt_key_exits_2_and_names_line_column_and_the_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = profile(&folder, &RULE.replace("status =", "statsu ="));
    let said = preloaded(&["check", PHONE, "--profile", &path]);
    assert_eq!(said.code, 2);
    assert!(said.out.is_empty());
    assert!(said.err.contains(&format!("{path}:13:1: ")), "{}", said.err);
    assert!(said.err.contains("statsu") && said.err.contains("did you mean `status`?"), "{}", said.err);
}

#[test]
fn an_empty_profile_exits_2_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "schema = 1\nid = \"a/b\"\nversion = \"1\"\ntitle = \"T\"\n"] {
        let path = profile(&folder, text);
        let said = preloaded(&["check", PHONE, "--profile", &path]);
        assert_eq!(said.code, 2, "{text:?}");
        assert!(said.out.is_empty() && said.err.contains("rules.toml"), "{}", said.err);
    }
    assert!(
        preloaded(&["check", PHONE, "--profile", &profile(&folder, RULE.split("[[").next().unwrap())])
            .err
            .contains("rule")
    );
}

#[test]
fn a_profile_of_which_every_rule_is_out_of_date_exits_2_and_says_so() {
    let said = preloaded(&["check", PHONE, "--profile", "ru/smartphone", "--as-of", "2019-01-01"]);
    assert_eq!(said.code, 2);
    assert_eq!(said.err, "preloaded: no rule of profile ru/smartphone is in force on 2019-01-01 (35 out of date)\n");
    assert!(said.out.is_empty());
}

#[test]
fn a_profile_is_refused_before_any_target_is_touched() {
    let said = preloaded(&["check", "/nonexistent", "--profile", "ru/smartphon"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("did you mean `ru/smartphone`?"), "{}", said.err);
}

#[test]
fn wrong_usage_exits_2() {
    for arguments in [
        &["check", PHONE][..],
        &["check", PHONE, "-p", "ru/smartphone", "--as-of", "2026-13-01"],
        &["check", PHONE, "-p", "ru/smartphone", "--kind", "toaster"],
        &["check", PHONE, "-p", "ru/smartphone", "--os", "ios"],
        &["check", PHONE, "-p", "ru/smartphone", "--format", "docx"],
        &["scan"],
        &["list"],
        &["scan", PHONE, FIRMWARE],
        &["frobnicate"],
        &[],
    ] {
        let said = preloaded(arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(said.out.is_empty() && !said.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_of_every_command_names_its_purpose_and_exits_0() {
    for command in ["check", "scan", "list", "devices", "profile", "schema"] {
        let said = preloaded(&[command, "--help"]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{command}");
    }
    let said = preloaded(&["--help"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("Exit codes:"));
    assert_eq!(preloaded(&["--version"]).out, format!("preloaded {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn of_several_targets_the_worst_decides_and_each_is_reported() {
    let said = check(PHONE, &[FIRMWARE, "/nonexistent", "adb:X"]);
    assert_eq!(said.code, 1);
    let ends: Vec<&str> = said.out.lines().rev().take(5).collect();
    assert_eq!(
        ends,
        [
            "  NOT READ  phone-4",
            "  NOT READ  nonexistent",
            "  NOT COMPLIANT  orion-p1-firmware.zip",
            "  NOT COMPLIANT  phone-1",
            "4 targets:"
        ]
    );
    assert_eq!(check("/nonexistent", &["adb:X"]).code, 4);
    assert_eq!(check("adb:X", &[]).code, 75);
    let said = preloaded(&["check", "--profile", "ru/smartphone"]);
    assert_eq!(said.code, 75);
    assert!(said.out.contains("adb start-server"), "{}", said.out);
}

#[test]
fn any_method_of_presence_turns_a_bare_absence_into_an_open_question_but_not_for_rustore() {
    let said = check(PHONE, &["--presence", "any-method"]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("INCONCLUSIVE  RU-MAX") && said.out.contains("[method-not-observable]"), "{}", said.out);
    let said = check(FIRMWARE, &["--presence", "any-method"]);
    assert_eq!(said.code, 1);
    let failed: Vec<&str> = said.out.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(failed, ["FAIL  RU-RUSTORE  RuStore (single app store) is pre-installed in full [absent]"]);
}

#[test]
fn disagreeing_governing_dates_leave_max_open_until_one_is_chosen() {
    let dates = ["--made", "2025-06-01", "--sold", "2026-05-01"];
    let said = check(PHONE, &dates);
    assert!(said.out.contains("INCONCLUSIVE  RU-MAX") && said.out.contains("[governing-date]"), "{}", said.out);
    let chosen = |basis| check(PHONE, &[&dates[..], &["--governing", basis]].concat());
    assert!(chosen("sold").out.contains("FAIL  RU-MAX"));
    assert!(!chosen("made").out.contains("FAIL  RU-MAX"));
    assert!(chosen("sold").out.contains("2026-05-01 (sold) governs"));
}

#[test]
fn a_device_of_another_kind_is_never_compliant_by_having_no_rules() {
    let said = check(PHONE, &["--kind", "tv"]);
    assert_eq!(said.code, 3);
    assert!(said.out.starts_with("INCONCLUSIVE"), "{}", said.out);
}

#[test]
fn a_saved_file_is_written_whole_and_judged_like_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.json");
    let said = preloaded(&["scan", FIRMWARE, "-o", saved.to_str().unwrap()]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    assert_eq!(check(saved.to_str().unwrap(), &[]).out, check(FIRMWARE, &[]).out);
    let said = preloaded(&["scan", FIRMWARE, "-o", "/nonexistent/saved.json"]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("/nonexistent/saved.json"), "{}", said.err);
}

#[test]
fn profiles_are_listed_and_shown_as_they_were_written() {
    let said = preloaded(&["profile", "list"]);
    assert!(said.out.contains("\nru/smartphone\t"), "{}", said.out);
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/ru/smartphone.toml")).unwrap();
    assert_eq!(preloaded(&["profile", "show", "ru/smartphone"]).out, text);
}

#[test]
fn colour_is_written_only_where_it_is_asked_for() {
    let coloured = |name: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_preloaded"))
            .args(["check", PHONE, "-p", "ru/smartphone", "--as-of", "2026-06-01"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("NO_COLOR")
            .env(name, value)
            .output()
            .unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(coloured("CLICOLOR_FORCE", "1"));
    assert!(!coloured("CLICOLOR_FORCE", "0"));
    assert!(!coloured("NO_COLOR", "1"));
}

#[cfg(unix)]
#[test]
fn an_inventory_is_written_over_no_device_or_socket() {
    use std::os::unix::fs::FileTypeExt;

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["scan", "samples/orion-p1-firmware.zip", "--output"])
        .arg(&socket)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
}

#[test]
fn an_inventory_whose_keys_another_program_sorted_is_the_same_inventory() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PHONE)).unwrap();
    let sorted: serde_json::Value = serde_json::from_str(&text).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("orion-p1-phone.json");
    fs::write(&path, serde_json::to_vec_pretty(&sorted).unwrap()).unwrap();
    let (ours, theirs) = (check(PHONE, &["--format", "json"]), check(path.to_str().unwrap(), &["--format", "json"]));
    assert_eq!((ours.code, ours.out), (theirs.code, theirs.out));
}
