//! What the user points at, and reading it: phones and files, several at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clap::Args;

use super::exit::usage;
use super::reading::ReadingArguments;
use super::server::{self, NO_PHONE, ServerArguments};
use super::terminal::{Board, Line};
use crate::adb::{Attached, Listing, Server};
use crate::collect::capture::CaptureSource;
use crate::collect::firmware::{FirmwareSource, Place};
use crate::collect::phone::PhoneSource;
use crate::collect::record::Recorded;
use crate::collect::saved::SavedSource;
use crate::collect::{Progress, Request, Source, SourceError};
use crate::inventory::{Inventory, Target, TargetKind};

/// Which targets, and how they are read. Shared by every command that reads any.
#[derive(Debug, Args)]
pub(super) struct TargetArguments {
    /// A firmware file, folder or https:// address, a saved inventory, `adb` for every attached phone, or `adb:SERIAL`
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// A phone by its serial number, as `adb:SERIAL`; may be repeated
    #[arg(long = "device", short = 's', value_name = "SERIAL")]
    devices: Vec<String>,

    /// Also look up this package where somebody installed it later; may be repeated
    #[arg(long = "also", value_name = "PACKAGE")]
    also: Vec<String>,

    /// Targets read at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,

    #[command(flatten)]
    reading: ReadingArguments,

    #[command(flatten)]
    server: ServerArguments,
}

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
    Phone(Server, Box<Attached>),
    /// Named, but not there, or no phone at all: nothing to read, yet not to be passed over in silence.
    Missing {
        name: String,
        why: String,
    },
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

    /// Reads every target, in the order named; phones in the order of their serial numbers.
    ///
    /// # Errors
    /// No target was named and `default_to_phones` is off.
    pub(super) fn read(&self, default_to_phones: bool, packages: &[String]) -> anyhow::Result<Vec<Reading>> {
        self.read_each(default_to_phones, packages, &Unwatched, false, |_, reading| reading)
    }

    /// The same, handing each reading to `finish` with its number from 0 as soon as it is there, from several threads: what
    /// `finish` makes of it is kept, the reading is not. With `record` raw material is kept too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_each<T: Send>(
        &self,
        default_to_phones: bool,
        packages: &[String],
        watch: &dyn Watch,
        record: bool,
        finish: impl Fn(usize, Reading) -> T + Sync,
    ) -> anyhow::Result<Vec<T>> {
        let mut also: BTreeSet<String> = self.also.iter().cloned().collect();
        also.extend(packages.iter().cloned());
        let request = Request { also, record: None };
        let jobs = self.jobs(default_to_phones)?;
        watch.started(jobs.len());
        let board = Board::new();
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<T>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
        let workers = usize::from(self.jobs).min(jobs.len());
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some((index, job, slot)) = take(&next, &jobs, &results) {
                        let target = job.target();
                        watch.reading(index, &target);
                        let progress = Watched { line: board.line(&target.name), watch, index };
                        let request = Request { record: record.then(Arc::default), ..request.clone() };
                        let result = job.read(&request, &progress);
                        let recorded = request.record.map(|record| record.take());
                        let reading = Reading { target, result, recorded };
                        drop(progress);
                        let finished = finish(index, reading);
                        if let Ok(mut slot) = slot.lock() {
                            *slot = Some(finished);
                        }
                    }
                });
            }
        });
        let read = results.into_iter().filter_map(|slot| slot.into_inner().ok().flatten());
        Ok(read.collect())
    }

    /// The firmware among the targets; `None` where there is none, or several.
    pub(super) fn firmware(&self) -> Option<FirmwareSource> {
        let is_firmware = |place: &Place| match place {
            Place::Path(path) => !CaptureSource::recognizes(path) && !(path.is_file() && SavedSource::recognizes(path)),
            Place::Files(_) | Place::Url(_) => true,
        };
        let named = self.targets.iter().filter(|name| *name != "adb" && !name.starts_with("adb:"));
        let mut named = named.filter(|name| self.reading.place(name).is_ok_and(|place| is_firmware(&place)));
        let only = named.next()?;
        if named.next().is_some() { None } else { self.reading.source(only).ok() }
    }

    fn jobs(&self, default_to_phones: bool) -> anyhow::Result<Vec<Job>> {
        let mut named = self.named();
        if named.is_empty() {
            if !default_to_phones {
                return Err(usage("name a TARGET: a firmware file or folder, a saved inventory, adb, or adb:SERIAL"));
            }
            named.push("adb".to_owned());
        }
        let mut jobs = Vec::new();
        let targets = named.len();
        for name in named {
            match name.strip_prefix("adb").map(|rest| rest.strip_prefix(':')) {
                Some(Some(serial)) => jobs.push(self.phone(serial)?),
                Some(None) if name == "adb" => jobs.extend(self.phones()?),
                _ if self.reading.has_more() && targets > 1 => {
                    return Err(usage(format!("--with belongs to one target, these are {targets}")));
                }
                _ => jobs.push(Job::File(self.reading.place(&name)?, Box::new(self.reading.source(&name)?))),
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
        let phone = |attached| Job::Phone(server.clone(), Box::new(attached));
        let mut jobs: Vec<Job> = attached.into_iter().map(phone).collect();
        let unknown = unknown.into_iter();
        jobs.extend(unknown.map(|line| missing(format!("the ADB server lists a phone in an unknown way: {line}"))));
        if jobs.is_empty() {
            jobs.push(missing(NO_PHONE.to_owned()));
        }
        Ok(jobs)
    }

    fn phone(&self, serial: &str) -> anyhow::Result<Job> {
        let missing = |why: String| Job::Missing { name: format!("adb:{serial}"), why };
        let server = self.server.server()?;
        let listing = match self.server.listing(&server) {
            Ok(listing) => listing,
            Err(why) => return Ok(missing(why)),
        };
        let mut matching = listing.attached.into_iter().filter(|attached| attached.serial.as_deref() == Some(serial));
        Ok(match (matching.next(), matching.count()) {
            (None, _) => missing("no phone with this serial number is attached".to_owned()),
            (Some(attached), 0) => Job::Phone(server, Box::new(attached)),
            (Some(_), others) => {
                missing(format!("{} phones with this serial number are attached: unplug all but one", others + 1))
            }
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
struct Unwatched;

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
            Self::Phone(_, attached) => (TargetKind::Phone, format!("adb:{}", attached.name())),
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
            Self::Phone(server, attached) => {
                let phone = server::open(server, attached).map_err(SourceError::Temporary)?;
                let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                PhoneSource::new(&phone, self.target().name, Some(now)).collect(request, progress)
            }
        }
    }
}
