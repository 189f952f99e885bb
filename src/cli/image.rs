//! `preloaded image`: what is in firmware, file by file.

mod cat;
mod info;
mod ls;

use clap::{Args, Subcommand};

use super::exit::{Exit, usage};
use super::reading::ReadingArguments;
use super::scan::unread;
use super::serverless;
use super::terminal::{self, Board};
use crate::bytes::Budget;
use crate::collect::firmware::{Costs, gap};
use crate::collect::{Progress, SourceError};
use crate::firmware::{Cause, Image};

/// Look into firmware: its layers and partitions, its files, the content of one
///
/// Reads in place, like `scan`: nothing is extracted or written. Exits 0 when everything was read, 3 when a part of the image
/// could not be, 4 when nothing could.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Info(info::Arguments),
    Ls(ls::Arguments),
    Cat(cat::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Info(arguments) => info::run(arguments),
        Command::Ls(arguments) => ls::run(arguments),
        Command::Cat(arguments) => cat::run(arguments),
    }
}

/// Which image, and how it is read.
#[derive(Debug, Args)]
struct ImageArguments {
    /// A firmware file, folder or https:// address
    #[arg(value_name = "TARGET")]
    target: String,

    #[command(flatten)]
    reading: ReadingArguments,
}

impl ImageArguments {
    /// The target's name, for messages.
    fn name(&self) -> anyhow::Result<String> {
        Ok(self.reading.place(&self.target)?.name())
    }

    /// Opens the image and does some work on it.
    fn visit<T>(&self, work: impl FnOnce(&Image, &Budget) -> T) -> anyhow::Result<(T, Costs)> {
        if serverless::is_phone(&self.target) {
            return Err(usage("image looks into firmware, and this is a phone: use scan, list or check"));
        }
        let name = self.name()?;
        let source = self.reading.source(&self.target)?;
        let line = Board::new().line(&name);
        let (done, costs) = source.visit(&line, work).map_err(|error: SourceError| unread(&name, &error))?;
        if self.reading.tells_costs() {
            line.notice(&format!("{name}: {costs}"));
        }
        if let Some(fetched) = costs.fetched {
            let text = format!("{} of {} bytes fetched, {} requests", fetched.bytes, fetched.length, fetched.requests);
            line.notice(&format!("{name}: {text}"));
        }
        Ok((done, costs))
    }
}

/// Whether the problem is one of what is here. A partition that is not here is no fault of the reading.
fn is_unread(cause: &Cause) -> bool {
    !matches!(cause, Cause::Missing(_))
}

/// Says on standard error what could not be read. Whether there was anything.
fn complain_of(image: &Image) -> bool {
    let unread: Vec<_> = image.problems.iter().filter(|problem| is_unread(&problem.cause)).map(gap).collect();
    for gap in &unread {
        terminal::complain(&format!("not read: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail));
    }
    !unread.is_empty()
}

/// The exit code of an image of which `nothing` or `something` could not be read.
fn exit(nothing: bool, something: bool) -> Exit {
    match (nothing, something) {
        (true, _) => Exit::Unreadable,
        (false, true) => Exit::Inconclusive,
        (false, false) => Exit::Compliant,
    }
}
