//! The command line: one subcommand, one file. Only this layer prints, and reads arguments, environment and the clock.

mod apk;
mod attest;
mod bundle;
mod check;
mod config;
mod convert;
mod copies;
mod devices;
mod diff;
mod doctor;
mod events;
mod examples;
mod exit;
mod form;
mod history;
mod image;
mod journal;
mod judging;
mod key;
mod language;
mod list;
mod manual;
mod r#match;
mod notice;
mod odd;
mod output;
mod parts;
mod profile;
mod reading;
mod redact;
mod report_file;
mod save;
mod scan;
mod schema;
mod server;
mod serverless;
mod show;
mod summary;
mod target;
mod terminal;
mod verify;
mod watch;
mod why;

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use exit::Exit;

/// Columns of help at most.
const MAX_TERM_WIDTH: usize = 100;

/// What does this Android device ship with, and does it comply?
///
/// Reads phones over ADB or firmware offline, lists pre-installed packages and their permissions, and checks them
/// against a profile of dated rules. Nothing is written to a phone, nothing is extracted from firmware.
#[derive(Debug, Parser)]
#[command(version, max_term_width = MAX_TERM_WIDTH, after_help = exit::HELP, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

macro_rules! commands {
    ($($name:literal $variant:ident($arguments:ty),)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $(
                #[command(name = $name)]
                $variant($arguments),
            )*
        }

        /// The subcommand of that name, without its neighbours.
        fn subcommand(name: &str) -> Option<clap::Command> {
            $(if name == $name {
                return Some(<$arguments as Args>::augment_args(clap::Command::new($name)));
            })*
            None
        }
    };
}

commands! {
    "check" Check(check::Arguments),
    "convert" Convert(convert::Arguments),
    "scan" Scan(scan::Arguments),
    "list" List(list::Arguments),
    "match" Match(r#match::Arguments),
    "show" Show(show::Arguments),
    "why" Why(why::Arguments),
    "apk" Apk(apk::Arguments),
    "diff" Diff(diff::Arguments),
    "odd" Odd(odd::Arguments),
    "notice" Notice(notice::Arguments),
    "redact" Redact(redact::Arguments),
    "key" Key(key::Arguments),
    "verify" Verify(verify::Arguments),
    "history" History(history::Arguments),
    "image" Image(image::Arguments),
    "attest" Attest(attest::Arguments),
    "devices" Devices(devices::Arguments),
    "doctor" Doctor(doctor::Arguments),
    "profile" Profile(profile::Arguments),
    "schema" Schema(schema::Arguments),
    "watch" Watch(watch::Arguments),
    "journal" Journal(journal::Arguments),
    "config" Config(config::Arguments),
    "completions" Completions(manual::CompletionsArguments),
    "man" Man(manual::ManArguments),
}

/// The program's command line with all of its help.
fn whole() -> clap::Command {
    examples::complete(Arguments::command())
}

/// The program's command line with that subcommand alone: making them all takes longer than reading a package file.
fn alone(name: &str) -> Option<clap::Command> {
    let program = clap::Command::new(env!("CARGO_PKG_NAME")).max_term_width(MAX_TERM_WIDTH);
    Some(program.subcommand_required(true).subcommand(subcommand(name)?))
}

/// Runs the program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    bind_job();
    let config = match config::Config::load(Arguments::command) {
        Ok(config) => config,
        Err(error) => {
            terminal::complain(&format!("{error:#}"));
            return ExitCode::from(Exit::Usage as u8);
        }
    };
    let line: Vec<OsString> = env::args_os().collect();
    let name = line.get(1).and_then(|name| name.to_str()).filter(|_| config.is_empty());
    let command = name.and_then(alone).unwrap_or_else(|| config.apply(Arguments::command()));
    let matches = command.try_get_matches_from(line).map_err(|error| match error.kind() {
        // Only then is all of the help wanted.
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            config.apply(whole()).try_get_matches().err().unwrap_or(error)
        }
        _ => error,
    });
    let arguments = match matches.and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output and is no error; neither can be mended when the stream is closed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Compliant } as u8);
        }
    };
    let result = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Match(arguments) => r#match::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Apk(arguments) => apk::run(&arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Odd(arguments) => odd::run(&arguments),
        Command::Notice(arguments) => notice::run(arguments),
        Command::Redact(arguments) => redact::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Image(arguments) => image::run(&arguments),
        Command::Attest(arguments) => attest::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Journal(arguments) => journal::run(&arguments),
        Command::Config(arguments) => config::run(&arguments, &whole()),
        Command::Completions(arguments) => manual::completions(&arguments, whole()),
        Command::Man(arguments) => manual::man(&arguments, whole()),
    };
    let exit = result.unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            // The reader has gone, as `| head` does: whatever it wanted, it has.
            return Exit::Interrupted;
        }
        terminal::complain(&format!("{error:#}"));
        error.downcast_ref::<exit::Failed>().map_or(Exit::Unreadable, |failed| failed.0)
    });
    ExitCode::from(exit as u8)
}

/// What is wrong with a command line, whose first word is the program's name.
///
/// # Errors
/// The words for it, with the usage.
fn parse(line: &[OsString]) -> Result<(), String> {
    Arguments::try_parse_from(line).map(drop).map_err(|error| error.render().to_string())
}

/// A job of a bench is told how much memory it may have, and holds itself to it: what asks for more ends, and the bench
/// goes on. A bench that is killed takes its jobs along: nobody would hear what they find.
fn bind_job() {
    #[cfg(unix)]
    if let Some(bytes) = env::var(crate::station::MEMORY).ok().and_then(|text| text.parse().ok()) {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Where the system refuses a limit there is none, and the time limit is left.
        let _ = setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) });
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subcommand_alone_is_what_it_is_among_its_neighbours() {
        let wrong = |command: clap::Command, name: &str| {
            let error = command.try_get_matches_from(["preloaded", name, "--no-such-option"]).unwrap_err();
            (error.kind(), error.render().to_string())
        };
        let names: Vec<String> =
            Arguments::command().get_subcommands().map(|below| below.get_name().to_owned()).collect();
        assert!(names.len() > 20);
        for name in names {
            assert_eq!(wrong(alone(&name).unwrap(), &name), wrong(Arguments::command(), &name));
        }
    }
}
