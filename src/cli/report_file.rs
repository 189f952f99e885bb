//! A report that was written as JSON before.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::exit::{Exit, Failed};
use crate::report::{Run, SCHEMA_VERSION};

/// Largest report that is read, in bytes: a batch of hundreds of devices has some tens of MiB.
const LIMIT: u64 = 1 << 30;
/// Where a report tells itself from an inventory: only the latter says what it was taken of at its top.
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
    let unreadable = |why: String| Failed(Exit::Unreadable, format!("{}: {why}", path.display()));
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut text));
    read.map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LIMIT {
        return Err(unreadable(format!("larger than {LIMIT} bytes")).into());
    }
    /// The one field that every version has.
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema_version: String,
    }
    let not_ours = |error: serde_json::Error| unreadable(format!("not a report: {error}"));
    let Versioned { schema_version } = serde_json::from_slice(&text).map_err(not_ours)?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&schema_version) != major(SCHEMA_VERSION) {
        let why = format!("a report of schema {schema_version}, this version reads {SCHEMA_VERSION}");
        return Err(unreadable(why).into());
    }
    serde_json::from_slice(&text).map_err(not_ours).map_err(Into::into)
}
