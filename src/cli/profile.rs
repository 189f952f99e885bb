//! `preloaded profile`.

use std::io::{self, Write};

use clap::{Args, Subcommand};

use super::exit::{Exit, usage};
use crate::check;
use crate::profile;

/// Profiles: lists of rules
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded profile list

Exits 0 done, 2 wrong usage or profile.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the profiles that come with the program
    #[command(after_help = "Example:
    preloaded profile list

Exits 0 done.")]
    List,
    /// Print a profile as it was written
    #[command(after_help = "Example:
    preloaded profile show ru/smartphone > mine.toml

Exits 0 done, 2 there is no such profile, or it is wrong.")]
    Show {
        /// A profile by name or a TOML file
        #[arg(value_name = "NAME|FILE")]
        profile: String,
    },
    /// Explain the kinds of check that a rule can use, and their settings
    #[command(after_help = "Example:
    preloaded profile checks

Exits 0 done.")]
    Checks,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    match &arguments.command {
        Command::List => {
            for builtin in profile::builtin() {
                let name = builtin.name;
                let profile = profile::load(name).map_err(|error| usage(error.to_string()))?;
                let rules = profile.rules.len();
                writeln!(out, "{name}\t{}\t{rules} rules\t{}", profile.version, profile.title.en)?;
            }
        }
        Command::Show { profile } => {
            let profile = profile::load(profile).map_err(|error| usage(error.to_string()))?;
            out.write_all(profile.text().as_bytes())?;
        }
        Command::Checks => {
            writeln!(out, "# Kinds of check\n\nWhat a rule can ask, `check = \"...\"` in a profile.")?;
            for kind in check::KINDS {
                writeln!(out)?;
                for line in kind.explanation().trim().lines() {
                    // Its headings go one level below this page's.
                    writeln!(out, "{}{line}", if line.starts_with('#') { "#" } else { "" })?;
                }
            }
        }
    }
    Ok(Exit::Compliant)
}
