//! Profiles that build on others, examples, markets, API levels.

use std::fs;

use jiff::civil::date;
use preloaded::assess::{Overall, assess, lint, try_examples};
use preloaded::check::{Context, Reason, Verdict};
use preloaded::profile::{self, Profile, Status, TEMPLATE, Tailoring, differences};

use super::sample::{app, image, known, unknown, with};
use super::{minimal, of_rule, on};

fn parse(text: &str) -> Profile {
    Profile::parse("t.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn tailored(more: &str) -> String {
    minimal().replacen("[sources]", &format!("extends = [\"audit/hygiene\"]\n{more}\n[sources]"), 1)
}

#[test]
fn the_template_shows_every_key_and_is_a_profile_whose_examples_hold() {
    let profile = parse(TEMPLATE);
    let results = try_examples(&profile, &|path| Err(path.to_owned())).unwrap_or_else(|error| panic!("{error}"));
    for result in &results {
        assert_eq!(result.failure.as_ref().map(ToString::to_string), None);
    }
    for keys in [profile::keys::RULE, profile::keys::DEFAULTS, profile::keys::LEGAL] {
        for key in keys.iter().filter(|key| !["selected", "superseded-by", "effective"].contains(key)) {
            assert!(TEMPLATE.contains(key), "{key} is not in the template");
        }
    }
}

#[test]
fn deselecting_and_refining_change_the_rules_and_the_report_says_so() {
    let profile = parse(&tailored(
        "[[deselect]]\nrule = \"HYG-PATCH-AGE\"\nreason = \"old models\"\n\
         [[refine]]\nrule = \"HYG-CLEARTEXT\"\nreason = \"by contract\"\nstatus = \"contractual\"",
    ));
    let base = profile::load("audit/hygiene").unwrap();
    assert_eq!(profile.rules.len(), base.rules.len(), "one rule out, one of its own");
    let refined = profile.rules.iter().find(|rule| rule.id == "HYG-CLEARTEXT").unwrap();
    assert_eq!(refined.status, Status::Contractual);
    assert_eq!((profile.extends.len(), profile.extends[0].sha256.as_str()), (1, base.sha256.as_str()));
    let device = with(image(), [app("com.example.app")]);
    let assessment = assess(&profile, &device, &on(date(2026, 6, 1))).unwrap();
    assert!(assessment.findings.iter().all(|finding| finding.rule != "HYG-PATCH-AGE"));
    let changes: Vec<_> = assessment
        .tailoring
        .iter()
        .map(|change| (change.rule.as_str(), change.change, change.reason.as_str()))
        .collect();
    assert_eq!(
        changes,
        [("HYG-PATCH-AGE", Tailoring::Deselected, "old models"), ("HYG-CLEARTEXT", Tailoring::Refined, "by contract")]
    );
    assert_eq!(assessment.profile.extends, profile.extends);
}

#[test]
fn a_tailoring_that_deselects_everything_is_an_error_as_it_would_else_exit_0() {
    // OpenSCAP/openscap#614: every rule not selected, exit code 0.
    let base = profile::load("audit/hygiene").unwrap();
    let mut text = "schema = 1\nid = \"t\"\nversion = \"1\"\ntitle = \"T\"\nextends = \"audit/hygiene\"\n".to_owned();
    for rule in &base.rules {
        text.push_str(&format!("[[deselect]]\nrule = \"{}\"\nreason = \"none\"\n", rule.id));
    }
    let error = Profile::parse("t.toml", &text).unwrap_err();
    assert_eq!(error.message(), "no rule is left to judge by, all are deselected or off: expected one at least");
}

#[test]
fn a_rule_that_is_off_is_judged_only_where_a_tailoring_selects_it() {
    let folder = tempfile::tempdir().unwrap();
    let off = "[[rule]]\nid = \"T-2\"\ntitle = \"Off\"\ncheck = \"required-package\"\nselected = false\n\
               settings = { any-of = [\"com.other\"] }\n";
    fs::write(folder.path().join("base.toml"), format!("{}{off}", minimal())).unwrap();
    let path = folder.path().join("top.toml");
    let top = "schema = 1\nid = \"top\"\nversion = \"1\"\ntitle = \"T\"\nextends = [\"base.toml\"]\n";
    fs::write(&path, top).unwrap();
    let load = || profile::load(path.to_str().unwrap());
    assert_eq!(load().unwrap().rules.len(), 1);
    fs::write(&path, format!("{top}[[select]]\nrule = \"T-2\"\nreason = \"asked for\"\n")).unwrap();
    assert_eq!(load().unwrap().rules.len(), 2);
    // A file that extends itself, under whatever spelling.
    fs::write(folder.path().join("base.toml"), top.replace("base.toml", "./top.toml")).unwrap();
    let error = load().unwrap_err().to_string();
    assert!(error.contains("extends this profile in turn"), "{error}");
    fs::remove_file(folder.path().join("base.toml")).unwrap();
    assert!(load().unwrap_err().to_string().contains("neither built in nor a file beside this one"));
}

#[test]
fn a_market_that_was_named_decides_and_a_vendors_region_only_where_it_is_the_same() {
    let profile = parse(&minimal().replace("status = \"policy\"", "status = \"policy\"\nmarkets = [\"RU\"]"));
    let mut device = with(image(), [app("com.example.app")]);
    let judge = |device: &_, market: Option<&str>| {
        let context = Context { market: market.map(str::to_owned), ..on(date(2026, 6, 1)) };
        let assessment = assess(&profile, device, &context).unwrap();
        let finding = of_rule(&assessment, "T-1");
        (finding.verdict, finding.reason, assessment.overall)
    };
    assert_eq!(judge(&device, Some("RU")), (Verdict::Pass, None, Overall::Compliant));
    let other = (Verdict::NotApplicable, Some(Reason::OtherMarket), Overall::Inconclusive);
    assert_eq!(judge(&device, Some("KZ")), other, "nothing was judged");
    let open = (Verdict::Inconclusive, Some(Reason::UnknownFact), Overall::Inconclusive);
    assert_eq!(judge(&device, None), open);
    device.device.region = known(Some("SER".to_owned()));
    assert_eq!(judge(&device, None), open);
    device.device.region = known(Some("ru".to_owned()));
    assert_eq!(judge(&device, None).0, Verdict::Pass);
}

#[test]
fn a_rule_for_some_api_levels_is_not_asked_of_others() {
    let profile =
        parse(&minimal().replace("status = \"policy\"", "status = \"policy\"\nsdk = { from = 30, until = 34 }"));
    let mut device = with(image(), [app("com.example.app")]);
    let mut judge = |sdk| {
        device.device.sdk = sdk;
        let finding = assess(&profile, &device, &on(date(2026, 6, 1))).unwrap();
        let finding = of_rule(&finding, "T-1");
        (finding.verdict, finding.reason)
    };
    assert_eq!(judge(known(34)), (Verdict::Pass, None));
    for outside in [29, 35] {
        assert_eq!(judge(known(outside)), (Verdict::NotApplicable, Some(Reason::OtherSdk)));
    }
    assert_eq!(judge(unknown()), (Verdict::Inconclusive, Some(Reason::UnknownFact)));
}

#[test]
fn a_rule_that_matches_nothing_is_never_a_pass() {
    let text = minimal().replace(
        "check = \"required-package\"\nsettings = { any-of = [\"com.example.app\"] }",
        "check = \"not-privileged\"\nsettings = { select = { packages = [\"com.nobody\"] } }",
    );
    let assessment = assess(&parse(&text), &with(image(), [app("com.a")]), &on(date(2026, 6, 1))).unwrap();
    let finding = of_rule(&assessment, "T-1");
    assert_eq!((finding.verdict, finding.reason), (Verdict::NotApplicable, Some(Reason::NothingMatched)));
    assert_eq!(assessment.overall, Overall::Inconclusive);
}

#[test]
fn an_example_that_comes_out_otherwise_is_shown_at_its_place() {
    let text = minimal().replace(
        "check = \"required-package\"",
        "check = \"required-package\"\nexamples = [{ verdict = \"pass\" }, { verdict = \"fail\", reason = \"absent\" }]",
    );
    let results = try_examples(&parse(&text), &|path| Err(path.to_owned())).unwrap();
    assert_eq!(results.len(), 2);
    let failure = results[0].failure.as_ref().unwrap();
    assert_eq!((failure.line(), failure.column()), (Some(14), Some(13)));
    assert!(failure.message().starts_with("T-1: came to fail (absent), expected pass: "), "{failure}");
    assert_eq!(results[1].failure, None);
    let text = text.replace("absent", "absentee");
    assert!(try_examples(&parse(&text), &|path| Err(path.to_owned())).is_err());
}

#[test]
fn remarks_name_what_is_missing() {
    let codes = |text: &str| {
        let lints = lint(&parse(text)).unwrap_or_else(|error| panic!("{error}"));
        lints.iter().map(|lint| lint.code).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let all = ["no-address", "no-description", "no-example", "no-remedy", "no-russian"];
    assert_eq!(codes(&minimal()), all);
    let mandatory = minimal().replace("\"policy\"", "\"mandatory\"");
    assert!(codes(&mandatory).contains(&"no-dates"));
    let twin = minimal().split_once("[[rule]]").unwrap().1.replace("T-1", "T-2");
    assert!(codes(&format!("{}[[rule]]{twin}", minimal())).contains(&"overlap"));
    let dead = minimal().replace(
        "id = \"T-1\"",
        "id = \"T-1\"\nmade-from = 2024-01-01\neffective = [{ basis = \"made\", until = 2023-12-31 }]",
    );
    assert!(codes(&dead).contains(&"vacuous"));
    let twin = twin.replace(
        "id = \"T-2\"",
        "id = \"T-2\"\nsuperseded-by = \"T-1\"\neffective = [{ basis = \"as-of\", from = 2024-01-01 }]",
    );
    assert!(codes(&format!("{}[[rule]]{twin}", minimal())).contains(&"superseded"));
}

#[test]
fn differences_are_told_in_words() {
    let old = parse(&minimal());
    assert_eq!(differences(&old, &old), Vec::<String>::new());
    let text = minimal()
        .replace("version = \"1\"", "version = \"2\"")
        .replace("[\"com.example.app\"]", "[\"com.example.other\"]")
        .replace("id = \"T-1\"", "id = \"T-1\"\neffective = [{ basis = \"sold\", from = 2026-09-01 }]");
    let added = "[[rule]]\nid = \"T-3\"\ntitle = \"New\"\ncheck = \"build-for-sale\"\n\
                 effective = [{ basis = \"as-of\", from = 2026-09-01 }]\n";
    let new = parse(&format!("{text}{added}"));
    assert_eq!(
        differences(&old, &new),
        [
            "version: 1 is now 2",
            "T-1 settings: { any-of = [\"com.example.app\"] } is now { any-of = [\"com.example.other\"] }",
            "T-1 effective: always is now sold from 2026-09-01",
            "T-3 added, effective as-of from 2026-09-01: New",
        ]
    );
}
