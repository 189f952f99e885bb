//! Packages: which came and went, and what differs in those that stayed.

use std::collections::BTreeMap;

use super::comparer::{Comparer, Ledger, optional, plain};
use super::{Change, EntryKind, Known};
use crate::inventory::{
    Code, CopyRole, Enabled, Fact, Gap, GapReason, Grant, IntentAnswer, Inventory, ManifestFacts, Outcome, Package,
    PackageCopy, PredictedGrant, Presence, Removability, Signer, Split, SplitFile, UserState,
};

/// Aspects that say which kind of entry a package's changes make, in order of weight.
const KINDS: [(EntryKind, &[&str]); 4] = [
    (EntryKind::Resigned, &["signers"]),
    (EntryKind::Moved, &["path", "partition", "placement", "copies"]),
    (EntryKind::Updated, &["version"]),
    (
        EntryKind::Permissions,
        &["requested-permissions", "granted-permissions", "predicted-grants", "declared-permissions"],
    ),
];
/// First id that Android hands out to apps: those below it are fixed (AOSP `Process.FIRST_APPLICATION_UID`).
const FIRST_APP_ID: u32 = 10_000;

pub(super) fn compare(a: &Inventory, b: &Inventory, ledger: &mut Ledger) {
    let Some((before, after)) = Comparer::new(None, ledger).both("packages", &a.packages, &b.packages) else { return };
    let mut pairs: BTreeMap<&str, (Option<&Package>, Option<&Package>)> = BTreeMap::new();
    for package in before {
        pairs.entry(&package.name).or_default().0 = Some(package);
    }
    for package in after {
        pairs.entry(&package.name).or_default().1 = Some(package);
    }
    let (hides_in_a, hides_in_b) = (hiding_on_one_side(a, b), hiding_on_one_side(b, a));
    // Even where both lists are alike: what is hidden on one side may be on that side alone.
    for (gap, known) in [(hides_in_a, Known::After), (hides_in_b, Known::Before)] {
        if let Some(gap) = gap {
            ledger.unsettled("presence", known, None, gap);
        }
    }
    for (name, pair) in pairs {
        match pair {
            (Some(before), Some(after)) => compare_both(before, after, ledger),
            // What one side could not read may hold what it does not list.
            (Some(gone), None) => match hides_in_b {
                Some(gap) => ledger.unsettled("presence", Known::Before, Some(name), gap),
                None => ledger.enter(EntryKind::Removed, Some(name), label(gone), told(gone, false)),
            },
            (None, Some(new)) => match hides_in_a {
                Some(gap) => ledger.unsettled("presence", Known::After, Some(name), gap),
                None => ledger.enter(EntryKind::Added, Some(name), label(new), told(new, true)),
            },
            (None, None) => {}
        }
    }
}

/// A gap that may hide packages, and that the other side has not.
fn hiding_on_one_side<'a>(one: &'a Inventory, other: &Inventory) -> Option<&'a Gap> {
    one.gaps_hiding_packages().find(|gap| !super::hides(other, gap))
}

fn label(package: &Package) -> Option<String> {
    package.active().and_then(|copy| copy.label.known().cloned().flatten())
}

/// What is worth knowing of a package that came or went: its facts, as gained or lost.
fn told(package: &Package, gained: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut one = |aspect: &str, value: Option<String>| {
        if let Some(value) = value {
            let (before, after) = if gained { (None, Some(value)) } else { (Some(value), None) };
            changes.push(Change { aspect: aspect.to_owned(), before, after, gained: Vec::new(), lost: Vec::new() });
        }
    };
    let Some(copy) = package.active() else { return Vec::new() };
    one("path", Some(copy.path.clone()));
    one("version", version(copy).known().cloned());
    one("placement", copy.placement.known().map(|placement| placement.as_str().to_owned()));
    one("signers", copy.signers.known().map(|signers| signers_in_words(signers).join(", ")));
    one("shared-user", package.shared_user.known().cloned().flatten());
    one("removability", package.removability.known().map(|answer| answer.grade.as_str().to_owned()));
    let lists = [
        ("requested-permissions", copy.requested_permissions.known().map(|list| requested(list))),
        ("granted-permissions", package.grants.known().map(|list| granted(list))),
        ("predicted-grants", package.predicted_grants.known().map(|list| predicted(list, Outcome::Granted))),
        ("hooks", copy.manifest.known().map(hooks)),
    ];
    for (aspect, mut items) in lists.into_iter().filter_map(|(aspect, items)| Some((aspect, items?))) {
        items.sort();
        items.dedup();
        if !items.is_empty() {
            let (gained, lost) = if gained { (items, Vec::new()) } else { (Vec::new(), items) };
            changes.push(Change { aspect: aspect.to_owned(), before: None, after: None, gained, lost });
        }
    }
    changes
}

fn compare_both(a: &Package, b: &Package, ledger: &mut Ledger) {
    // Taken apart without a rest: a fact that is added to the model does not compile until it is compared here.
    let Package {
        name,
        copies,
        uid,
        shared_user,
        installer,
        // Times of installation differ between two phones of one build.
        install: _,
        users,
        grants,
        removability,
        presence,
        launcher_place,
        predicted_grants,
    } = a;
    let mut with = Comparer::new(Some(name), ledger);
    for (before, after) in pair(copies, &b.copies, &mut with) {
        compare_copies(before, after, &mut with);
    }
    let fixed = |uid: &Fact<u32>| uid.clone().map(|uid| Some(uid).filter(|uid| *uid < FIRST_APP_ID));
    with.fact("uid", &fixed(uid), &fixed(&b.uid), optional);
    with.fact("shared-user", shared_user, &b.shared_user, optional);
    with.fact("installer", installer, &b.installer, optional);
    with.list("user-states", users, &b.users, |list| user_states(list));
    with.list("granted-permissions", grants, &b.grants, |list| granted(list));
    compare_predictions(predicted_grants, &b.predicted_grants, &mut with);
    // An answer, not its grounds: those that changed are facts of their own.
    let grade = |fact: &Fact<Removability>| fact.clone().map(|answer| answer.grade.as_str());
    with.fact("removability", &grade(removability), &grade(&b.removability), plain);
    let state = |fact: &Fact<Presence>| fact.clone().map(|answer| answer.state.as_str());
    with.fact("presence-as", &state(presence), &state(&b.presence), plain);
    with.fact("launcher-place", launcher_place, &b.launcher_place, |place| Some(place.describe()));
    let changes = with.changes;
    let is_one_of = |aspects: &[&str]| changes.iter().any(|change| aspects.contains(&change.aspect.as_str()));
    let kind = KINDS.iter().find(|(_, aspects)| is_one_of(aspects)).map_or(EntryKind::Changed, |(kind, _)| *kind);
    ledger.enter(kind, Some(name), label(b).or_else(|| label(a)), changes);
}

/// Copies that belong together: of the same role, in the same place where there is a choice. The others came or went.
fn pair<'p>(
    a: &'p [PackageCopy],
    b: &'p [PackageCopy],
    with: &mut Comparer<'_>,
) -> Vec<(&'p PackageCopy, &'p PackageCopy)> {
    let mut pairs = Vec::new();
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for role in [CopyRole::Updated, CopyRole::Factory, CopyRole::Added] {
        let of = |list: &'p [PackageCopy]| -> Vec<&'p PackageCopy> {
            list.iter().filter(|copy| copy.role == role).collect()
        };
        let (mut before, mut after) = (of(a), of(b));
        before.retain(|one| match after.iter().position(|other| other.path == one.path) {
            Some(at) => {
                pairs.push((*one, after.remove(at)));
                false
            }
            None => true,
        });
        let both = before.len().min(after.len());
        pairs.extend(before.iter().copied().zip(after.iter().copied()));
        lost.extend(before.into_iter().skip(both).map(copy_in_words));
        gained.extend(after.into_iter().skip(both).map(copy_in_words));
    }
    with.sets("copies", lost, gained);
    pairs
}

fn copy_in_words(copy: &PackageCopy) -> String {
    let role = match copy.role {
        CopyRole::Factory => "factory",
        CopyRole::Updated => "update",
        CopyRole::Added => "added later",
    };
    let version = version(copy).known().map(|version| format!(", {version}")).unwrap_or_default();
    format!("{} ({role}{version})", copy.path)
}

fn compare_copies(a: &PackageCopy, b: &PackageCopy, with: &mut Comparer<'_>) {
    // As above: no fact of a copy can be forgotten.
    let PackageCopy {
        role: _,
        // A part of what `version` shows.
        version_code: _,
        version_name: _,
        path,
        partition,
        placement,
        splits,
        min_sdk,
        target_sdk,
        flags,
        requested_permissions,
        declared_permissions,
        signers,
        label,
        launcher,
        code,
        manifest,
        answers,
    } = a;
    with.differ("path", Some(path.clone()), Some(b.path.clone()));
    with.fact("partition", partition, &b.partition, plain);
    with.fact("placement", placement, &b.placement, |placement| Some(placement.as_str().to_owned()));
    with.fact("version", &version(a), &version(b), plain);
    compare_signers(signers, &b.signers, with);
    with.list("requested-permissions", requested_permissions, &b.requested_permissions, |list| requested(list));
    with.list("declared-permissions", declared_permissions, &b.declared_permissions, |list| {
        let level = |level: &Option<String>| level.clone().unwrap_or_else(|| "unresolved".to_owned());
        list.iter().map(|permission| format!("{} ({})", permission.name, level(&permission.protection))).collect()
    });
    with.fact("min-sdk", min_sdk, &b.min_sdk, plain);
    with.fact("target-sdk", target_sdk, &b.target_sdk, plain);
    compare_splits(splits, &b.splits, with);
    with.list("flags", flags, &b.flags, Clone::clone);
    with.fact("label", label, &b.label, optional);
    with.list("launcher", launcher, &b.launcher, Clone::clone);
    with.list("answers", answers, &b.answers, |list| list.iter().map(answer).collect());
    compare_code(code, &b.code, with);
    if let Some((before, after)) = with.both("manifest", manifest, &b.manifest) {
        compare_manifests(before, after, with);
    }
}

/// Split APKs by name, and what each says of itself where both sides read it.
fn compare_splits(a: &Fact<Vec<Split>>, b: &Fact<Vec<Split>>, with: &mut Comparer<'_>) {
    let Some((a, b)) = with.both("splits", a, b) else { return };
    let names = |list: &[Split]| list.iter().map(|split| split.name.clone()).collect::<Vec<_>>();
    with.sets("splits", names(a), names(b));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for split in a {
        let Some(other) = b.iter().find(|other| other.name == split.name) else { continue };
        if let Some((file, other)) = with.both("split-files", &split.file, &other.file) {
            before.extend(split_in_words(&split.name, file));
            after.extend(split_in_words(&split.name, other));
        }
    }
    with.sets("split-files", before, after);
}

fn split_in_words(name: &str, file: &SplitFile) -> Vec<String> {
    let SplitFile { version_code, min_sdk, target_sdk, requested_permissions, signers } = file;
    let mut words = vec![format!("{name}: version code {version_code}")];
    let sdks = [("least", min_sdk), ("target", target_sdk)];
    words.extend(sdks.iter().filter_map(|(kind, sdk)| sdk.map(|sdk| format!("{name}: {kind} SDK {sdk}"))));
    words.extend(requested(requested_permissions).into_iter().map(|permission| format!("{name}: {permission}")));
    words.extend(signers.known().map(|signers| format!("{name}: signed by {}", signers_in_words(signers).join(", "))));
    words
}

/// What Android will grant at first boot. An answer that the facts of one side alone give is no change.
fn compare_predictions(a: &Fact<Vec<PredictedGrant>>, b: &Fact<Vec<PredictedGrant>>, with: &mut Comparer<'_>) {
    let Some((a, b)) = with.both("predicted-grants", a, b) else { return };
    let (open_in_a, open_in_b) = (predicted(a, Outcome::Unknown), predicted(b, Outcome::Unknown));
    let settled = |list: &[PredictedGrant], open: &[String]| {
        let mut granted = predicted(list, Outcome::Granted);
        granted.retain(|permission| !open.contains(permission));
        granted
    };
    with.sets("predicted-grants", settled(a, &open_in_b), settled(b, &open_in_a));
    let answered = |list: &[PredictedGrant], permission: &String| {
        list.iter().any(|grant| grant.permission == *permission && grant.outcome != Outcome::Unknown)
    };
    let gap = Gap::new("prediction", GapReason::NotObserved, "the facts of one side do not tell");
    if open_in_b.iter().any(|permission| answered(a, permission)) {
        with.one_side("predicted-grants", Known::Before, &gap);
    }
    if open_in_a.iter().any(|permission| answered(b, permission)) {
        with.one_side("predicted-grants", Known::After, &gap);
    }
}

fn predicted(list: &[PredictedGrant], outcome: Outcome) -> Vec<String> {
    list.iter().filter(|grant| grant.outcome == outcome).map(|grant| grant.permission.clone()).collect()
}

/// `dial (a.b.DialActivity, priority 5)`.
fn answer(answer: &IntentAnswer) -> String {
    let IntentAnswer { intent, component, priority, default } = answer;
    let priority = if *priority == 0 { String::new() } else { format!(", priority {priority}") };
    let default = if *default { "" } else { ", not as a default" };
    format!("{intent} ({component}{priority}{default})")
}

/// `2.1 (210)`: name and code, as far as both are known.
fn version(copy: &PackageCopy) -> Fact<String> {
    let name = copy.version_name.known().cloned().flatten();
    copy.version_code.clone().map(|code| match &name {
        Some(name) => format!("{name} ({code})"),
        None => code.to_string(),
    })
}

/// Who signed it, whichever scheme says so and however sure it is: that depends on the reading. A phone may know a number
/// of 32 bits alone: it tells two signers apart, but proves no two the same.
fn compare_signers(a: &Fact<Vec<Signer>>, b: &Fact<Vec<Signer>>, with: &mut Comparer<'_>) {
    let Some((a, b)) = with.both("signers", a, b) else { return };
    let sure = |list: &[Signer]| list.iter().all(|signer| signer.sha256.is_some());
    let numbers = |list: &[Signer]| list.iter().map(|signer| signer.hash_code.clone()).collect::<Vec<_>>();
    if sure(a) == sure(b) {
        with.sets("signers", signers_in_words(a), signers_in_words(b));
        let published = |list: &[Signer]| list.iter().filter_map(|signer| signer.published_key.clone()).collect();
        with.sets("published-keys", published(a), published(b));
        return;
    }
    let entered = with.changes.len();
    with.sets("signers", numbers(a), numbers(b));
    if with.changes.len() == entered {
        let detail = "one side knows a number of 32 bits alone; the numbers agree";
        with.incomparable("signers", &Gap::new("signers", GapReason::NotObserved, detail));
    }
}

fn signers_in_words(signers: &[Signer]) -> Vec<String> {
    signers.iter().map(|signer| signer.sha256.clone().unwrap_or_else(|| signer.hash_code.clone())).collect()
}

fn requested(list: &[crate::inventory::RequestedPermission]) -> Vec<String> {
    let show = |permission: &crate::inventory::RequestedPermission| {
        let until = permission.max_sdk.map(|sdk| format!(" (up to SDK {sdk})")).unwrap_or_default();
        let since = if permission.sdk_23 { " (since SDK 23)" } else { "" };
        format!("{}{until}{since}", permission.name)
    };
    list.iter().map(show).collect()
}

/// Permissions that are granted; for users other than the first with the user's number.
fn granted(list: &[Grant]) -> Vec<String> {
    let held = list.iter().filter(|grant| grant.granted);
    held.map(|grant| match grant.user {
        None | Some(0) => grant.permission.clone(),
        Some(user) => format!("{} (user {user})", grant.permission),
    })
    .collect()
}

/// States that are not the usual one: installed, visible, enabled.
fn user_states(list: &[UserState]) -> Vec<String> {
    list.iter()
        .flat_map(|state| {
            let mut words = Vec::new();
            words.extend((!state.installed).then_some("not installed"));
            words.extend(state.hidden.then_some("hidden"));
            words.extend(state.suspended.then_some("suspended"));
            words.extend(match state.enabled {
                Enabled::Default => None,
                Enabled::Enabled => Some("enabled explicitly"),
                Enabled::Disabled => Some("disabled"),
                Enabled::DisabledByUser => Some("disabled by the user"),
                Enabled::DisabledUntilUsed => Some("disabled until used"),
                Enabled::Unrecognised => Some("in an unknown state"),
            });
            words.into_iter().map(|word| format!("{word} for user {}", state.user))
        })
        .collect()
}

fn compare_code(a: &Fact<Code>, b: &Fact<Code>, with: &mut Comparer<'_>) {
    let Some((a, b)) = with.both("code", a, b) else { return };
    let Code { present, dex_files, dex_bytes, classes, abis, file_bytes, stub, class_counts } = a;
    with.differ("has-code", plain(present), plain(&b.present));
    with.sets("abis", abis.clone(), b.abis.clone());
    let word = |stub: &Option<crate::inventory::StubReason>| stub.map(|stub| stub.as_str().to_owned());
    with.differ("stub", word(stub), word(&b.stub));
    if let (Some(before), Some(after)) = (class_counts, &b.class_counts) {
        with.list("sdks", before, after, |counts| {
            counts.sdks.iter().map(|sdk| format!("{} ({}, {})", sdk.name, sdk.kind, sdk.prefix)).collect()
        });
    }
    // A device tells none of them: an absent number is not zero.
    let size = |dex_files: &Option<u32>, dex_bytes: &Option<u64>, classes: &Option<u64>, file: &Option<u64>| {
        let number = |number: Option<u64>, unit: &str| number.map(|number| format!("{number} {unit}"));
        let parts = [
            number(*file, "bytes"),
            number(dex_files.map(u64::from), "DEX files"),
            number(*dex_bytes, "bytes of DEX"),
            number(*classes, "classes"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    if file_bytes.is_some() && b.file_bytes.is_some() {
        let before = size(dex_files, dex_bytes, classes, file_bytes);
        let after = size(&b.dex_files, &b.dex_bytes, &b.classes, &b.file_bytes);
        with.differ("contents", Some(before), Some(after));
    }
}

fn hooks(manifest: &ManifestFacts) -> Vec<String> {
    manifest.hooks.iter().map(|hook| format!("{} ({})", hook.kind, hook.component)).collect()
}

fn compare_manifests(a: &ManifestFacts, b: &ManifestFacts, with: &mut Comparer<'_>) {
    let ManifestFacts {
        components,
        exported: _,
        hooks: _,
        roles,
        implied_permissions,
        cleartext,
        user_authorities,
        allow_backup,
        overlay,
        libraries: _,
        required_features,
        original_packages,
        labels: _,
        permission_groups,
        permission_trees,
        never_for_location,
        direct_boot,
        processes,
        cleartext_hosts,
        queries: _,
        install_location,
        shared_user_max_sdk,
        compatible_screens: _,
        meta_data: _,
    } = a;
    with.differ("components", plain(components), plain(&b.components));
    let exported = |facts: &ManifestFacts| -> Vec<String> {
        let show = |component: &crate::inventory::ExportedComponent| {
            let needs = component.permission.clone().unwrap_or_else(|| "no permission".to_owned());
            let write =
                component.write_permission.as_ref().map(|name| format!(", to write {name}")).unwrap_or_default();
            let authorities = component.authorities.join(" ");
            let authorities = if authorities.is_empty() { String::new() } else { format!(", {authorities}") };
            format!("{} {} ({needs}{write}{authorities})", component.kind, component.name)
        };
        facts.exported.iter().map(show).collect()
    };
    with.sets("exported-components", exported(a), exported(b));
    with.sets("hooks", self::hooks(a), self::hooks(b));
    with.sets("qualifies-for-roles", roles.clone(), b.roles.clone());
    with.sets("implied-permissions", implied_permissions.clone(), b.implied_permissions.clone());
    with.differ("cleartext", optional(cleartext), optional(&b.cleartext));
    with.differ("user-authorities", optional(user_authorities), optional(&b.user_authorities));
    with.differ("allow-backup", plain(allow_backup), plain(&b.allow_backup));
    let overlaid = |overlay: &Option<crate::inventory::OverlayFacts>| {
        overlay.as_ref().map(|overlay| {
            let target = overlay.target.as_deref().unwrap_or("nothing");
            let name = overlay.target_name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            let fixed = if overlay.is_static { ", static" } else { "" };
            format!("{target}{name}, priority {}{fixed}", overlay.priority)
        })
    };
    with.differ("overlay", overlaid(overlay), overlaid(&b.overlay));
    let libraries = |facts: &ManifestFacts| -> Vec<String> {
        let show = |library: &crate::inventory::LibraryFacts| {
            let version = library.version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{} {}{version}", library.kind, library.name)
        };
        facts.libraries.iter().map(show).collect()
    };
    with.sets("libraries", libraries(a), libraries(b));
    with.sets("required-features", required_features.clone(), b.required_features.clone());
    with.sets("original-packages", original_packages.clone(), b.original_packages.clone());
    let labels = |facts: &ManifestFacts| -> Vec<String> {
        facts.labels.iter().map(|label| format!("{} ({})", label.text, label.locale)).collect()
    };
    with.sets("labels", labels(a), labels(b));
    with.sets("permission-groups", permission_groups.clone(), b.permission_groups.clone());
    with.sets("permission-trees", permission_trees.clone(), b.permission_trees.clone());
    with.sets("never-for-location", never_for_location.clone(), b.never_for_location.clone());
    with.sets("direct-boot", direct_boot.clone(), b.direct_boot.clone());
    with.sets("processes", processes.clone(), b.processes.clone());
    with.sets("cleartext-hosts", cleartext_hosts.clone(), b.cleartext_hosts.clone());
    let queries = |facts: &ManifestFacts| {
        [&facts.queries.packages, &facts.queries.actions, &facts.queries.authorities]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    with.sets("queries", queries(a), queries(b));
    with.differ("install-location", install_location.clone(), b.install_location.clone());
    with.differ("shared-user-max-sdk", optional(shared_user_max_sdk), optional(&b.shared_user_max_sdk));
    let screens = |facts: &ManifestFacts| -> Vec<String> {
        facts.compatible_screens.iter().map(|screen| format!("{:?} of {:?} dpi", screen.size, screen.density)).collect()
    };
    with.sets("compatible-screens", screens(a), screens(b));
    let meta_data = |facts: &ManifestFacts| -> Vec<String> {
        let show = |data: &crate::inventory::MetaDataFacts| match &data.value {
            Some(value) => format!("{}={value}", data.name),
            None => data.name.clone(),
        };
        facts.meta_data.iter().map(show).collect()
    };
    with.sets("meta-data", meta_data(a), meta_data(b));
}
