//! `preloaded show`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::form::{Form, write_json};
use super::target::TargetArguments;
use super::why::{self, Step};
use crate::inventory::{Fact, Gap, Ground, Inventory, LauncherPlace, Outcome, Package, PackageCopy, PredictedGrant};
use crate::platform::{conclusions, launcher, presence};
use crate::report::printable;

/// Show everything that is known of one package
///
/// How it is there, whether the user can be rid of it, where its icon stands, its copies with their signers and components,
/// and its permissions, each with the reasons and where they were read. `?` stands where a fact is unknown. Exits 0 when the
/// package was found or arrives at set-up, 3 when a gap may hide it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n    preloaded show ru.oneme.app firmware.zip")]
pub(super) struct Arguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: String,

    #[command(flatten)]
    target: TargetArguments,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

/// The package with what follows from it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    target: &'a crate::inventory::Target,
    /// Its name.
    name: &'a str,
    presence: Conclusion<&'static str>,
    /// `null` for an app that is no package yet.
    removability: Option<Conclusion<&'static str>>,
    launcher_place: Conclusion<LauncherPlace>,
    /// As inventories have it; `null` for an app that is no package yet.
    package: Option<&'a Package>,
    permissions: Vec<Permission<'a>>,
}

/// What was concluded, with the grounds.
#[derive(Debug, Serialize)]
struct Conclusion<T> {
    /// `null` where it is unknown.
    value: Option<T>,
    /// Why it is unknown.
    unknown: Option<Gap>,
    reasons: Vec<GroundShown>,
}

/// A ground of a conclusion.
#[derive(Debug, Serialize)]
struct GroundShown {
    /// Its public code; `null` for what has none.
    code: Option<serde_json::Value>,
    text: Option<String>,
    /// `file:line`, or the place within a file.
    at: Option<String>,
}

impl<T: Copy> Conclusion<T> {
    fn of<F>(fact: &Fact<F>, value: impl FnOnce(&F) -> T, reasons: impl FnOnce(&F) -> Vec<GroundShown>) -> Self {
        match fact {
            Fact::Known { value: known, .. } => {
                Self { value: Some(value(known)), unknown: None, reasons: reasons(known) }
            }
            Fact::Unknown(gap) => Self { value: None, unknown: Some(gap.clone()), reasons: Vec::new() },
        }
    }
}

fn grounds<C: Serialize>(inventory: &Inventory, grounds: &[Ground<C>]) -> Vec<GroundShown> {
    let shown = |ground: &Ground<C>| GroundShown {
        code: serde_json::to_value(&ground.code).ok(),
        text: Some(ground.says.clone()),
        at: why::place(inventory, &ground.evidence),
    };
    grounds.iter().map(shown).collect()
}

/// A permission that it asks for.
#[derive(Debug, Serialize)]
struct Permission<'a> {
    name: &'a str,
    level: Option<String>,
    predicted: Outcome,
    fixed: bool,
    implied_by: Option<&'a str>,
    /// What a phone says, for each user.
    actual: Vec<String>,
    reasons: Vec<Step>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (mut inventory, exit) = why::one(&arguments.target, "show", &arguments.package)?;
    conclusions::complete(&mut inventory);
    let name = arguments.package.as_str();
    let arrives = inventory.arrivals.known().into_iter().flatten().any(|arrival| arrival.package == name);
    let package = match why::found(&inventory, name) {
        Ok(package) => Some(package),
        // It is no package yet, and yet it shows or arrives.
        Err(_) if arrives => None,
        Err(error) => return Err(error),
    };
    let predicted = package.and_then(|package| package.predicted_grants.known()).map(Vec::as_slice).unwrap_or_default();
    let permissions = predicted.iter().map(|grant| permission(&inventory, package, grant));
    let place = match package {
        Some(package) => package.launcher_place.clone(),
        None => launcher::place(&inventory, name),
    };
    let place_at = |_: &LauncherPlace| {
        let at = place.evidence().and_then(|evidence| why::place(&inventory, evidence));
        vec![GroundShown { code: None, text: None, at }]
    };
    let shown = Shown {
        target: &inventory.target,
        name,
        presence: Conclusion::of(
            &presence::of(&inventory, name),
            |found| found.state.as_str(),
            |found| grounds(&inventory, &found.grounds),
        ),
        removability: package.map(|package| {
            Conclusion::of(
                &package.removability,
                |found| found.grade.as_str(),
                |found| grounds(&inventory, &found.grounds),
            )
        }),
        launcher_place: Conclusion::of(&place, |place| *place, place_at),
        package,
        permissions: permissions.collect(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Text => write_text(&inventory, &shown, &mut out)?,
        Form::Json => {
            write_json(&shown, &mut out)?;
        }
    }
    out.flush()?;
    Ok(exit)
}

fn permission<'a>(inventory: &Inventory, package: Option<&Package>, grant: &'a PredictedGrant) -> Permission<'a> {
    let (level, _, _) = why::declared(inventory, &grant.permission);
    Permission {
        name: &grant.permission,
        level,
        predicted: grant.outcome,
        fixed: grant.fixed,
        implied_by: grant.implied_by.as_deref(),
        actual: package.map(|package| why::actual(package, &grant.permission)).unwrap_or_default(),
        reasons: why::steps(inventory, &grant.reasons),
    }
}

/// Lines of a title and a text.
struct Lines<'w>(&'w mut dyn Write);

impl Lines<'_> {
    fn line(&mut self, title: &str, text: &str) -> io::Result<()> {
        writeln!(self.0, "    {title:<13} {}", printable(text))
    }

    /// A conclusion with its grounds below it, or why it is not known.
    fn conclusion<T>(
        &mut self,
        title: &str,
        conclusion: &Conclusion<T>,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        match (&conclusion.value, &conclusion.unknown) {
            (Some(value), _) => self.line(title, &text(value))?,
            (None, Some(gap)) => self.unknown(title, gap)?,
            (None, None) => self.line(title, "?")?,
        }
        for reason in &conclusion.reasons {
            let line = match (&reason.text, &reason.at) {
                // Grounds about a file begin with its path.
                (Some(text), Some(at)) if text.starts_with(at) => text.clone(),
                (Some(text), Some(at)) => format!("{text} [{at}]"),
                (Some(text), None) => text.clone(),
                (None, Some(at)) => format!("[{at}]"),
                (None, None) => continue,
            };
            self.line("", &line)?;
        }
        Ok(())
    }

    fn unknown(&mut self, title: &str, gap: &Gap) -> io::Result<()> {
        self.line(title, &format!("? [{}] {}: {}", gap.reason.as_str(), gap.place, gap.detail))
    }

    /// A fact, or why it is not known.
    fn fact<T>(&mut self, title: &str, fact: &Fact<T>, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        match fact {
            Fact::Known { value, .. } => self.line(title, &text(value)),
            Fact::Unknown(gap) => self.unknown(title, gap),
        }
    }
}

fn write_text(inventory: &Inventory, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable(shown.name))?;
    let mut lines = Lines(out);
    lines.conclusion("presence", &shown.presence, |state| (*state).to_owned())?;
    if let Some(removability) = &shown.removability {
        lines.conclusion("removability", removability, |grade| (*grade).to_owned())?;
    }
    lines.conclusion("icon", &shown.launcher_place, |place| place.describe())?;
    let Some(package) = shown.package else { return Ok(()) };
    let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    lines.fact("shared user", &package.shared_user, optional)?;
    lines.fact("user id", &package.uid, u32::to_string)?;
    lines.fact("installer", &package.installer, optional)?;
    lines.fact("users", &package.users, |states| {
        let of = states.iter().map(|state| {
            let installed = if state.installed { "installed" } else { "not installed" };
            format!("{}: {installed}, {:?}", state.user, state.enabled).to_ascii_lowercase()
        });
        of.collect::<Vec<_>>().join("; ")
    })?;
    for copy in &package.copies {
        write_copy(inventory, copy, &mut lines)?;
    }
    writeln!(lines.0, "\n  permissions")?;
    match &package.predicted_grants {
        Fact::Unknown(gap) => lines.unknown("", gap)?,
        Fact::Known { .. } if shown.permissions.is_empty() => lines.line("", "it asks for none")?,
        Fact::Known { .. } => {}
    }
    for permission in &shown.permissions {
        let level = permission.level.as_deref().unwrap_or("?");
        writeln!(
            lines.0,
            "    {:<9} {} ({})",
            permission.predicted.as_str(),
            printable(permission.name),
            printable(level)
        )?;
        let mut notes = permission.actual.iter().map(|text| format!("on the phone: {text}")).collect::<Vec<_>>();
        if let Some(source) = permission.implied_by {
            notes.push(format!("implied by {source}"));
        }
        notes.extend(permission.reasons.iter().map(Step::line));
        for note in notes {
            writeln!(lines.0, "              {}", printable(&note))?;
        }
    }
    Ok(())
}

fn write_copy(inventory: &Inventory, copy: &PackageCopy, lines: &mut Lines<'_>) -> io::Result<()> {
    writeln!(lines.0, "\n  {}", printable(&copy.path))?;
    lines.line("copy", &format!("{:?}", copy.role).to_ascii_lowercase())?;
    lines.fact("partition", &copy.partition, Clone::clone)?;
    lines.fact("place", &copy.placement, |placement| placement.as_str().to_owned())?;
    lines.fact("version", &copy.version_code, |code| {
        let name = copy.version_name.known().and_then(Option::as_deref).unwrap_or("?");
        format!("{code} ({name})")
    })?;
    lines.fact("target", &copy.target_sdk, |target| {
        let least = copy.min_sdk.known().map_or_else(|| "?".to_owned(), u32::to_string);
        format!("API {target}, at least {least}")
    })?;
    lines.fact("label", &copy.label, |label| label.clone().unwrap_or_else(|| "none".to_owned()))?;
    lines.fact("signers", &copy.signers, |signers| {
        // A certificate may stand in several schemes.
        let of: BTreeSet<String> = signers
            .iter()
            .map(|signer| {
                let name = signer.sha256.as_deref().unwrap_or(&signer.hash_code);
                match &signer.published_key {
                    Some(key) => format!("{name} (published key: {key})"),
                    None => name.to_owned(),
                }
            })
            .collect();
        if of.is_empty() { "unsigned".to_owned() } else { Vec::from_iter(of).join(", ") }
    })?;
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    lines.fact("flags", &copy.flags, |flags| list(flags))?;
    lines.fact("activities", &copy.launcher, |launcher| list(launcher))?;
    lines.fact("splits", &copy.splits, |splits| {
        list(&splits.iter().map(|split| split.name.clone()).collect::<Vec<_>>())
    })?;
    lines.fact("code", &copy.code, |code| {
        let dex = code.dex_files.map_or_else(|| "?".to_owned(), |files| files.to_string());
        format!("{dex} DEX files, native code for {}", list(&code.abis))
    })?;
    lines.fact("components", &copy.manifest, |manifest| {
        format!("{}, {} of them open to other apps", manifest.components, manifest.exported.len())
    })?;
    if let Some(manifest) = copy.manifest.known() {
        for component in &manifest.exported {
            let guard = component.permission.as_deref().unwrap_or("no permission");
            lines.line("", &format!("{} {} ({guard})", component.kind, component.name))?;
        }
        lines.line("roles", &list(&manifest.roles))?;
        let hooks: Vec<String> =
            manifest.hooks.iter().map(|hook| format!("{} {}", hook.kind, hook.component)).collect();
        lines.line("hooks", &list(&hooks))?;
    }
    lines.fact("answers", &copy.answers, |answers| {
        list(&answers.iter().map(|answer| answer.intent.clone()).collect::<Vec<_>>())
    })?;
    lines.fact("declares", &copy.declared_permissions, |declared| {
        let of = declared
            .iter()
            .map(|permission| format!("{} ({})", permission.name, permission.protection.as_deref().unwrap_or("?")));
        list(&of.collect::<Vec<_>>())
    })?;
    if let Some(place) = copy.version_code.evidence().and_then(|evidence| why::place(inventory, evidence)) {
        lines.line("read from", &place)?;
    }
    Ok(())
}
