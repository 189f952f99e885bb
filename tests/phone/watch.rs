//! `preloaded watch`: phones come, are judged once each, and every line that was shown is in the journal.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use preloaded::station;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::adb_server::AdbServer;
use crate::support::adbd::{Adbd, Fault, Script};
use crate::support::bench::Bench;
use crate::support::fiction::Fiction;
use crate::support::program::preloaded;

const PATIENCE: Duration = Duration::from_secs(60);

struct Watch {
    process: Child,
    lines: Receiver<String>,
    journal: PathBuf,
    _folder: TempDir,
}

impl Watch {
    fn start(server: &AdbServer, more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let journal = folder.path().join("journal.jsonl");
        let mut command = preloaded(server.address());
        command.args(["watch", "--profile", "ru/smartphone", "--journal"]).arg(&journal).args(more);
        if !more.contains(&"--") {
            command.args(["--", "--as-of", "2026-06-01"]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tells, lines) = channel();
        let output = process.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tells.send(line).is_err() {
                    break;
                }
            }
        });
        Self { process, lines, journal, _folder: folder }
    }

    #[track_caller]
    fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let _ = self.process.kill();
            let mut words = String::new();
            let _ = self.process.stderr.take().map(|mut pipe| pipe.read_to_string(&mut words));
            panic!("{error}: {words}")
        })
    }

    fn entries(&self) -> Vec<Value> {
        let (entries, broken) = station::read(&self.journal).unwrap();
        assert_eq!(broken, 0);
        entries
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processes whose parent is `id`.
fn children(id: u32) -> usize {
    let parent = |path: &Path| -> Option<u32> {
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    all.filter(|entry| parent(&entry.path()) == Some(id)).count()
}

#[test]
fn phones_are_judged_as_they_come_and_what_was_shown_is_in_the_journal() {
    let bench = Bench::new([Fiction { serial: "W1", ..Fiction::default() }.profile()]);
    let mut watch = Watch::start(&bench.server, &[]);
    let first = watch.line();
    assert!(first.contains("  COMPLIANT  ") && first.contains(&bench.phones[0].serial()), "{first}");
    // Another comes, and lacks an app.
    let second = Adbd::start(Fiction { serial: "W2", ..Fiction::default() }.without("ru.oneme.app").profile());
    bench.server.connect(&second);
    let line = watch.line();
    assert!(line.contains("  NOT COMPLIANT  ") && line.contains(&second.serial()), "{line}");
    // The first leaves and comes back: it is a phone like any other, and judged again.
    let serial = bench.phones[0].serial();
    bench.server.adb(&["disconnect", &serial]);
    thread::sleep(Duration::from_secs(1));
    bench.server.connect(&bench.phones[0]);
    let line = watch.line();
    assert!(line.contains(&serial), "{line}");
    let entries = watch.entries();
    let verdicts: Vec<_> = entries.iter().map(|entry| entry["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["COMPLIANT", "NOT COMPLIANT", "COMPLIANT"]);
    let names: Vec<_> = entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, [&serial, &second.serial(), &serial].map(|serial| format!("adb:{serial}")));
    assert!(entries.iter().all(|entry| entry["report"]["targets"][0]["result"]["state"] == "judged"));
    let id = watch.process.id();
    assert_eq!(watch.interrupt(), Some(130));
    assert_eq!(children(id), 0);
    assert_eq!(watch.entries().len(), 3, "the end takes nothing away");
}

#[test]
fn a_job_that_hangs_is_ended_and_delays_no_other_and_an_interrupt_leaves_no_child() {
    let hung = Fiction { serial: "HUNG", ..Fiction::default() };
    let silent = Script::starting_with("", "").fault(0, Fault::Hang);
    let bench = Bench::new([hung.clone().answering(silent.clone()).profile(), Fiction::default().profile()]);
    let mut watch = Watch::start(&bench.server, &["--job-time", "3"]);
    let quick = watch.line();
    assert!(quick.contains("  COMPLIANT  ") && quick.contains(&bench.phones[1].serial()), "{quick}");
    let late = watch.line();
    assert!(late.contains("ERROR") && late.contains("took too long"), "{late}");
    assert_eq!(watch.entries()[1]["exit_code"], Value::Null);
    drop(watch);

    let bench = Bench::new([hung.answering(silent).profile()]);
    let mut watch = Watch::start(&bench.server, &[]);
    let id = watch.process.id();
    let begun = Instant::now();
    while children(id) == 0 {
        assert!(begun.elapsed() < PATIENCE, "no job was started");
        thread::sleep(Duration::from_millis(20));
    }
    let job: Vec<String> = bench.phones[0].services();
    assert_eq!(watch.interrupt(), Some(130));
    thread::sleep(Duration::from_millis(300));
    assert_eq!(children(id), 0, "{job:?}");
    assert_eq!(watch.entries(), Vec::<Value>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_that_needs_more_memory_than_it_may_have_dies_alone() {
    let large = Fiction { serial: "LARGE", ..Fiction::default() };
    // An answer of 100 MiB to a job that may have 64.
    let script = Script::new(preloaded::adb::commands::packages(34).line(), vec![b'x'; 63 << 20]);
    let bench = Bench::new([large.answering(script).profile()]);
    let mut watch = Watch::start(&bench.server, &["--job-memory", "80", "--results", "1"]);
    let line = watch.line();
    assert!(line.contains("ERROR") && line.contains("the job died"), "{line}");
    assert_eq!(watch.process.wait().unwrap().code(), Some(0), "the bench goes on, and ends as asked");
}

#[test]
fn arguments_that_no_job_could_take_are_refused_before_a_phone_is_touched() {
    let bench = Bench::new([Fiction::default().profile()]);
    for more in [&["--", "--as-off", "2026-06-01"][..], &["--", "--format", "text"], &["--", "--as-of", "yesterday"]] {
        let mut watch = Watch::start(&bench.server, more);
        assert_eq!(watch.process.wait().unwrap().code(), Some(2), "{more:?}");
        let mut words = String::new();
        watch.process.stderr.take().unwrap().read_to_string(&mut words).unwrap();
        assert!(words.contains("each phone would be read with wrong arguments") && words.contains(more[1]), "{words}");
        assert!(!watch.journal.exists(), "no journal is begun");
    }
    assert!(bench.phones[0].services().is_empty());
}

#[test]
fn the_patience_of_a_bench_is_that_of_its_jobs() {
    let silent = Script::starting_with("", "").fault(0, Fault::Hang);
    let bench = Bench::new([Fiction { serial: "MUTE", ..Fiction::default() }.answering(silent).profile()]);
    let begun = Instant::now();
    let mut watch = Watch::start(&bench.server, &["--patience", "0.5", "--results", "1"]);
    let line = watch.line();
    assert!(line.contains("TRY AGAIN"), "{line}");
    // Each of its tries gives up two silent commands at the start and two at the end.
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}
