//! The targets of `fuzz/` compile with the library as it is, and each holds on whole and cut files of every kind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The names by which targets call what stands here in place of the fuzzer and of what they share.
extern crate self as libfuzzer_sys;
extern crate self as preloaded_fuzz;

#[allow(clippy::expect_used, clippy::indexing_slicing, unreachable_pub, reason = "of another package")]
#[path = "../fuzz/src/lib.rs"]
mod shared;

pub use shared::{budget, manifest, package, read_some};

/// A target as a function.
#[macro_export]
macro_rules! fuzz_target {
    (|$data:ident: &[u8]| $body:block) => {
        pub fn run($data: &[u8]) $body
    };
}

#[allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    unused_attributes,
    unreachable_pub,
    missing_docs,
    reason = "programs of another package"
)]
#[path = "../fuzz/fuzz_targets"]
mod targets {
    pub mod containers;
    pub mod dex;
    pub mod dumps;
    pub mod elf;
    pub mod filesystems;
    pub mod firmware;
    pub mod manifest;
    pub mod profile;
    pub mod resources;
    pub mod signing_block;
    pub mod verification;
    pub mod zip_directory;
}

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("containers", targets::containers::run),
    ("dex", targets::dex::run),
    ("dumps", targets::dumps::run),
    ("elf", targets::elf::run),
    ("filesystems", targets::filesystems::run),
    ("firmware", targets::firmware::run),
    ("manifest", targets::manifest::run),
    ("profile", targets::profile::run),
    ("resources", targets::resources::run),
    ("signing_block", targets::signing_block::run),
    ("verification", targets::verification::run),
    ("zip_directory", targets::zip_directory::run),
];

/// Files up to here are tried: the targets run unoptimised.
const LARGEST: usize = 32 << 10;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &str) -> BTreeSet<PathBuf> {
    let folder = root().join(folder);
    fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn every_target_of_the_folder_is_run_here() {
    let found: BTreeSet<String> = names("fuzz/fuzz_targets")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let here: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, here);
}

#[test]
fn every_target_holds_on_files_whole_and_cut() {
    let mut inputs = vec![Vec::new()];
    for path in
        names("tests/data/apks").into_iter().filter(|path| path.extension().is_some_and(|end| end == "apk")).take(6)
    {
        let file = fs::read(&path).unwrap();
        if let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&file)) {
            for index in 0..archive.len() {
                let Ok(entry) = archive.by_index(index) else { continue };
                let mut bytes = Vec::new();
                if entry.take(LARGEST as u64).read_to_end(&mut bytes).is_ok() {
                    inputs.push(bytes);
                }
            }
        }
        inputs.push(file);
    }
    for path in names("tests/data/captures/android14").into_iter().filter(|path| path.is_file()).take(3) {
        inputs.push(fs::read(path).unwrap());
    }
    inputs.retain(|input| input.len() <= LARGEST);
    assert!(inputs.len() > 20, "{} inputs", inputs.len());
    for (name, run) in TARGETS {
        for (number, input) in inputs.iter().enumerate() {
            for cut in [input.len(), input.len() / 2, input.len().min(21)] {
                let part = input.get(..cut).unwrap();
                let held = std::panic::catch_unwind(|| run(part));
                assert!(held.is_ok(), "{name}: input {number}, {cut} bytes of it");
            }
        }
    }
}
