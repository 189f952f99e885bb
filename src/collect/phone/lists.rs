//! `pm list packages` of each user: a cross-check of the dump, and what is left where there is no dump.

use std::collections::{BTreeMap, BTreeSet};

use super::asking::{Asker, gap_reason};
use super::package::{application_id, is_apex, is_user_space};
use super::requested::first_names;
use crate::adb::commands;
use crate::dump::At;
use crate::dump::package::block::Block;
use crate::dump::package_list::{self, ListedPackage};
use crate::dump::refusal;
use crate::inventory::{CopyRole, Evidence, Fact, Gap, GapReason, Hides, Package, PackageCopy};
use crate::platform::placement;

/// The whole list of one user.
pub(super) struct UserPackages {
    user: u32,
    packages: Vec<At<ListedPackage>>,
    evidence: Evidence,
    command: String,
}

impl UserPackages {
    /// Points to the whole list.
    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Asks for the list of every user. A list that is refused or not whole is a gap, and left out.
pub(super) fn ask(asker: &mut Asker<'_>, sdk: u32, users: &BTreeSet<u32>) -> Vec<UserPackages> {
    let mut out = Vec::new();
    for user in users {
        let newest = commands::list(sdk, *user);
        let mut text = asker.ask(&newest, Hides::Users);
        // A phone that says it is newer than its `pm`.
        let older = commands::list(commands::LIST_UID_SINCE - 1, *user);
        if older != newest && text.as_ref().is_err_and(|gap| gap.reason == GapReason::Failed) {
            text = asker.ask(&older, Hides::Users);
        }
        let Ok(text) = text else { continue };
        let parsed = package_list::parse(&text.text);
        let lines: Vec<&str> = parsed.leftover.samples.iter().map(|sample| sample.value.as_str()).collect();
        let refusal = refusal::find(&lines.join("\n"));
        let unread = match (refusal, parsed.leftover.describe()) {
            (Some(refusal), _) => Some((gap_reason(refusal.kind), refusal.words)),
            (None, Some(words)) => Some((GapReason::Damaged, words)),
            (None, None) if parsed.truncated => {
                Some((GapReason::Truncated, "the answer ends within a line".to_owned()))
            }
            (None, None) => None,
        };
        if let Some((reason, words)) = unread {
            asker.note(Gap::new(text.command, reason, words).hiding(Hides::Users));
            continue;
        }
        out.push(UserPackages {
            user: *user,
            packages: parsed.packages,
            evidence: text.evidence,
            command: text.command,
        });
    }
    out
}

/// Paths of base APKs by package.
pub(super) fn paths(lists: &[UserPackages]) -> BTreeMap<String, String> {
    let all = lists.iter().flat_map(|list| &list.packages);
    all.map(|package| (package.value.name.clone(), package.value.path.clone())).collect()
}

/// Tells where lists and dump differ. `private` entries are counted and not named.
pub(super) fn cross_check(
    asker: &mut Asker<'_>,
    lists: &[UserPackages],
    blocks: &[Block],
    is_private: impl Fn(&Block) -> bool,
) {
    let dumped: BTreeMap<&str, &Block> = blocks.iter().map(|block| (application_id(block), block)).collect();
    for list in lists {
        let listed: BTreeSet<&str> = list.packages.iter().map(|package| package.value.name.as_str()).collect();
        let is_installed = |block: &Block| {
            let user = block.users.iter().find(|user| user.id == list.user);
            user.and_then(|user| user.words.get("installed")).is_some_and(|word| word == "true")
        };
        let mut unlisted = Named::default();
        for (name, block) in &dumped {
            if !listed.contains(name) && is_installed(block) && !is_apex(block) {
                unlisted.add(name, is_private(block));
            }
        }
        let mut undumped = Named::default();
        for package in &list.packages {
            let package = &package.value;
            if !dumped.contains_key(package.name.as_str()) {
                undumped.add(&package.name, is_private_listed(package));
            }
        }
        let place = &list.command;
        if let Some(names) = unlisted.describe() {
            let words = format!("installed for user {} in the dump, not in the list: {names}", list.user);
            asker.note(Gap::new(place, GapReason::Contradiction, words).hiding(Hides::Users));
        }
        if let Some(names) = undumped.describe() {
            let words = format!("in the list, not in the dump: {names}");
            asker.note(Gap::new(place, GapReason::Contradiction, words).hiding(Hides::Packages));
        }
    }
}

/// Packages that somebody installed, as far as lists tell it, and that were not asked for.
pub(super) fn private<'l>(lists: &'l [UserPackages], also: &BTreeSet<String>) -> impl Iterator<Item = &'l str> {
    let listed = lists.iter().flat_map(|list| &list.packages).map(|listed| &listed.value);
    listed
        .filter(|package| is_private_listed(package) && !also.contains(&package.name))
        .map(|package| package.name.as_str())
}

/// As far as a list tells it, somebody installed it.
fn is_private_listed(package: &ListedPackage) -> bool {
    is_user_space(&package.path) && !matches!(package.installer, Some(None))
}

#[derive(Default)]
struct Named {
    names: Vec<String>,
    private: usize,
}

impl Named {
    fn add(&mut self, name: &str, private: bool) {
        if private {
            self.private += 1;
        } else {
            self.names.push(name.to_owned());
        }
    }

    fn describe(&self) -> Option<String> {
        match (self.names.is_empty(), self.private) {
            (true, 0) => None,
            (true, private) => Some(format!("{private} that were installed later")),
            (false, 0) => Some(first_names(&self.names)),
            (false, private) => Some(format!("{} and {private} that were installed later", first_names(&self.names))),
        }
    }
}

/// Names and paths from the lists alone: every other fact is unknown for `gap`. Also how many packages were left out as
/// installed later; an updated system app that a store updated can't be told from them.
pub(super) fn packages<'l>(
    lists: &'l [UserPackages],
    also: &BTreeSet<String>,
    gap: &Gap,
) -> (Vec<Package>, BTreeSet<&'l str>) {
    let mut found: BTreeMap<&str, Package> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for list in lists {
        for listed in &list.packages {
            let package = &listed.value;
            if is_private_listed(package) && !also.contains(&package.name) {
                left_out.insert(package.name.as_str());
            } else {
                let at = list.evidence.at(format!("line {}", listed.line));
                found.entry(&package.name).or_insert_with(|| of_list(package, &at, gap));
            }
        }
    }
    (found.into_values().collect(), left_out)
}

fn of_list(package: &ListedPackage, at: &Evidence, gap: &Gap) -> Package {
    fn unknown<T>(gap: &Gap) -> Fact<T> {
        Fact::Unknown(gap.clone())
    }
    let (partition, placement) = placement::classify(&package.path);
    let copy = PackageCopy {
        role: if is_user_space(&package.path) { CopyRole::Added } else { CopyRole::Factory },
        path: package.path.clone(),
        partition: Fact::new(partition, at),
        placement: Fact::new(placement, at),
        splits: unknown(gap),
        version_code: package.version_code.map_or_else(|| unknown(gap), |code| Fact::new(code, at)),
        version_name: unknown(gap),
        min_sdk: unknown(gap),
        target_sdk: unknown(gap),
        flags: unknown(gap),
        requested_permissions: unknown(gap),
        declared_permissions: unknown(gap),
        signers: unknown(gap),
        label: unknown(gap),
        launcher: unknown(gap),
        code: unknown(gap),
        manifest: unknown(gap),
        answers: unknown(gap),
    };
    Package {
        name: package.name.clone(),
        copies: vec![copy],
        uid: package.uid.map_or_else(|| unknown(gap), |uid| Fact::new(uid, at)),
        shared_user: unknown(gap),
        installer: package.installer.clone().map_or_else(|| unknown(gap), |installer| Fact::new(installer, at)),
        install: unknown(gap),
        users: unknown(gap),
        grants: unknown(gap),
        removability: Fact::not_asked(),
        presence: Fact::not_asked(),
        launcher_place: Fact::not_asked(),
        predicted_grants: Fact::not_asked(),
    }
}
