//! Asks a phone, and turns everything but a whole answer into a gap.

use sha2::{Digest, Sha256};

use crate::adb::{Answer, Batch, Command, Failure, Shell, commands};
use crate::collect::record::Record;
use crate::dump::refusal::{self, RefusalKind};
use crate::inventory::{Evidence, Gap, GapReason, Hides, Origin, OriginKind, Origins};

/// Longest text of a device that goes into a gap, in characters.
const WORDS: usize = 300;

/// Commands in a row that a phone leaves unanswered before it is asked no more. Each costs up to a minute.
const SILENCES: u8 = 2;

/// Lines of an answer that are searched for a refusal.
const FIRST_LINES: usize = 8;

/// A whole answer.
pub(super) struct Text {
    pub(super) text: String,
    /// Points to the whole answer.
    pub(super) evidence: Evidence,
    /// The command line, for the places of gaps.
    pub(super) command: String,
}

/// One conversation with a phone: what was asked and what was not answered.
pub(super) struct Asker<'a> {
    shell: &'a dyn Shell,
    pub(super) origins: Origins,
    pub(super) gaps: Vec<Gap>,
    /// Whether any command was answered at all.
    pub(super) answered: bool,
    /// Commands that timed out since the last answer.
    silences: u8,
    record: Option<&'a Record>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(shell: &'a dyn Shell, record: Option<&'a Record>) -> Self {
        Self { shell, origins: Origins::default(), gaps: Vec::new(), answered: false, silences: 0, record }
    }

    /// The answer to a command, entered as an origin. A failure is entered as a gap, and returned to explain the facts
    /// that it leaves unknown.
    pub(super) fn ask(&mut self, command: &Command, hides: Hides) -> Result<Text, Gap> {
        let answer = self.text(command);
        self.enter(command, answer, hides)
    }

    /// Longest line that the phone can be sent.
    pub(super) fn line_limit(&self) -> usize {
        self.shell.line_limit()
    }

    /// The answers to several commands, asked for with as few requests as possible. Each as of [`Self::ask`].
    pub(super) fn ask_batch(&mut self, commands: Vec<Command>, hides: Hides) -> Vec<Result<Text, Gap>> {
        let mut out = Vec::with_capacity(commands.len());
        for batch in Batch::of(commands, self.shell.line_limit()) {
            let answers = if self.silences >= SILENCES {
                batch.commands().iter().map(|command| Err(not_asked(command))).collect()
            } else {
                let before = self.silences;
                let results = self.shell.run_batch(&batch);
                let answers: Vec<_> =
                    batch.commands().iter().zip(results).map(|(command, result)| self.judge(command, result)).collect();
                // One request is one silence, however many commands it had.
                self.silences = self.silences.min(before.saturating_add(1));
                answers
            };
            for (command, answer) in batch.commands().iter().zip(answers) {
                out.push(self.enter(command, answer, hides));
            }
        }
        out
    }

    /// The answers to several commands, as bytes and without a trace in the inventory: for parts of files. Failures are the
    /// caller's to tell.
    pub(super) fn raw_batch(&mut self, commands: Vec<Command>) -> Vec<Result<Vec<u8>, Gap>> {
        let mut out = Vec::with_capacity(commands.len());
        for batch in Batch::of(commands, self.shell.line_limit()) {
            if self.silences >= SILENCES {
                out.extend(batch.commands().iter().map(|command| Err(not_asked(command))));
                continue;
            }
            let before = self.silences;
            for (command, result) in batch.commands().iter().zip(self.shell.run_batch(&batch)) {
                let bytes = match result {
                    Ok(answer) if answer.status == 0 => {
                        self.silences = 0;
                        Ok(answer.stdout)
                    }
                    other => self.judge(command, other),
                };
                out.push(bytes);
            }
            self.silences = self.silences.min(before.saturating_add(1));
        }
        out
    }

    fn enter(&mut self, command: &Command, answer: Result<Vec<u8>, Gap>, hides: Hides) -> Result<Text, Gap> {
        match answer {
            Ok(text) => {
                let file = self.shell.file(command);
                if let Some(record) = self.record {
                    match &file {
                        // One file answers several commands, each with a part of it.
                        Some(file) => record.keep(file, Some(command.line()), &text),
                        None => record.keep(command.line(), None, &text),
                    }
                }
                let evidence = self.origins.evidence(Origin {
                    kind: if file.is_some() { OriginKind::File } else { OriginKind::Command },
                    name: file.unwrap_or_else(|| command.line().to_owned()),
                    length: u64::try_from(text.len()).ok(),
                    sha256: Some(hex(&Sha256::digest(&text))),
                });
                let text = String::from_utf8_lossy(&text).into_owned();
                Ok(Text { text, evidence, command: command.line().to_owned() })
            }
            Err(gap) => {
                let gap = gap.hiding(hides);
                self.gaps.push(gap.clone());
                Err(gap)
            }
        }
    }

    /// The answer's bytes, without a trace in the inventory: for what identifies a phone.
    pub(super) fn text(&mut self, command: &Command) -> Result<Vec<u8>, Gap> {
        if self.silences >= SILENCES {
            return Err(not_asked(command));
        }
        let result = self.shell.run(command);
        self.judge(command, result)
    }

    fn judge(&mut self, command: &Command, result: Result<Answer, Failure>) -> Result<Vec<u8>, Gap> {
        let gap = |reason, words: &str| Gap::new(command.line(), reason, words.chars().take(WORDS).collect::<String>());
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) => return Err(self.failed(command, &failure)),
        };
        self.answered = true;
        self.silences = 0;
        match refused(&answer) {
            Some((reason, words)) => Err(gap(reason, &words)),
            None => Ok(answer.stdout),
        }
    }

    fn failed(&mut self, command: &Command, failure: &Failure) -> Gap {
        let reason = failure_reason(failure);
        self.silences = if reason == GapReason::TimedOut { self.silences.saturating_add(1) } else { 0 };
        Gap::new(command.line(), reason, failure.to_string().chars().take(WORDS).collect::<String>())
    }

    /// A whole file by the phone's file service, handed on in pieces: its length. Failures are the caller's to tell.
    pub(super) fn pull(&mut self, path: &str, each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<u64, Gap> {
        let Some(pull) = commands::pull(path) else {
            return Err(Gap::new(path, GapReason::Unsupported, "a path that is not sent to a phone"));
        };
        let command = pull.command();
        if self.silences >= SILENCES {
            return Err(not_asked(command));
        }
        let told = self.shell.pull(&pull, each).map_err(|failure| self.failed(command, &failure))?;
        self.answered = true;
        self.silences = 0;
        told.map_err(|words| {
            let reason = refusal::find(&words).map_or(GapReason::Failed, |found| gap_reason(found.kind));
            Gap::new(command.line(), reason, words.chars().take(WORDS).collect::<String>())
        })
    }

    /// Asks again after silence: for what the phone's system answers without Android's services.
    pub(super) fn try_again(&mut self) {
        self.silences = 0;
    }

    /// Whether files answer, in place of a phone.
    pub(super) fn is_capture(&self) -> bool {
        self.shell.is_capture()
    }

    pub(super) fn note(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

fn not_asked(command: &Command) -> Gap {
    Gap::new(command.line(), GapReason::TimedOut, "not asked: the phone did not answer the commands before")
}

/// The reason that a device's words give.
pub(super) fn gap_reason(kind: RefusalKind) -> GapReason {
    match kind {
        RefusalKind::Denied => GapReason::Refused,
        RefusalKind::TimedOut => GapReason::TimedOut,
        RefusalKind::Unknown | RefusalKind::Failed => GapReason::Failed,
    }
}

fn failure_reason(failure: &Failure) -> GapReason {
    match failure {
        Failure::Truncated { .. } => GapReason::Truncated,
        Failure::TimedOut { .. } => GapReason::TimedOut,
        Failure::TooLarge { .. } => GapReason::TooLarge,
        Failure::NotCaptured(_) => GapReason::NotObserved,
        Failure::Unkept(_) => GapReason::Failed,
        Failure::NoServer { .. } | Failure::Disconnected(_) => GapReason::Disconnected,
    }
}

/// What whole answers begin with. `Exception occurred while ...:` looks like a title and is none.
fn is_title(line: &str) -> bool {
    refusal::find(line).is_none()
        && (line.trim_end().ends_with([':', '{'])
            || line.starts_with(['[', '#'])
            || line.starts_with("ACCESSIBILITY MANAGER"))
}

/// Why an answer is none, with the device's words.
fn refused(answer: &Answer) -> Option<(GapReason, String)> {
    let out = String::from_utf8_lossy(&answer.stdout);
    let err = String::from_utf8_lossy(&answer.stderr);
    // Words of refusal come first. Further in they are a dump's own: one that was stopped in the middle is an answer,
    // and its parser says so.
    let start: Vec<_> = out.lines().filter(|line| !line.trim().is_empty()).take(FIRST_LINES).collect();
    let found = refusal::find(&err).or_else(|| match start.first() {
        Some(first) if is_title(first) => None,
        _ => refusal::find(&start.join("\n")),
    });
    if let Some(found) = found {
        return Some((gap_reason(found.kind), found.words));
    }
    if answer.status != 0 {
        let words = [err.trim(), out.trim()].into_iter().find(|text| !text.is_empty()).unwrap_or("no words");
        let first = words.lines().next().unwrap_or_default();
        return Some((GapReason::Failed, format!("exit status {}: {first}", answer.status)));
    }
    out.trim().is_empty().then(|| (GapReason::Missing, "the answer is empty".to_owned()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(status: i32, stdout: &str, stderr: &str) -> Option<GapReason> {
        refused(&Answer { stdout: stdout.into(), stderr: stderr.into(), status }).map(|(reason, _)| reason)
    }

    #[test]
    fn a_refusal_with_exit_status_zero_is_a_refusal() {
        let words = "java.lang.SecurityException: Shell does not have permission to access user 150";
        assert_eq!(reason(0, "", words), Some(GapReason::Refused));
        assert_eq!(reason(0, words, ""), Some(GapReason::Refused));
        assert_eq!(reason(0, "Permission Denial: can't dump", ""), Some(GapReason::Refused));
        assert_eq!(reason(255, "", "Error: Unknown option: -U"), Some(GapReason::Failed));
    }

    #[test]
    fn a_failed_or_empty_answer_is_no_answer() {
        assert_eq!(reason(127, "/system/bin/sh: cmd: not found\n", ""), Some(GapReason::Failed));
        assert_eq!(reason(1, "package:/a=b\n", ""), Some(GapReason::Failed));
        assert_eq!(reason(0, "\n", ""), Some(GapReason::Missing));
    }

    #[test]
    fn a_dump_that_was_stopped_in_the_middle_is_an_answer() {
        let dump = "Packages:\n  Package [a] (1):\n*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n";
        assert_eq!(reason(0, dump, ""), None);
    }
}
