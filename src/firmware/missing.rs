//! Partitions that the device must have and the input lacks.
//!
//! Conservative on purpose: an image without proof to the contrary lacks something. `/vendor` exists since Android 8 as a
//! partition or as `/system/vendor`; `/product` since 10 and `/system_ext` since 11 likewise; any other partition is expected
//! when the vendor's `fstab` mounts it.

use std::collections::BTreeMap;

use super::{Cause, Image, Mounted, Problem, name};
use crate::bytes::{ParseError, read_vec_at};
use crate::filesystem::{Filesystem, NodeId, NodeKind};

/// An fstab or build.prop.
const TEXT_BYTES: u64 = 1 << 20;

/// Adds a problem for each partition that should be there.
pub(super) fn check(image: &mut Image) {
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    let has = |name: &str| image.partitions.iter().any(|mounted| mounted.name == name);
    if has("system") {
        let sdk = sdk(image);
        for (name, since) in [("vendor", 0), ("product", 29), ("system_ext", 30)] {
            if sdk.is_none_or(|sdk| sdk >= since) {
                let reason = format!("Android has /{name} as a partition or as a folder of /system; neither is here");
                expected.insert(name.to_owned(), reason);
            }
        }
    } else {
        expected.insert("system".to_owned(), "no system partition was found".to_owned());
    }
    for (name, fstab) in mounted_by_fstab(image) {
        expected.entry(name).or_insert_with(|| format!("{fstab} mounts it"));
    }
    // A partition that is here and can't be read has its problem already.
    let known =
        |name: &str| has(name) || image.problems.iter().any(|problem| problem.place == format!("partition {name}"));
    let missing: Vec<_> =
        expected.into_iter().filter(|(name, _)| !known(name) && !stands_in_another(image, name)).collect();
    image.problems.extend(missing.into_iter().map(|(name, reason)| Problem {
        place: format!("partition {name}"),
        cause: Cause::Missing(reason),
        hides_packages: true,
    }));
}

/// Whether the partition is a folder of another one: `/system/product`, `/vendor/odm`, or a link to such a place.
fn stands_in_another(image: &Image, name: &str) -> bool {
    let places = [format!("/system/{name}"), format!("/vendor/{name}"), format!("/system/vendor/{name}")];
    let folder = places.iter().any(|place| {
        image.partitions.iter().any(|mounted| matches!(entries(mounted, place), Ok(Some(count)) if count > 0))
    });
    // The root says where /product really is; where that is empty, the device has no such packages.
    folder || link(image, &format!("/{name}")).is_some_and(|target| places.contains(&target))
}

/// Number of entries of a folder; `None` where there is none.
fn entries(mounted: &Mounted, place: &str) -> Result<Option<usize>, ParseError> {
    let Some(node) = mounted.find(place)? else {
        return Ok(None);
    };
    if mounted.filesystem.metadata(node)?.kind != NodeKind::Directory {
        return Ok(None);
    }
    Ok(Some(mounted.filesystem.read_dir(node)?.len()))
}

fn link(image: &Image, place: &str) -> Option<String> {
    image.partitions.iter().find_map(|mounted| {
        let node = mounted.find(place).ok()??;
        let is_link = mounted.filesystem.metadata(node).ok()?.kind == NodeKind::Symlink;
        is_link.then(|| text(mounted.filesystem.as_ref(), node)).flatten()
    })
}

fn text(filesystem: &dyn Filesystem, node: NodeId) -> Option<String> {
    let content = filesystem.open(node).ok()?;
    let bytes = read_vec_at(content.as_ref(), 0, content.len(), "text", TEXT_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn sdk(image: &Image) -> Option<u32> {
    let (mounted, file) = image.file("/system/build.prop")?;
    let properties = text(mounted.filesystem.as_ref(), file.node)?;
    properties.lines().find_map(|line| line.trim().strip_prefix("ro.build.version.sdk="))?.trim().parse().ok()
}

/// Partitions with packages that an `fstab` mounts, with its path.
fn mounted_by_fstab(image: &Image) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for mounted in &image.partitions {
        for file in &mounted.files {
            let path = mounted.device_path(&file.path);
            let is_fstab = path.rsplit_once('/').is_some_and(|(folder, name)| {
                name.starts_with("fstab.") && ["/vendor/etc", "/system/vendor/etc", "/odm/etc", ""].contains(&folder)
            });
            let Some(text) = is_fstab.then(|| text(mounted.filesystem.as_ref(), file.node)).flatten() else {
                continue;
            };
            add(&text, &path, &mut found);
        }
    }
    for (path, bytes) in &image.early {
        let is_fstab = path.rsplit(['/', '!']).next().is_some_and(|name| name.starts_with("fstab."));
        let text = is_fstab.then(|| read_vec_at(bytes.as_ref(), 0, bytes.len(), "text", TEXT_BYTES).ok()).flatten();
        if let Some(text) = text {
            add(&String::from_utf8_lossy(&text), path, &mut found);
        }
    }
    found
}

fn add(fstab: &str, path: &str, found: &mut BTreeMap<String, String>) {
    for line in fstab.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let name = line.split_whitespace().nth(1).and_then(|place| place.strip_prefix('/'));
        let holds_packages = |name: &&str| name::is_known(name) && !["userdata", "super"].contains(name);
        if let Some(name) = name.filter(holds_packages) {
            found.entry(name.to_owned()).or_insert_with(|| path.to_owned());
        }
    }
}
