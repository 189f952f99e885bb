//! From the entries of a dump to packages.

use std::collections::{BTreeMap, BTreeSet};

use super::grants::{self, SharedUsers};
use super::launchers::Launchers;
use super::requested::RequestedPermissions;
use crate::dump::At;
use crate::dump::package::block::{Block, Body, UserBlock};
use crate::dump::package::facts;
use crate::inventory::{
    Code, CopyRole, DeclaredPermission, Enabled, Evidence, Fact, FirstInstall, Gap, GapReason, Installation, Package,
    PackageCopy, Signer, SignerDepth, Split, UserState,
};
use crate::platform::placement;

/// First API level whose dump names who asked for an installation (Android 11).
const INITIATOR_SINCE: u32 = 30;

/// What is known beside the entries themselves.
pub(super) struct Context<'a> {
    /// The dump's command line.
    pub(super) command: &'a str,
    pub(super) evidence: &'a Evidence,
    pub(super) shared_users: &'a SharedUsers,
    pub(super) requested: &'a RequestedPermissions,
    pub(super) launchers: &'a Launchers,
    /// Paths of base APKs by package, from the lists of packages.
    pub(super) paths: &'a BTreeMap<String, String>,
    /// API level, where it is known.
    pub(super) sdk: Option<u32>,
}

/// The application id of an entry. Android adds the version to the name of a static shared library.
pub(super) fn application_id(block: &Block) -> &str {
    let plain = block.name.rsplit_once('_').filter(|(_, version)| version.chars().all(|c| c.is_ascii_digit()));
    match plain {
        Some((name, _)) if block.body.list("static library").is_some() => name,
        _ => &block.name,
    }
}

/// Whether a path is on the partition that users fill.
pub(super) fn is_user_space(path: &str) -> bool {
    path.starts_with("/data/") || path.starts_with("/mnt/")
}

/// Whether an APEX itself, which no list of packages has.
pub(super) fn is_apex(block: &Block) -> bool {
    let path = code_path(block);
    path.ends_with(".apex")
        || path.starts_with("/data/apex/")
        || path.contains("/apex/") && path.strip_prefix("/apex/").is_none_or(|rest| !rest.contains('/'))
}

fn code_path(block: &Block) -> &str {
    block.body.field("codePath").map_or("", |field| field.value)
}

fn flags(block: &Block) -> Option<At<BTreeSet<String>>> {
    let lists =
        ["flags", "pkgFlags"].iter().filter_map(|key| block.body.field(key)).filter(|at| at.value.contains('['));
    let line = lists.clone().next()?.line;
    let private = ["privateFlags", "privatePkgFlags"].iter().filter_map(|key| block.body.field(key));
    Some(At { value: lists.chain(private).flat_map(|at| facts::words(at.value)).collect(), line })
}

fn has_flag(block: &Block, flag: &str) -> bool {
    flags(block).is_some_and(|flags| flags.value.contains(flag))
}

/// Whether a store or a person installed it: such packages are counted, not named. An entry that was cut before it
/// says so is taken for one.
pub(super) fn is_private(block: &Block) -> bool {
    let installer = block.body.field("installerPackageName").and_then(|field| facts::nullable(field.value));
    let path = code_path(block);
    let user_space = is_user_space(path) || (path.is_empty() && !block.complete);
    user_space && !has_flag(block, "SYSTEM") && (installer.is_some() || !block.complete)
}

/// A package of an active entry, its factory entry, or both. `None` without either.
pub(super) fn build(
    active: Option<&Block>,
    factory: Option<&Block>,
    context: &Context<'_>,
    gaps: &mut Vec<Gap>,
) -> Option<Package> {
    let main = active.or(factory)?;
    let entry = Entry { block: main, context };
    let name = application_id(main).to_owned();
    let mut copies = Vec::new();
    if let Some(block) = active {
        let updated = has_flag(block, "UPDATED_SYSTEM_APP");
        let role = if factory.is_some() || updated {
            CopyRole::Updated
        } else if is_user_space(code_path(block)) {
            CopyRole::Added
        } else {
            CopyRole::Factory
        };
        if updated && factory.is_none() {
            let words = "an updated system app whose factory copy the dump does not list";
            gaps.push(entry.gap("Hidden system packages", GapReason::Missing, words));
        }
        copies.push(Entry { block, context }.copy(role, true));
    }
    if let Some(block) = factory {
        copies.push(Entry { block, context }.copy(CopyRole::Factory, active.is_none()));
    }
    let shared_user = entry.shared_user();
    let found = match &shared_user {
        Fact::Known { value: Some(shared), .. } => {
            context.shared_users.grants(shared, main, context.evidence, context.command)
        }
        Fact::Known { value: None, .. } => grants::of_block(main, context.evidence, context.command),
        Fact::Unknown(gap) => grants::Found { grants: Fact::Unknown(gap.clone()), gap: None },
    };
    gaps.extend(found.gap);
    Some(Package {
        copies,
        uid: entry.uid(),
        shared_user,
        installer: entry.optional("installerPackageName", |text| Some(facts::nullable(text))),
        install: entry.install(),
        users: entry.users(),
        grants: found.grants,
        removability: Fact::not_asked(),
        presence: Fact::not_asked(),
        launcher_place: Fact::not_asked(),
        predicted_grants: Fact::not_asked(),
        name,
    })
}

struct Entry<'a> {
    block: &'a Block,
    context: &'a Context<'a>,
}

impl Entry<'_> {
    fn gap(&self, field: &str, reason: GapReason, words: &str) -> Gap {
        Gap::new(format!("{}: {}: {field}", self.context.command, self.block.name), reason, words)
    }

    fn absent(&self, field: &str) -> Gap {
        if self.block.complete {
            self.gap(field, GapReason::Missing, "the entry has no such field")
        } else {
            self.gap(field, GapReason::Truncated, "the dump ends within this entry")
        }
    }

    fn at(&self, line: u32) -> Evidence {
        self.context.evidence.at(format!("line {line}"))
    }

    /// A field that every entry has.
    fn field<T>(&self, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Fact<T> {
        let Some(field) = self.block.body.field(key) else { return Fact::Unknown(self.absent(key)) };
        match read(field.value) {
            Some(value) => Fact::new(value, &self.at(field.line)),
            None => {
                let words = format!("line {}: {key}={}", field.line, field.value);
                Fact::Unknown(self.gap(key, GapReason::Damaged, &words))
            }
        }
    }

    /// A field that Android leaves out where there is nothing.
    fn optional<T>(&self, key: &str, read: impl FnOnce(&str) -> Option<Option<T>>) -> Fact<Option<T>> {
        if self.block.complete && self.block.body.field(key).is_none() {
            return Fact::new(None, &self.at(self.block.line));
        }
        self.field(key, read)
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Fact<T> {
        self.field(key, |text| text.parse().ok())
    }

    fn uid(&self) -> Fact<u32> {
        // `appId` since Android 14; Android 5 has `gids=` on the same line.
        let key = if self.block.body.field("appId").is_some() { "appId" } else { "userId" };
        self.field(key, |text| text.split_whitespace().next()?.parse().ok())
    }

    fn shared_user(&self) -> Fact<Option<String>> {
        self.optional("sharedUser", |text| {
            if text == "null" { Some(None) } else { facts::shared_user(text).map(|name| Some(name.to_owned())) }
        })
    }

    fn users(&self) -> Fact<Vec<UserState>> {
        if self.block.users.is_empty() || !self.block.complete {
            return Fact::Unknown(self.absent("User"));
        }
        let mut states = Vec::new();
        for user in &self.block.users {
            match user_state(user) {
                Some(state) => states.push(state),
                None => {
                    let words = format!("line {}: a word is missing or not of its kind", user.line);
                    return Fact::Unknown(self.gap("User", GapReason::Damaged, &words));
                }
            }
        }
        let first = self.block.users.first().map_or(self.block.line, |user| user.line);
        Fact::new(states, &self.at(first))
    }

    fn install(&self) -> Fact<Installation> {
        if !self.block.complete {
            return Fact::Unknown(self.absent("firstInstallTime"));
        }
        // The two packages stand there since Android 11, and are left out where there is none.
        let tells = self.context.sdk.is_some_and(|sdk| sdk >= INITIATOR_SINCE);
        let source = |keys: [&str; 2]| match keys.into_iter().find_map(|key| self.block.body.field(key)) {
            Some(field) => Fact::new(facts::nullable(field.value), &self.at(field.line)),
            None if tells => Fact::new(None, &self.at(self.block.line)),
            None => Fact::Unknown(self.gap(keys[0], GapReason::NotObserved, "told since Android 11")),
        };
        let time = |body: &Body, key: &str| body.field(key).map(|field| field.value.to_owned());
        let mut first: Vec<FirstInstall> = Vec::new();
        first.extend(time(&self.block.body, "firstInstallTime").map(|at| FirstInstall { user: None, at }));
        for user in &self.block.users {
            first.extend(time(&user.body, "firstInstallTime").map(|at| FirstInstall { user: Some(user.id), at }));
        }
        let install = Installation {
            initiator: source(["initiatingPackageName", "installInitiatingPackageName"]),
            originator: source(["originatingPackageName", "installOriginatingPackageName"]),
            first,
            last_update: time(&self.block.body, "lastUpdateTime"),
        };
        Fact::new(install, &self.at(self.block.line))
    }

    fn copy(&self, role: CopyRole, active: bool) -> PackageCopy {
        let block = self.block;
        let name = application_id(block);
        let code_path = self.field("codePath", |text| text.starts_with('/').then(|| text.to_owned()));
        let place = code_path.clone().map(|path| placement::classify(&path));
        let folder = code_path.known().cloned().unwrap_or_default();
        // The lists name the base APK, the dump its folder.
        let base = self.context.paths.get(name).filter(|path| active && path.starts_with(&folder));
        let flags = match flags(block) {
            Some(flags) => Fact::new(flags.value, &self.at(flags.line)),
            None => Fact::Unknown(self.absent("flags")),
        };
        let code = flags.clone().map(|flags| Code {
            present: flags.contains("HAS_CODE"),
            dex_files: None,
            dex_bytes: None,
            classes: None,
            abis: self.abis(),
            file_bytes: None,
            stub: None,
            class_counts: None,
            libraries: None,
        });
        PackageCopy {
            role,
            path: base.cloned().unwrap_or(folder),
            partition: place.clone().map(|(partition, _)| partition),
            placement: place.map(|(_, placement)| placement),
            splits: self.field("splits", |text| {
                let unread =
                    self.gap("splits", GapReason::NotObserved, "a phone's shell does not tell about split APKs");
                let split = |name| Split { name, path: None, file: Fact::Unknown(unread.clone()) };
                Some(facts::splits(text)?.into_iter().map(split).collect())
            }),
            version_code: self.number("versionCode"),
            version_name: self.field("versionName", |text| Some(facts::nullable(text))),
            min_sdk: self.number("minSdk"),
            target_sdk: self.number("targetSdk"),
            flags: flags.map(|flags| flags.into_iter().collect()),
            requested_permissions: self.context.requested.of(block, active, &self.at(block.line)),
            declared_permissions: self.declared(name),
            signers: self.field("signatures", |text| {
                let signer = |hash_code| Signer {
                    sha256: None,
                    hash_code,
                    scheme: None,
                    depth: SignerDepth::Device,
                    published_key: None,
                    past: Vec::new(),
                    linked: None,
                };
                Some(facts::signature_numbers(text)?.into_iter().map(signer).collect())
            }),
            label: Fact::Unknown(self.gap("label", GapReason::NotObserved, "a phone's shell does not tell labels")),
            launcher: if active {
                self.context.launchers.of(name, block)
            } else {
                let words = "Android lists activities of the copy that it runs";
                Fact::Unknown(self.gap("launcher", GapReason::NotObserved, words))
            },
            code,
            manifest: Fact::Unknown(self.gap(
                "manifest",
                GapReason::NotObserved,
                "a phone's shell does not tell what a manifest says of components",
            )),
            answers: Fact::Unknown(self.gap(
                "answers",
                GapReason::NotObserved,
                "a phone's shell does not tell what a manifest says of components",
            )),
        }
    }

    fn abis(&self) -> Vec<String> {
        let abis = ["primaryCpuAbi", "secondaryCpuAbi"].iter().filter_map(|key| self.block.body.field(key));
        let mut abis: Vec<_> = abis.filter_map(|field| facts::nullable(field.value)).collect();
        abis.sort();
        abis
    }

    fn declared(&self, name: &str) -> Fact<Vec<DeclaredPermission>> {
        let Some(list) = self.block.body.list("declared permissions") else {
            return if self.block.complete {
                Fact::new(Vec::new(), &self.at(self.block.line))
            } else {
                Fact::Unknown(self.absent("declared permissions"))
            };
        };
        let read = |item: &At<String>| {
            let (permission, protection) = facts::declared(&item.value);
            DeclaredPermission {
                name: permission.to_owned(),
                package: name.to_owned(),
                protection: protection.map(str::to_owned),
                group: None,
                known_certificates: Vec::new(),
            }
        };
        Fact::new(list.value.iter().map(read).collect(), &self.at(list.line))
    }
}

/// `None` if a word that every version prints is missing, or any is not of its kind.
fn user_state(user: &UserBlock) -> Option<UserState> {
    let flag = |key: &str| match user.words.get(key).map(String::as_str) {
        Some("true") => Some(Some(true)),
        Some("false") => Some(Some(false)),
        None => Some(None),
        Some(_) => None,
    };
    Some(UserState {
        user: user.id,
        installed: flag("installed")??,
        // `hidden` is there since Android 5, `suspended` since 7: before, there was no such state.
        hidden: flag("hidden")?.unwrap_or(false),
        suspended: flag("suspended")?.unwrap_or(false),
        stopped: flag("stopped")?.unwrap_or(false),
        enabled: match user.words.get("enabled")?.parse::<i32>().ok()? {
            0 => Enabled::Default,
            1 => Enabled::Enabled,
            2 => Enabled::Disabled,
            3 => Enabled::DisabledByUser,
            4 => Enabled::DisabledUntilUsed,
            _ => Enabled::Unrecognised,
        },
        last_disabled_caller: user.body.field("lastDisabledCaller").and_then(|field| facts::nullable(field.value)),
    })
}
