//! `preloaded completions` and `preloaded man`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;

/// Print what makes a shell complete this program's commands and options
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded completions bash > /etc/bash_completion.d/preloaded
    preloaded completions zsh > ~/.zfunc/_preloaded

Exits 0 done, 2 wrong usage.")]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded man | man -l -
    preloaded man --folder /usr/local/share/man/man1

Exits 0 done, 2 wrong usage, 4 a file can't be written.")]
pub(super) struct ManArguments {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(arguments: &CompletionsArguments, mut command: Command) -> anyhow::Result<Exit> {
    // The generator panics where it can't write: into memory it always can.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "preloaded", &mut text);
    io::stdout().lock().write_all(&text)?;
    Ok(Exit::Compliant)
}

pub(super) fn man(arguments: &ManArguments, command: Command) -> anyhow::Result<Exit> {
    match &arguments.folder {
        None => io::stdout().lock().write_all(&page(command)?)?,
        Some(folder) => pages(command, "preloaded", folder)?,
    }
    Ok(Exit::Compliant)
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(text)
}

fn pages(command: Command, name: &str, folder: &Path) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages(below.clone(), &format!("{name}-{}", below.get_name()), folder)?;
    }
    let path = folder.join(format!("{name}.1"));
    // Each page under the whole name of its command.
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    fs::write(&path, page(command.name(name))?).with_context(|| path.display().to_string())
}
