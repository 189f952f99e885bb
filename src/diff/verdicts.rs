//! Verdicts that changed.

use std::collections::{BTreeMap, BTreeSet};

use super::EntryKind;
use super::comparer::{Comparer, Ledger};
use crate::assess::{Assessment, Finding, ProfileRef};

/// A profile in words.
pub(super) fn profile(profile: &ProfileRef) -> String {
    format!("{} {}, sha256 {}", profile.id, profile.version, profile.sha256)
}

pub(super) fn compare(a: &Assessment, b: &Assessment, ledger: &mut Ledger) {
    let mut with = Comparer::new(None, ledger);
    with.differ("profile", Some(profile(&a.profile)), Some(profile(&b.profile)));
    with.differ("judged-as-of", Some(a.context.as_of.clone()), Some(b.context.as_of.clone()));
    with.differ("verdict", Some(a.overall.as_str().to_owned()), Some(b.overall.as_str().to_owned()));
    let changes = with.changes;
    ledger.enter(EntryKind::Verdict, None, None, changes);

    let (a, b) = (by_rule(&a.findings), by_rule(&b.findings));
    let rules: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    for rule in rules {
        let (before, after) = (a.get(rule).cloned().unwrap_or_default(), b.get(rule).cloned().unwrap_or_default());
        let title = after.first().or(before.first()).map(|finding| finding.title.en.clone());
        let mut with = Comparer::new(Some(rule), ledger);
        match (before.as_slice(), after.as_slice()) {
            ([] | [_], [] | [_]) => with.differ("verdict", answers(&before).pop(), answers(&after).pop()),
            _ => with.sets("verdict", answers(&before), answers(&after)),
        }
        let changes = with.changes;
        ledger.enter(EntryKind::Verdict, Some(rule), title, changes);
    }
}

fn by_rule(findings: &[Finding]) -> BTreeMap<&str, Vec<&Finding>> {
    let mut by: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by.entry(&finding.rule).or_default().push(finding);
    }
    by
}

/// Verdicts with reason, subject and waiver.
fn answers(findings: &[&Finding]) -> Vec<String> {
    let answer = |finding: &&Finding| {
        let reason = finding.reason.map(|reason| format!(" [{}]", reason.as_str())).unwrap_or_default();
        let waived = finding.waiver.as_ref().map(|waiver| format!(", waived by {}", waiver.id)).unwrap_or_default();
        let subject = finding.subject.as_ref().map(|subject| format!(" of {subject}")).unwrap_or_default();
        format!("{}{reason}{subject}{waived}", finding.verdict.as_str())
    };
    findings.iter().map(answer).collect()
}
