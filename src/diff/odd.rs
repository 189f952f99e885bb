//! Devices of a batch that say they are the same build and ship with something else: no profile is needed to see them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Diff, SCHEMA_VERSION, Side, compare};
use crate::inventory::{CopyRole, Fact, Gap, GapReason, Inventory, Package, State, Tool};

/// The odd ones of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OddPreloads {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: String,
    /// The program that compared.
    pub tool: Tool,
    /// Devices with one fingerprint, by fingerprint.
    pub groups: Vec<Group>,
    /// Devices whose fingerprint is not known: they were compared with none.
    pub without_fingerprint: Vec<String>,
}

/// Devices with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// `ro.build.fingerprint`.
    pub fingerprint: String,
    /// Every device, in the order given.
    pub devices: Vec<String>,
    /// The device that stands for the most frequent preloads; of equally frequent ones the first.
    pub usual: String,
    /// How many devices have the usual preloads.
    pub alike: u64,
    /// Devices that differ from it, in the order given.
    pub odd: Vec<OddDevice>,
    /// Devices that could not be compared with it in full, and do not differ in what could be.
    pub undecided: Vec<OddDevice>,
}

/// A device that differs from the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OddDevice {
    /// Its name.
    pub name: String,
    /// How it differs: from the usual device to this one.
    pub diff: Diff,
}

/// What makes preloads the same at first sight: name, place, version and signers of every factory copy.
type Preloads = Vec<(String, Vec<String>)>;

/// Groups a batch by fingerprint and finds those that differ from most of their group.
#[must_use]
pub fn odd(batch: &[&Inventory]) -> OddPreloads {
    let batch: Vec<Inventory> = batch.iter().map(|inventory| as_shipped(inventory)).collect();
    let mut groups: BTreeMap<&str, Vec<&Inventory>> = BTreeMap::new();
    let mut without_fingerprint = Vec::new();
    for inventory in &batch {
        match inventory.device.fingerprint.known() {
            Some(fingerprint) => groups.entry(fingerprint).or_default().push(inventory),
            None => without_fingerprint.push(inventory.target.name.clone()),
        }
    }
    let groups = groups.into_iter().filter_map(|(fingerprint, devices)| group(fingerprint, &devices)).collect();
    OddPreloads { schema_version: SCHEMA_VERSION.to_owned(), tool: Tool::this(), groups, without_fingerprint }
}

fn group(fingerprint: &str, devices: &[&Inventory]) -> Option<Group> {
    let preloads: Vec<Preloads> = devices.iter().map(|inventory| preloads(inventory)).collect();
    let frequency = |of: &Preloads| preloads.iter().filter(|other| *other == of).count();
    // The first of the most frequent.
    let (usual, _) = devices.iter().zip(&preloads).rev().max_by_key(|(_, of)| frequency(of))?;
    let mut group = Group {
        fingerprint: fingerprint.to_owned(),
        devices: devices.iter().map(|inventory| inventory.target.name.clone()).collect(),
        usual: usual.target.name.clone(),
        alike: 0,
        odd: Vec::new(),
        undecided: Vec::new(),
    };
    for inventory in devices {
        if std::ptr::eq(*inventory, *usual) {
            group.alike += 1;
            continue;
        }
        let diff = compare(&side(usual), &side(inventory));
        let device = OddDevice { name: inventory.target.name.clone(), diff };
        match (device.diff.entries.is_empty(), device.diff.is_incomplete()) {
            (false, _) => group.odd.push(device),
            (true, true) => group.undecided.push(device),
            (true, false) => group.alike += 1,
        }
    }
    Some(group)
}

/// The inventory without what an owner or a store may have changed: updates, apps that were added, grants, states, roles.
fn as_shipped(inventory: &Inventory) -> Inventory {
    let gap = Gap::new("batch", GapReason::NotObserved, "not of the firmware, and not compared");
    let mut shipped = inventory.clone();
    shipped.role_holders = Fact::Unknown(gap.clone());
    shipped.state = Box::new(State::unknown(&gap));
    if let Fact::Known { value, .. } = &mut shipped.packages {
        value.retain(Package::is_factory);
        for package in value {
            package.copies.retain(|copy| copy.role == CopyRole::Factory);
            package.users = Fact::Unknown(gap.clone());
            package.grants = Fact::Unknown(gap.clone());
            package.installer = Fact::Unknown(gap.clone());
            package.presence = Fact::Unknown(gap.clone());
            package.predicted_grants = Fact::Unknown(gap.clone());
        }
    }
    shipped
}

fn side(inventory: &Inventory) -> Side<'_> {
    Side { target: &inventory.target, device: &inventory.device, inventory: Some(inventory), assessment: None }
}

fn preloads(inventory: &Inventory) -> Preloads {
    let factory = |package: &Package| {
        let words = package.copies.iter().map(|copy| {
            let signers = copy.signers.known().into_iter().flatten().map(|signer| signer.hash_code.as_str());
            format!("{} {:?} {:?}", copy.path, copy.version_code.known(), signers.collect::<Vec<_>>())
        });
        (package.name.clone(), words.collect::<Vec<_>>())
    };
    inventory.packages.known().into_iter().flatten().map(factory).collect()
}
