//! Waivers, attestations and baselines, as a user meets them: exit codes, text, JSON.

use std::fs;
use std::path::Path;
use std::process::Command;

use preloaded::inventory::{GapReason, Inventory};
use serde_json::Value;
use tempfile::TempDir;

const PHONE: &str = "samples/orion-p1-phone.json";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn preloaded(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("ADB_SERVER_SOCKET")
        .env("ANDROID_ADB_SERVER_PORT", "1")
        .env("NO_COLOR", "1")
        .env_remove("LC_ALL")
        .env("LANG", "C")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn check(more: &[&str]) -> Ran {
    let base = ["check", PHONE, "--profile", "ru/smartphone", "--as-of", "2026-06-01"];
    preloaded(&[&base[..], more].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
}

fn finding<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let findings = report["targets"][0]["result"]["assessment"]["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule"] == rule).unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn waiver(id: &str, rule: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nid = \"{id}\"\nrule = \"{rule}\"\nscope = {{ model = \"Orion*\" }}\nreason = \"agreed with the operator\"\n\
         owner = \"a.ivanova\"\napproved-by = \"legal\"\ncreated = 2026-05-01\nexpires = {expires}\n"
    )
}

#[test]
fn a_waiver_covers_a_failure_and_leaves_it_visible_in_text_and_json() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check(&[]).code, 1, "the sample has no MAX");
    let file = write(&folder, "waivers.toml", &format!("schema = 1\n{}", waiver("W-1", "RU-MAX", "2026-06-01")));
    let text = check(&["--waivers", &file]);
    assert_eq!(text.code, 0, "{}", text.out);
    for expected in [
        ": 1 failed (1 of them waived), ",
        "FAIL (WAIVED)  RU-MAX",
        "W-1 until 2026-06-01: agreed with the operator (owner a.ivanova, approved by legal)",
    ] {
        assert!(text.out.contains(expected), "{expected}: {}", text.out);
    }
    let report = json(&check(&["--waivers", &file, "--format", "json"]));
    let max = finding(&report, "RU-MAX");
    assert_eq!((max["verdict"].as_str(), max["waiver"]["id"].as_str()), (Some("fail"), Some("W-1")));
    let counts = &report["targets"][0]["result"]["assessment"]["counts"];
    assert_eq!((counts["fail"].as_u64(), counts["waived"].as_u64()), (Some(1), Some(1)));
}

#[test]
fn an_expired_waiver_restores_the_failure_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "waivers.toml", &format!("schema = 1\n{}", waiver("W-1", "RU-MAX", "2026-05-31")));
    let ran = check(&["--waivers", &file]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("The waiver W-1 expired on 2026-05-31."), "{}", ran.out);
    assert!(ran.out.contains("W-1 [waiver-expired]"), "{}", ran.out);
}

#[test]
fn unused_overlapping_and_long_waivers_are_reported_as_a_stale_one_would_else_go_unnoticed() {
    // Trivy's stale ignore.
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "schema = 1\n{}{}{}{}",
        waiver("W-1", "RU-MAX", "2026-06-30"),
        waiver("W-2", "RU-MAX", "2027-06-30"),
        waiver("W-3", "RU-GONE", "2026-06-30"),
        waiver("W-4", "RU-VK", "2026-06-30").replace("Orion", "Other"),
    );
    let file = write(&folder, "waivers.toml", &text);
    let report = json(&check(&["--waivers", &file, "--format", "json"]));
    let notices: Vec<(String, String)> = report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| (notice["kind"].as_str().unwrap().to_owned(), notice["subject"].as_str().unwrap().to_owned()))
        .collect();
    let expected =
        [("waiver-unused", "W-3"), ("waiver-unused", "W-4"), ("waiver-overlap", "W-2"), ("waiver-long", "W-2")];
    assert_eq!(notices, expected.map(|(kind, subject)| (kind.to_owned(), subject.to_owned())));
    assert_eq!(finding(&report, "RU-MAX")["waiver"]["id"], "W-1");
}

#[test]
fn a_malformed_file_ends_with_2_before_anything_is_read() {
    // InSpec found a malformed waiver hours later.
    let folder = tempfile::tempdir().unwrap();
    let bad = write(&folder, "waivers.toml", "schema = 1\n[[waiver]]\nid = \"W-1\"\nrule = \"RU-MAX\"\n");
    for (option, file) in [("--waivers", &bad), ("--attestations", &bad), ("--baseline", &bad)] {
        let ran = preloaded(&["check", "adb:NOBODY", "nowhere.zip", "-p", "ru/smartphone", option, file]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{option}");
        assert!(ran.err.contains("waivers.toml"), "{}", ran.err);
    }
    let missing = preloaded(&["check", PHONE, "-p", "ru/smartphone", "--waivers", "nowhere.toml"]);
    assert_eq!(missing.code, 2);
}

#[test]
fn a_waiver_never_turns_what_is_inconclusive_into_a_pass() {
    let folder = tempfile::tempdir().unwrap();
    let mut inventory: Inventory = serde_json::from_str(&fs::read_to_string(root().join(PHONE)).unwrap()).unwrap();
    let mut gap = preloaded::inventory::Gap::new("partition product", GapReason::Damaged, "bad magic");
    gap.hides = preloaded::inventory::Hides::Packages;
    inventory.gaps.push(gap);
    inventory.normalize();
    let saved = write(&folder, "saved.json", &serde_json::to_string(&inventory).unwrap());
    let file = write(&folder, "waivers.toml", &format!("schema = 1\n{}", waiver("W-1", "RU-MAX", "2026-06-30")));
    let ran = preloaded(&[
        "check",
        &saved,
        "-p",
        "ru/smartphone",
        "--as-of",
        "2026-06-01",
        "--waivers",
        &file,
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 3);
    let report = json(&ran);
    let max = finding(&report, "RU-MAX");
    assert_eq!((max["verdict"].as_str(), &max["waiver"]), (Some("inconclusive"), &Value::Null));
    assert!(max["notes"].to_string().contains("The waiver W-1 covers failures only."));
}

#[test]
fn a_scope_that_does_not_fit_covers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let signer = "a".repeat(64);
    for scope in [
        "{ model = \"Vega*\" }".to_owned(),
        "{ fingerprint = \"orion/other*\" }".to_owned(),
        "{ model = \"Orion*\", package = \"com.vk.im\" }".to_owned(),
        format!("{{ package = \"ru.oneme.app\", signer = \"{signer}\" }}"),
    ] {
        let text = waiver("W-1", "RU-MAX", "2026-06-30").replace("{ model = \"Orion*\" }", &scope);
        let file = write(&folder, "waivers.toml", &format!("schema = 1\n{text}"));
        let ran = check(&["--waivers", &file]);
        assert_eq!(ran.code, 1, "{scope}");
        assert!(ran.out.contains("[waiver-unused]"), "{scope}: {}", ran.out);
    }
}

#[test]
fn a_baseline_marks_failures_and_only_new_counts_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let old = check(&["--format", "json"]);
    let file = write(&folder, "old.json", &old.out);
    let marked = check(&["--baseline", &file, "--format", "json"]);
    assert_eq!((marked.code, &finding(&json(&marked), "RU-MAX")["baseline"]), (1, &Value::from("known")));
    let new = check(&["--baseline", &file, "--only-new"]);
    assert_eq!(new.code, 0, "{}", new.out);
    assert!(new.out.contains("KNOWN from old.json  RU-MAX"), "{}", new.out);
    assert!(!new.out.contains("FAIL  RU-MAX"), "{}", new.out);
    // A failure that the old report has not.
    let mut report = json(&old);
    let findings = report["targets"][0]["result"]["assessment"]["findings"].as_array_mut().unwrap();
    findings.retain(|finding| finding["rule"] != "RU-MAX");
    let file = write(&folder, "other.json", &report.to_string());
    let new = check(&["--baseline", &file, "--only-new", "--format", "json"]);
    assert_eq!((new.code, &finding(&json(&new), "RU-MAX")["baseline"]), (1, &Value::from("new")));
    // A report made beside a baseline is a baseline as good as the first: known failures stay in it.
    let file = write(&folder, "again.json", &marked.out);
    assert_eq!(check(&["--baseline", &file, "--only-new"]).code, 0);
    assert_eq!(check(&["--only-new"]).code, 2, "nothing to be new beside");
}

const MANUAL: &str = r#"schema = 1
id = "shop/manual"
version = "1"
title = "Manual"
[sources]
H1 = "house rules"
[defaults]
status = "policy"
legal = { instrument = "House rules", sources = ["H1"], confidence = "A" }
[[rule]]
id = "SHOP-BOX"
title = "The sticker is on the box"
check = "manual"
settings = { question = "Is the sticker on the box?" }
[[rule]]
id = "SHOP-VK"
title = "VK is there"
check = "required-package"
settings = { any-of = ["com.vkontakte.android"] }
"#;

#[test]
fn what_only_a_person_can_see_stays_open_until_somebody_attests_it_for_that_device_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let profile = write(&folder, "manual.toml", MANUAL);
    let photo = write(&folder, "box.jpg", "no picture, and yet a file");
    let record = folder.path().join("attestations.toml");
    let record = record.to_str().unwrap();
    let judge = |day: &str| {
        preloaded(&["check", PHONE, "-p", &profile, "--as-of", day, "--attestations", record, "--format", "json"])
    };
    let attest = |answer: &str, model: &str, on: &str| {
        preloaded(&[
            "attest",
            "SHOP-BOX",
            "-p",
            &profile,
            "--answer",
            answer,
            "--operator",
            "a.ivanova",
            "--model",
            model,
            "--on",
            on,
            "--photo",
            &photo,
            "--note",
            "seen",
            "-o",
            record,
        ])
    };
    assert_eq!(preloaded(&["check", PHONE, "-p", &profile, "--as-of", "2026-06-01"]).code, 3);
    let made = attest("met", "Vega", "2026-05-01");
    assert_eq!(made.code, 0, "{}", made.err);
    let other = judge("2026-06-01");
    assert_eq!(other.code, 3, "another model's answer");
    assert_eq!(json(&other)["notices"][0]["kind"], "attestation-unused");
    assert_eq!(attest("met", "Orion P1", "2026-05-01").code, 0);
    let met = judge("2026-06-01");
    assert_eq!(met.code, 0, "{}", met.out);
    let report = json(&met);
    let found = finding(&report, "SHOP-BOX");
    assert_eq!(
        (found["verdict"].as_str(), found["attestation"]["operator"].as_str()),
        (Some("pass"), Some("a.ivanova"))
    );
    // `printf 'no picture, and yet a file' | sha256sum`
    assert_eq!(
        found["attestation"]["photo_sha256"],
        "c8181641fde8f737765616ed0a0934ef4cce77cfead7725efbb0848b1965f8a2"
    );
    assert_eq!(judge("2026-04-30").code, 3, "before anybody looked");
    let expired = judge("2026-07-31");
    assert_eq!(expired.code, 3, "90 days later");
    assert!(expired.out.contains("attestation-expired"), "{}", expired.out);
    assert_eq!(attest("not-met", "Orion P1", "2026-05-02").code, 0);
    let broken = judge("2026-06-01");
    assert_eq!((broken.code, finding(&json(&broken), "SHOP-BOX")["reason"].as_str()), (1, Some("attested-breach")));
}

#[test]
fn an_attestation_of_what_a_machine_decides_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let profile = write(&folder, "manual.toml", MANUAL);
    let record = folder.path().join("a.toml");
    let attest = |rule: &str, more: &[&str]| {
        let base =
            ["attest", rule, "-p", &profile, "--answer", "met", "--operator", "x", "-o", record.to_str().unwrap()];
        preloaded(&[&base[..], more].concat())
    };
    let refused = attest("SHOP-VK", &["--model", "M"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("decided by the check required-package"), "{}", refused.err);
    assert_eq!(attest("SHOP-NONE", &["--model", "M"]).code, 2);
    assert_eq!(attest("SHOP-BOX", &[]).code, 2, "for no device at all");
    let late = attest("SHOP-BOX", &["--model", "M", "--on", "2026-01-01", "--expires", "2027-06-01"]);
    assert_eq!(late.code, 2, "{}", late.err);
    assert!(!record.exists());
}

#[test]
fn the_profile_commands_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("minimum.toml");
    let file = file.to_str().unwrap();
    assert_eq!(preloaded(&["profile", "new", "shop/minimum", "-o", file]).code, 0);
    assert_eq!(preloaded(&["profile", "new", "shop/minimum", "-o", file]).code, 2, "nothing is overwritten");
    let wrong = preloaded(&["profile", "new", "minimum.toml", "--extends", "ru/smartphone"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("expected one like `shop/minimum`; `-o` names the file"), "{}", wrong.err);
    let wrong = preloaded(&["profile", "new", "shop/next", "--extends", "ru/smartfone", "-o", file]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `ru/smartphone`?"), "{}", wrong.err);
    let page = preloaded(&["profile", "checks", "patch-age"]);
    assert!(page.code == 0 && page.out.contains("\n## Example\n\n```toml\n[[rule]]\n"), "{}", page.out);
    let wrong = preloaded(&["profile", "checks", "patch-agee"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `patch-age`?"), "{}", wrong.err);
    let lint = preloaded(&["profile", "lint", file]);
    assert_eq!((lint.code, lint.out.as_str()), (0, "1 profile, 1 rule: 0 remarks\n"), "{}", lint.err);
    let test = preloaded(&["profile", "test", file]);
    assert_eq!(test.code, 0, "{}", test.out);
    assert!(test.out.starts_with("shop/minimum: 1 rule, 3 examples ("), "{}", test.out);
    let broken = fs::read_to_string(file).unwrap().replace("verdict = \"pass\"", "verdict = \"fail\"");
    let broken = write(&folder, "broken.toml", &broken);
    let test = preloaded(&["profile", "test", &broken]);
    assert_eq!(test.code, 1);
    assert!(test.out.contains("SHOP-STORE: came to pass, expected fail"), "{}", test.out);
    let diff = preloaded(&["profile", "diff", file, &broken, PHONE, "--as-of", "2027-06-01"]);
    assert_eq!((diff.code, diff.out.lines().next()), (0, Some("no differences")), "{}", diff.err);
    let diff = preloaded(&["profile", "diff", "ru/smartphone", file, PHONE, "--as-of", "2027-06-01"]);
    assert!(diff.out.contains("RU-MAX removed: MAX (messenger) is pre-installed"), "{}", diff.out);
    assert!(diff.out.contains("RU-MAX: gone, was fail"), "{}", diff.out);
}

#[test]
fn a_rule_is_explained_in_the_language_of_the_reader() {
    let english = preloaded(&["profile", "explain", "RU-MAX"]);
    let russian = preloaded(&["profile", "explain", "RU-MAX", "--lang", "ru"]);
    for (ran, words) in [
        (
            &english,
            [
                "MAX (messenger) is pre-installed",
                "Law 2300-I",
                "devices sold from 2025-09-01 (Rospotrebnadzor)",
                "to fix",
            ],
        ),
        (&russian, ["MAX (мессенджер): предустановлено", "Закон № 2300-I", "проданных с 2025-09-01", "как исправить"]),
    ] {
        assert_eq!(ran.code, 0, "{}", ran.err);
        for word in words {
            assert!(ran.out.contains(word), "{word}: {}", ran.out);
        }
    }
    let environment = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["profile", "explain", "RU-MAX"])
        .env("LC_ALL", "ru_RU.UTF-8")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(environment.stdout).unwrap(), russian.out);
    let unknown = preloaded(&["profile", "explain", "RU-MAXX"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean RU-MAX?"), "{}", unknown.err);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs minisign, the reference of the form. A missing tool fails the test by its name.
fn minisign(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new("minisign").args(arguments).current_dir(folder).output();
    let output = output.expect("minisign (Debian package minisign) runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn signatures_are_those_of_minisign_both_ways_and_a_changed_profile_ends_with_5() {
    let folder = tempfile::tempdir().unwrap();
    let profile = write(&folder, "rules.toml", MANUAL);
    assert_eq!(minisign(folder.path(), &["-G", "-W", "-f", "-p", "key.pub", "-s", "key.sec"]).0, 0);
    let (public, secret) = (folder.path().join("key.pub"), folder.path().join("key.sec"));
    let (public, secret) = (public.to_str().unwrap(), secret.to_str().unwrap());
    let judge = |more: &[&str]| {
        let base =
            ["check", PHONE, "-p", &profile, "--as-of", "2026-06-01", "--profile-key", public, "--format", "json"];
        preloaded(&[&base[..], more].concat())
    };
    let unsigned = judge(&["--require-signed-profile"]);
    assert_eq!(unsigned.code, 5);
    assert!(unsigned.err.contains("not signed: there is no "), "{}", unsigned.err);
    assert_eq!(judge(&[]).code, 3, "not demanded");

    // Ours, verified by theirs.
    let signed = preloaded(&["profile", "sign", &profile, "--key", secret]);
    assert_eq!(signed.code, 0, "{}", signed.err);
    let (code, said) = minisign(folder.path(), &["-V", "-p", "key.pub", "-m", "rules.toml"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("profile shop/manual 1, sha256 "), "{said}");
    let ran = judge(&["--require-signed-profile"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let key = fs::read_to_string(public).unwrap();
    let id = key.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let report = json(&ran);
    let signature = &report["targets"][0]["result"]["assessment"]["profile"]["signature"];
    // minisign writes the number without leading zeros.
    let ours = signature["key_id"].as_str().unwrap().trim_start_matches('0');
    assert_eq!(ours, id.trim_start_matches('0'), "{key}");

    // Theirs, verified by ours: of both algorithms.
    for more in [
        &["-S", "-s", "key.sec", "-m", "rules.toml", "-t", "by hand"][..],
        &["-S", "-l", "-s", "key.sec", "-m", "rules.toml", "-t", "by hand"],
    ] {
        let (code, said) = minisign(folder.path(), more);
        assert_eq!(code, 0, "{said}");
        let verified = preloaded(&["profile", "verify", &profile, "--key", public]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        assert!(verified.out.ends_with("by hand\n"), "{}", verified.out);
    }

    let changed = fs::read_to_string(&profile).unwrap().replace("policy", "advisory");
    fs::write(&profile, changed).unwrap();
    assert_eq!(judge(&[]).code, 5, "a wrong signature is wrong though none was demanded");
    assert_eq!(preloaded(&["profile", "verify", &profile, "--key", public]).code, 5);
    fs::write(&profile, MANUAL).unwrap();
    assert_eq!(minisign(folder.path(), &["-G", "-W", "-f", "-p", "other.pub", "-s", "other.sec"]).0, 0);
    let other = folder.path().join("other.pub");
    let foreign = preloaded(&["profile", "verify", &profile, "--key", other.to_str().unwrap()]);
    assert_eq!(foreign.code, 5);
    assert!(foreign.err.contains("not with "), "{}", foreign.err);

    // A file that extends another demands both signatures.
    let top = write(
        &folder,
        "top.toml",
        "schema = 1\nid = \"top\"\nversion = \"1\"\ntitle = \"T\"\nextends = [\"rules.toml\"]\n",
    );
    assert_eq!(preloaded(&["profile", "sign", &top, "--key", secret]).code, 0);
    let both = ["check", PHONE, "-p", &top, "--profile-key", public, "--require-signed-profile"];
    assert_eq!(preloaded(&both).code, 3);
    fs::remove_file(folder.path().join("rules.toml.minisig")).unwrap();
    assert_eq!(preloaded(&both).code, 5);
}
