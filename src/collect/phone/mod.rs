//! A phone over ADB, read through its shell.
//!
//! One dump of the package manager tells nearly everything; what it leaves out (permissions of shared users, requested
//! permissions, icons) is asked for, and the lists of packages per user are held against it. What a phone refuses, cuts
//! or does not know is a gap with the device's own words.

mod asking;
mod deep;
mod grants;
mod launchers;
mod lists;
mod package;
mod pin;
mod requested;
mod state;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use asking::{Asker, Text};
use grants::SharedUsers;
use launchers::Launchers;
use lists::UserPackages;
use pin::Pin;
use requested::RequestedPermissions;
use state::Told;

use super::{Deep, Progress, Request, Source, SourceError};
use crate::adb::{Command, Shell, commands};
use crate::dump::getprop::{self, Getprop};
use crate::dump::package::block::Block;
use crate::dump::package::{PackageDump, facts};
use crate::dump::refusal::RefusalKind;
use crate::dump::{package as package_dump, users};
use crate::inventory::{
    DeclaredPermission, Device, Evidence, Fact, Gap, GapReason, Hides, Inventory, Package, Target, TargetKind, Tool,
    User,
};
use crate::platform::conclusions;
use crate::platform::identity::{self, Properties, Property};

/// The oldest API level that is read (Android 5): its forms of commands are what every later version knows too.
const OLDEST_SDK: u32 = 21;

/// The newest API level whose forms are known (Android 16). A capture that does not tell its own may have any of them.
const NEWEST_SDK: u32 = 36;

/// App ids below it are the system's own.
const FIRST_APP: u32 = 10_000;

/// A phone behind a [`Shell`].
pub struct PhoneSource<'a> {
    shell: &'a dyn Shell,
    name: String,
    collected_at: Option<String>,
}

impl<'a> PhoneSource<'a> {
    /// A phone. `name` is the user's name for it (`adb:SERIAL`), `collected_at` the time in RFC 3339, which only the
    /// caller may read.
    #[must_use]
    pub fn new(shell: &'a dyn Shell, name: impl Into<String>, collected_at: Option<String>) -> Self {
        Self { shell, name: name.into(), collected_at }
    }
}

impl Source for PhoneSource<'_> {
    fn collect(&mut self, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        let mut asker = Asker::new(self.shell, request.record.as_deref());
        progress.step("identity");
        let (pin, unread) = Pin::read(&mut asker);
        if let Some(gap) = unread {
            if gap.reason == GapReason::Disconnected {
                return Err(SourceError::Temporary(gap.detail));
            }
            asker.note(gap);
        }
        let identity = read_identity(&mut asker);
        let pin = pin.with(&identity.getprop);
        let mut told = read(&mut asker, identity, request, progress);
        if let (Fact::Known { value, .. }, true) = (&mut told.found.packages, request.deep != Deep::No) {
            let cost = deep::read(&mut asker, value, request.deep, progress);
            let kib = cost.bytes / (1 << 10);
            progress.step(&format!("{} package files: {} requests, {kib} KiB", cost.files, cost.requests));
            if request.verify {
                whole::verify(&mut asker, value, told.device.sdk.known().copied(), progress);
            }
        }
        progress.step("identity, again");
        if asker.answered {
            asker.try_again();
        }
        pin.hold(&mut asker).map_err(SourceError::Temporary)?;
        if !asker.answered {
            let words = asker.gaps.first().map_or("no answer", |gap| gap.detail.as_str());
            return Err(SourceError::Temporary(format!("the phone answered no command: {words}")));
        }
        let target = Target {
            kind: TargetKind::Phone,
            name: self.name.clone(),
            collected_at: self.collected_at.clone(),
            layers: Vec::new(),
        };
        Ok(told.inventory(target, asker))
    }
}

/// The inventory of a phone by answers that another program took: there is no phone to hold them against.
///
/// # Errors
/// None of the answers is there.
pub(super) fn of_capture(
    shell: &dyn Shell,
    target: Target,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Inventory, SourceError> {
    let mut asker = Asker::new(shell, request.record.as_deref());
    let identity = read_identity(&mut asker);
    let told = read(&mut asker, identity, request, progress);
    if !asker.answered {
        return Err(SourceError::Unreadable("nothing in it tells about packages or the device".to_owned()));
    }
    Ok(told.inventory(target, asker))
}

/// What the properties tell.
struct Identity {
    device: Device,
    getprop: Getprop,
    properties: Option<(Properties, Evidence)>,
}

/// Everything that the answers tell.
struct Everything {
    device: Device,
    users: Fact<Vec<User>>,
    found: Found,
    told: Told,
}

fn read(asker: &mut Asker<'_>, identity: Identity, request: &Request, progress: &dyn Progress) -> Everything {
    let Identity { device, properties, .. } = identity;
    let sdk = device.sdk.known().copied();
    progress.step("users");
    let users = read_users(asker);
    let mut reading = Reading { asker, sdk, request, progress };
    let (found, ids) = reading.packages(&users);
    progress.step("state");
    let properties = properties.as_ref().map(|(properties, evidence)| (properties, evidence));
    let forms = reading.forms();
    let mut told = state::ask(asker, forms, &ids, properties, &found.features);
    only_preinstalled(&mut told, &found.packages);
    Everything { device, users, found, told }
}

/// What somebody installed later is counted, not named: neither are the modes of its operations.
fn only_preinstalled(told: &mut Told, packages: &Fact<Vec<Package>>) {
    let Fact::Known { value: packages, .. } = packages else { return };
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let uids: BTreeSet<u32> = packages.iter().filter_map(|package| package.uid.known().copied()).collect();
    if let Fact::Known { value, .. } = &mut told.state.app_ops {
        value.retain(|mode| match &mode.package {
            Some(name) => names.contains(name.as_str()),
            None => mode.app_id < FIRST_APP || uids.contains(&mode.app_id),
        });
    }
    if let Fact::Known { value, .. } = &mut told.state.overlays {
        value.retain(|overlay| names.contains(overlay.package.as_str()));
    }
}

impl Everything {
    fn inventory(self, target: Target, asker: Asker<'_>) -> Inventory {
        let Self { device, users, found, told } = self;
        let partitions =
            Gap::new("partitions", GapReason::NotObserved, "a phone's packages tell the partitions in use");
        let mut inventory = Inventory {
            schema_version: crate::inventory::SCHEMA_VERSION.to_owned(),
            tool: Tool::this(),
            target,
            sources: asker.origins.into_list(),
            device,
            users,
            partitions: Fact::Unknown(partitions),
            packages: found.packages,
            permissions: found.permissions,
            role_holders: told.role_holders,
            state: Box::new(told.state),
            controls: untold("control files of permissions"),
            roles: untold("roles"),
            preinstalls: untold("preinstall lists"),
            layouts: untold("layouts of the home screen"),
            configuration: untold("configuration of the platform"),
            preferred_apps: untold("preferred apps"),
            arrivals: Fact::not_asked(),
            omitted_packages: found.omitted,
            gaps: asker.gaps,
        };
        inventory.normalize();
        conclusions::complete(&mut inventory);
        inventory
    }
}

/// What stands in files that a phone's shell is not asked for.
fn untold<T>(what: &str) -> Fact<T> {
    Fact::Unknown(Gap::new(what, GapReason::NotObserved, "a phone is not asked for such files"))
}

fn read_identity(asker: &mut Asker<'_>) -> Identity {
    let unread = |gap: &Gap, getprop| Identity { device: Device::unknown(gap), getprop, properties: None };
    let text = match asker.ask(&commands::properties(), Hides::Facts) {
        Ok(text) => text,
        Err(gap) => return unread(&gap, Getprop::default()),
    };
    let parsed = getprop::parse(&text.text);
    if let Some(words) = parsed.leftover.describe() {
        asker.note(Gap::new(&text.command, GapReason::Damaged, words));
    }
    if parsed.truncated || parsed.entries.is_empty() {
        let gap = Gap::new(&text.command, GapReason::Truncated, "the list of properties ends early");
        asker.note(gap.clone());
        return unread(&gap, parsed);
    }
    let mut properties = Properties::new();
    for entry in parsed.entries.iter().filter(|entry| !entry.value.value.is_empty()) {
        let evidence = text.evidence.at(format!("line {}", entry.line));
        properties.entry(entry.value.name.clone()).or_insert(Property { value: entry.value.value.clone(), evidence });
    }
    let device = identity::device(&properties, &text.evidence);
    Identity { device, getprop: parsed, properties: Some((properties, text.evidence)) }
}

fn read_users(asker: &mut Asker<'_>) -> Fact<Vec<User>> {
    let text = match asker.ask(&commands::users(), Hides::Users) {
        Ok(text) => text,
        Err(gap) => return Fact::Unknown(gap),
    };
    let parsed = users::parse(&text.text);
    let words = parsed
        .leftover
        .describe()
        .or_else(|| (parsed.truncated || parsed.users.is_empty()).then(|| "the list of users ends early".to_owned()));
    if let Some(words) = words {
        let reason = if parsed.leftover.count > 0 { GapReason::Damaged } else { GapReason::Truncated };
        let gap = Gap::new(&text.command, reason, words).hiding(Hides::Users);
        asker.note(gap.clone());
        return Fact::Unknown(gap);
    }
    let user =
        |listed: users::ListedUser| User { id: listed.id, flags: Some(listed.flags), running: Some(listed.running) };
    Fact::new(parsed.users.into_iter().map(|at| user(at.value)).collect(), &text.evidence)
}

/// What was learnt about packages.
struct Found {
    packages: Fact<Vec<Package>>,
    permissions: Fact<Vec<DeclaredPermission>>,
    omitted: Fact<u64>,
    /// Features that a dump named beside the packages.
    features: Option<(Vec<String>, Evidence)>,
}

/// A dump with the command that gave it.
struct Dumped {
    dump: PackageDump,
    evidence: Evidence,
    command: String,
}

struct Reading<'r, 'a> {
    asker: &'r mut Asker<'a>,
    sdk: Option<u32>,
    request: &'r Request,
    progress: &'r dyn Progress,
}

impl Reading<'_, '_> {
    /// The API level for the forms of commands.
    fn forms(&self) -> u32 {
        self.sdk.unwrap_or(if self.asker.is_capture() { NEWEST_SDK } else { OLDEST_SDK })
    }

    /// Packages, and the users that they are told of.
    fn packages(&mut self, users: &Fact<Vec<User>>) -> (Found, BTreeSet<u32>) {
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
