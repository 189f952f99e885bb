//! Stability of what the program writes (`docs/stability.md`): files of every released schema are read, and nothing that
//! was in them is lost.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use preloaded::inventory::Inventory;
use preloaded::report::{self, Event};
use serde_json::Value;

use super::made;

/// The files of `tests/data/schemas`, by what they are: `inventory-1.0.json.gz`.
fn released(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = made::root().join("tests/data/schemas");
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{kind}-")))
        .map(|path| {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut text).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no file of a released {kind}");
    found
}

/// Whether everything in `old` is in `new`, in its place: fields may have come, none may have gone or changed.
fn lost(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                match new.get(name) {
                    Some(kept) => lost(value, kept, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}.{name}")),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).for_each(|(old, new)| lost(old, new, &format!("{path}[]"), found));
        }
        (old, new) if old == new => {}
        _ => found.push(path.to_owned()),
    }
}

fn held(name: &str, old: &[u8], read: impl Fn(&[u8]) -> Result<Value, String>) {
    let new = read(old).unwrap_or_else(|error| {
        panic!("{name}, written by a released version, is no longer read: {error}. A new field needs a default.")
    });
    let mut found = Vec::new();
    lost(&serde_json::from_slice(old).unwrap(), &new, "", &mut found);
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{name}: fields that went or changed, which a minor version must not do: {found:#?}");
}

#[test]
fn inventories_of_every_released_schema_are_read_in_full() {
    for (name, text) in released("inventory") {
        held(&name, &text, |text| {
            let inventory: Inventory = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok(serde_json::to_value(inventory).unwrap())
        });
    }
}

#[test]
fn reports_of_every_released_schema_are_read_in_full() {
    for (name, text) in released("report") {
        held(&name, &text, |text| report::parse(text).map(|run| serde_json::to_value(run).unwrap()));
    }
}

#[test]
fn events_of_every_released_schema_are_read_in_full() {
    for (name, text) in released("event") {
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            held(&name, line, |line| {
                let event: Event = serde_json::from_slice(line).map_err(|error| error.to_string())?;
                Ok(serde_json::to_value(event).unwrap())
            });
        }
    }
}

#[test]
fn a_field_that_went_or_changed_is_seen() {
    let old = serde_json::json!({ "a": [{ "b": 1, "c": null }] });
    let seen = |new: Value| {
        let mut found = Vec::new();
        lost(&old, &new, "", &mut found);
        found
    };
    assert_eq!(seen(serde_json::json!({ "a": [{ "b": 1, "c": null, "d": 2 }], "e": 3 })), Vec::<String>::new());
    assert_eq!(seen(serde_json::json!({ "a": [{ "b": 1 }] })), [".a[].c"]);
    assert_eq!(seen(serde_json::json!({ "a": [{ "b": 2, "c": null }] })), [".a[].b"]);
    assert_eq!(seen(serde_json::json!({ "a": [] })), [".a"]);
}

#[test]
fn every_schema_names_each_field_and_is_a_schema() {
    for which in ["inventory", "report", "event", "diff", "odd", "history"] {
        let printed = made::preloaded(&["schema", which]);
        assert!(printed.status.success());
        let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{which}");
        let file = made::root().join(format!("docs/schema/{which}.schema.json"));
        assert_eq!(serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap(), schema, "cargo xtask generate");
    }
}

/// Files that people write, of every schema that was released: `waivers-1.toml`. A key that went would be an unknown one, and
/// unknown keys are refused.
#[test]
fn files_that_people_write_are_read_for_every_released_schema_and_each_of_their_keys_counts() {
    use preloaded::profile::{Attestations, Profile, Waivers};
    type Read = fn(&str) -> Result<(), String>;
    let kinds: [(&str, &str, Read); 3] = [
        ("profile", "profile", |text| Profile::parse("p", text).map(drop).map_err(|error| error.to_string())),
        ("waivers", "waivers", |text| Waivers::parse("w", text).map(drop).map_err(|error| error.to_string())),
        ("attestations", "attestations", |text| {
            Attestations::parse("a", text).map(drop).map_err(|error| error.to_string())
        }),
    ];
    for (kind, which, read) in kinds {
        let text = fs::read_to_string(made::root().join(format!("tests/data/schemas/{kind}-1.toml"))).unwrap();
        read(&text).unwrap_or_else(|error| panic!("{kind}, of a released schema, is no longer read: {error}"));
        let schema: Value = serde_json::from_slice(&made::preloaded(&["schema", which]).stdout).unwrap();
        let printed = serde_json::to_string(&schema).unwrap();
        let keys = |line: &str| line.split_once(" = ").map(|(key, _)| key.trim().to_owned());
        let mut seen = 0;
        for key in text.lines().filter(|line| !line.starts_with('#')).filter_map(keys) {
            // Names of sources are the author's own.
            if key.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                assert!(printed.contains(&format!("\"{key}\"")), "{kind}: {key} is not in the schema");
                seen += 1;
                let other = text.replacen(&format!("{key} = "), &format!("{key}x = "), 1);
                assert!(read(&other).is_err(), "{kind}: {key}x is taken");
            }
        }
        assert!(seen > 8, "{kind}: {seen} keys");
    }
}

#[test]
fn comparisons_of_every_released_schema_are_read_in_full() {
    for (name, text) in released("diff") {
        held(&name, &text, |text| {
            let diff: preloaded::diff::Diff = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok(serde_json::to_value(diff).unwrap())
        });
    }
    for (name, text) in released("odd") {
        held(&name, &text, |text| {
            let odd: preloaded::diff::OddPreloads = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok(serde_json::to_value(odd).unwrap())
        });
    }
}
