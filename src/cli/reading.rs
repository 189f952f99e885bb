//! How images are read: memory, temporary files, the network.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::exit::usage;
use crate::bytes::Limits;
use crate::collect::firmware::{FirmwareSource, PackageReading, Place};
use crate::remote;

/// Below it a decoder of a usual payload has no room.
const LEAST_CACHE: u64 = 16 << 20;

/// What reading an image may cost. Shared by every command that reads one.
#[derive(Debug, Args)]
pub(super) struct ReadingArguments {
    /// Memory for the decoded blocks of an image, for each target
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = cache, help_heading = "Reading images")]
    cache: u64,

    /// Most that temporary files of one target may hold: streams that can't be read from the middle, what came over a network
    #[arg(long, value_name = "SIZE", default_value = "16G", value_parser = size, help_heading = "Reading images")]
    spool_limit: u64,

    /// The full build that an incremental update was made from: a file, a folder or an https:// address
    #[arg(long, value_name = "IMAGE", help_heading = "Reading images")]
    base: Option<String>,

    /// Another file of the same image: a piece of a split set, Samsung's CSC beside AP; may be repeated. A folder of them
    /// needs it not
    #[arg(long, value_name = "FILE", help_heading = "Reading images")]
    with: Vec<PathBuf>,

    /// Say in the end how many bytes were read and decompressed
    #[arg(long, help_heading = "Reading images")]
    costs: bool,
    /// More certificates whose keys are public: a line each with SHA-256, name, kind and source, tabs between
    #[arg(long, value_name = "PATH", help_heading = "Reading images")]
    known_certificates: Option<PathBuf>,

    /// Also count the classes of each package file, by prefix and by known SDK
    #[arg(long, help_heading = "Reading images")]
    classes: bool,

    /// Also read the native libraries of each package file: RELRO, stack, text relocations, pages of 16 KiB
    #[arg(long, help_heading = "Reading images")]
    native: bool,

    /// Refuse images on a network
    #[arg(long, help_heading = "Reading images")]
    offline: bool,
}

impl ReadingArguments {
    /// The limits of one target.
    pub(super) fn limits(&self) -> Limits {
        Limits { memory: self.cache, spill: self.spool_limit, ..Limits::default() }
    }

    /// What packages are read with.
    ///
    /// # Errors
    /// The list of certificates can't be read.
    pub(super) fn packages(&self) -> anyhow::Result<Arc<PackageReading>> {
        let known = super::apk::known_certificates(self.known_certificates.as_deref())?;
        Ok(Arc::new(PackageReading { known, classes: self.classes, native: self.native }))
    }

    /// The former build, where one was named.
    ///
    /// # Errors
    /// It is on a network and `--offline` is set.
    pub(super) fn base(&self) -> anyhow::Result<Option<Place>> {
        self.base.as_deref().map(|base| self.alone(base)).transpose()
    }

    /// Whether to say in the end what reading cost.
    pub(super) fn tells_costs(&self) -> bool {
        self.costs
    }

    /// Whether files are named that belong to the one target.
    pub(super) fn has_more(&self) -> bool {
        !self.with.is_empty()
    }

    /// The firmware at `target`, as the arguments say that it is read.
    ///
    /// # Errors
    /// As [`Self::base`], [`Self::place`] and [`Self::packages`].
    pub(super) fn source(&self, target: &str) -> anyhow::Result<FirmwareSource> {
        self.source_of(self.place(target)?, &self.packages()?)
    }

    /// The firmware at a place, with what packages are read with: that is the same for every target of a run.
    ///
    /// # Errors
    /// As [`Self::base`].
    pub(super) fn source_of(&self, place: Place, packages: &Arc<PackageReading>) -> anyhow::Result<FirmwareSource> {
        let source = FirmwareSource::at(place, self.limits());
        Ok(source.on(self.base()?).telling_costs(self.costs).reading(Arc::clone(packages)))
    }

    /// A file or folder of the host with the files named beside it, or an address.
    ///
    /// # Errors
    /// It is on a network and `--offline` is set, or there is something beside what is no file.
    pub(super) fn place(&self, target: &str) -> anyhow::Result<Place> {
        let place = self.alone(target)?;
        match place {
            place if self.with.is_empty() => Ok(place),
            Place::Path(path) if !path.is_dir() => {
                Ok(Place::Files(std::iter::once(path).chain(self.with.iter().cloned()).collect()))
            }
            _ => Err(usage(format!("--with adds files to a file, and {target} is none"))),
        }
    }

    fn alone(&self, target: &str) -> anyhow::Result<Place> {
        if !remote::is_url(target) {
            return Ok(Place::Path(target.into()));
        }
        if self.offline {
            return Err(usage(format!("{target} is on a network, and --offline is set")));
        }
        Ok(Place::Url(target.to_owned()))
    }
}

fn cache(text: &str) -> Result<u64, String> {
    size(text).and_then(|bytes| if bytes < LEAST_CACHE { Err("at least 16M".to_owned()) } else { Ok(bytes) })
}

/// A number of bytes: `4096`, `128M`, `2G`; K, M, G and T are powers of 1024, also as KiB or KB.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a number of bytes such as 512K, 128M, 2G".to_owned();
    let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase();
    let shift = match unit.trim_end_matches("IB").trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_or_without_a_unit() {
        for (text, bytes) in [("0", 0), ("4096", 4096), ("512K", 512 << 10), ("128M", 128 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "-1", "1.5G", "1X", "99999999999T", "1 M"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(cache("15M").is_err() && cache("16m").is_ok());
    }
}
