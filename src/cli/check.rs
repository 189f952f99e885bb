//! `preloaded check`.

use std::io;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::bundle::BundleArguments;
use super::exit::{Exit, usage};
use super::target::{Reading, TargetArguments};
use super::terminal;
use crate::assess::{applicable, assess};
use crate::check::{self, Context, Presence};
use crate::collect::SourceError;
use crate::inventory::{DeviceKind, OsFlavour, Tool};
use crate::profile::{self, Basis, Profile};
use crate::report::{self, Coverage, Run, TargetReport, TargetResult};

/// Judge phones, firmware or saved inventories under a profile
///
/// Without a TARGET every phone attached to the ADB server is judged.
#[derive(Debug, Args)]
#[command(after_help = concat!("Examples:
    preloaded check --profile ru/smartphone
    preloaded check firmware.zip --profile ru/smartphone --as-of 2026-06-01 --format json

Exits 0 compliant, 1 not compliant, 2 wrong usage or profile, 3 inconclusive, 4 unreadable, 75 try again."))]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// A profile by name (see `preloaded profile list`) or a TOML file
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: String,

    /// Judge as on this day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,

    /// The day on which the device was made
    #[arg(long, value_name = "YYYY-MM-DD")]
    made: Option<Date>,

    /// The day on which the device is or was sold
    #[arg(long, value_name = "YYYY-MM-DD")]
    sold: Option<Date>,

    /// Which date governs where the day made and the day sold lead to different answers
    #[arg(long, value_enum)]
    governing: Option<Governing>,

    /// Kind of device, where its own word is missing or wrong: phone, tablet, tv, watch, car, other
    #[arg(long, value_name = "KIND", value_parser = device_kind)]
    kind: Option<DeviceKind>,

    /// Operating system, where its own word is missing or wrong: android, hyperos, harmonyos, androidtv ...
    #[arg(long, value_name = "FLAVOUR", value_parser = os_flavour)]
    os: Option<OsFlavour>,

    /// What counts as an app's presence
    #[arg(long, value_enum, default_value = "installed")]
    presence: PresenceArgument,

    #[command(flatten)]
    bundle: BundleArguments,

    /// Form of the report on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    format: &'static str,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Governing {
    /// The day made
    Made,
    /// The day sold
    Sold,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PresenceArgument {
    /// The package itself; its absence is a failure
    Installed,
    /// Any lawful method, also those that can't be seen; a bare absence is inconclusive
    AnyMethod,
}

fn device_kind(word: &str) -> Result<DeviceKind, String> {
    let names = DeviceKind::ALL.map(DeviceKind::as_str);
    let found = DeviceKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn os_flavour(word: &str) -> Result<OsFlavour, String> {
    let names = OsFlavour::ALL.map(OsFlavour::as_str);
    let found = OsFlavour::ALL.into_iter().find(|flavour| flavour.as_str() == word);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn format(word: &str) -> Result<&'static str, String> {
    let names: Vec<&str> = report::FORMATS.iter().map(|format| format.name()).collect();
    let found = names.iter().copied().find(|name| *name == word);
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

impl Arguments {
    fn context(&self) -> Context {
        Context {
            as_of: self.as_of.unwrap_or_else(today),
            made: self.made,
            sold: self.sold,
            governing: self.governing.map(|governing| match governing {
                Governing::Made => Basis::Made,
                Governing::Sold => Basis::Sold,
            }),
            kind: self.kind,
            os_flavour: self.os,
            presence: match self.presence {
                PresenceArgument::Installed => Presence::Installed,
                PresenceArgument::AnyMethod => Presence::AnyMethod,
            },
        }
    }
}

/// Today in UTC: the one zone that is the same on every machine.
fn today() -> Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let context = arguments.context();
    // Whatever is wrong with the profile is said before any phone is touched.
    let profile = profile::load(&arguments.profile).map_err(|error| usage(error.to_string()))?;
    applicable(&profile, &context).map_err(|error| usage(error.to_string()))?;
    let packages = check::packages(&profile).map_err(|error| usage(error.to_string()))?;
    let bundle = arguments.bundle.open()?;
    let readings = arguments.target.read_recording(true, &packages, bundle.is_some())?;
    let mut targets = Vec::new();
    let mut material = Vec::new();
    for mut reading in readings {
        if bundle.is_some() {
            let recorded = reading.recorded.take().unwrap_or_default();
            material.push(reading.result.as_ref().ok().map(|inventory| (inventory.clone(), recorded)));
        }
        targets.push(judge(reading, &profile, &context)?);
    }
    let exit = Exit::of_all(targets.iter().map(Exit::of));
    let run =
        Run { schema_version: report::SCHEMA_VERSION.to_owned(), tool: Tool::this(), exit_code: exit as u8, targets };
    if let Some(bundle) = bundle {
        bundle.write(&run, &material, &profile, &context)?;
    }
    let format = report::FORMATS.iter().find(|format| format.name() == arguments.format);
    let format = format.context("the format is not in the table")?;
    format.write(&run, &terminal::style(), &mut io::stdout().lock())?;
    Ok(exit)
}

pub(super) fn judge(reading: Reading, profile: &Profile, context: &Context) -> anyhow::Result<TargetReport> {
    let Reading { target, result, .. } = reading;
    Ok(match result {
        Ok(inventory) => {
            let assessment = Box::new(assess(profile, &inventory, context)?);
            let result = TargetResult::Judged {
                coverage: Coverage::of(&inventory)?,
                assessment,
                device: Box::new(inventory.device),
            };
            TargetReport { target: inventory.target, result }
        }
        Err(error) => {
            let temporary = matches!(error, SourceError::Temporary(_));
            TargetReport { target, result: TargetResult::Unread { temporary, error: error.to_string() } }
        }
    })
}
