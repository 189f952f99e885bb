//! Firmware: an image in any wrapping, or a folder with a device's tree.

mod manifest;
mod packages;
mod properties;

use std::path::{Path, PathBuf};

use super::{Progress, Request, Source, SourceError};
use crate::bytes::{Budget, ErrorKind, Limits, ParseError};
use crate::firmware::{self, Cause, Image, Problem};
use crate::inventory::{
    Fact, Gap, GapReason, Hides, Inventory, Origin, OriginKind, Origins, Partition, Target, TargetKind,
};
use crate::platform::identity;

/// A file or folder of the host that holds firmware.
#[derive(Debug, Clone)]
pub struct FirmwareSource {
    path: PathBuf,
    limits: Limits,
}

impl FirmwareSource {
    /// The firmware at `path`: an image, a package of images, a folder of them, or a folder laid out as a device's tree.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, limits: Limits) -> Self {
        Self { path: path.into(), limits }
    }
}

impl Source for FirmwareSource {
    fn collect(&mut self, _request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        let budget = Budget::new(self.limits.clone());
        progress.step("layers");
        let image = firmware::open(&self.path, &budget).map_err(|error| SourceError::Unreadable(error.to_string()))?;
        if image.partitions.is_empty() {
            let mut reasons: Vec<_> = image.problems.iter().take(3).map(|problem| gap(problem).detail).collect();
            if reasons.is_empty() {
                reasons.push("no Android partition or package of partitions was recognised".to_owned());
            }
            return Err(SourceError::Unreadable(reasons.join("; ")));
        }
        Ok(inventory(&self.path, &image, &budget.limits, progress))
    }
}

fn inventory(path: &Path, image: &Image, limits: &Limits, progress: &dyn Progress) -> Inventory {
    let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = canonical.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
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
    let found = packages::read(image, limits, &mut origins, progress);
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
        gaps.push(Gap::new("/system/framework/framework-res.apk", GapReason::Missing, detail));
    }
    inventory.packages = Fact::new(found.packages, &whole);
    // What was never started has nothing that somebody installed.
    inventory.omitted_packages = Fact::new(0, &whole);
    inventory.users = Fact::Unknown(unseen("users").hiding(Hides::Users));
    inventory.sources = origins.into_list();
    inventory.gaps = gaps;
    inventory.normalize();
    inventory
}

fn gap(problem: &Problem) -> Gap {
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
