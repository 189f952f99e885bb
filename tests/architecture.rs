//! The picture of `docs/architecture.md`, held by the code: which layer may use which, that registries are complete, and
//! how files may be named.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop at what is wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers, lowest first, and those below that each may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("bytes", &[]),
    ("remote", &["bytes"]),
    ("container", &["bytes"]),
    ("filesystem", &["bytes"]),
    ("firmware", &["bytes", "container", "filesystem"]),
    ("apk", &["bytes", "container"]),
    ("adb", &["bytes"]),
    ("dump", &["bytes"]),
    ("inventory", &[]),
    ("platform", &["inventory"]),
    (
        "collect",
        &["bytes", "remote", "container", "filesystem", "firmware", "apk", "adb", "dump", "inventory", "platform"],
    ),
    ("profile", &["inventory"]),
    ("check", &["inventory", "platform", "profile"]),
    ("assess", &["check", "profile", "inventory"]),
    ("diff", &["assess", "check", "profile", "inventory"]),
    ("report", &["diff", "assess", "check", "profile", "inventory"]),
    ("evidence", &["report", "diff", "assess", "check", "profile", "inventory", "collect"]),
    ("store", &["report", "assess", "check", "inventory"]),
    ("station", &["adb"]),
    (
        "cli",
        &[
            "evidence",
            "diff",
            "bytes",
            "remote",
            "adb",
            "collect",
            "inventory",
            "platform",
            "profile",
            "check",
            "assess",
            "report",
            "filesystem",
            "container",
            "evidence",
            "store",
            "station",
            "firmware",
            "apk",
        ],
    ),
];

/// Folders whose files must stand in a table of their `mod.rs`, and those files that are parts of the seam itself.
const REGISTRIES: &[(&str, &str, &[&str])] = &[
    ("container", "FORMATS", &["mod", "foreign", "sets"]),
    // A folder of the host is found by its path, not by its content.
    ("filesystem", "FORMATS", &["mod", "walk", "folder"]),
    ("check", "KINDS", &["mod", "examples", "holding", "outcome", "schema", "selector", "setting", "sweep", "words"]),
    (
        "report",
        "FORMATS",
        &["mod", "baseline", "difference", "event", "identity", "markup", "notice", "phrases", "printable", "wording"],
    ),
];

const FORBIDDEN_NAMES: [&str; 5] = ["utils", "helpers", "common", "misc", "manager"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Code without what stands in line comments: a doc link is no dependency.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Layers that a file names by `crate::layer`, also in `use crate::{a, b::c}`.
fn used_layers(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for (at, found) in text.match_indices("crate::") {
        let rest = &text[at + found.len()..];
        match rest.strip_prefix('{') {
            None => {
                used.insert(word(rest));
            }
            Some(group) => {
                let mut depth = 0_i32;
                let mut start = true;
                for (index, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && depth == 0 && !c.is_whitespace() => {
                            used.insert(word(&group[index..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

#[test]
fn every_layer_uses_only_the_layers_that_the_table_allows() {
    let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
        for file in rust_files(&source().join(layer)) {
            for used in used_layers(&code(&file)) {
                let known = names.contains(&used.as_str());
                if known && used != *layer && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{} uses {used}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that are not in the table:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_layer_and_every_layer_a_folder() {
    let folders: BTreeSet<String> = fs::read_dir(source())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let layers: BTreeSet<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, layers);
}

#[test]
fn the_scan_for_used_layers_sees_single_grouped_and_nested_imports() {
    let text = "use crate::bytes::X; use crate::{adb::{a, b}, dump, inventory::{c::{d}, e}}; crate::check::f();";
    let expected = ["adb", "bytes", "check", "dump", "inventory"].map(str::to_owned);
    assert_eq!(used_layers(text), BTreeSet::from(expected));
}

#[test]
fn every_file_of_a_registry_folder_stands_in_its_table() {
    for (folder, table, seam) in REGISTRIES {
        let module = code(&source().join(folder).join("mod.rs"));
        let start = module.find(&format!("static {table}")).unwrap_or_else(|| panic!("{folder} has no {table}"));
        let body: String = module[start..].chars().take_while(|c| *c != ';').collect();
        let body = body.to_ascii_lowercase();
        for entry in fs::read_dir(source().join(folder)).unwrap() {
            let stem = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
            if seam.contains(&stem.as_str()) {
                continue;
            }
            let name = stem.replace('_', "");
            assert!(body.contains(&name), "{folder}/{stem} is not in {table}:\n{body}");
        }
    }
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests", "xtask/src"].map(|folder| rust_files(&root.join(folder))).concat();
    for file in files {
        for part in file.strip_prefix(root).unwrap().components() {
            let part = part.as_os_str().to_str().unwrap().trim_end_matches(".rs");
            assert!(!FORBIDDEN_NAMES.contains(&part), "{}", file.display());
        }
    }
}

#[test]
fn only_the_command_line_prints_and_reads_the_clock_arguments_or_environment() {
    const PRINTING: [&str; 8] =
        ["println!", "eprintln!", "stdout()", "stderr()", "env::args", "env::var", "SystemTime::now", "Timestamp::now"];
    for (layer, _) in LAYERS.iter().filter(|(layer, _)| *layer != "cli") {
        for file in rust_files(&source().join(layer)) {
            let text = code(&file);
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            for word in PRINTING {
                assert!(!text.contains(word), "{} has {word}", file.display());
            }
        }
    }
}
