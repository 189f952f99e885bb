//! Profiles: what they select on which day, what their errors say, and what verdicts come of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests, which Clippy takes for production code in a test crate"
)]

#[path = "support/inventory.rs"]
mod sample;

#[path = "profiles/dates.rs"]
mod dates;
#[path = "profiles/faults.rs"]
mod faults;
#[path = "profiles/kinds.rs"]
mod kinds;
#[path = "profiles/overlays.rs"]
mod overlays;
#[path = "profiles/shipped.rs"]
mod shipped;
#[path = "profiles/tailoring.rs"]
mod tailoring;
#[path = "profiles/trees.rs"]
mod trees;

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use preloaded::assess::{AssessError, Assessment, Finding, Overall, Prepared, assess};
use preloaded::check::{self, Context, Presence, Reason, Verdict};
use preloaded::inventory::{DeviceKind, Inventory, OsFlavour};
use preloaded::profile::{self, Basis, Profile};
use sample::{app, hollow, image, phone, phone_app, unknown, with, with_hidden_partition};

/// The list of 2021 as far as its ids are known.
const LIST_2021: [&str; 12] = [
    "com.kms.free",
    "com.ncloudtech.cloudoffice",
    "com.vkontakte.android",
    "com.yandex.browser",
    "com.yandex.searchapp",
    "ru.mail.mailapp",
    "ru.mail.search.electroscope",
    "ru.nspk.mirpay",
    "ru.ok.android",
    "ru.rostel",
    "ru.yandex.disk",
    "ru.yandex.yandexmaps",
];
const ADDED_2023: [&str; 3] = ["ru.dublgis.dgismobile", "ru.litres.android", "ru.vk.store"];
const ADDED_2024: [&str; 4] = ["com.vk.im", "ru.crptech.mark", "ru.rutube.app", "ru.zen.android"];

fn russia() -> Profile {
    profile::load("ru/smartphone").unwrap_or_else(|error| panic!("{error}"))
}

fn judge(inventory: &Inventory, context: &Context) -> Assessment {
    assess(&russia(), inventory, context).unwrap_or_else(|error| panic!("{error}"))
}

/// Ids that are required of an empty device: those whose absence fails, or would if the rule applied.
fn required(flavour: OsFlavour, context: Context) -> BTreeSet<String> {
    let context = Context { os_flavour: Some(flavour), ..context };
    let assessment = match assess(&russia(), &image(), &context) {
        Ok(assessment) => assessment,
        Err(AssessError::NothingToJudge { .. }) => return BTreeSet::new(),
        Err(error) => panic!("{error}"),
    };
    let ids = assessment.findings.iter().filter(|finding| finding.reason == Some(Reason::Absent));
    // Of several ids the first in the finding's text stands for the app.
    ids.map(|finding| finding.observed.split([',', ' ']).next().unwrap().to_owned()).collect()
}

fn set<'a>(lists: impl IntoIterator<Item = &'a [&'a str]>) -> BTreeSet<String> {
    lists.into_iter().flatten().map(|id| (*id).to_owned()).collect()
}

fn on(day: Date) -> Context {
    Context::on(day)
}

fn of_rule<'a>(assessment: &'a Assessment, rule: &str) -> &'a Finding {
    assessment.findings.iter().find(|finding| finding.rule == rule).expect("every rule has a finding")
}

#[test]
fn each_change_of_the_lists_selects_exactly_its_apps_on_the_day_and_the_day_before() {
    let list_2023 = || set([&LIST_2021[..], &ADDED_2023]);
    let list_2024 = || set([&LIST_2021[..], &ADDED_2023, &ADDED_2024]);
    let list_max: BTreeSet<String> =
        list_2024().into_iter().map(|id| if id == "com.vk.im" { "ru.oneme.app".to_owned() } else { id }).collect();
    assert_eq!((list_2024().len(), list_max.len()), (19, 19), "the lists of 2024 and later have 19 entries");
    for (day, expected) in [
        (date(2021, 3, 31), set([])),
        (date(2021, 4, 1), set([&LIST_2021[..]])),
        (date(2022, 12, 31), set([&LIST_2021[..]])),
        (date(2023, 1, 1), list_2023()),
        (date(2023, 8, 29), list_2023()),
        (date(2023, 8, 30), list_2023()),
        (date(2023, 12, 31), list_2023()),
        (date(2024, 1, 1), list_2024()),
        (date(2025, 8, 31), list_2024()),
        (date(2025, 9, 1), list_max.clone()),
        (date(2025, 12, 31), list_max.clone()),
        (date(2026, 1, 1), list_max.clone()),
        (date(2026, 11, 23), list_max.clone()),
    ] {
        assert_eq!(required(OsFlavour::Android, on(day)), expected, "as of {day}");
        let made = Context { made: Some(day), governing: Some(Basis::Made), ..on(date(2026, 6, 1)) };
        assert_eq!(required(OsFlavour::Android, made), expected, "made on {day}");
    }
}

#[test]
fn the_day_of_sale_moves_only_the_change_whose_date_is_disputed() {
    let sold = |day| Context {
        made: Some(date(2025, 6, 1)),
        sold: Some(day),
        governing: Some(Basis::Sold),
        ..on(date(2026, 6, 1))
    };
    let before = required(OsFlavour::Android, sold(date(2025, 8, 31)));
    let after = required(OsFlavour::Android, sold(date(2025, 9, 1)));
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), ["com.vk.im"]);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), ["ru.oneme.app"]);
    // A device that was made before the duty began is outside it, whenever it is sold.
    let old = Context { made: Some(date(2021, 3, 31)), ..sold(date(2026, 1, 1)) };
    assert_eq!(required(OsFlavour::Android, old), set([]));
}

#[test]
fn rustore_and_harmonyos_have_their_own_days() {
    let has = |flavour, day, id: &str| required(flavour, on(day)).contains(id);
    assert!(!has(OsFlavour::HyperOs, date(2025, 8, 31), "ru.vk.store"));
    assert!(has(OsFlavour::HyperOs, date(2025, 9, 1), "ru.vk.store"));
    let harmony = |day| required(OsFlavour::HarmonyOs, on(day));
    assert_eq!(harmony(date(2022, 12, 31)), set([]));
    assert_eq!(harmony(date(2023, 1, 1)), set([&["ru.vk.store"][..]]));
    assert_eq!(harmony(date(2025, 12, 31)), set([&["ru.vk.store"][..]]));
    let four = ["com.vkontakte.android", "ru.mail.mailapp", "ru.vk.store", "ru.zen.android"];
    assert_eq!(harmony(date(2026, 1, 1)), set([&four[..]]));
    let excused = |day| {
        let context = Context { presence: Presence::AnyMethod, ..on(day) };
        judge(&image(), &context).findings.into_iter().any(|finding| {
            finding.observed.starts_with("ru.vk.store") && finding.reason == Some(Reason::MethodNotObservable)
        })
    };
    assert!(excused(date(2023, 8, 29)) && !excused(date(2023, 8, 30)), "full installation since 2023-08-30");
}

#[test]
fn without_other_dates_the_day_judged_on_governs_and_the_finding_says_so() {
    let assessment = judge(&image(), &on(date(2026, 6, 1)));
    assert_eq!(assessment.overall, Overall::NotCompliant);
    let max = of_rule(&assessment, "RU-MAX");
    assert_eq!((max.verdict, max.reason), (Verdict::Fail, Some(Reason::Absent)));
    let governing = max.governing.as_ref().unwrap();
    assert_eq!((governing.basis.as_str(), governing.date.as_deref()), ("as-of", Some("2026-06-01")));
    assert!(max.notes.contains(&"The day of making was not given: 2026-06-01 stands for it.".to_owned()));
    assert_eq!(max.evidence[0].source, "sample listing");
    assert!(max.legal.sources.iter().any(|source| source.contains("tass.ru")), "{:?}", max.legal.sources);
}

#[test]
fn readings_that_disagree_are_inconclusive_until_one_is_chosen() {
    let context = Context { made: Some(date(2025, 6, 1)), ..on(date(2026, 6, 1)) };
    let verdict = |governing| {
        let assessment = judge(&image(), &Context { governing, ..context.clone() });
        let max = of_rule(&assessment, "RU-MAX");
        (max.verdict, max.reason, max.governing.as_ref().unwrap().basis.clone())
    };
    assert_eq!(verdict(None), (Verdict::Inconclusive, Some(Reason::GoverningDate), "disputed".to_owned()));
    assert_eq!(verdict(Some(Basis::Made)), (Verdict::NotApplicable, Some(Reason::OutOfDate), "made".to_owned()));
    assert_eq!(verdict(Some(Basis::Sold)), (Verdict::Fail, Some(Reason::Absent), "as-of".to_owned()));
    let assessment = judge(&image(), &context);
    let notes = &of_rule(&assessment, "RU-MAX").notes;
    for expected in [
        "If the rule applies: fail (absent).",
        "By the day of making, as the digital ministry reads it: not in force on 2025-06-01.",
        "By the day of sale, as Rospotrebnadzor reads it: in force on 2026-06-01.",
    ] {
        assert!(notes.iter().any(|note| note == expected), "{expected}: {notes:#?}");
    }
}

/// Every app of the list for 2026.
fn full_set(make: fn(&str) -> preloaded::inventory::Package) -> Vec<preloaded::inventory::Package> {
    required(OsFlavour::Android, on(date(2026, 6, 1))).iter().map(|id| make(id)).collect()
}

#[test]
fn the_full_set_complies_and_each_missing_or_empty_app_breaks_it() {
    let context = on(date(2026, 6, 1));
    for (device, make) in [(image(), app as fn(&str) -> _), (phone(), phone_app as fn(&str) -> _)] {
        let set = full_set(make);
        let assessment = judge(&with(device.clone(), set.clone()), &context);
        assert_eq!(assessment.overall, Overall::Compliant, "{:#?}", assessment.findings);
        // The list itself, RuStore's survival of a reset, no look-alikes.
        assert_eq!(assessment.counts.pass, 21);
        for index in 0..set.len() {
            let mut broken = set.clone();
            let removed = broken.remove(index);
            assert_eq!(judge(&with(device.clone(), broken.clone()), &context).overall, Overall::NotCompliant);
            broken.push(hollow(removed.clone()));
            let assessment = judge(&with(device.clone(), broken), &context);
            let fail: Vec<_> = assessment.findings.iter().filter(|f| f.verdict == Verdict::Fail).collect();
            assert_eq!(fail.len(), 1, "{fail:#?}");
            assert_eq!((fail[0].subject.as_ref(), fail[0].reason), (Some(&removed.name), Some(Reason::LookAlike)));
        }
    }
}

#[test]
fn an_unknown_kind_or_system_is_inconclusive_and_another_is_not_applicable() {
    let context = on(date(2026, 6, 1));
    let mut device = with(image(), full_set(app));
    device.device.kind = unknown();
    let assessment = judge(&device, &context);
    assert_eq!(assessment.overall, Overall::Inconclusive);
    assert_eq!(of_rule(&assessment, "RU-MAX").reason, Some(Reason::UnknownFact));
    let told = judge(&device, &Context { kind: Some(DeviceKind::Phone), ..context.clone() });
    assert_eq!(told.overall, Overall::Compliant);
    let tv = judge(&device, &Context { kind: Some(DeviceKind::Tv), ..context.clone() });
    assert_eq!(tv.overall, Overall::Inconclusive, "nothing was judged");
    assert_eq!(of_rule(&tv, "RU-MAX").reason, Some(Reason::OtherDeviceKind));

    let mut device = with(image(), full_set(app));
    device.device.os_flavour = unknown();
    assert_eq!(of_rule(&judge(&device, &context), "RU-MAX").reason, Some(Reason::UnknownFact));
    let harmony = judge(&device, &Context { os_flavour: Some(OsFlavour::HarmonyOs), ..context });
    assert_eq!(harmony.overall, Overall::Inconclusive, "a person has to look for the apps that no source names");
    assert_eq!(of_rule(&harmony, "RU-OTHERS-HARMONYOS").verdict, Verdict::NotChecked);
}

#[test]
fn caveats_lower_the_confidence_of_the_devices_and_days_that_they_are_about() {
    let confidence = |flavour, day, rule: &str| {
        let context = Context { os_flavour: Some(flavour), ..on(day) };
        of_rule(&judge(&image(), &context), rule).legal.confidence.clone()
    };
    let day = date(2026, 6, 1);
    assert_eq!(confidence(OsFlavour::Android, day, "RU-MAX"), "A");
    assert_eq!(confidence(OsFlavour::HyperOs, day, "RU-MAX"), "B");
    assert_eq!(confidence(OsFlavour::HyperOs, day, "RU-RUSTORE-HYPEROS"), "A");
    assert_eq!(confidence(OsFlavour::Android, date(2025, 12, 31), "RU-MARUSYA"), "A");
    assert_eq!(confidence(OsFlavour::Android, date(2026, 1, 1), "RU-MARUSYA"), "B");
    assert_eq!(confidence(OsFlavour::Android, date(2027, 1, 1), "RU-MAX"), "B");
}

#[test]
fn nothing_absent_is_proven_while_packages_may_be_hidden() {
    let forbidding = Profile::parse(
        "forbid.toml",
        &minimal().replace("required-package", "forbidden-package").replace("any-of", "packages"),
    )
    .unwrap();
    let mut unlisted = phone();
    unlisted.packages = unknown();
    let partial = with_hidden_partition(with(image(), [app("com.yandex.browser"), hollow(app("ru.oneme.app"))]));
    for device in [unlisted, with_hidden_partition(phone()), partial] {
        for presence in [Presence::Installed, Presence::AnyMethod] {
            for day in [date(2021, 4, 1), date(2023, 1, 1), date(2024, 1, 1), date(2025, 9, 1), date(2026, 11, 23)] {
                let context = Context { presence, ..on(day) };
                let assessment = judge(&device, &context);
                assert!(assessment.findings.iter().all(|finding| finding.reason != Some(Reason::Absent)));
                assert_ne!(assessment.overall, Overall::Compliant);
                assert_eq!(assessment.coverage_gaps.len(), 1);
                let forbidden = assess(&forbidding, &device, &context).unwrap();
                assert!(forbidden.findings.iter().all(|finding| finding.verdict == Verdict::Inconclusive));
            }
        }
    }
}

#[test]
fn findings_are_sorted_worst_first_and_every_rule_has_one() {
    let profile = russia();
    let assessment = judge(&with(image(), full_set(app).into_iter().skip(3)), &on(date(2026, 6, 1)));
    let keys: Vec<_> = assessment.findings.iter().map(|f| (f.verdict, f.rule.clone(), f.subject.clone())).collect();
    assert!(keys.is_sorted(), "{keys:#?}");
    let ids: BTreeSet<_> = assessment.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(ids, profile.rules.iter().map(|rule| rule.id.as_str()).collect());
    let text = serde_json::to_string(&assessment).unwrap();
    assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), assessment);
}

#[test]
fn a_profile_is_made_ready_once_for_any_number_of_devices() {
    let (profile, context) = (russia(), on(date(2026, 6, 1)));
    let prepared = Prepared::new(&profile, &context).unwrap();
    assert_eq!(prepared.packages(), check::packages(&profile).unwrap());
    let devices = [image(), with(phone(), full_set(phone_app)), with_hidden_partition(image())];
    std::thread::scope(|scope| {
        for device in &devices {
            let prepared = &prepared;
            scope.spawn(move || assert_eq!(prepared.assess(device), judge(device, &on(date(2026, 6, 1)))));
        }
    });
}

#[test]
fn a_profile_without_a_rule_in_force_judges_nothing() {
    let error = assess(&russia(), &image(), &on(date(2019, 1, 1))).unwrap_err();
    let count = russia().rules.len();
    let message = format!("no rule of profile ru/smartphone is in force on 2019-01-01 ({count} out of date)");
    assert_eq!(error.to_string(), message);
    let made = Context { made: Some(date(2020, 5, 5)), ..on(date(2026, 6, 1)) };
    assert_eq!(
        assess(&russia(), &image(), &made).unwrap_err().to_string(),
        format!(
            "no rule of profile ru/smartphone is in force on 2026-06-01 for a device made on 2020-05-05 \
             ({count} out of date)"
        )
    );
}

#[test]
fn an_advisory_failure_is_listed_and_fails_no_device() {
    let advisory = "[[rule]]\nid = \"T-2\"\ntitle = \"T\"\ncheck = \"required-package\"\nstatus = \"advisory\"\n\
                    settings = { any-of = [\"com.nice\"] }\n";
    let text = format!("{}{advisory}", minimal());
    let profile = Profile::parse("p.toml", &text).unwrap();
    let overall = |device| assess(&profile, &device, &on(date(2026, 6, 1))).unwrap();
    let assessment = overall(with(image(), [app("com.example.app")]));
    assert_eq!((assessment.overall, assessment.counts.fail), (Overall::Compliant, 1));
    assert_eq!(overall(with(image(), [app("com.nice")])).overall, Overall::NotCompliant);
}

#[test]
fn every_built_in_profile_loads_by_its_own_name_and_is_complete() {
    assert!(!profile::builtin().is_empty());
    for builtin in profile::builtin() {
        let profile = profile::load(builtin.name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.id, builtin.name);
        check::configure(&profile).unwrap_or_else(|error| panic!("{error}"));
        check::packages(&profile).unwrap_or_else(|error| panic!("{error}"));
        for rule in &profile.rules {
            assert!(rule.title.ru.is_some(), "{}: a title in Russian", rule.id);
            assert!(rule.remedy.as_ref().is_some_and(|remedy| remedy.ru.is_some()), "{}: a remedy", rule.id);
        }
    }
    let ids = check::packages(&russia()).unwrap();
    for unconfirmed in ["com.icq.mobile.client", "ru.mail.mailnews", "ru.ok.live"] {
        assert!(!ids.iter().any(|id| id == unconfirmed), "{unconfirmed} is general knowledge only");
    }
}

#[test]
fn an_unknown_profile_is_told_the_nearest_name() {
    let shown = |name: &str| profile::load(name).unwrap_err().to_string();
    assert_eq!(
        shown("ru/smartfone"),
        "ru/smartfone: no such profile: neither built in nor a file\n  = did you mean `ru/smartphone`?"
    );
    assert!(shown("nowhere").contains("\n  = built in: "), "{}", shown("nowhere"));
    assert!(shown("missing.toml").starts_with("missing.toml: can't be read: "));
}

#[test]
fn a_profile_of_a_file_is_the_same_as_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, minimal()).unwrap();
    let loaded = profile::load(path.to_str().unwrap()).unwrap();
    assert_eq!(loaded.id, "shop/minimum");
    assert_eq!(loaded.sha256, Profile::parse("x", &minimal()).unwrap().sha256);
    std::fs::write(&path, b"schema = 1\n\xff").unwrap();
    assert!(profile::load(path.to_str().unwrap()).unwrap_err().to_string().ends_with(": not UTF-8 from byte 11"));
}

/// A profile of one rule, without fault.
fn minimal() -> String {
    r#"schema = 1
id = "shop/minimum"
version = "1"
title = "Minimum"
[sources]
H1 = "house rules"
[defaults]
status = "policy"
legal = { instrument = "House rules", sources = ["H1"], confidence = "A" }
[[rule]]
id = "T-1"
title = "The app is there"
check = "required-package"
settings = { any-of = ["com.example.app"] }
"#
    .to_owned()
}

#[test]
fn a_rule_id_that_stands_twice_is_an_error_of_the_second() {
    let text = minimal();
    let again = text.split_once("[[rule]]").unwrap().1;
    let error = Profile::parse("p.toml", &format!("{text}[[rule]]{again}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "p.toml:16:6: the rule id `T-1` stands twice\n   |\n16 | id = \"T-1\"\n   |      ^^^^^"
    );
}

#[test]
fn a_profile_without_rules_is_an_error() {
    let text = minimal();
    let head = text.split_once("[[rule]]").unwrap().0;
    let message = "p.toml: the profile has no rules, expected at least one [[rule]]";
    assert_eq!(Profile::parse("p.toml", head).unwrap_err().to_string(), message);
    assert!(
        Profile::parse("p.toml", "").unwrap_err().to_string().starts_with("p.toml:1:1: the profile lacks `schema`")
    );
}

#[test]
fn a_profile_that_ends_early_is_an_error_or_a_smaller_profile_and_never_a_panic() {
    let text = profile::builtin().iter().find(|builtin| builtin.name == "ru/smartphone").unwrap().text;
    let whole = russia().rules.len();
    for end in (0..text.len()).step_by(41).filter(|end| text.is_char_boundary(*end)) {
        match Profile::parse("cut.toml", &text[..end]) {
            Ok(profile) => assert!((1..=whole).contains(&profile.rules.len())),
            Err(error) => assert!(error.to_string().starts_with("cut.toml:"), "{error}"),
        }
    }
}
