//! What a command costs: processor time, memory and wall time of it and of its children, by GNU time.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Cost of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Seconds of processor time, user and system, children counted.
    pub(crate) cpu: f64,
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Largest resident set of any process of it, in KiB.
    pub(crate) peak_kib: u64,
}

impl std::ops::Add for Cost {
    type Output = Self;

    /// One after the other.
    fn add(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, wall: self.wall + other.wall, peak_kib: self.peak_kib.max(other.peak_kib) }
    }
}

/// Runs a shell script in `folder`, its output thrown away, its errors kept in `<folder>/errors`. Exits of `accepted` are fine.
pub(crate) fn run(folder: &Path, script: &str, accepted: &[i32]) -> Result<Cost> {
    let times = folder.join("times");
    let errors = fs::File::create(folder.join("errors")).context("errors")?;
    let mut command = Command::new("time");
    command.args(["-q", "-f", "%U %S %e %M", "-o"]).arg(&times).args(["bash", "-c", script]).current_dir(folder);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).status().context("time")?;
    if !status.success() && !status.code().is_some_and(|code| accepted.contains(&code)) {
        let errors = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        bail!("{script}: {status}\n{errors}");
    }
    let text = fs::read_to_string(&times).context("times")?;
    let words: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
    let [user, system, wall, peak] = words.as_slice() else { bail!("time printed {text:?}") };
    Ok(Cost { cpu: user.parse::<f64>()? + system.parse::<f64>()?, wall: wall.parse()?, peak_kib: peak.parse()? })
}
