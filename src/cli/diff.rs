//! `preloaded diff`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use clap::{Args, ValueEnum};

use super::copies::are_copies;
use super::exit::{Exit, Failed, usage};
use super::form::write_json;
use super::judging::JudgingArguments;
use super::output::IdentityArguments;
use super::scan::unread;
use super::target::TargetArguments;
use super::{report_file, terminal};
use crate::assess::{Assessment, Prepared};
use crate::diff::{Side, compare};
use crate::inventory::{Device, Inventory, Target};
use crate::profile;
use crate::report::{Identity, TargetResult, difference};

/// Compare two devices, images, saved inventories or reports: what changed from the first to the second
///
/// Release notes of what is pre-installed: packages that came, went, moved, have another version or other signers, and
/// permissions that they gained and lost. What only one side knows is said as such, never as a change.
///
/// Where nothing else differs and both sides have the same gaps behind which packages may be hidden, files and folders are compared
/// byte for byte: copies of each other do not differ (exit 0), whatever could not be read of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded diff build-1.zip build-2.zip
    preloaded diff golden.json adb:SERIAL --profile ru/smartphone --format html > changes.html

Exits 0 no difference, 1 they differ, 2 wrong usage, 3 no difference in what could be compared, but something could not,
4 a side can't be read, 75 try again.")]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// Judge both sides under this profile too, and tell verdicts that changed
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: Option<String>,

    #[command(flatten)]
    judging: JudgingArguments,

    /// Form of the comparison
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    #[command(flatten)]
    identity: IdentityArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For programs; `preloaded schema diff` describes it
    Json,
    /// A page for browsers and paper
    Html,
}

/// What one side holds, however it was read.
struct Held {
    target: Target,
    device: Device,
    inventory: Option<Inventory>,
    assessment: Option<Assessment>,
}

pub(super) fn run(mut arguments: Arguments) -> anyhow::Result<Exit> {
    let names = arguments.target.named();
    if names.len() != 2 {
        return Err(usage(format!("diff takes two targets, these are {}", names.len())));
    }
    let identity = arguments.identity.identity()?;
    let context = arguments.judging.context();
    let profile =
        arguments.profile.as_deref().map(profile::load).transpose().map_err(|error| usage(error.to_string()))?;
    let prepared = profile.as_ref().map(|profile| Prepared::new(profile, &context)).transpose();
    let prepared = prepared.map_err(|error| usage(error.to_string()))?;
    let packages = prepared.as_ref().map(Prepared::packages).unwrap_or_default();

    let mut reports: BTreeMap<usize, Held> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        if report_file::recognizes(Path::new(name)) {
            reports.insert(index, of_report(name)?);
        }
    }
    let mut held: Vec<Held> = Vec::new();
    if reports.len() < names.len() {
        arguments.target.retain(|name| !report_file::recognizes(Path::new(name)));
        for reading in arguments.target.read(false, &packages)? {
            let inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
            held.push(of_inventory(inventory));
        }
    }
    for (index, report) in reports {
        held.insert(index.min(held.len()), report);
    }
    if arguments.format != Format::Text || !terminal::is_terminal() {
        for (index, side) in held.iter_mut().enumerate() {
            side.name(&identity, index + 1);
        }
    }
    if let Some(prepared) = &prepared {
        for side in &mut held {
            if let Some(inventory) = &side.inventory {
                side.assessment = Some(prepared.assess(inventory));
            }
        }
    }
    let [before, after] = held.as_slice() else {
        return Err(usage(format!("diff takes two targets, these are {}: name phones as adb:SERIAL", held.len())));
    };
    let mut diff = compare(&before.side(), &after.side());
    // Only what nothing else tells is worth reading two images whole.
    let hidden_alone = diff.entries.is_empty() && diff.unsettled.is_empty() && !diff.hidden_on_both.is_empty();
    if let (true, [a, b]) = (hidden_alone, names.as_slice()) {
        diff.same_source = are_copies(a, b);
    }
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Text => difference::text(&diff, &terminal::style(), &mut out)?,
        Format::Json => {
            write_json(&diff, &mut out)?;
        }
        Format::Html => difference::html(&diff, &mut out)?,
    }
    Ok(match (diff.entries.is_empty(), diff.is_incomplete()) {
        (false, _) => Exit::NotCompliant,
        (true, true) => Exit::Inconclusive,
        (true, false) => Exit::Compliant,
    })
}

impl Held {
    /// Names it as what is written may name it; `place` is 1 or 2.
    fn name(&mut self, identity: &Identity, place: usize) {
        self.target.name = identity.name(&self.target, place);
        if let Some(inventory) = &mut self.inventory {
            identity.apply_to_inventory_at(inventory, place);
        }
    }

    fn side(&self) -> Side<'_> {
        Side {
            target: &self.target,
            device: &self.device,
            inventory: self.inventory.as_ref(),
            assessment: self.assessment.as_ref(),
        }
    }
}

fn of_inventory(inventory: Inventory) -> Held {
    let (target, device) = (inventory.target.clone(), inventory.device.clone());
    Held { target, device, inventory: Some(inventory), assessment: None }
}

fn of_report(name: &str) -> anyhow::Result<Held> {
    let mut targets = report_file::read(Path::new(name))?.targets;
    let count = targets.len();
    let (Some(report), 1) = (targets.pop(), count) else {
        return Err(usage(format!("{name} reports on {count} targets: diff takes reports of one")));
    };
    match report.result {
        TargetResult::Judged { device, assessment, .. } => {
            let inventory = report.inventory.map(|inventory| *inventory);
            Ok(Held { target: report.target, device: *device, inventory, assessment: Some(*assessment) })
        }
        TargetResult::Unread { error, .. } => {
            Err(Failed(Exit::Unreadable, format!("{name}: the target was not read: {error}")).into())
        }
    }
}
