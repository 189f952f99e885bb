//! What the control files of the partitions say of permissions: `etc/permissions`, `etc/sysconfig` and
//! `etc/default-permissions`. Raw facts, each with its file and line; what follows from them is not decided here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evidence, Fact, Gap};

/// Control files of all partitions. Lists keep to tags that Android honours in the partition where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// `ro.control_privapp_permissions` (`enforce`, `log`, `disable`); `null` where it is not set.
    pub enforcement: Fact<Option<String>>,
    /// `privapp-permissions`: privileged permissions that a privileged app may hold, by partition and package.
    pub privileged: Vec<Allowlist>,
    /// `signature-permissions`: the same for apps with the platform's signature, since Android 15.
    pub signature: Vec<Allowlist>,
    /// `oem-permissions`: permissions of the kind `oem` for apps of `/oem`.
    pub oem: Vec<Allowlist>,
    /// `exception`: runtime permissions that are granted at first boot, by package.
    pub default_grants: Vec<DefaultGrants>,
    /// `split-permission`: permissions that come with others, by name.
    pub split_permissions: Vec<SplitPermission>,
    /// Control files that could not be read: while there is one, nothing is proven to be missing from the lists.
    pub unread: Vec<Gap>,
}

impl Controls {
    pub(super) fn normalize(&mut self) {
        for lists in [&mut self.privileged, &mut self.signature, &mut self.oem] {
            lists.sort();
        }
        self.default_grants.sort();
        self.split_permissions.sort();
        self.unread.sort();
    }
}

/// One `privapp-permissions`, `signature-permissions` or `oem-permissions` element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowlist {
    /// Partition whose apps it is for, by Android's name: `system`, `product`; of an APEX `apex/<name>`.
    pub partition: String,
    /// The package.
    pub package: String,
    /// File and line of the element.
    pub evidence: Evidence,
    /// The hardware variant that it is for, where it stands in a folder `sku_*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// What it lists, in the file's order.
    pub permissions: Vec<ListedPermission>,
}

/// A permission in an [`Allowlist`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListedPermission {
    /// Its name.
    pub name: String,
    /// Line of the list's file, from 1.
    pub line: u32,
    /// True for `deny-permission`: it is refused on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub denied: bool,
}

/// An `exception` element of `etc/default-permissions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultGrants {
    /// The package.
    pub package: String,
    /// SHA-256 of the certificate that it must be signed with, lower-case hex, or `platform`; `null` where any system
    /// package of that name is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Partition of the file.
    pub partition: String,
    /// File and line of the element.
    pub evidence: Evidence,
    /// What it grants, in the file's order.
    pub permissions: Vec<DefaultGrant>,
}

/// A permission in [`DefaultGrants`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultGrant {
    /// Its name.
    pub name: String,
    /// Line of the file, from 1.
    pub line: u32,
    /// Whether the user can't take it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// A `split-permission` element: an app made for a version before `target_sdk` that asks for `permission` asks for `new` too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitPermission {
    /// The permission that was split.
    pub permission: String,
    /// First target for which it no longer holds; `null` where it holds for all.
    pub target_sdk: Option<u32>,
    /// What comes with it, in the file's order.
    pub new: Vec<String>,
    /// File and line of the element.
    pub evidence: Evidence,
}
