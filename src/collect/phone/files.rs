//! Files of a phone, read by what its shell has.
//!
//! | step | asked | where it fails for every file |
//! |---|---|---|
//! | length | `stat`, then `ls -l` (Android 5 has no `stat`) | whole files alone |
//! | part | `dd`, then `tail` into `head` | whole files alone |
//! | whole file | the file service, which every phone has and no shell takes part in | the first step's words are the gap |
//!
//! A tool that answered once is there: what it refuses later is the file's own matter.

use std::io::Write;

use tempfile::NamedTempFile;

use super::asking::Asker;
use crate::adb::Failure;
use crate::adb::commands::{self, Batch, Command, READ_BLOCK};
use crate::inventory::{Gap, GapReason};

/// What reads parts of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Dd,
    Piped,
    /// None: files are read whole.
    Whole,
}

/// A part of a file: blocks of [`READ_BLOCK`] bytes, of which the file's last may be short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) path: &'p str,
    /// Length of the file.
    pub(super) len: u64,
    pub(super) start: u64,
    pub(super) count: u64,
}

impl Part<'_> {
    fn length(&self) -> u64 {
        let start = self.start.saturating_mul(READ_BLOCK);
        self.len.saturating_sub(start).min(self.count.saturating_mul(READ_BLOCK))
    }
}

/// Reads files of one phone, whose paths must be such that may be sent. See [`commands::is_package_file`].
#[derive(Debug)]
pub(super) struct Files {
    tool: Tool,
    /// Whether the tool has answered.
    proven: bool,
    pub(super) requests: u32,
    pub(super) bytes: u64,
}

impl Files {
    pub(super) fn new() -> Self {
        Self { tool: Tool::Dd, proven: false, requests: 0, bytes: 0 }
    }

    /// Whether files can be read whole alone.
    pub(super) fn are_whole(&self) -> bool {
        self.tool == Tool::Whole
    }

    /// Lengths in bytes, in the order of the paths. A phone without a tool for that has why for each, and whole files.
    pub(super) fn lengths(&mut self, asker: &mut Asker<'_>, paths: &[&str]) -> Vec<Result<u64, Gap>> {
        let first = self.asked(asker, paths, commands::size, |text| text.trim().parse().ok());
        if !is_missing(&first) {
            return first;
        }
        let second = self.asked(asker, paths, commands::size_listed, commands::listed_size);
        if second.iter().any(Result::is_ok) {
            return second;
        }
        self.tool = Tool::Whole;
        first
    }

    fn asked(
        &mut self,
        asker: &mut Asker<'_>,
        paths: &[&str],
        command: fn(&str) -> Option<Command>,
        read: fn(&str) -> Option<u64>,
    ) -> Vec<Result<u64, Gap>> {
        let commands: Vec<Command> = paths.iter().filter_map(|path| command(path)).collect();
        let answers = self.send(asker, commands);
        let length = |(path, answer): (&&str, Result<Vec<u8>, Gap>)| {
            let bytes = answer.map_err(|gap| Gap { place: (*path).to_owned(), ..gap })?;
            let text = String::from_utf8_lossy(&bytes);
            let words = || format!("its length is `{}`", text.trim());
            read(&text).ok_or_else(|| Gap::new(*path, GapReason::Damaged, words()))
        };
        paths.iter().zip(answers).map(length).collect()
    }

    /// Parts of files, each of the length that its file's gives it. `Err` with why for each where the phone has whole files
    /// alone.
    pub(super) fn parts(
        &mut self,
        asker: &mut Asker<'_>,
        parts: &[Part<'_>],
    ) -> Result<Vec<Result<Vec<u8>, Gap>>, Vec<Gap>> {
        let mut first = None;
        loop {
            let command = match self.tool {
                Tool::Dd => commands::read,
                Tool::Piped => commands::read_piped,
                Tool::Whole => return Err(first.unwrap_or_default()),
            };
            let sent = parts.iter().filter_map(|part| command(part.path, part.start, part.count)).collect();
            let answers = self.send(asker, sent);
            let whole = |(part, answer): (&Part<'_>, Result<Vec<u8>, Gap>)| {
                let bytes = answer.map_err(|gap| Gap { place: part.path.to_owned(), ..gap })?;
                let (came, expected) = (bytes.len() as u64, part.length());
                let words = || format!("{came} bytes came, {expected} were asked for");
                if came == expected { Ok(bytes) } else { Err(Gap::new(part.path, GapReason::Truncated, words())) }
            };
            // What stands first in a pipe has no status of its own: without it nothing comes.
            let nothing = self.tool == Tool::Piped && answers.iter().flatten().all(Vec::is_empty);
            let answers: Vec<Result<Vec<u8>, Gap>> = parts.iter().zip(answers).map(whole).collect();
            if self.proven || !(is_missing(&answers) || nothing) {
                self.proven |= answers.iter().any(Result::is_ok);
                self.bytes += answers.iter().flatten().map(|bytes| bytes.len() as u64).sum::<u64>();
                return Ok(answers);
            }
            self.tool = if self.tool == Tool::Dd { Tool::Piped } else { Tool::Whole };
            first.get_or_insert_with(|| answers.into_iter().filter_map(Result::err).collect());
        }
    }

    fn send(&mut self, asker: &mut Asker<'_>, commands: Vec<Command>) -> Vec<Result<Vec<u8>, Gap>> {
        self.requests += u32::try_from(Batch::of(commands.clone(), asker.line_limit()).len()).unwrap_or(u32::MAX);
        asker.raw_batch(commands)
    }

    /// A whole file, in a temporary file that goes when it is dropped.
    pub(super) fn whole(&mut self, asker: &mut Asker<'_>, path: &str) -> Result<(NamedTempFile, u64), Gap> {
        let unkept = |error: std::io::Error| format!("a temporary file: {error}");
        let failed = |error| Gap::new(path, GapReason::Failed, unkept(error));
        let mut file = NamedTempFile::new().map_err(failed)?;
        self.requests += 1;
        let written =
            asker.pull(path, &mut |bytes| file.write_all(bytes).map_err(|error| Failure::Unkept(unkept(error))));
        let length = written.map_err(|gap| Gap { place: path.to_owned(), ..gap })?;
        self.bytes += length;
        file.flush().map_err(failed)?;
        Ok((file, length))
    }
}

/// Whether a tool seems not to be there: it answered for no file, and failed for one.
fn is_missing<T>(answers: &[Result<T, Gap>]) -> bool {
    answers.iter().all(Result::is_err)
        && answers.iter().any(|answer| answer.as_ref().is_err_and(|gap| gap.reason == GapReason::Failed))
}
