//! A phone over ADB, read through its shell.
//!
//! One dump of the package manager tells nearly everything; what it leaves out (permissions of shared users, requested
//! permissions, icons) is asked for, and the lists of packages per user are held against it. What a phone refuses, cuts
//! or does not know is a gap with the device's own words.

mod asking;
mod deep;
mod files;
mod grants;
mod launchers;
mod links;
mod lists;
mod package;
mod packages;
mod pin;
mod remote;
mod requested;
mod state;
mod whole;

use std::collections::BTreeSet;

use asking::Asker;
use files::Files;
use packages::{Found, Reading};
use pin::Pin;
use state::Told;

use super::{Deep, Progress, Request, Source, SourceError};
use crate::adb::{Shell, commands};
use crate::dump::getprop::{self, Getprop};
use crate::dump::users;
use crate::inventory::{
    Device, Evidence, Fact, Gap, GapReason, Hides, Inventory, Package, Target, TargetKind, Tool, User,
};
use crate::platform::conclusions;
use crate::platform::identity::{self, Properties, Property};

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
            let mut files = Files::new();
            let count = deep::read(&mut asker, &mut files, value, request, progress);
            let (requests, kib) = (files.requests, files.bytes / (1 << 10));
            progress.step(&format!("{count} package files: {requests} requests, {kib} KiB"));
            if request.verify {
                whole::verify(&mut asker, &mut files, value, told.device.sdk.known().copied(), progress);
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
