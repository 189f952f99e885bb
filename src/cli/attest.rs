//! `preloaded attest`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::check::today;
use super::exit::{Exit, usage};
use super::output::write_whole;
use crate::profile::{self, Answer, Attestation, Attestations};

/// Days for which an answer counts unless others are said.
const USUAL_DAYS: i64 = 90;

/// Days for which an answer counts at most: what a person saw a year ago is no longer known.
const MAX_DAYS: i64 = 366;

/// Largest photo: a camera's own files are a tenth of it.
const MAX_PHOTO_BYTES: u64 = 256 << 20;

/// Record what a person saw where no machine can: the answer to a rule of the kind `manual`
///
/// The record goes behind those that the file has; `check --attestations FILE` reads it.
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded attest RU-OTHERS-HARMONYOS -p ru/smartphone --answer met --operator a.ivanova --model NOH-NX9")]
pub(super) struct Arguments {
    /// The rule
    #[arg(value_name = "RULE")]
    rule: String,

    /// The profile that has the rule, by name or as a TOML file
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: String,

    /// Whether the duty is met
    #[arg(long, value_enum)]
    answer: AnswerArgument,

    /// Who looked
    #[arg(long, value_name = "NAME")]
    operator: String,

    /// Holds for devices of this model (ro.product.model)
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["fingerprint", "target"])]
    model: Option<String>,

    /// Holds for this build (ro.build.fingerprint)
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,

    /// Holds for this target alone, as reports name it: adb:SERIAL
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    /// What was seen, in words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,

    /// A photo of it: its SHA-256 digest is recorded
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,

    /// The day on which it was seen [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Date>,

    /// Last day on which the answer counts [default: 90 days later]
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Option<Date>,

    /// The file of attestations
    #[arg(long, short, value_name = "FILE", default_value = "attestations.toml")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AnswerArgument {
    /// It is met
    Met,
    /// It is not met
    NotMet,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let profile = profile::load(&arguments.profile).map_err(|error| usage(error.to_string()))?;
    let Some(rule) = profile.rules.iter().find(|rule| rule.id == arguments.rule) else {
        return Err(usage(format!("the profile {} has no rule {}", profile.id, arguments.rule)));
    };
    if rule.check != "manual" {
        let message = format!("{} is decided by the check {}, not by a person", rule.id, rule.check);
        return Err(usage(message));
    }
    let on = arguments.on.unwrap_or_else(today);
    let later = |days: i64| on.checked_add(jiff::Span::new().days(days)).map_err(|error| usage(error.to_string()));
    let expires = match arguments.expires {
        Some(expires) if expires < on => return Err(usage(format!("--expires {expires} is before {on}"))),
        Some(expires) if expires > later(MAX_DAYS)? => {
            return Err(usage(format!("--expires {expires} is more than {MAX_DAYS} days after {on}")));
        }
        Some(expires) => expires,
        None => later(USUAL_DAYS)?,
    };
    let attestation = Attestation {
        rule: rule.id.clone(),
        profile: profile.id.clone(),
        answer: match arguments.answer {
            AnswerArgument::Met => Answer::Met,
            AnswerArgument::NotMet => Answer::NotMet,
        },
        operator: arguments.operator.clone(),
        on,
        expires,
        model: arguments.model.clone(),
        fingerprint: arguments.fingerprint.clone(),
        target: arguments.target.clone(),
        note: arguments.note.clone(),
        photo_sha256: arguments.photo.as_ref().map(digest).transpose()?,
    };
    let name = arguments.output.display();
    let mut text = match fs::read_to_string(&arguments.output) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "schema = 1\n".to_owned(),
        Err(error) => return Err(usage(format!("{name}: can't be read: {error}"))),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&attestation.to_toml());
    // Nothing is added to a file that `check` would refuse, and nothing that it would refuse is written.
    Attestations::parse(&name.to_string(), &text).map_err(|error| usage(error.to_string()))?;
    write_whole(&arguments.output, text.as_bytes()).with_context(|| format!("{name}"))?;
    Ok(Exit::Compliant)
}

fn digest(path: &PathBuf) -> anyhow::Result<String> {
    let wrong = |why: String| usage(format!("{}: {why}", path.display()));
    let length = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MAX_PHOTO_BYTES {
        return Err(wrong(format!("{length} bytes are too many for a photo, at most {MAX_PHOTO_BYTES}")));
    }
    Ok(profile::sha256(&fs::read(path).map_err(|error| wrong(error.to_string()))?))
}
