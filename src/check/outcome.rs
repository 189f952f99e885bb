//! An answer with its proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{GAPS, MORE_GAPS, PACKAGES, Say, Words, phrase, words};
use crate::inventory::{Evidence, Fact, Gap, Inventory, Package, UserState};

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
    /// Fewer of several packages than required.
    TooFew,
    /// The package is there, and no part of the firmware.
    NotPreinstalled,
    /// A version or API level is below or above its bounds.
    OutOfRange,
    /// No launcher shows it.
    NotVisible,
    /// Signed by somebody else than the rule names.
    WrongSigner,
    /// Signed by somebody whom the rule rules out.
    ForbiddenSigner,
    /// Signed with a key that anybody has.
    PublishedKey,
    /// It is in a privileged place.
    Privileged,
    /// Signed with the platform's key.
    PlatformSigned,
    /// It shares a user id with other packages.
    SharedUser,
    /// A permission that it must have is missing.
    BelowFloor,
    /// It has less than another app of its kind.
    NotAtPar,
    /// A component is open to every app.
    Exported,
    /// The system calls it where the rule says it must not.
    SystemHook,
    /// The manifest says what it must not say.
    ManifestFlag,
    /// It contains code of a named kit.
    ContainsCode,
    /// Its native code is not as it should be.
    NativeCode,
    /// It lies where Android loads nothing by itself.
    UnknownPlace,
    /// It adds apps after first start.
    InstallerAgent,
    /// The build is none for sale.
    BuildProperties,
    /// Older than allowed.
    TooOld,
    /// The user can't remove it.
    NotRemovable,
    /// It can be removed, and must not.
    Removable,
    /// It does not survive a factory reset.
    LostOnReset,
    /// More than one unremovable app for one function.
    SeveralUnremovable,
    /// Another app holds the role.
    OtherRoleHolder,
    /// It is shown worse than another app.
    WorsePlacement,
    /// An expression of the profile does not hold.
    ExpressionFalse,
    /// An expression of the profile has no value here.
    ExpressionError,
    /// A score is above its bound.
    ScoreAbove,
    /// A person looked and found a breach.
    AttestedBreach,
    /// No package is what the rule is about.
    NothingMatched,
    /// No copy has a version that the rule is about.
    OtherVersion,
    /// The rule is for other markets.
    OtherMarket,
    /// The rule is for other API levels.
    OtherSdk,
}

impl Verdict {
    /// The code, and what stands for it in a sentence in Russian.
    pub(crate) fn words(self) -> Words {
        let ru = match self {
            Self::Fail => "нарушение",
            Self::Inconclusive => "не определено",
            Self::Error => "ошибка программы",
            Self::NotChecked => "проверяет человек",
            Self::Pass => "выполнено",
            Self::Informational => "справочно",
            Self::NotApplicable => "неприменимо",
        };
        Words { en: self.as_str().to_owned(), ru: ru.to_owned() }
    }
}

impl Reason {
    /// All of them, in declaration order.
    pub const ALL: [Self; 49] = [
        Self::Absent,
        Self::LookAlike,
        Self::Stub,
        Self::Present,
        Self::NotEnabled,
        Self::AboveCeiling,
        Self::MethodNotObservable,
        Self::ProvenanceUnclear,
        Self::GoverningDate,
        Self::IncompleteEvidence,
        Self::UnknownFact,
        Self::OutOfDate,
        Self::OtherDeviceKind,
        Self::OtherOsFlavour,
        Self::TooFew,
        Self::NotPreinstalled,
        Self::OutOfRange,
        Self::NotVisible,
        Self::WrongSigner,
        Self::ForbiddenSigner,
        Self::PublishedKey,
        Self::Privileged,
        Self::PlatformSigned,
        Self::SharedUser,
        Self::BelowFloor,
        Self::NotAtPar,
        Self::Exported,
        Self::SystemHook,
        Self::ManifestFlag,
        Self::ContainsCode,
        Self::NativeCode,
        Self::UnknownPlace,
        Self::InstallerAgent,
        Self::BuildProperties,
        Self::TooOld,
        Self::NotRemovable,
        Self::Removable,
        Self::LostOnReset,
        Self::SeveralUnremovable,
        Self::OtherRoleHolder,
        Self::WorsePlacement,
        Self::ExpressionFalse,
        Self::ExpressionError,
        Self::ScoreAbove,
        Self::AttestedBreach,
        Self::NothingMatched,
        Self::OtherVersion,
        Self::OtherMarket,
        Self::OtherSdk,
    ];

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
            Self::TooFew => "too-few",
            Self::NotPreinstalled => "not-preinstalled",
            Self::OutOfRange => "out-of-range",
            Self::NotVisible => "not-visible",
            Self::WrongSigner => "wrong-signer",
            Self::ForbiddenSigner => "forbidden-signer",
            Self::PublishedKey => "published-key",
            Self::Privileged => "privileged",
            Self::PlatformSigned => "platform-signed",
            Self::SharedUser => "shared-user",
            Self::BelowFloor => "below-floor",
            Self::NotAtPar => "not-at-par",
            Self::Exported => "exported",
            Self::SystemHook => "system-hook",
            Self::ManifestFlag => "manifest-flag",
            Self::ContainsCode => "contains-code",
            Self::NativeCode => "native-code",
            Self::UnknownPlace => "unknown-place",
            Self::InstallerAgent => "installer-agent",
            Self::BuildProperties => "build-properties",
            Self::TooOld => "too-old",
            Self::NotRemovable => "not-removable",
            Self::Removable => "removable",
            Self::LostOnReset => "lost-on-reset",
            Self::SeveralUnremovable => "several-unremovable",
            Self::OtherRoleHolder => "other-role-holder",
            Self::WorsePlacement => "worse-placement",
            Self::ExpressionFalse => "expression-false",
            Self::ExpressionError => "expression-error",
            Self::ScoreAbove => "score-above",
            Self::AttestedBreach => "attested-breach",
            Self::NothingMatched => "nothing-matched",
            Self::OtherVersion => "other-version",
            Self::OtherMarket => "other-market",
            Self::OtherSdk => "other-sdk",
        }
    }

    /// The reason with that code.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
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
    /// What the rule wants.
    pub expected: Words,
    /// What was found.
    pub observed: Words,
    /// What the observation rests on. Empty only where nothing was read.
    pub proof: Vec<Proof>,
    /// Caveats that a reader must know to weigh the verdict.
    pub notes: Vec<Words>,
}

/// One piece of evidence, with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Where it was read.
    pub evidence: Evidence,
    /// What stands there: `versionCode is 6392`.
    pub says: Words,
}

/// Gaps that a finding names one by one; the assessment lists all of them.
const NAMED_GAPS: usize = 8;

impl Outcome {
    /// An answer without proof and notes.
    pub(super) fn new(
        verdict: Verdict,
        reason: impl Into<Option<Reason>>,
        expected: &Words,
        observed: impl Into<Words>,
    ) -> Self {
        Self {
            verdict,
            reason: reason.into(),
            subject: None,
            expected: expected.clone(),
            observed: observed.into(),
            proof: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same answer about a package.
    pub(super) fn about(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// The same answer with proof.
    pub(super) fn proven(mut self, proof: impl IntoIterator<Item = Proof>) -> Self {
        self.proof.extend(proof);
        self
    }

    /// The answer about something that is not in the list of packages while the list is not complete, or `None` where
    /// it is complete.
    pub(super) fn unproven_absence(inventory: &Inventory, expected: &Words, what: impl Say) -> Option<Self> {
        Self::incomplete(inventory, expected, |gaps| {
            words!(
                "{what} not found, and {gaps} may hide it",
                "не найдено: {what}; прочитано не всё ({gaps})",
                what,
                gaps
            )
        })
    }

    /// The answer about a list that is not complete, or `None` where it is. `observed` is told how many gaps there are, in
    /// words.
    pub(super) fn incomplete(
        inventory: &Inventory,
        expected: &Words,
        observed: impl FnOnce(&Words) -> Words,
    ) -> Option<Self> {
        let gaps: Vec<&Gap> = inventory.gaps_hiding_packages().collect();
        if gaps.is_empty() {
            return None;
        }
        let observed = observed(&GAPS.count(gaps.len()));
        let mut outcome = Self::new(Verdict::Inconclusive, Reason::IncompleteEvidence, expected, observed);
        outcome.proof = Proof::of_list(inventory);
        outcome.notes = gaps.iter().take(NAMED_GAPS).map(|gap| describe(gap)).collect();
        if let Some(more) = gaps.len().checked_sub(NAMED_GAPS).filter(|more| *more > 0) {
            let more = MORE_GAPS.count(more);
            outcome.notes.push(words!("and {more}", "и ещё {more}", more));
        }
        Some(outcome)
    }
}

impl Proof {
    /// What stands at a place.
    pub(super) fn new(evidence: &Evidence, says: impl Into<Words>) -> Self {
        Self { evidence: evidence.clone(), says: says.into() }
    }

    /// The list of packages itself, by its length: what an absence rests on. Empty where there is no list.
    pub(super) fn of_list(inventory: &Inventory) -> Vec<Self> {
        match &inventory.packages {
            Fact::Known { value, evidence } => {
                let packages = PACKAGES.count(value.len());
                vec![Self::new(evidence, words!("lists {packages}", "в списке {packages}", packages))]
            }
            Fact::Unknown(_) => Vec::new(),
        }
    }
}

/// A gap in one line.
pub(super) fn describe(gap: &Gap) -> Words {
    let (place, reason, detail) = (&gap.place, gap.reason.as_str(), &gap.detail);
    words!(
        "not read: {place} ({reason}: {detail})",
        "не прочитано: {place} ({reason}: {detail})",
        place,
        reason,
        detail
    )
}

/// A package with the place of the copy that runs.
pub(super) fn placed(package: &Package) -> Words {
    let path = package.active().map_or_else(
        || phrase("an unknown place", "неизвестное место").into(),
        |copy| Words::plain(copy.path.as_str()),
    );
    words!("{name} at {path}", "{name}: {path}", name = package.name, path)
}

/// What keeps a user from an app, in words.
pub(super) fn hindrances(state: &UserState) -> Words {
    let russian = |word: &str| match word {
        "not installed" => "не установлено",
        "hidden" => "скрыто",
        "suspended" => "приостановлено",
        "disabled" => "отключено",
        _ => "недоступно",
    };
    let each = state.hindrances().into_iter().map(|word| Words { en: word.to_owned(), ru: russian(word).to_owned() });
    Words::joined(each, ", ")
}

/// A range in words: `from 23`, `up to 34`, `from 23 to 34`.
pub(super) fn bounds((from, until): (u64, u64)) -> Words {
    match (from, until) {
        (from, u64::MAX) => words!("from {from}", "от {from}", from),
        (0, until) => words!("up to {until}", "до {until}", until),
        (from, until) => words!("from {from} to {until}", "от {from} до {until}", from, until),
    }
}
