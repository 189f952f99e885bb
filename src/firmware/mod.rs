//! An image in any wrapping, as partitions with Android's names.
//!
//! [`open`] takes a file or a folder, opens what it recognises by content, layer by layer, and mounts every filesystem that
//! it meets. What can't be read becomes a [`Problem`]; nothing is passed over that may hold packages.

mod apex;
pub mod avb;
mod layers;
mod missing;
mod name;
mod path;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bytes::{Budget, FileBytes, Metered, ParseError, SharedBytes};
use crate::container::Part;
use crate::filesystem::{self, Entry, File, Filesystem, NodeId};

pub use path::{Missing, Place};

/// What an input turned out to be.
pub struct Image {
    /// Mounted partitions, by mount point, unique.
    pub partitions: Vec<Mounted>,
    /// What Android mounts at `/apex/<name>` from files of the partitions, by mount point, unique.
    pub apexes: Vec<Mounted>,
    /// Paths of those files on the device, sorted; the ones that can't be read are there too, and have their [`Problem`].
    pub apex_files: Vec<String>,
    /// Files of boot images' ramdisks with content, by their way through the containers: `boot.img!ramdisk!fstab.x`.
    pub early: Vec<(String, SharedBytes)>,
    /// What could not be read, in the order of reading.
    pub problems: Vec<Problem>,
    /// Formats that were opened, in the order of their first use: outermost first.
    pub layers: Vec<String>,
    /// Every container and volume that was opened, in the order of reading: a container before what it holds.
    pub opened: Vec<Layer>,
    /// Parts that nothing was made of: boot loaders, texts, firmware of modems. What may hold packages among them has its
    /// [`Problem`].
    pub leftover: Vec<Leftover>,
    /// Everything that is no container, by the way to it: volumes, boot images, and what nothing was made of.
    pub parts: Vec<Part>,
    /// Whether the input is a folder laid out as a device's tree.
    pub is_tree: bool,
}

/// A container or volume on the way to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The way to it: `rom.zip!images/super.img`. What a container of one part holds has the container's own.
    pub place: String,
    /// Its format's name.
    pub format: &'static str,
    /// Containers that it lies in.
    pub depth: u32,
    /// Its length in bytes; `None` for a folder.
    pub length: Option<u64>,
    /// Parts of a container that was opened, pieces of a split set without the first; `None` for a volume, and for what can't
    /// be opened.
    pub parts: Option<u64>,
}

/// A part that is neither a container nor a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The way to it.
    pub place: String,
    /// Its length in bytes.
    pub length: u64,
}

/// A partition's filesystem at its place in the device's tree.
pub struct Mounted {
    /// Android's name without slot suffix: `system`, `my_stock`.
    pub name: String,
    /// The slot that its name tells: `a` or `b`.
    pub slot: Option<char>,
    /// The way to it through the containers: `rom.zip!payload.bin!system.img`.
    pub place: String,
    /// Where Android mounts it: `/product`; `/` for a system partition that holds the root.
    pub mount_point: String,
    /// The filesystem.
    pub filesystem: Arc<dyn Filesystem>,
    /// The partition's root in it.
    pub root: NodeId,
    /// Length of the volume in bytes, where there is one.
    pub length: Option<u64>,
    /// Everything in it, by path below the root.
    pub entries: Vec<Entry>,
    /// Every regular file among them.
    pub files: Vec<File>,
}

/// Who wants files while they are listed: what they lie in was decoded a moment ago for their folder, and would have to be
/// decoded again later.
pub trait Visitor: Sync {
    /// All partitions are known, and none is listed: their `entries` are empty.
    fn begin(&self, partitions: &[Mounted]);

    /// A file of a partition, from one of several threads, in no order. A file behind a limit comes although it is not listed.
    fn visit(&self, partition: &Mounted, file: &File);
}

/// Nobody does.
impl Visitor for () {
    fn begin(&self, _partitions: &[Mounted]) {}

    fn visit(&self, _partition: &Mounted, _file: &File) {}
}

/// Something that could not be read.
#[derive(Debug, Clone)]
pub struct Problem {
    /// `partition vendor`, a path on the device, or the way through the containers (`rom.zip!images/x.img`).
    pub place: String,
    /// Why.
    pub cause: Cause,
    /// Whether packages may be hidden by it.
    pub hides_packages: bool,
}

/// Why something could not be read.
#[derive(Debug, Clone)]
pub enum Cause {
    /// The reader's error.
    Error(ParseError),
    /// It should be there and is not; why it should, in words.
    Missing(String),
    /// Two things claim the same place.
    Contradiction(String),
}

impl Mounted {
    /// A file's path on the running device.
    #[must_use]
    pub fn device_path(&self, path: &str) -> String {
        format!("{}/{path}", self.mount_point.trim_end_matches('/'))
    }

    /// The node at a path of the running device, if it lies in this partition.
    ///
    /// # Errors
    /// A folder on the way that can't be read.
    pub fn find(&self, device_path: &str) -> Result<Option<NodeId>, ParseError> {
        let rest = device_path.strip_prefix(self.mount_point.trim_end_matches('/'));
        match rest.filter(|rest| rest.starts_with('/')) {
            Some(path) => filesystem::find(self.filesystem.as_ref(), self.root, path),
            None => Ok(None),
        }
    }
}

impl Image {
    /// Everything that is mounted: the partitions, then the APEXes.
    pub fn volumes(&self) -> impl Iterator<Item = &Mounted> {
        self.partitions.iter().chain(&self.apexes)
    }

    /// The partition that holds a file of the running device and the file, by the longest mount point. Symbolic links are
    /// not followed.
    #[must_use]
    pub fn file(&self, device_path: &str) -> Option<(&Mounted, &File)> {
        let candidates = self.partitions.iter().filter_map(|mounted| {
            let rest = device_path.strip_prefix(mounted.mount_point.trim_end_matches('/'))?.strip_prefix('/')?;
            let at = mounted.files.binary_search_by(|file| file.path.as_str().cmp(rest)).ok()?;
            Some((mounted, mounted.files.get(at)?))
        });
        candidates.max_by_key(|(mounted, _)| mounted.mount_point.len())
    }
}

/// Opens firmware: a file in any supported wrapping, a folder of such files, or a folder laid out as a device's tree.
///
/// # Errors
/// The host's refusal of `path` itself. Everything below it is a [`Problem`].
pub fn open(path: &Path, budget: &Arc<Budget>, visitor: &dyn Visitor) -> Result<Image, ParseError> {
    if !path.is_dir() {
        return Ok(open_part(&file(path, budget)?, budget, visitor));
    }
    let mut layers = layers::Layers::new(budget.clone());
    let is_tree = tree::open(path, &mut layers)?;
    let mut image = layers.mount(visitor);
    image.is_tree = is_tree;
    if is_tree {
        tree::check_listing(path, &mut image);
    }
    if !image.partitions.is_empty() {
        missing::check(&mut image);
    }
    Ok(image)
}

/// Opens firmware that is several files, which belong together: pieces of a split set, Samsung's `AP` and `CSC`.
///
/// # Errors
/// The host's refusal of one of them.
pub fn open_files(paths: &[PathBuf], budget: &Arc<Budget>, visitor: &dyn Visitor) -> Result<Image, ParseError> {
    Ok(open_parts(&files(paths, budget)?, budget, visitor))
}

/// Paths on a device of the package files in an APEX or CAPEX that stands alone, sorted.
///
/// # Errors
/// The place in the file or in its image that can't be read.
pub fn apex_packages(bytes: &SharedBytes, budget: &Arc<Budget>) -> Result<Vec<String>, ParseError> {
    apex::packages(bytes.clone(), budget)
}

/// Opens firmware that is one source in any supported wrapping.
#[must_use]
pub fn open_part(part: &Part, budget: &Arc<Budget>, visitor: &dyn Visitor) -> Image {
    open_parts(std::slice::from_ref(part), budget, visitor)
}

fn open_parts(parts: &[Part], budget: &Arc<Budget>, visitor: &dyn Visitor) -> Image {
    let mut layers = layers::Layers::new(budget.clone());
    layers.examine_all(parts);
    let mut image = layers.mount(visitor);
    if !image.partitions.is_empty() {
        missing::check(&mut image);
    }
    image
}

/// The partitions of a build as they are, by Android's names, unique: what an incremental update is made from.
///
/// # Errors
/// The host's refusal of `path`.
pub fn partitions(path: &Path, budget: &Arc<Budget>) -> Result<Vec<(String, SharedBytes)>, ParseError> {
    if !path.is_dir() {
        return Ok(partitions_of(&file(path, budget)?, budget));
    }
    let mut layers = layers::Layers::new(budget.clone());
    tree::open(path, &mut layers)?;
    Ok(layers.into_leaves())
}

/// As [`partitions`], of one source.
#[must_use]
pub fn partitions_of(part: &Part, budget: &Arc<Budget>) -> Vec<(String, SharedBytes)> {
    leaves(std::slice::from_ref(part), budget)
}

/// As [`partitions`], of several files that belong together.
///
/// # Errors
/// The host's refusal of one of them.
pub fn partitions_of_files(paths: &[PathBuf], budget: &Arc<Budget>) -> Result<Vec<(String, SharedBytes)>, ParseError> {
    Ok(leaves(&files(paths, budget)?, budget))
}

fn leaves(parts: &[Part], budget: &Arc<Budget>) -> Vec<(String, SharedBytes)> {
    let mut layers = layers::Layers::new(budget.clone());
    layers.examine_all(parts);
    layers.into_leaves()
}

fn files(paths: &[PathBuf], budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
    let named = |path: &PathBuf| file(path, budget).map_err(|error| error.within(path.display().to_string()));
    paths.iter().map(named).collect()
}

fn file(path: &Path, budget: &Arc<Budget>) -> Result<Part, ParseError> {
    let file: SharedBytes = Arc::new(FileBytes::open(path)?);
    let bytes: SharedBytes = Arc::new(Metered::new(file, budget.clone()));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Part { name, bytes })
}
