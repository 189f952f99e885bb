//! `preloaded profile`.

mod diff;
mod explain;
mod guide;
mod lint;
mod new;
pub(super) mod sign;
mod test;

use std::io::{self, Write};

use clap::{Args, Subcommand};

use super::exit::{Exit, usage};
use super::language::LanguageArguments;
use crate::check;
use crate::profile::{self, Profile};

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
    List {
        #[command(flatten)]
        language: LanguageArguments,
    },
    /// Print a profile as it was written
    #[command(after_help = "Example:
    preloaded profile show ru/smartphone > mine.toml

Exits 0 done, 2 there is no such profile, or it is wrong.")]
    Show {
        /// A profile by name or a TOML file
        #[arg(value_name = "NAME|FILE")]
        profile: String,
    },
    /// Explain a rule: law, dates, how it is decided, how to fix, history
    Explain(explain::Arguments),
    /// Say what profiles lack though they can be used
    Lint(lint::Arguments),
    /// Ask the examples of profiles
    Test(test::Arguments),
    /// Write a profile to start from
    New(new::Arguments),
    /// Sign a profile
    Sign(sign::SignArguments),
    /// Verify the signature of a profile
    Verify(sign::VerifyArguments),
    /// Say in words what differs between two profiles, and what that means for given inventories
    Diff(diff::Arguments),
    /// Explain the kinds of check that a rule can use: their settings, verdicts, and an example of each
    #[command(after_help = "Examples:
    preloaded profile checks
    preloaded profile checks required-package

Exits 0 done, 2 for a kind that there is not.")]
    Checks {
        /// One kind alone; left out: all of them
        #[arg(value_name = "KIND")]
        kind: Option<String>,
    },
    /// Print how a profile is written, and which ones come with the program
    Guide,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    match &arguments.command {
        Command::List { language } => {
            for builtin in profile::builtin() {
                let name = builtin.name;
                let profile = load(name)?;
                let rules = counted(profile.rules.len(), "rule");
                let title = profile.title.of(language.language());
                writeln!(out, "{name}\t{}\t{rules}\t{title}", profile.version)?;
            }
        }
        Command::Show { profile } => out.write_all(load(profile)?.text().as_bytes())?,
        Command::Explain(arguments) => return explain::run(arguments, &mut out),
        Command::Lint(arguments) => return lint::run(arguments, &mut out),
        Command::Test(arguments) => return test::run(arguments, &mut out),
        Command::New(arguments) => return new::run(arguments),
        Command::Sign(arguments) => return sign::sign(arguments),
        Command::Verify(arguments) => return sign::verify_file(arguments, &mut out),
        Command::Diff(arguments) => return diff::run(arguments, &mut out),
        Command::Checks { kind } => checks(kind.as_deref(), &mut out)?,
        Command::Guide => guide::run(&mut out)?,
    }
    Ok(Exit::Compliant)
}

/// The page of one kind of check, or that of all.
fn checks(kind: Option<&str>, out: &mut dyn Write) -> anyhow::Result<()> {
    let names = || check::KINDS.iter().map(|kind| kind.name());
    if let Some(name) = kind {
        let Some(kind) = check::kind(name) else {
            let help = match profile::nearest_word(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(usage(format!("there is no kind of check `{name}`\n  = {help}")));
        };
        return Ok(write!(out, "{}", check::page(kind))?);
    }
    writeln!(
        out,
        "# Kinds of check\n\nWhat a rule can ask, `check = \"...\"` in a profile. Each kind ends with rules that use it, and with a \
         small device for each verdict: `preloaded profile test` asks them. They stand behind this head:\n\n```toml\n{}```\n",
        check::EXAMPLE_HEAD
    )?;
    out.write_all(check::selector_page().as_bytes())?;
    for kind in check::KINDS {
        writeln!(out)?;
        for line in check::page(*kind).trim().lines() {
            // Its headings go one level below this page's.
            writeln!(out, "{}{line}", if line.starts_with('#') { "#" } else { "" })?;
        }
    }
    Ok(())
}

/// A number with its noun, which takes an `s` in the plural.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn load(name: &str) -> anyhow::Result<Profile> {
    profile::load(name).map_err(|error| usage(error.to_string()))
}

/// Profiles by name or file; every built-in one where none is named.
fn load_all(names: &[String]) -> anyhow::Result<Vec<Profile>> {
    if names.is_empty() {
        return profile::builtin().iter().map(|builtin| load(builtin.name)).collect();
    }
    names.iter().map(|name| load(name)).collect()
}
