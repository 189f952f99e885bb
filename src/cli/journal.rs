//! `preloaded journal`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::{Exit, Failed, usage};
use super::form::{Form, write_json};
use crate::station::{self, Chain};

/// Check the journal of a bench: whether any entry was changed, removed or added since
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded journal verify bench.jsonl

Exits 0 the chain holds, 2 wrong usage, 3 a line was cut, 4 the file can't be read, 5 the chain is broken.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that each entry is bound to the one before it, as `preloaded watch` writes them
    ///
    /// A changed, removed or added entry breaks the chain at the next one. What was cut off at the end does not: note the
    /// digest of the last entry elsewhere, from time to time, and ask for it with --noted.
    #[command(after_help = "Examples:
    preloaded journal verify bench.jsonl
    preloaded journal verify bench.jsonl --noted 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae

Exits 0 the chain holds, 2 wrong usage, 3 a line was cut, 4 the file can't be read, 5 the chain is broken.")]
    Verify {
        /// The journal
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A digest of an entry that was noted: it must be there still
        #[arg(long, value_name = "SHA256", value_parser = sha256)]
        noted: Option<String>,
        /// Form of the answer
        #[arg(long, value_enum, default_value = "text")]
        format: Form,
    },
}

fn sha256(text: &str) -> Result<String, String> {
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("64 hexadecimal digits".to_owned()) }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Command::Verify { file, noted, format } = &arguments.command;
    if file.is_dir() {
        return Err(usage(format!("{}: a folder, expected a journal", file.display())));
    }
    let chain = station::verify(file, noted.as_deref())
        .map_err(|error| Failed(Exit::Unreadable, format!("{}: {error}", file.display())))?;
    let is_missing = noted.is_some() && chain.found.is_none();
    let mut out = io::stdout().lock();
    match format {
        Form::Text => text(&chain, noted.as_deref(), &mut out)?,
        Form::Json => {
            let wrong: Vec<_> = chain.wrong.iter().map(|(line, what)| json!({"line": line, "what": what})).collect();
            let answer = json!({
                "entries": chain.entries, "head": chain.head, "cut": chain.cut, "wrong": wrong, "noted_at": chain.found,
            });
            write_json(&answer, &mut out)?;
        }
    }
    Ok(match (chain.wrong.is_empty() && !is_missing, chain.cut.is_empty()) {
        (false, _) => Exit::BadSignature,
        (true, false) => Exit::Inconclusive,
        (true, true) => Exit::Compliant,
    })
}

fn text(chain: &Chain, noted: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    for (line, what) in &chain.wrong {
        writeln!(out, "WRONG  line {line} {what}")?;
    }
    for line in &chain.cut {
        writeln!(out, "CUT    line {line} is no whole entry: a power cut left it, or somebody spoiled it")?;
    }
    match (noted, chain.found) {
        (Some(_), Some(line)) => writeln!(out, "HOLDS  the noted digest is that of line {line}")?,
        (Some(noted), None) => writeln!(out, "WRONG  no line has the noted digest {noted}")?,
        (None, _) => {}
    }
    let holds = if chain.wrong.is_empty() { "HOLDS " } else { "      " };
    writeln!(out, "{holds} {} entries are bound to the line before them", chain.entries)?;
    if let Some(head) = &chain.head {
        writeln!(out, "       last line {head}")?;
    }
    Ok(())
}
