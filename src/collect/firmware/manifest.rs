//! From the facts of a package file to those that an inventory keeps.

use crate::apk::{self, Apk, Component, ComponentKind};
use crate::inventory::{
    ExportedComponent, LabelFacts, LibraryFacts, ManifestFacts, MetaDataFacts, OverlayFacts, QueryFacts, ScreenFacts,
    StubReason, SystemHook,
};

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
        permission_groups: manifest.permission_groups.clone(),
        permission_trees: manifest.permission_trees.clone(),
        queries: QueryFacts {
            packages: manifest.queries.packages.clone(),
            actions: manifest.queries.actions.clone(),
            authorities: manifest.queries.authorities.clone(),
        },
        install_location: manifest.install_location.and_then(install_location),
        shared_user_max_sdk: manifest.shared_user_max_sdk,
        ..ManifestFacts::default()
    };
    researchers(apk, &mut facts);
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

/// What no rule of today asks for, and people who look into packages do.
fn researchers(apk: &Apk, facts: &mut ManifestFacts) {
    let manifest = &apk.manifest;
    let translated = manifest.labels.iter().filter(|label| Some(&label.text) != manifest.label.as_ref());
    let label = |label: &apk::Label| LabelFacts { locale: label.locale.clone(), text: label.text.clone() };
    facts.labels = translated.map(label).collect();
    let placeless = manifest.requested_permissions.iter().filter(|permission| permission.never_for_location);
    facts.never_for_location = placeless.map(|permission| permission.name.clone()).collect();
    let early = manifest.components.iter().filter(|component| component.direct_boot && component.enabled);
    facts.direct_boot = early.map(|component| component.name.clone()).collect();
    let processes = manifest.components.iter().filter_map(|component| component.process.clone());
    facts.processes = processes.filter(|process| *process != manifest.package).collect();
    let domains = apk.network.iter().flatten().flat_map(|config| &config.domains);
    let clear = domains.filter(|domain| domain.cleartext_permitted == Some(true));
    facts.cleartext_hosts = clear.flat_map(|domain| domain.hosts.clone()).collect();
    let screen = |screen: &apk::Screen| ScreenFacts { size: screen.size, density: screen.density };
    facts.compatible_screens = manifest.compatible_screens.iter().map(screen).collect();
    let meta_data = |data: &apk::MetaData| MetaDataFacts { name: data.name.clone(), value: data.value.clone() };
    facts.meta_data = manifest.meta_data.iter().map(meta_data).collect();
}

fn install_location(number: u32) -> Option<String> {
    let name = ["auto", "internal-only", "prefer-external"].get(usize::try_from(number).ok()?);
    name.map(|name| (*name).to_owned())
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
