//! `preloaded redact`.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::exit::{Exit, Failed};
use super::output::write_whole;
use super::terminal;
use crate::evidence::redaction::{self, redact};

/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 30;

/// Take serial numbers, IMEIs and apps that people installed out of an inventory or report that was written before
///
/// Serial numbers are those by which the file names its targets (`adb:SERIAL`), and those given with --serial. A bundle of
/// evidence can't be redacted: its signature would be wrong.
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded redact old-report.json -o report.json

Exits 0 done (what was taken out is said on standard error), 2 wrong usage, 4 not JSON, or a file can't be read or written.")]
pub(super) struct Arguments {
    /// An inventory or report in JSON; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// File to write; `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// A serial number that the file's targets do not name; may be repeated
    #[arg(long, value_name = "SERIAL")]
    serial: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let unreadable = |why: String| Failed(Exit::Unreadable, format!("{}: {why}", arguments.file.display()));
    let mut text = Vec::new();
    let read = match arguments.file == Path::new("-") {
        true => io::stdin().lock().take(LIMIT + 1).read_to_end(&mut text),
        false => fs::File::open(&arguments.file).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut text)),
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LIMIT {
        return Err(unreadable(format!("larger than {LIMIT} bytes")).into());
    }
    if text.starts_with(b"PK") {
        return Err(unreadable("a bundle can't be redacted: its signature would be wrong".to_owned()).into());
    }
    let mut value: Value = serde_json::from_slice(&text).map_err(|error| unreadable(format!("not JSON: {error}")))?;
    let taken = redact(&mut value, &arguments.serial);
    let clean = redaction::text(value)?;
    if arguments.output == Path::new("-") {
        io::stdout().lock().write_all(&clean)?;
    } else {
        write_whole(&arguments.output, &clean).with_context(|| arguments.output.display().to_string())?;
    }
    terminal::complain(&format!(
        "taken out: {} places with a serial number, {} with an IMEI, {} apps that were installed later",
        taken.serials, taken.imeis, taken.packages
    ));
    Ok(Exit::Compliant)
}
