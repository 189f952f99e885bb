//! `preloaded odd`.

use std::collections::BTreeSet;
use std::io;

use clap::Args;

use super::exit::{Exit, usage};
use super::form::{Form, write_json};
use super::output::IdentityArguments;
use super::scan::unread;
use super::target::TargetArguments;
use super::terminal;
use crate::diff::odd;
use crate::inventory::{Inventory, TargetKind};
use crate::report::difference;

/// Find the devices of a batch that have the same fingerprint and other preloads; no profile is needed
///
/// Devices are grouped by fingerprint. In each group the most frequent preloads are the usual ones, and whoever differs from
/// them is odd. What owners and stores change (updates, grants, apps added later) does not count.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded odd adb
    preloaded odd batch/*.json --format json

Exits 0 nothing is odd, 1 a device is odd, 2 wrong usage, 3 nothing is odd in what could be compared, but something could not
(a fingerprint or a fact that is not known, a batch without two devices of one build), 4 a target can't be read, 75 try again.")]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// Form of the answer; `preloaded schema odd` describes the JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Form,

    #[command(flatten)]
    identity: IdentityArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let identity = arguments.identity.identity()?;
    let shown = arguments.format == Form::Text && terminal::is_terminal();
    let mut batch: Vec<Inventory> = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, reading) in arguments.target.read(false, &[])?.into_iter().enumerate() {
        let mut inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
        if !shown {
            identity.apply_to_inventory_at(&mut inventory, index + 1);
        }
        // Saved inventories of a batch may all be of `phone-1`: whoever looks for the odd one looks for its file.
        let own = &inventory.target.name;
        let is_file = reading.target.kind != TargetKind::Phone && reading.target.name != *own;
        let name = if is_file { format!("{}: {own}", reading.target.name) } else { own.clone() };
        let mut numbered = name.clone();
        for number in 2.. {
            if taken.insert(numbered.clone()) {
                break;
            }
            numbered = format!("{name} ({number})");
        }
        inventory.target.name = numbered;
        batch.push(inventory);
    }
    if batch.len() < 2 {
        return Err(usage(format!("odd compares devices with each other, and there is {}", batch.len())));
    }
    let found = odd(&batch.iter().collect::<Vec<_>>());
    let mut out = io::stdout().lock();
    match arguments.format {
        Form::Text => difference::odd(&found, &terminal::style(), &mut out)?,
        Form::Json => {
            write_json(&found, &mut out)?;
        }
    }
    let is_odd = found.groups.iter().any(|group| !group.odd.is_empty());
    let compared = found.groups.iter().any(|group| group.devices.len() > 1);
    let undecided =
        !found.without_fingerprint.is_empty() || found.groups.iter().any(|group| !group.undecided.is_empty());
    Ok(match (is_odd, compared && !undecided) {
        (true, _) => Exit::NotCompliant,
        (false, false) => Exit::Inconclusive,
        (false, true) => Exit::Compliant,
    })
}
