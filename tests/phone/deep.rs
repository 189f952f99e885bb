//! Package files read in place, over ADB: a real tablet's, against certificates that other tools read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use preloaded::inventory::{GapReason, Inventory, SignerDepth};
use tempfile::TempDir;

use crate::support::adbd::{Fault, Profile, Script};
use crate::support::bench::{Bench, requests};
use crate::support::fiction::Fiction;
use crate::support::pixel::{packages, real};
use crate::support::program::run;

/// A tablet: every APK of the tree, and the signer of each by independent tools.
struct Tablet {
    profile: Profile,
    signers: BTreeMap<String, String>,
}

fn tablet() -> Option<Tablet> {
    let tree = real("firmware/lenovo-x606x/tree")?;
    let truth = fs::read_to_string(real("truth/apks.tsv")?).unwrap();
    let mut rows = truth.lines();
    let columns: Vec<&str> = rows.next().unwrap().split('\t').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (file, package, signer) = (column("file"), column("package"), column("signer_sha256"));
    let mut fiction = Fiction { users: vec![0], ..Fiction::default() };
    let mut files = BTreeMap::new();
    let mut signers = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let Some(path) = cells[file].strip_prefix("firmware/lenovo-x606x/tree/") else { continue };
        let on_device =
            format!("/{}", path.strip_prefix("system/").filter(|rest| rest.starts_with("system/")).unwrap_or(path));
        let bytes = fs::read(tree.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        files.insert(on_device.clone(), bytes.into());
        fiction.firmware.push((cells[package].to_owned(), on_device));
        signers.insert(cells[package].to_owned(), cells[signer].to_owned());
    }
    assert_eq!(signers.len(), 111);
    // The phone's numbers are of no consequence here: the fiction tells one for all, and files are read whatever it says.
    Some(Tablet { profile: Profile { files, ..fiction.profile() }, signers })
}

fn scan(bench: &Bench, more: &[&str]) -> Inventory {
    let folder = TempDir::new().unwrap();
    let file: PathBuf = folder.path().join("phone.json");
    let target = format!("adb:{}", bench.phones[0].serial());
    let ran = run(bench.server.address(), ["scan", &target, "-o", file.to_str().unwrap()].iter().chain(more));
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    serde_json::from_slice(&text).unwrap()
}

/// Requests that read files, and bytes that they moved.
fn cost(bench: &Bench, files: &BTreeMap<String, std::sync::Arc<[u8]>>) -> (usize, usize) {
    let reads: Vec<String> = requests(&bench.phones[0])
        .into_iter()
        .filter(|line| line.starts_with("stat ") || line.starts_with("dd "))
        .collect();
    let mut bytes = 0;
    for part in reads.iter().flat_map(|line| line.split(";echo __next:$?;")) {
        let value = |key: &str| part.split(' ').find_map(|word| word.strip_prefix(key));
        if let (Some(path), Some(skip), Some(count)) = (value("if="), value("skip="), value("count=")) {
            let len = files[path].len();
            let start = skip.parse::<usize>().unwrap() * 1024;
            bytes += (count.parse::<usize>().unwrap() * 1024).min(len.saturating_sub(start));
        }
    }
    (reads.len(), bytes)
}

#[test]
fn the_certificates_of_111_files_are_those_that_other_tools_read_with_few_requests() {
    let Some(tablet) = tablet() else { return };
    for deep in ["--deep", "--deep=all"] {
        let bench = Bench::new([tablet.profile.clone()]);
        let inventory = scan(&bench, &[deep]);
        let mut wrong = Vec::new();
        for (package, expected) in &tablet.signers {
            let copy = inventory.package(package).unwrap().active().unwrap();
            // Each scheme names its signer.
            let found: BTreeSet<String> = match copy.signers.known() {
                Some(signers) => signers.iter().map(|signer| signer.sha256.clone().unwrap_or_default()).collect(),
                None => BTreeSet::new(),
            };
            if found != BTreeSet::from([expected.clone()]) {
                wrong.push((package, found, expected));
            }
        }
        assert!(wrong.is_empty(), "{deep}: {wrong:#?}");
        let (requests, bytes) = cost(&bench, &tablet.profile.files);
        println!(
            "{deep}: 111 files, {requests} requests, {bytes} bytes of {}",
            tablet.profile.files.values().map(|file| file.len()).sum::<usize>()
        );
        assert!(requests <= 10 && bytes <= 6_000_000, "{deep}: {requests} requests, {bytes} bytes");
    }
}

#[test]
fn everything_that_a_file_says_is_taken_from_it_as_from_firmware() {
    let Some(tablet) = tablet() else { return };
    let bench = Bench::new([tablet.profile.clone()]);
    let inventory = scan(&bench, &["--deep=all"]);
    let tree = real("firmware/lenovo-x606x/tree").unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tree.json");
    let ran = run(bench.server.address(), ["scan", tree.to_str().unwrap(), "-o", file.to_str().unwrap()]);
    let of_tree: Inventory =
        serde_json::from_slice(&fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))).unwrap();
    let mut compared = 0;
    for package in packages(&of_tree).iter().filter(|package| tablet.signers.contains_key(&package.name)) {
        let theirs = package.active().unwrap();
        let ours = inventory.package(&package.name).unwrap().active().unwrap();
        let name = &package.name;
        assert_eq!(ours.path, theirs.path, "{name}");
        assert_eq!(ours.label.known(), theirs.label.known(), "{name}");
        assert_eq!(ours.launcher.known(), theirs.launcher.known(), "{name}");
        assert_eq!(ours.requested_permissions.known(), theirs.requested_permissions.known(), "{name}");
        assert_eq!(ours.declared_permissions.known(), theirs.declared_permissions.known(), "{name}");
        assert_eq!(ours.manifest.known(), theirs.manifest.known(), "{name}");
        assert_eq!(ours.signers.known(), theirs.signers.known(), "{name}");
        compared += 1;
    }
    println!("{compared} packages are the same over ADB and in the tree");
    assert!(compared >= 100, "{compared}");
    // The fiction says version 7 of everything, and the files know better.
    assert!(
        inventory
            .gaps
            .iter()
            .any(|gap| gap.reason == GapReason::Contradiction && gap.detail.contains("the phone says version 7"))
    );
}

fn small(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/apks");
    fs::read(folder.join(name)).unwrap()
}

/// Three apps: one whole, one that the phone does not let anybody read, one that is no package file.
fn three() -> (Fiction, BTreeMap<String, std::sync::Arc<[u8]>>) {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let firmware = ["whole", "closed", "damaged"].map(|name| (format!("com.fiction.{name}"), path(name))).into();
    let fiction = Fiction { users: vec![0], firmware, ..Fiction::default() };
    let whole = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let files =
        BTreeMap::from([(path("whole"), whole.into()), (path("damaged"), crate::support::bytes(30_000).into())]);
    (fiction, files)
}

#[test]
fn a_file_that_cannot_be_read_is_a_gap_of_its_own_and_shifts_no_other() {
    let (fiction, files) = three();
    let denied = "stat: '/product/app/closed/closed.apk': Permission denied\n";
    let fiction =
        fiction.answering(Script::new("stat -c %s /product/app/closed/closed.apk", "").stderr(denied).status(1));
    let bench = Bench::new([Profile { files, ..fiction.profile() }]);
    let inventory = scan(&bench, &["--deep=all"]);
    let signers = |name: &str| inventory.package(name).unwrap().active().unwrap().signers.known().unwrap().clone();
    assert!(signers("com.fiction.whole")[0].sha256.is_some());
    assert!(signers("com.fiction.closed")[0].sha256.is_none(), "the number that the phone told stays");
    let gap = |path: &str| {
        inventory.gaps.iter().find(|gap| gap.place == path).unwrap_or_else(|| panic!("{:#?}", inventory.gaps))
    };
    assert_eq!(gap("/product/app/closed/closed.apk").reason, GapReason::Refused);
    assert_eq!(gap("/product/app/damaged/damaged.apk").reason, GapReason::Damaged);
}

#[test]
fn a_file_that_is_pulled_is_verified_and_one_whose_signature_does_not_hold_is_not() {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let firmware = ["whole", "broken"].map(|name| (format!("com.fiction.{name}"), path(name))).into();
    let fiction = Fiction { users: vec![0], firmware, ..Fiction::default() };
    let whole = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let mut broken = whole.clone();
    // One byte of the contents, which the directory does not look at: of the first local header's name or data.
    let at = 40;
    broken[at] ^= 1;
    let files = BTreeMap::from([(path("whole"), whole.into()), (path("broken"), broken.into())]);
    let bench = Bench::new([Profile { files, ..fiction.profile() }]);
    let inventory = scan(&bench, &["--verify"]);
    let signer = |name: &str| inventory.package(name).unwrap().active().unwrap().signers.known().unwrap()[0].clone();
    assert_eq!(signer("com.fiction.whole").depth, SignerDepth::Verified, "{:#?}", inventory.gaps);
    assert_eq!(signer("com.fiction.broken").depth, SignerDepth::Claimed);
    let gap = inventory.gaps.iter().find(|gap| gap.place == path("broken")).unwrap();
    assert!(gap.detail.starts_with("its signature does not hold"), "{}", gap.detail);
}

#[test]
fn a_cut_amid_reading_files_leaves_gaps_and_no_half_facts() {
    let (fiction, files) = three();
    for fault in [Fault::Close, Fault::Hang] {
        let cut = Script::starting_with("dd if=/product/app/whole", "x").fault(1, fault);
        let profile = Profile { files: files.clone(), ..fiction.clone().answering(cut).profile() };
        // The script must answer before the file does.
        let profile = Profile { scripts_first: true, ..profile };
        let bench = Bench::new([profile]);
        let inventory = scan(&bench, &["--deep=all", "--patience", "0.5"]);
        let copy = inventory.package("com.fiction.whole").unwrap().active().unwrap();
        assert!(copy.signers.known().unwrap()[0].sha256.is_none() && copy.label.known().is_none());
        let gap = inventory.gaps.iter().find(|gap| gap.place == "/product/app/whole/whole.apk").unwrap();
        let expected = if fault == Fault::Hang { GapReason::TimedOut } else { GapReason::Truncated };
        assert_eq!(gap.reason, expected);
    }
}

#[test]
fn a_phone_without_the_tools_for_files_has_one_gap_for_all_of_them_and_no_signer_is_verified() {
    // It has no files, and its shell knows no `stat`.
    let bench = Bench::new([Fiction { users: vec![0], ..Fiction::default() }.profile()]);
    let inventory = scan(&bench, &["--verify"]);
    let gaps: Vec<_> = inventory.gaps.iter().filter(|gap| gap.detail.contains("stat")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let packages = inventory.packages.known().unwrap();
    assert_eq!(gaps[0].place, format!("{} package files", packages.len()));
    let signers = packages.iter().flat_map(|package| &package.copies).flat_map(|copy| copy.signers.known().unwrap());
    assert!(signers.into_iter().all(|signer| signer.depth != SignerDepth::Verified));
}

#[test]
fn a_phone_that_dumps_no_single_package_has_one_gap_for_it_and_requests_stay_unknown() {
    let refuses = Script::starting_with("dumpsys -t 60 package permission ", "").stderr("Unknown option\n").status(1);
    let bench = Bench::new([Fiction { users: vec![0], ..Fiction::default() }.answering(refuses).profile()]);
    let inventory = scan(&bench, &[]);
    let dumps: Vec<_> = inventory
        .gaps
        .iter()
        .filter(|gap| gap.place.starts_with("dumpsys -t 60 package ") && !gap.place.contains(" permission"))
        .collect();
    assert_eq!(dumps.len(), 1, "{dumps:?}");
    let asks = |name: &str| inventory.package(name).unwrap().copies[0].requested_permissions.known().is_some();
    assert!(!asks("ru.oneme.app") && !asks("android"));
}
