//! Small inventories, built by hand: a complete, clean device unless something is changed.

#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part, and the library's own tests include it")]

use preloaded::inventory::{
    Code, CopyRole, DeviceKind, Enabled, Evidence, Fact, Gap, GapReason, Grant, GrantKind, Hides, Inventory, Origin,
    OriginKind, OsFlavour, Outcome, Package, PackageCopy, Placement, PredictedGrant, Reason, ReasonCode,
    RequestedPermission, Signer, SignerDepth, SourceId, Target, TargetKind, UserState,
};

/// What every known fact of a sample rests on: its only source.
pub fn evidence() -> Evidence {
    Evidence { source: SourceId(0), at: None }
}

/// A known fact.
pub fn known<T>(value: T) -> Fact<T> {
    Fact::new(value, &evidence().at("a place"))
}

/// An unknown fact.
pub fn unknown<T>() -> Fact<T> {
    Fact::Unknown(Gap::new("a place", GapReason::NotObserved, "not asked"))
}

/// Firmware of an Android phone, complete, without packages.
pub fn image() -> Inventory {
    device(TargetKind::Firmware)
}

/// An Android phone over ADB, complete, without packages.
pub fn phone() -> Inventory {
    device(TargetKind::Phone)
}

fn device(kind: TargetKind) -> Inventory {
    let target = Target { kind, name: "sample".to_owned(), collected_at: None, layers: Vec::new() };
    let gap = Gap::new("sample", GapReason::NotObserved, "not part of the sample");
    let mut inventory = Inventory::unknown(target, &gap);
    inventory.sources =
        vec![Origin { kind: OriginKind::Listing, name: "sample listing".to_owned(), length: None, sha256: None }];
    inventory.device.kind = known(DeviceKind::Phone);
    inventory.device.os_flavour = known(OsFlavour::Android);
    inventory.device.sdk = known(34);
    inventory.packages = Fact::new(Vec::new(), &evidence());
    inventory.omitted_packages = known(0);
    inventory
}

/// Adds packages.
pub fn with(mut inventory: Inventory, packages: impl IntoIterator<Item = Package>) -> Inventory {
    if let Fact::Known { value, .. } = &mut inventory.packages {
        value.extend(packages);
    }
    inventory.normalize();
    inventory
}

/// Adds a gap behind which packages may be hidden.
pub fn with_hidden_partition(mut inventory: Inventory) -> Inventory {
    inventory.gaps.push(hiding_gap());
    inventory
}

/// A gap behind which packages may be hidden.
pub fn hiding_gap() -> Gap {
    Gap::new("partition product", GapReason::Damaged, "superblock: bad magic").hiding(Hides::Packages)
}

/// A genuine factory app of an image: code, launcher activity, signer.
pub fn app(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        copies: vec![copy(name, CopyRole::Factory)],
        uid: unknown(),
        shared_user: known(None),
        installer: unknown(),
        install: unknown(),
        users: unknown(),
        grants: unknown(),
        removability: unknown(),
        presence: unknown(),
        launcher_place: unknown(),
        predicted_grants: unknown(),
    }
}

/// The same as a phone shows it: sizes unknown, enabled for user 0.
pub fn phone_app(name: &str) -> Package {
    let mut package = app(name);
    package.users = known(vec![state(0)]);
    for copy in &mut package.copies {
        copy.code = known(Code {
            present: true,
            dex_files: None,
            dex_bytes: None,
            classes: None,
            abis: Vec::new(),
            file_bytes: None,
            stub: None,
            class_counts: None,
            libraries: None,
        });
    }
    package
}

/// Enabled and installed for the user.
pub fn state(user: u32) -> UserState {
    UserState {
        user,
        installed: true,
        hidden: false,
        suspended: false,
        stopped: true,
        enabled: Enabled::Default,
        last_disabled_caller: None,
    }
}

/// A genuine copy.
pub fn copy(name: &str, role: CopyRole) -> PackageCopy {
    let (path, partition, placement) = match role {
        CopyRole::Factory => (format!("/product/app/{name}/{name}.apk"), "product", Placement::System),
        CopyRole::Updated | CopyRole::Added => (format!("/data/app/{name}/base.apk"), "data", Placement::Data),
    };
    PackageCopy {
        role,
        path,
        partition: known(partition.to_owned()),
        placement: known(placement),
        splits: known(Vec::new()),
        version_code: known(6392),
        version_name: known(Some("25.8.1".to_owned())),
        min_sdk: known(29),
        target_sdk: known(34),
        flags: known(Vec::new()),
        requested_permissions: known(Vec::new()),
        declared_permissions: known(Vec::new()),
        signers: known(vec![signer('a')]),
        label: known(None),
        launcher: known(vec![format!("{name}.MainActivity")]),
        code: known(Code {
            present: true,
            dex_files: Some(2),
            dex_bytes: Some(9_000_000),
            classes: Some(12_000),
            abis: Vec::new(),
            file_bytes: Some(40_000_000),
            stub: None,
            class_counts: None,
            libraries: None,
        }),
        manifest: unknown(),
        answers: unknown(),
    }
}

/// A copy without code and launcher activity: an empty APK with the right id.
pub fn hollow(mut package: Package) -> Package {
    for copy in &mut package.copies {
        copy.code = known(Code {
            present: false,
            dex_files: Some(0),
            dex_bytes: Some(0),
            classes: Some(0),
            abis: Vec::new(),
            file_bytes: Some(9000),
            stub: None,
            class_counts: None,
            libraries: None,
        });
        copy.launcher = known(Vec::new());
    }
    package
}

/// A signer whose digest is the digit 64 times over.
pub fn signer(digit: char) -> Signer {
    Signer {
        sha256: Some(String::from(digit).repeat(64)),
        hash_code: "0badcafe".to_owned(),
        scheme: Some("v3".to_owned()),
        depth: SignerDepth::Verified,
        published_key: None,
        past: Vec::new(),
        linked: None,
    }
}

/// Permissions that a manifest asks for.
pub fn requests(names: &[&str]) -> Fact<Vec<RequestedPermission>> {
    known(
        names
            .iter()
            .map(|name| RequestedPermission { name: (*name).to_owned(), max_sdk: None, sdk_23: false })
            .collect(),
    )
}

/// Runtime permissions granted to user 0.
pub fn grants(names: &[&str]) -> Fact<Vec<Grant>> {
    let grant = |name: &&str| Grant {
        user: Some(0),
        permission: (*name).to_owned(),
        kind: GrantKind::Runtime,
        granted: true,
        flags: vec!["GRANTED_BY_DEFAULT".to_owned()],
    };
    known(names.iter().map(grant).collect())
}

/// A prediction that rests on line 7 of a file of default grants.
pub fn predicted(permission: &str, outcome: Outcome, fixed: bool) -> PredictedGrant {
    let reason = Reason { code: ReasonCode::DefaultGrant, about: None, evidence: Some(evidence().at("line 7")) };
    PredictedGrant { permission: permission.to_owned(), outcome, fixed, implied_by: None, reasons: vec![reason] }
}
