//! A folder of the host: laid out as a device's tree, or holding images.
//!
//! A tree has a folder for each partition (`system`, `vendor`, `product` ...), as tools that unpack firmware write it,
//! or is one partition itself. `system/system/build.prop` means that the system partition holds the device's root.
//! Such a tree may come with `all_files.txt`, one path of the image a line (sizes and a tab may stand before it): package files
//! that it lists and the tree lacks are then known to be missing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::layers::{Layers, Volume};
use super::{Cause, Image, Problem, name};
use crate::bytes::{FileBytes, ParseError, read_vec_at};
use crate::container::Part;
use crate::filesystem::{Filesystem, Folder, NodeId, NodeKind, find, walk};

/// The listing's name.
const LISTING: &str = "all_files.txt";
/// A hundred thousand paths of 160 bytes.
const LISTING_BYTES: u64 = 16 << 20;
/// What a partition's root has at least one of.
const OF_A_PARTITION: &[&str] =
    &["build.prop", "etc", "app", "priv-app", "overlay", "framework", "data-app", "del-app", "system"];
/// Ramdisks: they look like partitions and hold nothing that Android runs later.
const RAMDISKS: &[&str] = &["recovery", "boot", "vendor_boot", "init_boot", "ramdisk", "root"];

/// Finds the partitions of a folder, or its images. Whether it is laid out as a tree.
pub(super) fn open(path: &Path, layers: &mut Layers) -> Result<bool, ParseError> {
    let folder: Arc<dyn Filesystem> = Arc::new(Folder::open(path, layers.budget.clone())?);
    let root = folder.root();
    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let volume = |name: String, root: NodeId| Volume {
        place: name.clone(),
        name,
        filesystem: folder.clone(),
        root,
        length: None,
    };
    if find(folder.as_ref(), root, "build.prop")?.is_some() {
        layers.used(folder.format());
        layers.volumes.push(volume(own_name, root));
        return Ok(true);
    }
    let entries = folder.read_dir(root)?;
    let mut found = Vec::new();
    for entry in &entries {
        if folder.metadata(entry.node)?.kind != NodeKind::Directory || RAMDISKS.contains(&entry.name.as_str()) {
            continue;
        }
        // A folder that can't be listed is taken for a partition: the walk will say that it can't be read.
        let inside = folder.read_dir(entry.node).ok();
        let has = |name: &&str| inside.iter().flatten().any(|inner| inner.name == **name);
        let known = name::is_known(&entry.name) && OF_A_PARTITION.iter().any(has);
        let like_one = ["build.prop", "app", "priv-app"].iter().any(has);
        if inside.is_none() || known || like_one {
            found.push(volume(entry.name.clone(), entry.node));
        }
    }
    if found.is_empty() {
        let (files, unreadable) = walk(folder.as_ref(), root, &layers.budget.limits);
        if let Some(first) = unreadable.into_iter().next() {
            return Err(first.error.within(first.path));
        }
        let mut parts = Vec::new();
        for file in files {
            parts.push(Part { bytes: folder.open(file.node)?, name: file.path });
        }
        layers.examine_all(&parts);
        return Ok(false);
    }
    layers.used(folder.format());
    layers.volumes.extend(found);
    let mut parts = Vec::new();
    for entry in entries {
        if folder.metadata(entry.node)?.kind == NodeKind::File {
            parts.push(Part { bytes: folder.open(entry.node)?, name: entry.name });
        }
    }
    layers.examine_all(&parts);
    Ok(true)
}

/// Reports package files that the tree's own listing names and the tree does not have.
pub(super) fn check_listing(path: &Path, image: &mut Image) {
    let Some(listed) = read_listing(path) else {
        return;
    };
    let is_package = |path: &str| [".apk", ".apex", ".capex"].iter().any(|end| path.ends_with(end));
    // In the listing a path starts with the partition's folder, which is its name.
    let present: BTreeSet<String> = image
        .partitions
        .iter()
        .filter(|mounted| mounted.filesystem.format() == "folder")
        .flat_map(|mounted| mounted.files.iter().map(|file| format!("{}/{}", mounted.name, file.path)))
        .filter(|path| is_package(path))
        .collect();
    // A file of that name that does not list what is there is some other list, and proves nothing.
    if present.is_empty() || !present.is_subset(&listed) {
        return;
    }
    for path in listed.difference(&present).filter(|path| is_package(path)) {
        let mounted = path.split_once('/').and_then(|(folder, rest)| {
            let mounted = image.partitions.iter().find(|mounted| mounted.name == folder)?;
            Some(mounted.device_path(rest))
        });
        if let Some(place) = mounted {
            let detail = format!("{LISTING} lists it, the folder does not have it");
            image.problems.push(Problem { place, cause: Cause::Missing(detail), hides_packages: true });
        }
    }
}

fn read_listing(path: &Path) -> Option<BTreeSet<String>> {
    let file = FileBytes::open(&path.join(LISTING)).ok()?;
    let len = crate::bytes::ReadAt::len(&file);
    let text = read_vec_at(&file, 0, len, LISTING, LISTING_BYTES).ok()?;
    let text = String::from_utf8_lossy(&text);
    let path = |line: &str| line.rsplit('\t').next().unwrap_or_default().trim_end().to_owned();
    Some(text.lines().map(path).collect())
}
