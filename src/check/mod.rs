//! Kinds of question that a rule can ask of an inventory: one kind, one file.
//!
//! Checking is pure: no input or output, no clock. Whatever time or choice a rule depends on is in the [`Context`].
//!
//! - An unknown fact gives [`Verdict::Inconclusive`] with a [`Reason`], never a pass.
//! - A package that was not found is absent only if no gap hides packages
//!   ([`Inventory::gaps_hiding_packages`]).

mod allowlists_enforced;
mod build_for_sale;
mod contains_code;
mod default_role;
mod device_sdk;
mod enabled;
mod exported_components;
#[cfg(feature = "expression")]
mod expression;
mod forbidden_package;
mod genuine_app;
mod holding;
mod known_place;
mod launcher_place;
mod launcher_visible;
mod look_alike;
mod manifest_flags;
mod manual;
mod native_code;
mod no_installer_agents;
mod no_published_key;
mod no_shared_user;
mod not_platform_signed;
mod not_privileged;
mod not_removable;
mod one_unremovable;
mod outcome;
mod patch_age;
mod permission_ceiling;
mod permission_floor;
mod permission_parity;
mod pre_installed;
mod removable;
mod required_package;
mod required_set;
mod same_signer;
pub mod schema;
mod selector;
mod setting;
mod signer_in_set;
mod signer_not_in_set;
mod survives_reset;
mod sweep;
mod system_hooks;
mod target_sdk;
mod uraniborg_score;
mod version_range;
pub(crate) mod words;

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::{DeviceKind, Inventory, OsFlavour};
use crate::profile::{Basis, Profile, ProfileError, Rule, Settings};

pub use outcome::{Outcome, Proof, Reason, Verdict};
pub use setting::{About, EXAMPLE_HEAD, Row, Setting, Shape};
pub use words::{Say, Words};

/// Every check kind, by name.
pub static KINDS: &[&dyn CheckKind] = &[
    &allowlists_enforced::AllowlistsEnforcedKind,
    &build_for_sale::BuildForSaleKind,
    &contains_code::ContainsCodeKind,
    &default_role::DefaultRoleKind,
    &device_sdk::DeviceSdkKind,
    &enabled::EnabledKind,
    &exported_components::ExportedComponentsKind,
    #[cfg(feature = "expression")]
    &expression::ExpressionKind,
    &forbidden_package::ForbiddenPackageKind,
    &genuine_app::GenuineAppKind,
    &known_place::KnownPlaceKind,
    &launcher_place::LauncherPlaceKind,
    &launcher_visible::LauncherVisibleKind,
    &look_alike::LookAlikeKind,
    &manifest_flags::ManifestFlagsKind,
    &manual::ManualKind,
    &native_code::NativeCodeKind,
    &no_installer_agents::NoInstallerAgentsKind,
    &no_published_key::NoPublishedKeyKind,
    &no_shared_user::NoSharedUserKind,
    &not_platform_signed::NotPlatformSignedKind,
    &not_privileged::NotPrivilegedKind,
    &not_removable::NotRemovableKind,
    &one_unremovable::OneUnremovableKind,
    &patch_age::PatchAgeKind,
    &permission_ceiling::PermissionCeilingKind,
    &permission_floor::PermissionFloorKind,
    &permission_parity::PermissionParityKind,
    &pre_installed::PreInstalledKind,
    &removable::RemovableKind,
    &required_package::RequiredPackageKind,
    &required_set::RequiredSetKind,
    &same_signer::SameSignerKind,
    &signer_in_set::SignerInSetKind,
    &signer_not_in_set::SignerNotInSetKind,
    &survives_reset::SurvivesResetKind,
    &system_hooks::SystemHooksKind,
    &target_sdk::TargetSdkKind,
    &uraniborg_score::UraniborgScoreKind,
    &version_range::VersionRangeKind,
];

/// Kinds that a build may lack, with the cargo feature that has them.
const OPTIONAL: &[(&str, &str)] = &[("expression", "expression")];

/// How packages are selected, in Markdown: the part of the page that many kinds share.
#[must_use]
pub fn selector_page() -> String {
    let mut page = "## Selectors\n\nWhat `select` of many kinds may hold. Everything that is set must fit; a package of which a \
                    condition is unknown leaves the rule inconclusive.\n\n| key | what stands there | meaning |\n|---|---|---|\n"
        .to_owned();
    for setting in selector::SETTINGS {
        page.push_str(&format!("| `{}` | {} | {} |\n", setting.key, setting.shape.words(), setting.meaning));
    }
    page
}

/// The questions of a profile, one for each of its rules and in their order.
///
/// # Errors
/// A check kind that does not exist, or settings that it refuses, with the place in the profile.
pub fn configure(profile: &Profile) -> Result<Vec<Box<dyn Check>>, ProfileError> {
    profile.rules.iter().map(|rule| one(profile, rule)).collect()
}

/// The question of one rule, of those that are off too.
///
/// # Errors
/// As [`configure`].
pub fn one(profile: &Profile, rule: &Rule) -> Result<Box<dyn Check>, ProfileError> {
    let Some(kind) = kind(&rule.check) else {
        if let Some(message) = left_out(&rule.check) {
            return Err(profile.check_error(rule, message));
        }
        return Err(profile.unknown_check(rule, KINDS.iter().map(|kind| kind.name())));
    };
    let settings = profile.settings(rule);
    settings.only(&kind.about().keys())?;
    kind.configure(&settings)
}

/// Of a kind that this build lacks, what to say.
fn left_out(name: &str) -> Option<String> {
    let (_, feature) = OPTIONAL.iter().find(|(kind, _)| *kind == name)?;
    Some(format!("check kind `{name}` is not part of this build, expected one made with the cargo feature `{feature}`"))
}

/// The page of a check kind, in Markdown.
#[must_use]
pub fn page(kind: &dyn CheckKind) -> String {
    let more = kind.more();
    let gap = if more.is_empty() { "" } else { "\n" };
    format!("{}{gap}{more}", kind.about().page(kind.name()))
}

/// The check kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static dyn CheckKind> {
    KINDS.iter().find(|kind| kind.name() == name).copied()
}

/// Package names that a profile is about, sorted, so that a collector can be asked to look them up.
///
/// # Errors
/// As [`configure`].
pub fn packages(profile: &Profile) -> Result<Vec<String>, ProfileError> {
    let names: BTreeSet<String> = configure(profile)?.iter().flat_map(|check| check.packages()).collect();
    Ok(names.into_iter().collect())
}

/// A kind of question, `check = "required-package"` in a profile.
pub trait CheckKind: Sync {
    /// The value of `check` in a profile. Public: never renamed.
    fn name(&self) -> &'static str;

    /// What it asks, how it decides and what its settings mean.
    fn about(&self) -> &'static About;

    /// What its page says beside [`CheckKind::about`], in Markdown with headings of the second level; empty for most.
    fn more(&self) -> String {
        String::new()
    }

    /// A question from a rule's settings; keys that [`CheckKind::about`] does not name were refused before.
    ///
    /// # Errors
    /// A setting that is missing, misspelt or contradicts another, with its place in the profile.
    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError>;
}

/// One question, ready to be asked of any inventory.
pub trait Check: Send + Sync {
    /// Answers, one for each subject that the question found; never empty.
    fn evaluate(&self, inventory: &Inventory, context: &Context) -> Vec<Outcome>;

    /// Package names that the question is about, so that a collector can be asked to look them up.
    fn packages(&self) -> Vec<String>;
}

/// What an assessment depends on beside the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The day to judge on.
    pub as_of: Date,
    /// The day on which the device was made, if somebody said so.
    pub made: Option<Date>,
    /// The day on which it is or was sold, if somebody said so.
    pub sold: Option<Date>,
    /// Which date governs where a rule's readings differ, if somebody chose.
    pub governing: Option<Basis>,
    /// Kind of device, if somebody said so; the inventory's otherwise.
    pub kind: Option<DeviceKind>,
    /// Operating system, if somebody said so; the inventory's otherwise.
    pub os_flavour: Option<OsFlavour>,
    /// Market that the device is for, an ISO 3166-1 code, if somebody said so.
    pub market: Option<String>,
    /// How an app may be present.
    pub presence: Presence,
}

impl Context {
    /// Nothing but the day to judge on.
    #[must_use]
    pub fn on(as_of: Date) -> Self {
        Self {
            as_of,
            made: None,
            sold: None,
            governing: None,
            kind: None,
            os_flavour: None,
            market: None,
            presence: Presence::Installed,
        }
    }
}

/// What counts as an app's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The package itself: its absence is a failure, with the caveat printed that other methods exist.
    #[default]
    Installed,
    /// Any lawful method, also those that can't be seen (an offer at first start): a bare absence is inconclusive.
    AnyMethod,
}

#[cfg(test)]
pub(crate) use crate::platform::sample;

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers of one rule with these settings.
    pub(super) fn ask(kind: &str, settings: &str, inventory: &Inventory, presence: Presence) -> Vec<Outcome> {
        let profile = profile(kind, settings);
        let context = Context { presence, ..Context::on(jiff::civil::date(2026, 6, 1)) };
        let checks = configure(&profile).unwrap_or_else(|error| panic!("{error}"));
        checks[0].evaluate(inventory, &context)
    }

    /// The message of the error that these settings make.
    pub(super) fn refusal(kind: &str, settings: &str) -> String {
        configure(&profile(kind, settings)).map(|_| ()).expect_err("the settings are wrong").message().to_owned()
    }

    fn profile(kind: &str, settings: &str) -> Profile {
        let text = format!(
            r#"
            schema = 1
            id = "test"
            version = "1"
            title = "Test"
            sources = {{ S = "a source" }}
            [[rule]]
            id = "T-1"
            title = "Test"
            check = "{kind}"
            status = "policy"
            legal = {{ instrument = "test", sources = ["S"], confidence = "A" }}
            settings = {{ {settings} }}
            "#
        );
        Profile::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Holds the worst answer of a rule against a verdict and reason, and every answer against what the kind says of
    /// itself. The worst answer.
    #[track_caller]
    pub(super) fn expect(
        kind: &str,
        settings: &str,
        inventory: &Inventory,
        verdict: Verdict,
        reason: Option<Reason>,
    ) -> Outcome {
        let mut outcomes = ask(kind, settings, inventory, Presence::Installed);
        outcomes.sort_by_key(|outcome| outcome.verdict);
        let about = KINDS.iter().find(|other| other.name() == kind).unwrap().about();
        for outcome in &outcomes {
            let declared = about.verdicts.iter().any(|row| (row.0, row.1) == (outcome.verdict, outcome.reason));
            assert!(declared, "{kind} does not declare this: {outcome:#?}");
        }
        let worst = outcomes.into_iter().next().expect("a check always answers");
        assert_eq!((worst.verdict, worst.reason), (verdict, reason), "{worst:#?}");
        worst
    }

    #[test]
    fn kinds_are_sorted_named_apart_and_explained_in_both_languages() {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for kind in KINDS {
            let (name, about) = (kind.name(), kind.about());
            assert!(about.en.ends_with('.') && about.ru.contains(|c: char| ('а'..='я').contains(&c)), "{name}");
            let keys: BTreeSet<&str> = about.keys().into_iter().collect();
            assert_eq!(keys.len(), about.settings.len(), "{name}");
            let rows: BTreeSet<_> = about.verdicts.iter().map(|row| (row.0, row.1)).collect();
            assert_eq!(rows.len(), about.verdicts.len(), "{name}: a verdict stands twice");
            assert!(about.page(name).starts_with(&format!("# `{name}`\n")));
            assert_eq!(about.schema()["additionalProperties"], false, "{name}");
            let rule = about.example.starts_with("[[rule]]\nid = \"EXAMPLE-1\"\n") && about.example.ends_with("]\n");
            assert!(rule, "{name}: a rule, and nothing before or behind");
        }
    }

    #[test]
    fn a_key_that_a_kind_does_not_have_is_refused() {
        for kind in KINDS {
            let refused = refusal(kind.name(), "no-such-key = 1");
            assert!(refused.starts_with("unknown key `no-such-key` in settings"), "{}: {refused}", kind.name());
        }
    }

    #[test]
    fn a_kind_that_a_build_lacks_is_said_to_be_lacking_and_not_unknown() {
        for (name, feature) in OPTIONAL {
            let said = left_out(name).unwrap();
            assert!(
                said.contains("not part of this build") && said.contains(&format!("feature `{feature}`")),
                "{said}"
            );
        }
        assert_eq!(left_out("expresion"), None);
        assert_eq!(kind("expression").is_some(), cfg!(feature = "expression"));
    }

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|reason| Reason::named(reason.as_str()) == Some(*reason)));
    }
}
