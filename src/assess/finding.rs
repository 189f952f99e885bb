//! The result of an assessment, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Presence, Reason, Verdict};
use crate::inventory::{DeviceKind, Gap, OsFlavour};
use crate::profile::{Base, TailoredRule, Text};

/// One inventory judged under one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The profile that was applied.
    pub profile: ProfileRef,
    /// What was assumed about device and day.
    pub context: Context,
    /// The whole verdict.
    pub overall: Overall,
    /// Findings by verdict.
    pub counts: Counts,
    /// Every rule of the profile at least once: worst verdict first, then by rule id and subject.
    pub findings: Vec<Finding>,
    /// The gaps behind which packages may be hidden, and a phone's answers that were refused, cut or never came. While
    /// there is one of the first, absence is not proven; while there is one of the second, nothing is called compliant.
    pub coverage_gaps: Vec<Gap>,
    /// What the profile changes of rules that it has from others, rules that are out for that reason among it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tailoring: Vec<TailoredRule>,
    /// The older report whose failures are known, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRef>,
}

impl Assessment {
    /// Whether a finding is a failure that counts against the device: not waived, and not known from a baseline that
    /// excuses what it has.
    #[must_use]
    pub fn is_open_failure(&self, finding: &Finding) -> bool {
        let only_new = self.baseline.as_ref().is_some_and(|baseline| baseline.only_new);
        let known = only_new && finding.baseline == Some(Baseline::Known);
        finding.verdict == Verdict::Fail && finding.waiver.is_none() && !known
    }
}

/// An older report that this one is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineRef {
    /// The report's file name.
    pub file: String,
    /// SHA-256 of it, lower-case hex.
    pub sha256: String,
    /// The day that it judged on.
    pub as_of: String,
    /// Whether failures that it has already no longer make the device not compliant.
    pub only_new: bool,
}

/// Which profile, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRef {
    /// The profile's id, `ru/smartphone`.
    pub id: String,
    /// Its version, `2026.1`.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// SHA-256 of its TOML text, lower-case hex.
    pub sha256: String,
    /// Profiles that it extends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extends: Vec<Base>,
    /// Who signed it; absent for a profile whose signature was not asked for or that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ProfileSignature>,
}

/// The signature of a profile's file that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSignature {
    /// The key's id, 16 hex digits, as minisign prints it.
    pub key_id: String,
    /// The key: 32 bytes of Ed25519, lower-case hex.
    pub public_key: String,
    /// What the signer wrote beside it; covered by the signature.
    pub trusted_comment: String,
}

/// What an assessment assumed. Dates are `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The day judged on.
    pub as_of: String,
    /// The day on which the device was made, if given.
    pub made: Option<String>,
    /// The day on which it is or was sold, if given.
    pub sold: Option<String>,
    /// Which date was chosen to govern where readings of the law differ, if somebody chose: `made` or `sold`.
    pub governing: Option<String>,
    /// Kind of device, given or observed.
    pub kind: Option<DeviceKind>,
    /// Operating system, given or observed.
    pub os_flavour: Option<OsFlavour>,
    /// Market that the device is for, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// What counts as an app's presence.
    pub presence: Presence,
}

/// The verdict on the whole device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// A rule failed.
    NotCompliant,
    /// No rule failed, but a mandatory one could not be settled, or nothing was judged.
    Inconclusive,
    /// Something was judged, and nothing failed or stayed open.
    Compliant,
}

impl Overall {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCompliant => "not_compliant",
            Self::Inconclusive => "inconclusive",
            Self::Compliant => "compliant",
        }
    }
}

/// How many findings have each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the verdict of its name")]
pub struct Counts {
    pub fail: u32,
    pub inconclusive: u32,
    pub error: u32,
    pub not_checked: u32,
    pub pass: u32,
    pub informational: u32,
    pub not_applicable: u32,
    /// Failures, counted in `fail` too, that a waiver covers.
    #[serde(default)]
    pub waived: u32,
    /// Failures, counted in `fail` too, that a baseline has already.
    #[serde(default)]
    pub known: u32,
}

/// One rule's answer about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule's id, never reused.
    pub rule: String,
    /// The rule's title.
    pub title: Text,
    /// The check kind that answered.
    pub check: String,
    /// `mandatory`, `contractual`, `policy` or `advisory`.
    pub status: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say.
    pub reason: Option<Reason>,
    /// What it is about: a package name, mostly.
    pub subject: Option<String>,
    /// What the rule wants.
    pub expected: String,
    /// What was found.
    pub observed: String,
    /// What the observation rests on.
    pub evidence: Vec<FindingEvidence>,
    /// The day that decided whether the rule is in force; `null` for a rule without dates.
    pub governing: Option<Governing>,
    /// Where the rule comes from.
    pub legal: Legal,
    /// What to do about it; `null` where nothing is to be done.
    pub remedy: Option<Text>,
    /// Caveats that a reader must know to weigh the verdict.
    pub notes: Vec<String>,
    /// The waiver that covers this failure. The verdict stays `fail`; it no longer makes the device not compliant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverRef>,
    /// Who answered what only a person can see. The verdict is that person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<AttestationRef>,
    /// Whether a failure is new since the report that was given as a baseline; absent without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The same words in Russian; absent in reports of programs that did not write them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub russian: Option<Box<Wording>>,
}

/// What a finding says, in another language than English. Names, paths, codes and what a device says are as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// [`Finding::expected`].
    pub expected: String,
    /// [`Finding::observed`].
    pub observed: String,
    /// [`FindingEvidence::says`] of each piece, in the order of [`Finding::evidence`].
    pub evidence: Vec<String>,
    /// [`Finding::notes`], in their order.
    pub notes: Vec<String>,
    /// [`Legal::instrument`].
    pub instrument: String,
    /// [`Legal::article`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// [`Legal::confidence_note`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_note: Option<String>,
}

/// The waiver that covers a failure. Dates are `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverRef {
    /// Its id in the file of waivers.
    pub id: String,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it.
    pub approved_by: String,
    /// Last day on which it counts, in UTC.
    pub expires: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// SHA-256 of a document that supports it, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
}

/// A person's answer to a question that no machine can settle. Dates are `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestationRef {
    /// Who looked.
    pub operator: String,
    /// When, in UTC.
    pub on: String,
    /// Last day on which the answer counts, in UTC.
    pub expires: String,
    /// What they saw, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// SHA-256 of a photo, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_sha256: Option<String>,
}

/// A failure beside those of an older report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The older report has it not.
    New,
    /// The older report has it too.
    Known,
}

/// A piece of evidence, resolved: readable without the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingEvidence {
    /// The command or file.
    pub source: String,
    /// The place within it.
    pub at: Option<String>,
    /// What stands there.
    pub says: String,
}

/// The day that decided whether a rule is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Governing {
    /// Which date governed: `made`, `sold`, `as-of`, or `disputed` where several were possible and disagreed.
    pub basis: String,
    /// The day, where one governed.
    pub date: Option<String>,
    /// First day of the rule's window.
    pub from: Option<String>,
    /// Last day of the rule's window.
    pub until: Option<String>,
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    /// The instrument: law, decree, order, contract.
    pub instrument: String,
    /// The place in it, where known.
    pub article: Option<String>,
    /// Addresses of the sources that were read, in order.
    pub sources: Vec<String>,
    /// `A`: read in a source. `B`: inferred, the step is in `confidence_note`.
    pub confidence: String,
    /// How a B was inferred, or what an A does not cover.
    pub confidence_note: Option<String>,
}
