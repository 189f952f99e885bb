//! `preloaded apk --fields`: the facts that are asked for, and no other part of the file.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::fixtures;
use super::program::{json, preloaded, sample};

/// What is written whatever is asked for.
const ALWAYS: [&str; 3] = ["file", "unresolved", "problems"];

fn packages() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "apk")).collect();
    paths.sort();
    paths
}

fn keys(answer: &Value) -> Vec<&str> {
    answer.as_object().unwrap().keys().map(String::as_str).collect()
}

fn asked<'a>(fields: &'a str, more: &[&'a str], file: &'a str) -> Value {
    let (code, mut answers) = json(&[more, &["--fields", fields, file]].concat());
    assert_eq!((code, answers.len()), (Some(0), 1), "{fields} {file}");
    answers.pop().unwrap()
}

#[test]
fn each_fact_asked_alone_is_what_the_whole_answer_says() {
    let mut files: Vec<String> = ["unlock_apk-debug.apk", "golden-aligned-v1v2v3-out.apk"].map(sample).into();
    files.extend(packages().into_iter().step_by(9).map(|path| path.to_string_lossy().into_owned()));
    let mut facts = 0;
    for file in files {
        let options = ["--verify", "--classes", "--native"];
        let (_, answers) = json(&[&options, [file.as_str()].as_slice()].concat());
        let whole = &answers[0];
        if whole.get("error").is_some() {
            continue;
        }
        // Problems are those of what was asked for.
        for name in keys(whole).into_iter().filter(|name| *name != "problems") {
            let alone = asked(name, &options, &file);
            assert_eq!(alone[name], whole[name], "{name} of {file}");
            let others: Vec<_> = keys(&alone).into_iter().filter(|key| *key != name && !ALWAYS.contains(key)).collect();
            assert!(others.is_empty(), "{name} of {file}: {others:?}");
            assert!(ALWAYS.iter().all(|key| alone.get(key).is_some()), "{name} of {file}");
            facts += 1;
        }
    }
    assert!(facts > 200, "{facts}");
}

#[test]
fn facts_are_written_in_the_order_of_the_whole_answer() {
    let file = sample("unlock_apk-debug.apk");
    let output =
        preloaded(&["--format", "json", "--fields", "signers,abis,package", "--fields", "version_code", &file]);
    let line = String::from_utf8(output.stdout).unwrap();
    let places = ["file", "package", "version_code", "signers", "abis", "unresolved", "problems"]
        .map(|name| line.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}: {line}")));
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn a_fact_that_cant_be_read_is_a_problem_where_it_is_asked_for_and_only_there() {
    let damaged = fixtures().join("apksig--v3-only-with-rsa-pkcs1-sha512-4096-apk-sig-block-size-mismatch.apk");
    let damaged = damaged.to_str().unwrap();
    let with = asked("package,signers", &[], damaged);
    assert!(with["problems"][0].as_str().unwrap().contains("signing block"), "{with}");
    let without = asked("package", &[], damaged);
    assert_eq!(without["problems"], serde_json::json!([]), "{without}");
    assert_eq!(without["package"], with["package"]);
}

#[test]
fn names_and_options_that_do_not_fit_are_wrong_usage() {
    let file = sample("unlock_apk-debug.apk");
    let cases: [(&[&str], &str); 5] = [
        (&["--fields", "package"], "--fields needs --format json"),
        (&["--format", "json", "--fields", "signer"], "signers"),
        (&["--format", "json", "--fields", "verification"], "--fields verification needs --verify"),
        (&["--format", "json", "--fields", "package,classes"], "--fields classes needs --classes"),
        (&["--format", "json", "--fields", "native_libraries"], "--fields native_libraries needs --native"),
    ];
    for (arguments, said) in cases {
        let output = preloaded(&[arguments, &[file.as_str()]].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said) && output.stdout.is_empty(), "{arguments:?}: {error}");
    }
}

#[test]
fn abis_are_those_of_the_code() {
    let answer = asked("abis,code", &[], &sample("golden-aligned-v1v2v3-out.apk"));
    let abis: Vec<_> =
        answer["code"]["native"].as_array().unwrap().iter().map(|native| native["abi"].clone()).collect();
    assert!(!abis.is_empty(), "{answer}");
    assert_eq!(answer["abis"], Value::from(abis));
}
