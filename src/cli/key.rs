//! `preloaded key`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::bundle::private_key;
use super::exit::{Exit, usage};
use crate::evidence::key::PrivateKey;

/// Keys that sign evidence: ed25519, in the files of OpenSSL
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded key new station.key --name 'station 3' --until 2026-12-31 >> keys.toml

Exits 0 done, 2 wrong usage or a key that can't be used, 4 a file can't be written.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a private key, and print the entry of its public half for a list of keys
    ///
    /// The private key is PKCS#8 in PEM, not encrypted, with mode 0600; an existing file is never overwritten. The entry goes
    /// to whoever verifies: `preloaded verify --key keys.toml`.
    #[command(after_help = "Example:
    preloaded key new station.key --name 'station 3' --until 2026-12-31 >> keys.toml

Exits 0 done, 2 wrong usage, 4 the file is there already or can't be written.")]
    New {
        /// File to write the private key to
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Whose key it is, as reports name it
        #[arg(long, value_name = "NAME")]
        name: String,
        /// First day on which it may sign
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<Date>,
        /// Last day on which it may sign, UTC
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<Date>,
    },
    /// Print the public half of a private key, in PEM
    #[command(after_help = "Example:
    preloaded key public station.key > station.pem

Exits 0 done, 2 the key can't be used.")]
    Public {
        /// The private key
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    match &arguments.command {
        Command::New { file, name, from, until } => {
            if let (Some(from), Some(until)) = (from, until)
                && from > until
            {
                return Err(usage(format!("the key's last day, {until}, is before its first, {from}")));
            }
            let (key, pem) = PrivateKey::generate().map_err(|error| usage(error.to_string()))?;
            write_private(file, pem.as_bytes()).with_context(|| file.display().to_string())?;
            let mut entry = toml_entry(name, &key.public().to_base64());
            for (field, day) in [("from", from), ("until", until)] {
                if let Some(day) = day {
                    entry.push_str(&format!("{field} = \"{day}\"\n"));
                }
            }
            out.write_all(entry.as_bytes())?;
        }
        Command::Public { file } => out.write_all(private_key(file)?.public().to_pem().as_bytes())?,
    }
    Ok(Exit::Compliant)
}

/// An entry of a list of keys. The name is written as TOML writes text.
fn toml_entry(name: &str, public: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("[[key]]\nname = \"{name}\"\npublic = \"{public}\"\n")
}

/// Writes a file that only its owner may read, and that was not there before.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
