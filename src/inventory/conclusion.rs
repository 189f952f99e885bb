//! What Android and the vendor's services make of the facts: each answer with the grounds that it rests on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// One ground of a conclusion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ground<C> {
    /// Which ground, as a code.
    pub code: C,
    /// Where it was read.
    pub evidence: Evidence,
    /// What stands there, in words.
    pub says: String,
}

/// Whether the user can be rid of a pre-installed app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Removability {
    /// The answer.
    pub grade: RemovabilityGrade,
    /// What it rests on, the deciding ground first.
    pub grounds: Vec<Ground<RemovabilityCode>>,
}

/// Grades of removability, best for the user first. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovabilityGrade {
    /// The user removes it, and it stays away.
    UserRemovable,
    /// The user removes it; a factory reset brings it back from the read-only partition.
    ReturnsAfterReset,
    /// The settings offer to disable it, not to remove it.
    DisableOnly,
    /// A placeholder of the firmware whose full form lies in `/data`: what can be removed is the full form.
    StubUpdatesItself,
    /// The settings offer neither.
    NotRemovable,
}

impl RemovabilityGrade {
    /// All of them, in declaration order.
    pub const ALL: [Self; 5] =
        [Self::UserRemovable, Self::ReturnsAfterReset, Self::DisableOnly, Self::StubUpdatesItself, Self::NotRemovable];

    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserRemovable => "user-removable",
            Self::ReturnsAfterReset => "returns-after-reset",
            Self::DisableOnly => "disable-only",
            Self::StubUpdatesItself => "stub-updates-itself",
            Self::NotRemovable => "not-removable",
        }
    }

    /// Whether the user can remove it, for however long.
    #[must_use]
    pub fn is_removable(self) -> bool {
        matches!(self, Self::UserRemovable | Self::ReturnsAfterReset)
    }
}

/// Grounds of removability. Public codes: they stay, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovabilityCode {
    /// It lies in `/data`, and the firmware has no copy.
    UserSpace,
    /// It lies where the vendor keeps apps that the user may remove.
    VendorPlace,
    /// It lies where the vendor keeps apps that the user may not remove.
    FixedPlace,
    /// A list of the vendor names it as removable.
    RemovableList,
    /// It lies in a system partition: Android removes updates of such apps only.
    SystemApp,
    /// It is the platform itself.
    Platform,
    /// It has the platform's signer: the settings do not offer to disable such apps.
    PlatformSigned,
    /// `android:persistent`: part of the running system.
    Persistent,
    /// It can be the home screen: the settings do not offer to disable such apps.
    Home,
    /// It holds a role without which the device does not work as a phone.
    RequiredRole,
    /// A package that the settings keep enabled by its name.
    Kept,
    /// It owns the device, or administers it.
    DeviceOwner,
    /// Its full form lies compressed beside it, and is installed in `/data` at first boot.
    Stub,
    /// What a phone says of its state.
    State,
}

/// In which way an app is there for the owner of the device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The answer.
    pub state: PresenceState,
    /// What it rests on, the deciding ground first. Empty for an absence that the list of packages tells.
    pub grounds: Vec<Ground<PresenceCode>>,
}

/// Ways of presence, fullest first. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PresenceState {
    /// The app itself, from the first start on.
    Full,
    /// The firmware installs it from the image at first boot.
    FirstBoot,
    /// It is fetched and installed at set-up.
    AutoInstall,
    /// A placeholder that is no full app.
    Stub,
    /// An icon that leads to it.
    Icon,
    /// Not at all.
    Absent,
}

impl PresenceState {
    /// All of them, in declaration order.
    pub const ALL: [Self; 6] = [Self::Full, Self::FirstBoot, Self::AutoInstall, Self::Stub, Self::Icon, Self::Absent];

    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FirstBoot => "first-boot",
            Self::AutoInstall => "auto-install",
            Self::Stub => "stub",
            Self::Icon => "icon",
            Self::Absent => "absent",
        }
    }
}

/// Grounds of presence. Public codes: they stay, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PresenceCode {
    /// Its file lies where Android loads packages from.
    PackageFile,
    /// A running device has it installed for the owner.
    Installed,
    /// Its file is a placeholder.
    Placeholder,
    /// Its full form lies compressed beside the placeholder.
    FullForm,
    /// Its file lies where the vendor's services install from at first boot.
    VendorPlace,
    /// A list or script of the vendor installs it at first boot.
    InstallList,
    /// A configuration has it fetched at set-up.
    AutoInstallList,
    /// A layout of the home screen has an icon that leads to it.
    LayoutIcon,
    /// The lists that decide what is installed from its place do not name it.
    NotListed,
    /// A list of the vendor leaves it out or takes it away.
    SkipList,
    /// It is installed for other types of user only.
    OtherUserTypes,
    /// A running device does not have it installed for the owner.
    NotInstalled,
}

/// An app that is not among the packages, and yet shows or arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// The application id.
    pub package: String,
    /// How.
    pub presence: Presence,
}
