//! Packages and their copies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DeclaredPermission, Fact, Grant, Installation, LauncherPlace, ManifestFacts, NativeLibrary, PredictedGrant,
    Presence, Removability, RequestedPermission, StubReason,
};

/// One package name, and everything on the device that answers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The application id.
    pub name: String,
    /// Every copy, the one that Android runs first, then by path. Never empty.
    pub copies: Vec<PackageCopy>,
    /// Linux user id that it runs under for user 0 (appId).
    pub uid: Fact<u32>,
    /// Name of the shared user that it belongs to, `null` for none.
    pub shared_user: Fact<Option<String>>,
    /// Package that installed it, `null` for none recorded.
    pub installer: Fact<Option<String>>,
    /// How it came onto the device, and when.
    #[serde(default)]
    pub install: Fact<Installation>,
    /// State for each user, by user id.
    pub users: Fact<Vec<UserState>>,
    /// Actual grants and refusals of install and runtime permissions, in the order of [`Grant`]. Of a shared user they
    /// are the shared user's.
    pub grants: Fact<Vec<Grant>>,
    /// Whether the user can be rid of it.
    #[serde(default)]
    pub removability: Fact<Removability>,
    /// In which way it is there for the owner of the device.
    #[serde(default)]
    pub presence: Fact<Presence>,
    /// Where its icon stands before the user moves it: the worst of the places that the layouts in question give it.
    #[serde(default)]
    pub launcher_place: Fact<LauncherPlace>,
    /// What Android will grant at first boot, by permission; of a shared user what all its members together get.
    #[serde(default)]
    pub predicted_grants: Fact<Vec<PredictedGrant>>,
}

impl Package {
    /// The copy that Android runs.
    #[must_use]
    pub fn active(&self) -> Option<&PackageCopy> {
        self.copies.first()
    }

    /// Whether any copy belongs to the firmware.
    #[must_use]
    pub fn is_factory(&self) -> bool {
        self.copies.iter().any(|copy| copy.role == CopyRole::Factory)
    }

    pub(super) fn normalize(&mut self) {
        // What Android runs comes first: an update before the copy that it hides.
        let rank = |role| match role {
            CopyRole::Updated => 0,
            CopyRole::Factory => 1,
            CopyRole::Added => 2,
        };
        self.copies.sort_by(|a, b| rank(a.role).cmp(&rank(b.role)).then_with(|| a.path.cmp(&b.path)));
        if let Fact::Known { value, .. } = &mut self.install {
            value.first.sort();
        }
        if let Fact::Known { value, .. } = &mut self.users {
            value.sort();
        }
        if let Fact::Known { value, .. } = &mut self.grants {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.predicted_grants {
            value.sort();
        }
        for copy in &mut self.copies {
            copy.normalize();
        }
    }
}

/// One package file, or set of split files, in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageCopy {
    /// Its part in the package.
    pub role: CopyRole,
    /// Path as on the device: the base APK's where it is known, else its folder.
    pub path: String,
    /// Partition that holds it, by Android's name: `system`, `product`, `data`.
    pub partition: Fact<String>,
    /// What kind of place that is.
    pub placement: Fact<Placement>,
    /// Split APKs beside the base, by name.
    pub splits: Fact<Vec<Split>>,
    /// `versionCode` with `versionCodeMajor` above it.
    pub version_code: Fact<u64>,
    /// `versionName`.
    pub version_name: Fact<Option<String>>,
    /// `minSdkVersion`; 1 where the manifest has none.
    pub min_sdk: Fact<u32>,
    /// `targetSdkVersion`; the minimum where the manifest has none.
    pub target_sdk: Fact<u32>,
    /// Flags as Android or the manifest names them (`SYSTEM`, `HAS_CODE`, `debuggable` ...), sorted.
    pub flags: Fact<Vec<String>>,
    /// Permissions that the manifest asks for, by name.
    pub requested_permissions: Fact<Vec<RequestedPermission>>,
    /// Permissions that the manifest declares, by name.
    pub declared_permissions: Fact<Vec<DeclaredPermission>>,
    /// Who signed it. Empty: unsigned.
    pub signers: Fact<Vec<Signer>>,
    /// Label in the default locale, `null` for none.
    pub label: Fact<Option<String>>,
    /// Activities that a launcher shows, as full class names, sorted. Empty: no icon.
    pub launcher: Fact<Vec<String>>,
    /// What code it carries.
    pub code: Fact<Code>,
    /// Components, hooks, roles, network, libraries.
    #[serde(default)]
    pub manifest: Fact<ManifestFacts>,
    /// Intents of the system that its enabled components answer, for which Android looks for a default, sorted.
    #[serde(default)]
    pub answers: Fact<Vec<IntentAnswer>>,
}

/// A component that answers an intent of the system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentAnswer {
    /// The intent by its code: `dial`, `image-capture`, `provider:media`.
    pub intent: String,
    /// Full class name of the component.
    pub component: String,
    /// Priority of the filter.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Whether the filter has the category of defaults.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(value: &i32) -> bool {
    *value == 0
}

impl PackageCopy {
    fn normalize(&mut self) {
        if let Fact::Known { value, .. } = &mut self.splits {
            value.sort();
            for split in value {
                if let Fact::Known { value, .. } = &mut split.file {
                    value.requested_permissions.sort();
                    value.requested_permissions.dedup();
                }
            }
        }
        if let Fact::Known { value, .. } = &mut self.flags {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.requested_permissions {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.declared_permissions {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.signers {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.launcher {
            value.sort();
            value.dedup();
        }
        if let Fact::Known { value, .. } = &mut self.manifest {
            value.normalize();
        }
        if let Fact::Known { value: Code { class_counts: Some(Fact::Known { value, .. }), .. }, .. } = &mut self.code {
            value.prefixes.sort();
            value.sdks.sort();
        }
        if let Fact::Known { value: Code { libraries: Some(Fact::Known { value, .. }), .. }, .. } = &mut self.code {
            value.sort();
        }
        if let Fact::Known { value, .. } = &mut self.answers {
            value.sort();
            value.dedup();
        }
    }
}

/// The part that a copy plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CopyRole {
    /// As the firmware has it.
    Factory,
    /// An update in `/data` of a factory copy.
    Updated,
    /// In `/data` with no factory copy: placed there at first boot, or installed by somebody.
    Added,
}

/// What kind of place a copy is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// `priv-app`: may hold `signature|privileged` permissions.
    Privileged,
    /// `app` of a system partition.
    System,
    /// `overlay`: changes the resources of other packages.
    Overlay,
    /// `framework`: the platform itself.
    Framework,
    /// A vendor's place for apps that the user may remove.
    RemovablePreload,
    /// Inside an APEX.
    Apex,
    /// `/data`.
    Data,
    /// A place from which Android loads nothing by itself.
    Unknown,
}

impl Placement {
    /// All of them, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::Privileged,
        Self::System,
        Self::Overlay,
        Self::Framework,
        Self::RemovablePreload,
        Self::Apex,
        Self::Data,
        Self::Unknown,
    ];

    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::System => "system",
            Self::Overlay => "overlay",
            Self::Framework => "framework",
            Self::RemovablePreload => "removable-preload",
            Self::Apex => "apex",
            Self::Data => "data",
            Self::Unknown => "unknown",
        }
    }
}

/// A split APK.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The split's name, `config.arm64_v8a`.
    pub name: String,
    /// Its path on the device; `null` where the device gives names alone.
    pub path: Option<String>,
    /// What the file says of itself.
    pub file: Fact<SplitFile>,
}

/// What a split APK says of itself. It shares the package's name; the rest may differ from the base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitFile {
    /// `versionCode`; Android takes it only when it equals the base's.
    pub version_code: u64,
    /// `minSdkVersion`; `null` where the split has none of its own.
    pub min_sdk: Option<u32>,
    /// `targetSdkVersion`; `null` where the split has none of its own.
    pub target_sdk: Option<u32>,
    /// Permissions that it asks for beside the base's, by name.
    pub requested_permissions: Vec<RequestedPermission>,
    /// Who signed it; Android takes it only when they are the base's.
    pub signers: Fact<Vec<Signer>>,
}

/// Whoever signed a package file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// SHA-256 of the certificate in DER, lower-case hex; `null` where only the number is known.
    pub sha256: Option<String>,
    /// Java's 32-bit `Arrays.hashCode` of the certificate, eight hex digits, as `dumpsys package` prints it. Two
    /// certificates may share one: it links, it proves nothing. Empty where another program's capture tells the digest alone.
    pub hash_code: String,
    /// Signature scheme that names the signer: `v1`, `v2`, `v3`, `v3.1`; `null` where a device tells it.
    pub scheme: Option<String>,
    /// How sure it is.
    pub depth: SignerDepth,
    /// Name of the published key that it is: anybody can sign with it. Absent for a key that is not known as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_key: Option<String>,
    /// Former certificates of a proof of rotation, oldest first, as the file claims them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastSigner>,
    /// The one certificate of this number that was read on the device, of another file: most likely this signer's, and no
    /// proof that it is. Absent where the file itself was read, and where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<LinkedCertificate>,
}

/// A certificate that a 32-bit number leads to. No rule takes it for the signer's: see [`Signer::linked`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkedCertificate {
    /// SHA-256 of the certificate in DER, lower-case hex.
    pub sha256: String,
    /// The package file that it was read of.
    pub path: String,
    /// Name of the published key that it is; absent for a key that is not known as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_key: Option<String>,
}

/// A certificate that a signer's own has replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PastSigner {
    /// SHA-256 of the certificate in DER, lower-case hex.
    pub sha256: String,
    /// Whether it is still trusted with permissions.
    pub permission: bool,
}

/// How a signer was established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignerDepth {
    /// The file claims it: the certificate stands in a signature that was not verified.
    Claimed,
    /// The signature was verified over the file's contents.
    Verified,
    /// The running device accepted it, and prints its 32-bit number.
    Device,
}

/// Code of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Whether there is code to run: DEX in the file, or, told by a device, the flag `HAS_CODE`.
    pub present: bool,
    /// `classes*.dex` files; `null` where the file was not read.
    pub dex_files: Option<u32>,
    /// Their length in bytes, uncompressed; `null` where the file was not read.
    pub dex_bytes: Option<u64>,
    /// Classes that they define; absent where a file's header can't be read, or the file was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<u64>,
    /// ABIs with native libraries, sorted.
    pub abis: Vec<String>,
    /// Length of the package file in bytes; `null` where it was not read.
    pub file_bytes: Option<u64>,
    /// Why it is no full app; absent for one that is, and where the file was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stub: Option<StubReason>,
    /// Classes by prefix; absent where they were not counted, as when nobody asked (`--classes`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_counts: Option<Fact<ClassCounts>>,
    /// Every native library, by ABI and name; absent where they were not read, as when nobody asked (`--native`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libraries: Option<Fact<Vec<NativeLibrary>>>,
}

/// Classes of a package, counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassCounts {
    /// By the first three parts of their package, by name.
    pub prefixes: Vec<PrefixCount>,
    /// Of known SDKs, by prefix.
    pub sdks: Vec<SdkCount>,
}

/// Classes with one prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixCount {
    /// `com.example.app`; empty for classes without a package.
    pub prefix: String,
    /// Their number.
    pub classes: u64,
}

/// Classes of a known SDK.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SdkCount {
    /// The package that it lives in.
    pub prefix: String,
    /// Name of the product.
    pub name: String,
    /// `ads`, `analytics`, `crash`, `push`, `attribution`, `identity`, `payment`, `store` or `library`.
    pub kind: String,
    /// Their number.
    pub classes: u64,
}

impl Code {
    /// Whether it carries native code, and none for 64 bits.
    #[must_use]
    pub fn is_32_bit_only(&self) -> bool {
        !self.abis.is_empty() && !self.abis.iter().any(|abi| abi.contains("64"))
    }
}

/// State of a package for one user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserState {
    /// User id.
    pub user: u32,
    /// `installed=`: false for a package that was uninstalled for this user.
    pub installed: bool,
    /// `hidden=`.
    pub hidden: bool,
    /// `suspended=`.
    pub suspended: bool,
    /// `stopped=`: was never started, or force-stopped.
    pub stopped: bool,
    /// `enabled=`.
    pub enabled: Enabled,
    /// Package or process that disabled it, where the device says.
    pub last_disabled_caller: Option<String>,
}

impl UserState {
    /// What keeps the package from the user, in words; empty where nothing does. [`Enabled::Unrecognised`] may or may not.
    #[must_use]
    pub fn hindrances(&self) -> Vec<&'static str> {
        let disabled = matches!(self.enabled, Enabled::Disabled | Enabled::DisabledByUser | Enabled::DisabledUntilUsed);
        [
            (!self.installed, "not installed"),
            (self.hidden, "hidden"),
            (self.suspended, "suspended"),
            (disabled, "disabled"),
        ]
        .into_iter()
        .filter_map(|(holds, word)| holds.then_some(word))
        .collect()
    }
}

/// `PackageManager.COMPONENT_ENABLED_STATE_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enabled {
    /// As the manifest says (0).
    Default,
    /// Enabled explicitly (1).
    Enabled,
    /// Disabled (2).
    Disabled,
    /// Disabled by the user (3).
    DisabledByUser,
    /// Disabled until it is needed (4).
    DisabledUntilUsed,
    /// A number that no known Android version has.
    Unrecognised,
}
