//! The trees of two real devices under every shipped profile: how many findings of each verdict there are, and a digest
//! of which ones. A change of either is looked at line by line before it is taken over:
//! `cargo test --test profiles trees -- --nocapture` prints what is found now, and with `PRELOADED_FINDINGS` set to a folder
//! writes every finding there.

use std::fs;
use std::path::Path;

use jiff::civil::date;
use preloaded::assess::{Assessment, assess};
use preloaded::bytes::Limits;
use preloaded::check::{Context, Verdict};
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::Inventory;
use preloaded::profile;

fn tree(device: &str) -> Option<Inventory> {
    let tree = Path::new("../shared/data/firmware").join(device).join("tree");
    if !tree.is_dir() {
        println!("NOT RUN: {} is not there", tree.display());
        return None;
    }
    Some(FirmwareSource::new(&tree, Limits::default()).collect(&Request::default(), &Silent).unwrap())
}

/// A finding in one line: what stands there and where.
fn lines(assessment: &Assessment) -> String {
    let mut text = String::new();
    for finding in &assessment.findings {
        let reason = finding.reason.map_or("-", |reason| reason.as_str());
        let subject = finding.subject.as_deref().unwrap_or("-");
        text.push_str(&format!("{} {reason} {} {subject}\n", finding.verdict.as_str(), finding.rule));
    }
    text
}

fn summary(device: &str, inventory: &Inventory) -> String {
    let mut text = String::new();
    for builtin in profile::builtin() {
        let profile = profile::load(builtin.name).unwrap();
        // The one ended rule is asked on a day on which it was in force.
        let day = if builtin.name == "in/sanchar-saathi" { date(2025, 12, 1) } else { date(2026, 6, 1) };
        let assessment = assess(&profile, inventory, &Context::on(day)).unwrap_or_else(|error| panic!("{error}"));
        if let Ok(folder) = std::env::var("PRELOADED_FINDINGS") {
            let file = Path::new(&folder).join(format!("{device}-{}.json", builtin.name.replace('/', "-")));
            fs::write(file, serde_json::to_string_pretty(&assessment).unwrap()).unwrap();
        }
        for finding in assessment.findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
            assert!(!finding.evidence.is_empty(), "{finding:#?}");
            for evidence in &finding.evidence {
                assert!(!evidence.source.contains("not in the inventory") && !evidence.says.is_empty(), "{finding:#?}");
            }
        }
        let counts = &assessment.counts;
        let digest = profile::sha256(lines(&assessment).as_bytes());
        text.push_str(&format!(
            "{}: {}, {} fail, {} inconclusive, {} not checked, {} pass, {} not applicable, {}\n",
            builtin.name,
            assessment.overall.as_str(),
            counts.fail,
            counts.inconclusive,
            counts.not_checked,
            counts.pass,
            counts.not_applicable,
            &digest[..16],
        ));
    }
    text
}

#[test]
fn the_tablet_is_judged_as_before() {
    let Some(inventory) = tree("lenovo-x606x") else { return };
    let found = summary("lenovo-x606x", &inventory);
    assert!(found == include_str!("../snapshots/findings-lenovo-x606x.txt"), "now:\n{found}");
}

#[test]
fn the_phone_is_judged_as_before() {
    let Some(inventory) = tree("samsung-a02") else { return };
    let found = summary("samsung-a02", &inventory);
    assert!(found == include_str!("../snapshots/findings-samsung-a02.txt"), "now:\n{found}");
}
