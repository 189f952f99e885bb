//! The model: what a device or an image ships with, and what could not be learnt about it.
//!
//! An [`Inventory`] is collected once and judged as often as needed, so it holds no verdicts and no rules. Every fact is
//! [`Fact::Known`] with the [`Evidence`] that it was read from, or [`Fact::Unknown`] with a [`Gap`] that says why not.
//! "Absent" is a known fact: an empty list or a `null` value.
//!
//! The JSON form is public: [`SCHEMA_VERSION`] follows semantic versioning (a field that goes or changes its meaning
//! is a new major version), `preloaded schema inventory` prints the schema.

mod conclusion;
mod configuration;
mod controls;
mod device;
mod fact;
mod gap_search;
mod layout;
mod manifest;
mod native;
mod package;
mod permission;
mod prediction;
mod preinstall;
mod role;
mod state;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use conclusion::{
    Arrival, Ground, Presence, PresenceCode, PresenceState, Removability, RemovabilityCode, RemovabilityGrade,
};
pub use configuration::{ConfigValue, PreferredApp};
pub use controls::{Allowlist, Controls, DefaultGrant, DefaultGrants, ListedPermission, SplitPermission};
pub use device::{Device, DeviceKind, OsFlavour, Partition, User};
pub use fact::{Evidence, Fact, Gap, GapReason, Hides, Origin, OriginKind, Origins, SourceId};
pub use layout::{LauncherPlace, LauncherPlaceKind, Layout, LayoutItem, LayoutItemKind, LayoutOrigin};
pub use manifest::{
    ExportedComponent, LabelFacts, LibraryFacts, ManifestFacts, MetaDataFacts, OverlayFacts, QueryFacts, ScreenFacts,
    StubReason, SystemHook,
};
pub use native::{ElfFacts, NativeKind, NativeLibrary, Relro};
pub use package::{
    ClassCounts, Code, CopyRole, Enabled, IntentAnswer, LinkedCertificate, Package, PackageCopy, PastSigner, Placement,
    PrefixCount, SdkCount, Signer, SignerDepth, Split, SplitFile, UserState,
};
pub use permission::{DeclaredPermission, Grant, GrantKind, RequestedPermission};
pub use prediction::{Outcome, PredictedGrant, Reason, ReasonCode};
pub use preinstall::{Condition, Preinstall, PreinstallAction, PreinstallSubject};
pub use role::{Role, RoleDefinition, RoleHolder, RolePermission};
pub use state::{
    Administrator, AdministratorKind, AppOpMode, Chosen, ChosenKind, FirstInstall, Installation, MarketProperty,
    Module, OverlayState, State,
};

/// Version of the JSON form of [`Inventory`].
pub const SCHEMA_VERSION: &str = "1.0";

/// Everything that was learnt about one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: String,
    /// The program that collected it.
    pub tool: Tool,
    /// What was looked at.
    pub target: Target,
    /// Everything that was read, in the order of reading; [`Evidence::source`] counts from 0 in here.
    pub sources: Vec<Origin>,
    /// Who the device or image is.
    pub device: Device,
    /// Users and profiles of a phone, by id. Unknown for an image: it has none before its first boot.
    pub users: Fact<Vec<User>>,
    /// Partitions that were read or should have been, by name.
    pub partitions: Fact<Vec<Partition>>,
    /// Pre-installed packages, by name, unique.
    pub packages: Fact<Vec<Package>>,
    /// Permissions that the platform or a package declares, by name, unique.
    pub permissions: Fact<Vec<DeclaredPermission>>,
    /// What control files say of permissions.
    #[serde(default)]
    pub controls: Fact<Controls>,
    /// Who holds which role, by role, package and user: on a phone what it says, of an image what Android will make of its
    /// configuration at first start.
    #[serde(default)]
    pub role_holders: Fact<Vec<RoleHolder>>,
    /// Roles as the permission controller of an image defines them, by role.
    #[serde(default)]
    pub roles: Fact<Vec<RoleDefinition>>,
    /// What the vendor's files say of apps beside their package files, in order of [`Preinstall`].
    #[serde(default)]
    pub preinstalls: Fact<Vec<Preinstall>>,
    /// Layouts of the home screen, in the order in which launchers ask for them.
    #[serde(default)]
    pub layouts: Fact<Vec<Layout>>,
    /// Values of the platform's configuration that name packages, by name: of the platform's own package and of overlays, as
    /// far as those were read.
    #[serde(default)]
    pub configuration: Fact<Vec<ConfigValue>>,
    /// Apps that open an intent before the user chooses, by package.
    #[serde(default)]
    pub preferred_apps: Fact<Vec<PreferredApp>>,
    /// Apps that are not among the packages, and yet show or arrive, by package, unique.
    #[serde(default)]
    pub arrivals: Fact<Vec<Arrival>>,
    /// What a running device says of itself beside its packages.
    #[serde(default)]
    pub state: Box<State>,
    /// Packages that a store or a person installed: they are not collected, only counted.
    pub omitted_packages: Fact<u64>,
    /// Everything that could not be read, in order of place. A gap of one fact stands at the fact alone.
    pub gaps: Vec<Gap>,
}

/// The program that wrote a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Always `preloaded`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What an inventory was taken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// How it was reached.
    pub kind: TargetKind,
    /// The user's name for it: `adb:SERIAL`, or the file name of an image without its folder.
    pub name: String,
    /// When a phone was read, RFC 3339 in UTC. An image is the same at all times and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// The layers that were opened to reach the partitions, outermost first: `zip`, `sparse`, `ext4`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
}

/// How a target is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A phone over ADB.
    Phone,
    /// Firmware: a file or a set of files.
    Firmware,
    /// A folder laid out as a device's tree.
    Folder,
    /// What another program took of a phone: a bug report, a folder of artifacts.
    Capture,
}

impl TargetKind {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Firmware => "firmware",
            Self::Folder => "folder",
            Self::Capture => "capture",
        }
    }

    /// Whether the device was running: then Android has states of packages, users and grants, which an image has not.
    #[must_use]
    pub fn has_run(self) -> bool {
        matches!(self, Self::Phone | Self::Capture)
    }
}

impl Inventory {
    /// An inventory of nothing: every fact is unknown for `gap`.
    #[must_use]
    pub fn unknown(target: Target, gap: &Gap) -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            tool: Tool::this(),
            target,
            sources: Vec::new(),
            device: Device::unknown(gap),
            users: Fact::Unknown(gap.clone()),
            partitions: Fact::Unknown(gap.clone()),
            packages: Fact::Unknown(gap.clone()),
            permissions: Fact::Unknown(gap.clone()),
            controls: Fact::Unknown(gap.clone()),
            role_holders: Fact::Unknown(gap.clone()),
            roles: Fact::Unknown(gap.clone()),
            preinstalls: Fact::Unknown(gap.clone()),
            layouts: Fact::Unknown(gap.clone()),
            configuration: Fact::Unknown(gap.clone()),
            preferred_apps: Fact::Unknown(gap.clone()),
            arrivals: Fact::Unknown(gap.clone()),
            state: Box::new(State::unknown(gap)),
            omitted_packages: Fact::Unknown(gap.clone()),
            gaps: Vec::new(),
        }
    }

    /// The package of that name, if the list of packages is known and has it.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        let packages = self.packages.known()?;
        let at = packages.binary_search_by(|package| package.name.as_str().cmp(name)).ok()?;
        packages.get(at)
    }

    /// The gaps behind which packages may be hidden: while there is one, "absent" is not proven.
    pub fn gaps_hiding_packages(&self) -> impl Iterator<Item = &Gap> {
        let list = match &self.packages {
            Fact::Unknown(gap) => Some(gap),
            Fact::Known { .. } => None,
        };
        list.into_iter().chain(self.gaps.iter().filter(|gap| gap.hides == Hides::Packages))
    }

    /// Every gap, those of single facts too, each once, in order of place.
    ///
    /// # Errors
    /// Never in practice: an inventory that can't be written as JSON.
    pub fn all_gaps(&self) -> serde_json::Result<Vec<Gap>> {
        // What is written has every fact at some depth, also those that fields yet to come will hold.
        let mut gaps: BTreeSet<Gap> = self.gaps.iter().cloned().collect();
        self.serialize(gap_search::Search { gaps: &mut gaps })?;
        Ok(gaps.into_iter().collect())
    }

    /// The source that `evidence` points to.
    #[must_use]
    pub fn origin(&self, evidence: &Evidence) -> Option<&Origin> {
        self.sources.get(usize::try_from(evidence.source.0).ok()?)
    }

    /// Puts every list into its documented order, so that the same input gives the same bytes. Collectors call it last.
    pub fn normalize(&mut self) {
        /// Sorts a list and drops what stands twice.
        fn sort<T: Ord>(list: &mut Fact<Vec<T>>) {
            if let Fact::Known { value, .. } = list {
                value.sort();
                value.dedup();
            }
        }
        if let Fact::Known { value, .. } = &mut self.users {
            value.sort_by_key(|user| user.id);
        }
        if let Fact::Known { value, .. } = &mut self.partitions {
            value.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if let Fact::Known { value, .. } = &mut self.permissions {
            value.sort();
            value.dedup();
        }
        sort(&mut self.role_holders);
        sort(&mut self.roles);
        sort(&mut self.preinstalls);
        sort(&mut self.layouts);
        sort(&mut self.configuration);
        sort(&mut self.preferred_apps);
        sort(&mut self.arrivals);
        if let Fact::Known { value, .. } = &mut self.packages {
            value.sort_by(|a, b| a.name.cmp(&b.name));
            value.iter_mut().for_each(Package::normalize);
        }
        self.state.normalize();
        if let Fact::Known { value, .. } = &mut self.controls {
            value.normalize();
        }
        self.gaps.sort();
        self.gaps.dedup();
    }
}
