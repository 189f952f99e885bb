//! The device itself, and what its control files and properties say.

use super::{hide, known};
use crate::inventory::{Controls, DeviceKind, Inventory, OsFlavour, Partition, TargetKind, User};
use crate::profile::ProfileError;
use crate::profile::settings::Settings;

/// Facts of a device that an example may leave unknown.
pub const FACTS: [&str; 14] = [
    "kind",
    "os",
    "sdk",
    "brand",
    "model",
    "fingerprint",
    "release",
    "build-type",
    "build-tags",
    "allowlists",
    "security-patch",
    "build-date",
    "region",
    "holders",
];

/// Keys of `device` beside its facts.
pub const MORE: [&str; 2] = ["source", "unknown"];

pub(super) fn clean(inventory: &mut Inventory) {
    let device = &mut inventory.device;
    let text = |text: &str| known(text.to_owned());
    device.brand = text("example");
    device.manufacturer = text("example");
    device.model = text("Example One");
    device.device = text("one");
    device.product = text("one_example");
    device.fingerprint = text("example/one_example/one:14/A1/1:user/release-keys");
    device.build = text("A1");
    device.build_type = text("user");
    device.build_tags = text("release-keys");
    device.release = text("14");
    device.sdk = known(34);
    device.security_patch = text("2026-01-01");
    device.build_date = text("2026-01-10");
    device.region = known(None);
    device.locale = known(None);
    device.os_flavour = known(OsFlavour::Android);
    device.kind = known(DeviceKind::Phone);
    if inventory.target.kind == TargetKind::Phone {
        inventory.users = known(vec![User { id: 0, flags: None, running: Some(true) }]);
        inventory.omitted_packages = known(0);
    } else {
        let partition = |name: &str| Partition {
            name: name.to_owned(),
            mount_point: format!("/{name}"),
            filesystem: None,
            length: None,
            packages: 0,
        };
        inventory.partitions = known(vec![partition("product"), partition("system")]);
    }
    inventory.permissions = known(Vec::new());
    allowlists(inventory, Some("enforce"));
    inventory.role_holders = known(Vec::new());
    inventory.preinstalls = known(Vec::new());
    inventory.layouts = known(Vec::new());
    inventory.configuration = known(Vec::new());
    inventory.preferred_apps = known(Vec::new());
    inventory.arrivals = known(Vec::new());
}

pub(super) fn describe(table: &Settings<'_>, inventory: &mut Inventory) -> Result<(), ProfileError> {
    let keys: Vec<&str> = FACTS.iter().copied().chain(MORE).collect();
    table.only(&keys)?;
    if let Some(mode) = table.text("allowlists")? {
        allowlists(inventory, Some(mode.text).filter(|mode| *mode != "unset"));
    }
    let device = &mut inventory.device;
    if let Some(kind) = table.choice("kind", &DeviceKind::ALL.map(|kind| (kind.as_str(), kind)))? {
        device.kind = known(kind);
    }
    if let Some(os) = table.choice("os", &OsFlavour::ALL.map(|flavour| (flavour.as_str(), flavour)))? {
        device.os_flavour = known(os);
    }
    if let Some(sdk) = table.small_number("sdk")? {
        device.sdk = known(sdk);
    }
    for (key, fact) in [
        ("brand", &mut device.brand),
        ("model", &mut device.model),
        ("fingerprint", &mut device.fingerprint),
        ("release", &mut device.release),
        ("build-type", &mut device.build_type),
        ("build-tags", &mut device.build_tags),
    ] {
        if let Some(word) = table.text(key)? {
            *fact = known(word.text.to_owned());
        }
    }
    for (key, fact) in [("security-patch", &mut device.security_patch), ("build-date", &mut device.build_date)] {
        if let Some(date) = table.date(key)? {
            *fact = known(date.to_string());
        }
    }
    if let Some(region) = table.text("region")? {
        device.region = known(Some(region.text.to_owned()));
    }
    for name in table.texts("unknown")?.unwrap_or_default() {
        match name.text {
            "allowlists" => {
                hide(&mut inventory.controls);
                hide(&mut inventory.state.privileged_allowlists);
            }
            "kind" => hide(&mut device.kind),
            "os" => hide(&mut device.os_flavour),
            "sdk" => hide(&mut device.sdk),
            "brand" => hide(&mut device.brand),
            "model" => hide(&mut device.model),
            "fingerprint" => hide(&mut device.fingerprint),
            "release" => hide(&mut device.release),
            "build-type" => hide(&mut device.build_type),
            "build-tags" => hide(&mut device.build_tags),
            "security-patch" => hide(&mut device.security_patch),
            "build-date" => hide(&mut device.build_date),
            "region" => hide(&mut device.region),
            "holders" => hide(&mut inventory.role_holders),
            _ => return Err(name.unknown("fact of a device", FACTS)),
        }
    }
    Ok(())
}

/// No control file says anything; `mode` is `ro.control_privapp_permissions`.
fn allowlists(inventory: &mut Inventory, mode: Option<&str>) {
    let mode = || known(mode.map(str::to_owned));
    if inventory.target.kind == TargetKind::Phone {
        inventory.state.privileged_allowlists = mode();
        return;
    }
    inventory.controls = known(Controls {
        enforcement: mode(),
        privileged: Vec::new(),
        signature: Vec::new(),
        oem: Vec::new(),
        default_grants: Vec::new(),
        split_permissions: Vec::new(),
        unread: Vec::new(),
    });
}
