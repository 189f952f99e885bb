//! The examples of a profile, asked: each rule alone, of each of its small devices.

use jiff::civil::{Date, date};

use super::{AssessError, finding_order, judge, scope};
use crate::check::{self, Context, Presence, Reason, Verdict};
use crate::inventory::Inventory;
use crate::profile::{Example, Profile, ProfileError, Rule, Specimen};

/// What an example came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// The rule.
    pub rule: String,
    /// Which of its examples, from 1.
    pub number: usize,
    /// The verdict expected.
    pub expected: Verdict,
    /// Every answer that the rule gave, worst first; at least one.
    pub found: Vec<(Verdict, Option<Reason>)>,
    /// The error of an example that came out otherwise, with its place.
    pub failure: Option<ProfileError>,
}

/// Asks every example of every rule, of those that are off too. `beside` gives the inventory of a path beside the profile.
///
/// # Errors
/// What [`check::configure`] refuses, an example whose verdict or reason is none, one whose file can't be read.
pub fn try_examples(
    profile: &Profile,
    beside: &dyn Fn(&str) -> Result<Inventory, String>,
) -> Result<Vec<ExampleResult>, AssessError> {
    let mut results = Vec::new();
    for rule in profile.rules.iter().chain(&profile.off) {
        let check = check::one(profile, rule)?;
        for (index, example) in rule.examples.iter().enumerate() {
            let wrong = |message: String| profile.example_error(rule, example, message);
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == example.verdict);
            let Some(verdict) = verdict else {
                return Err(wrong(format!("`{}` is no verdict", example.verdict)).into());
            };
            let reason = match example.reason.as_deref() {
                None => None,
                Some(code) => match Reason::named(code) {
                    Some(reason) => Some(reason),
                    None => return Err(wrong(format!("`{code}` is no reason")).into()),
                },
            };
            let saved;
            let inventory = match &example.specimen {
                Specimen::Inline(inventory) => inventory.as_ref(),
                Specimen::Beside(path) => {
                    saved = beside(path).map_err(|why| wrong(format!("`{path}` can't be read: {why}")))?;
                    &saved
                }
            };
            let context = context(rule, example);
            let timing = scope::timing(rule, &context);
            let mut findings = judge(rule, check.as_ref(), &timing, inventory, &context);
            findings.sort_by(finding_order);
            let failure = findings.first().and_then(|worst| {
                let fits = worst.verdict == verdict && reason.is_none_or(|reason| worst.reason == Some(reason));
                let came = worst.reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()));
                let wanted = reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()));
                (!fits).then(|| {
                    wrong(format!(
                        "{}: came to {}{came}, expected {}{wanted}: {}",
                        rule.id,
                        worst.verdict.as_str(),
                        verdict.as_str(),
                        worst.observed
                    ))
                })
            });
            let found = findings.iter().map(|finding| (finding.verdict, finding.reason)).collect();
            results.push(ExampleResult { rule: rule.id.clone(), number: index + 1, expected: verdict, found, failure });
        }
    }
    Ok(results)
}

fn context(rule: &Rule, example: &Example) -> Context {
    let as_of = example.days.as_of.unwrap_or_else(|| usual_day(rule));
    Context {
        made: example.days.made,
        sold: example.days.sold,
        governing: example.governing,
        market: example.market.clone().or_else(|| rule.markets.as_ref().and_then(|list| list.first().cloned())),
        presence: if example.any_method { Presence::AnyMethod } else { Presence::Installed },
        ..Context::on(as_of)
    }
}

/// A day on which the rule is in force: its first, else its last, else 2026-01-01.
fn usual_day(rule: &Rule) -> Date {
    let days = |pick: fn(&crate::profile::Window) -> Option<Date>| rule.effective.iter().find_map(pick);
    days(|window| window.from).or_else(|| days(|window| window.until)).unwrap_or(date(2026, 1, 1))
}
