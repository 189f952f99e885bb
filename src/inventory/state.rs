//! What a running device says of itself beside its packages: how it was started, who administers it, what is switched on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fact, Gap, GapReason};

/// State of a device that runs. Of an image nothing of it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// `ro.boot.verifiedbootstate`: `green` for the maker's key and a locked bootloader, `yellow`, `orange`, `red`; `null`
    /// where the bootloader sets none.
    pub verified_boot: Fact<Option<String>>,
    /// `ro.boot.vbmeta.digest`, lower-case hex: one number for all verified partitions; `null` where there is none.
    pub vbmeta_digest: Fact<Option<String>>,
    /// Whether the bootloader is locked (`ro.boot.vbmeta.device_state`, `ro.boot.flash.locked`); `null` where neither is set.
    pub bootloader_locked: Fact<Option<bool>>,
    /// Security patch level of the vendor's part, `YYYY-MM-DD`; `null` where there is none.
    pub vendor_security_patch: Fact<Option<String>>,
    /// `ro.control_privapp_permissions` (`enforce`, `log`, `disable`); `null` where it is not set or not shown.
    #[serde(default)]
    pub privileged_allowlists: Fact<Option<String>>,
    /// Properties that tell market, carrier and customisation (`ro.csc.sales_code`, `ro.miui.region`, `ro.carrier` ...), by
    /// name.
    pub market: Fact<Vec<MarketProperty>>,
    /// Owners and active administrators, by user, kind and component.
    pub administrators: Fact<Vec<Administrator>>,
    /// Components that are switched on or chosen and see or do more than an app does, by user, kind and component.
    pub chosen: Fact<Vec<Chosen>>,
    /// Features of hardware and software, by name.
    pub features: Fact<Vec<String>>,
    /// Overlays, by package and user.
    pub overlays: Fact<Vec<OverlayState>>,
    /// APEX modules, by name.
    pub modules: Fact<Vec<Module>>,
    /// Modes of operations of pre-installed packages, by user, app id, package and operation. An operation that is not
    /// listed has its default.
    pub app_ops: Fact<Vec<AppOpMode>>,
}

impl Default for State {
    /// For inventories that were saved before there was such a thing.
    fn default() -> Self {
        Self::unknown(&Gap::new("saved inventory", GapReason::NotObserved, "the version that saved it did not ask"))
    }
}

impl State {
    /// A device of which nothing is known.
    #[must_use]
    pub fn unknown(gap: &Gap) -> Self {
        fn fact<T>(gap: &Gap) -> Fact<T> {
            Fact::Unknown(gap.clone())
        }
        Self {
            verified_boot: fact(gap),
            vbmeta_digest: fact(gap),
            bootloader_locked: fact(gap),
            vendor_security_patch: fact(gap),
            privileged_allowlists: fact(gap),
            market: fact(gap),
            administrators: fact(gap),
            chosen: fact(gap),
            features: fact(gap),
            overlays: fact(gap),
            modules: fact(gap),
            app_ops: fact(gap),
        }
    }

    pub(super) fn normalize(&mut self) {
        fn sort<T: Ord>(fact: &mut Fact<Vec<T>>) {
            if let Fact::Known { value, .. } = fact {
                value.sort();
                value.dedup();
            }
        }
        sort(&mut self.market);
        sort(&mut self.administrators);
        sort(&mut self.chosen);
        sort(&mut self.features);
        sort(&mut self.overlays);
        sort(&mut self.modules);
        sort(&mut self.app_ops);
    }
}

/// A property that tells for whom a device was made or set up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketProperty {
    /// Its name.
    pub name: String,
    /// Its value, never empty.
    pub value: String,
}

/// Who administers a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// User id; `null` where the device does not say.
    pub user: Option<u32>,
    /// What it may do.
    pub kind: AdministratorKind,
    /// `package/class`.
    pub component: String,
}

/// Kinds of administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AdministratorKind {
    /// Owns the device.
    DeviceOwner,
    /// Owns a profile.
    ProfileOwner,
    /// An active device administrator.
    Administrator,
}

/// A component that a user, a vendor or an administrator switched on or chose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// User id.
    pub user: u32,
    /// For what.
    pub kind: ChosenKind,
    /// `package/class`, or a package where the device names no class.
    pub component: String,
}

/// What a component was chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenKind {
    /// Reads the screen and acts for the user.
    AccessibilityService,
    /// Reads notifications.
    NotificationListener,
    /// May be switched to as a keyboard.
    InputMethod,
    /// The keyboard in use.
    DefaultInputMethod,
    /// Answers the assistant's key.
    Assistant,
    /// Listens for a hot word.
    VoiceInteraction,
    /// Fills in forms.
    Autofill,
    /// Keeps passwords and passkeys.
    CredentialProvider,
    /// A VPN through which all traffic goes.
    AlwaysOnVpn,
    /// The home screen, where the device has no roles.
    Home,
    /// Messages, where the device has no roles.
    Sms,
    /// Calls, where the device has no roles.
    Dialer,
}

/// An overlay for one user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayState {
    /// The overlay's package.
    pub package: String,
    /// User id.
    pub user: u32,
    /// The package whose resources it changes.
    pub target: String,
    /// The device's word: `STATE_ENABLED`, `STATE_NO_IDMAP`.
    pub state: String,
    /// Whether it is in force; `null` where the device does not say.
    pub enabled: Option<bool>,
}

/// An APEX module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its package name.
    pub name: String,
    /// Its version; `null` where the device does not say.
    pub version: Option<u64>,
    /// The file in use.
    pub path: String,
}

/// The mode of an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppOpMode {
    /// User id.
    pub user: u32,
    /// The app's number within the user.
    pub app_id: u32,
    /// The package; `null` for all packages of the number.
    pub package: Option<String>,
    /// The operation in Android's words: `SYSTEM_ALERT_WINDOW`.
    pub operation: String,
    /// `allow`, `ignore`, `deny`, `default`, `foreground`.
    pub mode: String,
}

/// How a package came onto the device. A factory copy was installed by nobody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The package that asked for it, `null` for none recorded. Known since Android 11.
    pub initiator: Fact<Option<String>>,
    /// The package on whose behalf, `null` for none recorded. Known since Android 11.
    pub originator: Fact<Option<String>>,
    /// When each user first had it, by user id; `null` for the user where the device tells one time for all. Local time of
    /// the device as it prints it; the first days of 1970 and 2009 stand for the firmware.
    pub first: Vec<FirstInstall>,
    /// When it was last updated, likewise; `null` where the device does not say.
    pub last_update: Option<String>,
}

/// When a user first had a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstInstall {
    /// User id; `null` for all.
    pub user: Option<u32>,
    /// The device's local time.
    pub at: String,
}
