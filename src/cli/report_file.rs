//! A report that was written as JSON before.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::exit::{Exit, Failed};
use super::output::read_report;
use crate::report::Run;

/// Where a report tells itself from an inventory: the exit code stands at its top, behind version and program.
const HEAD: u64 = 4096;

/// Whether the file looks like a report: JSON that begins with its version, the program and the exit code.
pub(super) fn recognizes(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let head = String::from_utf8_lossy(&head);
    read.is_ok() && head.trim_start().starts_with('{') && head.contains("\"exit_code\"")
}

/// The report of a file.
///
/// # Errors
/// Exit code 4 with the reason.
pub(super) fn read(path: &Path) -> anyhow::Result<Run> {
    read_report(path).map_err(|why| Failed(Exit::Unreadable, format!("{}: {why}", path.display())).into())
}
