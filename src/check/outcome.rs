//! An answer with its proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::{Evidence, Fact, Gap, Inventory};

/// What a rule came to. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The device does not do what the rule says.
    Fail,
    /// More evidence is needed; see the reason.
    Inconclusive,
    /// A fault of this tool.
    Error,
    /// Only a person can see it.
    NotChecked,
    /// The device does what the rule says.
    Pass,
    /// A fact worth knowing that the rule does not judge.
    Informational,
    /// The rule does not concern this device or day.
    NotApplicable,
}

impl Verdict {
    /// All of them, worst first.
    pub const ALL: [Self; 7] = [
        Self::Fail,
        Self::Inconclusive,
        Self::Error,
        Self::NotChecked,
        Self::Pass,
        Self::Informational,
        Self::NotApplicable,
    ];

    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::NotChecked => "not_checked",
            Self::Pass => "pass",
            Self::Informational => "informational",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// Why a verdict is what it is, where the verdict alone does not say. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The package is not on the device.
    Absent,
    /// The right id without the app behind it: no code, no launcher activity, not the pinned signer.
    LookAlike,
    /// A placeholder stands where the full app is required.
    Stub,
    /// The package is there and must not be.
    Present,
    /// The package is installed, but disabled, hidden or uninstalled for a user.
    NotEnabled,
    /// More permissions than the ceiling allows.
    AboveCeiling,
    /// Lawful methods of presence exist that can't be seen, and they were allowed for.
    MethodNotObservable,
    /// Installed, but not as part of the firmware: who installed it is not known.
    ProvenanceUnclear,
    /// The governing dates disagree and none was chosen.
    GoverningDate,
    /// A partition, a user or a list could not be read, so that absence is not proven.
    IncompleteEvidence,
    /// A fact that the rule needs is unknown.
    UnknownFact,
    /// The rule's dates do not cover the day.
    OutOfDate,
    /// The rule is for other kinds of device.
    OtherDeviceKind,
    /// The rule is for other operating systems.
    OtherOsFlavour,
}

impl Reason {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::LookAlike => "look-alike",
            Self::Stub => "stub",
            Self::Present => "present",
            Self::NotEnabled => "not-enabled",
            Self::AboveCeiling => "above-ceiling",
            Self::MethodNotObservable => "method-not-observable",
            Self::ProvenanceUnclear => "provenance-unclear",
            Self::GoverningDate => "governing-date",
            Self::IncompleteEvidence => "incomplete-evidence",
            Self::UnknownFact => "unknown-fact",
            Self::OutOfDate => "out-of-date",
            Self::OtherDeviceKind => "other-device-kind",
            Self::OtherOsFlavour => "other-os-flavour",
        }
    }
}

/// A check's answer about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it came to.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say.
    pub reason: Option<Reason>,
    /// What it is about: a package name, mostly.
    pub subject: Option<String>,
    /// What the rule wants, in words.
    pub expected: String,
    /// What was found, in words.
    pub observed: String,
    /// What the observation rests on. Empty only where nothing was read.
    pub proof: Vec<Proof>,
    /// Caveats that a reader must know to weigh the verdict.
    pub notes: Vec<String>,
}

/// One piece of evidence, with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Where it was read.
    pub evidence: Evidence,
    /// What stands there, in words: `versionCode is 6392`.
    pub says: String,
}

/// Gaps that a finding names one by one; the assessment lists all of them.
const NAMED_GAPS: usize = 8;

impl Outcome {
    /// An answer without proof and notes.
    pub(super) fn new(verdict: Verdict, reason: impl Into<Option<Reason>>, expected: &str, observed: String) -> Self {
        Self {
            verdict,
            reason: reason.into(),
            subject: None,
            expected: expected.to_owned(),
            observed,
            proof: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same answer about a package.
    pub(super) fn about(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// The answer about something that is not in the list of packages while the list is not complete, or `None` where
    /// it is complete.
    pub(super) fn unproven_absence(inventory: &Inventory, expected: &str, what: &str) -> Option<Self> {
        let gaps: Vec<&Gap> = inventory.gaps_hiding_packages().collect();
        if gaps.is_empty() {
            return None;
        }
        let observed = format!("{what} not found, and {} may hide it", plural(gaps.len(), "gap", "gaps"));
        let mut outcome = Self::new(Verdict::Inconclusive, Reason::IncompleteEvidence, expected, observed);
        outcome.proof = Proof::of_list(inventory);
        outcome.notes = gaps.iter().take(NAMED_GAPS).map(|gap| describe(gap)).collect();
        if let Some(more) = gaps.len().checked_sub(NAMED_GAPS).filter(|more| *more > 0) {
            outcome.notes.push(format!("and {}", plural(more, "more gap", "more gaps")));
        }
        Some(outcome)
    }
}

impl Proof {
    /// What stands at a place.
    pub(super) fn new(evidence: &Evidence, says: impl Into<String>) -> Self {
        Self { evidence: evidence.clone(), says: says.into() }
    }

    /// The list of packages itself, by its length: what an absence rests on. Empty where there is no list.
    pub(super) fn of_list(inventory: &Inventory) -> Vec<Self> {
        match &inventory.packages {
            Fact::Known { value, evidence } => {
                vec![Self::new(evidence, format!("lists {}", plural(value.len(), "package", "packages")))]
            }
            Fact::Unknown(_) => Vec::new(),
        }
    }
}

/// A gap in one line.
pub(super) fn describe(gap: &Gap) -> String {
    format!("not read: {} ({}: {})", gap.place, gap.reason.as_str(), gap.detail)
}

/// A number with its noun.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
