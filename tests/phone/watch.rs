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
use crate::support::program::{finish, preloaded};

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
        command.args(["watch", "--profile", "ru/smartphone", "--journal"]).arg(&journal);
        if !more.contains(&"--id") {
            command.args(["--id", "plain"]);
        }
        command.args(more);
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

/// Whether a process runs; one that ended and that nobody has waited for does not.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Number of processes whose parent is `id`.
fn children(id: u32) -> usize {
    jobs(id).len()
}

/// Processes whose parent is `id`.
fn jobs(id: u32) -> Vec<u32> {
    let parent = |path: &Path| -> Option<u32> {
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    all.filter(|entry| parent(&entry.path()) == Some(id)).filter_map(number).collect()
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
    // Each entry is bound to the one before it.
    let verify = |more: &[&str]| {
        let mut command = preloaded(bench.server.address());
        finish(command.args(["journal", "verify"]).arg(&watch.journal).args(more))
    };
    let whole = verify(&["--format", "json"]);
    assert_eq!((whole.code, whole.json()["entries"].as_u64()), (0, Some(3)), "{whole:#?}");
    let head = whole.json()["head"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&watch.journal).unwrap();
    std::fs::write(&watch.journal, text.replace("NOT COMPLIANT", "COMPLIANT")).unwrap();
    let changed = verify(&[]);
    assert!(changed.code == 5 && changed.stdout.contains("WRONG  line 3 the line before it"), "{changed:#?}");
    let lines: Vec<&str> = text.lines().take(2).collect();
    std::fs::write(&watch.journal, lines.join("\n") + "\n").unwrap();
    assert_eq!(verify(&[]).code, 0, "an end that was cut off leaves no trace");
    let noted = verify(&["--noted", &head]);
    assert!(noted.code == 5 && noted.stdout.contains("no line has the noted digest"), "{noted:#?}");
}

#[test]
fn a_journal_names_phones_as_asked_and_by_no_serial_number_unless_it_is() {
    let phone = Fiction { serial: "SECRET1", ..Fiction::default() };
    let (folder, bench) = (TempDir::new().unwrap(), Bench::new([phone.profile()]));
    let key = folder.path().join("id.key");
    std::fs::write(&key, "0123456789abcdef").unwrap();
    let serial = bench.phones[0].serial();
    // HMAC-SHA-256 by openssl, of the serial number under the key.
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", "0123456789abcdef", "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program openssl");
    std::io::Write::write_all(&mut openssl.stdin.take().unwrap(), serial.as_bytes()).unwrap();
    let digest = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    let keyed = format!("adb:hmac-{}", &digest[..32]);
    for (id, name) in [("none", "phone-1"), ("hmac", keyed.as_str()), ("plain", &format!("adb:{serial}"))] {
        let mut more = vec!["--results", "1", "--id", id];
        more.extend(["--id-key", key.to_str().unwrap()]);
        let mut watch = Watch::start(&bench.server, &more);
        let line = watch.line();
        assert_eq!(watch.process.wait().unwrap().code(), Some(0));
        let text = std::fs::read_to_string(&watch.journal).unwrap();
        let entry = watch.entries().remove(0);
        assert_eq!(
            (entry["name"].as_str(), entry["report"]["targets"][0]["target"]["name"].as_str()),
            (Some(name), Some(name))
        );
        let told = text.contains(&serial) || line.contains(&serial);
        assert_eq!(told, id == "plain", "{id}: {line}\n{text}");
        assert_eq!(entry["bundle"], Value::Null);
    }
}

#[test]
fn each_phone_leaves_signed_evidence_that_the_journal_names_by_digest() {
    let (folder, bench) = (TempDir::new().unwrap(), Bench::new([Fiction::default().profile()]));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| finish(preloaded(bench.server.address()).args(arguments));
    let made = run(&["key", "new", &path("a.key"), "--name", "a"]);
    std::fs::write(path("keys.toml"), made.stdout).unwrap();
    let bundles = path("evidence");
    let mut refused = Watch::start(&bench.server, &["--bundles", &bundles]);
    assert_eq!(refused.process.wait().unwrap().code(), Some(2), "no key");
    let mut watch = Watch::start(
        &bench.server,
        &["--results", "1", "--bundles", &bundles, "--sign-key", &path("a.key"), "--id", "none"],
    );
    let line = watch.line();
    assert!(line.contains("  COMPLIANT  phone-1"), "{line}");
    let entry = watch.entries().remove(0);
    let file = Path::new(&bundles).join(entry["bundle"]["file"].as_str().unwrap());
    let digest = Command::new("sha256sum").arg(&file).output().unwrap().stdout;
    assert!(digest.starts_with(entry["bundle"]["sha256"].as_str().unwrap().as_bytes()));
    assert_eq!(std::fs::read_dir(&bundles).unwrap().count(), 1);
    let verified = run(&["verify", file.to_str().unwrap(), "--key", &path("keys.toml")]);
    assert_eq!(verified.code, 0, "{verified:#?}");
}

/// The power fails: nothing that was shown is missing, and the bench goes on in the same journal.
#[test]
fn a_bench_that_is_killed_has_on_disk_what_it_showed_and_goes_on() {
    let bench = Bench::new([Fiction { serial: "K1", ..Fiction::default() }.profile()]);
    let mut watch = Watch::start(&bench.server, &[]);
    let shown = watch.line();
    // Another is being read, and will not come to a result.
    let slow = Fiction { serial: "K2", ..Fiction::default() };
    let script = slow.script("getprop").delay(Duration::from_secs(8));
    let slow = Adbd::start(slow.answering(script).profile());
    bench.server.connect(&slow);
    let begun = Instant::now();
    while slow.services().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "it is not read");
        thread::sleep(Duration::from_millis(20));
    }
    let jobs = jobs(watch.process.id());
    assert_eq!(jobs.len(), 1);
    watch.process.kill().unwrap();
    watch.process.wait().unwrap();
    let begun = Instant::now();
    while runs(jobs[0]) {
        assert!(begun.elapsed() < Duration::from_secs(5), "its job goes on");
        thread::sleep(Duration::from_millis(20));
    }
    let entries = watch.entries();
    assert_eq!(entries.len(), 1);
    assert!(shown.contains(entries[0]["name"].as_str().unwrap()), "{shown}");
    // The same journal, by the next bench: its lock went with the process, and its entries follow the first.
    let mut command = preloaded(bench.server.address());
    command.args(["watch", "--profile", "ru/smartphone", "--results", "2", "--id", "plain", "--journal"]);
    command.arg(&watch.journal).args(["--", "--as-of", "2026-06-01"]);
    let ran = finish(&mut command);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(watch.entries().len(), 3);
    let verified = finish(preloaded(bench.server.address()).args(["journal", "verify"]).arg(&watch.journal));
    assert_eq!(verified.code, 0, "{verified:#?}");
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
