//! Independent validators of reports, and an independent implementation of CEL, kept below the build folder: Python packages
//! in an environment of their own, npm packages beside it. The versions are fixed, since a validator that changes by itself
//! makes yesterday's file wrong.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::tools;

/// What comes from PyPI.
const PYTHON: [&str; 3] =
    ["cel-expr-python==0.1.3", "cyclonedx-python-lib[json-validation]==11.12.0", "spdx-python-model==0.0.6"];

/// What comes from npm; it brings the schema of OASIS too.
const NPM: [&str; 1] = ["@microsoft/sarif-multitool@5.7.0"];

/// Installs what is missing.
pub(crate) fn install() -> Result<()> {
    let folder = tools::root().join("target/report-tools");
    fs::create_dir_all(&folder)?;
    let wanted = PYTHON.iter().chain(&NPM).copied().collect::<Vec<_>>().join("\n");
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).unwrap_or_default() == wanted {
        return Ok(());
    }
    python(&folder.join("venv"))?;
    npm(&folder.join("npm"))?;
    fs::write(&stamp, wanted).context("target/report-tools/installed")
}

fn python(folder: &PathBuf) -> Result<()> {
    // Debian has the module that makes environments in a package of its own.
    let ready = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        tools::install_package("python3-venv")?;
    }
    tools::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let pip = folder.join("bin/pip");
    tools::run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON))
}

fn npm(folder: &PathBuf) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
    let flags = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
    let path = env::var_os("PATH").unwrap_or_default();
    tools::run(Command::new("npm").args(flags).args(NPM).current_dir(folder).env("PATH", path))?;
    // The package comes without the right to run its program; its own script, which is not run, would give it.
    let program = folder.join("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool");
    tools::run(Command::new("chmod").arg("+x").arg(program))
}
