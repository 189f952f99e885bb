//! `preloaded profile diff`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::super::check::today;
use super::super::exit::{Exit, Failed, usage};
use super::load;
use crate::assess::{Assessment, assess};
use crate::check::{Context, Verdict};
use crate::collect::saved::SavedSource;
use crate::collect::{Request, Silent, Source};
use crate::inventory::Inventory;
use crate::profile::{Profile, differences};

/// Say in words what differs between two profiles, and what that means for given inventories
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The older profile, by name or as a TOML file
    #[arg(value_name = "OLD")]
    old: String,

    /// The newer profile, by name or as a TOML file
    #[arg(value_name = "NEW")]
    new: String,

    /// Saved inventories that are judged under both
    #[arg(value_name = "INVENTORY")]
    inventories: Vec<PathBuf>,

    /// Judge as on this day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<jiff::civil::Date>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (old, new) = (load(&arguments.old)?, load(&arguments.new)?);
    let lines = differences(&old, &new);
    if lines.is_empty() {
        writeln!(out, "no differences")?;
    }
    for line in lines {
        writeln!(out, "{line}")?;
    }
    let context = Context::on(arguments.as_of.unwrap_or_else(today));
    for path in &arguments.inventories {
        let inventory = SavedSource::new(path)
            .collect(&Request::default(), &Silent)
            .map_err(|error| Failed(Exit::Unreadable, format!("{}: {error}", path.display())))?;
        writeln!(out)?;
        let (before, after) = (judge(&old, &inventory, &context)?, judge(&new, &inventory, &context)?);
        let name = &inventory.target.name;
        match (before.overall.as_str(), after.overall.as_str()) {
            (was, is) if was == is => writeln!(out, "{name}: {is} under both")?,
            (was, is) => writeln!(out, "{name}: {was} is now {is}")?,
        }
        let (before, after) = (worst(&before), worst(&after));
        let mut rules: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            match (before.get(rule), after.get(rule)) {
                (Some(was), Some(is)) if was == is => {}
                (Some(was), Some(is)) => writeln!(out, "  {rule}: {} is now {}", was.as_str(), is.as_str())?,
                (Some(was), None) => writeln!(out, "  {rule}: gone, was {}", was.as_str())?,
                (None, is) => writeln!(out, "  {rule}: new, {}", is.map_or("not judged", |is| is.as_str()))?,
            }
        }
    }
    Ok(Exit::Compliant)
}

fn judge(profile: &Profile, inventory: &Inventory, context: &Context) -> anyhow::Result<Assessment> {
    assess(profile, inventory, context).map_err(|error| usage(error.to_string()))
}

/// The worst verdict of each rule.
fn worst(assessment: &Assessment) -> BTreeMap<&str, Verdict> {
    let mut worst = BTreeMap::new();
    for finding in &assessment.findings {
        let verdict = worst.entry(finding.rule.as_str()).or_insert(finding.verdict);
        *verdict = (*verdict).min(finding.verdict);
    }
    worst
}
