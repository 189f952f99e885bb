//! `preloaded history`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::exit::{Exit, Failed};
use crate::report::printable;
use crate::store::{Filter, Period, ResultRow, RuleRow, Store, TrendRow};

/// Show what earlier checks came to, from the file that `check --store` keeps
///
/// Devices are named as --id named them when they were checked: to find one again, check with `--id hmac` or `--id plain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded history --store shop.db --since 2026-06-01 --verdict not_compliant
    preloaded history --store shop.db --trend month
    preloaded history --store shop.db --rules --profile ru/smartphone --format json

Exits 0 done, 2 wrong usage, 4 the file is not there, can't be read, or is no history.")]
pub(super) struct Arguments {
    /// The history
    #[arg(long, value_name = "FILE")]
    store: PathBuf,

    /// Only this device, by its whole name
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Only this model
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

    /// Count verdicts by day or month instead
    #[arg(long, value_enum, conflicts_with = "rules")]
    trend: Option<PeriodArgument>,

    /// Count devices by rule that failed or stayed open instead
    #[arg(long)]
    rules: bool,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
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
enum PeriodArgument {
    /// By days
    Day,
    /// By months
    Month,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A list of objects
    Json,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let unreadable = |error: crate::store::StoreError| {
        Failed(Exit::Unreadable, format!("{}: {error}", arguments.store.display()))
    };
    let store = Store::read(&arguments.store).map_err(unreadable)?;
    let verdict = arguments.verdict.map(|verdict| match verdict {
        VerdictArgument::Compliant => "compliant",
        VerdictArgument::NotCompliant => "not_compliant",
        VerdictArgument::Inconclusive => "inconclusive",
        VerdictArgument::Unread => "unread",
    });
    let filter = Filter {
        device: arguments.device.clone(),
        model: arguments.model.clone(),
        fingerprint: arguments.fingerprint.clone(),
        profile: arguments.profile.clone(),
        verdict: verdict.map(str::to_owned),
        since: arguments.since.map(|day| day.to_string()),
        until: arguments.until.map(|day| day.to_string()),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let is_json = arguments.format == Format::Json;
    match arguments.trend {
        Some(period) => {
            let period = match period {
                PeriodArgument::Day => Period::Day,
                PeriodArgument::Month => Period::Month,
            };
            let rows = store.trend(&filter, period).map_err(unreadable)?;
            if is_json { json(&rows, &mut out)? } else { trend(&rows, &mut out)? }
        }
        None if arguments.rules => {
            let rows = store.rules(&filter).map_err(unreadable)?;
            if is_json { json(&rows, &mut out)? } else { rules(&rows, &mut out)? }
        }
        None => {
            let rows = store.results(&filter, arguments.limit).map_err(unreadable)?;
            if is_json { json(&rows, &mut out)? } else { results(&rows, &mut out)? }
        }
    }
    out.flush()?;
    Ok(Exit::Compliant)
}

fn json(rows: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, rows)?;
    out.write_all(b"\n")
}

fn results(rows: &[ResultRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        let device = row.device.as_deref().unwrap_or("?");
        let verdict = row.verdict.replace('_', " ").to_uppercase();
        writeln!(
            out,
            "{}  {verdict:13}  {}  {}",
            printable(&row.stored_at),
            printable(&row.target),
            printable(device)
        )?;
        let under = [&row.profile, &row.profile_version].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let mut words = Vec::new();
        if !under.is_empty() {
            words.push(under);
        }
        words.extend(row.fingerprint.clone());
        words.extend((!row.failures.is_empty()).then(|| format!("failed: {}", row.failures.join(", "))));
        words.extend((row.waived > 0).then(|| format!("{} waived", row.waived)));
        words.extend((row.inconclusive > 0).then(|| format!("{} open", row.inconclusive)));
        words.extend(row.error.clone());
        writeln!(out, "    {}", printable(&words.join("; ")))?;
    }
    Ok(())
}

fn trend(rows: &[TrendRow], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:10}  {:>7}  {:>9}  {:>13}  {:>12}  {:>6}  profile", "period", "targets", "compliant", "not compliant", "inconclusive", "unread")?;
    for row in rows {
        writeln!(
            out,
            "{:10}  {:>7}  {:>9}  {:>13}  {:>12}  {:>6}  {}",
            printable(&row.period),
            row.targets,
            row.compliant,
            row.not_compliant,
            row.inconclusive,
            row.unread,
            printable(row.profile.as_deref().unwrap_or("-"))
        )?;
    }
    Ok(())
}

fn rules(rows: &[RuleRow], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:>6}  {:>6}  {:>12}  {:>6}  rule", "failed", "waived", "inconclusive", "passed")?;
    for row in rows {
        let profile = row.profile.as_deref().unwrap_or("-");
        writeln!(
            out,
            "{:>6}  {:>6}  {:>12}  {:>6}  {}  {}",
            row.failed,
            row.waived,
            row.inconclusive,
            row.passed,
            printable(&row.rule),
            printable(profile)
        )?;
    }
    Ok(())
}
