//! Firmware: an image in any wrapping, or a folder with a device's tree.

mod answers;
mod controls;
mod evidence;
mod extras;
mod manifest;
mod native;
mod packages;
mod preinstalls;
mod properties;

pub(in crate::collect) use packages::{claimed, of_file};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Progress, Request, Source, SourceError, telling};
use crate::apk::KnownCertificates;
use crate::bytes::{Budget, ErrorKind, Limits, Metered, ParseError, ReadAt, SharedBytes};
use crate::container::Part;
use crate::firmware::{self, Cause, Image, Problem, Visitor};
use crate::inventory::{
    Evidence, Fact, Gap, GapReason, Hides, Inventory, Origin, OriginKind, Origins, Partition, Preinstall,
    PreinstallAction, PreinstallSubject, RoleDefinition, Target, TargetKind,
};
use crate::platform::{conclusions, framework, identity};
use crate::remote::{self, Remote};

/// Where firmware is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file or folder of the host.
    Path(PathBuf),
    /// Several files of the host that belong together, the one that names the target first.
    Files(Vec<PathBuf>),
    /// An address of a web server.
    Url(String),
}

impl Place {
    /// Its last part, as a name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => file_name(path),
            Self::Files(paths) => paths.first().map(|path| file_name(path)).unwrap_or_default(),
            Self::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or_default();
                path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    canonical.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What reading an image has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Costs {
    /// Bytes read from the medium, repeated reads counted again.
    pub read: u64,
    /// Bytes that decoders put out, repeated decoding counted again.
    pub decompressed: u64,
    /// Bytes written to temporary files; runs of zeros are not written.
    pub spooled: u64,
    /// What came over a network; `None` for files of the host.
    pub fetched: Option<Fetched>,
}

/// What came over a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Fetched {
    /// Bytes of content that were sent, repeated ones counted again.
    pub bytes: u64,
    /// Length of the whole file in bytes.
    pub length: u64,
    /// Requests.
    pub requests: u64,
}

impl Costs {
    fn of(budget: &Budget, remote: Option<&Remote>) -> Self {
        Self {
            read: budget.read(),
            decompressed: budget.decompressed(),
            spooled: budget.spooled(),
            fetched: remote.map(|remote| Fetched {
                bytes: remote.fetched(),
                length: remote.len(),
                requests: remote.requests(),
            }),
        }
    }
}

impl std::fmt::Display for Costs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { read, decompressed, spooled, .. } = self;
        write!(f, "{read} bytes read, {decompressed} decompressed, {spooled} in temporary files")
    }
}

/// Firmware in any supported wrapping.
#[derive(Debug, Clone)]
pub struct FirmwareSource {
    place: Place,
    base: Option<Place>,
    limits: Limits,
    tells_costs: bool,
    packages: Arc<PackageReading>,
}

/// How package files are read.
#[derive(Debug, Clone)]
pub struct PackageReading {
    /// Certificates whose keys are public.
    pub known: KnownCertificates,
    /// Whether the classes of each are counted: some megabytes of each file are read for it.
    pub classes: bool,
    /// Whether every native library of each is read: deflated ones are inflated for it, twice.
    pub native: bool,
}

impl Default for PackageReading {
    fn default() -> Self {
        Self { known: KnownCertificates::published().clone(), classes: false, native: false }
    }
}

/// A source that was opened over a network, with what it has cost.
type Fetching = Option<Arc<Remote>>;

impl FirmwareSource {
    /// The firmware at `path`: an image, a package of images, a folder of them, or a folder laid out as a device's tree.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, limits: Limits) -> Self {
        Self::at(Place::Path(path.into()), limits)
    }

    /// As [`Self::new`], wherever it is.
    #[must_use]
    pub fn at(place: Place, limits: Limits) -> Self {
        Self { place, base: None, limits, tells_costs: false, packages: Arc::default() }
    }

    /// The same firmware, an incremental update of a former build.
    #[must_use]
    pub fn on(self, base: Option<Place>) -> Self {
        Self { base, ..self }
    }

    /// The limits of reading it.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same firmware; whether a line tells in the end what reading it cost.
    #[must_use]
    pub fn telling_costs(self, tells_costs: bool) -> Self {
        Self { tells_costs, ..self }
    }

    /// Opens the image for some work on it, and says what all of it cost.
    ///
    /// # Errors
    /// The host's or server's refusal; also after the work, when the network failed meanwhile.
    pub fn visit<T>(
        &self,
        progress: &dyn Progress,
        work: impl FnOnce(&Image, &Budget) -> T,
    ) -> Result<(T, Costs), SourceError> {
        let budget = self.budget(progress)?;
        telling(&budget, progress, || {
            progress.step("layers");
            let (image, remote) = self.open(&budget, &())?;
            progress.step("files");
            let done = work(&image, &budget);
            if let Some(failure) = remote.as_ref().and_then(|remote| remote.failure()) {
                return Err(SourceError::Temporary(failure.to_string()));
            }
            Ok((done, Costs::of(&budget, remote.as_deref())))
        })
    }

    /// The same firmware, its package files read in another way.
    #[must_use]
    pub fn reading(self, packages: Arc<PackageReading>) -> Self {
        Self { packages, ..self }
    }

    /// A budget for the target, with the partitions of the former build.
    fn budget(&self, progress: &dyn Progress) -> Result<Arc<Budget>, SourceError> {
        let Some(base) = &self.base else {
            return Ok(Budget::new(self.limits.clone()));
        };
        progress.step("the former build");
        let former = Budget::new(self.limits.clone());
        let opened = telling(&former, progress, || match base {
            Place::Path(path) => firmware::partitions(path, &former).map_err(unreadable),
            Place::Files(paths) => firmware::partitions_of_files(paths, &former).map_err(unreadable),
            Place::Url(url) => Ok(firmware::partitions_of(&fetch(url, &former)?.0, &former)),
        });
        let within = |text: String| format!("the former build {}: {text}", base.name());
        let parts = opened.map_err(|error| match error {
            SourceError::Temporary(text) => SourceError::Temporary(within(text)),
            SourceError::Unreadable(text) => SourceError::Unreadable(within(text)),
        })?;
        if parts.is_empty() {
            return Err(SourceError::Unreadable(within("no partition was found".to_owned())));
        }
        Ok(Budget::with_base(self.limits.clone(), parts, &former))
    }

    /// The partitions as they are, by Android's names, unique: for what a volume's files do not tell.
    ///
    /// # Errors
    /// The place can't be opened.
    pub fn partitions(&self, progress: &dyn Progress) -> Result<Vec<(String, SharedBytes)>, SourceError> {
        let budget = self.budget(progress)?;
        telling(&budget, progress, || match &self.place {
            Place::Path(path) => firmware::partitions(path, &budget).map_err(unreadable),
            Place::Files(paths) => firmware::partitions_of_files(paths, &budget).map_err(unreadable),
            Place::Url(url) => Ok(firmware::partitions_of(&fetch(url, &budget)?.0, &budget)),
        })
    }

    fn open(&self, budget: &Arc<Budget>, visitor: &dyn Visitor) -> Result<(Image, Fetching), SourceError> {
        match &self.place {
            Place::Path(path) => Ok((firmware::open(path, budget, visitor).map_err(unreadable)?, None)),
            Place::Files(paths) => Ok((firmware::open_files(paths, budget, visitor).map_err(unreadable)?, None)),
            Place::Url(url) => {
                let (part, remote) = fetch(url, budget)?;
                Ok((firmware::open_part(&part, budget, visitor), Some(remote)))
            }
        }
    }

    fn read(&self, budget: &Arc<Budget>, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        progress.step("layers");
        let ahead = packages::Ahead::new(&budget.limits, &self.packages);
        let (image, remote) = self.open(budget, &ahead)?;
        let collected = if image.partitions.is_empty() {
            let mut reasons: Vec<_> = image.problems.iter().take(3).map(|problem| gap(problem).detail).collect();
            if !image.apexes.is_empty() {
                reasons.push(
                    "it is an APEX alone, of no partition: `preloaded apk` and `preloaded image` read it".to_owned(),
                );
            }
            if reasons.is_empty() {
                reasons.push("no Android partition or package of partitions was recognised".to_owned());
            }
            Err(SourceError::Unreadable(reasons.join("; ")))
        } else {
            let inventory = inventory(self.place.name(), &image, ahead, progress);
            if let Some(record) = &request.record {
                progress.step("raw evidence");
                evidence::keep(record, &image, &inventory);
            }
            Ok(inventory)
        };
        if self.tells_costs {
            progress.notice(&format!("{}: {}", self.place.name(), Costs::of(budget, remote.as_deref())));
        }
        if let Some(remote) = remote {
            progress.notice(&format!("{}: {}", remote.name(), remote.summary()));
            if let Some(failure) = remote.failure() {
                // Half an image would look like one from which packages were taken.
                return Err(SourceError::Temporary(failure.to_string()));
            }
        }
        collected
    }
}

fn unreadable(error: ParseError) -> SourceError {
    SourceError::Unreadable(error.to_string())
}

fn fetch(url: &str, budget: &Arc<Budget>) -> Result<(Part, Arc<Remote>), SourceError> {
    let remote = remote::open(url, budget).map_err(|error| match error.temporary {
        true => SourceError::Temporary(error.message),
        false => SourceError::Unreadable(error.message),
    })?;
    let remote = Arc::new(remote);
    let bytes: SharedBytes = Arc::new(Metered::new(remote.clone(), budget.clone()));
    Ok((Part { name: remote.name().to_owned(), bytes }, remote))
}

impl Source for FirmwareSource {
    fn collect(&mut self, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        let budget = self.budget(progress)?;
        telling(&budget, progress, || self.read(&budget, request, progress))
    }
}

fn inventory(name: String, image: &Image, ahead: packages::Ahead<'_>, progress: &dyn Progress) -> Inventory {
    let target = Target {
        kind: if image.is_tree { TargetKind::Folder } else { TargetKind::Firmware },
        name: name.clone(),
        collected_at: None,
        layers: image.layers.clone(),
    };
    let unseen =
        |what: &str| Gap::new(what, GapReason::NotObserved, "an image that has not been started does not tell it");
    let mut inventory = Inventory::unknown(target, &unseen("image"));
    let mut origins = Origins::default();
    let whole = origins.evidence(Origin { kind: OriginKind::Listing, name, length: None, sha256: None });

    let mut gaps: Vec<Gap> = image.problems.iter().map(gap).collect();
    let (properties, unread) = properties::read(image, &mut origins);
    gaps.extend(unread);
    inventory.device = identity::device(&properties, &whole);
    let controls = controls::read(image, &properties, &whole, &mut origins);
    gaps.extend(controls.unread.iter().cloned());
    inventory.controls = Fact::new(controls, &whole);
    let found = packages::read(image, ahead, &mut origins, progress);
    gaps.extend(found.gaps);

    let partitions = image.partitions.iter().zip(&found.counts).map(|(mounted, count)| Partition {
        name: mounted.name.clone(),
        mount_point: mounted.mount_point.clone(),
        filesystem: Some(mounted.filesystem.format().to_owned()),
        length: mounted.length,
        packages: *count,
    });
    inventory.partitions = Fact::new(partitions.collect(), &whole);
    inventory.permissions = Fact::new(packages::permissions(&found.packages), &whole);
    if !found.packages.iter().any(|package| package.name == "android") {
        let detail = "framework-res.apk was not read: permissions of the platform itself are not among those declared";
        gaps.push(Gap::new(framework::PATH, GapReason::Missing, detail));
    }
    let mut lists = preinstalls::read(image, &properties, &mut origins);
    let mut told = extras::Told { layouts: std::mem::take(&mut lists.layouts), ..extras::Told::default() };
    for (package, path, length, extras) in found.extras {
        let origin = Origin { kind: OriginKind::File, name: path.clone(), length: Some(length), sha256: None };
        let evidence = origins.evidence(origin);
        extras.tell(&package, &path, &evidence, &mut told);
    }
    let extras::Told { layouts, configuration, roles, gaps: unread } = told;
    lists.layouts = layouts;
    gaps.extend(unread);
    for path in found.full_forms {
        let origin = Origin { kind: OriginKind::File, name: path.clone(), length: None, sha256: None };
        lists.preinstalls.push(Preinstall {
            action: PreinstallAction::Install,
            names: PreinstallSubject::Path,
            evidence: origins.evidence(origin),
            subject: path,
            condition: None,
        });
    }
    gaps.extend(lists.gaps);
    inventory.configuration = Fact::new(configuration, &whole);
    inventory.preinstalls = Fact::new(lists.preinstalls, &whole);
    inventory.preferred_apps = Fact::new(lists.preferred, &whole);
    inventory.layouts = Fact::new(lists.layouts, &whole);
    inventory.arrivals = Fact::not_asked();
    inventory.role_holders = Fact::not_asked();
    inventory.roles = of_one(roles, &whole);
    inventory.packages = Fact::new(found.packages, &whole);
    // What was never started has nothing that somebody installed.
    inventory.omitted_packages = Fact::new(0, &whole);
    inventory.users = Fact::Unknown(unseen("users").hiding(Hides::Users));
    inventory.sources = origins.into_list();
    inventory.gaps = gaps;
    inventory.normalize();
    conclusions::complete(&mut inventory);
    inventory
}

/// The roles, if one package defines them.
fn of_one(mut defined: Vec<Vec<RoleDefinition>>, whole: &Evidence) -> Fact<Vec<RoleDefinition>> {
    let unknown = |words: &str| Fact::Unknown(Gap::new("roles", GapReason::Missing, words));
    match (defined.pop(), defined.len()) {
        (Some(only), 0) => Fact::new(only, whole),
        (Some(_), _) => unknown("several packages define roles, and which one runs can't be told"),
        (None, _) => unknown("no permission controller was read: which permissions come with a role is not known"),
    }
}

/// A problem of reading an image, as a gap.
#[must_use]
pub fn gap(problem: &Problem) -> Gap {
    let (reason, detail) = match &problem.cause {
        Cause::Error(error) => (reason(error), error.to_string()),
        Cause::Missing(detail) => (GapReason::Missing, detail.clone()),
        Cause::Contradiction(detail) => (GapReason::Contradiction, detail.clone()),
    };
    let hides = if problem.hides_packages { Hides::Packages } else { Hides::Facts };
    Gap::new(problem.place.clone(), reason, detail).hiding(hides)
}

fn reason(error: &ParseError) -> GapReason {
    match &error.kind {
        ErrorKind::Invalid { .. } => GapReason::Damaged,
        ErrorKind::Truncated { .. } => GapReason::Truncated,
        ErrorKind::Unsupported { .. } => GapReason::Unsupported,
        ErrorKind::LimitExceeded { .. } => GapReason::TooLarge,
        ErrorKind::Io(_) => GapReason::Refused,
    }
}
