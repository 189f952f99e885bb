//! One reading in a process of its own, with limits of time and memory.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Most bytes that a job's report may have. A phone's has below 1 MiB.
const OUTPUT: u64 = 64 << 20;

/// Most bytes that are kept of its messages.
const MESSAGES: u64 = 64 << 10;

/// The variable by which a job is told how much memory it may have, in bytes.
pub const MEMORY: &str = "PRELOADED_ADDRESS_SPACE_BYTES";

/// What a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From start to end.
    pub time: Duration,
    /// Address space in bytes; where a system has no such limit it is not held.
    pub memory: u64,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code, output and messages.
    Exit {
        /// Exit code.
        code: i32,
        /// Standard output.
        output: Vec<u8>,
        /// Standard error.
        messages: String,
    },
    /// It took too long, and was ended.
    Late,
    /// It died: by a signal, as when it asks for more memory than it may have.
    Died(String),
}

/// A job that runs.
#[derive(Debug)]
pub struct Job {
    child: Child,
    begun: Instant,
    time: Duration,
    output: Option<JoinHandle<Vec<u8>>>,
    messages: Option<JoinHandle<Vec<u8>>>,
}

impl Job {
    /// Starts a program.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(program: &Path, arguments: &[OsString], limits: Limits) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .env(MEMORY, limits.memory.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // A full pipe would stop the job, so both are read while it runs.
        let output = child.stdout.take().map(|pipe| thread::spawn(move || drain(pipe, OUTPUT)));
        let messages = child.stderr.take().map(|pipe| thread::spawn(move || drain(pipe, MESSAGES)));
        Ok(Self { child, begun: Instant::now(), time: limits.time, output, messages })
    }

    /// How long it has run.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How it ended, if it has. Ends it if it is late.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn poll(&mut self) -> io::Result<Option<Ended>> {
        let status = match self.child.try_wait()? {
            Some(status) => status,
            None if self.begun.elapsed() > self.time => {
                self.end();
                return Ok(Some(Ended::Late));
            }
            None => return Ok(None),
        };
        let output = self.output.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let messages = self.messages.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ok(Some(match status.code() {
            Some(code) => Ended::Exit { code, output, messages: String::from_utf8_lossy(&messages).into_owned() },
            None => Ended::Died(status.to_string()),
        }))
    }

    /// Ends it, whatever it does.
    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for thread in [self.output.take(), self.messages.take()].into_iter().flatten() {
            let _ = thread.join();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// Reads to the end and keeps the beginning.
fn drain(mut pipe: impl Read, most: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(most).read_to_end(&mut kept);
    let _ = io::copy(&mut pipe, &mut io::sink());
    kept
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn run(script: &str, time: Duration) -> Ended {
        let limits = Limits { time, memory: 1 << 30 };
        let mut job = Job::start(Path::new("/bin/sh"), &["-c".into(), script.into()], limits).unwrap();
        loop {
            if let Some(ended) = job.poll().unwrap() {
                return ended;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_job_ends_by_itself_by_a_signal_or_when_its_time_is_over() {
        let ended = run("echo out; echo told >&2; exit 3", Duration::from_secs(20));
        assert_eq!(ended, Ended::Exit { code: 3, output: b"out\n".to_vec(), messages: "told\n".to_owned() });
        assert!(matches!(run("kill -ABRT $$", Duration::from_secs(20)), Ended::Died(words) if words.contains("6")));
        let begun = Instant::now();
        assert_eq!(run("exec sleep 60", Duration::from_millis(100)), Ended::Late);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_job_that_talks_more_than_a_pipe_holds_is_not_stopped() {
        let Ended::Exit { code, output, .. } = run("head -c 1000000 /dev/zero", Duration::from_secs(20)) else {
            panic!()
        };
        assert_eq!((code, output.len()), (0, 1_000_000));
    }
}
