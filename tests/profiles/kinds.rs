//! What holds for every kind of check, whatever it asks.

use std::collections::BTreeSet;

use jiff::civil::date;
use preloaded::assess::{AssessError, Overlays, assess, try_examples};
use preloaded::check::{self, CheckKind, Context, EXAMPLE_HEAD, KINDS, Reason, Setting, Shape, Verdict};
use preloaded::inventory::{DeviceKind, Gap, GapReason, Inventory};
use preloaded::profile::{Attestations, Profile, Waivers};

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
        Shape::Expression => "\"pkg.target_sdk > 0\"".to_owned(),
        Shape::Texts => "[\"x\"]".to_owned(),
        Shape::Package => format!("\"com.{}\"", setting.key.replace('-', "")),
        Shape::Packages => "[\"com.alpha\", \"com.beta\"]".to_owned(),
        Shape::Names | Shape::OneOrMorePackages => "[\"com.alpha\"]".to_owned(),
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

/// Reasons of the engine, which no kind declares: the rule is for others, or it is not known for whom it is.
fn is_of_scope(verdict: Verdict, reason: Option<Reason>) -> bool {
    let excluded = [Reason::OtherDeviceKind, Reason::OtherOsFlavour, Reason::OtherMarket, Reason::OutOfDate];
    verdict == Verdict::NotApplicable && reason.is_some_and(|reason| excluded.contains(&reason))
}

#[test]
fn each_kind_comes_to_each_of_its_verdicts_on_the_devices_of_its_own_example() {
    let four = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::NotApplicable];
    let (mut devices, mut wrong) = (0, Vec::new());
    for kind in KINDS {
        let name = kind.name();
        let text = format!("{EXAMPLE_HEAD}{}", kind.about().example);
        let profile = Profile::parse(&format!("{name}.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
        assert!(profile.rules.iter().all(|rule| rule.check == name), "{name}: an example of another kind");
        let results = try_examples(&profile, &|path| Err(format!("{path}: an example needs no file")));
        let results = results.unwrap_or_else(|error| panic!("{error}"));
        devices += results.len();
        wrong.extend(results.iter().filter_map(|result| result.failure.as_ref()).map(ToString::to_string));
        let found: BTreeSet<_> = results.iter().flat_map(|result| result.found.iter().copied()).collect();
        let declared: BTreeSet<_> = kind.about().verdicts.iter().map(|row| (row.0, row.1)).collect();
        for row in declared.difference(&found) {
            wrong.push(format!("{name}: no device of the example comes to {row:?}"));
        }
        for row in found.difference(&declared).filter(|row| !is_of_scope(row.0, row.1)) {
            // A question for a person stays open where it is not known whether it concerns the device.
            if (name, *row) != ("manual", (Verdict::Inconclusive, Some(Reason::UnknownFact))) {
                wrong.push(format!("{name}: comes to {row:?}, and does not say so"));
            }
        }
        // A person's answer is all that makes a manual rule pass or fail: see the test below.
        let reached: BTreeSet<Verdict> = results.iter().map(|result| result.expected).collect();
        let missing = four
            .iter()
            .filter(|verdict| !reached.contains(verdict))
            .filter(|verdict| name != "manual" || !matches!(verdict, Verdict::Pass | Verdict::Fail));
        wrong.extend(missing.map(|verdict| format!("{name}: no example that comes to {}", verdict.as_str())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} kinds of check, {devices} devices", KINDS.len());
}

#[test]
fn a_manual_rule_passes_and_fails_by_the_answer_of_a_person_alone() {
    let text = format!("{EXAMPLE_HEAD}{}", check::kind("manual").unwrap().about().example);
    let profile = Profile::parse("manual.toml", &text).unwrap();
    let day = date(2026, 6, 1);
    for (answer, verdict, reason) in
        [("met", Verdict::Pass, None), ("not-met", Verdict::Fail, Some(Reason::AttestedBreach))]
    {
        let attestations = format!(
            "schema = 1\n[[attestation]]\nrule = \"EXAMPLE-1\"\nprofile = \"shop/example\"\nanswer = \"{answer}\"\n\
             operator = \"A. Tester\"\non = 2026-05-01\nexpires = 2026-12-31\nscope = {{ target = \"sample\" }}\n"
        );
        let attestations = Attestations::parse("attestations.toml", &attestations).unwrap();
        let mut overlays = Overlays::new(Waivers::default(), attestations, None);
        let inventory = phone();
        let mut assessment = assess(&profile, &inventory, &Context::on(day)).unwrap();
        assert_eq!(assessment.findings[0].verdict, Verdict::NotChecked);
        overlays.apply(&mut assessment, &profile, &inventory, "sample", day);
        assert_eq!((assessment.findings[0].verdict, assessment.findings[0].reason), (verdict, reason));
    }
}
