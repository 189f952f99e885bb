//! What changed between two devices, images, inventories or reports.
//!
//! A change is a fact that both sides know and that differs. What only one side knows is never a change: it stands in
//! [`Diff::unsettled`], with the reason. Places of evidence, ids that Android hands out at first start and what differs
//! between two readings of one phone (times, flags of grants, the number of omitted packages) are not compared.
//!
//! Everything that changed about one subject is one [`Entry`], under the heading that weighs most.

mod comparer;
mod device;
mod odd;
mod package;
mod platform;
mod verdicts;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::Assessment;
use crate::inventory::{Device, Gap, Inventory, Target, Tool};
use comparer::Ledger;

pub use odd::{Group, OddDevice, OddPreloads, odd};
pub use words::{aspect_in_words, change_in_words, unsettled_in_words};

/// Version of the JSON form of [`Diff`] and [`OddPreloads`].
pub const SCHEMA_VERSION: &str = "1.0";

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was looked at.
    pub target: &'a Target,
    /// Who it is.
    pub device: &'a Device,
    /// Everything about it; absent for a report, which holds no list of packages.
    pub inventory: Option<&'a Inventory>,
    /// How it was judged, if it was.
    pub assessment: Option<&'a Assessment>,
}

/// The differences of two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: String,
    /// The program that compared.
    pub tool: Tool,
    /// The former side.
    pub before: SideRef,
    /// The latter side.
    pub after: SideRef,
    /// What differs, by kind, then by subject; each subject once per kind of thing (package, rule ...).
    pub entries: Vec<Entry>,
    /// What only one side knows, by aspect.
    pub unsettled: Vec<Unsettled>,
    /// Gaps that both sides have, with the same place and reason, and behind which packages may be hidden. What they hide was
    /// not compared.
    pub hidden_on_both: Vec<Gap>,
    /// Whether both sides were read from the same bytes, so that whatever was not read is the same on both too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_source: bool,
}

/// Who one side is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideRef {
    /// What was looked at.
    pub target: Target,
    /// Brand and model, as far as known.
    pub device: Option<String>,
    /// `ro.build.fingerprint`, where known.
    pub fingerprint: Option<String>,
    /// Number of pre-installed packages; `null` where the list is not known.
    pub packages: Option<u64>,
    /// Id, version and digest of the profile that it was judged under, if it was.
    pub profile: Option<String>,
}

/// Everything that changed about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What weighs most of it.
    pub kind: EntryKind,
    /// The package, permission, partition, role or rule; `null` for the device itself.
    pub subject: Option<String>,
    /// What the subject calls itself: an app's label, a rule's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The differences, each aspect once. Never empty.
    pub changes: Vec<Change>,
}

/// Kinds of [`Entry`], in the order in which they are told. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The verdict on a rule, or on the whole.
    Verdict,
    /// The device or build itself.
    Device,
    /// A package that was not there before.
    Added,
    /// A package that is no longer there.
    Removed,
    /// A package whose signers are others.
    Resigned,
    /// A package in another place.
    Moved,
    /// A package with another version.
    Updated,
    /// A package that asks for or holds other permissions, with the same version.
    Permissions,
    /// A package that differs otherwise.
    Changed,
    /// Who holds a role.
    Role,
    /// What control files allow a package.
    Control,
    /// A permission that is declared.
    Permission,
    /// A partition.
    Partition,
    /// An app that is not among the packages, and yet shows or arrives.
    Arrival,
    /// What lists of the vendor say of an app.
    Preinstall,
    /// A layout of the home screen.
    Layout,
    /// A value of the platform's configuration.
    Configuration,
    /// What a running device says of itself.
    State,
}

impl EntryKind {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 18] = [
        Self::Verdict,
        Self::Device,
        Self::Added,
        Self::Removed,
        Self::Resigned,
        Self::Moved,
        Self::Updated,
        Self::Permissions,
        Self::Changed,
        Self::Role,
        Self::Control,
        Self::Permission,
        Self::Partition,
        Self::Arrival,
        Self::Preinstall,
        Self::Layout,
        Self::Configuration,
        Self::State,
    ];
}

/// One difference. A list tells what it gained and lost, anything else what it was and is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What differs, as a code: `version`, `signers`, `requested-permissions` ...
    pub aspect: String,
    /// What it was; `null` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; `null` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What a list has now and had not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
    /// What a list had and has not now, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

/// Something that only one side knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsettled {
    /// What could not be compared, as [`Change::aspect`].
    pub aspect: String,
    /// The side that knows it.
    pub known: Known,
    /// Why the other does not, as a code of gaps.
    pub reason: String,
    /// Why the other does not, in words; of the first subject.
    pub detail: String,
    /// What it concerns, sorted; empty for the device as a whole.
    pub subjects: Vec<String>,
}

/// The side that knows a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The former alone.
    Before,
    /// The latter alone.
    After,
    /// Both, in terms that can't be held against each other.
    Incomparably,
}

impl Diff {
    /// Whether anything could not be compared that may differ.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !self.unsettled.is_empty() || (!self.hidden_on_both.is_empty() && !self.same_source)
    }
}

/// Compares two sides.
#[must_use]
pub fn compare(before: &Side<'_>, after: &Side<'_>) -> Diff {
    let mut ledger = Ledger::default();
    device::compare(before.device, after.device, &mut ledger);
    let mut hidden_on_both = Vec::new();
    match (before.inventory, after.inventory) {
        (Some(a), Some(b)) => {
            let common: Vec<Gap> = a.gaps_hiding_packages().filter(|gap| hides(b, gap)).cloned().collect();
            hidden_on_both = common;
            package::compare(a, b, &mut ledger);
            platform::compare(a, b, &mut ledger);
        }
        (Some(_), None) => ledger.unsettled("packages", Known::Before, None, &no_packages()),
        (None, Some(_)) => ledger.unsettled("packages", Known::After, None, &no_packages()),
        (None, None) => {}
    }
    match (before.assessment, after.assessment) {
        (Some(a), Some(b)) => verdicts::compare(a, b, &mut ledger),
        (Some(_), None) => ledger.unsettled("verdicts", Known::Before, None, &not_judged()),
        (None, Some(_)) => ledger.unsettled("verdicts", Known::After, None, &not_judged()),
        (None, None) => {}
    }
    let (entries, unsettled) = ledger.finish();
    Diff {
        schema_version: SCHEMA_VERSION.to_owned(),
        tool: Tool::this(),
        before: side(before),
        after: side(after),
        entries,
        unsettled,
        hidden_on_both,
        same_source: false,
    }
}

/// Whether an inventory has the same gap that hides packages.
fn hides(inventory: &Inventory, gap: &Gap) -> bool {
    inventory.gaps_hiding_packages().any(|other| (&other.place, other.reason) == (&gap.place, gap.reason))
}

fn no_packages() -> Gap {
    Gap::new("report", crate::inventory::GapReason::NotObserved, "a report holds no list of packages")
}

fn not_judged() -> Gap {
    Gap::new("profile", crate::inventory::GapReason::NotObserved, "that side was not judged")
}

fn side(side: &Side<'_>) -> SideRef {
    let known = [&side.device.brand, &side.device.model];
    let known: Vec<&str> = known.into_iter().filter_map(|fact| fact.known().map(String::as_str)).collect();
    let profile = side.assessment.map(|assessment| verdicts::profile(&assessment.profile));
    SideRef {
        target: side.target.clone(),
        device: Some(known.join(" ")).filter(|name| !name.is_empty()),
        fingerprint: side.device.fingerprint.known().cloned(),
        packages: side.inventory.and_then(|inventory| inventory.packages.known()).map(|list| list.len() as u64),
        profile,
    }
}

#[cfg(test)]
mod tests;
