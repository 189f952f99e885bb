//! `preloaded why`.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, usage};
use super::form::{Form, write_json};
use super::scan::unread;
use super::target::TargetArguments;
use crate::inventory::{Evidence, Inventory, Outcome, Package, PredictedGrant, Reason, ReasonCode};
use crate::platform::permissions::{Definition, Lookup, Source};
use crate::platform::{grants, protection};
use crate::report::printable;

/// Tell why a package will hold a permission after the first start, or not
///
/// Follows Android's own steps, each with the file and line that decides it. Exits 0 when the answer is clear, 3 when it is
/// not.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n    preloaded why com.android.dialer android.permission.CALL_PRIVILEGED firmware.zip"
)]
pub(super) struct Arguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: String,

    /// The permission
    #[arg(value_name = "PERMISSION")]
    permission: String,

    #[command(flatten)]
    target: TargetArguments,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

/// The answer, as JSON has it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    package: &'a str,
    permission: &'a str,
    /// Whether the package asks for it, itself or by another permission.
    requested: bool,
    outcome: Option<Outcome>,
    fixed: bool,
    implied_by: Option<&'a str>,
    /// Where the package asks for it.
    requested_at: Option<String>,
    level: Option<String>,
    declared_by: Option<String>,
    declared_at: Option<String>,
    reasons: Vec<Step>,
    /// What a phone says of the permission, for each user.
    actual: Vec<String>,
}

/// A step of the chain.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    code: ReasonCode,
    text: String,
    /// `file:line`, or the place within a file.
    at: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (inventory, exit) = one(&arguments.target, "why", &arguments.package)?;
    let package = found(&inventory, &arguments.package)?;
    let predictions = grants::predict(&inventory);
    let predicted = predictions.get(&package.name);
    if let Some(gap) = predicted.and_then(|fact| fact.gap()) {
        return Err(super::exit::Failed(
            Exit::Inconclusive,
            format!("{}: what it asks for is not known: {}", package.name, gap.detail),
        )
        .into());
    }
    let grants = predicted.and_then(|fact| fact.known()).map(Vec::as_slice).unwrap_or_default();
    let grant = grants.iter().find(|grant| grant.permission == arguments.permission);
    let answer = answer(&inventory, package, &arguments.permission, grant);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Text => write_text(&answer, &mut out)?,
        Form::Json => {
            write_json(&answer, &mut out)?;
        }
    }
    out.flush()?;
    Ok(if answer.outcome == Some(Outcome::Unknown) { Exit::Inconclusive } else { exit })
}

/// The inventory of the one target of a command about one package, and the exit code of a clear answer.
pub(super) fn one(target: &TargetArguments, command: &str, package: &str) -> anyhow::Result<(Inventory, Exit)> {
    let mut readings = target.read(false, &[package.to_owned()])?;
    let reading = match readings.len() {
        1 => readings.remove(0),
        count => return Err(usage(format!("{command} takes one target, these are {count}: use adb:SERIAL"))),
    };
    Ok((reading.result.map_err(|error| unread(&reading.target.name, &error))?, Exit::Compliant))
}

/// The package of that name.
///
/// # Errors
/// It is not there: 2 where that is certain, 3 where it may be hidden by a gap.
pub(super) fn found<'a>(inventory: &'a Inventory, name: &str) -> anyhow::Result<&'a Package> {
    if let Some(package) = inventory.package(name) {
        return Ok(package);
    }
    let hidden = inventory.gaps_hiding_packages().count();
    if hidden == 0 {
        return Err(usage(format!("{name} is not on {}", inventory.target.name)));
    }
    let text = format!("{name} is not among the packages that were read; {hidden} gaps may hide it");
    Err(super::exit::Failed(Exit::Inconclusive, text).into())
}

fn answer<'a>(
    inventory: &Inventory,
    package: &'a Package,
    permission: &'a str,
    grant: Option<&'a PredictedGrant>,
) -> Answer<'a> {
    let (level, declared_by, declared_at) = declared(inventory, permission);
    let requested_at = package.active().and_then(|copy| copy.requested_permissions.evidence());
    Answer {
        package: &package.name,
        permission,
        requested: grant.is_some(),
        outcome: grant.map(|grant| grant.outcome),
        fixed: grant.is_some_and(|grant| grant.fixed),
        implied_by: grant.and_then(|grant| grant.implied_by.as_deref()),
        requested_at: requested_at.filter(|_| grant.is_some()).and_then(|evidence| place(inventory, evidence)),
        level,
        declared_by,
        declared_at,
        reasons: grant.map(|grant| steps(inventory, &grant.reasons)).unwrap_or_default(),
        actual: actual(package, permission),
    }
}

/// What phones say of a permission, by user.
pub(super) fn actual(package: &Package, permission: &str) -> Vec<String> {
    let grants = package.grants.known().map(Vec::as_slice).unwrap_or_default();
    let word = |granted: bool| if granted { "granted" } else { "refused" };
    let of = grants.iter().filter(|grant| grant.permission == permission);
    of.map(|grant| match grant.user {
        Some(user) => format!("{} for user {user}", word(grant.granted)),
        None => word(grant.granted).to_owned(),
    })
    .collect()
}

/// Level of a permission, who declares it, and where.
pub(super) fn declared(inventory: &Inventory, permission: &str) -> (Option<String>, Option<String>, Option<String>) {
    let of = |definition: &Definition<'_>| {
        let at = match definition.source {
            Source::Declared(evidence) => evidence.and_then(|evidence| place(inventory, evidence)),
            Source::Table { sdk, exact: true } => Some(format!("built-in table of AOSP, API {sdk}")),
            Source::Table { sdk, exact: false } => {
                Some(format!("built-in table of AOSP, API {sdk}, the nearest to the device's"))
            }
        };
        (definition.level.map(protection::words), Some(definition.package.to_owned()), at)
    };
    match grants::definition(inventory, permission) {
        Some(Lookup::One(definition)) => of(&definition),
        Some(Lookup::Several(definitions)) => {
            let names: Vec<&str> = definitions.iter().map(|definition| definition.package).collect();
            (None, Some(names.join(", ")), None)
        }
        Some(Lookup::Undefined | Lookup::NotKnown) | None => (None, None, None),
    }
}

/// Reasons in words with their places.
pub(super) fn steps(inventory: &Inventory, reasons: &[Reason]) -> Vec<Step> {
    let step = |reason: &Reason| Step {
        code: reason.code,
        text: grants::words(reason),
        at: reason.evidence.as_ref().and_then(|evidence| place(inventory, evidence)),
    };
    reasons.iter().map(step).collect()
}

/// `file:line` for evidence with a line, else the file and the place within it.
pub(super) fn place(inventory: &Inventory, evidence: &Evidence) -> Option<String> {
    let origin = inventory.origin(evidence)?;
    Some(match evidence.at.as_deref() {
        None => origin.name.clone(),
        Some(at) => match at.strip_prefix("line ") {
            Some(line) => format!("{}:{line}", origin.name),
            None => format!("{}: {at}", origin.name),
        },
    })
}

fn write_text(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    let safe = |text: &str| printable(text).into_owned();
    let outcome = match answer.outcome {
        None => "not asked for".to_owned(),
        Some(outcome) if answer.fixed => format!("{}, and the user can't take it back", outcome.as_str()),
        Some(outcome) => outcome.as_str().to_owned(),
    };
    writeln!(out, "{}  {}", safe(answer.package), safe(answer.permission))?;
    writeln!(out, "    {:<13} {outcome}", "at first boot")?;
    for text in &answer.actual {
        writeln!(out, "    {:<13} {}", "on the phone", safe(text))?;
    }
    if let Some(place) = &answer.requested_at {
        writeln!(out, "    {:<13} {}", "asked for", safe(place))?;
    }
    match answer.implied_by {
        Some(grants::BY_TARGET) => writeln!(out, "    {:<13} by its target alone, which is older than it", "implied")?,
        Some(source) => writeln!(out, "    {:<13} by {}", "implied", safe(source))?,
        None => {}
    }
    match (&answer.level, &answer.declared_by) {
        (Some(level), Some(package)) => {
            writeln!(out, "    {:<13} {}, declared by {}", "level", safe(level), safe(package))?;
        }
        (None, Some(packages)) => writeln!(out, "    {:<13} declared by {}", "level", safe(packages))?,
        _ => writeln!(out, "    {:<13} unknown", "level")?,
    }
    if let Some(place) = &answer.declared_at {
        writeln!(out, "    {:<13} {}", "", safe(place))?;
    }
    let mut title = "because";
    for step in &answer.reasons {
        writeln!(out, "    {title:<13} {}", safe(&step.text))?;
        if let Some(place) = &step.at {
            writeln!(out, "    {:<13} {}", "", safe(place))?;
        }
        title = "";
    }
    Ok(())
}

impl Step {
    /// One line: the words, and the place in brackets.
    pub(super) fn line(&self) -> String {
        match &self.at {
            Some(at) => format!("{} [{at}]", self.text),
            None => self.text.clone(),
        }
    }
}
