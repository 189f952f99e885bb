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
    /// Labels in English and Russian that differ from the default, by locale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelFacts>,
    /// Names of permission groups that it declares, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permission_groups: Vec<String>,
    /// Names below which it may add permissions while it runs, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permission_trees: Vec<String>,
    /// Permissions that it asks for with the word that it derives no place from them, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never_for_location: Vec<String>,
    /// Enabled components that run before the first unlock, as full class names, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direct_boot: Vec<String>,
    /// Processes of its components beside its own, as written, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<String>,
    /// Hosts to which its network configuration permits unencrypted traffic, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleartext_hosts: Vec<String>,
    /// Other packages that it wants to see.
    #[serde(default, skip_serializing_if = "QueryFacts::is_empty")]
    pub queries: QueryFacts,
    /// `auto`, `internal-only` or `prefer-external`; absent where the manifest does not say, which means internal only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_location: Option<String>,
    /// Last API level on which it belongs to its shared user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_user_max_sdk: Option<u32>,
    /// The only screens that it is for; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compatible_screens: Vec<ScreenFacts>,
    /// What the application says to others, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meta_data: Vec<MetaDataFacts>,
}

impl ManifestFacts {
    pub(super) fn normalize(&mut self) {
        self.exported.sort();
        self.exported.dedup();
        self.hooks.sort();
        self.libraries.sort();
        self.libraries.dedup();
        self.labels.sort();
        self.compatible_screens.sort();
        self.compatible_screens.dedup();
        self.meta_data.sort();
        for list in [
            &mut self.roles,
            &mut self.implied_permissions,
            &mut self.required_features,
            &mut self.permission_groups,
            &mut self.permission_trees,
            &mut self.never_for_location,
            &mut self.direct_boot,
            &mut self.processes,
            &mut self.cleartext_hosts,
            &mut self.queries.packages,
            &mut self.queries.actions,
            &mut self.queries.authorities,
        ] {
            list.sort();
            list.dedup();
        }
    }
}

/// A label in one locale.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelFacts {
    /// `en` or `ru`.
    pub locale: String,
    /// The label.
    pub text: String,
}

/// What of other packages a package wants to see. Names, sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryFacts {
    /// Packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Actions that their components answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Authorities of their providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
}

impl QueryFacts {
    fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.actions.is_empty() && self.authorities.is_empty()
    }
}

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenFacts {
    /// 200 small, 300 normal, 400 large, 500 extra large.
    pub size: Option<u32>,
    /// Dots per inch.
    pub density: Option<u32>,
}

/// A `meta-data` element of an application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetaDataFacts {
    /// Its name.
    pub name: String,
    /// Its value, or the resource that it names; `null` for what is no single value.
    pub value: Option<String>,
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
    /// All of them, in declaration order.
    pub const ALL: [Self; 4] = [Self::StubFolder, Self::NoCode, Self::FewClasses, Self::NoComponents];

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
