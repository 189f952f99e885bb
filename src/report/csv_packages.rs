//! CSV of packages: a row for each copy of each pre-installed package.

use std::io;

use super::csv::{Table, cell, join};
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult};
use crate::inventory::{CopyRole, Fact, Inventory, Package, PackageCopy, Signer};

/// `--format csv-packages`.
pub(super) struct CsvPackages;

const COLUMNS: [&str; 26] = [
    "target",
    "brand",
    "model",
    "fingerprint",
    "package",
    "label",
    "version_name",
    "version_code",
    "role",
    "partition",
    "placement",
    "path",
    "sha256",
    "bytes",
    "min_sdk",
    "target_sdk",
    "signer_sha256",
    "signer_hash_code",
    "published_key",
    "requested_permissions",
    "installed_for",
    "launcher",
    "stub",
    "removability",
    "presence",
    "problem",
];

impl ReportFormat for CsvPackages {
    fn name(&self) -> &'static str {
        "csv-packages"
    }

    fn about(&self) -> &'static str {
        "a table of packages for spreadsheets"
    }

    fn carries(&self) -> Carries {
        Carries::Packages
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut table = Table::begin(out, style.delimiter, &COLUMNS)?;
        for report in &run.targets {
            for row in rows(report) {
                table.row(&row)?;
            }
            for problem in problems(report) {
                let mut row = vec![String::new(); COLUMNS.len()];
                row.splice(..1, [report.target.name.clone()]);
                row.splice(COLUMNS.len() - 1.., [problem]);
                table.row(&row)?;
            }
        }
        Ok(())
    }
}

/// Why rows of a target may be missing: each a row of its own.
pub(super) fn problems(report: &TargetReport) -> Vec<String> {
    match (&report.result, &report.inventory) {
        (TargetResult::Unread { error, .. }, _) => vec![format!("not read: {error}")],
        (_, None) => vec!["the report has no inventory of this target".to_owned()],
        (_, Some(inventory)) => inventory
            .gaps_hiding_packages()
            .map(|gap| format!("may hide packages: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail))
            .collect(),
    }
}

/// The columns that say which device it is.
pub(super) fn about(report: &TargetReport, inventory: &Inventory) -> [String; 4] {
    let device = &inventory.device;
    [
        report.target.name.clone(),
        cell(&device.brand, Clone::clone),
        cell(&device.model, Clone::clone),
        cell(&device.fingerprint, Clone::clone),
    ]
}

fn rows(report: &TargetReport) -> Vec<Vec<String>> {
    let Some(inventory) = report.inventory.as_deref() else { return Vec::new() };
    let about = about(report, inventory);
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    packages
        .iter()
        .flat_map(|package| package.copies.iter().map(move |copy| (package, copy)))
        .map(|(package, copy)| about.iter().cloned().chain(row(inventory, package, copy)).collect())
        .collect()
}

fn row(inventory: &Inventory, package: &Package, copy: &PackageCopy) -> [String; 22] {
    let number = |fact: &Fact<u32>| cell(fact, ToString::to_string);
    let signers =
        |show: fn(&Signer) -> Option<String>| cell(&copy.signers, |signers| join(signers.iter().filter_map(show)));
    let installed = cell(&package.users, |states| {
        join(states.iter().filter(|state| state.installed).map(|state| state.user.to_string()))
    });
    [
        package.name.clone(),
        cell(&copy.label, |label| label.clone().unwrap_or_default()),
        cell(&copy.version_name, |name| name.clone().unwrap_or_default()),
        cell(&copy.version_code, ToString::to_string),
        role(copy.role).to_owned(),
        cell(&copy.partition, Clone::clone),
        cell(&copy.placement, |placement| placement.as_str().to_owned()),
        copy.path.clone(),
        digest(inventory, copy).unwrap_or_default().to_owned(),
        cell(&copy.code, |code| code.file_bytes.map(|bytes| bytes.to_string()).unwrap_or_default()),
        number(&copy.min_sdk),
        number(&copy.target_sdk),
        signers(|signer| signer.sha256.clone()),
        signers(|signer| Some(signer.hash_code.clone())),
        signers(|signer| signer.published_key.clone()),
        cell(&copy.requested_permissions, |asked| join(asked.iter().map(|permission| permission.name.clone()))),
        installed,
        cell(&copy.launcher, |activities| activities.len().to_string()),
        cell(&copy.code, |code| code.stub.map(|stub| stub.as_str().to_owned()).unwrap_or_default()),
        cell(&package.removability, |answer| answer.grade.as_str().to_owned()),
        cell(&package.presence, |answer| answer.state.as_str().to_owned()),
        String::new(),
    ]
}

/// A copy's part as its JSON code.
pub(super) fn role(role: CopyRole) -> &'static str {
    match role {
        CopyRole::Factory => "factory",
        CopyRole::Updated => "updated",
        CopyRole::Added => "added",
    }
}

/// SHA-256 of the package file, where all of it was read.
pub(super) fn digest<'a>(inventory: &'a Inventory, copy: &PackageCopy) -> Option<&'a str> {
    let facts = [copy.version_code.evidence(), copy.code.evidence(), copy.signers.evidence()];
    let origins = facts.into_iter().flatten().filter_map(|evidence| inventory.origin(evidence));
    let file = origins.into_iter().find(|origin| origin.name == copy.path)?;
    file.sha256.as_deref()
}
