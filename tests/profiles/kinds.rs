//! What holds for every kind of check, whatever it asks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::civil::date;
use preloaded::assess::{AssessError, assess};
use preloaded::check::{CheckKind, Context, KINDS, Reason, Setting, Shape, Verdict};
use preloaded::inventory::{DeviceKind, Gap, GapReason, Inventory};
use preloaded::profile::Profile;

use super::sample::{app, image, known, phone, phone_app, with};

/// Settings that a kind takes: what it must have, and one of those of which it needs one.
fn settings(kind: &dyn CheckKind) -> String {
    let one_of = ["allowed", "any-of", "kits", "target", "max-actions", "max-minutes"];
    let has = |key: &str| kind.about().settings.iter().any(|setting| setting.key == key);
    let first = one_of.iter().find(|key| has(key));
    let wanted = |setting: &&Setting| setting.required || Some(&setting.key) == first;
    let value = |setting: &Setting| match setting.shape {
        _ if setting.key == "role" => "\"browser\"".to_owned(),
        Shape::Text | Shape::Wording => "\"x\"".to_owned(),
        Shape::Texts => "[\"x\"]".to_owned(),
        Shape::Package => format!("\"com.{}\"", setting.key.replace('-', "")),
        Shape::Packages => "[\"com.alpha\", \"com.beta\"]".to_owned(),
        Shape::Names => "[\"com.alpha\"]".to_owned(),
        Shape::Digests => format!("[\"{}\"]", "0".repeat(64)),
        Shape::Flag => "true".to_owned(),
        Shape::Number | Shape::Score => "1".to_owned(),
        Shape::Range => "{ from = 30 }".to_owned(),
        Shape::OneOf(words) => format!("{:?}", words[0]),
        Shape::SomeOf(words) => format!("[{:?}]", words[0]),
        Shape::Select => "{ packages = [\"com.alpha\"] }".to_owned(),
    };
    let pairs: Vec<String> = kind
        .about()
        .settings
        .iter()
        .filter(wanted)
        .map(|setting| format!("{} = {}", setting.key, value(setting)))
        .collect();
    pairs.join(", ")
}

fn rule(kind: &dyn CheckKind, more: &str) -> Profile {
    let text = format!(
        "schema = 1\nid = \"test\"\nversion = \"1\"\ntitle = \"Test\"\nsources = {{ S = \"a source\" }}\n[[rule]]\nid = \"T-1\"\n\
         title = \"Test\"\ncheck = \"{}\"\nstatus = \"policy\"\nlegal = {{ instrument = \"test\", sources = [\"S\"], confidence = \
         \"A\" }}\nsettings = {{ {} }}\n{more}\n",
        kind.name(),
        settings(kind)
    );
    Profile::parse("test.toml", &text).unwrap_or_else(|error| panic!("{}: {error}", kind.name()))
}

fn verdicts(kind: &dyn CheckKind, more: &str, inventory: &Inventory) -> BTreeSet<(Verdict, Option<Reason>)> {
    let assessment = assess(&rule(kind, more), inventory, &Context::on(date(2026, 6, 1)));
    let assessment = assessment.unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
    assessment.findings.iter().map(|finding| (finding.verdict, finding.reason)).collect()
}

#[test]
fn of_a_device_of_which_nothing_is_known_no_kind_passes_fails_or_falls_silent() {
    for of in [phone(), image()] {
        let gap = Gap::new("everything", GapReason::Failed, "not read");
        let nothing = Inventory::unknown(of.target.clone(), &gap);
        for kind in KINDS {
            let found = verdicts(*kind, "", &nothing);
            let only: BTreeSet<Verdict> = found.iter().map(|(verdict, _)| *verdict).collect();
            let expected = if kind.name() == "manual" { Verdict::NotChecked } else { Verdict::Inconclusive };
            assert_eq!(only, [expected].into(), "{}: {found:?}", kind.name());
        }
    }
}

#[test]
fn of_packages_of_which_nothing_but_their_names_is_known_no_kind_passes() {
    let gap = Gap::new("everything", GapReason::Failed, "not read");
    for (device, base) in [(phone(), phone_app as fn(&str) -> preloaded::inventory::Package), (image(), app)] {
        let mut nothing = Inventory::unknown(device.target.clone(), &gap);
        nothing.sources = device.sources.clone();
        let names = ["com.alpha", "com.beta", "com.package", "com.as", "android"];
        let packages = names.map(|name| forgotten(base(name), &gap));
        nothing.packages = known(Vec::new());
        let nothing = with(nothing, packages);
        for kind in KINDS {
            // They ask for names alone, and are answered.
            let by_name = ["forbidden-package", "look-alike", "no-installer-agents"];
            let found = verdicts(*kind, "", &nothing);
            let passed = found.iter().any(|(verdict, _)| *verdict == Verdict::Pass);
            assert!(!passed || by_name.contains(&kind.name()), "{}: {found:?}", kind.name());
        }
    }
}

fn forgotten(mut package: preloaded::inventory::Package, gap: &Gap) -> preloaded::inventory::Package {
    use preloaded::inventory::Fact::Unknown;
    let mut json = serde_json::to_value(&package).unwrap();
    fn forget(value: &mut serde_json::Value, gap: &serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) if fields.contains_key("evidence") || fields.contains_key("unknown") => {
                *value = serde_json::json!({ "unknown": gap });
            }
            serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| forget(value, gap)),
            serde_json::Value::Array(items) => items.iter_mut().for_each(|value| forget(value, gap)),
            _ => {}
        }
    }
    forget(&mut json, &serde_json::to_value(gap).unwrap());
    package = serde_json::from_value(json).unwrap();
    assert!(matches!(package.copies[0].code, Unknown(_)));
    package
}

#[test]
fn a_rule_that_is_for_others_or_over_is_not_applicable_whatever_it_asks() {
    let device = with(phone(), [phone_app("com.alpha"), phone_app("com.beta")]);
    for kind in KINDS {
        let tablets = verdicts(*kind, "device-kinds = [\"tablet\"]", &device);
        assert_eq!(tablets, [(Verdict::NotApplicable, Some(Reason::OtherDeviceKind))].into(), "{}", kind.name());
        let older = verdicts(*kind, "sdk = { until = 20 }", &device);
        assert_eq!(older, [(Verdict::NotApplicable, Some(Reason::OtherSdk))].into(), "{}", kind.name());
        let over = rule(*kind, "effective = [{ basis = \"made\", until = 2020-01-01 }]");
        let nothing = assess(&over, &device, &Context::on(date(2026, 6, 1))).unwrap_err();
        assert!(matches!(nothing, AssessError::NothingToJudge { .. }), "{}: {nothing}", kind.name());
        let unknown = Context { kind: None::<DeviceKind>, ..Context::on(date(2026, 6, 1)) };
        let mut nameless = device.clone();
        nameless.device.kind = super::sample::unknown();
        let open = assess(&rule(*kind, "device-kinds = [\"tablet\"]"), &nameless, &unknown).unwrap();
        assert!(open.findings.iter().all(|finding| finding.verdict != Verdict::Pass), "{}", kind.name());
    }
}

#[test]
fn every_verdict_that_a_kind_declares_is_reached_by_a_test_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
    let mut missing = Vec::new();
    for kind in KINDS {
        let file = folder.join(format!("{}.rs", kind.name().replace('-', "_")));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let Some((_, tests)) = text.split_once("#[cfg(test)]") else {
            missing.push(format!("{} has no tests", kind.name()));
            continue;
        };
        for row in kind.about().verdicts {
            let verdict = format!("Verdict::{:?}", row.0);
            let reason = row.1.map(|reason| format!("Reason::{reason:?}"));
            let reached = tests.contains(&verdict) && reason.as_ref().is_none_or(|reason| tests.contains(reason));
            if !reached {
                missing.push(format!("{}: {verdict} {reason:?}", kind.name()));
            }
        }
        // Nothing to pass or fail is left to a person.
        let judged = |verdict| kind.about().verdicts.iter().any(|row| row.0 == verdict);
        let complete = judged(Verdict::Pass) && judged(Verdict::Fail) && judged(Verdict::Inconclusive);
        if !complete && kind.name() != "manual" {
            missing.push(format!("{} can't pass, fail or stay open", kind.name()));
        }
    }
    assert!(missing.is_empty(), "no test of the kind shows:\n{}", missing.join("\n"));
}
