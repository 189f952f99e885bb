//! Kinds of question that a rule can ask of an inventory: one kind, one file.
//!
//! Checking is pure: no input or output, no clock. Whatever time or choice a rule depends on is in the [`Context`].
//!
//! - An unknown fact gives [`Verdict::Inconclusive`] with a [`Reason`], never a pass.
//! - A package that was not found is absent only if no gap hides packages
//!   ([`Inventory::gaps_hiding_packages`]).

mod outcome;

use jiff::civil::Date;

use crate::inventory::{DeviceKind, Inventory, OsFlavour};
use crate::profile::{ProfileError, Settings};

pub use outcome::{Outcome, Proof, Reason, Verdict};

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
    /// Kind of device, if somebody said so; the inventory's otherwise.
    pub kind: Option<DeviceKind>,
    /// Operating system, if somebody said so; the inventory's otherwise.
    pub os_flavour: Option<OsFlavour>,
    /// How an app may be present.
    pub presence: Presence,
}

/// What counts as an app's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// The package itself: its absence is a failure, with the caveat printed that other methods exist.
    #[default]
    Installed,
    /// Any lawful method, also those that can't be seen (an offer at first start): a bare absence is inconclusive.
    AnyMethod,
}
