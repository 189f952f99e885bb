//! `preloaded scan`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, Failed, usage};
use super::target::TargetArguments;
use crate::collect::SourceError;

/// Save the inventory of a target, to be judged later without the phone or the image
///
/// Exits 0 when everything was read, 3 when the inventory has gaps behind which packages may be hidden.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n    preloaded scan adb -o phone.json\n    preloaded check phone.json --profile ru/smartphone

Exits 0 everything was read, 2 wrong usage, 3 packages may be hidden behind gaps, 4 unreadable, 75 try again."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// File to write; `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut readings = arguments.target.read(false, &[])?;
    let reading = match readings.len() {
        1 => readings.remove(0),
        count => return Err(usage(format!("scan takes one target, these are {count}: use adb:SERIAL"))),
    };
    let inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
    let mut text = serde_json::to_vec_pretty(&inventory)?;
    text.push(b'\n');
    if arguments.output == Path::new("-") {
        io::stdout().lock().write_all(&text)?;
    } else {
        write_whole(&arguments.output, &text).with_context(|| format!("{}", arguments.output.display()))?;
    }
    let incomplete = inventory.gaps_hiding_packages().next().is_some();
    Ok(if incomplete { Exit::Inconclusive } else { Exit::Compliant })
}

/// The error of a target that could not be read, with its exit code.
pub(super) fn unread(name: &str, error: &SourceError) -> anyhow::Error {
    let exit = match error {
        SourceError::Temporary(_) => Exit::Temporary,
        SourceError::Unreadable(_) => Exit::Unreadable,
    };
    Failed(exit, format!("{name}: {error}")).into()
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    let file = file.persist(path).map_err(|error| error.error)?;
    readable_by_others(&file)
}

/// A temporary file is private; the finished one is like any other that the user writes.
#[cfg(unix)]
fn readable_by_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_file: &fs::File) -> io::Result<()> {
    Ok(())
}
