//! `preloaded devices`.

use std::io::{self, Write};

use clap::Args;

use super::exit::{Exit, Failed};
use super::server::{NO_PHONE, ServerArguments};
use crate::adb;
use crate::report::printable;

/// List the phones that the ADB server knows, and what state they are in
///
/// Exits 75 when there is no server or no phone.
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded devices --start-server

Exits 0 done, 2 wrong usage, 75 there is no server or no phone.")]
pub(super) struct Arguments {
    /// Print every command that may ever be sent to a phone, and why, instead
    #[arg(long)]
    commands: bool,

    #[command(flatten)]
    server: ServerArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    if arguments.commands {
        return print_commands(&mut out);
    }
    let temporary = |message: String| anyhow::Error::from(Failed(Exit::Temporary, message));
    let server = arguments.server.server()?;
    let listing = arguments.server.listing(&server).map_err(temporary)?;
    if listing.attached.is_empty() && listing.unknown.is_empty() {
        return Err(temporary(NO_PHONE.to_owned()));
    }
    for attached in listing.attached {
        let name = format!("adb:{}", attached.name());
        let rest = [attached.model, attached.usb].map(Option::unwrap_or_default);
        let [model, usb] = rest.each_ref().map(|text| printable(text));
        writeln!(out, "{}", format!("{}\t{}\t{model}\t{usb}", printable(&name), attached.state).trim_end())?;
    }
    for line in listing.unknown {
        writeln!(out, "?\t{}", printable(&line))?;
    }
    Ok(Exit::Compliant)
}

fn print_commands(out: &mut dyn Write) -> anyhow::Result<Exit> {
    writeln!(out, "# Commands that may be sent to a phone\n")?;
    writeln!(out, "There are no others: a test holds every request against this list. None of them writes.\n")?;
    writeln!(out, "| command | what for |\n|---|---|")?;
    for row in adb::commands::table() {
        writeln!(out, "| `{}` | {} |", row.template.replace('|', "\\|"), row.purpose)?;
    }
    Ok(Exit::Compliant)
}
