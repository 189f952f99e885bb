//! Several commands as one request: a round trip is what a phone costs most.

use std::time::Duration;

use super::{Command, QUICK};

/// Most bytes of the answer to several commands.
const BATCH_CAP: u64 = 128 << 20;

/// Longest run of several commands.
const BATCH_WHOLE: Duration = Duration::from_secs(180);

/// What stands between two commands of one request. The phone's answer has the earlier one's status in its place.
const NEXT: &str = ";echo __next:$?;";

/// What each command of such a request ends with, so that its words of refusal stay with it.
const MERGED: &str = " 2>&1";

/// What a command ends with whose output is data, and whose words are dropped.
pub(super) const SILENT: &str = " 2>/dev/null";

/// Most commands of one request: each may have the largest answer.
const BATCH_LIMIT: usize = 256;

/// The commands of a request that holds several, as [`Batch`] writes it; `None` for any other text.
#[must_use]
pub fn parts(line: &str) -> Option<Vec<&str>> {
    // What is data, without words, keeps its own end.
    let part = |text| if str::ends_with(text, SILENT) { Some(text) } else { text.strip_suffix(MERGED) };
    let parts: Option<Vec<&str>> = line.split(NEXT).map(part).collect();
    parts.filter(|parts| parts.len() <= BATCH_LIMIT)
}

/// Several commands that go as one request: a round trip is what a phone costs most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    line: String,
    commands: Vec<Command>,
}

impl Batch {
    /// As many requests as lines of at most `limit` bytes make necessary, commands in the order given.
    #[must_use]
    pub fn of(commands: impl IntoIterator<Item = Command>, limit: usize) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for command in commands {
            let end = if command.line.ends_with(SILENT) { "" } else { MERGED };
            let part = format!("{}{end}", command.line);
            match batches.last_mut() {
                Some(batch)
                    if batch.commands.len() < BATCH_LIMIT && batch.line.len() + NEXT.len() + part.len() <= limit =>
                {
                    batch.line.push_str(NEXT);
                    batch.line.push_str(&part);
                    batch.commands.push(command);
                }
                _ => batches.push(Self { line: part, commands: vec![command] }),
            }
        }
        batches
    }

    /// The line as the phone's shell sees it.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Its commands, in order.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Largest answer in bytes: that of the most talkative commands, not of all together.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.commands.iter().fold(0_u64, |sum, command| sum.saturating_add(command.cap())).min(BATCH_CAP)
    }

    /// Longest silence.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.commands.iter().map(Command::silence).max().unwrap_or(QUICK)
    }

    /// Longest run.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let sum = self.commands.iter().fold(Duration::ZERO, |sum, command| sum.saturating_add(command.deadline()));
        sum.min(BATCH_WHOLE)
    }

    /// Cuts the answer into those of the commands: output and status of each, the last one's status given apart. `None`
    /// where the marks between them are not as many as they should be: an answer that holds such a mark itself.
    #[must_use]
    pub fn split(&self, stdout: &[u8], last: i32) -> Option<Vec<(Vec<u8>, i32)>> {
        const MARK: &[u8] = b"__next:";
        let mut answers = Vec::with_capacity(self.commands.len());
        let mut rest = stdout;
        while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
            let (before, after) = (rest.get(..at)?, rest.get(at.checked_add(MARK.len())?..)?);
            let end = after.iter().position(|byte| *byte == b'\n')?;
            let status = std::str::from_utf8(after.get(..end)?).ok()?.trim_end().parse().ok()?;
            answers.push((before.to_vec(), status));
            rest = after.get(end.checked_add(1)?..)?;
        }
        answers.push((rest.to_vec(), last));
        (answers.len() == self.commands.len()).then_some(answers)
    }
}
