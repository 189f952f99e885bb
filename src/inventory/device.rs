//! Who a device or image is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fact, Gap};

/// Identity of a device or image. Text is as the device has it, without interpretation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// `ro.product.brand`.
    pub brand: Fact<String>,
    /// `ro.product.manufacturer`.
    pub manufacturer: Fact<String>,
    /// `ro.product.model`: what is printed on the box.
    pub model: Fact<String>,
    /// `ro.product.device`: the code name.
    pub device: Fact<String>,
    /// `ro.product.name`: the product, often with its region.
    pub product: Fact<String>,
    /// `ro.build.fingerprint`.
    pub fingerprint: Fact<String>,
    /// `ro.build.display.id`.
    pub build: Fact<String>,
    /// `ro.build.type`: `user` on devices for sale.
    pub build_type: Fact<String>,
    /// `ro.build.tags`: `release-keys` on devices for sale.
    pub build_tags: Fact<String>,
    /// `ro.build.version.release`: Android's version as text.
    pub release: Fact<String>,
    /// `ro.build.version.sdk`: API level.
    pub sdk: Fact<u32>,
    /// `ro.build.version.security_patch`: date, `YYYY-MM-DD`.
    pub security_patch: Fact<String>,
    /// Day of the build in UTC, `YYYY-MM-DD`, from `ro.build.date.utc`. Not the day on which the device was made.
    pub build_date: Fact<String>,
    /// Region in the vendor's own code (`ro.miui.region`, `ro.csc.sales_code` ...); `null` where the vendor sets none.
    pub region: Fact<Option<String>>,
    /// Default locale, BCP 47 as far as the vendor keeps to it.
    pub locale: Fact<Option<String>>,
    /// The operating system by its seller's name.
    pub os_flavour: Fact<OsFlavour>,
    /// What kind of device it is, by `ro.build.characteristics`.
    pub kind: Fact<DeviceKind>,
    /// Whether the build is one for sale: type `user`, signed with release keys. False for `userdebug`, `eng`, `test-keys`,
    /// `dev-keys`.
    #[serde(default)]
    pub for_sale: Fact<bool>,
    /// Name of the generic system that the device's own parts are put upon (GSI, QSSI, MSSI, TSSI), as the system partition
    /// has it; `null` where the system partition is the device's own. The vendor's part tells the device then.
    #[serde(default)]
    pub generic_system: Fact<Option<String>>,
    /// `ro.vendor.build.fingerprint`: the build of the vendor's part; `null` where there is none.
    #[serde(default)]
    pub vendor_fingerprint: Fact<Option<String>>,
}

impl Device {
    /// A device of which nothing is known.
    #[must_use]
    pub fn unknown(gap: &Gap) -> Self {
        let text = || Fact::Unknown(gap.clone());
        Self {
            brand: text(),
            manufacturer: text(),
            model: text(),
            device: text(),
            product: text(),
            fingerprint: text(),
            build: text(),
            build_type: text(),
            build_tags: text(),
            release: text(),
            sdk: Fact::Unknown(gap.clone()),
            security_patch: text(),
            build_date: text(),
            region: Fact::Unknown(gap.clone()),
            locale: Fact::Unknown(gap.clone()),
            os_flavour: Fact::Unknown(gap.clone()),
            kind: Fact::Unknown(gap.clone()),
            for_sale: Fact::Unknown(gap.clone()),
            generic_system: Fact::Unknown(gap.clone()),
            vendor_fingerprint: Fact::Unknown(gap.clone()),
        }
    }
}

/// Operating systems that laws and lists tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OsFlavour {
    /// Android, in whatever skin, that has no own name below.
    Android,
    /// Xiaomi HyperOS.
    HyperOs,
    /// Huawei HarmonyOS with Android compatibility.
    HarmonyOs,
    /// Android TV and Google TV.
    AndroidTv,
    /// Amazon Fire OS.
    FireOs,
    /// Wear OS.
    WearOs,
    /// Android Automotive.
    Automotive,
}

impl OsFlavour {
    /// All of them, in declaration order.
    pub const ALL: [Self; 7] =
        [Self::Android, Self::HyperOs, Self::HarmonyOs, Self::AndroidTv, Self::FireOs, Self::WearOs, Self::Automotive];

    /// The name in profiles, on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::HyperOs => "hyperos",
            Self::HarmonyOs => "harmonyos",
            Self::AndroidTv => "androidtv",
            Self::FireOs => "fireos",
            Self::WearOs => "wearos",
            Self::Automotive => "automotive",
        }
    }
}

/// Kinds of device that laws tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A television or a box for one.
    Tv,
    /// A watch.
    Watch,
    /// A car.
    Car,
    /// Glasses, a frame, a terminal: anything else that runs Android.
    Other,
}

impl DeviceKind {
    /// All of them, in declaration order.
    pub const ALL: [Self; 6] = [Self::Phone, Self::Tablet, Self::Tv, Self::Watch, Self::Car, Self::Other];

    /// The name in profiles, on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Tv => "tv",
            Self::Watch => "watch",
            Self::Car => "car",
            Self::Other => "other",
        }
    }
}

/// A user or profile of a phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Android's number: 0 is the system user.
    pub id: u32,
    /// `UserInfo` flags as the device prints them, in hexadecimal without prefix.
    pub flags: Option<String>,
    /// Whether the user runs at the time of reading; `null` where the device does not say.
    pub running: Option<bool>,
}

/// A partition of the image or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Android's name without slot suffix: `system`, `product`, `my_stock`.
    pub name: String,
    /// Where Android mounts it, `/system`.
    pub mount_point: String,
    /// The filesystem's format: `ext4`, `folder`; `null` for what is seen through a running system.
    pub filesystem: Option<String>,
    /// Length in bytes, where it has one.
    pub length: Option<u64>,
    /// Package files that were found in it.
    pub packages: u64,
}
