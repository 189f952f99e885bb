//! What a profile lacks though it can be used.

use std::collections::BTreeMap;

use crate::check::{self, Shape};
use crate::profile::{Example, Profile, ProfileError, Rule, Status, Text, Window};

/// One remark about a profile, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Which remark. Public: never renamed.
    pub code: &'static str,
    /// The remark at its place.
    pub at: ProfileError,
}

/// Every code, with what it means.
pub const LINTS: &[(&str, &str)] = &[
    ("no-russian", "a text that people read has no Russian form"),
    ("no-address", "a source has no address: neither a web page nor a file of a repository"),
    ("no-dates", "a duty without a day from which it holds"),
    ("no-remedy", "what to do about a breach is not said"),
    ("no-example", "a rule without an example that passes and one that fails (a manual one: that is not checked)"),
    ("vacuous", "a rule that no device can ever fail or pass"),
    ("overlap", "two rules ask the same of the same devices on the same days"),
    ("superseded", "a rule was superseded and has no last day, or a tailoring changes one that was"),
    ("no-description", "what the profile covers, and what not, is not said"),
];

/// Remarks about a profile, in the order of its rules.
///
/// # Errors
/// As [`check::configure`].
pub fn lint(profile: &Profile) -> Result<Vec<Lint>, ProfileError> {
    check::configure(profile)?;
    let mut lints = Vec::new();
    match &profile.description {
        None => lints
            .push(Lint { code: "no-description", at: ProfileError::whole(profile.file(), "`description` is missing") }),
        Some(text) if text.ru.is_none() => lints.push(Lint {
            code: "no-russian",
            at: ProfileError::whole(profile.file(), "`description` has no Russian form"),
        }),
        Some(_) => {}
    }
    if profile.title.ru.is_none() {
        let at = ProfileError::whole(profile.file(), "`title` has no Russian form");
        lints.push(Lint { code: "no-russian", at });
    }
    let mut twins: BTreeMap<(String, String), Vec<&Rule>> = BTreeMap::new();
    for rule in profile.rules.iter().chain(&profile.off) {
        // Rules of other profiles are looked at where they stand.
        if profile.owns(rule) {
            rule_lints(profile, rule, &mut lints)?;
        }
        let twin = (rule.check.clone(), profile.settings(rule).words());
        let others = twins.entry(twin).or_default();
        if let Some(other) = others.iter().find(|other| profile.owns(rule) && overlap(other, rule)) {
            let message = format!("{} asks what {} asks, of the same devices on the same days", rule.id, other.id);
            lints.push(Lint { code: "overlap", at: profile.error(rule, message) });
        }
        others.push(rule);
    }
    for change in &profile.changes {
        let rule = profile.rules.iter().chain(&profile.off).find(|rule| rule.id == change.rule);
        if let Some((rule, next)) = rule.and_then(|rule| Some((rule, rule.superseded_by.as_ref()?))) {
            let message = format!("{} is {}, and was superseded by {next}", rule.id, change.change.as_str());
            lints.push(Lint { code: "superseded", at: profile.error(rule, message) });
        }
    }
    Ok(lints)
}

fn rule_lints(profile: &Profile, rule: &Rule, lints: &mut Vec<Lint>) -> Result<(), ProfileError> {
    let mut add = |code, message: String| lints.push(Lint { code, at: profile.error(rule, message) });
    for (what, text) in texts(rule) {
        if text.ru.is_none() {
            add("no-russian", format!("{what} of {} has no Russian form", rule.id));
        }
    }
    if let Some(kind) = check::kind(&rule.check) {
        let settings = profile.settings(rule);
        for setting in kind.about().settings.iter().filter(|setting| setting.shape == Shape::Wording) {
            if settings.wording(setting.key)?.is_some_and(|text| text.ru.is_none()) {
                add("no-russian", format!("`{}` of {} has no Russian form", setting.key, rule.id));
            }
        }
    }
    for source in rule.legal.sources.iter().filter(|source| !has_address(source)) {
        add("no-address", format!("a source of {} has no address: {source:?}", rule.id));
    }
    let dated = !rule.effective.is_empty() || rule.made_from.is_some();
    if !dated && matches!(rule.status, Status::Mandatory | Status::Contractual) {
        add("no-dates", format!("{} is {}, and no day says from when", rule.id, rule.status.as_str()));
    }
    if rule.remedy.is_none() {
        add("no-remedy", format!("{} says no remedy", rule.id));
    }
    let has = |verdict: &str| rule.examples.iter().any(|example: &Example| example.verdict == verdict);
    let wanted: &[&str] = if rule.check == "manual" { &["not_checked"] } else { &["pass", "fail"] };
    for verdict in wanted.iter().filter(|verdict| !has(verdict)) {
        add("no-example", format!("{} has no example that comes to {verdict}", rule.id));
    }
    let dead = |window: &Window| match (window.until, rule.made_from) {
        (Some(until), Some(first)) => window.basis == crate::profile::Basis::Made && until < first,
        _ => false,
    };
    if !rule.effective.is_empty() && rule.effective.iter().all(dead) {
        add("vacuous", format!("{} ends before the first devices that it is about were made", rule.id));
    }
    if let Some(next) = &rule.superseded_by
        && rule.effective.iter().any(|window| window.until.is_none())
    {
        add("superseded", format!("{} was superseded by {next}, and has no last day", rule.id));
    }
    Ok(())
}

fn texts(rule: &Rule) -> Vec<(&'static str, &Text)> {
    let mut texts = vec![("`title`", &rule.title), ("`instrument`", &rule.legal.instrument)];
    texts.extend(rule.remedy.as_ref().map(|text| ("`remedy`", text)));
    texts.extend(rule.legal.article.as_ref().map(|text| ("`article`", text)));
    texts.extend(rule.legal.confidence_note.as_ref().map(|text| ("`confidence-note`", text)));
    texts.extend(rule.caveats.iter().map(|caveat| ("a caveat", &caveat.text)));
    texts.extend(rule.history.iter().map(|change| ("`history`", &change.text)));
    texts
}

/// A web address, a path of a repository, or a file that is said to be public.
fn has_address(source: &str) -> bool {
    let dotted = |word: &str| {
        word.split('/').next().is_some_and(|host| {
            host.rsplit_once('.').is_some_and(|(name, end)| {
                !name.is_empty() && end.len() >= 2 && end.chars().all(|c| c.is_ascii_alphabetic())
            })
        })
    };
    source.starts_with("public file") || source.contains("public files") || source.split([' ', ';', ',']).any(dotted)
}

/// Whether a device and a day exist that concern both rules.
fn overlap(one: &Rule, other: &Rule) -> bool {
    fn share<T: PartialEq>(one: Option<&Vec<T>>, other: Option<&Vec<T>>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => one.iter().any(|item| other.contains(item)),
            _ => true,
        }
    }
    let meet = |one: &Window, other: &Window| {
        let before = |one: &Window, other: &Window| one.until.zip(other.from).is_some_and(|(until, from)| until < from);
        one.basis == other.basis && !before(one, other) && !before(other, one)
    };
    let days = one.effective.is_empty()
        || other.effective.is_empty()
        || one.effective.iter().any(|window| other.effective.iter().any(|second| meet(window, second)));
    let sdk = match (one.sdk, other.sdk) {
        (Some(one), Some(other)) => one.0 <= other.1 && other.0 <= one.1,
        _ => true,
    };
    days && sdk
        && share(one.device_kinds.as_ref(), other.device_kinds.as_ref())
        && share(one.os_flavours.as_ref(), other.os_flavours.as_ref())
        && share(one.markets.as_ref(), other.markets.as_ref())
}
