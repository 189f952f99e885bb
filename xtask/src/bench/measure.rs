//! What a command costs: processor time, memory and wall time of it and of its children, to the microsecond (`wait4`).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Starts the command that its arguments are and writes what the system says of it when it has ended. What it does itself does not
/// count, but for memory: below its own 10 MiB peaks look alike.
const RUNNER: &str = "import os, sys, time
start = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
with open('times', 'w') as times:
    print(used.ru_utime, used.ru_stime, time.monotonic() - start, used.ru_maxrss, file=times)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
";

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
    run_program(folder, &["bash", "-c", script], accepted)
}

/// The same for a program with its arguments.
pub(crate) fn run_program(folder: &Path, words: &[&str], accepted: &[i32]) -> Result<Cost> {
    let errors = fs::File::create(folder.join("errors")).context("errors")?;
    let mut command = Command::new("python3");
    command.args(["-I", "-S", "-c", RUNNER]).args(words).current_dir(folder);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).status().context("python3")?;
    if !status.success() && !status.code().is_some_and(|code| accepted.contains(&code)) {
        let errors = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        let shown: Vec<_> = words.iter().take(4).collect();
        bail!("{shown:?}: {status}\n{errors}");
    }
    let text = fs::read_to_string(folder.join("times")).context("times")?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [user, system, wall, peak] = words.as_slice() else { bail!("times are {text:?}") };
    Ok(Cost { cpu: user.parse::<f64>()? + system.parse::<f64>()?, wall: wall.parse()?, peak_kib: peak.parse()? })
}
