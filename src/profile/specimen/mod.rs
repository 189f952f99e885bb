//! The device of an example: compact TOML that stands for a whole inventory.
//!
//! `device = { ... }`: `source` (`firmware`, `phone`), `kind`, `os`, `sdk`, `brand`, `model`, `fingerprint`, `release`,
//! `build-type`, `build-tags`, `allowlists` (`unset` for none), `security-patch`, `build-date`, `region`, `holders = { browser = "com.a" }` (of a phone),
//! `unknown = ["sdk"]`.
//!
//! `packages = ["com.a", { id = "com.b", ... }]`: `role`, `place`, `path`, `partition`, `version`, `min-sdk`,
//! `target-sdk`, `flags`, `permissions`, `granted`, `granted-by-default`, `fixed`, `predicted`, `predicted-fixed`,
//! `not-foretold`, `signer`, `published-key`, `claimed`, `label`,
//! `code`, `dex-bytes`, `stub`, `classes`, `kits`, `abis`, `libraries` (name and flaws), `launcher`, `enabled`, `installed`, `hidden`, `shared-user`, `installer`, `hooks`, `roles`, `exported`,
//! `cleartext`, `user-authorities`, `allow-backup`, `overlays`, `removability`, `presence`, `launcher-place`, `unknown`. A bare id is a genuine app of the firmware.
//!
//! `hidden = "product"` is a partition that could not be read, `unknown = ["packages"]` a list that could not.

mod code;
pub(super) mod device;
pub(super) mod package;

use super::ProfileError;
use super::settings::{Item, Settings, package as id};
use crate::inventory::{
    Evidence, Fact, Gap, GapReason, Hides, Inventory, Origin, OriginKind, Package, Role, RoleHolder, SourceId, Target,
    TargetKind,
};

fn evidence() -> Evidence {
    Evidence { source: SourceId(0), at: None }
}

fn known<T>(value: T) -> Fact<T> {
    Fact::new(value, &evidence())
}

fn gap() -> Gap {
    Gap::new("example", GapReason::Failed, "unknown in this example")
}

fn hide<T>(fact: &mut Fact<T>) {
    *fact = Fact::Unknown(gap());
}

fn strings(table: &Settings<'_>, key: &str) -> Result<Option<Vec<String>>, ProfileError> {
    Ok(table.texts(key)?.map(|words| words.into_iter().map(|word| word.text.to_owned()).collect()))
}

/// The inventory that an example's table stands for.
pub(super) fn inventory(table: &Settings<'_>) -> Result<Inventory, ProfileError> {
    let device = table.table("device")?;
    let source = match &device {
        Some(device) => device.choice("source", &[("firmware", TargetKind::Firmware), ("phone", TargetKind::Phone)])?,
        None => None,
    };
    let kind = source.unwrap_or(TargetKind::Firmware);
    let target = Target { kind, name: "example".to_owned(), collected_at: None, layers: Vec::new() };
    let not_observed = Gap::new("example", GapReason::NotObserved, "an image does not tell it");
    let mut inventory = Inventory::unknown(target, &not_observed);
    inventory.sources =
        vec![Origin { kind: OriginKind::Listing, name: "example".to_owned(), length: None, sha256: None }];
    device::clean(&mut inventory);
    if let Some(device) = device {
        device::describe(&device, &mut inventory)?;
    }
    let mut packages = Vec::new();
    for item in table.items("packages")? {
        let package = match item {
            Item::Word(word) => package::genuine(&id(&word)?, kind),
            Item::Table(table) => package::described(&table, kind)?,
        };
        if packages.iter().any(|other: &Package| other.name == package.name) {
            return Err(table.error("packages", format!("`{}` stands twice, expected each id once", package.name)));
        }
        packages.push(package);
    }
    inventory.packages = known(packages);
    if let Some(holders) = device.map(|device| device.table("holders")).transpose()?.flatten() {
        let mut list = Vec::new();
        for role in holders.keys() {
            let package = holders.need_package(role.text)?;
            list.push(RoleHolder { role: Role::from_name(role.text), package, user: None });
        }
        inventory.role_holders = known(list);
    }
    if let Some(partition) = table.text("hidden")? {
        let place = format!("partition {}", partition.text);
        inventory.gaps.push(Gap::new(place, GapReason::Damaged, "unknown in this example").hiding(Hides::Packages));
    }
    for name in table.texts("unknown")?.unwrap_or_default() {
        match name.text {
            "packages" => hide(&mut inventory.packages),
            _ => return Err(name.unknown("fact", ["packages"])),
        }
    }
    inventory.normalize();
    Ok(inventory)
}
