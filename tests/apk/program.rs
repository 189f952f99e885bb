//! `preloaded apk`: fields that are promised, exit codes, what is said of files that are none.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::{fixtures, root};

pub(crate) fn preloaded(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_preloaded")).arg("apk").args(arguments).output().unwrap()
}

pub(crate) fn json(arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = preloaded(&[arguments, &["--format", "json"]].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

pub(crate) fn sample(name: &str) -> String {
    root().join("samples/apks").join(name).to_string_lossy().into_owned()
}

fn signed(name: &str) -> String {
    root().join("tests/data/signatures").join(name).to_string_lossy().into_owned()
}

const SIGNED_WITH_TESTKEY: &str = "appium-uiautomator2-server-debug-androidTest.apk";

/// Fields that scripts rely on.
const PROMISED: [&str; 12] = [
    "file",
    "package",
    "version_code",
    "version_name",
    "min_sdk",
    "target_sdk",
    "label",
    "launcher",
    "permissions",
    "implied_permissions",
    "signers",
    "verification",
];

#[test]
fn an_answer_has_every_field_that_is_promised() {
    let file = sample(SIGNED_WITH_TESTKEY);
    let (code, answers) = json(&["--verify", &file]);
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(code, Some(0));
    for field in PROMISED {
        assert!(answer.get(field).is_some(), "{field} is absent");
    }
    assert_eq!(answer["file"], file);
    assert_eq!(answer["package"], "io.appium.uiautomator2.server.test");
    let signer = &answer["signers"][0];
    assert_eq!(signer["sha256"], "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc");
    assert!(signer["subject"].as_str().unwrap().contains("CN=Android") && signer["scheme"].is_string(), "{signer}");
    assert_eq!((&signer["known"]["name"], &signer["known"]["kind"]), (&"testkey".into(), &"aosp-test-key".into()));
    assert_eq!((&signer["key_algorithm"], &signer["key_bits"]), (&"RSA".into(), &2048.into()));
    assert_eq!(signer["not_before"], "2008-02-29T01:33:46Z");
    let verification = answer["verification"].as_object().unwrap();
    for field in ["v1", "v2", "v3", "v31", "verdict", "errors"] {
        assert!(verification.contains_key(field), "verification.{field} is absent");
    }
    assert_eq!(verification["verdict"], "verified");
}

#[test]
fn without_verify_nothing_is_said_of_it_and_signers_are_claimed() {
    let (_, answers) = json(&[&sample("unlock_apk-debug.apk")]);
    assert!(answers[0].get("verification").is_none());
    assert_eq!(answers[0]["signers"][0]["depth"], "claimed");
}

#[test]
fn a_refused_signature_has_the_reason_and_depends_on_the_levels_asked_for() {
    let file = signed("v2-only-with-ecdsa-sha256-p256-digest-mismatch.apk");
    let (code, answers) = json(&["--verify", "--min-sdk", "24", &file]);
    assert_eq!((code, &answers[0]["verification"]["verdict"]), (Some(0), &"refused".into()));
    assert_eq!(answers[0]["verification"]["errors"], serde_json::json!(["V2_SIG_APK_DIGEST_DID_NOT_VERIFY"]));
    assert_eq!(answers[0]["signers"][0]["depth"], "claimed");
    // A package with schemes that older versions don't know, for them and for newer ones.
    let file = signed("v3-only-with-ecdsa-sha512-p521.apk");
    let verdict =
        |arguments: &[&str]| json(&[&["--verify", file.as_str()], arguments].concat()).1[0]["verification"].clone();
    assert_eq!(verdict(&["--min-sdk", "28"])["verdict"], "verified");
    let old = verdict(&["--min-sdk", "24", "--max-sdk", "27"]);
    assert_eq!((&old["verdict"], &old["v3"]), (&"refused".into(), &Value::Null));
}

#[test]
fn a_rotated_signer_has_its_lineage_and_a_stamp_its_signer() {
    let (_, answers) = json(&["--verify", &signed("v1v2v3-with-rsa-2048-lineage-3-signers.apk")]);
    let lineage = answers[0]["verification"]["lineage"].as_array().unwrap().clone();
    assert_eq!((lineage.len(), lineage.last()), (3, Some(&answers[0]["signers"][0]["sha256"])));
    let (_, answers) = json(&["--verify", &signed("valid-stamp.apk")]);
    let verification = &answers[0]["verification"];
    assert_eq!((&verification["verdict"], &verification["source_stamp"]), (&"verified".into(), &true.into()));
    assert_eq!(verification["source_stamp_signer"].as_str().map(str::len), Some(64));
}

#[test]
fn a_set_of_package_files_an_empty_file_and_a_folder_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    let package = fs::read(sample("unlock_apk-debug.apk")).unwrap();
    let entries = [("base.apk", package.as_slice(), false, None), ("manifest.json", b"{}", true, None)];
    let set = file("a.xapk", &super::crafted::zip(&entries));
    let directory = folder.path().to_string_lossy().into_owned();
    for (path, said) in [
        (set, "a set of 1 package files (base.apk), not one"),
        (file("b.apk", b""), "the file is empty"),
        (directory, "a folder, not a package file"),
    ] {
        let (code, answers) = json(&[&path]);
        let error = answers[0]["error"].as_str().unwrap();
        assert!(code == Some(4) && error.contains(said), "{error}");
    }
}

#[test]
fn a_file_that_cant_be_read_is_an_object_and_exit_4_only_where_all_are() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt").to_string_lossy().into_owned();
    fs::write(&text, "no package").unwrap();
    let (code, answers) = json(&[&text, &sample("unlock_apk-debug.apk")]);
    assert_eq!((code, answers.len()), (Some(0), 2));
    let fields: Vec<&str> = answers[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((fields, answers[0]["file"].as_str()), (vec!["error", "file"], Some(text.as_str())));
    let empty = folder.path().join("empty.apk").to_string_lossy().into_owned();
    fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing.apk").to_string_lossy().into_owned();
    let directory = folder.path().to_string_lossy().into_owned();
    let (code, answers) = json(&[&text, &empty, &missing, &directory]);
    assert_eq!((code, answers.len()), (Some(4), 4));
    assert!(answers.iter().all(|answer| answer["error"].as_str().is_some_and(|error| !error.is_empty())));
}

#[test]
fn a_list_of_ones_own_names_certificates_and_a_fault_in_it_ends_with_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let list: PathBuf = folder.path().join("known.tsv");
    let digest = "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc";
    fs::write(&list, format!("{digest}\tours\tleaked-key\thttps://a.example/leak\n")).unwrap();
    let list = list.to_string_lossy().into_owned();
    let (_, answers) = json(&["--known-certificates", &list, &sample(SIGNED_WITH_TESTKEY)]);
    assert_eq!(answers[0]["signers"][0]["known"]["name"], "ours");
    fs::write(&list, "a40d\tours\tleaked-key\thttps://a.example/leak\n").unwrap();
    let output = preloaded(&["--known-certificates", &list, &sample(SIGNED_WITH_TESTKEY)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("line 1: the first column is no SHA-256"), "{said}");
}

#[test]
fn every_fixture_is_printed_for_people_without_a_control_character() {
    let files: Vec<_> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<_> = files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let mut arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    arguments.extend(["--verify", "--classes", "--native"]);
    let output = preloaded(&arguments);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 200);
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
}
