//! `preloaded schema`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::Exit;
use super::history::Answer;
use crate::check::schema;
use crate::diff::{Diff, OddPreloads};
use crate::inventory::Inventory;
use crate::report::{Event, Run};

/// Print the JSON Schema of a file that this program writes or reads
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded schema report > report.schema.json

Exits 0 done, 2 wrong usage.")]
pub(super) struct Arguments {
    /// Which file
    #[arg(value_enum)]
    which: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// What `scan` writes
    Inventory,
    /// What `check --format json` writes
    Report,
    /// What `diff --format json` writes
    Diff,
    /// What `odd --format json` writes
    Odd,
    /// What `history --format json` writes
    History,
    /// A line that `check --events` writes
    Event,
    /// A profile
    Profile,
    /// What `check --waivers` reads
    Waivers,
    /// What `attest` writes and `check --attestations` reads
    Attestations,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let schema = match arguments.which {
        Which::Inventory => schemars::schema_for!(Inventory).to_value(),
        Which::Report => schemars::schema_for!(Run).to_value(),
        Which::History => schemars::schema_for!(Answer).to_value(),
        Which::Event => schemars::schema_for!(Event).to_value(),
        Which::Profile => schema::profile(),
        Which::Waivers => schema::waivers(),
        Which::Attestations => schema::attestations(),
        Which::Diff => schemars::schema_for!(Diff).to_value(),
        Which::Odd => schemars::schema_for!(OddPreloads).to_value(),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema)?;
    out.write_all(b"\n")?;
    Ok(Exit::Compliant)
}
