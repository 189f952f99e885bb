//! One package: a genuine app of the firmware but for what the example says.

use super::code::code;
use super::{hide, known, strings};
use crate::inventory::{
    Code, CopyRole, Enabled, ExportedComponent, Fact, Gap, GapReason, Grant, GrantKind, LauncherPlace,
    LauncherPlaceKind, ManifestFacts, Outcome, OverlayFacts, Package, PackageCopy, Placement, PredictedGrant, Presence,
    PresenceState, Reason, ReasonCode, Removability, RemovabilityGrade, RequestedPermission, Signer, SignerDepth,
    SystemHook, TargetKind, UserState,
};
use crate::profile::ProfileError;
use crate::profile::settings::{Settings, Word, is_sha256};

const ROLES: [(&str, CopyRole); 3] =
    [("factory", CopyRole::Factory), ("updated", CopyRole::Updated), ("added", CopyRole::Added)];

/// Places of an icon: pages from 0.
const LAUNCHER_PLACES: [(&str, LauncherPlace); 6] = [
    ("hotseat", LauncherPlace::HOTSEAT),
    ("page-0", LauncherPlace { kind: LauncherPlaceKind::Page, page: Some(0) }),
    ("page-1", LauncherPlace { kind: LauncherPlaceKind::Page, page: Some(1) }),
    ("page-2", LauncherPlace { kind: LauncherPlaceKind::Page, page: Some(2) }),
    ("all-apps", LauncherPlace::ALL_APPS),
    ("none", LauncherPlace::NONE),
];

/// Keys of a package of an example.
pub const KEYS: [&str; 44] = [
    "id",
    "role",
    "place",
    "path",
    "partition",
    "version",
    "min-sdk",
    "target-sdk",
    "flags",
    "permissions",
    "granted",
    "granted-by-default",
    "fixed",
    "predicted",
    "predicted-fixed",
    "not-foretold",
    "signer",
    "published-key",
    "claimed",
    "label",
    "code",
    "dex-bytes",
    "stub",
    "classes",
    "kits",
    "abis",
    "libraries",
    "launcher",
    "enabled",
    "installed",
    "hidden",
    "shared-user",
    "installer",
    "hooks",
    "roles",
    "exported",
    "cleartext",
    "user-authorities",
    "allow-backup",
    "overlays",
    "removability",
    "presence",
    "launcher-place",
    "unknown",
];

/// Facts of a package that an example may leave unknown.
pub const FACTS: [&str; 21] = [
    "signers",
    "code",
    "launcher",
    "permissions",
    "version",
    "min-sdk",
    "target-sdk",
    "flags",
    "manifest",
    "users",
    "granted",
    "predicted",
    "place",
    "shared-user",
    "installer",
    "label",
    "splits",
    "partition",
    "removability",
    "presence",
    "launcher-place",
];

/// A genuine app of the firmware: code, launcher activity, a signer of its own, enabled.
pub(super) fn genuine(name: &str, kind: TargetKind) -> Package {
    let is_phone = kind == TargetKind::Phone;
    let not_observed = || Gap::new("example", GapReason::NotObserved, "an image does not tell it");
    let mut code = Code {
        present: true,
        dex_files: Some(1),
        dex_bytes: Some(2_000_000),
        classes: Some(4_000),
        abis: Vec::new(),
        file_bytes: Some(9_000_000),
        stub: None,
        class_counts: None,
        libraries: None,
    };
    if is_phone {
        (code.dex_files, code.dex_bytes, code.classes, code.file_bytes) = (None, None, None, None);
    }
    let state = UserState {
        user: 0,
        installed: true,
        hidden: false,
        suspended: false,
        stopped: false,
        enabled: Enabled::Default,
        last_disabled_caller: None,
    };
    let copy = PackageCopy {
        role: CopyRole::Factory,
        path: format!("/product/app/{name}/{name}.apk"),
        partition: known("product".to_owned()),
        placement: known(Placement::System),
        splits: known(Vec::new()),
        version_code: known(1),
        version_name: known(Some("1.0".to_owned())),
        min_sdk: known(29),
        target_sdk: known(34),
        flags: known(Vec::new()),
        requested_permissions: known(Vec::new()),
        declared_permissions: known(Vec::new()),
        signers: known(vec![signer(&"a".repeat(64))]),
        label: known(None),
        launcher: known(vec![format!("{name}.Main")]),
        code: known(code),
        manifest: known(ManifestFacts { cleartext: Some(false), user_authorities: Some(false), ..Default::default() }),
        answers: known(Vec::new()),
    };
    Package {
        name: name.to_owned(),
        copies: vec![copy],
        uid: known(10_100),
        shared_user: known(None),
        installer: if is_phone { known(None) } else { Fact::Unknown(not_observed()) },
        install: Fact::Unknown(not_observed()),
        users: if is_phone { known(vec![state]) } else { Fact::Unknown(not_observed()) },
        grants: if is_phone { known(Vec::new()) } else { Fact::Unknown(not_observed()) },
        predicted_grants: if is_phone { Fact::Unknown(not_observed()) } else { known(Vec::new()) },
        removability: known(Removability { grade: RemovabilityGrade::DisableOnly, grounds: Vec::new() }),
        presence: known(Presence { state: PresenceState::Full, grounds: Vec::new() }),
        launcher_place: known(LauncherPlace::ALL_APPS),
    }
}

fn signer(sha256: &str) -> Signer {
    Signer {
        sha256: Some(sha256.to_owned()),
        hash_code: "0badcafe".to_owned(),
        scheme: Some("v3".to_owned()),
        depth: SignerDepth::Verified,
        published_key: None,
        past: Vec::new(),
        linked: None,
    }
}

pub(super) fn described(table: &Settings<'_>, kind: TargetKind) -> Result<Package, ProfileError> {
    table.only(&KEYS)?;
    let mut package = genuine(&table.need_package("id")?, kind);
    let name = package.name.clone();
    if let Some(copy) = package.copies.first_mut() {
        place(table, &name, copy)?;
        file(table, copy)?;
        code(table, copy)?;
        manifest(table, copy)?;
    }
    state(table, &mut package)?;
    for fact in table.texts("unknown")?.unwrap_or_default() {
        forget(&fact, &mut package)?;
    }
    Ok(package)
}

fn place(table: &Settings<'_>, name: &str, copy: &mut PackageCopy) -> Result<(), ProfileError> {
    copy.role = table.choice("role", &ROLES)?.unwrap_or(copy.role);
    let default = if copy.role == CopyRole::Factory { Placement::System } else { Placement::Data };
    let place = table.choice("place", &Placement::ALL.map(|place| (place.as_str(), place)))?.unwrap_or(default);
    let (partition, folder) = match place {
        Placement::Privileged => ("product", "priv-app"),
        Placement::System => ("product", "app"),
        Placement::Overlay => ("product", "overlay"),
        Placement::Framework => ("system", "framework"),
        Placement::RemovablePreload => ("product", "data-app"),
        Placement::Apex => ("apex", "app"),
        Placement::Data => ("data", "app"),
        Placement::Unknown => ("product", "extra"),
    };
    copy.placement = known(place);
    copy.partition = known(table.text("partition")?.map_or(partition, |word| word.text).to_owned());
    copy.path = match table.text("path")? {
        Some(path) => path.text.to_owned(),
        None => format!("/{partition}/{folder}/{name}/{name}.apk"),
    };
    Ok(())
}

fn file(table: &Settings<'_>, copy: &mut PackageCopy) -> Result<(), ProfileError> {
    if let Some(version) = table.number("version")? {
        copy.version_code = known(version);
    }
    if let Some(sdk) = table.small_number("min-sdk")? {
        copy.min_sdk = known(sdk);
    }
    if let Some(sdk) = table.small_number("target-sdk")? {
        copy.target_sdk = known(sdk);
    }
    if let Some(flags) = strings(table, "flags")? {
        copy.flags = known(flags);
    }
    if let Some(names) = strings(table, "permissions")? {
        let asked = |name| RequestedPermission { name, max_sdk: None, sdk_23: false };
        copy.requested_permissions = known(names.into_iter().map(asked).collect());
    }
    if let Some(label) = table.text("label")? {
        copy.label = known(Some(label.text.to_owned()));
    }
    let mut sign = signer(&"a".repeat(64));
    if let Some(word) = table.text("signer")? {
        // One digit stands for a digest of that digit alone.
        let digest = if word.text.len() == 1 { word.text.repeat(64) } else { word.text.to_ascii_lowercase() };
        if !is_sha256(&digest) {
            return Err(
                word.error("a signer is a SHA-256 digest, expected 64 hexadecimal digits, or one for all of them")
            );
        }
        sign.sha256 = Some(digest);
    }
    sign.published_key = table.text("published-key")?.map(|word| word.text.to_owned());
    if table.flag("claimed")? {
        sign.depth = SignerDepth::Claimed;
    }
    copy.signers = known(vec![sign]);
    Ok(())
}

fn manifest(table: &Settings<'_>, copy: &mut PackageCopy) -> Result<(), ProfileError> {
    let Fact::Known { value: facts, .. } = &mut copy.manifest else { return Ok(()) };
    let hook = |kind: String| SystemHook { component: format!("example.{kind}"), kind };
    facts.hooks = strings(table, "hooks")?.unwrap_or_default().into_iter().map(hook).collect();
    facts.roles = strings(table, "roles")?.unwrap_or_default();
    for word in table.texts("exported")?.unwrap_or_default() {
        let mut parts = word.text.split(' ');
        let (Some(kind), Some(name), permission, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(word.error("expected `kind com.example.Class` or `kind com.example.Class permission`"));
        };
        facts.exported.push(ExportedComponent {
            kind: kind.to_owned(),
            name: name.to_owned(),
            permission: permission.map(str::to_owned),
            write_permission: permission.map(str::to_owned).filter(|_| kind == "provider"),
            authorities: Vec::new(),
        });
    }
    facts.cleartext = table.maybe_flag("cleartext")?.or(facts.cleartext);
    facts.user_authorities = table.maybe_flag("user-authorities")?.or(facts.user_authorities);
    facts.allow_backup = table.flag("allow-backup")?;
    if let Some(target) = table.maybe_package("overlays")? {
        let overlay = OverlayFacts { target: Some(target), target_name: None, priority: 1, is_static: false };
        facts.overlay = Some(overlay);
    }
    Ok(())
}

fn state(table: &Settings<'_>, package: &mut Package) -> Result<(), ProfileError> {
    if let Some(user) = table.text("shared-user")? {
        package.shared_user = known(Some(user.text.to_owned()));
    }
    if let Some(installer) = table.maybe_package("installer")? {
        package.installer = known(Some(installer));
    }
    if let Some(grade) = table.choice("removability", &RemovabilityGrade::ALL.map(|grade| (grade.as_str(), grade)))? {
        package.removability = known(Removability { grade, grounds: Vec::new() });
    }
    if let Some(state) = table.choice("presence", &PresenceState::ALL.map(|state| (state.as_str(), state)))? {
        package.presence = known(Presence { state, grounds: Vec::new() });
    }
    if let Some(place) = table.choice("launcher-place", &LAUNCHER_PLACES)? {
        package.launcher_place = known(place);
    }
    let mut grants = Vec::new();
    for (key, flags) in [
        ("granted", &[][..]),
        ("granted-by-default", &["GRANTED_BY_DEFAULT"]),
        ("fixed", &["SYSTEM_FIXED", "GRANTED_BY_DEFAULT"]),
    ] {
        for permission in strings(table, key)?.unwrap_or_default() {
            grants.push(Grant {
                user: Some(0),
                permission,
                kind: GrantKind::Runtime,
                granted: true,
                flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            });
        }
    }
    if !grants.is_empty() {
        package.grants = known(grants);
    }
    if let Some(predicted) = predictions(table)? {
        package.predicted_grants = known(predicted);
    }
    let states = [("installed", true), ("enabled", true), ("hidden", false)];
    if let Fact::Known { value, .. } = &mut package.users
        && let Some(state) = value.first_mut()
    {
        state.installed = table.maybe_flag("installed")?.unwrap_or(true);
        state.hidden = table.flag("hidden")?;
        if table.maybe_flag("enabled")? == Some(false) {
            state.enabled = Enabled::Disabled;
        }
    } else if let Some((key, _)) = states.into_iter().find(|(key, _)| table.has(key)) {
        let message =
            format!("`{key}` is told by a phone only, expected `device = {{ source = \"phone\" }}` beside it");
        return Err(table.error(key, message));
    }
    Ok(())
}

/// What an image will grant at first boot: for a file of default grants names it, or a default that can't be told.
fn predictions(table: &Settings<'_>) -> Result<Option<Vec<PredictedGrant>>, ProfileError> {
    let mut list = Vec::new();
    for (key, outcome, fixed, code) in [
        ("predicted", Outcome::Granted, false, ReasonCode::DefaultGrant),
        ("predicted-fixed", Outcome::Granted, true, ReasonCode::DefaultGrant),
        ("not-foretold", Outcome::Unknown, false, ReasonCode::DefaultHandlerUnknown),
    ] {
        for permission in strings(table, key)?.unwrap_or_default() {
            let reasons = vec![Reason { code, about: None, evidence: None }];
            list.push(PredictedGrant { permission, outcome, fixed, implied_by: None, reasons });
        }
    }
    Ok((!list.is_empty()).then_some(list))
}

fn forget(fact: &Word<'_>, package: &mut Package) -> Result<(), ProfileError> {
    match fact.text {
        "users" => hide(&mut package.users),
        "granted" => hide(&mut package.grants),
        "predicted" => hide(&mut package.predicted_grants),
        "shared-user" => hide(&mut package.shared_user),
        "installer" => hide(&mut package.installer),
        "removability" => hide(&mut package.removability),
        "presence" => hide(&mut package.presence),
        "launcher-place" => hide(&mut package.launcher_place),
        name => {
            let Some(copy) = package.copies.first_mut() else { return Ok(()) };
            match name {
                "signers" => hide(&mut copy.signers),
                "code" => hide(&mut copy.code),
                "launcher" => hide(&mut copy.launcher),
                "permissions" => hide(&mut copy.requested_permissions),
                "version" => hide(&mut copy.version_code),
                "min-sdk" => hide(&mut copy.min_sdk),
                "target-sdk" => hide(&mut copy.target_sdk),
                "flags" => hide(&mut copy.flags),
                "manifest" => hide(&mut copy.manifest),
                "place" => hide(&mut copy.placement),
                "partition" => hide(&mut copy.partition),
                "label" => hide(&mut copy.label),
                "splits" => hide(&mut copy.splits),
                _ => return Err(fact.unknown("fact of a package", FACTS)),
            }
        }
    }
    Ok(())
}
