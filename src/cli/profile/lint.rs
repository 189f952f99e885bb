//! `preloaded profile lint`.

use std::io::Write;

use clap::Args;

use super::super::exit::{Exit, usage};
use super::{counted, load_all};
use crate::assess::{self, LINTS};

/// Say what profiles lack though they can be used
///
/// Exits 0 where there is nothing to say, 1 where there is, 2 where a profile can't be used.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles by name or as TOML files [default: those that come with the program]
    #[arg(value_name = "NAME|FILE")]
    profiles: Vec<String>,

    /// List the remarks that there are
    #[arg(long)]
    codes: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if arguments.codes {
        for (code, meaning) in LINTS {
            writeln!(out, "{code}\t{meaning}")?;
        }
        return Ok(Exit::Compliant);
    }
    let mut count = 0_usize;
    let profiles = load_all(&arguments.profiles)?;
    let rules: usize = profiles.iter().map(|profile| profile.rules.len() + profile.off.len()).sum();
    for profile in &profiles {
        for lint in assess::lint(profile).map_err(|error| usage(error.to_string()))? {
            writeln!(out, "{} [{}]\n", lint.at, lint.code)?;
            count += 1;
        }
    }
    let (profiles, rules) = (counted(profiles.len(), "profile"), counted(rules, "rule"));
    writeln!(out, "{profiles}, {rules}: {}", counted(count, "remark"))?;
    Ok(if count == 0 { Exit::Compliant } else { Exit::NotCompliant })
}
