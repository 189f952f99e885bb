//! `preloaded scan`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, Failed, usage};
use super::output::{IdentityArguments, write_whole};
use super::save;
use super::target::{TargetArguments, Unwatched};
use super::terminal::complain;
use crate::collect::SourceError;
use crate::inventory::Inventory;
use crate::report::printable;

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

    /// File to write, or a folder (one that is there, or with `/` at its end) for a file for each target; `-` for standard
    /// output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    #[command(flatten)]
    identity: IdentityArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let identity = arguments.identity.identity()?;
    let plan = arguments.target.plan(false, &[])?;
    let folder = arguments.output.is_dir() || arguments.output.to_string_lossy().ends_with('/');
    if folder {
        let exits = plan.read(&Unwatched, |index, reading, board| {
            let name = reading.target.name.clone();
            Ok(match reading.result {
                Ok(mut inventory) => {
                    identity.apply_to_inventory(&mut inventory);
                    let path =
                        save::inventory(&arguments.output, &identity.name(&reading.target, index + 1), &inventory)?;
                    board.say(&format!("{}  {}", printable(&name), path.display()));
                    exit(&inventory)
                }
                Err(error) => {
                    complain(&format!("{name}: {error}"));
                    unread_exit(&error)
                }
            })
        })?;
        return Ok(Exit::of_all(exits));
    }
    if plan.len() != 1 {
        let words = "use adb:SERIAL, or -o FOLDER/ for a file each";
        return Err(usage(format!("scan takes one target, these are {}: {words}", plan.len())));
    }
    let Some(reading) = plan.read(&Unwatched, |_, reading, _| Ok(reading))?.pop() else {
        return Err(usage("no target was read"));
    };
    let mut inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
    identity.apply_to_inventory(&mut inventory);
    let text = save::text(&inventory)?;
    if arguments.output == Path::new("-") {
        io::stdout().lock().write_all(&text)?;
    } else {
        write_whole(&arguments.output, &text).with_context(|| format!("{}", arguments.output.display()))?;
    }
    Ok(exit(&inventory))
}

fn exit(inventory: &Inventory) -> Exit {
    if inventory.gaps_hiding_packages().next().is_some() { Exit::Inconclusive } else { Exit::Compliant }
}

fn unread_exit(error: &SourceError) -> Exit {
    match error {
        SourceError::Temporary(_) => Exit::Temporary,
        SourceError::Unreadable(_) => Exit::Unreadable,
    }
}

/// The error of a target that could not be read, with its exit code.
pub(super) fn unread(name: &str, error: &SourceError) -> anyhow::Error {
    Failed(unread_exit(error), format!("{name}: {error}")).into()
}
