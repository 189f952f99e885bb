//! Permissions: asked for, declared, granted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A permission that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedPermission {
    /// The permission's name.
    pub name: String,
    /// `maxSdkVersion`: not asked for on later versions of Android.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sdk: Option<u32>,
    /// `uses-permission-sdk-23`: asked for on Android 6 and later only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sdk_23: bool,
}

/// A permission that a package or the platform declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredPermission {
    /// The permission's name.
    pub name: String,
    /// The package that declares it.
    pub package: String,
    /// Protection level in Android's words: `signature|privileged`; `null` where it is a reference that was not resolved.
    pub protection: Option<String>,
    /// The group that it is shown in, where the manifest names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Certificates that `knownCerts` names, SHA-256 in lower-case hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_certificates: Vec<String>,
}

/// Whether a permission is granted to a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// User id; `null` for an install permission, which holds for all users.
    pub user: Option<u32>,
    /// The permission's name.
    pub permission: String,
    /// How such a permission is granted.
    pub kind: GrantKind,
    /// Whether it is.
    pub granted: bool,
    /// Flags in Android's words (`SYSTEM_FIXED`, `GRANTED_BY_DEFAULT` ...), in the device's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// How a permission is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// At installation, for all users.
    Install,
    /// While running, for each user apart.
    Runtime,
    /// Another program's capture tells whether it is granted, and neither how nor by whom.
    Untold,
}
