//! `cargo xtask bench`: what reading costs beside the programs that people use today, as ratios within one run.

mod apk;
mod firmware;
mod images;
mod measure;
mod packages;
mod payload;
mod rules;
mod super_image;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::tools::{self, Tool};

pub(crate) use apk::run as apk;
pub(crate) use firmware::run as firmware;
pub(crate) use rules::run as rules;

/// What the benchmarks call, beside what the tests do.
const TOOLS: &[Tool] = &[Tool { program: "taskset", package: "util-linux" }];

/// The program as people run it.
fn program() -> Result<PathBuf> {
    tools::install()?;
    tools::install_all(TOOLS)?;
    tools::run(&mut tools::cargo(&["build", "--release", "--quiet", "--bin", "preloaded"]))?;
    Ok(tools::root().join("target/release/preloaded"))
}

/// A folder for what is made and measured, kept for the next run.
fn folder(given: Option<&str>, name: &str) -> Result<PathBuf> {
    let folder = given.map_or_else(|| std::env::temp_dir().join("preloaded-bench"), PathBuf::from).join(name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder.canonicalize()?)
}

/// Runs a command of the making, not measured.
fn make(folder: &Path, script: &str) -> Result<()> {
    tools::run(Command::new("bash").args(["-euc", script]).current_dir(folder))
}
