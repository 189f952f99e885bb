//! `check --store` and `preloaded history`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{FIRMWARE, PHONE, Said, command, finish, run, tool};

const CHECK: [&str; 5] = ["check", "-p", "ru/smartphone", "--as-of", "2026-06-01"];

fn store(path: &Path, more: &[&str]) -> Said {
    let path = path.to_str().unwrap();
    run(CHECK.iter().chain(&["--store", path]).chain(more))
}

fn history(path: &Path, more: &[&str]) -> Said {
    run(["history", "--store", path.to_str().unwrap()].iter().chain(more))
}

fn rows(path: &Path, more: &[&str], list: &str) -> Vec<Value> {
    let said = history(path, &[more, &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    answer[list].as_array().unwrap_or_else(|| panic!("{list} in {answer}")).clone()
}

#[test]
fn results_are_kept_and_asked_for_and_any_tool_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let key = folder.path().join("key");
    fs::write(&key, "a key of the organisation").unwrap();
    let named = ["--id", "hmac", "--id-key", key.to_str().unwrap()];
    let said = store(&path, &[&[PHONE][..], &named].concat());
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{}", said.out);
    let said = store(&path, &[&[FIRMWARE, PHONE, "/nonexistent"][..], &named].concat());
    assert_eq!(said.code, 1, "{}", said.err);

    let results = rows(&path, &[], "results");
    assert_eq!(results.len(), 4);
    let phone = results[1]["target"].as_str().unwrap();
    assert!(phone.starts_with("adb:hmac-"), "{phone}");
    let of_phone = rows(&path, &["--device", phone], "results");
    assert_eq!(of_phone.len(), 2);
    assert_eq!(of_phone[0]["failures"], serde_json::json!(["RU-MAX"]));
    assert_eq!(rows(&path, &["--model", "Orion P1", "--verdict", "not_compliant"], "results").len(), 3);
    assert_eq!(rows(&path, &["--verdict", "unread"], "results")[0]["target"], "nonexistent");
    assert_eq!(rows(&path, &["--profile", "ru/tablet"], "results").len(), 0);
    assert_eq!(rows(&path, &["--until", "2020-01-01"], "results").len(), 0);
    let print = of_phone[0]["fingerprint"].as_str().unwrap();
    assert_eq!(rows(&path, &["--fingerprint", print], "results").len(), 3);
    let counts = rows(&path, &["--trend", "month"], "counts");
    assert_eq!((counts.len(), counts[0]["targets"].as_u64(), counts[0]["unread"].as_u64()), (1, Some(4), Some(1)));
    assert_eq!(rows(&path, &["--by", "device"], "counts").len(), 3);
    let rules = rows(&path, &["--rules"], "rules");
    assert!(rules.iter().any(|row| row["rule"] == "RU-MAX" && row["failed"] == 3), "{rules:?}");
    for (form, words) in [
        (&[][..], "NOT COMPLIANT  adb:hmac-"),
        (&["--by", "model"], "orion Orion P1"),
        (&["--trend", "day"], "ru/smartphone"),
        (&["--rules"], "RU-MAX  ru/smartphone"),
    ] {
        let said = history(&path, form);
        assert!(said.code == 0 && said.out.contains(words), "{form:?}: {}", said.out);
    }
    // The shell of SQLite itself: what stands there, and that the file is sound.
    let asked = |sql: &str| tool("sqlite3", &[path.to_str().unwrap(), sql], folder.path()).out;
    assert_eq!(asked("PRAGMA integrity_check"), "ok\n");
    assert_eq!(asked("SELECT count(DISTINCT run), count(*) FROM result"), "2|4\n");
    assert_eq!(asked("SELECT count(*) FROM finding WHERE rule = 'RU-MAX' AND verdict = 'fail'"), "3\n");
    let report = run(CHECK.iter().copied().chain([PHONE, "--format", "json"])).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["targets"][0]["result"]["assessment"]["findings"].as_array().unwrap().len();
    assert_eq!(asked("SELECT count(*) FROM finding WHERE result = 1"), format!("{findings}\n"));
}

#[test]
fn a_history_without_names_says_so_and_keeps_no_serial_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let said = store(&path, &[PHONE]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("by their place alone: --id hmac or plain"), "{}", said.err);
    assert_eq!(rows(&path, &[], "results")[0]["target"], "phone-1");
    assert!(!String::from_utf8_lossy(&fs::read(&path).unwrap()).contains("ORION000001"));
    assert_eq!(store(&path, &[FIRMWARE]).err, "");
}

#[test]
fn the_configuration_may_name_the_history_for_both_commands() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("preloaded.toml"), "[all]\nstore = \"shop.db\"\n").unwrap();
    let phone = fs::canonicalize(PHONE).unwrap();
    let said = finish(command().current_dir(folder.path()).args(CHECK).arg(phone));
    assert_eq!(said.code, 1, "{}", said.err);
    let said = finish(command().current_dir(folder.path()).arg("history"));
    assert!(said.code == 0 && said.out.contains("failed: RU-MAX"), "{}{}", said.out, said.err);
    let said = finish(command().env("PRELOADED_STORE", folder.path().join("shop.db")).args(["history", "--rules"]));
    assert!(said.code == 0 && said.out.contains("RU-MAX"), "{}{}", said.out, said.err);
    assert_eq!(run(["history"]).code, 2);
}

#[test]
fn what_is_no_history_is_said_before_anything_is_read_and_nothing_is_green() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "no database at all, and longer than its head would be ".repeat(20)).unwrap();
    let newer = folder.path().join("newer.db");
    store(&newer, &[FIRMWARE]);
    tool("sqlite3", &[newer.to_str().unwrap(), "PRAGMA user_version = 9"], folder.path());
    let nowhere = folder.path().join("no/such/folder.db");
    for (path, words) in [
        (text.as_path(), "not a database"),
        (&newer, "a history of version 9, this program knows 1"),
        (&nowhere, "unable to open database file"),
        (folder.path(), "something else than a file"),
        (Path::new("/dev/null"), "something else than a file"),
    ] {
        let said = store(path, &[PHONE]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}: {}", path.display(), said.err);
        assert!(said.err.contains(words) && said.err.contains(path.to_str().unwrap()), "{}", said.err);
        let said = history(path, &[]);
        assert_eq!((said.code, said.out.as_str()), (4, ""), "{}: {}", path.display(), said.err);
    }
    assert!(fs::read_to_string(&text).unwrap().starts_with("no database"));
    for wrong in [&["--since", "yesterday"][..], &["--rules", "--by", "model"], &["--by", "colour"]] {
        assert_eq!(history(&newer, wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn several_checks_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let start = || {
        let mut check = command();
        check.args(CHECK).args([FIRMWARE, "--store", path.to_str().unwrap()]);
        check.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for child in [start(), start(), start(), start(), start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(rows(&path, &[], "results").len(), 6);
}

#[test]
fn a_run_that_the_history_can_t_take_is_exit_4_and_the_reports_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let report = folder.path().join("report.json");
    // A name longer than a history takes: what fails is the last step of all.
    let mut phone: Value = serde_json::from_str(&fs::read_to_string(PHONE).unwrap()).unwrap();
    phone["target"]["name"] = "x".repeat(2 << 20).into();
    let phone: preloaded::inventory::Inventory = serde_json::from_value(phone).unwrap();
    let saved = folder.path().join("long.json");
    fs::write(&saved, serde_json::to_string(&phone).unwrap()).unwrap();
    let output = format!("json={}", report.display());
    let said = store(&path, &[saved.to_str().unwrap(), FIRMWARE, "-o", &output]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("the results are NOT in the history"), "{}", said.err);
    assert!(said.out.contains("NOT COMPLIANT"));
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&report).unwrap()).unwrap()["exit_code"], 1);
    assert_eq!(rows(&path, &[], "results").len(), 0);
    let counted = tool("sqlite3", &[path.to_str().unwrap(), "SELECT count(*) FROM run"], folder.path());
    assert_eq!(counted.out, "0\n");
}

/// The program as a user whom permissions bind: the superuser is, without this capability.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_can_t_be_written_is_said_before_anything_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    store(&path, &[FIRMWARE]);
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    let bound = |arguments: &[&str]| {
        let mut bound = Command::new("setpriv");
        bound.args(["--bounding-set=-dac_override,-dac_read_search", env!("CARGO_BIN_EXE_preloaded")]);
        finish(bound.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")))
    };
    mode(0o555);
    let name = path.to_str().unwrap();
    let new = folder.path().join("new.db");
    let checked = bound(&[&CHECK[..], &[PHONE, "--store", name]].concat());
    let made = bound(&[&CHECK[..], &[PHONE, "--store", new.to_str().unwrap()]].concat());
    let asked = bound(&["history", "--store", name]);
    mode(0o755);
    assert_eq!((checked.code, checked.out.as_str()), (2, ""), "{}", checked.err);
    assert!(checked.err.contains("shop.db: "), "{}", checked.err);
    assert_eq!((made.code, made.out.as_str()), (2, ""), "{}", made.err);
    assert!(!new.exists());
    assert_eq!(asked.code, 0, "{}", asked.err);
    assert!(asked.out.contains("orion-p1-firmware.zip"), "{}", asked.out);
}

#[test]
fn a_reader_that_went_away_does_not_keep_the_run_out_of_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let line = format!("\"$0\" {} {PHONE} --store {} --format json | true", CHECK.join(" "), path.display());
    tool("bash", &["-c", &line, env!("CARGO_BIN_EXE_preloaded")], Path::new(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(rows(&path, &[], "results").len(), 1);
}
