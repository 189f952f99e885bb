//! From the facts of a package file to those that an inventory keeps.

use crate::apk::{self, Apk, Component, ComponentKind};
use crate::inventory::{ExportedComponent, LibraryFacts, ManifestFacts, OverlayFacts, StubReason, SystemHook};

/// From this target on traffic is encrypted unless a package says otherwise.
const ENCRYPTED: u32 = 28;
/// Before this target, certificate authorities of the user are trusted.
const NO_USER_AUTHORITIES: u32 = 24;

/// What the inventory keeps of the manifest.
pub(super) fn facts(apk: &Apk) -> ManifestFacts {
    let manifest = &apk.manifest;
    let target = manifest.target_sdk;
    let (cleartext, user_authorities) = match &apk.network {
        None => {
            (Some(manifest.uses_cleartext_traffic.unwrap_or(target < ENCRYPTED)), Some(target < NO_USER_AUTHORITIES))
        }
        Some(Ok(config)) => (Some(config.cleartext_permitted(target)), Some(config.trusts_user_authorities(target))),
        Some(Err(_)) => (None, None),
    };
    let open = manifest.components.iter().filter(|component| component.exported && component.enabled);
    let required = manifest.features.iter().filter(|feature| feature.required);
    let mut facts = ManifestFacts {
        components: u32::try_from(manifest.components.len()).unwrap_or(u32::MAX),
        exported: open.map(exported).collect(),
        hooks: Vec::new(),
        roles: manifest.roles().into_iter().map(|role| role.as_str().to_owned()).collect(),
        implied_permissions: Vec::new(),
        cleartext,
        user_authorities,
        allow_backup: manifest.allow_backup,
        overlay: manifest.overlay.as_ref().map(|overlay| OverlayFacts {
            target: overlay.target.clone(),
            target_name: overlay.target_name.clone(),
            priority: overlay.priority,
            is_static: overlay.is_static,
        }),
        libraries: Vec::new(),
        required_features: required.filter_map(|feature| feature.name.clone()).collect(),
        original_packages: manifest.original_packages.clone(),
        shared_user_max_sdk: manifest.shared_user_max_sdk,
    };
    let hook = |hook: apk::Hook| SystemHook { kind: hook.kind.to_owned(), component: hook.component };
    facts.hooks = manifest.hooks().into_iter().map(hook).collect();
    facts.implied_permissions = manifest.implied_permissions().iter().map(|implied| implied.name.to_owned()).collect();
    let library = |library: &apk::Library| LibraryFacts {
        kind: library.kind.as_str().to_owned(),
        name: library.name.clone(),
        version: library.version,
    };
    facts.libraries = manifest.libraries.iter().map(library).collect();
    facts
}

fn exported(component: &Component) -> ExportedComponent {
    let provider = component.kind == ComponentKind::Provider;
    let permission = if provider { &component.read_permission } else { &component.permission };
    ExportedComponent {
        kind: component.kind.as_str().to_owned(),
        name: component.name.clone(),
        permission: permission.clone(),
        write_permission: component.write_permission.clone(),
        authorities: component.authorities.clone(),
    }
}

/// Why the file at `path` is no full app. `compiled`: code stands beside it, as devices before Android 9 shipped it.
pub(super) fn stub(apk: &Apk, path: &str, compiled: bool) -> Option<StubReason> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder.ends_with(super::packages::STUB_SUFFIX) {
        return Some(StubReason::StubFolder);
    }
    match apk.stub()? {
        apk::Stub::NoCode | apk::Stub::FewClasses if compiled => None,
        apk::Stub::NoCode => Some(StubReason::NoCode),
        apk::Stub::FewClasses => Some(StubReason::FewClasses),
        apk::Stub::NoComponents => Some(StubReason::NoComponents),
    }
}
