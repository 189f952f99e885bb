//! What Android will grant at first boot, as far as facts tell: filled by the platform layer, kept with its reasons.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// Whether a package will hold a permission that it asks for after the first boot, for user 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedGrant {
    /// The permission's name.
    pub permission: String,
    /// The answer.
    pub outcome: Outcome,
    /// Whether the user can't take it back; only for runtime permissions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// The permission with which this one comes; absent where the manifest itself asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implied_by: Option<String>,
    /// Why, in the order of Android's own steps.
    pub reasons: Vec<Reason>,
}

/// An answer about a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It will hold the permission.
    Granted,
    /// It will not.
    Refused,
    /// The facts do not tell.
    Unknown,
}

impl Outcome {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A step of a chain of reasons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What it is.
    pub code: ReasonCode,
    /// What it is about: a package, a partition, a handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where that is known from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Codes of reasons. Public: they stay, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// The permission is granted to every app at installation.
    Normal,
    /// No package of the device declares it.
    Undefined,
    /// The platform's own declarations were not read, and nobody else declares it.
    DeclarerUnknown,
    /// Its level is a reference that was not resolved.
    LevelUnknown,
    /// Several packages declare it in one place, with different results.
    SeveralDeclarers,
    /// The device's API level is not known.
    VersionUnknown,
    /// Signed with the platform's key.
    PlatformSigner,
    /// Signed with the key of the declaring package.
    DeclarerSigner,
    /// The signer was replaced, and the former one is the declaring package's or the platform's.
    FormerSigner,
    /// Signed with neither the platform's nor the declaring package's key.
    OtherSigner,
    /// The signers of the package, the declaring one or the platform are not known.
    SignerUnknown,
    /// A privileged app of a system partition.
    PrivilegedPlace,
    /// Not a privileged app.
    NotPrivileged,
    /// Privileged in `/vendor` or `/odm`, for which the permission is not meant.
    NotForVendor,
    /// The partition's list allows it.
    Allowlisted,
    /// The partition's list refuses it.
    DeniedByList,
    /// The partition's list does not have it, and lists are enforced: such a device does not start.
    NotAllowlisted,
    /// Only a list for a variant of the hardware has it.
    AllowlistedForVariant,
    /// Lists are not enforced.
    ListsNotEnforced,
    /// Lists are only for permissions of the platform.
    ListNotNeeded,
    /// Lists could not be read.
    ListUnread,
    /// The phone enforces lists and has started, so nothing was missing in them.
    ListedSinceStarted,
    /// A vendor's own partition, whose lists AOSP does not know.
    VendorPartition,
    /// The list of `/oem` allows it.
    OemListed,
    /// The list of `/oem` refuses it.
    OemDenied,
    /// An app of `/oem` without an entry for it.
    OemNotListed,
    /// For every pre-installed app.
    Preinstalled,
    /// For apps made before Android 6.
    MadeBefore23,
    /// The one package that the permission is for.
    KnownPackage,
    /// Not the package that the permission is for.
    NotKnownPackage,
    /// Which package it is for is not known.
    HolderUnknown,
    /// One of the certificates that the permission names.
    KnownCertificate,
    /// None of the certificates that the permission names.
    OtherCertificate,
    /// An app of an APEX.
    Module,
    /// Only for holders of a role, and the roles of the device were not read.
    RoleOnly,
    /// It holds a role that gives the permission.
    RoleHolder,
    /// It may hold a role that gives the permission.
    RoleHolderUnknown,
    /// It holds none of the roles that give the permission.
    RoleNotHeld,
    /// Only a developer grants it, over ADB.
    DeveloperOnly,
    /// Only flags grant it, and none of its flags fits.
    NoFlagFits,
    /// Another package of the shared user gets it.
    SharedUser,
    /// A component of the system with a fixed user id.
    SystemComponent,
    /// A persistent, privileged app with the platform's key.
    PersistentPlatformApp,
    /// A pre-installed app with the platform's key.
    PlatformApp,
    /// Android's default for a task.
    DefaultHandler,
    /// Which app is Android's default for the task can't be told.
    DefaultHandlerUnknown,
    /// A file of default grants names it.
    DefaultGrant,
    /// A file of default grants names it for another signer.
    DefaultGrantOtherSigner,
    /// The user is asked, unless code of the vendor grants it.
    AsksUser,
    /// Made before Android 6: granted at installation, the user may take it back.
    LegacyTarget,
    /// It comes with another permission that is granted at installation.
    ComesWith,
    /// Installed after the first start by the vendor's own service, not a part of the system.
    NotSystem,
    /// Android loads nothing from its place.
    NotLoaded,
    /// Copies of the package differ in it, and which one runs can't be told.
    SeveralCopies,
    /// What the package asks for is not known.
    RequestsUnknown,
    /// A fact about the package that decides is not known.
    FactUnknown,
}
