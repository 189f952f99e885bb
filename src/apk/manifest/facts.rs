//! What a manifest says, as types. Lists are in manifest order unless said otherwise; names stand as in the file.

use serde::Serialize;

/// Facts of `AndroidManifest.xml`, references to the file's own resources resolved in the default configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// `package`.
    pub package: String,
    /// `versionCodeMajor` in the upper, `versionCode` in the lower 32 bits.
    pub version_code: u64,
    /// `versionName`.
    pub version_name: Option<String>,
    /// `minSdkVersion`; 1 where there is none, 10,000 for a codename of a version under development.
    pub min_sdk: u32,
    /// `targetSdkVersion`; the minimum where there is none, 10,000 for a codename.
    pub target_sdk: u32,
    /// `split`: the name of a split APK; `None` for a base.
    pub split: Option<String>,
    /// `isFeatureSplit`.
    pub is_feature_split: bool,
    /// `sharedUserId`.
    pub shared_user: Option<String>,
    /// `sharedUserMaxSdkVersion`: on a newer system the package leaves the shared user.
    pub shared_user_max_sdk: Option<u32>,
    /// `installLocation`: 0 auto, 1 internal only, 2 prefer external.
    pub install_location: Option<u32>,
    /// `original-package`: names that the package had before.
    pub original_packages: Vec<String>,
    /// `application android:label`, resolved where it refers to the file's own resources.
    pub label: Option<String>,
    /// The label in each locale that was asked for: the default where there is no translation.
    pub labels: Vec<Label>,
    /// Enabled activities and aliases with a MAIN and LAUNCHER filter, as full class names, in manifest order.
    pub launcher: Vec<String>,
    /// `uses-permission` and `uses-permission-sdk-23`, in manifest order.
    pub requested_permissions: Vec<RequestedPermission>,
    /// `permission`, in manifest order.
    pub declared_permissions: Vec<DeclaredPermission>,
    /// Names of `permission-group`.
    pub permission_groups: Vec<String>,
    /// Names of `permission-tree`.
    pub permission_trees: Vec<String>,
    /// Activities, aliases, services, receivers and providers. One without a name is nothing to Android.
    pub components: Vec<Component>,
    /// `hasCode` of the application; true where it is not said.
    pub has_code: bool,
    /// `application android:enabled`; true where it is not said.
    pub enabled: bool,
    /// Whether a `backupAgent` is named.
    pub has_backup_agent: bool,
    /// `allowBackup`; true where it is not said.
    pub allow_backup: bool,
    /// `usesCleartextTraffic`, where it is said.
    pub uses_cleartext_traffic: Option<bool>,
    /// Path of the file that `networkSecurityConfig` refers to.
    pub network_security_config: Option<String>,
    /// Attributes of `application` and `manifest` that are set to true: `debuggable`, `testOnly`, `persistent`,
    /// `coreApp` ..., sorted.
    pub flags: Vec<String>,
    /// `meta-data` of the application.
    pub meta_data: Vec<MetaData>,
    /// Libraries that it offers and wants.
    pub libraries: Vec<Library>,
    /// `uses-feature`.
    pub features: Vec<Feature>,
    /// `screen` of `compatible-screens`: the only screens that it is for. Empty: any.
    pub compatible_screens: Vec<Screen>,
    /// `instrumentation`: code that a test runs within another package.
    pub instrumentations: Vec<Instrumentation>,
    /// Names in `uses-split`: splits that a split needs beside the base.
    pub uses_splits: Vec<String>,
    /// `queries`: what of other packages it wants to see.
    pub queries: Queries,
    /// `overlay android:targetPackage`, for a resource overlay.
    pub overlay_target: Option<String>,
    /// The `overlay` element.
    pub overlay: Option<Overlay>,
    /// Values of the above that are resources of a package that was not at hand, the platform's as a rule: they read as
    /// absent. At most 256, each once.
    pub unresolved: Vec<Unresolved>,
}

/// A value that stayed a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// The element's tag.
    pub element: String,
    /// `name` of the element, where it has one.
    pub name: Option<String>,
    /// The attribute's name.
    pub attribute: &'static str,
    /// The resource: `@0x0104000a`.
    pub reference: String,
}

/// A label in one locale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// As it was asked for: `ru`, `pt-BR`.
    pub locale: String,
    /// The label.
    pub text: String,
}

/// A `uses-permission` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestedPermission {
    /// `name`.
    pub name: String,
    /// `maxSdkVersion`.
    pub max_sdk: Option<u32>,
    /// Whether the element is `uses-permission-sdk-23`.
    pub sdk_23: bool,
    /// `usesPermissionFlags` has `neverForLocation`: the app says that it derives no place from what it gets.
    pub never_for_location: bool,
}

/// A `permission` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredPermission {
    /// `name`.
    pub name: String,
    /// `protectionLevel` as a number; 0 (normal) where there is none, `None` where it is a reference that was not resolved.
    pub protection_level: Option<u32>,
    /// `permissionGroup`.
    pub group: Option<String>,
    /// `permissionFlags`: 1 costs money, 2 removed, 4 hard restricted, 8 soft restricted, 16 immutably restricted.
    pub flags: u32,
}

/// What kind of component an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// `activity`.
    Activity,
    /// `activity-alias`.
    ActivityAlias,
    /// `service`.
    Service,
    /// `receiver`.
    Receiver,
    /// `provider`.
    Provider,
}

impl ComponentKind {
    /// The element's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::ActivityAlias => "activity-alias",
            Self::Service => "service",
            Self::Receiver => "receiver",
            Self::Provider => "provider",
        }
    }
}

/// A component with the values that Android gives it where the manifest is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// Full class name.
    pub name: String,
    /// Whether other apps may use it. Not said: true for a provider of a target below 17, and for anything else with a
    /// filter (with a target from 31 Android refuses to install that).
    pub exported: bool,
    /// Whether `exported` stands in the manifest.
    pub exported_said: bool,
    /// Whether it and the application are enabled.
    pub enabled: bool,
    /// `permission`, else the application's (an alias does not take that).
    pub permission: Option<String>,
    /// `readPermission` of a provider, else its `permission`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_permission: Option<String>,
    /// `writePermission` of a provider, else its `permission`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_permission: Option<String>,
    /// `process` as it is written, else the application's.
    pub process: Option<String>,
    /// `directBootAware`: runs before the first unlock.
    pub direct_boot: bool,
    /// `targetActivity` of an alias, as a full class name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `authorities` of a provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// `grantUriPermissions` of a provider.
    #[serde(skip_serializing_if = "is_false")]
    pub grants_uri: bool,
    /// Its intent filters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<IntentFilter>,
    /// Its `meta-data`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meta_data: Vec<MetaData>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// An `intent-filter`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct IntentFilter {
    /// `priority`; 0 where there is none.
    pub priority: i32,
    /// Names of `action`.
    pub actions: Vec<String>,
    /// Names of `category`.
    pub categories: Vec<String>,
    /// `scheme` of `data`, without doubles.
    pub schemes: Vec<String>,
    /// `host` of `data`, without doubles.
    pub hosts: Vec<String>,
    /// `mimeType` of `data`, without doubles.
    pub mime_types: Vec<String>,
}

impl IntentFilter {
    /// Whether it has this action.
    #[must_use]
    pub fn has_action(&self, action: &str) -> bool {
        self.actions.iter().any(|found| found == action)
    }

    /// Whether it has this category.
    #[must_use]
    pub fn has_category(&self, category: &str) -> bool {
        self.categories.iter().any(|found| found == category)
    }

    /// Whether it has this scheme.
    #[must_use]
    pub fn has_scheme(&self, scheme: &str) -> bool {
        self.schemes.iter().any(|found| found == scheme)
    }
}

/// A `meta-data` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetaData {
    /// `name`.
    pub name: String,
    /// `value` or, where a resource is named, what that is in the default configuration; `None` where it has no single value.
    pub value: Option<String>,
}

/// What a library element says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryKind {
    /// `library`: the package offers it.
    Library,
    /// `static-library`: the package is it.
    StaticLibrary,
    /// `sdk-library`: the package is it.
    SdkLibrary,
    /// `uses-library`.
    UsesLibrary,
    /// `uses-native-library`.
    UsesNativeLibrary,
    /// `uses-static-library`.
    UsesStaticLibrary,
    /// `uses-sdk-library`.
    UsesSdkLibrary,
}

impl LibraryKind {
    /// The element's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::StaticLibrary => "static-library",
            Self::SdkLibrary => "sdk-library",
            Self::UsesLibrary => "uses-library",
            Self::UsesNativeLibrary => "uses-native-library",
            Self::UsesStaticLibrary => "uses-static-library",
            Self::UsesSdkLibrary => "uses-sdk-library",
        }
    }
}

/// A library that a package offers or wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    /// Offered or wanted.
    pub kind: LibraryKind,
    /// `name`.
    pub name: String,
    /// `version`, for static libraries, or `versionMajor`, for SDK libraries.
    pub version: Option<u32>,
    /// `required`; true where it is not said.
    pub required: bool,
}

/// A `uses-feature` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// `name`; `None` for one that wants a version of OpenGL ES.
    pub name: Option<String>,
    /// `glEsVersion`: major in the upper, minor in the lower 16 bits.
    pub gl_es_version: Option<u32>,
    /// `required`; true where it is not said.
    pub required: bool,
}

/// An `instrumentation` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instrumentation {
    /// `name` as it is written.
    pub name: Option<String>,
    /// `targetPackage`.
    pub target: Option<String>,
}

/// A `screen` of `compatible-screens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Screen {
    /// `screenSize`: 200 small, 300 normal, 400 large, 500 extra large.
    pub size: Option<u32>,
    /// `screenDensity` in dots per inch.
    pub density: Option<u32>,
}

/// The `queries` element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Queries {
    /// Names of packages.
    pub packages: Vec<String>,
    /// Actions of `intent`.
    pub actions: Vec<String>,
    /// Authorities of providers.
    pub authorities: Vec<String>,
}

/// The `overlay` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlay {
    /// `targetPackage`.
    pub target: Option<String>,
    /// `targetName`: the overlayable that it is for.
    pub target_name: Option<String>,
    /// `category`.
    pub category: Option<String>,
    /// `priority`; 0 where there is none.
    pub priority: u32,
    /// `isStatic`: on from the first start, not to be turned off.
    pub is_static: bool,
}
