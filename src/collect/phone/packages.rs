//! Packages of a phone: its dump, held against the lists of each user, and what the dump leaves out asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::asking::{Asker, Text};
use super::grants::SharedUsers;
use super::launchers::Launchers;
use super::lists::{self, UserPackages};
use super::package;
use super::requested::{self, RequestedPermissions};
use crate::adb::{Command, commands};
use crate::collect::{Progress, Request};
use crate::dump::package as package_dump;
use crate::dump::package::block::Block;
use crate::dump::package::{PackageDump, facts};
use crate::dump::refusal::RefusalKind;
use crate::inventory::{DeclaredPermission, Evidence, Fact, Gap, GapReason, Hides, Package, User};

/// The oldest API level that is read (Android 5): its forms of commands are what every later version knows too.
const OLDEST_SDK: u32 = 21;

/// The newest API level whose forms are known (Android 16). A capture that does not tell its own may have any of them.
const NEWEST_SDK: u32 = 36;

/// What was learnt about packages.
pub(super) struct Found {
    pub(super) packages: Fact<Vec<Package>>,
    pub(super) permissions: Fact<Vec<DeclaredPermission>>,
    pub(super) omitted: Fact<u64>,
    /// Features that a dump named beside the packages.
    pub(super) features: Option<(Vec<String>, Evidence)>,
}

/// A dump with the command that gave it.
struct Dumped {
    dump: PackageDump,
    evidence: Evidence,
    command: String,
}

/// The reading of packages.
pub(super) struct Reading<'r, 'a> {
    pub(super) asker: &'r mut Asker<'a>,
    /// API level, where it is known.
    pub(super) sdk: Option<u32>,
    pub(super) request: &'r Request,
    pub(super) progress: &'r dyn Progress,
}

impl Reading<'_, '_> {
    /// The API level for the forms of commands.
    pub(super) fn forms(&self) -> u32 {
        self.sdk.unwrap_or(if self.asker.is_capture() { NEWEST_SDK } else { OLDEST_SDK })
    }

    /// Packages, and the users that they are told of.
    pub(super) fn packages(&mut self, users: &Fact<Vec<User>>) -> (Found, BTreeSet<u32>) {
        self.progress.step("packages");
        let dumped = self.package_dump();
        let mut ids: BTreeSet<u32> = users.known().into_iter().flatten().map(|user| user.id).collect();
        if let Ok(dumped) = &dumped {
            let in_dump: BTreeSet<u32> =
                active(dumped).iter().flat_map(|b| b.users.iter().map(|user| user.id)).collect();
            if users.known().is_some() && ids != in_dump {
                let words = format!("`pm list users` has users {ids:?}, the dump has {in_dump:?}");
                self.asker.note(Gap::new(&dumped.command, GapReason::Contradiction, words).hiding(Hides::Users));
            }
            ids.extend(in_dump);
        }
        if ids.is_empty() {
            ids.insert(0);
        }
        self.progress.step("lists of packages");
        let lists = lists::ask(self.asker, self.forms(), &ids);
        let found = match dumped {
            Ok(dumped) => self.by_dump(&dumped, &lists, &ids),
            Err(gap) => self.by_lists(&gap, &lists),
        };
        (found, ids)
    }

    /// The dump with a section of packages. Tries the older form where an option is not known, and the whole dump where
    /// the section is not.
    fn package_dump(&mut self) -> Result<Dumped, Gap> {
        let sdk = self.forms();
        let mut attempts = vec![commands::packages(sdk)];
        for other in [commands::packages(OLDEST_SDK), commands::everything(sdk)] {
            if !attempts.contains(&other) {
                attempts.push(other);
            }
        }
        let mut first = None;
        for command in &attempts {
            match self
                .dump(command, Hides::Packages, |dump| dump.packages.as_ref().is_some_and(|list| !list.is_empty()))
            {
                Ok(dumped) => return Ok(dumped),
                Err(gap) => {
                    let may_know_another = matches!(gap.reason, GapReason::Failed | GapReason::Missing);
                    first.get_or_insert(gap);
                    if !may_know_another {
                        break;
                    }
                }
            }
        }
        Err(first.unwrap_or_else(|| Gap::new("dumpsys package", GapReason::Missing, "not asked")))
    }

    /// Asks for a dump. What it has less than it should is entered as gaps; `Err` if it has nothing of use. `cut` is what
    /// may be hidden if it has something, and was cut.
    fn dump(
        &mut self,
        command: &Command,
        cut: Hides,
        has_section: impl Fn(&PackageDump) -> bool,
    ) -> Result<Dumped, Gap> {
        let Text { text, evidence, command } = self.asker.ask(command, Hides::Facts)?;
        let dump = package_dump::parse(&text);
        let usable = has_section(&dump);
        let gap = match dump.end.describe() {
            Some(words) if dump.end.refusal() == Some(RefusalKind::Denied) && !usable => {
                Some(Gap::new(&command, GapReason::Refused, words))
            }
            Some(words) => Some(Gap::new(&command, GapReason::Truncated, words)),
            None if !usable => Some(Gap::new(&command, GapReason::Missing, "the answer lacks the section asked for")),
            None => None,
        };
        if let Some(gap) = &gap {
            let hides = if usable { cut } else { Hides::Facts };
            self.asker.note(gap.clone().hiding(hides));
        }
        if let (false, Some(gap)) = (usable, gap) {
            return Err(gap);
        }
        if let Some(words) = dump.leftover.describe() {
            let hides = if dump.lost_packages > 0 { Hides::Packages } else { Hides::Facts };
            self.asker.note(Gap::new(&command, GapReason::Unsupported, words).hiding(hides));
        }
        Ok(Dumped { dump, evidence, command })
    }

    fn by_dump(&mut self, dumped: &Dumped, lists: &[UserPackages], ids: &BTreeSet<u32>) -> Found {
        let (active, hidden) = (active(dumped), dumped.dump.hidden.as_slice());
        let also = &self.request.also;
        let is_private = |block: &Block| package::is_private(block) && !also.contains(package::application_id(block));
        lists::cross_check(self.asker, lists, active, package::is_private);
        // Android prints its features where no package was named: without them a capture may be the dump of a few.
        let is_whole = !dumped.dump.features.is_empty() || !lists.is_empty();
        if self.asker.is_capture() && !is_whole {
            let words = "the dump may be of some packages only: it lacks the features that a whole one has";
            self.asker.note(Gap::new(&dumped.command, GapReason::NotObserved, words).hiding(Hides::Packages));
        }
        self.progress.step("shared users");
        let shared_users = self.shared_users(dumped);
        self.progress.step("permissions");
        let permissions = self.permissions(dumped);
        let requested = if requested::is_told_by(active, &dumped.dump.end) {
            RequestedPermissions::none(Gap::new(&dumped.command, GapReason::NotObserved, "not listed"))
        } else {
            match &permissions {
                Fact::Known { value, .. } => {
                    let sdk = self.forms();
                    let names = value.iter().map(|permission| permission.name.as_str());
                    let packages = active.iter().filter(|block| !is_private(block)).map(package::application_id);
                    RequestedPermissions::ask(self.asker, sdk, names, packages)
                }
                Fact::Unknown(gap) => RequestedPermissions::none(gap.clone()),
            }
        };
        self.progress.step("launcher activities");
        let launchers = Launchers::ask(self.asker, self.sdk, ids);
        let context = package::Context {
            command: &dumped.command,
            evidence: &dumped.evidence,
            shared_users: &shared_users,
            requested: &requested,
            launchers: &launchers,
            paths: &lists::paths(lists),
            sdk: self.sdk,
        };
        let mut entries: BTreeMap<&str, (Option<&Block>, Option<&Block>)> = BTreeMap::new();
        let mut omitted = BTreeSet::new();
        for block in active {
            let name = package::application_id(block);
            if is_private(block) {
                omitted.insert(name);
            } else if entries.insert(name, (Some(block), None)).is_some() {
                let words = format!("line {}: {name} stands there twice; the last entry is taken", block.line);
                self.asker.note(Gap::new(&dumped.command, GapReason::Contradiction, words));
            }
        }
        for block in hidden {
            entries.entry(package::application_id(block)).or_default().1 = Some(block);
        }
        let mut packages: Vec<Package> = Vec::new();
        for (active, factory) in entries.into_values() {
            packages.extend(package::build(active, factory, &context, &mut self.asker.gaps));
        }
        self.hide(omitted.iter().copied());
        self.hide(lists::private(lists, also));
        let omitted = u64::try_from(omitted.len()).unwrap_or(u64::MAX);
        let whole = dumped.dump.end.describe().map(|words| Gap::new(&dumped.command, GapReason::Truncated, words));
        Found {
            packages: Fact::new(packages, &dumped.evidence),
            permissions,
            omitted: whole.map_or_else(|| Fact::new(omitted, &dumped.evidence), Fact::Unknown),
            features: (!dumped.dump.features.is_empty()).then(|| {
                let names = dumped.dump.features.iter().map(|at| crate::dump::features::plain(&at.value).to_owned());
                (names.collect(), dumped.evidence.clone())
            }),
        }
    }

    /// Packages that somebody installed stay out of raw material too.
    fn hide<'n>(&self, names: impl Iterator<Item = &'n str>) {
        if let Some(record) = &self.request.record {
            record.hide(names);
        }
    }

    fn shared_users(&mut self, dumped: &Dumped) -> SharedUsers {
        let by_name = |blocks: &[Block]| blocks.iter().map(|block| (block.name.clone(), block.clone())).collect();
        if let Some(blocks) = &dumped.dump.shared_users {
            let found = Ok((by_name(blocks), dumped.evidence.clone()));
            return SharedUsers { found, command: dumped.command.clone() };
        }
        let command = commands::shared_users(self.forms());
        let found = self
            .dump(&command, Hides::Facts, |dump| dump.shared_users.is_some())
            .map(|dumped| (by_name(dumped.dump.shared_users.as_deref().unwrap_or_default()), dumped.evidence));
        SharedUsers { found, command: command.line().to_owned() }
    }

    fn permissions(&mut self, dumped: &Dumped) -> Fact<Vec<DeclaredPermission>> {
        if let Some(blocks) = dumped.dump.permissions.as_deref().filter(|_| dumped.dump.end.describe().is_none()) {
            return Fact::new(declared(blocks), &dumped.evidence);
        }
        let command = commands::permissions(self.forms());
        match self.dump(&command, Hides::Facts, |dump| dump.permissions.as_ref().is_some_and(|list| !list.is_empty())) {
            Ok(found) => match found.dump.end.describe() {
                Some(words) => Fact::Unknown(Gap::new(found.command, GapReason::Truncated, words)),
                None => Fact::new(declared(found.dump.permissions.as_deref().unwrap_or_default()), &found.evidence),
            },
            Err(gap) => Fact::Unknown(gap),
        }
    }

    /// No dump: names and paths, as far as the lists go.
    fn by_lists(&mut self, gap: &Gap, lists: &[UserPackages]) -> Found {
        let unread = Fact::Unknown(gap.clone());
        let Some(first) = lists.first() else {
            let gap = gap.clone().hiding(Hides::Packages);
            return Found {
                packages: Fact::Unknown(gap.clone()),
                permissions: unread,
                omitted: Fact::Unknown(gap),
                features: None,
            };
        };
        let (packages, left_out) = lists::packages(lists, &self.request.also, gap);
        self.hide(left_out.iter().copied());
        let left_out = u64::try_from(left_out.len()).unwrap_or(u64::MAX);
        if left_out > 0 {
            let words = format!(
                "without the dump, {left_out} packages in /data with an installer can't be told from updated system apps"
            );
            self.asker.note(Gap::new(&gap.place, gap.reason, words).hiding(Hides::Packages));
        }
        Found {
            packages: Fact::new(packages, first.evidence()),
            permissions: unread,
            omitted: Fact::new(left_out, first.evidence()),
            features: None,
        }
    }
}

fn active(dumped: &Dumped) -> &[Block] {
    dumped.dump.packages.as_deref().unwrap_or_default()
}

/// Permissions by name, unique: of two entries of one name, the first.
fn declared(blocks: &[Block]) -> Vec<DeclaredPermission> {
    let mut found: BTreeMap<&str, DeclaredPermission> = BTreeMap::new();
    for block in blocks {
        let package = block.body.field("sourcePackage").map_or("", |field| field.value);
        let level = facts::permission_level(&block.body.fields);
        found.entry(&block.name).or_insert_with(|| DeclaredPermission {
            name: block.name.clone(),
            package: package.to_owned(),
            protection: level.map(|level| level.value.to_owned()),
            group: None,
            known_certificates: Vec::new(),
        });
    }
    found.into_values().collect()
}
