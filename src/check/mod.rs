//! Kinds of question that a rule can ask of an inventory: one kind, one file.
//!
//! Checking is pure: no input or output, no clock. Whatever time or choice a rule depends on is in the [`Context`].
//!
//! - An unknown fact gives [`Verdict::Inconclusive`] with a [`Reason`], never a pass.
//! - A package that was not found is absent only if no gap hides packages
//!   ([`Inventory::gaps_hiding_packages`]).

mod forbidden_package;
mod manual;
mod outcome;
mod permission_ceiling;
mod required_package;

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::{DeviceKind, Inventory, OsFlavour};
use crate::profile::{Basis, Profile, ProfileError, Rule, Settings};

pub use outcome::{Outcome, Proof, Reason, Verdict};

/// Every check kind, by name.
pub static KINDS: &[&dyn CheckKind] = &[
    &forbidden_package::ForbiddenPackageKind,
    &manual::ManualKind,
    &permission_ceiling::PermissionCeilingKind,
    &required_package::RequiredPackageKind,
];

/// The questions of a profile, one for each of its rules and in their order.
///
/// # Errors
/// A check kind that does not exist, or settings that it refuses, with the place in the profile.
pub fn configure(profile: &Profile) -> Result<Vec<Box<dyn Check>>, ProfileError> {
    let question = |rule: &Rule| {
        let kind = KINDS.iter().find(|kind| kind.name() == rule.check);
        let Some(kind) = kind else {
            return Err(profile.unknown_check(rule, KINDS.iter().map(|kind| kind.name())));
        };
        kind.configure(&profile.settings(rule))
    };
    profile.rules.iter().map(question).collect()
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

    /// What it asks, how it decides and what its settings mean, in Markdown.
    fn explanation(&self) -> &'static str;

    /// A question from a rule's settings.
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
#[path = "../../tests/support/inventory.rs"]
mod sample;

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

    #[test]
    fn kinds_are_sorted_named_apart_and_explained() {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
        assert_eq!(names, ["forbidden-package", "manual", "permission-ceiling", "required-package"]);
        for kind in KINDS {
            let text = kind.explanation();
            assert!(text.starts_with(&format!("# `{}`\n", kind.name())), "{text}");
            assert!(text.contains("## Settings") && text.contains("## Verdicts"), "{}", kind.name());
        }
    }
}
