//! `preloaded check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::bundle::BundleArguments;
use super::events::Events;
use super::exit::{Exit, usage};
use super::history::{StoreArguments, is_nameless};
use super::output::{OutputArguments, formats_help};
use super::profile::sign::{keys, verified_profile};
use super::target::{Reading, TargetArguments};
use super::{save, summary, terminal};
use crate::assess::{KnownFailures, Overlays, Prepared, ProfileSignature};
use crate::check::{Context, Presence};
use crate::collect::SourceError;
use crate::evidence::bundle;
use crate::inventory::{DeviceKind, OsFlavour, Tool};
use crate::profile::{self, Basis, Profile};
use crate::report::{self, Coverage, EventKind, Identity, Run, TargetReport, TargetResult, printable};

/// Judge phones, firmware or saved inventories under a profile
///
/// Without a TARGET every phone attached to the ADB server is judged.
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
    preloaded check --profile ru/smartphone
    preloaded check firmware.zip --profile ru/smartphone --as-of 2026-06-01 --format json
    preloaded check adb --profile ru/smartphone -o html=report.html -o junit=report.xml -o json=report.json

{}
Exits 0 compliant, 1 not compliant, 2 wrong usage or profile, 3 inconclusive, 4 unreadable, 75 try again.", formats_help()))]
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

    /// Market that the device is for, as an ISO 3166-1 code
    #[arg(long, value_name = "CODE", value_parser = market)]
    market: Option<String>,

    /// What counts as an app's presence
    #[arg(long, value_enum, default_value = "installed")]
    presence: PresenceArgument,

    /// Refuse a profile of a file that none of the keys of --profile-key signed (FILE.minisig beside it)
    #[arg(long, requires = "profile_key", help_heading = "Signatures")]
    require_signed_profile: bool,

    /// A public key that may have signed the profile: of minisign, or ed25519 in PEM; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Signatures")]
    profile_key: Vec<PathBuf>,

    /// A file of failures that are accepted for a time
    #[arg(long, value_name = "FILE", help_heading = "Waivers and baselines")]
    waivers: Option<PathBuf>,

    /// A file of answers to what only a person can see, as `preloaded attest` writes it
    #[arg(long, value_name = "FILE", help_heading = "Waivers and baselines")]
    attestations: Option<PathBuf>,

    /// An older JSON report: each failure is marked as new or known
    #[arg(long, value_name = "REPORT", help_heading = "Waivers and baselines")]
    baseline: Option<PathBuf>,

    /// Failures that the baseline has already do not count, and are not listed one by one
    #[arg(long, requires = "baseline", help_heading = "Waivers and baselines")]
    only_new: bool,

    /// Also save each target's inventory into this folder, as soon as it is read
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,

    #[command(flatten)]
    store: StoreArguments,

    #[command(flatten)]
    bundle: BundleArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Leave the inventories out of JSON and HTML: smaller files, of which no bill of materials can be made later
    #[arg(long, help_heading = "Reports")]
    findings_only: bool,

    /// Write what happens, as it happens, as lines of JSON to a file; `-` for standard output
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    events: Option<PathBuf>,
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

fn market(word: &str) -> Result<String, String> {
    let code = word.to_ascii_uppercase();
    let fits = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if fits { Ok(code) } else { Err("an ISO 3166-1 code of two letters, such as RU".to_owned()) }
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
            market: self.market.clone(),
            presence: match self.presence {
                PresenceArgument::Installed => Presence::Installed,
                PresenceArgument::AnyMethod => Presence::AnyMethod,
            },
        }
    }
}

/// Today in UTC: the one zone that is the same on every machine.
pub(super) fn today() -> Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let context = arguments.context();
    // Whatever is wrong with the profile, the waivers or an older report is said before any phone is touched.
    let profile = profile::load(&arguments.profile).map_err(|error| usage(error.to_string()))?;
    if arguments.require_signed_profile && arguments.profile_key.is_empty() {
        // Set by a configuration, it is not held against its requirements by the command line.
        return Err(usage("--require-signed-profile needs the keys that may have signed it: --profile-key FILE"));
    }
    let signature = if arguments.profile_key.is_empty() {
        None
    } else {
        verified_profile(&keys(&arguments.profile_key)?, &profile, arguments.require_signed_profile)?
    };
    let prepared = Prepared::new(&profile, &context).map_err(|error| usage(error.to_string()))?;
    let overlays = Mutex::new(arguments.overlays()?);
    let events_on_stdout = arguments.events.as_deref() == Some(Path::new("-"));
    let outputs = arguments.output.open(events_on_stdout)?;
    if let Some(format) = outputs.needing_inventories().filter(|_| arguments.findings_only) {
        return Err(usage(format!("{format} shows nothing but inventories, and --findings-only leaves them out")));
    }
    let events = Events::open(arguments.events.as_deref(), outputs.identity().clone())?;
    let keep = outputs.wants_inventories() && !arguments.findings_only;
    let evidence = arguments.bundle.open()?;
    let history = arguments.store.open()?;
    let material = Mutex::new(BTreeMap::new());
    let plan = arguments.target.plan(true, &prepared.packages())?.recording(evidence.is_some());
    let (all, done) = (plan.len(), AtomicUsize::new(0));
    let targets = plan.read(&events, |index, mut reading, board| {
        if let (Some(folder), Ok(inventory)) = (&arguments.save, &reading.result) {
            let mut inventory = inventory.clone();
            outputs.identity().apply_to_inventory(&mut inventory);
            save::inventory(folder, &outputs.identity().name(&reading.target, index + 1), &inventory)?;
        }
        if let (true, Ok(inventory)) = (evidence.is_some(), &reading.result) {
            let kept = (inventory.clone(), reading.recorded.take().unwrap_or_default());
            material.lock().unwrap_or_else(PoisonError::into_inner).insert(index, kept);
        }
        let name = reading.target.name.clone();
        let judge = Judge {
            profile: &profile,
            prepared: &prepared,
            signature: signature.as_ref(),
            as_of: context.as_of,
            overlays: &overlays,
            identity: outputs.identity(),
            keep,
        };
        let report = judge.report(index, reading)?;
        events.judged(index, &report);
        let number = done.fetch_add(1, Ordering::Relaxed) + 1;
        if all > 1 {
            board.say(&format!("{number} of {all}  {}  {}", summary::word(&report), printable(&name)));
        }
        Ok(report)
    })?;
    let exit = Exit::of_all(targets.iter().map(Exit::of));
    let mut run = Run {
        schema_version: report::SCHEMA_VERSION.to_owned(),
        tool: Tool::this(),
        exit_code: exit as u8,
        targets,
        notices: overlays.into_inner().unwrap_or_else(PoisonError::into_inner).notices(context.as_of),
    };
    let bundled = evidence.map(|evidence| {
        let material = material.into_inner().unwrap_or_else(PoisonError::into_inner);
        let signed = signature.as_ref().map(|_| PathBuf::from(format!("{}.minisig", profile.file())));
        let laid_over = [
            (bundle::WAIVERS, &arguments.waivers),
            (bundle::ATTESTATIONS, &arguments.attestations),
            (bundle::BASELINE, &arguments.baseline),
            (bundle::PROFILE_SIGNATURE, &signed),
        ];
        evidence.write(&run, material, &profile, &context, outputs.identity(), &laid_over)
    });
    // Each is worth having even where another could not be written.
    let written = outputs.write(&mut run);
    let stored = history.map(|history| {
        if is_nameless(&run) {
            terminal::complain("the history has these phones by their place alone: --id hmac or plain finds one again");
        }
        history.add(&run, &profile, context.as_of)
    });
    all_written([written, bundled.unwrap_or(Ok(())), stored.unwrap_or(Ok(()))])?;
    events.emit(EventKind::Finished { exit_code: exit as u8 });
    events.close()?;
    Ok(exit)
}

/// The last of the errors, the others being told.
fn all_written(results: [anyhow::Result<()>; 3]) -> anyhow::Result<()> {
    let mut errors: Vec<anyhow::Error> = results.into_iter().filter_map(Result::err).collect();
    let last = errors.pop();
    errors.iter().for_each(|error| terminal::complain(&format!("{error:#}")));
    last.map_or(Ok(()), Err)
}

impl Arguments {
    fn overlays(&self) -> anyhow::Result<Overlays> {
        let waivers = self.waivers.as_deref().map(profile::load_waivers).transpose();
        let attestations = self.attestations.as_deref().map(profile::load_attestations).transpose();
        Ok(Overlays::new(
            waivers.map_err(|error| usage(error.to_string()))?.unwrap_or_default(),
            attestations.map_err(|error| usage(error.to_string()))?.unwrap_or_default(),
            self.baseline.as_deref().map(|path| baseline(path, self.only_new)).transpose()?,
        ))
    }
}

/// The failures of an older report.
fn baseline(path: &Path, only_new: bool) -> anyhow::Result<KnownFailures> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| usage(format!("{name}: can't be read: {error}")))?;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    report::known_failures(&bytes, &file, only_new).map_err(|error| usage(format!("{name}: {error}")))
}

/// How readings are judged.
struct Judge<'a> {
    profile: &'a Profile,
    prepared: &'a Prepared<'a>,
    signature: Option<&'a ProfileSignature>,
    as_of: Date,
    overlays: &'a Mutex<Overlays>,
    identity: &'a Identity,
    /// Whether the report keeps the inventory.
    keep: bool,
}

impl Judge<'_> {
    fn report(&self, index: usize, reading: Reading) -> anyhow::Result<TargetReport> {
        let Reading { target, result, .. } = reading;
        Ok(match result {
            Ok(inventory) => {
                let mut assessment = Box::new(self.prepared.assess(&inventory));
                assessment.profile.signature = self.signature.cloned();
                // An older report has the name that was written, and notices are written too.
                let name = self.identity.name(&inventory.target, index + 1);
                let mut overlays = self.overlays.lock().unwrap_or_else(PoisonError::into_inner);
                overlays.apply(&mut assessment, self.profile, &inventory, &name, self.as_of);
                drop(overlays);
                let target = inventory.target.clone();
                let result = TargetResult::Judged {
                    coverage: Coverage::of(&inventory)?,
                    assessment,
                    device: Box::new(inventory.device.clone()),
                };
                TargetReport { target, result, inventory: self.keep.then(|| Box::new(inventory)) }
            }
            Err(error) => {
                let temporary = matches!(error, SourceError::Temporary(_));
                let result = TargetResult::Unread { temporary, error: error.to_string() };
                TargetReport { target, result, inventory: None }
            }
        })
    }
}
