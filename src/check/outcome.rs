//! An answer with its proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::Evidence;

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
