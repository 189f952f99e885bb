//! A profile applied to an inventory: an [`Assessment`] of [`Finding`]s.
//!
//! The JSON form of both is part of the report's and as stable.
//!
//! A rule is asked in this order: is it in force, does it concern this device, what does its check find. A rule of which
//! the first two are not known is asked all the same, and its answer is given as a note of an inconclusive finding.
//!
//! The whole verdict: a failure of a rule that is not advisory makes a device not compliant. It is compliant if such a
//! rule passed and none failed or stayed open (of a profile of advisory rules alone: if any passed). A fault of the tool
//! leaves it inconclusive, whichever rule it befell, and so does an answer of a phone that was refused, cut or never
//! came, even where every rule found what it needed elsewhere.

mod example;
mod finding;
mod lint;
mod overlay;
mod scope;

use std::collections::BTreeSet;

use crate::check::words::words;
use crate::check::{self, Check, Outcome, Reason, Verdict, Words};
use crate::inventory::{Evidence, Gap, GapReason, Hides, Inventory, OsFlavour};
use crate::profile::{Caveat, Confidence, Profile, ProfileError, Rule, Status};
use scope::{Concern, Timing};

pub use crate::profile::Text;
pub use example::{ExampleResult, try_examples};
pub use finding::{
    Assessment, AttestationRef, Baseline, BaselineRef, Context, Counts, Finding, FindingEvidence, Governing, Legal,
    Overall, ProfileRef, ProfileSignature, WaiverRef, Wording,
};
pub use lint::{LINTS, Lint, lint};
pub use overlay::{KnownFailures, Notice, NoticeKind, Overlays};

/// Why a profile could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssessError {
    /// A rule's check kind or settings are wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The dates of every rule exclude the day: nothing can be judged, whatever the device.
    #[error("no rule of profile {profile} is in force {when} ({out_of_date} out of date)")]
    NothingToJudge {
        /// The profile's id.
        profile: String,
        /// The days that were assumed: `on 2019-01-01`.
        when: String,
        /// How many rules were out of date: all of them.
        out_of_date: usize,
    },
}

/// Judges an inventory under a profile.
///
/// # Errors
/// [`AssessError::Profile`] for settings that a check kind refuses, [`AssessError::NothingToJudge`] where no rule is in
/// force. An inventory of which nothing is known is no error: its findings are inconclusive.
pub fn assess(profile: &Profile, inventory: &Inventory, context: &check::Context) -> Result<Assessment, AssessError> {
    Ok(Prepared::new(profile, context)?.assess(inventory))
}

/// A profile made ready for one day: read once, asked of any number of inventories from any number of threads.
pub struct Prepared<'a> {
    profile: &'a Profile,
    context: &'a check::Context,
    /// Of each rule, in the profile's order, its check and whether the rule is in force.
    rules: Vec<(Box<dyn Check>, Timing)>,
}

impl<'a> Prepared<'a> {
    /// Configures every check. That it succeeds tells that the profile can be applied at all, before there is any
    /// inventory.
    ///
    /// # Errors
    /// As [`assess`].
    pub fn new(profile: &'a Profile, context: &'a check::Context) -> Result<Self, AssessError> {
        let checks = check::configure(profile)?;
        let timings: Vec<Timing> = profile.rules.iter().map(|rule| scope::timing(rule, context)).collect();
        if timings.iter().all(|timing| timing.in_force == Some(false)) {
            return Err(AssessError::NothingToJudge {
                profile: profile.id.clone(),
                when: when(context),
                out_of_date: timings.len(),
            });
        }
        Ok(Self { profile, context, rules: checks.into_iter().zip(timings).collect() })
    }

    /// Package names that the profile is about, sorted, so that a collector can be asked to look them up.
    #[must_use]
    pub fn packages(&self) -> Vec<String> {
        let names: BTreeSet<String> = self.rules.iter().flat_map(|(check, _)| check.packages()).collect();
        names.into_iter().collect()
    }

    /// Judges an inventory. One of which nothing is known gets findings that are inconclusive.
    #[must_use]
    pub fn assess(&self, inventory: &Inventory) -> Assessment {
        let Self { profile, context, rules } = self;
        let mut findings: Vec<Finding> = Vec::new();
        for (rule, (check, timing)) in profile.rules.iter().zip(rules) {
            findings.extend(judge(rule, check.as_ref(), timing, inventory, context));
        }
        let coverage_gaps: BTreeSet<_> =
            inventory.gaps_hiding_packages().chain(unanswered(inventory)).cloned().collect();
        let mut assessment = Assessment {
            profile: ProfileRef {
                id: profile.id.clone(),
                version: profile.version.clone(),
                title: profile.title.clone(),
                sha256: profile.sha256.clone(),
                extends: profile.extends.clone(),
                signature: None,
            },
            context: Context {
                as_of: context.as_of.to_string(),
                made: context.made.map(|day| day.to_string()),
                sold: context.sold.map(|day| day.to_string()),
                governing: context.governing.map(|basis| basis.as_str().to_owned()),
                kind: context.kind.or(inventory.device.kind.known().copied()),
                os_flavour: flavour(inventory, context),
                market: context.market.clone(),
                presence: context.presence,
            },
            overall: Overall::Inconclusive,
            counts: Counts::default(),
            findings,
            coverage_gaps: coverage_gaps.into_iter().collect(),
            tailoring: profile.changes.clone(),
            baseline: None,
        };
        conclude(&mut assessment, profile, inventory);
        assessment
    }
}

/// Puts findings in order, counts them and draws the whole verdict.
fn conclude(assessment: &mut Assessment, profile: &Profile, inventory: &Inventory) {
    assessment.findings.sort_by(finding_order);
    assessment.counts = counts(&assessment.findings);
    assessment.overall = overall(profile, assessment, inventory);
}

/// Worst first, then by rule, subject and what was found.
fn finding_order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    (a.verdict, &a.rule, &a.subject, &a.observed).cmp(&(b.verdict, &b.rule, &b.subject, &b.observed))
}

/// The findings of one rule, at least one.
fn judge(
    rule: &Rule,
    check: &dyn Check,
    timing: &Timing,
    inventory: &Inventory,
    context: &check::Context,
) -> Vec<Finding> {
    let excluded = |reason, observed: Words| Outcome {
        verdict: Verdict::NotApplicable,
        reason: Some(reason),
        subject: None,
        expected: Words::from(&rule.title),
        observed,
        proof: Vec::new(),
        notes: Vec::new(),
    };
    let concern = scope::concern(rule, inventory, context);
    let outcomes = match (timing.in_force, concern) {
        (Some(false), _) => {
            let observed = words!("the rule is not in force", "правило не действует");
            vec![excluded(Reason::OutOfDate, observed)]
        }
        (_, Concern::No(reason, words)) => vec![excluded(reason, words)],
        (_, Concern::Unknown(words)) => suspend(check.evaluate(inventory, context), Reason::UnknownFact, &words),
        (None, Concern::Yes) => {
            let words = words!(
                "whether the rule is in force depends on the date that governs",
                "действует ли правило, зависит от того, какая дата определяющая"
            );
            suspend(check.evaluate(inventory, context), Reason::GoverningDate, &words)
        }
        (Some(true), Concern::Yes) => check.evaluate(inventory, context),
    };
    let outcomes = if outcomes.is_empty() { vec![silent(rule)] } else { outcomes };
    outcomes.into_iter().map(|outcome| finding(rule, outcome, timing, inventory, context)).collect()
}

/// Answers that count only if the rule does: inconclusive, with what they would be in a note.
fn suspend(outcomes: Vec<Outcome>, reason: Reason, words: &Words) -> Vec<Outcome> {
    let judged = |verdict| !matches!(verdict, Verdict::NotApplicable | Verdict::Informational | Verdict::Error);
    outcomes
        .into_iter()
        .map(|mut outcome| {
            if judged(outcome.verdict) {
                let why = outcome.reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()));
                let verdict = outcome.verdict.words();
                let note = words!(
                    "If the rule applies: {verdict}{why}.",
                    "Если правило применимо: {verdict}{why}.",
                    verdict,
                    why
                );
                outcome.notes.insert(0, note);
                outcome.verdict = Verdict::Inconclusive;
                outcome.reason = Some(reason);
                outcome.observed =
                    words!("{words}; {observed}", "{words}; {observed}", words, observed = outcome.observed);
            }
            outcome
        })
        .collect()
}

/// A check that said nothing: a fault of this tool, and never to be taken for a pass.
fn silent(rule: &Rule) -> Outcome {
    Outcome {
        verdict: Verdict::Error,
        reason: None,
        subject: None,
        expected: Words::from(&rule.title),
        observed: words!("the check {name} gave no answer", "проверка {name} не дала ответа", name = rule.check),
        proof: Vec::new(),
        notes: Vec::new(),
    }
}

fn finding(rule: &Rule, outcome: Outcome, timing: &Timing, inventory: &Inventory, context: &check::Context) -> Finding {
    let mut notes = outcome.notes.clone();
    let mut confidence = rule.legal.confidence;
    if outcome.verdict != Verdict::NotApplicable {
        for caveat in rule.caveats.iter().filter(|caveat| concerns(caveat, timing, flavour(inventory, context))) {
            notes.push(Words::from(&caveat.text));
            confidence = confidence.max(caveat.confidence.unwrap_or(Confidence::A));
        }
    }
    notes.extend(timing.notes.iter().cloned());
    let russian = wording(rule, &outcome, &notes);
    let remedied = matches!(outcome.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::NotChecked);
    Finding {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        check: rule.check.clone(),
        status: rule.status.as_str().to_owned(),
        verdict: outcome.verdict,
        reason: outcome.reason,
        subject: outcome.subject,
        expected: outcome.expected.en,
        observed: outcome.observed.en,
        evidence: outcome.proof.into_iter().map(|proof| resolve(&proof.evidence, proof.says.en, inventory)).collect(),
        governing: timing.governing.clone(),
        legal: Legal {
            instrument: rule.legal.instrument.en.clone(),
            article: rule.legal.article.as_ref().map(|article| article.en.clone()),
            sources: rule.legal.sources.clone(),
            confidence: confidence.as_str().to_owned(),
            confidence_note: rule.legal.confidence_note.as_ref().map(|note| note.en.clone()),
        },
        remedy: rule.remedy.clone().filter(|_| remedied),
        notes: notes.into_iter().map(|note| note.en).collect(),
        waiver: None,
        attestation: None,
        baseline: None,
        russian: Some(Box::new(russian)),
    }
}

/// What a finding says, in Russian.
fn wording(rule: &Rule, outcome: &Outcome, notes: &[Words]) -> Wording {
    let own = |text: &Text| Words::from(text).ru;
    Wording {
        expected: outcome.expected.ru.clone(),
        observed: outcome.observed.ru.clone(),
        evidence: outcome.proof.iter().map(|proof| proof.says.ru.clone()).collect(),
        notes: notes.iter().map(|note| note.ru.clone()).collect(),
        instrument: own(&rule.legal.instrument),
        article: rule.legal.article.as_ref().map(own),
        confidence_note: rule.legal.confidence_note.as_ref().map(own),
    }
}

/// Whether a caveat is about this device on one of the days that may govern. An unknown system is concerned by all.
fn concerns(caveat: &Caveat, timing: &Timing, flavour: Option<OsFlavour>) -> bool {
    let day = |day: &jiff::civil::Date| {
        caveat.from.is_none_or(|from| from <= *day) && caveat.until.is_none_or(|until| *day <= until)
    };
    let system = match (&caveat.os_flavours, flavour) {
        (Some(flavours), Some(flavour)) => flavours.contains(&flavour),
        _ => true,
    };
    system && timing.days.iter().any(day)
}

fn resolve(evidence: &Evidence, says: String, inventory: &Inventory) -> FindingEvidence {
    let source = inventory
        .origin(evidence)
        .map_or_else(|| format!("source {} (not in the inventory)", evidence.source.0), |origin| origin.name.clone());
    FindingEvidence { source, at: evidence.at.clone(), says }
}

/// Answers of a phone that were asked for and did not come whole. A command that the phone does not know, or that
/// failed by its own word, is none of them; nor is a refusal or an empty answer that hides neither packages nor users, since some phones
/// tell no shell the number of their start.
fn unanswered(inventory: &Inventory) -> impl Iterator<Item = &Gap> {
    let is_phone = inventory.target.kind.has_run();
    let cut = |gap: &&Gap| match gap.reason {
        GapReason::Truncated
        | GapReason::TimedOut
        | GapReason::TooLarge
        | GapReason::Disconnected
        | GapReason::Contradiction => true,
        GapReason::Refused | GapReason::Missing => gap.hides != Hides::Facts,
        GapReason::NotObserved | GapReason::Damaged | GapReason::Unsupported | GapReason::Failed => false,
    };
    inventory.gaps.iter().filter(move |_| is_phone).filter(cut)
}

fn overall(profile: &Profile, assessment: &Assessment, inventory: &Inventory) -> Overall {
    let findings = &assessment.findings;
    let binding = |status: &str| status != Status::Advisory.as_str();
    // A profile that only advises is judged by its advice; nothing in it can fail a device.
    let any_binding = profile.rules.iter().any(|rule| rule.status.is_binding());
    let counts = |finding: &&Finding| !any_binding || binding(&finding.status);
    let has = |verdict| findings.iter().filter(counts).any(|finding| finding.verdict == verdict);
    if findings.iter().any(|finding| assessment.is_open_failure(finding) && binding(&finding.status)) {
        return Overall::NotCompliant;
    }
    let open = has(Verdict::Inconclusive)
        || has(Verdict::NotChecked)
        || findings.iter().any(|finding| finding.verdict == Verdict::Error)
        || unanswered(inventory).next().is_some();
    if has(Verdict::Pass) && !open { Overall::Compliant } else { Overall::Inconclusive }
}

fn counts(findings: &[Finding]) -> Counts {
    let mut counts = Counts::default();
    for finding in findings {
        let count = match finding.verdict {
            Verdict::Fail => &mut counts.fail,
            Verdict::Inconclusive => &mut counts.inconclusive,
            Verdict::Error => &mut counts.error,
            Verdict::NotChecked => &mut counts.not_checked,
            Verdict::Pass => &mut counts.pass,
            Verdict::Informational => &mut counts.informational,
            Verdict::NotApplicable => &mut counts.not_applicable,
        };
        *count = count.saturating_add(1);
        if finding.verdict == Verdict::Fail {
            counts.waived = counts.waived.saturating_add(u32::from(finding.waiver.is_some()));
            counts.known = counts.known.saturating_add(u32::from(finding.baseline == Some(Baseline::Known)));
        }
    }
    counts
}

fn flavour(inventory: &Inventory, context: &check::Context) -> Option<OsFlavour> {
    context.os_flavour.or(inventory.device.os_flavour.known().copied())
}

/// The days that were assumed, for a message.
fn when(context: &check::Context) -> String {
    let given = [("made", context.made), ("sold", context.sold)];
    let given: Vec<String> = given.iter().filter_map(|(word, day)| day.map(|day| format!("{word} on {day}"))).collect();
    if given.is_empty() {
        format!("on {}", context.as_of)
    } else {
        format!("on {} for a device {}", context.as_of, given.join(" and "))
    }
}
