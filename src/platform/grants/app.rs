//! A package as the grant rules see it.

use crate::inventory::{
    CopyRole, Evidence, Fact, Package, PackageCopy, Placement, RequestedPermission, Signer, TargetKind,
};
use crate::platform::permissions;

/// User ids below this belong to the system (`Process.FIRST_APPLICATION_UID`).
const FIRST_APPLICATION_UID: u32 = 10_000;
/// Shared users with a fixed id below that (AOSP `Settings.addSharedUserLPw` in `PackageManagerService`).
const SYSTEM_USERS: [&str; 9] = [
    "android.uid.bluetooth",
    "android.uid.log",
    "android.uid.networkstack",
    "android.uid.nfc",
    "android.uid.phone",
    "android.uid.se",
    "android.uid.shell",
    "android.uid.system",
    "android.uid.uwb",
];
/// First version with `sharedUserMaxSdkVersion`.
const LEAVES_SHARED_USER_SINCE: u32 = 33;

/// One copy of a package that may be the one that runs after the first start.
#[derive(Debug, Clone, Copy)]
pub(super) struct App<'a> {
    pub(super) package: &'a Package,
    /// What it asks for and how it behaves: the copy that runs.
    pub(super) copy: &'a PackageCopy,
    /// Where it counts as pre-installed: the firmware's copy.
    pub(super) factory: &'a PackageCopy,
}

/// What kind of citizen a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A part of the system.
    System,
    /// Installed beside it, by the vendor's service or by somebody.
    Added,
    /// Android loads nothing from its place.
    NotLoaded,
    /// The place is not known.
    Unknown,
}

impl<'a> App<'a> {
    /// The copies of a package that may run, the most likely first. On a phone that is the one that does.
    pub(super) fn of(package: &'a Package, kind: TargetKind) -> Vec<Self> {
        let factory = package.copies.iter().filter(|copy| copy.role == CopyRole::Factory);
        if kind == TargetKind::Phone {
            let Some(copy) = package.active() else { return Vec::new() };
            let factory = factory.clone().next().unwrap_or(copy);
            return vec![Self { package, copy, factory }];
        }
        let mut ranked: Vec<_> =
            factory.filter_map(|copy| Some((permissions::rank(&package.name, copy)?, copy))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut copies: Vec<&PackageCopy> = ranked.into_iter().map(|(_, copy)| copy).collect();
        if copies.is_empty() {
            copies.extend(package.copies.first());
        }
        copies.into_iter().map(|copy| Self { package, copy, factory: copy }).collect()
    }

    pub(super) fn name(&self) -> &'a str {
        &self.package.name
    }

    pub(super) fn standing(&self) -> Standing {
        match self.factory.placement.known() {
            None => Standing::Unknown,
            Some(
                Placement::Privileged | Placement::System | Placement::Overlay | Placement::Framework | Placement::Apex,
            ) => Standing::System,
            Some(Placement::RemovablePreload | Placement::Data) => Standing::Added,
            Some(Placement::Unknown) => Standing::NotLoaded,
        }
    }

    pub(super) fn is_system(&self) -> bool {
        self.standing() == Standing::System
    }

    /// In `priv-app`, or a part of the platform.
    pub(super) fn is_privileged(&self) -> bool {
        match self.factory.placement.known() {
            Some(Placement::Privileged | Placement::Framework) => true,
            Some(Placement::Apex) => self.factory.path.split('/').any(|name| name == "priv-app"),
            _ => false,
        }
    }

    pub(super) fn partition(&self) -> Option<&'a str> {
        self.factory.partition.known().map(String::as_str)
    }

    /// Name of the APEX that holds it.
    pub(super) fn apex(&self) -> Option<&'a str> {
        self.factory.path.strip_prefix("/apex/")?.split('/').next()
    }

    pub(super) fn is_persistent(&self) -> bool {
        let flags = self.factory.flags.known().or_else(|| self.copy.flags.known());
        flags.into_iter().flatten().any(|flag| flag == "persistent" || flag == "PERSISTENT")
    }

    pub(super) fn target_sdk(&self) -> Option<u32> {
        self.copy.target_sdk.known().copied()
    }

    /// Who signed it, by the scheme that counts at an API level.
    pub(super) fn signers(&self, sdk: u32) -> Option<Vec<&'a Signer>> {
        signers(self.copy, sdk)
    }

    /// What it asks for on a version of Android, its splits too; or `None` where that is not known.
    pub(super) fn requests(&self, sdk: u32) -> Option<Vec<&'a RequestedPermission>> {
        let base = self.copy.requested_permissions.known()?;
        let splits = self.copy.splits.known().into_iter().flatten();
        let of_splits = splits.filter_map(|split| split.file.known()).flat_map(|file| &file.requested_permissions);
        let asked = |request: &&RequestedPermission| request.max_sdk.is_none_or(|max| sdk <= max);
        Some(base.iter().chain(of_splits).filter(asked).collect())
    }

    /// Where its requests stand.
    pub(super) fn requests_evidence(&self) -> Option<&'a Evidence> {
        self.copy.requested_permissions.evidence()
    }

    /// The shared user that it belongs to after a first start. `None` where it is not known.
    pub(super) fn shared_user(&self, sdk: u32) -> Option<Option<&'a str>> {
        let Fact::Known { value, .. } = &self.package.shared_user else { return None };
        let leaves = self.copy.manifest.known().and_then(|manifest| manifest.shared_user_max_sdk);
        let leaves = leaves.is_some_and(|max| sdk >= LEAVES_SHARED_USER_SINCE && sdk > max);
        Some(value.as_deref().filter(|_| !leaves))
    }

    /// Whether it runs under one of the system's own user ids.
    pub(super) fn is_system_component(&self, sdk: u32) -> bool {
        match self.package.uid.known() {
            Some(uid) => *uid < FIRST_APPLICATION_UID,
            None => {
                self.name() == permissions::PLATFORM
                    || self.shared_user(sdk).flatten().is_some_and(|name| SYSTEM_USERS.contains(&name))
            }
        }
    }
}

/// Signers by the newest scheme that Android looks at.
fn signers(copy: &PackageCopy, sdk: u32) -> Option<Vec<&Signer>> {
    let all = copy.signers.known()?;
    let order: &[(&str, u32)] = &[("v3.1", 33), ("v3", 28), ("v2", 24), ("v1", 0)];
    for (scheme, since) in order {
        let of_scheme: Vec<&Signer> = all.iter().filter(|signer| signer.scheme.as_deref() == Some(scheme)).collect();
        if sdk >= *since && !of_scheme.is_empty() {
            return Some(of_scheme);
        }
    }
    // A phone tells signers without a scheme.
    Some(all.iter().filter(|signer| signer.scheme.is_none()).collect())
}
