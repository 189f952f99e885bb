//! What a command costs: processor time and wall time of it and of its children by the shell, which knows milliseconds, and their
//! memory by GNU time.

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

impl Cost {
    /// The run in the middle, by processor time.
    pub(crate) fn median(mut runs: Vec<Self>) -> Option<Self> {
        runs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
        runs.get(runs.len() / 2).copied()
    }
}

/// Runs a shell script in `folder`, its output thrown away, its errors kept in `<folder>/errors`. Exits of `accepted` are fine.
pub(crate) fn run(folder: &Path, script: &str, accepted: &[i32]) -> Result<Cost> {
    let times = folder.join("times");
    let errors = fs::File::create(folder.join("errors")).context("errors")?;
    let timed = format!("exec 3>&2\nTIMEFORMAT='%3U %3S %3R'\n{{ time {{ {script}\n}} 2>&3; }} 2> seconds");
    let mut command = Command::new("time");
    command.args(["-q", "-f", "%M", "-o"]).arg(&times).args(["bash", "-c", &timed]).current_dir(folder);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).status().context("time")?;
    if !status.success() && !status.code().is_some_and(|code| accepted.contains(&code)) {
        let errors = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        bail!("{script}: {status}\n{errors}");
    }
    let last = |name: &str| -> Result<String> {
        let text = fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())?;
        Ok(text.lines().last().unwrap_or_default().to_owned())
    };
    let text = format!("{} {}", last("seconds")?, last("times")?);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [user, system, wall, peak] = words.as_slice() else { bail!("times are {text:?}") };
    Ok(Cost { cpu: user.parse::<f64>()? + system.parse::<f64>()?, wall: wall.parse()?, peak_kib: peak.parse()? })
}
