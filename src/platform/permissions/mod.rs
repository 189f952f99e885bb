//! What is known of a permission: who declares it, at which level.
//!
//! A package's declaration counts when it is the first of its name in Android's order of scanning: the platform, then
//! `/system`, `/vendor`, `/odm`, `/oem`, `/product`, `/system_ext`, in each `priv-app` before `app`, APEXes last; a later one
//! of another package is ignored (AOSP `Permission.createOrUpdate`: a system package keeps its own). Folders of one place are
//! read in no fixed order, so two declarations there are a contradiction. Where the platform's own file was not read, a
//! built-in table of AOSP steps in ([`table`]), and the answer says so.

mod table;

use std::collections::BTreeMap;

use super::protection;
use crate::inventory::{CopyRole, Evidence, Inventory, PackageCopy, Placement, SplitPermission, TargetKind};

pub use table::OLDEST as OLDEST_TABLE;

/// Name of the platform's package.
pub const PLATFORM: &str = "android";

/// What is known of all permissions of a device.
#[derive(Debug)]
pub struct Permissions<'a> {
    sdk: u32,
    declared: BTreeMap<&'a str, Vec<Declaration<'a>>>,
    /// Whether the platform's own declarations are among them.
    has_platform: bool,
    /// From a phone: what it lists is all there is.
    complete: bool,
}

#[derive(Debug, Clone)]
struct Declaration<'a> {
    rank: u32,
    definition: Definition<'a>,
}

/// A permission as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition<'a> {
    /// The package that declares it.
    pub package: &'a str,
    /// Protection level as a number (see [`protection`]); `None` where it could not be resolved.
    pub level: Option<u32>,
    /// Certificates that `knownSigner` names, SHA-256 in lower-case hex.
    pub known_certificates: &'a [String],
    /// Where that is known from.
    pub source: Source<'a>,
}

/// Where a [`Definition`] comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// A manifest of the device, or the device's own list.
    Declared(Option<&'a Evidence>),
    /// The built-in table of AOSP at this API level; `exact` is false where the device has another one.
    Table {
        /// API level of the table.
        sdk: u32,
        /// Whether it is the device's own.
        exact: bool,
    },
}

/// What became of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// One definition.
    One(Definition<'a>),
    /// Several packages of one place declare it: whichever is read first counts.
    Several(Vec<Definition<'a>>),
    /// Nobody declares it.
    Undefined,
    /// Nobody who was read declares it, and the platform's own list is not known for sure.
    NotKnown,
}

impl<'a> Permissions<'a> {
    /// Those of an inventory. `sdk` is the API level of its platform.
    #[must_use]
    pub fn of(inventory: &'a Inventory, sdk: u32) -> Self {
        let mut found = Self { sdk, declared: BTreeMap::new(), has_platform: false, complete: false };
        if inventory.target.kind == TargetKind::Phone {
            found.of_phone(inventory);
        } else {
            found.of_image(inventory);
        }
        found
    }

    /// The same, by the API level that the inventory names; `None` where it names none.
    #[must_use]
    pub fn of_device(inventory: &'a Inventory) -> Option<Self> {
        inventory.device.sdk.known().map(|sdk| Self::of(inventory, *sdk))
    }

    fn of_phone(&mut self, inventory: &'a Inventory) {
        self.complete = inventory.permissions.known().is_some();
        self.has_platform = self.complete;
        for permission in inventory.permissions.known().into_iter().flatten() {
            let definition = Definition {
                package: &permission.package,
                level: permission.protection.as_deref().and_then(protection::level),
                known_certificates: &permission.known_certificates,
                source: Source::Declared(inventory.permissions.evidence()),
            };
            self.declared.entry(&permission.name).or_default().push(Declaration { rank: 0, definition });
        }
    }

    fn of_image(&mut self, inventory: &'a Inventory) {
        for package in inventory.packages.known().into_iter().flatten() {
            for copy in &package.copies {
                let Some(rank) = rank(&package.name, copy) else { continue };
                let Some(declared) = copy.declared_permissions.known() else { continue };
                self.has_platform |= package.name == PLATFORM && !declared.is_empty();
                for permission in declared {
                    let definition = Definition {
                        package: &package.name,
                        level: permission.protection.as_deref().and_then(protection::level),
                        known_certificates: &permission.known_certificates,
                        source: Source::Declared(copy.declared_permissions.evidence()),
                    };
                    self.declared.entry(&permission.name).or_default().push(Declaration { rank, definition });
                }
            }
        }
        for declarations in self.declared.values_mut() {
            declarations.sort_by_key(|declaration| declaration.rank);
        }
    }

    /// What counts for the permission of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Lookup<'a> {
        let declared = self.declared.get(name).map(Vec::as_slice).unwrap_or_default();
        if !self.has_platform && !self.complete {
            // The platform is read first, so its table goes before what others declare.
            if let Some((level, sdk)) = table::level(name, self.sdk) {
                let exact = sdk == self.sdk;
                let source = Source::Table { sdk, exact };
                let definition = Definition { package: PLATFORM, level: Some(level), known_certificates: &[], source };
                return Lookup::One(definition);
            }
        }
        let Some(first) = declared.first() else {
            return if self.has_platform || self.complete { Lookup::Undefined } else { Lookup::NotKnown };
        };
        let mut same: Vec<Definition<'a>> = Vec::new();
        for declaration in declared.iter().take_while(|other| other.rank == first.rank) {
            let again = |other: &Definition<'_>| {
                other.package == declaration.definition.package && other.level == declaration.definition.level
            };
            if !same.iter().any(again) {
                same.push(declaration.definition.clone());
            }
        }
        if same.len() == 1 { Lookup::One(first.definition.clone()) } else { Lookup::Several(same) }
    }
}

/// Splits that hold on the device: those of its files or, where none was read, the built-in ones.
#[must_use]
pub fn splits(inventory: &Inventory, sdk: u32) -> Vec<SplitPermission> {
    let own = inventory.controls.known().map(|controls| controls.split_permissions.clone()).unwrap_or_default();
    if own.is_empty() { table::splits(sdk) } else { own }
}

/// Partitions in the order in which Android reads them.
const PARTITIONS: [&str; 7] = ["system", "vendor", "odm", "oem", "product", "product_services", "system_ext"];

/// Place of a copy in the order of scanning; `None` for one that Android does not load as part of the system.
#[must_use]
pub fn rank(package: &str, copy: &PackageCopy) -> Option<u32> {
    if copy.role != CopyRole::Factory {
        return None;
    }
    let partition = copy.partition.known()?.as_str();
    let partition = PARTITIONS.iter().position(|name| *name == partition).unwrap_or(PARTITIONS.len());
    let partition = u32::try_from(partition).unwrap_or(u32::MAX >> 2);
    match copy.placement.known()? {
        Placement::Framework => Some(if package == PLATFORM { 0 } else { 2 }),
        Placement::Overlay => Some(1),
        Placement::Privileged => Some(10 + 2 * partition),
        Placement::System => Some(11 + 2 * partition),
        Placement::Apex => Some(100),
        Placement::RemovablePreload | Placement::Data | Placement::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{DeclaredPermission, Fact, Package};
    use crate::platform::protection::{DANGEROUS, NORMAL, PRIVILEGED, SIGNATURE};
    use crate::platform::sample::{app, image, known, with};

    fn declaring(package: &str, path: &str, name: &str, level: &str) -> Package {
        let mut found = app(package);
        let (partition, placement) = crate::platform::placement::classify(path);
        for copy in &mut found.copies {
            copy.path = path.to_owned();
            copy.partition = known(partition.clone());
            copy.placement = known(placement);
            copy.declared_permissions = known(vec![DeclaredPermission {
                name: name.to_owned(),
                package: package.to_owned(),
                protection: Some(level.to_owned()),
                group: None,
                known_certificates: Vec::new(),
            }]);
        }
        found
    }

    fn level(lookup: &Lookup<'_>) -> Option<(String, u32)> {
        match lookup {
            Lookup::One(definition) => Some((definition.package.to_owned(), definition.level.unwrap())),
            _ => None,
        }
    }

    #[test]
    fn the_first_declaration_in_the_order_of_scanning_counts() {
        let inventory = with(
            image(),
            [
                declaring("b", "/system/app/B/B.apk", "p", "normal"),
                declaring("a", "/product/priv-app/A/A.apk", "p", "dangerous"),
                declaring("c", "/system/priv-app/C/C.apk", "p", "signature"),
            ],
        );
        let found = Permissions::of(&inventory, 34).get("p");
        assert_eq!(level(&found), Some(("c".to_owned(), SIGNATURE)));
    }

    #[test]
    fn two_packages_of_one_place_contradict_each_other() {
        let inventory = with(
            image(),
            [
                declaring("a", "/system/app/A/A.apk", "p", "normal"),
                declaring("b", "/system/app/B/B.apk", "p", "dangerous"),
            ],
        );
        let Lookup::Several(found) = Permissions::of(&inventory, 34).get("p") else { panic!("one") };
        assert_eq!(found.iter().map(|d| d.level).collect::<Vec<_>>(), [Some(NORMAL), Some(DANGEROUS)]);
    }

    #[test]
    fn the_table_steps_in_only_where_the_platform_was_not_read() {
        let network = "android.permission.INTERNET";
        let without = image();
        let Lookup::One(found) = Permissions::of(&without, 29).get(network) else { panic!() };
        assert_eq!(found.source, Source::Table { sdk: 29, exact: true });
        assert_eq!(Permissions::of(&without, 29).get("android.permission.INTERNETS"), Lookup::NotKnown);
        let own = declaring(PLATFORM, "/system/framework/framework-res.apk", "x", "normal");
        let inventory = with(image(), [own]);
        assert_eq!(Permissions::of(&inventory, 29).get(network), Lookup::Undefined);
    }

    #[test]
    fn a_level_above_the_newest_table_takes_the_newest_and_says_so() {
        let without = image();
        let name = "android.permission.CALL_PRIVILEGED";
        let Lookup::One(found) = Permissions::of(&without, 40).get(name) else { panic!() };
        assert_eq!(found.level, Some(SIGNATURE | PRIVILEGED));
        assert_eq!(found.source, Source::Table { sdk: 36, exact: false });
    }

    #[test]
    fn what_lies_in_no_scanned_place_declares_nothing() {
        let mut removable = declaring("a", "/product/data-app/A/A.apk", "p", "normal");
        assert_eq!(rank("a", &removable.copies[0]), None);
        removable.copies[0].placement =
            Fact::Unknown(crate::inventory::Gap::new("x", crate::inventory::GapReason::Missing, "x"));
        assert_eq!(rank("a", &removable.copies[0]), None);
    }
}
