//! `preloaded verify`.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::{Exit, Failed, usage};
use super::form::{Form, write_json};
use super::profile::sign::keys;
use crate::evidence::archive;
use crate::evidence::key::FILE_LIMIT;
use crate::evidence::trust::Trust;
use crate::evidence::verification::{StepResult, Verification, verify};
use crate::report::printable;

/// Check a bundle of evidence: signature, digests, and the verdict by judging again
///
/// The signature proves that whoever holds the private key signed these files, and that none was changed since. It proves
/// neither that the phone told the truth about itself, nor that the time is right, nor that the profile states the law.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded verify phone.preloaded.zip --key keys.toml
    preloaded verify phone.preloaded.zip --key keys.toml --profile-key lawyer.pub
    openssl ts -verify -in phone.tsr -data phone.preloaded.zip -CAfile authority.pem    (a timestamp of a third party)

Exits 0 everything holds and the verdict is reproduced, 2 wrong usage or list of keys, 3 all holds, but no list of keys was
given: who signed is not known, 4 the file can't be read, 5 something is wrong: it says what.")]
pub(super) struct Arguments {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,

    /// Keys that are trusted: a list in TOML as `preloaded key new` prints entries of, or a public key in PEM; may be repeated
    #[arg(long, value_name = "FILE", env = "PRELOADED_KEYS", value_delimiter = ',')]
    key: Vec<PathBuf>,

    /// A public key that may have signed the profile: of minisign, or ed25519 in PEM; may be repeated. With one, a profile that
    /// does not come with this program must be signed with it
    #[arg(long, value_name = "FILE")]
    profile_key: Vec<PathBuf>,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let trust = trust(&arguments.key)?;
    let profile_keys = keys(&arguments.profile_key)?;
    let unreadable = |why: String| Failed(Exit::Unreadable, format!("{}: {why}", arguments.bundle.display()));
    let mut bytes = Vec::new();
    let read = fs::File::open(&arguments.bundle).and_then(|file| file.take(archive::LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > archive::LIMIT {
        return Err(unreadable(format!("larger than {} bytes", archive::LIMIT)).into());
    }
    let verification = verify(&bytes, trust.as_ref(), &profile_keys);
    let mut out = io::stdout().lock();
    match arguments.format {
        Form::Text => text(&verification, &mut out)?,
        Form::Json => as_json(&verification, &mut out)?,
    }
    Ok(match verification.result() {
        StepResult::Holds => Exit::Compliant,
        StepResult::Open => Exit::Inconclusive,
        StepResult::Wrong => Exit::BadSignature,
    })
}

/// The keys of all files; `None` if there is no file.
fn trust(files: &[PathBuf]) -> anyhow::Result<Option<Trust>> {
    let mut trust = Trust::default();
    for path in files {
        let read = |path: &Path| -> io::Result<String> {
            let mut text = String::new();
            fs::File::open(path)?.take(FILE_LIMIT).read_to_string(&mut text)?;
            Ok(text)
        };
        let wrong = |why: String| usage(format!("{}: {why}", path.display()));
        let text = read(path).map_err(|error| wrong(error.to_string()))?;
        trust.keys.extend(Trust::parse(&text).map_err(|error| wrong(error.to_string()))?.keys);
    }
    Ok((!files.is_empty()).then_some(trust))
}

fn word(result: StepResult) -> &'static str {
    match result {
        StepResult::Holds => "holds",
        StepResult::Open => "open",
        StepResult::Wrong => "wrong",
    }
}

fn text(verification: &Verification, out: &mut dyn Write) -> io::Result<()> {
    for step in &verification.steps {
        let word = word(step.result).to_uppercase();
        writeln!(out, "{word:6} {:13} {}", step.what, printable(&step.words))?;
    }
    if let Some(statement) = &verification.statement {
        let predicate = &statement.predicate;
        writeln!(out)?;
        for target in &predicate.verdicts {
            writeln!(out, "       stated        {}: {}", printable(&target.target), printable(&target.verdict))?;
        }
        let profile = &predicate.profile;
        writeln!(out, "       under         {} {}", printable(&profile.id), printable(&profile.version))?;
        writeln!(
            out,
            "       made by       {} {}",
            printable(&predicate.tool.name),
            printable(&predicate.tool.version)
        )?;
        writeln!(out, "\n{}", crate::evidence::bundle::PROVES)?;
    }
    Ok(())
}

fn as_json(verification: &Verification, out: &mut dyn Write) -> io::Result<()> {
    let steps = verification.steps.iter();
    let steps: Vec<_> =
        steps.map(|step| json!({"what": step.what, "result": word(step.result), "words": step.words})).collect();
    let answer = json!({
        "result": word(verification.result()),
        "steps": steps,
        "statement": verification.statement,
    });
    write_json(&answer, out)
}
