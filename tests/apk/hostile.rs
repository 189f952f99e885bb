//! Damaged package files end in facts, or in an error that names the place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use preloaded::apk;
use preloaded::bytes::{FileBytes, ParseError, SharedBytes};

use super::{fixtures, root};

/// Files up to this length may be cut and changed at each byte.
const SMALL: u64 = 16 << 10;
/// So many of them are, in the order of their names; all others here and there.
const AT_EACH_BYTE: usize = 20;
/// Places that are tried in the others.
const SAMPLED: usize = 300;

/// Files of which no beginning is a package file.
const WHOLE: [&str; 5] = [
    "apk-info--anomalies--clean.apk",
    "apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk",
    "apksig--v1-only-with-rsa-1024-cert-not-der.apk",
    "apk-info--zip--broken-v3-only-no-certs-in-sig.apk",
    "apksig--weird-compression-method.apk",
];

/// Reads everything that is read of a package file; whether its manifest is.
fn read_all(source: &SharedBytes, name: &str) -> bool {
    let placed = |error: &ParseError| assert!(error.to_string().contains("byte "), "{name}: {error}");
    let opened = apk::open(source);
    match &opened {
        Ok(apk) => {
            let _ = (apk.stub(), apk.manifest.roles(), apk.manifest.hooks(), apk.manifest.implied_permissions());
            apk.signers.iter().flatten().for_each(|signer| drop(signer.facts()));
            let network = apk.network.as_ref().and_then(|network| network.as_ref().err());
            [apk.resources.as_ref().err(), apk.signers.as_ref().err(), network].into_iter().flatten().for_each(placed);
        }
        Err(error) => placed(error),
    }
    apk::dex(source).err().iter().for_each(placed);
    apk::apex(source).err().iter().for_each(placed);
    match apk::native(source) {
        Ok(libraries) => libraries.iter().filter_map(|library| library.elf.as_ref().err()).for_each(placed),
        Err(error) => placed(&error),
    }
    opened.is_ok()
}

/// Cuts and changes a file; how many of the cut and of the changed ones were read, and how many were not.
fn damage(path: &Path, everywhere: bool) -> [usize; 4] {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let whole = fs::read(path).unwrap();
    let step = if everywhere { 1 } else { whole.len() / SAMPLED + 1 };
    let mut outcomes = [0; 4];
    for at in (0..whole.len()).step_by(step) {
        let cut: SharedBytes = Arc::new(whole[..at].to_vec());
        outcomes[usize::from(read_all(&cut, &format!("{name} cut to {at}")))] += 1;
        let mut changed = whole.clone();
        changed[at] = if changed[at] == 0xff { 0x7f } else { 0xff };
        let changed: SharedBytes = Arc::new(changed);
        outcomes[2 + usize::from(read_all(&changed, &format!("{name} changed at {at}")))] += 1;
    }
    if WHOLE.contains(&name.as_str()) {
        assert!(outcomes[1] == 0, "{name}: {} beginnings were read", outcomes[1]);
        assert!(outcomes[2] > 0 && outcomes[3] > 0, "{name}: {outcomes:?}");
    }
    outcomes
}

#[test]
fn a_file_cut_or_changed_anywhere_ends_in_facts_or_an_error_with_its_place() {
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end != "tsv")).collect();
    let small = |path: &PathBuf| fs::metadata(path).unwrap().len() <= SMALL;
    // Small ones first, and among them those of which more is expected.
    let expected = |path: &PathBuf| WHOLE.iter().any(|name| path.ends_with(name));
    files.sort_by_key(|path| (!small(path), !expected(path), path.clone()));
    assert!(files.iter().take(AT_EACH_BYTE).all(small));
    let (next, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(index) else { break };
                    tried.fetch_add(damage(path, index < AT_EACH_BYTE).iter().sum(), Ordering::Relaxed);
                }
            });
        }
    });
    eprintln!("{} files, {AT_EACH_BYTE} of them at each byte: {} damaged files", files.len(), tried.into_inner());
}

#[test]
fn every_odd_file_of_two_test_suites_ends_in_facts_or_an_error_with_its_place() {
    let shared = root().join("../shared/data/apks");
    if !shared.is_dir() {
        eprintln!("NOT RUN: {} is not there", shared.display());
        return;
    }
    let mut folders = vec![shared.join("apk-info"), shared.join("apksig")];
    let mut outcomes = [0; 2];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source: SharedBytes = Arc::new(FileBytes::open(&path).unwrap());
            outcomes[usize::from(read_all(&source, &path.to_string_lossy()))] += 1;
        }
    }
    eprintln!("{} read, {} refused", outcomes[1], outcomes[0]);
    assert!(outcomes.iter().all(|&count| count > 10), "{outcomes:?}");
}
