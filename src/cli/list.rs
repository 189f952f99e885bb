//! `preloaded list`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::exit::{Exit, usage};
use super::scan::unread;
use super::target::TargetArguments;
use super::terminal;
use crate::inventory::{
    Arrival, Code, Fact, Inventory, LauncherPlace, ManifestFacts, Outcome, Package, PackageCopy, PresenceState,
    RemovabilityGrade, RequestedPermission, Signer, Split, StubReason,
};
use crate::platform::installer_agents::is_installer_agent;
use crate::platform::permissions::{Lookup, Permissions};
use crate::platform::{conclusions, launcher, protection};
use crate::report::printable;

/// List the pre-installed packages of a target, a line per package file
///
/// `?` stands where a fact is unknown, nothing where it is known to be absent. Exits 0 when everything was read, 3 when
/// there are gaps behind which packages may be hidden.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n    preloaded list firmware.zip --permission android.permission.READ_SMS --format tsv

Exits 0 done, 2 wrong usage, 3 packages may be missing from the list, 4 unreadable, 75 try again."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// Only packages in this partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,

    /// Only packages that ask for this permission
    #[arg(long, value_name = "NAME")]
    permission: Option<String>,

    /// Only packages that hold this permission: by what the phone says, else by prediction for the first start
    #[arg(long, value_name = "NAME")]
    granted: Option<String>,

    /// Only packages that ask for a permission with this word in its level: dangerous, signature, privileged
    #[arg(long, value_name = "WORD")]
    level: Option<String>,

    /// Only packages with a signer whose SHA-256 begins so, or whose 32-bit number is this
    #[arg(long, value_name = "HEX")]
    signer: Option<String>,

    /// Only packages of this removability, or `unknown`
    #[arg(long, value_name = "GRADE", value_parser = PossibleValuesParser::new(grades()))]
    removability: Option<String>,

    /// Only packages in this way of presence, or `unknown`; apps that arrive later are listed without a file
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(states()))]
    presence: Option<String>,

    /// Only programs that are known to add apps at or after first start
    #[arg(long)]
    installer_agents: bool,

    /// Form of the list
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What `--removability` takes.
fn grades() -> Vec<&'static str> {
    RemovabilityGrade::ALL.iter().map(|grade| grade.as_str()).chain([UNKNOWN]).collect()
}

/// What `--presence` takes.
fn states() -> Vec<&'static str> {
    PresenceState::ALL.iter().map(|state| state.as_str()).chain([UNKNOWN]).collect()
}

/// The filter for what is not known.
const UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table that fits the terminal
    Text,
    /// Tab-separated, with a header line; lists are comma-separated
    Tsv,
    /// One object with all rows
    Json,
}

/// A package file. Unknown facts are `null`.
#[derive(Debug, Serialize)]
struct Row {
    package: String,
    path: String,
    partition: Option<String>,
    placement: Option<&'static str>,
    /// The split's name, for a split APK.
    split: Option<String>,
    version_code: Option<u64>,
    version_name: Option<Option<String>>,
    min_sdk: Option<Option<u32>>,
    target_sdk: Option<Option<u32>>,
    signers: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    launcher: Option<Vec<String>>,
    label: Option<Option<String>>,
    /// ABIs with native libraries.
    abis: Option<Vec<String>>,
    /// Why it is no full app.
    stub: Option<Option<StubReason>>,
    /// Number of components that other apps may use.
    exported: Option<usize>,
    /// Kinds of places where the system calls it.
    hooks: Option<Vec<String>>,
    /// The package whose resources it overlays.
    overlay_target: Option<Option<String>>,
    /// Roles that it qualifies for.
    roles: Option<Vec<String>>,
    /// Whether traffic to hosts without a rule of their own may be unencrypted.
    cleartext: Option<bool>,
    /// Names of the signers' keys that are public.
    published_keys: Option<Vec<String>>,
    /// Known SDKs among its classes; only with `--classes`.
    sdks: Option<Vec<String>>,
    /// Whether the user can be rid of it.
    removability: Option<&'static str>,
    /// In which way it is there for the owner.
    presence: Option<&'static str>,
    /// Where its icon stands.
    launcher_place: Option<String>,
    /// Permissions that it holds for user 0, by what the phone says, else by prediction.
    granted: Option<Vec<String>>,
    /// Permissions of which the prediction is not sure.
    #[serde(skip)]
    unsure: Vec<String>,
}

const COLUMNS: [&str; 24] = [
    "package",
    "path",
    "partition",
    "version_code",
    "version_name",
    "min_sdk",
    "target_sdk",
    "signers",
    "permissions",
    "launcher",
    "label",
    "abis",
    "stub",
    "exported",
    "hooks",
    "overlay_target",
    "roles",
    "cleartext",
    "published_keys",
    "sdks",
    "removability",
    "presence",
    "launcher_place",
    "granted",
];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut readings = arguments.target.read(false, &[])?;
    let reading = match readings.len() {
        1 => readings.remove(0),
        count => return Err(usage(format!("list takes one target, these are {count}: use adb:SERIAL"))),
    };
    let mut inventory = reading.result.map_err(|error| unread(&reading.target.name, &error))?;
    // One that was saved by an older version has none.
    conclusions::complete(&mut inventory);
    if let Some(gap) = inventory.packages.gap() {
        terminal::complain(&format!("packages are unknown: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail));
    }
    let levels = arguments.level.as_deref().map(|word| with_level(&inventory, word)).transpose()?;
    let rows: Vec<Row> = rows(&inventory, arguments.presence.is_some())
        .into_iter()
        .filter(|row| arguments.wants(row, levels.as_ref()))
        .collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Format::Text => write_table(&rows, &mut out)?,
        Format::Tsv => write_tsv(&rows, &mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(
                &mut out,
                &serde_json::json!({ "target": inventory.target, "packages": rows }),
            )?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    let hiding: Vec<_> = inventory.gaps_hiding_packages().collect();
    for gap in &hiding {
        terminal::complain(&format!("incomplete: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail));
    }
    Ok(if hiding.is_empty() { Exit::Compliant } else { Exit::Inconclusive })
}

impl Arguments {
    /// A filter on a fact that is unknown keeps the row: it may well be one of those that are looked for.
    fn wants(&self, row: &Row, levels: Option<&BTreeSet<String>>) -> bool {
        let partition = match (&self.partition, &row.partition) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        let permission = match (&self.permission, &row.permissions) {
            (Some(wanted), Some(found)) => found.contains(wanted),
            _ => true,
        };
        let signer = match (&self.signer, &row.signers) {
            (Some(wanted), Some(found)) => {
                let wanted = wanted.to_ascii_lowercase().replace(':', "");
                found.iter().any(|signer| {
                    let digits = signer.trim_start_matches(LINKED);
                    // A number alone may be any certificate's.
                    digits.starts_with(&wanted) || (digits.len() <= NUMBER && wanted.len() > NUMBER)
                })
            }
            _ => true,
        };
        let granted = match (&self.granted, &row.granted) {
            (Some(wanted), Some(found)) => found.contains(wanted) || row.unsure.contains(wanted),
            _ => true,
        };
        let level = match (levels, &row.permissions) {
            (Some(wanted), Some(found)) => found.iter().any(|name| wanted.contains(name)),
            _ => true,
        };
        let is = |wanted: &Option<String>, found: Option<&'static str>| match (wanted.as_deref(), found) {
            (Some(UNKNOWN), found) => found.is_none(),
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        let removability = is(&self.removability, row.removability);
        let presence = is(&self.presence, row.presence);
        let agent = !self.installer_agents || is_installer_agent(&row.package);
        partition && permission && signer && granted && level && removability && presence && agent
    }
}

/// Permissions with a word in their level, of all that any package asks for.
fn with_level(inventory: &Inventory, word: &str) -> anyhow::Result<BTreeSet<String>> {
    let one_word = !word.contains('|')
        && (protection::level(word).is_some() || protection::level(&format!("normal|{word}")).is_some());
    if !one_word {
        return Err(usage(format!("{word} is no word of a protection level: dangerous, signature, privileged ...")));
    }
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let copies = packages.iter().flat_map(|package| &package.copies);
    let asked = copies.filter_map(|copy| copy.requested_permissions.known()).flatten();
    let names: BTreeSet<&str> = asked.map(|request| request.name.as_str()).collect();
    let Some(permissions) = Permissions::of_device(inventory) else { return Ok(BTreeSet::new()) };
    let has = |name: &&str| match permissions.get(name) {
        Lookup::One(found) => found.level.is_none_or(|level| protection::words(level).split('|').any(|w| w == word)),
        // It may well be one of those that are looked for.
        Lookup::Several(_) | Lookup::NotKnown => true,
        Lookup::Undefined => false,
    };
    Ok(names.into_iter().filter(has).map(str::to_owned).collect())
}

/// What it holds for user 0, and what it may hold.
fn granted(package: &Package) -> (Option<Vec<String>>, Vec<String>) {
    if let Some(grants) = package.grants.known() {
        let held = grants.iter().filter(|grant| grant.granted && grant.user.is_none_or(|user| user == 0));
        return (Some(held.map(|grant| grant.permission.clone()).collect()), Vec::new());
    }
    let Some(predicted) = package.predicted_grants.known() else { return (None, Vec::new()) };
    let with = |outcome| predicted.iter().filter(move |grant| grant.outcome == outcome);
    let names = |outcome| with(outcome).map(|grant| grant.permission.clone()).collect::<Vec<_>>();
    (Some(names(Outcome::Granted)), names(Outcome::Unknown))
}

/// A row for each package file; with `arrivals` one for each app that is no package yet.
fn rows(inventory: &Inventory, arrivals: bool) -> Vec<Row> {
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let mut rows = Vec::new();
    for package in packages {
        for copy in &package.copies {
            rows.push(base(package, copy));
            let splits = copy.splits.known().map(Vec::as_slice).unwrap_or_default();
            // A phone names splits without telling anything of the file.
            rows.extend(splits.iter().filter_map(|split| of_split(package, copy, split)));
        }
    }
    // What is no package yet has no file, and stands behind those that are.
    let arriving = inventory.arrivals.known().into_iter().flatten().map(|arrival| arriving(inventory, arrival));
    rows.extend(arriving.filter(|_| arrivals));
    rows
}

/// An app without a file.
fn arriving(inventory: &Inventory, arrival: &Arrival) -> Row {
    Row {
        package: arrival.package.clone(),
        path: String::new(),
        partition: None,
        placement: None,
        split: None,
        version_code: None,
        version_name: None,
        min_sdk: None,
        target_sdk: None,
        signers: None,
        permissions: None,
        launcher: None,
        label: None,
        abis: None,
        stub: None,
        exported: None,
        hooks: None,
        overlay_target: None,
        roles: None,
        cleartext: None,
        published_keys: None,
        sdks: None,
        removability: None,
        presence: Some(arrival.presence.state.as_str()),
        launcher_place: place(&launcher::place(inventory, &arrival.package)),
        granted: None,
        unsure: Vec::new(),
    }
}

fn place(fact: &Fact<LauncherPlace>) -> Option<String> {
    fact.known().map(|place| place.describe())
}

fn base(package: &Package, copy: &PackageCopy) -> Row {
    Row {
        package: package.name.clone(),
        path: copy.path.clone(),
        partition: copy.partition.known().cloned(),
        placement: copy.placement.known().map(|placement| placement.as_str()),
        split: None,
        version_code: copy.version_code.known().copied(),
        version_name: copy.version_name.known().cloned(),
        min_sdk: copy.min_sdk.known().copied().map(Some),
        target_sdk: copy.target_sdk.known().copied().map(Some),
        signers: signers(&copy.signers),
        permissions: copy.requested_permissions.known().map(|list| names(list)),
        launcher: copy.launcher.known().cloned(),
        label: copy.label.known().cloned(),
        abis: copy.code.known().map(|code| code.abis.clone()),
        // Only a file that was read can tell.
        stub: copy.code.known().filter(|code| code.dex_files.is_some()).map(|code| code.stub),
        exported: copy.manifest.known().map(|manifest| manifest.exported.len()),
        hooks: copy.manifest.known().map(hooks),
        overlay_target: copy.manifest.known().map(overlay_target),
        roles: copy.manifest.known().map(|manifest| manifest.roles.clone()),
        cleartext: copy.manifest.known().and_then(|manifest| manifest.cleartext),
        published_keys: copy.signers.known().map(|signers| published_keys(signers)),
        sdks: copy.code.known().and_then(sdks),
        removability: package.removability.known().map(|found| found.grade.as_str()),
        presence: package.presence.known().map(|found| found.state.as_str()),
        launcher_place: place(&package.launcher_place),
        granted: granted(package).0,
        unsure: granted(package).1,
    }
}

fn hooks(manifest: &ManifestFacts) -> Vec<String> {
    let kinds: BTreeSet<&str> = manifest.hooks.iter().map(|hook| hook.kind.as_str()).collect();
    kinds.into_iter().map(str::to_owned).collect()
}

fn overlay_target(manifest: &ManifestFacts) -> Option<String> {
    manifest.overlay.as_ref().and_then(|overlay| overlay.target.clone())
}

fn published_keys(signers: &[Signer]) -> Vec<String> {
    let keys: BTreeSet<&String> = signers.iter().filter_map(|signer| signer.published_key.as_ref()).collect();
    keys.into_iter().cloned().collect()
}

fn sdks(code: &Code) -> Option<Vec<String>> {
    let counts = code.class_counts.as_ref()?.known()?;
    let names: BTreeSet<&String> = counts.sdks.iter().map(|sdk| &sdk.name).collect();
    Some(names.into_iter().cloned().collect())
}

fn of_split(package: &Package, copy: &PackageCopy, split: &Split) -> Option<Row> {
    let file = split.file.known()?;
    Some(Row {
        package: package.name.clone(),
        path: split.path.clone()?,
        partition: copy.partition.known().cloned(),
        placement: copy.placement.known().map(|placement| placement.as_str()),
        split: Some(split.name.clone()),
        version_code: Some(file.version_code),
        version_name: Some(None),
        min_sdk: Some(file.min_sdk),
        target_sdk: Some(file.target_sdk),
        signers: signers(&file.signers),
        permissions: Some(names(&file.requested_permissions)),
        launcher: Some(Vec::new()),
        label: Some(None),
        abis: None,
        stub: Some(None),
        exported: None,
        hooks: None,
        overlay_target: Some(None),
        roles: None,
        cleartext: None,
        published_keys: file.signers.known().map(|signers| published_keys(signers)),
        sdks: None,
        removability: package.removability.known().map(|found| found.grade.as_str()),
        presence: package.presence.known().map(|found| found.state.as_str()),
        launcher_place: place(&package.launcher_place),
        granted: Some(Vec::new()),
        unsure: Vec::new(),
    })
}

/// Before the digest of a certificate that a number leads to: it was read of another file.
const LINKED: char = '~';

/// Digits of a 32-bit number.
const NUMBER: usize = 8;

/// Signers by digest, else by what their number leads to, else by number.
fn signers(fact: &Fact<Vec<Signer>>) -> Option<Vec<String>> {
    let name = |signer: &Signer| match (&signer.sha256, &signer.linked) {
        (Some(sha256), _) => sha256.clone(),
        (None, Some(link)) => format!("{LINKED}{}", link.sha256),
        (None, None) => signer.hash_code.clone(),
    };
    let mut list: Vec<String> = fact.known()?.iter().map(name).collect();
    list.sort();
    list.dedup();
    Some(list)
}

fn names(list: &[RequestedPermission]) -> Vec<String> {
    let mut names: Vec<String> = list.iter().map(|permission| permission.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

impl Row {
    /// The fields of [`COLUMNS`].
    fn fields(&self) -> [String; COLUMNS.len()] {
        fn text(value: Option<&Option<String>>) -> String {
            value.map_or_else(|| "?".to_owned(), |value| value.clone().unwrap_or_default())
        }
        fn number<T: ToString>(value: Option<&T>) -> String {
            value.map_or_else(|| "?".to_owned(), T::to_string)
        }
        fn level(value: Option<Option<u32>>) -> String {
            value.map_or_else(|| "?".to_owned(), |value| value.map(|value| value.to_string()).unwrap_or_default())
        }
        fn list(value: Option<&Vec<String>>) -> String {
            value.map_or_else(|| "?".to_owned(), |value| value.join(","))
        }
        [
            self.package.clone(),
            self.path.clone(),
            number(self.partition.as_ref()),
            number(self.version_code.as_ref()),
            text(self.version_name.as_ref()),
            level(self.min_sdk),
            level(self.target_sdk),
            list(self.signers.as_ref()),
            list(self.permissions.as_ref()),
            list(self.launcher.as_ref()),
            text(self.label.as_ref()),
            list(self.abis.as_ref()),
            self.stub
                .map_or_else(|| "?".to_owned(), |stub| stub.map(StubReason::as_str).unwrap_or_default().to_owned()),
            number(self.exported.as_ref()),
            list(self.hooks.as_ref()),
            text(self.overlay_target.as_ref()),
            list(self.roles.as_ref()),
            number(self.cleartext.as_ref()),
            list(self.published_keys.as_ref()),
            list(self.sdks.as_ref()),
            number(self.removability.as_ref()),
            number(self.presence.as_ref()),
            number(self.launcher_place.as_ref()),
            list(self.granted.as_ref()),
        ]
        .map(|field| printable(&field).into_owned())
    }
}

fn write_tsv(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join("\t"))?;
    for row in rows {
        writeln!(out, "{}", row.fields().join("\t"))?;
    }
    Ok(())
}

/// Package, version, partition, number of permissions, label, path: what fits a line and a person asks first.
fn write_table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    const HEAD: [&str; 6] = ["PACKAGE", "VERSION", "PARTITION", "PERMISSIONS", "LABEL", "PATH"];
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let [package, path, partition, version_code, version_name, _, _, _, _, _, label, ..] = row.fields();
            let version = if version_name.is_empty() || version_name == "?" { version_code } else { version_name };
            let permissions = row.permissions.as_ref().map_or_else(|| "?".to_owned(), |list| list.len().to_string());
            [package, version, partition, permissions, label, path]
        })
        .collect();
    let mut widths = HEAD.map(UnicodeWidthStr::width);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |row: [&str; 6]| {
        let mut text = String::new();
        for (cell, width) in row.into_iter().zip(widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.trim_end().to_owned()
    };
    writeln!(out, "{}", line(HEAD))?;
    for row in &cells {
        writeln!(out, "{}", line(row.each_ref().map(String::as_str)))?;
    }
    Ok(())
}
