//! `PackageDeviceInfo.deviceinfo.json` of Android's Compatibility Test Suite.
//!
//! ```text
//! {"package": [{"name": ..., "version_name": ..., "dir": "/system/app/X/X.apk", "system_priv": false,
//!   "min_sdk": 21, "target_sdk": 34, "has_system_uid": false, "uid": 10001, "sha256_cert": "AA:BB...",
//!   "requested_permissions": [{"name": ..., "protection_level": 1, "protection_level_flags": 0, "is_granted": true}]}]}
//! ```
//!
//! The collector grew, by its source (`PackageDeviceInfo.java` of 2015 to 2024): `uid` came after the others, `dir` after that
//! and not in every branch, `is_granted` of each permission and `sha256_file` last. Permissions that the device does not
//! define are left out of `requested_permissions` from the start. `sha256_cert` is the first of what Android's older
//! interface names: the oldest certificate of a key that was replaced, one of several signers. It is told as it stands,
//! and no signer is known by it. A package without `dir` whose place nothing else tells is counted and not listed, since
//! the suite's own apps are on such a device too.

use serde_json::Value;

use super::document::{self, Document, number, package, text, untold};
use crate::collect::{Request, SourceError};
use crate::inventory::{
    CopyRole, Fact, Gap, GapReason, Grant, GrantKind, Hides, Inventory, Origins, Package, RequestedPermission, Target,
};

/// Names of packages that one gap lists.
const NAMED: usize = 5;

pub(super) fn read(
    documents: &[Document],
    target: &Target,
    request: &Request,
) -> Result<Option<Inventory>, SourceError> {
    let is_package = |value: &Value| text(value, "name").is_some() && value.get("requested_permissions").is_some();
    let found = documents.iter().find_map(|document| {
        let list = document.list("package")?;
        list.first().is_some_and(is_package).then_some((document, list))
    });
    let Some((document, list)) = found else { return Ok(None) };
    let gap = untold(&document.name);
    let mut origins = Origins::default();
    let whole = origins.evidence(document.origin());
    let mut inventory = Inventory::unknown(target.clone(), &gap);
    let mut packages: Vec<Package> = Vec::new();
    let (mut omitted, mut placeless) = (0_u64, Vec::new());
    for (position, value) in list.iter().enumerate() {
        let Some(name) = text(value, "name") else {
            let words = format!("package {position} has no name");
            inventory.gaps.push(Gap::new(&document.name, GapReason::Damaged, words).hiding(Hides::Packages));
            continue;
        };
        let at = whole.at(format!("package {position}"));
        let dir = text(value, "dir").filter(|dir| dir.starts_with('/'));
        let privileged = value.get("system_priv").and_then(Value::as_bool) == Some(true);
        let path = match dir {
            Some(dir) => dir.to_owned(),
            // The collector's own meaning of the word.
            None if privileged => "/system/priv-app/".to_owned(),
            None => {
                placeless.push(name);
                continue;
            }
        };
        let in_data = path.starts_with("/data/");
        if in_data && !request.also.contains(name) {
            omitted += 1;
            continue;
        }
        let role = if in_data { CopyRole::Added } else { CopyRole::Factory };
        let mut built = package(name, &path, role, &at, &gap);
        if let Some(uid) = number(value, "uid").and_then(|uid| u32::try_from(uid).ok()) {
            built.uid = Fact::new(uid, &at);
        }
        if let Some(copy) = built.copies.first_mut() {
            if value.get("version_name").is_some() {
                copy.version_name = Fact::new(text(value, "version_name").map(str::to_owned), &at);
            }
            let sdk = |key| number(value, key).and_then(|sdk| u32::try_from(sdk).ok()).filter(|sdk| *sdk > 0);
            copy.min_sdk = sdk("min_sdk").map_or_else(|| Fact::Unknown(gap.clone()), |sdk| Fact::new(sdk, &at));
            copy.target_sdk = sdk("target_sdk").map_or_else(|| Fact::Unknown(gap.clone()), |sdk| Fact::new(sdk, &at));
            if let Some(code) = number(value, "version_code") {
                copy.version_code = Fact::new(code, &at);
            }
            if let Some(list) = value.get("requested_permissions").and_then(Value::as_array) {
                let plain = |value: &Value| {
                    Some(RequestedPermission { name: text(value, "name")?.to_owned(), max_sdk: None, sdk_23: false })
                };
                let at = at.at(format!("package {position}, of the permissions that the device defines"));
                copy.requested_permissions = Fact::new(list.iter().filter_map(plain).collect(), &at);
            }
            if let Some(certificate) = text(value, "sha256_cert").and_then(document::digest) {
                let words = format!(
                    "the suite tells one certificate, {certificate}: the oldest, where the key was replaced, and the first of several"
                );
                let place = format!("{}: package {position}", document.name);
                copy.signers = Fact::Unknown(Gap::new(place, GapReason::NotObserved, words));
            }
        }
        if let Some(grants) = grants(value) {
            built.grants =
                Fact::new(grants, &at.at(format!("package {position}, of the permissions that the device defines")));
        }
        packages.push(built);
    }
    if !placeless.is_empty() {
        let names = placeless.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let words = format!(
            "{} packages whose place the file does not tell may be the device's own or installed later: {names}{}",
            placeless.len(),
            if placeless.len() > NAMED { " ..." } else { "" }
        );
        inventory.gaps.push(Gap::new(&document.name, GapReason::NotObserved, words).hiding(Hides::Packages));
    }
    if omitted > 0 {
        let words = format!("{omitted} packages in /data can't be told from updates of the device's own");
        inventory.gaps.push(Gap::new(&document.name, GapReason::NotObserved, words).hiding(Hides::Packages));
    }
    inventory.packages = Fact::new(packages, &whole);
    inventory.omitted_packages = Fact::new(omitted, &whole);
    inventory.sources = origins.into_list();
    inventory.normalize();
    crate::platform::conclusions::complete(&mut inventory);
    Ok(Some(inventory))
}

/// What the suite was told when it asked for each requested permission; `None` where it did not ask.
fn grants(package: &Value) -> Option<Vec<Grant>> {
    let list = package.get("requested_permissions")?.as_array()?;
    let grant = |value: &Value| {
        Some(Grant {
            user: Some(0),
            permission: text(value, "name")?.to_owned(),
            kind: GrantKind::Untold,
            granted: value.get("is_granted")?.as_bool()?,
            flags: Vec::new(),
        })
    };
    // An empty list tells nothing of which of both it is.
    list.iter().map(grant).collect::<Option<Vec<_>>>().filter(|grants| !grants.is_empty())
}
