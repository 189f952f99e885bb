//! The profiles that come with the program: every rule's examples hold, nothing is left to remark, every schema fits.

use preloaded::assess::{lint, try_examples};
use preloaded::check::{KINDS, schema};
use preloaded::profile::{self, Profile, TEMPLATE};

fn all() -> Vec<Profile> {
    profile::builtin().iter().map(|builtin| profile::load(builtin.name).unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn the_profiles_are_those_that_are_announced() {
    let names: Vec<&str> = profile::builtin().iter().map(|builtin| builtin.name).collect();
    let expected = [
        "audit/hygiene",
        "audit/privacy",
        "cn/removability",
        "eu/dma-6-3",
        "google/gms-example",
        "in/sanchar-saathi",
        "kr/removability",
        "max/permissions",
        "ru/smart-tv",
        "ru/smartphone",
        "ru/tablet",
        "score/uraniborg",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_rule_of_every_profile_has_examples_and_they_hold() {
    let (mut rules, mut examples) = (0, 0);
    let mut failures = Vec::new();
    for profile in all() {
        rules += profile.rules.len();
        let results = try_examples(&profile, &|path| Err(path.to_owned())).unwrap_or_else(|error| panic!("{error}"));
        examples += results.len();
        failures.extend(results.iter().filter_map(|result| result.failure.as_ref()).map(ToString::to_string));
        for rule in &profile.rules {
            assert!(results.iter().any(|result| result.rule == rule.id), "{} has no example", rule.id);
        }
    }
    assert!(failures.is_empty(), "{} of {examples} examples failed:\n{}", failures.len(), failures.join("\n\n"));
    println!("{examples} examples of {rules} rules hold");
}

#[test]
fn nothing_is_left_to_remark_about_them() {
    let lints: Vec<String> = all()
        .iter()
        .flat_map(|profile| lint(profile).unwrap_or_else(|error| panic!("{error}")))
        .map(|lint| format!("{} [{}]", lint.at, lint.code))
        .collect();
    assert!(lints.is_empty(), "{}", lints.join("\n\n"));
}

#[test]
fn rule_ids_are_unique_across_all_profiles() {
    let mut seen = std::collections::BTreeMap::new();
    for profile in all() {
        for rule in &profile.rules {
            if let Some(other) = seen.insert(rule.id.clone(), profile.id.clone()) {
                panic!("{} stands in {other} and {}", rule.id, profile.id);
            }
        }
    }
}

/// A TOML text as JSON, with dates as text, as editors take them.
fn json(text: &str) -> serde_json::Value {
    fn convert(value: toml::Value) -> serde_json::Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(flag) => flag.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(convert).collect::<Vec<_>>().into(),
            toml::Value::Table(table) => {
                serde_json::Value::Object(table.into_iter().map(|(key, value)| (key, convert(value))).collect())
            }
        }
    }
    convert(toml::Value::Table(text.parse::<toml::Table>().unwrap()))
}

#[test]
fn the_schema_of_profiles_takes_each_of_them_and_refuses_what_the_program_refuses() {
    let schema = jsonschema::validator_for(&schema::profile()).unwrap();
    let texts: Vec<&str> = profile::builtin().iter().map(|builtin| builtin.text).chain([TEMPLATE]).collect();
    for text in &texts {
        if let Err(error) = schema.validate(&json(text)) {
            panic!("{error} at {}", error.instance_path());
        }
    }
    let text = profile::builtin().iter().find(|builtin| builtin.name == "audit/hygiene").unwrap().text;
    for (from, to) in [
        ("check = \"patch-age\"", "check = \"patch-agee\""),
        ("max-days = 365", "max-dayz = 365"),
        ("max-days = 365", "max-days = -1"),
        ("forbidden = [\"cleartext\"]", "forbidden = [\"clear\"]"),
        ("id = \"HYG-KEYS\"", "id = \"hyg-keys\""),
        ("status = \"policy\"", "status = \"polite\""),
        ("select = { privileged = true }", "select = { priviledged = true }"),
        ("select = { privileged = true }", "select = {}"),
    ] {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        assert!(!schema.is_valid(&json(&broken)), "{to}");
    }
}

#[test]
fn the_schemas_of_waivers_and_attestations_take_what_the_program_takes() {
    let waivers = jsonschema::validator_for(&schema::waivers()).unwrap();
    let text = "schema = 1\n[[waiver]]\nid = \"W\"\nrule = \"T-1\"\nscope = { model = \"M\" }\nreason = \"r\"\nowner = \"o\"\n\
                approved-by = \"a\"\ncreated = 2026-01-01\nexpires = 2026-02-01\n";
    assert!(waivers.is_valid(&json(text)));
    profile::Waivers::parse("w", text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!waivers.is_valid(&json(&text.replace("reason", "raison"))));
    let attestations = jsonschema::validator_for(&schema::attestations()).unwrap();
    let text = "schema = 1\n[[attestation]]\nrule = \"T-1\"\nprofile = \"p\"\nanswer = \"met\"\noperator = \"o\"\non = 2026-01-01\n\
                expires = 2026-02-01\nscope = { target = \"adb:1\" }\n";
    assert!(attestations.is_valid(&json(text)));
    profile::Attestations::parse("a", text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!attestations.is_valid(&json(&text.replace("met", "maybe"))));
}

#[test]
fn every_kind_of_check_is_used_by_a_shipped_rule_or_shown_in_its_tests() {
    // Kinds that no shipped rule uses, each with the reason.
    let unused = [
        "forbidden-package", // no list of forbidden apps was found in force
        "device-sdk",        // for houses with a floor of their own
        "expression",        // for what no kind asks: shipped rules are asked by kinds
        "not-removable",     // no instrument read asks for it
        "permission-floor",  // no instrument read asks for it
        "pre-installed",     // asked with required-package
        "same-signer",       // needs pins that nobody published
        "signer-not-in-set", // needs a list of revoked signers
        "version-range",     // no instrument read bounds versions
    ];
    let used: std::collections::BTreeSet<String> =
        all().iter().flat_map(|profile| profile.rules.iter().map(|rule| rule.check.clone())).collect();
    for kind in KINDS {
        assert!(used.contains(kind.name()) != unused.contains(&kind.name()), "{}", kind.name());
    }
}
