//! What is laid over findings: waivers, attestations, an older report. A verdict below stays visible.
//!
//! - A waiver covers a failure, and nothing else: not what is inconclusive, not an error. Expired, it covers nothing and
//!   says so.
//! - An attestation answers what only a person can see (`not_checked`), and nothing else.
//! - A baseline tells which failures are new.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assessment, AttestationRef, Baseline, BaselineRef, Finding, FindingEvidence, WaiverRef, conclude};
use crate::check::words::words;
use crate::check::{Reason, Verdict, Words};
use crate::inventory::{Inventory, Package};
use crate::profile::{Answer, Attestation, Attestations, MAX_WAIVER_DAYS, Profile, Waiver, WaiverScope, Waivers};

/// What is laid over the findings of a run, and what came of it.
#[derive(Debug, Default)]
pub struct Overlays {
    waivers: Waivers,
    attestations: Attestations,
    baseline: Option<KnownFailures>,
    /// Places in `waivers` that covered a finding, or would have.
    used: BTreeSet<usize>,
    attested: BTreeSet<usize>,
    notices: BTreeSet<Notice>,
}

/// Something about waivers or attestations that somebody has to see to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// The waiver's id, or the rule of an attestation.
    pub subject: String,
    /// In words, with the file.
    pub text: String,
}

/// Kinds of [`Notice`]. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A waiver is past its last day: what it covered counts again.
    WaiverExpired,
    /// A waiver is not in force yet.
    WaiverEarly,
    /// A waiver covered nothing in this run.
    WaiverUnused,
    /// Two waivers cover the same failure.
    WaiverOverlap,
    /// A waiver is given for longer than half a year.
    WaiverLong,
    /// An attestation is past its last day.
    AttestationExpired,
    /// An attestation answered nothing in this run.
    AttestationUnused,
    /// An older report has nothing to compare a target with.
    BaselineMissing,
}

impl NoticeKind {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaiverExpired => "waiver-expired",
            Self::WaiverEarly => "waiver-early",
            Self::WaiverUnused => "waiver-unused",
            Self::WaiverOverlap => "waiver-overlap",
            Self::WaiverLong => "waiver-long",
            Self::AttestationExpired => "attestation-expired",
            Self::AttestationUnused => "attestation-unused",
            Self::BaselineMissing => "baseline-missing",
        }
    }
}

/// Failures of an older report.
#[derive(Debug, Clone)]
pub struct KnownFailures {
    /// Which report.
    pub report: BaselineRef,
    /// Rule and subject of each failure, by the target's name.
    pub targets: BTreeMap<String, BTreeSet<(String, Option<String>)>>,
}

impl KnownFailures {
    /// The failures of a target: those under its name, else those of the only target of the report.
    fn of(&self, target: &str) -> Option<&BTreeSet<(String, Option<String>)>> {
        match self.targets.get(target) {
            Some(found) => Some(found),
            None if self.targets.len() == 1 => self.targets.values().next(),
            None => None,
        }
    }
}

impl Overlays {
    /// Overlays for a run.
    #[must_use]
    pub fn new(waivers: Waivers, attestations: Attestations, baseline: Option<KnownFailures>) -> Self {
        Self { waivers, attestations, baseline, ..Self::default() }
    }

    /// Lays them over an assessment, which was made of that inventory under that profile on that day. `name` is the
    /// target's in reports, which need not show its own.
    pub fn apply(
        &mut self,
        assessment: &mut Assessment,
        profile: &Profile,
        inventory: &Inventory,
        name: &str,
        day: Date,
    ) {
        for finding in &mut assessment.findings {
            self.attest(finding, profile, inventory, day);
            self.waive(finding, profile, inventory, day);
        }
        if let Some(baseline) = &self.baseline {
            let known = baseline.of(name);
            if known.is_none() {
                let text = format!("{} has no report of {}: all failures are new", baseline.report.file, name);
                let subject = name.to_owned();
                self.notices.insert(Notice { kind: NoticeKind::BaselineMissing, subject, text });
            }
            for finding in assessment.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail) {
                let is_known =
                    known.is_some_and(|known| known.contains(&(finding.rule.clone(), finding.subject.clone())));
                finding.baseline = Some(if is_known { Baseline::Known } else { Baseline::New });
            }
            assessment.baseline = Some(baseline.report.clone());
        }
        conclude(assessment, profile, inventory);
    }

    /// What somebody has to see to, once every target was judged: sorted.
    #[must_use]
    pub fn notices(&self, day: Date) -> Vec<Notice> {
        let mut notices = self.notices.clone();
        let file = &self.waivers.file;
        for (index, waiver) in self.waivers.list.iter().enumerate() {
            let mut add = |kind, text: String| {
                let text = format!("{file}:{}: {text}", waiver.line);
                notices.insert(Notice { kind, subject: waiver.id.clone(), text });
            };
            let days = waiver.created.until(waiver.expires).map_or(i32::MAX, |span| span.get_days());
            if days > MAX_WAIVER_DAYS {
                add(NoticeKind::WaiverLong, format!("given for {days} days, at most {MAX_WAIVER_DAYS} are usual"));
            }
            if day > waiver.expires {
                add(NoticeKind::WaiverExpired, format!("expired on {}: what it covered counts again", waiver.expires));
            } else if day < waiver.created {
                add(NoticeKind::WaiverEarly, format!("in force from {} only", waiver.created));
            } else if !self.used.contains(&index) {
                add(NoticeKind::WaiverUnused, format!("covered no failure of {} in this run", waiver.rule));
            }
        }
        for (index, attestation) in self.attestations.list.iter().enumerate() {
            let expired = day > attestation.expires;
            if !expired && self.attested.contains(&index) {
                continue;
            }
            let file = &self.attestations.file;
            let (kind, text) = if expired {
                (NoticeKind::AttestationExpired, format!("{file}: expired on {}", attestation.expires))
            } else {
                (NoticeKind::AttestationUnused, format!("{file}: answered nothing in this run"))
            };
            notices.insert(Notice { kind, subject: attestation.rule.clone(), text });
        }
        notices.into_iter().collect()
    }

    fn waive(&mut self, finding: &mut Finding, profile: &Profile, inventory: &Inventory, day: Date) {
        let fitting: Vec<(usize, &Waiver)> = self
            .waivers
            .list
            .iter()
            .enumerate()
            .filter(|(_, waiver)| covers(waiver, finding, profile, inventory))
            .collect();
        if finding.verdict != Verdict::Fail {
            let open = matches!(finding.verdict, Verdict::Inconclusive | Verdict::Error | Verdict::NotChecked);
            for (_, waiver) in fitting.iter().filter(|_| open) {
                finding.note(words!(
                    "The waiver {id} covers failures only.",
                    "Исключение {id} относится только к нарушениям.",
                    id = waiver.id
                ));
            }
            return;
        }
        let mut covering: Option<&Waiver> = None;
        for (index, waiver) in fitting {
            if day > waiver.expires {
                finding.note(words!(
                    "The waiver {id} expired on {day}.",
                    "Срок исключения {id} истёк {day}.",
                    id = waiver.id,
                    day = waiver.expires
                ));
                continue;
            }
            if day < waiver.created {
                continue;
            }
            self.used.insert(index);
            match covering {
                None => covering = Some(waiver),
                Some(first) => {
                    let text =
                        format!("{}:{}: covers {} as {} does", self.waivers.file, waiver.line, waiver.rule, first.id);
                    let subject = waiver.id.clone();
                    self.notices.insert(Notice { kind: NoticeKind::WaiverOverlap, subject, text });
                }
            }
        }
        finding.waiver = covering.map(|waiver| WaiverRef {
            id: waiver.id.clone(),
            reason: waiver.reason.clone(),
            owner: waiver.owner.clone(),
            approved_by: waiver.approved_by.clone(),
            expires: waiver.expires.to_string(),
            ticket: waiver.ticket.clone(),
            evidence_sha256: waiver.evidence_sha256.clone(),
        });
    }

    fn attest(&mut self, finding: &mut Finding, profile: &Profile, inventory: &Inventory, day: Date) {
        if finding.verdict != Verdict::NotChecked {
            return;
        }
        let fitting: Vec<(usize, &Attestation)> = self
            .attestations
            .list
            .iter()
            .enumerate()
            .filter(|(_, attestation)| answers(attestation, finding, profile, inventory))
            .collect();
        let mut last: Option<&Attestation> = None;
        for (index, attestation) in fitting {
            if day > attestation.expires {
                let (operator, expires) = (&attestation.operator, attestation.expires);
                finding.note(words!(
                    "The answer of {operator} expired on {expires}.",
                    "Срок действия ответа ({operator}) истёк {expires}.",
                    operator,
                    expires
                ));
            } else if day >= attestation.on {
                self.attested.insert(index);
                last = Some(attestation);
            }
        }
        let Some(attestation) = last else { return };
        let note = attestation.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        (finding.verdict, finding.reason) = match attestation.answer {
            Answer::Met => (Verdict::Pass, None),
            Answer::NotMet => (Verdict::Fail, Some(Reason::AttestedBreach)),
        };
        if attestation.answer == Answer::Met {
            finding.remedy = None;
        }
        let answer = match attestation.answer {
            Answer::Met => words!("met", "выполнено"),
            Answer::NotMet => words!("not met", "не выполнено"),
        };
        let observed = words!(
            "{operator} looked on {day}: {answer}{note}",
            "{operator}, {day}: {answer}{note}",
            operator = attestation.operator,
            day = attestation.on,
            answer,
            note
        );
        let says = match &attestation.photo_sha256 {
            Some(digest) => words!(
                "{observed}, with a photo of SHA-256 {digest}",
                "{observed}; фотография, SHA-256 {digest}",
                observed,
                digest
            ),
            None => observed.clone(),
        };
        if let Some(russian) = &mut finding.russian {
            russian.observed = observed.ru;
            russian.evidence.push(says.ru);
        }
        finding.observed = observed.en;
        finding.evidence.push(FindingEvidence { source: self.attestations.file.clone(), at: None, says: says.en });
        finding.attestation = Some(AttestationRef {
            operator: attestation.operator.clone(),
            on: attestation.on.to_string(),
            expires: attestation.expires.to_string(),
            note: attestation.note.clone(),
            photo_sha256: attestation.photo_sha256.clone(),
        });
    }
}

impl Finding {
    /// Adds a caveat.
    fn note(&mut self, note: Words) {
        if let Some(russian) = &mut self.russian {
            russian.notes.push(note.ru);
        }
        self.notes.push(note.en);
    }
}

/// Whether a waiver is about this finding, leaving its days aside. What is not known fits nothing.
fn covers(waiver: &Waiver, finding: &Finding, profile: &Profile, inventory: &Inventory) -> bool {
    let WaiverScope { model, fingerprint, package, signer } = &waiver.scope;
    let device = &inventory.device;
    let fits = |pattern: &Option<String>, fact: Option<&String>| match (pattern, fact) {
        (None, _) => true,
        (Some(pattern), Some(value)) => WaiverScope::fits(pattern, value),
        (Some(_), None) => false,
    };
    let subject = finding.subject.as_deref();
    let signed = |digest: &String| {
        let signers = subject
            .and_then(|name| inventory.package(name))
            .and_then(Package::active)
            .and_then(|copy| copy.signers.known());
        signers.is_some_and(|list| list.iter().any(|signer| signer.sha256.as_ref() == Some(digest)))
    };
    waiver.rule == finding.rule
        && waiver.profile.as_ref().is_none_or(|id| is_of(id, profile))
        && fits(model, device.model.known())
        && fits(fingerprint, device.fingerprint.known())
        && package.as_ref().is_none_or(|package| subject == Some(package.as_str()))
        && signer.as_ref().is_none_or(signed)
}

fn answers(attestation: &Attestation, finding: &Finding, profile: &Profile, inventory: &Inventory) -> bool {
    let device = &inventory.device;
    let same = |wanted: &Option<String>, found: Option<&String>| wanted.is_none() || wanted.as_ref() == found;
    attestation.rule == finding.rule
        && is_of(&attestation.profile, profile)
        && same(&attestation.model, device.model.known())
        && same(&attestation.fingerprint, device.fingerprint.known())
        && same(&attestation.target, Some(&inventory.target.name))
}

/// Whether a profile is the one of that id, or has its rules from it.
fn is_of(id: &str, profile: &Profile) -> bool {
    profile.id == id || profile.extends.iter().any(|base| base.id == id)
}
