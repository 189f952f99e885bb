//! `--store` and `preloaded history`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::exit::{Exit, Failed, usage};
use super::form::{Form, write_json};
use crate::inventory::{TargetKind, Tool};
use crate::profile::Profile;
use crate::report::{Identity, Run, printable};
use crate::store::{self, CountRow, Filter, Key, Occasion, Period, ResultRow, RuleRow, Store, StoreError};

/// Where results are kept.
#[derive(Debug, Args)]
pub(super) struct StoreArguments {
    /// Add the results to this history (SQLite; made where there is none): `preloaded history` asks it. Phones are named as
    /// --id says, and only `hmac` and `plain` find one again
    #[arg(long, value_name = "FILE", help_heading = "History")]
    store: Option<PathBuf>,
}

/// A history that a run will be added to.
pub(super) struct History<'a> {
    path: &'a Path,
    store: Store,
}

impl StoreArguments {
    /// Opens the history before any phone is touched; `None` if none is asked for.
    ///
    /// # Errors
    /// Exit code 2: it can't be written, or is none of ours.
    pub(super) fn open(&self) -> anyhow::Result<Option<History<'_>>> {
        let Some(path) = &self.store else { return Ok(None) };
        let store = Store::open(path).map_err(|error| usage(format!("--store {}: {error}", path.display())))?;
        Ok(Some(History { path, store }))
    }
}

impl History<'_> {
    /// Adds the run, whole or not at all. Its targets bear the names that are written.
    ///
    /// # Errors
    /// Exit code 4: what was judged is not in the history.
    pub(super) fn add(mut self, run: &Run, profile: &Profile, as_of: Date) -> anyhow::Result<()> {
        let stored_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let as_of = as_of.to_string();
        let occasion = Occasion {
            stored_at: &stored_at,
            profile: &profile.id,
            profile_version: &profile.version,
            profile_sha256: &profile.sha256,
            as_of: &as_of,
        };
        self.store.record(run, &occasion).map_err(|error| {
            let path = self.path.display();
            Failed(Exit::Unreadable, format!("{path}: the results are NOT in the history: {error}")).into()
        })
    }
}

/// Whether the history will not know a phone of the run again.
pub(super) fn is_nameless(run: &Run) -> bool {
    let hidden = |name: &str| Identity::hides(name);
    run.targets.iter().any(|report| report.target.kind == TargetKind::Phone && hidden(&report.target.name))
}

/// Ask what earlier checks came to, from the file that `check --store` keeps
///
/// Lists results, the newest first; counts them by device, model, fingerprint or profile (--by), by day or month (--trend), or by
/// rule (--rules). Devices are named as --id named them when they were checked: to find a phone again, check with `--id hmac` or
/// `--id plain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded check adb --profile ru/smartphone --id hmac --id-key shop.key --store shop.db
    preloaded history --store shop.db --since 2026-06-01 --verdict not_compliant
    preloaded history --store shop.db --by model --trend month
    preloaded history --store shop.db --rules --profile ru/smartphone --format json

Exits 0 done, 2 wrong usage, 4 the file is not there, can't be read, or is no history.")]
pub(super) struct Arguments {
    /// The history
    #[arg(long, value_name = "FILE")]
    store: PathBuf,

    /// Only this device, by its whole name
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Only this model, with or without its brand
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// Only builds with this fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,

    /// Only what was judged under this profile, by its id
    #[arg(long, short, value_name = "ID")]
    profile: Option<String>,

    /// Only this verdict
    #[arg(long, value_enum)]
    verdict: Option<VerdictArgument>,

    /// Only what was stored on this day (UTC) or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Date>,

    /// Only what was stored on this day (UTC) or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,

    /// Most results that are listed, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,

    /// Count verdicts by what they are of, instead
    #[arg(long, value_enum)]
    by: Option<KeyArgument>,

    /// Count verdicts by day or month (UTC), by profile unless --by says otherwise
    #[arg(long, value_enum)]
    trend: Option<PeriodArgument>,

    /// Count targets by rule that failed or stayed open, instead
    #[arg(long, conflicts_with_all = ["by", "trend"])]
    rules: bool,

    /// Form of the answer; `preloaded schema history` describes the JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum VerdictArgument {
    /// Something was judged, and nothing failed or stayed open
    Compliant,
    /// A rule failed
    NotCompliant,
    /// Something stayed open
    Inconclusive,
    /// Not read
    Unread,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyArgument {
    /// By the device's name
    Device,
    /// By brand and model
    Model,
    /// By the build's fingerprint
    Fingerprint,
    /// By the profile's id
    Profile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PeriodArgument {
    /// By days
    Day,
    /// By months
    Month,
}

/// The JSON form of an answer: one of the three lists.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Version of this form.
    schema_version: String,
    /// The program that answers.
    tool: Option<Tool>,
    /// Targets of runs, the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ResultRow>>,
    /// Verdicts counted, by period and key.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<CountRow>>,
    /// Rules that failed or stayed open, those that failed most first.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<RuleRow>>,
}

impl Arguments {
    fn filter(&self) -> Filter {
        let verdict = self.verdict.map(|verdict| match verdict {
            VerdictArgument::Compliant => "compliant",
            VerdictArgument::NotCompliant => "not_compliant",
            VerdictArgument::Inconclusive => "inconclusive",
            VerdictArgument::Unread => "unread",
        });
        Filter {
            device: self.device.clone(),
            model: self.model.clone(),
            fingerprint: self.fingerprint.clone(),
            profile: self.profile.clone(),
            verdict: verdict.map(str::to_owned),
            since: self.since.map(|day| day.to_string()),
            until: self.until.map(|day| day.to_string()),
        }
    }

    fn ask(&self, store: &Store) -> Result<Answer, StoreError> {
        let filter = self.filter();
        let mut answer = Answer {
            schema_version: format!("{}.0", store::SCHEMA_VERSION),
            tool: Some(Tool::this()),
            ..Answer::default()
        };
        let by = self.by.map(|by| match by {
            KeyArgument::Device => Key::Device,
            KeyArgument::Model => Key::Model,
            KeyArgument::Fingerprint => Key::Fingerprint,
            KeyArgument::Profile => Key::Profile,
        });
        let period = self.trend.map(|period| match period {
            PeriodArgument::Day => Period::Day,
            PeriodArgument::Month => Period::Month,
        });
        if self.rules {
            answer.rules = Some(store.rules(&filter)?);
        } else if by.is_some() || period.is_some() {
            answer.counts = Some(store.counts(&filter, by.unwrap_or(Key::Profile), period)?);
        } else {
            answer.results = Some(store.results(&filter, self.limit)?);
        }
        Ok(answer)
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let path = arguments.store.display();
    let unreadable = |error: StoreError| Failed(Exit::Unreadable, format!("{path}: {error}"));
    let store = Store::read(&arguments.store).map_err(unreadable)?;
    let answer = arguments.ask(&store).map_err(unreadable)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Json => write_json(&answer, &mut out)?,
        Form::Text => {
            results(answer.results.as_deref().unwrap_or_default(), &mut out)?;
            counts(answer.counts.as_deref().unwrap_or_default(), &mut out)?;
            rules(answer.rules.as_deref().unwrap_or_default(), &mut out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Compliant)
}

fn results(rows: &[ResultRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        let verdict = in_words(&row.verdict);
        let device = [Some(&row.target), row.model.as_ref()];
        let device: Vec<&str> = device.into_iter().flatten().map(String::as_str).collect();
        writeln!(out, "{}  {verdict:13}  {}", printable(&row.stored_at), printable(&device.join("  ")))?;
        let mut words = vec![format!("{} {} as of {}", row.profile, row.profile_version, row.as_of)];
        words.extend(row.fingerprint.clone());
        words.extend((!row.failures.is_empty()).then(|| format!("failed: {}", row.failures.join(", "))));
        words.extend((row.waived > 0).then(|| format!("{} waived", row.waived)));
        words.extend((row.inconclusive > 0).then(|| format!("{} open", row.inconclusive)));
        words.extend((row.gaps > 0).then(|| format!("gaps: {}", row.gaps)));
        words.extend(row.error.clone());
        writeln!(out, "    {}", printable(&words.join("; ")))?;
    }
    Ok(())
}

fn counts(rows: &[CountRow], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "{:10}  {:>7}  {:>9}  {:>13}  {:>12}  {:>6}  {:20}  latest verdict",
        "period", "targets", "compliant", "not compliant", "inconclusive", "unread", "latest"
    )?;
    for row in rows {
        writeln!(
            out,
            "{:10}  {:>7}  {:>9}  {:>13}  {:>12}  {:>6}  {:20}  {:13}  {}",
            printable(row.period.as_deref().unwrap_or("all")),
            row.targets,
            row.compliant,
            row.not_compliant,
            row.inconclusive,
            row.unread,
            printable(&row.latest_at),
            in_words(&row.latest),
            printable(row.key.as_deref().unwrap_or("(not known)"))
        )?;
    }
    Ok(())
}

fn rules(rows: &[RuleRow], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:>6}  {:>6}  {:>12}  {:>6}  rule", "failed", "waived", "inconclusive", "passed")?;
    for row in rows {
        writeln!(
            out,
            "{:>6}  {:>6}  {:>12}  {:>6}  {}  {}",
            row.failed,
            row.waived,
            row.inconclusive,
            row.passed,
            printable(&row.rule),
            printable(&row.profile)
        )?;
    }
    Ok(())
}

fn in_words(verdict: &str) -> String {
    printable(&verdict.replace('_', " ").to_uppercase()).into_owned()
}
