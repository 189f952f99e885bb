//! `diff` and `odd` on the command line.

use std::fs;

use serde_json::Value;

use super::{FIRMWARE, PHONE, run};

fn phone() -> Value {
    serde_json::from_str(&fs::read_to_string(PHONE).unwrap()).unwrap()
}

/// Saves an inventory that differs from the sample phone's.
fn changed(folder: &tempfile::TempDir, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut inventory = phone();
    inventory["target"]["name"] = name.into();
    change(&mut inventory);
    let path = folder.path().join(format!("{name}.json"));
    // In the order of its fields, by which the program knows it.
    let inventory: preloaded::inventory::Inventory = serde_json::from_value(inventory).unwrap();
    fs::write(&path, serde_json::to_string(&inventory).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_phone_and_itself_do_not_differ_and_exit_0() {
    let said = run(["diff", PHONE, PHONE]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("No difference."), "{}", said.out);
    let json = run(["diff", PHONE, PHONE, "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json["entries"].as_array().unwrap().len(), json["unsettled"].as_array().unwrap().len()), (0, 0));
}

#[test]
fn a_changed_version_is_one_entry_and_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    let later = changed(&folder, "later", |inventory| {
        let package = &mut inventory["packages"]["value"][0];
        let code = &mut package["copies"][0]["version_code"]["value"];
        *code = (code.as_u64().unwrap() + 1).into();
    });
    let said = run(["diff", PHONE, &later, "--format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, json["entries"].as_array().unwrap().len()), (1, 1), "{}", said.out);
    assert_eq!(json["entries"][0]["kind"], "updated");
    assert_eq!(json["entries"][0]["subject"], phone()["packages"]["value"][0]["name"]);
}

#[test]
fn a_phone_and_an_image_tell_what_only_one_of_them_knows_as_such() {
    let said = run(["diff", FIRMWARE, PHONE, "--format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(said.code, 1);
    let unsettled = json["unsettled"].as_array().unwrap();
    let partitions = unsettled.iter().find(|entry| entry["aspect"] == "partitions").unwrap();
    assert_eq!((partitions["known"].as_str(), partitions["reason"].as_str()), (Some("before"), Some("not-observed")));
    assert!(json["entries"].as_array().unwrap().iter().all(|entry| entry["kind"] != "partition"));
}

#[test]
fn two_reports_tell_verdicts_that_changed() {
    let folder = tempfile::tempdir().unwrap();
    let report = |day: &str| {
        let said = run(["check", PHONE, "--profile", "ru/smartphone", "--as-of", day, "--format", "json"]);
        let path = folder.path().join(format!("{day}.json"));
        fs::write(&path, said.out).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (before, after) = (report("2025-08-01"), report("2026-06-01"));
    let said = run(["diff", &before, &after]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("judged as of: 2025-08-01, now 2026-06-01"), "{}", said.out);
    assert!(said.out.contains("RU-MAX"), "{}", said.out);
    assert!(said.out.contains("now fail [absent]"), "{}", said.out);
    assert_eq!(run(["diff", &before, &before]).code, 0);
}

#[test]
fn with_a_profile_both_sides_are_judged() {
    let said = run(["diff", FIRMWARE, PHONE, "--profile", "ru/smartphone", "--as-of", "2026-06-01"]);
    assert!(said.out.contains("RU-RUSTORE"), "{}", said.out);
    assert!(said.out.contains("verdict: fail [absent], now pass"), "{}", said.out);
}

#[test]
fn hostile_names_break_neither_text_nor_page() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "<script>alert(1)</script>\u{1b}[2J\u{202e}\"'&";
    let later = changed(&folder, "hostile", |inventory| {
        inventory["device"]["model"]["value"] = hostile.into();
        inventory["packages"]["value"][0]["copies"][0]["path"] = hostile.into();
    });
    let page = run(["diff", PHONE, &later, "--format", "html"]);
    assert_eq!(page.code, 1);
    assert!(!page.out.contains("<script") && !page.out.contains('\u{1b}') && !page.out.contains('\u{202e}'));
    assert!(page.out.contains("&lt;script&gt;alert(1)"), "{}", page.out);
    let text = run(["diff", PHONE, &later]);
    assert!(!text.out.contains('\u{1b}') && !text.out.contains('\u{202e}'));
}

#[test]
fn anything_but_two_targets_is_wrong_usage() {
    assert_eq!(run(["diff", PHONE]).code, 2);
    assert_eq!(run(["diff", PHONE, PHONE, PHONE]).code, 2);
    assert_eq!(run(["diff", PHONE, "no-such-file"]).code, 4);
}

#[test]
fn the_odd_phone_of_a_batch_is_found_without_a_profile() {
    let folder = tempfile::tempdir().unwrap();
    let one = changed(&folder, "one", |_| ());
    let two = changed(&folder, "two", |_| ());
    let odd = changed(&folder, "three", |inventory| {
        inventory["packages"]["value"].as_array_mut().unwrap().remove(3);
    });
    assert_eq!(run(["odd", &one, &two]).code, 0);
    let said = run(["odd", &odd, &one, &two]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("ODD  three") && said.out.contains("Packages that are gone"), "{}", said.out);
    assert_eq!(run(["odd", &one]).code, 2);
    // An image and a phone of one fingerprint can't be compared in full.
    assert_ne!(run(["odd", &one, FIRMWARE]).code, 0);
}
