//! The form of an answer that has two: words for a person, JSON for a program.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// Value of `--format` of commands that write no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For a terminal
    Text,
    /// For programs
    Json,
}

/// Writes a value as indented JSON with a line feed behind it.
///
/// # Errors
/// What `out` reports.
pub(super) fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
