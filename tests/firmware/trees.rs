//! Trees of two real devices: every package file is found and placed, and what is cut out of them is a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use preloaded::bytes::Limits;
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{CopyRole, GapReason, Hides, Inventory, Placement, TargetKind};

fn inventory(device: &str) -> Option<(PathBuf, Inventory)> {
    let tree = Path::new("../shared/data/firmware").join(device).join("tree");
    if !tree.is_dir() {
        eprintln!("NOT RUN: {} is not there", tree.display());
        return None;
    }
    let inventory = FirmwareSource::new(&tree, Limits::default()).collect(&Request::default(), &Silent).unwrap();
    Some((tree, inventory))
}

/// Paths of package files below the tree's partitions, as on the device.
fn files(tree: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "apk") {
                let path = path.strip_prefix(tree).unwrap().to_str().unwrap();
                found.insert(format!("/{}", path.strip_prefix("system/").unwrap_or(path)));
            }
        }
    }
    found
}

fn check(device: &str, packages: usize, missing: usize) -> Option<Inventory> {
    let (tree, inventory) = inventory(device)?;
    let mut read = BTreeSet::new();
    let mut placements = BTreeMap::new();
    let mut lone = 0;
    let list = inventory.packages.known().unwrap();
    for copy in list.iter().flat_map(|package| &package.copies) {
        assert_eq!(copy.role, CopyRole::Factory);
        // The tree has splits of packages whose base was too large for it: they stand under their folder.
        if copy.version_code.known().is_some() {
            read.insert(copy.path.clone());
        } else {
            lone += 1;
            assert_eq!(copy.version_code.gap().unwrap().reason, GapReason::Missing);
        }
        read.extend(copy.splits.known().unwrap().iter().filter_map(|split| split.path.clone()));
        *placements.entry(copy.placement.known().unwrap().as_str()).or_insert(0) += 1;
    }
    let damaged = inventory.gaps.iter().filter(|gap| gap.reason != GapReason::Missing && gap.hides == Hides::Packages);
    let damaged: Vec<_> = damaged.collect();
    println!(
        "{device}: {} packages, {} files, placements {placements:?}, unreadable {damaged:#?}",
        list.len(),
        read.len()
    );
    println!("{device}: {lone} packages of splits without a base");
    assert_eq!(read, files(&tree));
    assert_eq!(list.len(), packages);
    let listed = inventory.gaps.iter().filter(|gap| gap.detail.starts_with("all_files.txt"));
    assert_eq!(listed.count(), missing);
    assert_eq!(inventory.target.kind, TargetKind::Folder);
    assert!(inventory.gaps_hiding_packages().count() >= missing);
    Some(inventory)
}

#[test]
fn the_tablet_has_its_packages_and_its_missing_ones_are_gaps() {
    let Some(inventory) = check("lenovo-x606x", 111, 124) else { return };
    let partitions: Vec<_> = inventory.partitions.known().unwrap().iter().map(|p| p.mount_point.as_str()).collect();
    assert_eq!(partitions, ["/", "/vendor"]);
    let gap = inventory.gaps.iter().find(|gap| gap.place == "/system/framework/framework-res.apk").unwrap();
    assert_eq!(gap.reason, GapReason::Missing);
    let in_product = inventory.packages.known().unwrap().iter().flat_map(|package| &package.copies);
    let in_product = in_product.filter(|copy| copy.path.starts_with("/system/product/"));
    assert!(in_product.clone().count() > 20);
    assert!(in_product.into_iter().all(|copy| copy.partition.known().unwrap() == "product"));
    let text = serde_json::to_string(&inventory).unwrap();
    let (_, again) = self::inventory("lenovo-x606x").unwrap();
    assert!(text == serde_json::to_string(&again).unwrap());
}

#[test]
fn the_phone_has_its_packages_and_its_missing_ones_are_gaps() {
    let Some(inventory) = check("samsung-a02", 130, 155 + 22) else { return };
    let partitions: Vec<_> = inventory.partitions.known().unwrap().iter().map(|p| p.mount_point.as_str()).collect();
    assert_eq!(partitions, ["/odm", "/product", "/", "/vendor"]);
    let unknown: Vec<_> = inventory.packages.known().unwrap().iter().flat_map(|package| &package.copies).collect();
    let unknown = unknown.iter().filter(|copy| copy.placement.known() == Some(&Placement::Unknown));
    for copy in unknown {
        println!("in an unknown place: {}", copy.path);
    }
}
