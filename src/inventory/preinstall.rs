//! What a vendor's own files say of apps beside their package files: installed at first boot, downloaded at set-up, free to
//! be removed, left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// One statement of one file: a line of a list, an element, a command of a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preinstall {
    /// What is said.
    pub action: PreinstallAction,
    /// How `subject` names what it is said of.
    pub names: PreinstallSubject,
    /// Whom it is said of.
    pub subject: String,
    /// Under which condition; absent where it holds always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// File and line.
    pub evidence: Evidence,
}

/// What a statement says. Public codes: they stay, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreinstallAction {
    /// The firmware's own services install it from the image at first boot.
    Install,
    /// It is fetched and installed at set-up or later.
    Download,
    /// The user may remove it.
    Removable,
    /// It is left out, or taken away after first boot.
    Skip,
    /// Installed for users of the type that the condition names (`install-in-user-type`).
    InstallIn,
    /// Not installed for users of that type.
    NotInstallIn,
}

/// How a statement names its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreinstallSubject {
    /// By application id.
    Package,
    /// By the path of a package file, or of the folder that holds it alone.
    Path,
    /// By a folder, for all package files below it.
    Folder,
    /// By the name of a package file, in whatever folder.
    FileName,
}

/// When a statement holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// In words or as `name=value`: `variant cn`, `sales code SER`, `persist.vendor.pms_removable=1`, `user type FULL`.
    pub says: String,
    /// Whether it holds on this device; `null` where the image does not tell.
    pub holds: Option<bool>,
}

impl Preinstall {
    /// Whether it may hold: without a condition, or with one that is not known to fail.
    #[must_use]
    pub fn may_hold(&self) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds != Some(false))
    }

    /// Whether it holds for sure.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds == Some(true))
    }
}
