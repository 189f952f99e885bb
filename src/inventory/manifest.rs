//! What a package's manifest says beyond its permissions, as far as a scan keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts of one `AndroidManifest.xml`. Names and codes are those of `preloaded apk`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestFacts {
    /// Number of components, disabled ones too.
    pub components: u32,
    /// Enabled components that other apps may use, by kind and name.
    pub exported: Vec<ExportedComponent>,
    /// Where the system calls its components, sorted.
    pub hooks: Vec<SystemHook>,
    /// Roles that it qualifies for (`home`, `dialer`, `sms` ...), sorted.
    pub roles: Vec<String>,
    /// Permissions that Android adds to those asked for, because of the target or of others, sorted.
    pub implied_permissions: Vec<String>,
    /// Whether traffic to hosts without a rule of their own may be unencrypted; `null` where the file that says so can't
    /// be read.
    pub cleartext: Option<bool>,
    /// Whether certificate authorities that a user installed are trusted for such hosts; `null` as above.
    pub user_authorities: Option<bool>,
    /// `allowBackup`; true where the manifest does not say.
    pub allow_backup: bool,
    /// What it overlays, for a resource overlay.
    pub overlay: Option<OverlayFacts>,
    /// Libraries that it is, offers or wants, by kind and name.
    pub libraries: Vec<LibraryFacts>,
    /// Names of features without which it does not run, sorted.
    pub required_features: Vec<String>,
    /// Names that the package had before.
    pub original_packages: Vec<String>,
    /// `sharedUserMaxSdkVersion`: from the next version of Android on the package has a user id of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_user_max_sdk: Option<u32>,
}

impl ManifestFacts {
    pub(super) fn normalize(&mut self) {
        self.exported.sort();
        self.exported.dedup();
        self.hooks.sort();
        self.libraries.sort();
        self.libraries.dedup();
        for list in [&mut self.roles, &mut self.implied_permissions, &mut self.required_features] {
            list.sort();
            list.dedup();
        }
    }
}

/// A component that other apps may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportedComponent {
    /// `activity`, `activity-alias`, `service`, `receiver` or `provider`.
    pub kind: String,
    /// Full class name.
    pub name: String,
    /// Permission that a caller needs; of a provider, to read. `null`: none, open to every app.
    pub permission: Option<String>,
    /// Permission that a caller needs to write to a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_permission: Option<String>,
    /// Authorities of a provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
}

/// A place where the system calls a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemHook {
    /// `device-admin`, `accessibility`, `notification-listener` ...
    pub kind: String,
    /// Full class name of the component.
    pub component: String,
}

/// What a resource overlay changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayFacts {
    /// The package whose resources it changes.
    pub target: Option<String>,
    /// The named set of resources in it.
    pub target_name: Option<String>,
    /// The higher one wins.
    pub priority: u32,
    /// On from the first start, not to be turned off.
    pub is_static: bool,
}

/// A library that a package is, offers or wants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LibraryFacts {
    /// The element: `library`, `static-library`, `sdk-library`, `uses-library`, `uses-static-library` ...
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<u32>,
}

/// Why a package file is no full app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StubReason {
    /// It lies in a folder whose name ends with `-Stub`: Android unpacks the full form at the first start.
    StubFolder,
    /// It has components and should have code, and there is none: neither DEX nor native, nor compiled beside it.
    NoCode,
    /// It declares more components than its DEX files define classes.
    FewClasses,
    /// It has code and nothing that could be started: no components, library, backup agent or instrumentation.
    NoComponents,
}

impl StubReason {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StubFolder => "stub-folder",
            Self::NoCode => "no-code",
            Self::FewClasses => "few-classes",
            Self::NoComponents => "no-components",
        }
    }
}
