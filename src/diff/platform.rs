//! What belongs to no single package: partitions, declared permissions, control files, roles.

use std::collections::{BTreeMap, BTreeSet};

use super::comparer::{Comparer, Ledger, optional};
use super::{EntryKind, Known};
use crate::inventory::{
    AdministratorKind, Allowlist, Controls, DeclaredPermission, Fact, Gap, Inventory, LayoutItem, Partition,
    PreinstallAction, State,
};

/// Changes of control files by package, list and partition: what it is allowed.
type Allowed = BTreeMap<String, BTreeMap<&'static str, Vec<String>>>;

pub(super) fn compare(a: &Inventory, b: &Inventory, ledger: &mut Ledger) {
    // Taken apart without a rest: a fact that is added to the model does not compile until it is dealt with.
    let Inventory {
        schema_version: _,
        tool: _,
        target: _,
        sources: _,
        device: _,
        // Users are of a phone's owner, and packages that a store installed are not pre-installed.
        users: _,
        omitted_packages: _,
        // Compared by the caller.
        packages: _,
        gaps: _,
        partitions,
        permissions,
        controls,
        role_holders,
        preinstalls,
        layouts,
        configuration,
        preferred_apps,
        arrivals,
        state,
    } = a;
    if let Some((before, after)) = Comparer::new(None, ledger).both("partitions", partitions, &b.partitions) {
        compare_partitions(before, after, ledger);
    }
    if let Some((before, after)) = Comparer::new(None, ledger).both("declared-permissions", permissions, &b.permissions)
    {
        let told = |name: &str| is_told_by_its_package(a, name) && is_told_by_its_package(b, name);
        compare_permissions(before, after, told, ledger);
    }
    if let Some((before, after)) = Comparer::new(None, ledger).both("control-files", controls, &b.controls) {
        compare_controls(before, after, ledger);
    }
    compare_states(state, &b.state, ledger);
    keyed(EntryKind::Role, "role-holders", (role_holders, &b.role_holders), ledger, |holder| {
        let user = holder.user.filter(|user| *user != 0).map(|user| format!(" (user {user})")).unwrap_or_default();
        vec![(holder.role.as_str().to_owned(), format!("{}{user}", holder.package))]
    });
    keyed(EntryKind::Arrival, "arrives-as", (arrivals, &b.arrivals), ledger, |arrival| {
        vec![(arrival.package.clone(), arrival.presence.state.as_str().to_owned())]
    });
    keyed(EntryKind::Preinstall, "vendor-lists", (preinstalls, &b.preinstalls), ledger, |statement| {
        let action = match statement.action {
            PreinstallAction::Install => "installed at first boot",
            PreinstallAction::Download => "fetched at set-up",
            PreinstallAction::Removable => "may be removed",
            PreinstallAction::Skip => "left out",
            PreinstallAction::InstallIn => "installed",
            PreinstallAction::NotInstallIn => "not installed",
        };
        let condition = statement.condition.as_ref().map(|condition| format!(" ({})", condition.says));
        vec![(statement.subject.clone(), format!("{action}{}", condition.unwrap_or_default()))]
    });
    keyed(EntryKind::Layout, "icons", (layouts, &b.layouts), ledger, |layout| {
        let item = |item: &LayoutItem| {
            let named = item.package.as_ref().or(item.uri.as_ref()).map_or("nothing named", String::as_str);
            let class = item.class.as_ref().map(|class| format!("/{class}")).unwrap_or_default();
            (format!("{} {}", layout.provider, layout.name), format!("{named}{class} ({})", item.place.describe()))
        };
        layout.items.iter().map(item).collect()
    });
    keyed(EntryKind::Configuration, "configured-as", (configuration, &b.configuration), ledger, |value| {
        vec![(format!("{} {}", value.package, value.name), value.value.clone())]
    });
    keyed(EntryKind::Configuration, "preferred-for", (preferred_apps, &b.preferred_apps), ledger, |app| {
        let lists = [&app.actions, &app.categories, &app.schemes];
        let filter: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
        vec![(app.package.clone(), format!("{} ({})", app.class, filter.join(" ")))]
    });
}

/// What a running device says of itself.
fn compare_states(a: &State, b: &State, ledger: &mut Ledger) {
    // Taken apart without a rest: a fact that is added to the model does not compile until it is dealt with.
    let State {
        verified_boot,
        vbmeta_digest,
        bootloader_locked,
        vendor_security_patch,
        market,
        administrators,
        chosen,
        features,
        overlays,
        modules,
        // Modes follow what an owner allows and forbids.
        app_ops: _,
    } = a;
    let mut with = Comparer::new(None, ledger);
    with.fact("verified-boot", verified_boot, &b.verified_boot, Clone::clone);
    with.fact("vbmeta-digest", vbmeta_digest, &b.vbmeta_digest, Clone::clone);
    with.fact("bootloader-locked", bootloader_locked, &b.bootloader_locked, optional);
    with.fact("vendor-security-patch", vendor_security_patch, &b.vendor_security_patch, Clone::clone);
    with.list("market", market, &b.market, |list| {
        list.iter().map(|property| format!("{}={}", property.name, property.value)).collect()
    });
    with.list("administrators", administrators, &b.administrators, |list| {
        let kind = |kind| match kind {
            AdministratorKind::DeviceOwner => "owner of the device",
            AdministratorKind::ProfileOwner => "owner of a profile",
            AdministratorKind::Administrator => "administrator",
        };
        list.iter().map(|admin| format!("{} ({})", admin.component, kind(admin.kind))).collect()
    });
    with.list("chosen", chosen, &b.chosen, |list| {
        list.iter().map(|chosen| format!("{} ({:?}, user {})", chosen.component, chosen.kind, chosen.user)).collect()
    });
    with.list("features", features, &b.features, Clone::clone);
    let changes = with.changes;
    ledger.enter(EntryKind::State, None, None, changes);
    keyed(EntryKind::State, "overlay-state", (overlays, &b.overlays), ledger, |overlay| {
        vec![(overlay.package.clone(), format!("{} on {} (user {})", overlay.state, overlay.target, overlay.user))]
    });
    keyed(EntryKind::State, "module", (modules, &b.modules), ledger, |module| {
        let version = module.version.map_or_else(|| "version not known".to_owned(), |version| version.to_string());
        vec![(module.name.clone(), format!("{version} at {}", module.path))]
    });
}

/// Items that each belong to a subject and have words: of each subject, which words came and went.
fn keyed<T>(
    kind: EntryKind,
    aspect: &'static str,
    (a, b): (&Fact<Vec<T>>, &Fact<Vec<T>>),
    ledger: &mut Ledger,
    words: impl Fn(&T) -> Vec<(String, String)>,
) {
    let Some((a, b)) = Comparer::new(None, ledger).both(aspect, a, b) else { return };
    let grouped = |list: &[T]| {
        let mut by: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (subject, words) in list.iter().flat_map(&words) {
            by.entry(subject).or_default().push(words);
        }
        by
    };
    let (a, b) = (grouped(a), grouped(b));
    let subjects: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for subject in subjects {
        let of = |side: &BTreeMap<String, Vec<String>>| side.get(subject).cloned().unwrap_or_default();
        let mut with = Comparer::new(Some(subject), ledger);
        with.sets(aspect, of(&a), of(&b));
        let changes = with.changes;
        ledger.enter(kind, Some(subject), None, changes);
    }
}

/// Length and number of packages follow from the content, and differ with every build.
fn compare_partitions(a: &[Partition], b: &[Partition], ledger: &mut Ledger) {
    let by_name = |list: &[Partition]| -> BTreeMap<String, Partition> {
        list.iter().map(|partition| (partition.name.clone(), partition.clone())).collect()
    };
    let (a, b) = (by_name(a), by_name(b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        let mut with = Comparer::new(Some(name), ledger);
        let show =
            |side: &BTreeMap<String, Partition>, part: fn(&Partition) -> Option<String>| side.get(name).and_then(part);
        let place: fn(&Partition) -> Option<String> = |partition| Some(partition.mount_point.clone());
        with.differ("mount-point", show(&a, place), show(&b, place));
        if a.contains_key(name) && b.contains_key(name) {
            let format: fn(&Partition) -> Option<String> = |partition| partition.filesystem.clone();
            with.differ("filesystem", show(&a, format), show(&b, format));
        }
        let changes = with.changes;
        ledger.enter(EntryKind::Partition, Some(name), None, changes);
    }
}

/// Whether the package's own list of declared permissions is compared already, or the package as a whole is new or gone.
fn is_told_by_its_package(inventory: &Inventory, package: &str) -> bool {
    let Some(package) = inventory.package(package) else { return true };
    package.copies.iter().all(|copy| copy.declared_permissions.known().is_some())
}

fn compare_permissions(
    a: &[DeclaredPermission],
    b: &[DeclaredPermission],
    told: impl Fn(&str) -> bool,
    ledger: &mut Ledger,
) {
    let by_name = |list: &[DeclaredPermission]| -> BTreeMap<String, DeclaredPermission> {
        let rest = list.iter().filter(|permission| !told(&permission.package));
        rest.map(|permission| (permission.name.clone(), permission.clone())).collect()
    };
    let (a, b) = (by_name(a), by_name(b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        let mut with = Comparer::new(Some(name), ledger);
        let show = |side: &BTreeMap<String, DeclaredPermission>, part: fn(&DeclaredPermission) -> String| {
            side.get(name).map(part)
        };
        let owner: fn(&DeclaredPermission) -> String = |permission| permission.package.clone();
        let level: fn(&DeclaredPermission) -> String =
            |permission| permission.protection.clone().unwrap_or_else(|| "unresolved".to_owned());
        with.differ("declared-by", show(&a, owner), show(&b, owner));
        with.differ("protection", show(&a, level), show(&b, level));
        let changes = with.changes;
        ledger.enter(EntryKind::Permission, Some(name), None, changes);
    }
}

fn compare_controls(a: &Controls, b: &Controls, ledger: &mut Ledger) {
    let mut with = Comparer::new(None, ledger);
    with.fact("privileged-enforcement", &a.enforcement, &b.enforcement, Clone::clone);
    let changes = with.changes;
    ledger.enter(EntryKind::Control, None, None, changes);

    // A list that could not be read on one side alone may hold what the other side lists.
    let unread = |one: &Controls, other: &Controls| -> Option<Gap> {
        let same =
            |gap: &Gap| other.unread.iter().any(|known| (&known.place, known.reason) == (&gap.place, gap.reason));
        one.unread.iter().find(|gap| !same(gap)).cloned()
    };
    let (unread_a, unread_b) = (unread(a, b), unread(b, a));
    let (a, b) = (allowed(a), allowed(b));
    let packages: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for package in packages {
        let empty = BTreeMap::new();
        let (before, after) = (a.get(package).unwrap_or(&empty), b.get(package).unwrap_or(&empty));
        let lists: BTreeSet<&'static str> = before.keys().chain(after.keys()).copied().collect();
        let mut with = Comparer::new(Some(package), ledger);
        for list in lists {
            let of = |side: &BTreeMap<&'static str, Vec<String>>| side.get(list).cloned().unwrap_or_default();
            with.sets(list, of(before), of(after));
        }
        let mut changes = with.changes;
        for change in &mut changes {
            for (unread, items, known) in
                [(&unread_b, &mut change.lost, Known::Before), (&unread_a, &mut change.gained, Known::After)]
            {
                if let Some(gap) = unread.as_ref().filter(|_| !items.is_empty()) {
                    items.clear();
                    ledger.unsettled("control-files", known, Some(package), gap);
                }
            }
        }
        changes.retain(|change| !change.gained.is_empty() || !change.lost.is_empty());
        ledger.enter(EntryKind::Control, Some(package), None, changes);
    }
}

/// What control files allow, in words that hold everything but the place in the file.
fn allowed(controls: &Controls) -> Allowed {
    let Controls { enforcement: _, privileged, signature, oem, default_grants, split_permissions, unread: _ } =
        controls;
    let mut all = Allowed::new();
    let mut enter = |package: &str, list, words| {
        all.entry(package.to_owned()).or_default().entry(list).or_default().push(words);
    };
    let lists: [(&'static str, &[Allowlist]); 3] =
        [("privileged-allowlist", privileged), ("signature-allowlist", signature), ("oem-allowlist", oem)];
    for (list, entries) in lists {
        for entry in entries {
            let sku = entry.sku.as_ref().map(|sku| format!(", variant {sku}")).unwrap_or_default();
            for permission in &entry.permissions {
                let denied = if permission.denied { "denied " } else { "" };
                enter(&entry.package, list, format!("{denied}{} ({}{sku})", permission.name, entry.partition));
            }
        }
    }
    for entry in default_grants {
        let signer = entry.certificate.as_ref().map(|signer| format!(", signed by {signer}")).unwrap_or_default();
        for permission in &entry.permissions {
            let fixed = if permission.fixed { ", fixed" } else { "" };
            let words = format!("{} ({}{signer}{fixed})", permission.name, entry.partition);
            enter(&entry.package, "default-grants", words);
        }
    }
    for split in split_permissions {
        let until = split.target_sdk.map(|sdk| format!(" before target SDK {sdk}")).unwrap_or_default();
        for new in &split.new {
            enter(&split.permission, "split-permissions", format!("{new}{until}"));
        }
    }
    all
}
