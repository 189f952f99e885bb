//! `cargo xtask fuzz`: seeds from the samples and fixtures, then each target for a while.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tools;

/// Where the seeds of a target come from besides its own corpus.
enum Seeds {
    /// Samples of the format tables, written by ignored unit tests.
    Samples,
    /// Folders of the project, read where they are.
    Folders(&'static [&'static str]),
    /// Entries of the fixtures whose name ends like this.
    Entries(&'static str),
    /// What stands before the central directory of the fixtures.
    SigningBlocks,
}

const PACKAGES: &[&str] = &["tests/data/apks", "tests/data/signatures", "samples/apks"];

/// Every target of `fuzz/`, with the longest input worth trying.
const TARGETS: &[(&str, Seeds, u32)] = &[
    ("zip_directory", Seeds::Folders(PACKAGES), 32 << 10),
    ("verification", Seeds::Folders(PACKAGES), 32 << 10),
    ("manifest", Seeds::Entries("AndroidManifest.xml"), 32 << 10),
    ("resources", Seeds::Entries("resources.arsc"), 32 << 10),
    ("signing_block", Seeds::SigningBlocks, 16 << 10),
    ("dex", Seeds::Entries(".dex"), 64 << 10),
    ("elf", Seeds::Entries(".so"), 64 << 10),
    ("containers", Seeds::Samples, 128 << 10),
    ("filesystems", Seeds::Samples, 128 << 10),
    ("firmware", Seeds::Folders(&["fuzz/corpus/containers", "fuzz/corpus/filesystems"]), 128 << 10),
    ("dumps", Seeds::Folders(&["tests/data/captures"]), 32 << 10),
    ("profile", Seeds::Folders(&["profiles/ru"]), 32 << 10),
];

/// Runs `only`, or every target, for `seconds` each.
pub(crate) fn run(seconds: &str, only: Option<&str>) -> Result<()> {
    if !seconds.bytes().all(|digit| digit.is_ascii_digit()) || seconds.is_empty() {
        bail!("{seconds}: expected a number of seconds");
    }
    let targets: Vec<_> = TARGETS.iter().filter(|(name, ..)| only.is_none_or(|only| only == *name)).collect();
    if targets.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|(name, ..)| *name).collect();
        bail!("{}: no such target; there are {}", only.unwrap_or_default(), names.join(", "));
    }
    if tools::find("cargo-fuzz").is_none() {
        tools::run(&mut tools::cargo(&["install", "--quiet", "--locked", "cargo-fuzz"]))?;
    }
    let seeds = tools::root().join("fuzz/corpus");
    let write = ["test", "--quiet", "--package", "preloaded", "--lib", "--", "--ignored", "samples_become_the_seeds"];
    tools::run(tools::cargo(&write).env("SEEDS", &seeds))?;
    for (name, source, longest) in targets {
        let corpus = seeds.join(name);
        fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
        // In one unit, which is the default, compiling the library takes half an hour.
        let fixed = ["+nightly", "fuzz", "run", "--codegen-units=16", *name];
        let mut arguments: Vec<_> = fixed.iter().map(Into::into).collect();
        arguments.push(corpus.clone());
        match source {
            Seeds::Samples => {}
            Seeds::Folders(folders) => arguments.extend(folders.iter().map(|folder| tools::root().join(folder))),
            Seeds::Entries(end) => entries(end, &corpus)?,
            Seeds::SigningBlocks => signing_blocks(&corpus)?,
        }
        // One input may take a quarter of a GiB with the sanitizer's own memory, and five seconds.
        let limits =
            ["-timeout=5", "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-print_final_stats=1", "-verbosity=0"];
        let mut command = Command::new("cargo");
        command.current_dir(tools::root()).args(arguments).arg("--").args(limits);
        command.args([format!("-max_total_time={seconds}"), format!("-max_len={longest}")]);
        tools::run(&mut command)?;
    }
    Ok(())
}

/// The fixtures, with names that are unique.
fn packages() -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for folder in PACKAGES {
        for file in fs::read_dir(tools::root().join(folder)).with_context(|| (*folder).to_owned())? {
            let path = file?.path();
            if path.extension().is_some_and(|end| end == "apk") {
                found.push((format!("{}-{}", folder.replace('/', "-"), stem(&path)), fs::read(&path)?));
            }
        }
    }
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Some fixtures are damaged on purpose: what the library can't open gives no seed.
fn entries(end: &str, corpus: &Path) -> Result<()> {
    for (name, bytes) in packages()? {
        let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { continue };
        for index in 0..archive.len() {
            let Ok(file) = archive.by_index(index) else { continue };
            if !file.name().is_ok_and(|name| name.ends_with(end)) {
                continue;
            }
            let mut content = Vec::new();
            if file.take(64 << 10).read_to_end(&mut content).is_ok() {
                fs::write(corpus.join(format!("{name}-{index}")), content)?;
            }
        }
    }
    Ok(())
}

fn signing_blocks(corpus: &Path) -> Result<()> {
    for (name, bytes) in packages()? {
        let Some(magic) = bytes.windows(16).rposition(|window| window == b"APK Sig Block 42") else { continue };
        let size = magic.checked_sub(8).and_then(|at| bytes.get(at..magic)?.try_into().ok()).map(u64::from_le_bytes);
        let start = size.and_then(|size| (magic + 8).checked_sub(usize::try_from(size).ok()?));
        if let Some(block) = start.and_then(|start| bytes.get(start..magic + 16)) {
            fs::write(corpus.join(name), block)?;
        }
    }
    Ok(())
}
