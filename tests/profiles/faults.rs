//! Whatever can be wrong with a profile: each fault is shown at its place, with what was expected and the nearest key.

use preloaded::check;
use preloaded::profile::{Attestations, Profile, ProfileError, Waivers};

use super::minimal;

fn fault(text: &str) -> ProfileError {
    Profile::parse("p.toml", text).and_then(|profile| check::configure(&profile).map(|_| ())).unwrap_err()
}

#[test]
fn every_fault_of_a_profile_is_shown_at_its_place_with_what_was_expected() {
    let effective = |windows: &str| format!("check = \"required-package\"\neffective = [{windows}]");
    let example = |example: &str| format!("check = \"required-package\"\nexamples = [{example}]");
    let kind = |check: &str, settings: &str| {
        (
            "check = \"required-package\"\nsettings = { any-of = [\"com.example.app\"] }",
            format!("check = \"{check}\"\nsettings = {{ {settings} }}"),
        )
    };
    let tailored = |more: &str| ("[sources]", format!("extends = [\"audit/hygiene\"]\n{more}\n[sources]"));
    let faults: Vec<(&str, String)> = vec![
        ("title = \"Minimum\"", "titel = \"Minimum\"".into()),
        ("schema = 1", "schema = 2".into()),
        ("schema = 1\n", String::new()),
        ("version = \"1\"", "version = 1".into()),
        ("shop/minimum", "Shop Minimum".into()),
        ("id = \"shop/minimum\"", "id = \"  \"".into()),
        ("\"T-1\"", "\"t 1\"".into()),
        ("title = \"The app is there\"\n", String::new()),
        ("title = \"The app is there\"", "title = { ru = \"x\" }".into()),
        ("required-package", "required-pakage".into()),
        ("any-of", "anyof".into()),
        ("[\"com.example.app\"]", "[]".into()),
        ("[\"com.example.app\"]", "[\"a.b\", \"a.b\"]".into()),
        ("\"com.example.app\"]", "7]".into()),
        ("status = \"policy\"", "status = \"mandatry\"".into()),
        ("status = \"policy\"\n", String::new()),
        ("status = \"policy\"", "device-kinds = [\"fone\"]\nstatus = \"policy\"".into()),
        ("status = \"policy\"", "made-from = \"2021-04-01\"\nstatus = \"policy\"".into()),
        ("status = \"policy\"", "made-from = 2021-02-30\nstatus = \"policy\"".into()),
        ("sources = [\"H1\"]", "sources = [\"H2\"]".into()),
        ("confidence = \"A\"", "confidence = \"C\"".into()),
        ("confidence = \"A\"", "confidence = \"B\"".into()),
        ("check = \"required-package\"", effective("{ basis = \"made\" }")),
        ("check = \"required-package\"", effective("{ basis = \"bought\", from = 2025-01-01 }")),
        ("check = \"required-package\"", effective("{ basis = \"made\", from = 2025-01-02, until = 2025-01-01 }")),
        (
            "check = \"required-package\"",
            effective("{ basis = \"made\", from = 2025-01-01 }, { basis = \"made\", until = 2025-01-01 }"),
        ),
        ("settings = {", "settings = {{".into()),
        ("title = \"Minimum\"", "title = \"Minimum\"\ntitle = \"Again\"".into()),
        ("settings = { any-of = [\"com.example.app\"] }", "settings = true".into()),
        ("status = \"policy\"", "markets = [\"Russia\"]\nstatus = \"policy\"".into()),
        ("status = \"policy\"", "sdk = { from = 30, until = 29 }\nstatus = \"policy\"".into()),
        ("status = \"policy\"", "sdk = {}\nstatus = \"policy\"".into()),
        ("id = \"T-1\"", "id = \"T-1\"\nsuperseded-by = \"T-2\"".into()),
        ("id = \"T-1\"", "id = \"T-1\"\nhistory = [{ text = \"x\" }]".into()),
        ("id = \"T-1\"", "id = \"T-1\"\nselected = \"no\"".into()),
        ("id = \"T-1\"", "id = \"T-1\"\nselected = false".into()),
        ("check = \"required-package\"", example("{ verdict = \"passes\" }")),
        ("check = \"required-package\"", example("{ packages = [] }")),
        (
            "check = \"required-package\"",
            example("{ verdict = \"pass\", packages = [{ id = \"com.a\", signr = \"a\" }] }"),
        ),
        (
            "check = \"required-package\"",
            example("{ verdict = \"pass\", packages = [{ id = \"com.a\", enabled = false }] }"),
        ),
        ("check = \"required-package\"", example("{ verdict = \"pass\", device = { unknown = [\"colour\"] } }")),
        ("check = \"required-package\"", example("{ verdict = \"pass\", inventory = \"a.json\", hidden = \"x\" }")),
        ("[sources]", "[[deselect]]\nrule = \"T-1\"\nreason = \"x\"\n[sources]".into()),
        ("[sources]", "extends = [\"audit/hygene\"]\n[sources]".into()),
        ("[sources]", "extends = [\"audit/hygiene@1999.1\"]\n[sources]".into()),
        tailored("[[deselect]]\nrule = \"HYG-BILD\"\nreason = \"x\""),
        tailored("[[deselect]]\nrule = \"HYG-BUILD\""),
        tailored("[[select]]\nrule = \"HYG-BUILD\"\nreason = \"x\""),
        tailored("[[refine]]\nrule = \"HYG-BUILD\"\nreason = \"x\""),
        tailored("[[refine]]\nrule = \"HYG-BUILD\"\nreason = \"x\"\nstatsu = \"policy\""),
        kind("not-privileged", "select = { packges = [\"com.a\"] }"),
        kind("not-privileged", "select = { packages = [\"com.a\"], except = [\"com.*\"] }"),
        kind("not-privileged", "select = { privileged = true, placements = [\"system\"] }"),
        kind("signer-in-set", "signers = [\"abc\"]"),
        kind("target-sdk", "target = { form = 23 }"),
        kind("permission-ceiling", "package = \"com.a\""),
        kind("manifest-flags", "forbidden = [\"debugable\"]"),
        kind("required-set", "packages = [\"com.a\"], at-least = 2"),
        kind("default-role", "role = \"brouser\", any-of = [\"com.a\"]"),
    ];
    assert!(faults.len() >= 40, "{}", faults.len());
    let mut shown = String::new();
    for (from, to) in faults {
        let text = minimal().replacen(from, &to, 1);
        assert_ne!(text, minimal(), "{from}");
        let error = fault(&text);
        assert!(error.line().is_some() && error.column().is_some(), "{error}");
        let told = error.to_string();
        assert!(["expected", "did you mean"].iter().any(|word| told.contains(word)), "{told}");
        shown.push_str(&format!("### {from:?} -> {to:?}\n{error}\n\n"));
    }
    let expected = include_str!("../snapshots/profile-errors.txt");
    assert!(shown == expected, "the messages differ from tests/snapshots/profile-errors.txt; now:\n{shown}");
}

const WAIVER: &str = r#"schema = 1
[[waiver]]
id = "W-1"
rule = "T-1"
scope = { model = "Orion*" }
reason = "agreed"
owner = "a"
approved-by = "b"
created = 2026-01-01
expires = 2026-03-01
"#;

#[test]
fn every_fault_of_a_file_of_waivers_is_shown_at_its_place() {
    let waivers = Waivers::parse("w.toml", WAIVER).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((waivers.list.len(), waivers.list[0].line), (1, 3));
    let mut shown = String::new();
    for (from, to) in [
        ("schema = 1", "schema = 3"),
        ("reason = \"agreed\"\n", ""),
        ("reason", "raison"),
        ("owner = \"a\"", "owner = \" \""),
        ("scope = { model = \"Orion*\" }\n", ""),
        ("model = \"Orion*\"", "model = \"*\""),
        ("model = \"Orion*\"", ""),
        ("model = \"Orion*\"", "package = \"com.a\""),
        ("model = \"Orion*\"", "package = \"com.a\", signer = \"12\""),
        ("model = \"Orion*\"", "vendor = \"x\""),
        ("expires = 2026-03-01", "expires = \"2026-03-01\""),
        ("expires = 2026-03-01", "expires = 2025-03-01"),
        ("expires = 2026-03-01", "expires = 2026-03-01\nevidence-sha256 = \"x\""),
        ("\"T-1\"", "\"t1\""),
    ] {
        let text = WAIVER.replacen(from, to, 1);
        assert_ne!(text, WAIVER, "{from}");
        let error = Waivers::parse("w.toml", &text).unwrap_err();
        shown.push_str(&format!("### {from:?} -> {to:?}\n{error}\n\n"));
    }
    let twice = format!("{WAIVER}{}", WAIVER.split_once("schema = 1").unwrap().1);
    shown.push_str(&format!("### twice\n{}\n", Waivers::parse("w.toml", &twice).unwrap_err()));
    let expected = include_str!("../snapshots/waiver-errors.txt");
    assert!(shown == expected, "the messages differ from tests/snapshots/waiver-errors.txt; now:\n{shown}");
}

#[test]
fn a_file_of_attestations_without_scope_or_answer_is_refused() {
    let text = "schema = 1\n[[attestation]]\nrule = \"T-1\"\nprofile = \"p\"\nanswer = \"yes\"\noperator = \"a\"\n\
                on = 2026-01-01\nexpires = 2026-02-01\nscope = {}\n";
    let error = Attestations::parse("a.toml", text).unwrap_err();
    assert_eq!((error.line(), error.message()), (Some(5), "unknown word for `answer`: `yes`"));
    let error = Attestations::parse("a.toml", &text.replace("yes", "met")).unwrap_err();
    assert_eq!(error.message(), "`scope` is empty, expected model, fingerprint or target");
}

#[test]
fn a_file_of_waivers_that_ends_early_is_an_error_or_smaller_and_never_a_panic() {
    for end in 0..WAIVER.len() {
        if let Err(error) = Waivers::parse("cut.toml", &WAIVER[..end]) {
            assert!(error.to_string().starts_with("cut.toml"), "{error}");
        }
    }
}
