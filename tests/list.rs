//! `preloaded list` on the trees of two real devices against what independent tools say of every package file in them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Row = BTreeMap<String, String>;

/// Our column, and the column of the truth.
const FIELDS: [(&str, &str); 8] = [
    ("package", "package"),
    ("version_code", "versionCode"),
    ("min_sdk", "minSdk"),
    ("target_sdk", "targetSdk"),
    ("permissions", "permissions"),
    ("signers", "signer_sha256"),
    ("launcher", "launcher"),
    ("label", "label"),
];

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

fn table(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| header.iter().zip(line.split('\t')).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect();
    lines.map(row).collect()
}

fn list(target: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_preloaded")).arg("list").arg(target).args(arguments).output().unwrap()
}

/// What the truth says in the words of our list.
fn expected(row: &Row, field: &str) -> String {
    let list = |names: &[&str]| {
        let all: BTreeSet<&str> = names.iter().flat_map(|name| row[*name].split(',')).collect();
        all.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(",")
    };
    match field {
        "permissions" => list(&["permissions", "permissions_sdk23"]),
        "signer_sha256" => list(&["signer_sha256"]),
        // Without a level of its own a package targets its minimum, and a base that states none asks for the first.
        "targetSdk" if row[field].is_empty() => row["minSdk"].clone(),
        _ => row[field].clone(),
    }
}

/// Path in the tree, to path on the device.
fn on_device(file: &str, device: &str) -> String {
    let inside = file.strip_prefix(&format!("firmware/{device}/tree/")).unwrap();
    format!("/{}", inside.strip_prefix("system/").unwrap_or(inside))
}

fn every_file_is_listed_as_the_tools_read_it(device: &str, files: usize) {
    let tree = shared().join("firmware").join(device).join("tree");
    if !tree.is_dir() {
        eprintln!("NOT RUN: {} is not there", tree.display());
        return;
    }
    let disagree = table(&fs::read_to_string(shared().join("truth/apks-where-tools-disagree.tsv")).unwrap());
    let disagree: BTreeSet<(String, String)> =
        disagree.into_iter().map(|row| (row["file"].clone(), row["field"].clone())).collect();
    let truth = table(&fs::read_to_string(shared().join("truth/apks.tsv")).unwrap());
    let output = list(&tree, &["--format", "tsv"]);
    assert_eq!(output.status.code(), Some(3), "files that are not in the tree are a gap");
    let rows = table(&String::from_utf8(output.stdout).unwrap());
    let ours: BTreeMap<&str, &Row> = rows.iter().map(|row| (row["path"].as_str(), row)).collect();
    assert_eq!(ours.len(), rows.len(), "each path once");

    let (mut compared, mut equal, mut skipped) = (0, 0, 0);
    let mut differences = Vec::new();
    let mut seen = BTreeSet::new();
    for row in truth.iter().filter(|row| row["file"].starts_with(&format!("firmware/{device}/"))) {
        let path = on_device(&row["file"], device);
        let Some(our) = ours.get(path.as_str()) else {
            differences.push(format!("{path} is not listed"));
            continue;
        };
        seen.insert(path.clone());
        for (field, column) in FIELDS {
            if disagree.contains(&(row["file"].clone(), column.to_owned())) {
                skipped += 1;
                continue;
            }
            compared += 1;
            // A split says `1` nowhere, and a base that says nothing means it.
            let (found, wanted) = (&our[field], expected(row, column));
            if *found == wanted || (column.ends_with("Sdk") && wanted.is_empty() && found == "1") {
                equal += 1;
            } else {
                differences.push(format!("{path}: {field} is {found:?}, the tools say {wanted:?}"));
            }
        }
    }
    // Beside the files: a package of which only splits are here stands under its folder, with unknown facts.
    let folders: Vec<&&str> = ours.keys().filter(|path| !seen.contains(**path)).collect();
    println!(
        "{device}: {} files, {compared} fields compared, {equal} equal, {skipped} skipped (tools disagree), {} differences, \
         {} packages of splits without their base",
        seen.len(),
        differences.len(),
        folders.len()
    );
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(seen.len(), files);
    assert!(folders.iter().all(|path| !path.ends_with(".apk") && ours[**path]["version_code"] == "?"), "{folders:?}");
}

#[test]
fn every_package_file_of_the_lenovo_tablet_is_listed_as_the_tools_read_it() {
    every_file_is_listed_as_the_tools_read_it("lenovo-x606x", 111);
}

#[test]
fn every_package_file_of_the_samsung_phone_is_listed_as_the_tools_read_it() {
    every_file_is_listed_as_the_tools_read_it("samsung-a02", 156);
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/orion-p1-firmware.zip")
}

#[test]
fn the_sample_is_listed_with_the_promised_columns() {
    let output = list(&sample(), &["--format", "tsv"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let header = "package\tpath\tpartition\tversion_code\tversion_name\tmin_sdk\ttarget_sdk\tsigners\tpermissions\tlauncher\tlabel\tabis\tstub\texported\thooks\toverlay_target\troles\tcleartext\tpublished_keys\tsdks";
    assert_eq!(text.lines().next(), Some(header));
    let rows = table(&text);
    let paths: Vec<&str> = rows.iter().map(|row| row["path"].as_str()).collect();
    assert_eq!(
        paths,
        [
            "/system/app/TinyApp/TinyApp.apk",
            "/system/priv-app/UiAutomatorServer/UiAutomatorServer.apk",
            "/product/app/Unlock/Unlock.apk"
        ]
    );
    assert_eq!(rows[0]["label"], "Tiny App for CTS");
    assert_eq!(rows[2]["launcher"], "io.appium.unlock.Unlock");
    let facts: Vec<_> = rows.iter().map(|row| ["stub", "exported", "hooks"].map(|name| row[name].as_str())).collect();
    assert_eq!(facts, [["", "1", ""], ["", "0", ""], ["", "1", ""]]);
    let keys: Vec<_> = rows.iter().map(|row| ["published_keys", "sdks"].map(|name| row[name].as_str())).collect();
    assert_eq!(keys, [["apksig rsa-2048", "?"], ["testkey", "?"], ["", "?"]]);
    let counted = table(&String::from_utf8(list(&sample(), &["--format", "tsv", "--classes"]).stdout).unwrap());
    assert!(counted.iter().all(|row| row["sdks"].is_empty()), "{counted:?}");
}

#[test]
fn filters_keep_what_was_asked_for() {
    let packages = |arguments: &[&str]| {
        let output = list(&sample(), &[arguments, &["--format", "tsv"]].concat());
        let rows = table(&String::from_utf8(output.stdout).unwrap());
        rows.into_iter().map(|row| row["package"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(packages(&["--partition", "product"]), ["io.appium.unlock"]);
    assert_eq!(packages(&["--permission", "android.permission.DISABLE_KEYGUARD"]), ["io.appium.unlock"]);
    assert_eq!(packages(&["--signer", "FB:5D:BD:3C"]), ["android.appsecurity.cts.tinyapp"]);
    assert_eq!(packages(&["--signer", "ffff"]), Vec::<String>::new());
}

#[test]
fn json_holds_the_same_rows_as_the_table() {
    let output = list(&sample(), &["--format", "json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = value["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 3);
    assert_eq!(packages[2]["package"], "io.appium.unlock");
    assert_eq!(packages[2]["placement"], "system");
}

#[test]
fn what_is_no_firmware_is_told_and_exits_with_4() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let output = list(&readme, &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().contains("README.md"));
    assert_eq!(list(Path::new("/nonexistent/firmware.zip"), &[]).status.code(), Some(4));
}
