//! Oracles that no Debian package has: from crates.io and PyPI, installed below the work folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Workplace;
use crate::tools;

/// The program that unpacks payloads.
const PAYLOAD_DUMPER: &str = "0.8.4";
/// Reads super images, and what `f2fs_ref.py` needs.
const PYTHON_PACKAGES: &[&str] = &["liblp==1.0.2", "lz4", "zstandard"];

/// `payload_dumper`.
pub(super) fn payload_dumper(place: &Workplace) -> Result<PathBuf> {
    let root = place.folder.join("tools");
    let program = root.join("bin/payload_dumper");
    if !program.exists() {
        let root = root.display().to_string();
        let install =
            ["install", "--quiet", "--locked", "payload_dumper", "--version", PAYLOAD_DUMPER, "--root", &root];
        tools::run(&mut tools::cargo(&install))?;
    }
    Ok(program)
}

/// A Python that has the packages.
pub(super) fn python(place: &Workplace) -> Result<PathBuf> {
    let root = place.folder.join("python");
    let python = root.join("bin/python3");
    let done = root.join("installed");
    let wanted = PYTHON_PACKAGES.join(" ");
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    tools::run(Command::new("python3").args(["-m", "venv"]).arg(&root))
        .context("Debian's package python3-venv is needed")?;
    let pip = ["-m", "pip", "--quiet", "--disable-pip-version-check", "install"];
    tools::run(Command::new(&python).args(pip).args(PYTHON_PACKAGES))?;
    fs::write(done, wanted)?;
    Ok(python)
}
