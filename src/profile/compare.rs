//! What differs between two profiles, in words.

use super::rule::{Rule, Window};
use super::{Profile, Text};

/// Differences of a profile from an older one, a line each: rules that came, went and changed, in the order of ids.
#[must_use]
pub fn differences(old: &Profile, new: &Profile) -> Vec<String> {
    let mut lines = Vec::new();
    let mut said = |what: &str, old: &str, new: &str| {
        if old != new {
            lines.push(format!("{what}: {old} is now {new}"));
        }
    };
    said("id", &old.id, &new.id);
    said("version", &old.version, &new.version);
    said("title", &old.title.en, &new.title.en);

    let mut ids: Vec<&str> = old.rules.iter().chain(&new.rules).map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let find = |profile: &'_ Profile| profile.rules.iter().position(|rule| rule.id == id);
        match (find(old).and_then(|at| old.rules.get(at)), find(new).and_then(|at| new.rules.get(at))) {
            (None, Some(rule)) => {
                lines.push(format!("{id} added{}: {}", effect(rule), rule.title.en));
            }
            (Some(rule), None) => {
                let why = new.changes.iter().find(|change| change.rule == id);
                let why =
                    why.map_or(String::new(), |change| format!(" ({}: {})", change.change.as_str(), change.reason));
                lines.push(format!("{id} removed{why}: {}", rule.title.en));
            }
            (Some(before), Some(after)) => {
                lines.extend(changes(old, before, new, after).into_iter().map(|words| format!("{id} {words}")));
            }
            (None, None) => {}
        }
    }
    lines
}

fn effect(rule: &Rule) -> String {
    if rule.effective.is_empty() { String::new() } else { format!(", effective {}", windows(&rule.effective)) }
}

fn windows(windows: &[Window]) -> String {
    let window = |window: &Window| {
        let from = window.from.map(|day| format!(" from {day}")).unwrap_or_default();
        let until = window.until.map(|day| format!(" until {day}")).unwrap_or_default();
        format!("{}{from}{until}", window.basis.as_str())
    };
    if windows.is_empty() {
        return "always".to_owned();
    }
    windows.iter().map(window).collect::<Vec<_>>().join(", ")
}

fn changes(old: &Profile, before: &Rule, new: &Profile, after: &Rule) -> Vec<String> {
    let mut lines = Vec::new();
    let mut said = |what: &str, before: String, after: String| {
        if before != after {
            lines.push(format!("{what}: {before} is now {after}"));
        }
    };
    let text = |text: Option<&Text>| text.map_or_else(|| "none".to_owned(), |text| text.en.clone());
    let names = |list: Option<Vec<&str>>| list.map_or_else(|| "all".to_owned(), |list| list.join(", "));
    said("title", before.title.en.clone(), after.title.en.clone());
    said("status", before.status.as_str().to_owned(), after.status.as_str().to_owned());
    said("check", before.check.clone(), after.check.clone());
    said("settings", old.settings(before).words(), new.settings(after).words());
    said("effective", windows(&before.effective), windows(&after.effective));
    let day = |rule: &Rule| rule.made_from.map_or_else(|| "any day".to_owned(), |day| day.to_string());
    said("made from", day(before), day(after));
    let kinds =
        |rule: &Rule| names(rule.device_kinds.as_ref().map(|list| list.iter().map(|kind| kind.as_str()).collect()));
    said("device kinds", kinds(before), kinds(after));
    let flavours = |rule: &Rule| {
        names(rule.os_flavours.as_ref().map(|list| list.iter().map(|flavour| flavour.as_str()).collect()))
    };
    said("operating systems", flavours(before), flavours(after));
    let markets = |rule: &Rule| names(rule.markets.as_ref().map(|list| list.iter().map(String::as_str).collect()));
    said("markets", markets(before), markets(after));
    let sdk = |rule: &Rule| rule.sdk.map_or_else(|| "all".to_owned(), |(from, until)| format!("{from} to {until}"));
    said("API levels", sdk(before), sdk(after));
    said("remedy", text(before.remedy.as_ref()), text(after.remedy.as_ref()));
    said("instrument", before.legal.instrument.en.clone(), after.legal.instrument.en.clone());
    said("article", text(before.legal.article.as_ref()), text(after.legal.article.as_ref()));
    let confidence = |rule: &Rule| rule.legal.confidence.as_str().to_owned();
    said("confidence", confidence(before), confidence(after));
    said("sources", before.legal.sources.join("; "), after.legal.sources.join("; "));
    let next = |rule: &Rule| rule.superseded_by.clone().unwrap_or_else(|| "none".to_owned());
    said("superseded by", next(before), next(after));
    lines
}
