//! `preloaded watch`.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::bundle::private_key;
use super::exit::{Exit, usage};
use super::output::IdentityArguments;
use super::server::ServerArguments;
use super::terminal::{Board, Line, complain};
use crate::adb::Attached;
use crate::check;
use crate::collect::Progress;
use crate::evidence::bundle;
use crate::inventory::{Target, TargetKind};
use crate::profile;
use crate::report::{Identity, printable};
use crate::station::{Change, Ended, Job, Journal, Limits, Slots};

/// Between two looks at the ADB server.
const PACE: Duration = Duration::from_millis(300);

/// Readings of a phone that failed for a passing reason are tried again so often before they are a result.
const TRIES: u32 = 2;

/// Judge each phone as it is plugged in, and keep every result in a journal
///
/// Each phone is read by a process of its own, with limits of time and memory. A result is on the disk before it is shown;
/// the verdict stays on the screen until the phone is unplugged. Ends with Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n    preloaded watch --profile ru/smartphone --journal bench.jsonl")]
pub(super) struct Arguments {
    /// A profile by name (see `preloaded profile list`) or a TOML file
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: String,

    /// File that results are appended to, a line of JSON each
    #[arg(long, value_name = "FILE")]
    journal: PathBuf,

    /// Phones read at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,

    /// Longest time for one phone
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    job_time: u64,

    /// Most memory for one phone, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(64..=65536))]
    job_memory: u64,

    /// End when so many results are there: for scripts
    #[arg(long, value_name = "N")]
    results: Option<usize>,

    /// Further arguments of `preloaded check` for each phone, after `--`
    #[arg(last = true, value_name = "ARGUMENT")]
    check: Vec<OsString>,

    /// Also write the evidence of each phone into this folder, one signed file each, to be checked by `preloaded verify`
    #[arg(long, value_name = "FOLDER", help_heading = "Evidence")]
    bundles: Option<PathBuf>,

    /// The private key that signs them, as `preloaded key new` writes it
    #[arg(long, value_name = "KEY", env = "PRELOADED_SIGN_KEY", help_heading = "Evidence")]
    sign_key: Option<PathBuf>,

    #[command(flatten)]
    identity: IdentityArguments,

    #[command(flatten)]
    server: ServerArguments,
}

/// A phone that waits for its turn.
struct Waiting {
    slot: String,
    phone: Attached,
    tries: u32,
}

/// A phone that is being read.
struct Running {
    slot: String,
    phone: Attached,
    tries: u32,
    job: Job,
    begun: Instant,
    /// Where its evidence goes.
    bundle: Option<PathBuf>,
}

struct Bench<'a> {
    arguments: &'a Arguments,
    program: PathBuf,
    journal: Journal,
    slots: Slots,
    queue: VecDeque<Waiting>,
    running: Vec<Running>,
    board: Board,
    lines: BTreeMap<String, Line>,
    tries: BTreeMap<String, u32>,
    results: usize,
    identity: Identity,
    /// Jobs begun: their evidence is numbered.
    jobs: usize,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    // Whatever is wrong with the profile is said before any phone is touched.
    let rules = profile::load(&arguments.profile).map_err(|error| usage(error.to_string()))?;
    check::packages(&rules).map_err(|error| usage(error.to_string()))?;
    let bundle = arguments.bundle(0)?;
    let job = arguments.job("adb:SERIAL", bundle.as_deref());
    let line: Vec<OsString> = std::iter::once("preloaded".into()).chain(job).collect();
    super::parse(&line).map_err(|words| usage(format!("each phone would be read with wrong arguments: {words}")))?;
    let identity = arguments.identity.identity()?;
    if let Some(folder) = &arguments.bundles {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let journal = Journal::open(&arguments.journal).with_context(|| arguments.journal.display().to_string())?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&interrupted);
    ctrlc::set_handler(move || told.store(true, Ordering::SeqCst)).context("Ctrl-C can't be handled")?;
    let mut bench = Bench {
        arguments,
        program: std::env::current_exe().context("this program's own file")?,
        journal,
        slots: Slots::default(),
        queue: VecDeque::new(),
        running: Vec::new(),
        board: Board::new(),
        lines: BTreeMap::new(),
        tries: BTreeMap::new(),
        results: 0,
        identity,
        jobs: 0,
    };
    let server = arguments.server.server()?;
    let mut complained = false;
    while !interrupted.load(Ordering::SeqCst) {
        match arguments.server.listing(&server) {
            Ok(listing) => {
                complained = false;
                bench.take(&listing.attached);
            }
            Err(why) if !complained => {
                complain(&why);
                complained = true;
            }
            Err(_) => {}
        }
        bench.start()?;
        bench.finish()?;
        if arguments.results.is_some_and(|most| bench.results >= most) {
            return Ok(Exit::Compliant);
        }
        thread::sleep(PACE);
    }
    for running in &mut bench.running {
        running.job.end();
    }
    Ok(Exit::Interrupted)
}

impl Arguments {
    /// Arguments of the process that reads one phone.
    fn job(&self, target: &str, bundle: Option<&Path>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["check".into(), target.into()];
        arguments.extend(["--profile", self.profile.as_str(), "--format", "json"].map(OsString::from));
        arguments.extend(self.server.of_job());
        arguments.extend(self.identity.of_job());
        if let (Some(bundle), Some(key)) = (bundle, &self.sign_key) {
            arguments.extend(["--bundle".into(), bundle.into(), "--sign-key".into(), key.into()]);
        }
        arguments.extend(self.check.iter().cloned());
        arguments
    }

    /// Where the evidence of a job goes: by time and number, since a serial number is nothing for a file's name. `None` if
    /// none is asked for.
    ///
    /// # Errors
    /// The key is missing or can't be used.
    fn bundle(&self, job: usize) -> anyhow::Result<Option<PathBuf>> {
        let Some(folder) = &self.bundles else { return Ok(None) };
        let key = self.sign_key.as_ref().ok_or_else(|| usage("--bundles needs the key that signs: --sign-key KEY"))?;
        private_key(key)?;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        Ok(Some(folder.join(format!("{time}-{}-{job}.preloaded.zip", std::process::id()))))
    }
}

impl Bench<'_> {
    fn take(&mut self, listed: &[Attached]) {
        for change in self.slots.update(listed) {
            match change {
                Change::Read(slot) => {
                    let Some(phone) = self.slots.get(&slot).map(|found| found.phone.clone()) else { continue };
                    self.show(&slot, "waits for its turn");
                    let tries = self.tries.get(&slot).copied().unwrap_or(0);
                    self.queue.push_back(Waiting { slot, phone, tries });
                }
                Change::Waits(slot, word) => self.show(&slot, &word),
                Change::Gone(slot) => {
                    self.queue.retain(|waiting| waiting.slot != slot);
                    self.tries.remove(&slot);
                    // Its verdict leaves the screen with it; the journal keeps it.
                    self.lines.remove(&slot);
                }
            }
        }
    }

    fn show(&mut self, slot: &str, text: &str) {
        let board = &self.board;
        let line = self.lines.entry(slot.to_owned()).or_insert_with(|| board.line(slot));
        line.step(text);
    }

    fn start(&mut self) -> anyhow::Result<()> {
        while self.running.len() < usize::from(self.arguments.jobs) {
            let Some(Waiting { slot, phone, tries }) = self.queue.pop_front() else { return Ok(()) };
            let target = match phone.transport_id {
                Some(id) => format!("adb:transport:{id}"),
                None => format!("adb:{}", phone.name()),
            };
            self.jobs += 1;
            let bundle = self.arguments.bundle(self.jobs)?;
            let arguments = self.arguments.job(&target, bundle.as_deref());
            let limits =
                Limits { time: Duration::from_secs(self.arguments.job_time), memory: self.arguments.job_memory << 20 };
            let job = Job::start(&self.program, &arguments, limits).context("a job can't be started")?;
            self.show(&slot, "is being read");
            self.running.push(Running { slot, phone, tries, job, begun: Instant::now(), bundle });
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        let mut still = Vec::new();
        for mut running in std::mem::take(&mut self.running) {
            match running.job.poll()? {
                None => still.push(running),
                Some(ended) => self.result(&running, ended)?,
            }
        }
        self.running = still;
        Ok(())
    }

    fn result(&mut self, running: &Running, ended: Ended) -> anyhow::Result<()> {
        let (word, code, report, error) = outcome(ended);
        let id = running.phone.transport_id;
        let is_there = self.slots.get(&running.slot).is_some_and(|slot| slot.phone.transport_id == id);
        if code == Some(i32::from(Exit::Temporary as u8)) && is_there && running.tries < TRIES {
            // Lost for a moment: no result yet, and no evidence of one.
            if let Some(bundle) = &running.bundle {
                let _ = std::fs::remove_file(bundle);
            }
            self.tries.insert(running.slot.clone(), running.tries + 1);
            self.slots.again(&running.slot, id);
            return Ok(());
        }
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let plain = format!("adb:{}", running.phone.name());
        let target = Target { kind: TargetKind::Phone, name: plain.clone(), collected_at: None, layers: Vec::new() };
        // As the job's own report names it: the one phone of its run.
        let name = self.identity.name(&target, 1);
        let slot = if running.phone.usb.is_some() {
            running.slot.clone()
        } else {
            self.identity.clean(&running.slot, &target, 1)
        };
        let error = error.map(|error| self.identity.clean(&error, &target, 1));
        let entry = json!({
            "schema_version": "1.0",
            "time": now,
            "slot": slot,
            "name": name,
            "transport_id": id,
            "seconds": running.begun.elapsed().as_secs(),
            "verdict": word,
            "exit_code": code,
            "error": error,
            "report": report,
            "bundle": running.bundle.as_deref().and_then(evidence),
        });
        self.journal.append(&entry).with_context(|| self.arguments.journal.display().to_string())?;
        // From here on it is kept, and may be shown.
        self.results += 1;
        let text = |name: &str| match &error {
            Some(error) => format!("{word}  {name}  {error}"),
            None => format!("{word}  {name}"),
        };
        if is_there {
            self.slots.judged(&running.slot, id);
            self.show(&running.slot, &text(&plain));
        }
        if !io::stderr().is_terminal() || !is_there {
            // Whoever sits before it may know which phone it is; a file is a journal like the other.
            let (slot, name) =
                if io::stdout().is_terminal() { (running.slot.as_str(), &plain) } else { (slot.as_str(), &name) };
            let mut out = io::stdout().lock();
            writeln!(out, "{now}  {}  {}", printable(slot), printable(&text(name)))?;
            out.flush()?;
        }
        Ok(())
    }
}

/// Name and digest of a job's evidence; `None` where it wrote none.
fn evidence(path: &Path) -> Option<Value> {
    let bytes = std::fs::read(path).ok()?;
    let file = path.file_name()?.to_string_lossy();
    Some(json!({ "file": file, "sha256": bundle::sha256(&bytes) }))
}

/// The verdict in a word, the exit code, the report and what went wrong.
fn outcome(ended: Ended) -> (&'static str, Option<i32>, Option<Value>, Option<String>) {
    let (code, output, messages) = match ended {
        Ended::Exit { code, output, messages } => (code, output, messages),
        Ended::Late => return ("ERROR", None, None, Some("the job took too long and was ended".to_owned())),
        Ended::Died(words) => return ("ERROR", None, None, Some(format!("the job died: {words}"))),
    };
    let report: Option<Value> = serde_json::from_slice(&output).ok();
    let told =
        report.as_ref().and_then(|report| report.pointer("/targets/0/result/error")?.as_str().map(str::to_owned));
    let messages = messages.trim();
    let error = told.or_else(|| (!messages.is_empty()).then(|| messages.to_owned()));
    // A verdict that no report stands behind is none.
    let word = match (code, &report) {
        (0, Some(_)) => "COMPLIANT",
        (1, Some(_)) => "NOT COMPLIANT",
        (3, Some(_)) => "INCONCLUSIVE",
        (75, _) => "TRY AGAIN",
        (4, _) => "UNREADABLE",
        _ => "ERROR",
    };
    (word, Some(code), report, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_without_a_report_is_never_compliant() {
        let exit = |code, output: &str| Ended::Exit { code, output: output.into(), messages: "told\n".to_owned() };
        assert_eq!(outcome(exit(0, "")).0, "ERROR");
        assert_eq!(outcome(exit(0, "{\"targets\": []}")).0, "COMPLIANT");
        assert_eq!(outcome(exit(134, "{}")).0, "ERROR");
        assert_eq!(outcome(Ended::Late).1, None);
        assert_eq!(outcome(exit(75, "")).3.as_deref(), Some("told"));
    }
}
