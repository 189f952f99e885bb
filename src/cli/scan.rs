//! `preloaded scan`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, Failed, usage};
use super::output::{IdentityArguments, write_whole};
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

    #[command(flatten)]
    identity: IdentityArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let identity = arguments.identity.identity()?;
    let mut readings = arguments.target.read(false, &[])?;
    let reading = match readings.len() {
        1 => readings.remove(0),
        count => return Err(usage(format!("scan takes one target, these are {count}: use adb:SERIAL"))),
    };
    let mut inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
    identity.apply_to_inventory(&mut inventory);
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
