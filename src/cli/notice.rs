//! `preloaded notice`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::exit::{Exit, usage};
use super::judging::JudgingArguments;
use super::output::IdentityArguments;
use super::target::{Reading, TargetArguments};
use super::{report_file, terminal};
use crate::assess::Prepared;
use crate::collect::SourceError;
use crate::profile;
use crate::report::notice::{DEFAULT, NoticeKind, Template, notice};
use crate::report::{Coverage, TargetReport, TargetResult, printable};

/// Write what a shop tells the buyer of a device that failed: disclosure, price tag, product card, in Russian
///
/// From a report in JSON, or from a target judged under --profile. The wording is the shop's own: it stands in a template
/// that --template names and --print-template prints. It is no legal advice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
    preloaded notice report.json --text price-tag
    preloaded notice adb:SERIAL --profile ru/smartphone --sold 2026-06-01
    preloaded notice --print-template > our-words.toml

Exits 0 nothing is to be disclosed, 1 a rule failed and the texts were written, 2 wrong usage or template, 3 no rule failed, but
something could not be settled and no text was written, 4 unreadable, 75 try again.")]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// Judge under this profile; not for reports, which are judged already
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: Option<String>,

    #[command(flatten)]
    judging: JudgingArguments,

    /// Words of the shop's own
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,

    /// Write this text only, without its heading: disclosure, price-tag, product-card, or one of the template's own
    #[arg(long, value_name = "NAME")]
    text: Option<String>,

    /// Print the template that comes with the program
    #[arg(long)]
    print_template: bool,

    #[command(flatten)]
    identity: IdentityArguments,
}

pub(super) fn run(mut arguments: Arguments) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    if arguments.print_template {
        out.write_all(DEFAULT.as_bytes())?;
        return Ok(Exit::Compliant);
    }
    let template = match &arguments.template {
        Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None => DEFAULT.to_owned(),
    };
    let template = Template::parse(&template).map_err(|error| usage(error.to_string()))?;
    if let Some(name) = arguments.text.as_ref().filter(|name| template.texts.iter().all(|text| text.name != **name)) {
        let names: Vec<&str> = template.texts.iter().map(|text| text.name.as_str()).collect();
        return Err(usage(format!("the template has no text {name}; it has {}", names.join(", "))));
    }
    let identity = arguments.identity.identity()?;
    let targets = read(&mut arguments)?;
    let several = targets.len() > 1;
    let mut codes = Vec::new();
    for (index, report) in targets.iter().enumerate() {
        let TargetResult::Judged { device, assessment, .. } = &report.result else {
            terminal::complain(&format!("{}: was not read, nothing can be said of it", report.target.name));
            codes.push(Exit::of(report));
            continue;
        };
        let notice = notice(&template, device, assessment);
        let shown = match terminal::is_terminal() {
            true => report.target.name.clone(),
            false => identity.name(&report.target, index + 1),
        };
        let name = printable(&shown);
        codes.push(match notice.kind {
            NoticeKind::Due => Exit::NotCompliant,
            NoticeKind::Nothing => {
                terminal::complain(&format!("{name}: nothing is to be disclosed under {}", assessment.profile.id));
                Exit::Compliant
            }
            NoticeKind::Unsettled => {
                terminal::complain(&format!("{name}: no rule failed, but not everything could be settled: no text"));
                Exit::Inconclusive
            }
        });
        if several && notice.kind == NoticeKind::Due {
            writeln!(out, "# {name}\n")?;
        }
        for text in notice.texts.iter().filter(|text| arguments.text.as_ref().is_none_or(|name| *name == text.name)) {
            if arguments.text.is_none() {
                writeln!(out, "## {}\n", text.title)?;
            }
            writeln!(out, "{}", text.body)?;
            if arguments.text.is_none() || several {
                writeln!(out)?;
            }
        }
    }
    Ok(Exit::of_all(codes))
}

fn read(arguments: &mut Arguments) -> anyhow::Result<Vec<TargetReport>> {
    let mut targets = Vec::new();
    for name in arguments.target.named() {
        if report_file::recognizes(Path::new(&name)) {
            targets.extend(report_file::read(Path::new(&name))?.targets);
        }
    }
    let reports = !targets.is_empty();
    arguments.target.retain(|name| !report_file::recognizes(Path::new(name)));
    if reports && arguments.target.named().is_empty() {
        return Ok(targets);
    }
    let Some(profile) = &arguments.profile else {
        return Err(usage("name a report in JSON, or a target and --profile"));
    };
    let context = arguments.judging.context();
    let profile = profile::load(profile).map_err(|error| usage(error.to_string()))?;
    let prepared = Prepared::new(&profile, &context).map_err(|error| usage(error.to_string()))?;
    for reading in arguments.target.read(true, &prepared.packages())? {
        targets.push(judge(reading, &prepared)?);
    }
    Ok(targets)
}

fn judge(reading: Reading, prepared: &Prepared<'_>) -> anyhow::Result<TargetReport> {
    let Reading { target, result, .. } = reading;
    Ok(match result {
        Ok(inventory) => {
            let result = TargetResult::Judged {
                coverage: Coverage::of(&inventory)?,
                assessment: Box::new(prepared.assess(&inventory)),
                device: Box::new(inventory.device),
            };
            TargetReport { target: inventory.target, result, inventory: None }
        }
        Err(error) => {
            let temporary = matches!(error, SourceError::Temporary(_));
            let result = TargetResult::Unread { temporary, error: error.to_string() };
            TargetReport { target, result, inventory: None }
        }
    })
}
