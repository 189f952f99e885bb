//! What the user points at, and reading it: phones and files, several at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clap::{Args, ValueEnum};

use super::exit::usage;
use super::reading::ReadingArguments;
use super::server::{self, NO_PHONE, ServerArguments};
use super::serverless::{self, Reach};
use super::terminal::{Board, Line};
use crate::adb::{Attached, Keys, Listing, Patience, Server};
use crate::collect::capture::CaptureSource;
use crate::collect::firmware::{FirmwareSource, Place};
use crate::collect::phone::PhoneSource;
use crate::collect::record::{Record, Recorded};
use crate::collect::saved::SavedSource;
use crate::collect::{Deep, Progress, Request, Source, SourceError};
use crate::inventory::{Inventory, Target, TargetKind};

/// Which targets, and how they are read. Shared by every command that reads any.
#[derive(Debug, Args)]
pub(super) struct TargetArguments {
    /// A firmware file, folder or https:// address, a saved inventory, a bug report or other capture, `adb` for every attached phone, or one: `adb:SERIAL`, `adb:usb:1-4.2`, `adb:HOST:PORT`, `tcp:HOST:PORT` without a server, and so, where it was built with the feature usb, `usb:` for every phone on a cable, `usb:SERIAL`, `usb:1-4.2`
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// A phone by its serial number, as `adb:SERIAL`; may be repeated
    #[arg(long = "device", short = 's', value_name = "SERIAL")]
    devices: Vec<String>,

    /// Also look up this package where somebody installed it later; may be repeated
    #[arg(long = "also", value_name = "PACKAGE")]
    also: Vec<String>,

    /// Read package files of phones in place too: their certificates, or everything
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_value = "no",
        default_missing_value = "signers")]
    deep: DeepArgument,

    /// Pull each package file of phones and verify its signature over the contents; reads certificates too
    #[arg(long)]
    verify: bool,

    /// Targets read at the same time [default: 32 phones, 8 images]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,

    #[command(flatten)]
    reading: ReadingArguments,

    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeepArgument {
    /// No package file
    No,
    /// Certificates, of one file for each signer that the phone tells apart and of packages that are asked for by name
    Signers,
    /// Manifest, resources and certificates of each
    All,
}

impl From<DeepArgument> for Deep {
    fn from(argument: DeepArgument) -> Self {
        match argument {
            DeepArgument::No => Self::No,
            DeepArgument::Signers => Self::Signers,
            DeepArgument::All => Self::All,
        }
    }
}

/// Phones read at the same time: they wait for the cable. Images compute.
const PHONES: u8 = 32;
const IMAGES: u8 = 8;

/// Most raw material that is kept of all targets together, in bytes: it is held in memory until the last was read.
const RECORDED: u64 = 768 << 20;

/// A target that was read, or not.
pub(super) struct Reading {
    pub(super) target: Target,
    pub(super) result: Result<Inventory, SourceError>,
    /// Raw material, where it was asked for.
    pub(super) recorded: Option<Recorded>,
}

/// One thing to read.
enum Job {
    File(Place, Box<FirmwareSource>),
    /// With the user's name for it.
    Phone(Server, Box<Attached>, String),
    /// A phone without an ADB server.
    Direct(Reach, Patience, Keys),
    /// Named, but not there, or no phone at all: nothing to read, yet not to be passed over in silence.
    Missing {
        name: String,
        why: String,
    },
}

/// What is to be read, before anything is.
pub(super) struct Plan {
    jobs: Vec<Job>,
    at_once: usize,
    request: Request,
    record: bool,
}

impl Plan {
    /// Number of targets.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The same, with raw material kept for each reading if `record` says so.
    pub(super) fn recording(self, record: bool) -> Self {
        Self { record, ..self }
    }

    /// Reads every target, several at once, and hands each on as soon as it is read: no target waits for another. What
    /// `each` makes of them comes back in the order named.
    ///
    /// # Errors
    /// The first error of `each`, in the order named; the others are handed on all the same.
    pub(super) fn read<T: Send>(
        &self,
        watch: &dyn Watch,
        each: impl Fn(usize, Reading, &Board) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<Vec<T>> {
        watch.started(self.jobs.len());
        let board = Board::new();
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<anyhow::Result<T>>>> = self.jobs.iter().map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for _ in 0..self.at_once.min(self.jobs.len()) {
                scope.spawn(|| {
                    while let Some((index, job, slot)) = take(&next, &self.jobs, &results) {
                        let target = job.target();
                        watch.reading(index, &target);
                        let progress = Watched { line: board.line(&target.name), watch, index };
                        let record = self.record.then(|| Arc::new(Record::new(RECORDED / self.jobs.len() as u64)));
                        let request = Request { record, ..self.request.clone() };
                        let result = job.read(&request, &progress);
                        let recorded = request.record.map(|record| record.take());
                        let reading = Reading { target, result, recorded };
                        drop(progress);
                        let made = each(index, reading, &board);
                        if let Ok(mut slot) = slot.lock() {
                            *slot = Some(made);
                        }
                    }
                });
            }
        });
        results.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()).collect()
    }
}

impl TargetArguments {
    /// What was named, in order.
    pub(super) fn named(&self) -> Vec<String> {
        let devices = self.devices.iter().map(|serial| format!("adb:{serial}"));
        self.targets.iter().cloned().chain(devices).collect()
    }

    /// Leaves out targets that are read otherwise.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.targets.retain(|name| keep(name));
    }

    /// Reads every target, in the order named; phones in the order of their names.
    ///
    /// # Errors
    /// No target was named and `default_to_phones` is off.
    pub(super) fn read(&self, default_to_phones: bool, packages: &[String]) -> anyhow::Result<Vec<Reading>> {
        self.plan(default_to_phones, packages)?.read(&Unwatched, |_, reading, _| Ok(reading))
    }

    /// What is to be read: asks the ADB server for phones, and opens none.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn plan(&self, default_to_phones: bool, packages: &[String]) -> anyhow::Result<Plan> {
        let mut also: BTreeSet<String> = self.also.iter().cloned().collect();
        also.extend(packages.iter().cloned());
        let jobs = self.jobs(default_to_phones)?;
        let only_phones = jobs.iter().all(|job| !matches!(job, Job::File(..)));
        let at_once = self.jobs.unwrap_or(if only_phones { PHONES } else { IMAGES });
        let deep = match (self.deep, self.verify) {
            (DeepArgument::No, true) => DeepArgument::Signers,
            (deep, _) => deep,
        };
        let request = Request { also, deep: deep.into(), verify: self.verify, record: None };
        Ok(Plan { jobs, at_once: usize::from(at_once), request, record: false })
    }

    /// The firmware among the targets; `None` where there is none, or several.
    pub(super) fn firmware(&self) -> Option<FirmwareSource> {
        let is_firmware = |place: &Place| match place {
            Place::Path(path) => {
                let is_saved = path.is_file() && SavedSource::recognizes(path);
                !is_saved && !CaptureSource::recognizes(path)
            }
            Place::Files(_) | Place::Url(_) => true,
        };
        let named = self.targets.iter().filter(|name| !serverless::is_phone(name));
        let mut named = named.filter(|name| self.reading.place(name).is_ok_and(|place| is_firmware(&place)));
        let only = named.next()?;
        if named.next().is_some() { None } else { self.reading.source(only).ok() }
    }

    fn jobs(&self, default_to_phones: bool) -> anyhow::Result<Vec<Job>> {
        let mut named = self.named();
        if named.is_empty() {
            if !default_to_phones {
                return Err(usage(
                    "name a TARGET: a firmware file or folder, a capture, a saved inventory, adb, or adb:SERIAL",
                ));
            }
            named.push("adb".to_owned());
        }
        let mut jobs = Vec::new();
        let targets = named.len();
        let packages = self.reading.packages()?;
        let keys = serverless::keys();
        for name in named {
            if let Some(found) = serverless::reach(&name)? {
                jobs.extend(found.into_iter().map(|found| match found {
                    Ok(reach) => Job::Direct(reach, self.server.patience(), keys.clone()),
                    Err(why) => Job::Missing { name: name.clone(), why },
                }));
                continue;
            }
            match name.strip_prefix("adb").map(|rest| rest.strip_prefix(':')) {
                Some(Some(serial)) => jobs.push(self.phone(serial)?),
                Some(None) if name == "adb" => jobs.extend(self.phones()?),
                _ if self.reading.has_more() && targets > 1 => {
                    return Err(usage(format!("--with belongs to one target, these are {targets}")));
                }
                _ => {
                    let place = self.reading.place(&name)?;
                    let source = self.reading.source_of(place.clone(), &packages)?;
                    jobs.push(Job::File(place, Box::new(source)));
                }
            }
        }
        Ok(jobs)
    }

    fn phones(&self) -> anyhow::Result<Vec<Job>> {
        let missing = |why: String| Job::Missing { name: "adb".to_owned(), why };
        let server = self.server.server()?;
        let Listing { attached, unknown } = match self.server.listing(&server) {
            Ok(listing) => listing,
            Err(why) => return Ok(vec![missing(why)]),
        };
        let names = server::names(&attached);
        let phone = |(attached, name)| Job::Phone(server.clone(), Box::new(attached), name);
        let mut jobs: Vec<Job> = attached.into_iter().zip(names).map(phone).collect();
        let unknown = unknown.into_iter();
        jobs.extend(unknown.map(|line| missing(format!("the ADB server lists a phone in an unknown way: {line}"))));
        if jobs.is_empty() {
            jobs.push(missing(NO_PHONE.to_owned()));
        }
        Ok(jobs)
    }

    fn phone(&self, asked: &str) -> anyhow::Result<Job> {
        let missing = |why: String| Job::Missing { name: format!("adb:{asked}"), why };
        let server = self.server.server()?;
        let mut listing = match self.server.listing(&server) {
            Ok(listing) => listing,
            Err(why) => return Ok(missing(why)),
        };
        if !listing.attached.iter().any(|attached| server::answers_to(attached, asked)) && server::is_address(asked) {
            // A phone on the network that the server does not know yet.
            let words = server.connect(asked);
            listing = match (words, self.server.listing(&server)) {
                (Ok(words), Ok(listing))
                    if !listing.attached.iter().any(|attached| server::answers_to(attached, asked)) =>
                {
                    return Ok(missing(format!("the ADB server did not connect to it: {words}")));
                }
                (_, Ok(listing)) => listing,
                (_, Err(why)) => return Ok(missing(why)),
            };
        }
        let names = server::names(&listing.attached);
        let mut matching: Vec<(Attached, String)> = listing
            .attached
            .into_iter()
            .zip(names)
            .filter(|(attached, name)| name.as_str() == format!("adb:{asked}") || server::answers_to(attached, asked))
            .collect();
        // A name of one phone alone comes before a serial number of several.
        if let Some(at) = matching.iter().position(|(_, name)| *name == format!("adb:{asked}")) {
            matching = vec![matching.swap_remove(at)];
        }
        let others: Vec<String> = matching.iter().map(|(_, name)| name.clone()).collect();
        Ok(match (matching.pop(), matching.len()) {
            (None, _) => missing("no phone with this serial number is attached".to_owned()),
            // The server's number says nothing of who it is.
            (Some((attached, name)), 0) if asked.starts_with("transport:") => {
                Job::Phone(server, Box::new(attached), name)
            }
            (Some((attached, _)), 0) => Job::Phone(server, Box::new(attached), format!("adb:{asked}")),
            (Some(_), more) => missing(format!(
                "{} phones with this serial number are attached: name one of {}",
                more + 1,
                others.join(", ")
            )),
        })
    }
}

fn take<'a, T>(next: &AtomicUsize, jobs: &'a [Job], slots: &'a [T]) -> Option<(usize, &'a Job, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, jobs.get(index)?, slots.get(index)?))
}

/// Whoever follows the reading of several targets, from several threads. Targets are numbered from 0.
pub(super) trait Watch: Sync {
    /// So many targets will be read.
    fn started(&self, targets: usize);
    /// The reading of one begins.
    fn reading(&self, target: usize, named: &Target);
    /// What is being read of it.
    fn step(&self, target: usize, text: &str);
    /// What the user should know.
    fn notice(&self, target: usize, text: &str);
}

/// Nobody follows.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    fn started(&self, _targets: usize) {}
    fn reading(&self, _target: usize, _named: &Target) {}
    fn step(&self, _target: usize, _text: &str) {}
    fn notice(&self, _target: usize, _text: &str) {}
}

/// Progress of one target, on the terminal and for whoever follows.
struct Watched<'a> {
    line: Line,
    watch: &'a dyn Watch,
    index: usize,
}

impl Progress for Watched<'_> {
    fn step(&self, text: &str) {
        self.line.step(text);
        self.watch.step(self.index, text);
    }

    fn notice(&self, text: &str) {
        self.line.notice(text);
        self.watch.notice(self.index, text);
    }
}

impl Job {
    fn target(&self) -> Target {
        let (kind, name) = match self {
            Self::File(place, _) => {
                let is_folder = matches!(place, Place::Path(path) if path.is_dir());
                (if is_folder { TargetKind::Folder } else { TargetKind::Firmware }, place.name())
            }
            Self::Phone(_, _, name) => (TargetKind::Phone, name.clone()),
            Self::Direct(reach, ..) => (TargetKind::Phone, reach.name()),
            Self::Missing { name, .. } => (TargetKind::Phone, name.clone()),
        };
        Target { kind, name, collected_at: None, layers: Vec::new() }
    }

    fn read(&self, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        match self {
            Self::Missing { why, .. } => Err(SourceError::Temporary(why.clone())),
            Self::File(Place::Path(path), source) if CaptureSource::recognizes(path) => {
                CaptureSource::new(path, source.limits().clone()).collect(request, progress)
            }
            Self::File(Place::Path(path), _) if path.is_file() && SavedSource::recognizes(path) => {
                SavedSource::new(path).collect(request, progress)
            }
            Self::File(_, source) => source.as_ref().clone().collect(request, progress),
            Self::Direct(reach, patience, keys) => {
                let phone =
                    reach.open(*patience, keys).map_err(|failure| SourceError::Temporary(failure.to_string()))?;
                let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                PhoneSource::new(phone.as_ref(), self.target().name, Some(now)).collect(request, progress)
            }
            Self::Phone(server, attached, _) => {
                let phone = server::open(server, attached).map_err(SourceError::Temporary)?;
                let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                PhoneSource::new(&phone, self.target().name, Some(now)).collect(request, progress)
            }
        }
    }
}
