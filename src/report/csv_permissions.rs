//! CSV of permissions: a row for each permission that a package asks for or holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::csv::{Table, cell, join};
use super::csv_packages::{about, problems};
use super::{Carries, ReportFormat, Run, Style};
use crate::inventory::{CopyRole, Grant, Inventory, Package, Placement};

/// `--format csv-permissions`.
pub(super) struct CsvPermissions;

const COLUMNS: [&str; 13] = [
    "target",
    "brand",
    "model",
    "fingerprint",
    "package",
    "privileged",
    "permission",
    "protection",
    "declared_by",
    "requested",
    "granted",
    "flags",
    "problem",
];

impl ReportFormat for CsvPermissions {
    fn name(&self) -> &'static str {
        "csv-permissions"
    }

    fn about(&self) -> &'static str {
        "a table of permissions for spreadsheets"
    }

    fn carries(&self) -> Carries {
        Carries::Packages
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut table = Table::begin(out, style.delimiter, &COLUMNS)?;
        for report in &run.targets {
            if let Some(inventory) = report.inventory.as_deref() {
                let about = about(report, inventory);
                for held in Held::all(inventory) {
                    let row: Vec<String> = about.iter().cloned().chain(held.cells(inventory)).collect();
                    table.row(&row)?;
                }
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

/// A permission of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held<'a> {
    pub(super) package: &'a Package,
    pub(super) permission: &'a str,
    /// Whether the manifest asks for it; `None` where that is unknown.
    pub(super) requested: Option<bool>,
    /// What the device says about it, in the order of users; `None` where grants are unknown.
    pub(super) grants: Option<Vec<&'a Grant>>,
}

impl<'a> Held<'a> {
    /// Every permission that a package asks for or is said to hold, by package and name.
    pub(super) fn all(inventory: &'a Inventory) -> Vec<Self> {
        let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
        packages.iter().flat_map(Self::of).collect()
    }

    fn of(package: &'a Package) -> Vec<Self> {
        let copy = package.active();
        let asked = copy.and_then(|copy| copy.requested_permissions.known());
        let asked: Option<BTreeSet<&str>> =
            asked.map(|list| list.iter().map(|permission| permission.name.as_str()).collect());
        let mut grants: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
        for grant in package.grants.known().into_iter().flatten() {
            grants.entry(&grant.permission).or_default().push(grant);
        }
        let names: BTreeSet<&str> = asked.iter().flatten().copied().chain(grants.keys().copied()).collect();
        let known = package.grants.known().is_some();
        names
            .into_iter()
            .map(|permission| Self {
                package,
                permission,
                requested: asked.as_ref().map(|asked| asked.contains(permission)),
                grants: known.then(|| grants.remove(permission).unwrap_or_default()),
            })
            .collect()
    }

    /// Whether it is granted to anybody; `None` where that is unknown.
    pub(super) fn granted(&self) -> Option<bool> {
        self.grants.as_ref().map(|grants| grants.iter().any(|grant| grant.granted))
    }

    /// Whether the firmware has the package where privileged permissions can be had; `None` where that is unknown.
    pub(super) fn privileged(&self) -> Option<bool> {
        let copies = self.package.copies.iter().filter(|copy| copy.role != CopyRole::Updated);
        let mut privileged = Some(false);
        for copy in copies {
            match copy.placement.known() {
                Some(Placement::Privileged) => return Some(true),
                Some(_) => {}
                None => privileged = None,
            }
        }
        privileged
    }

    /// Protection level and who declares it; `None` where the list of declarations is unknown or has it not.
    pub(super) fn declaration<'i>(&self, inventory: &'i Inventory) -> Option<(Option<&'i str>, &'i str)> {
        let declared = inventory.permissions.known()?;
        let at = declared.partition_point(|one| one.name.as_str() < self.permission);
        let found = declared.get(at).filter(|one| one.name == self.permission)?;
        Some((found.protection.as_deref(), &found.package))
    }

    fn cells(&self, inventory: &Inventory) -> [String; 9] {
        let word = |known: Option<bool>| known.map_or("unknown", |yes| if yes { "yes" } else { "no" }).to_owned();
        let (protection, declared_by) = match (self.declaration(inventory), &inventory.permissions) {
            (Some((protection, by)), _) => (protection.unwrap_or("unknown: unresolved").to_owned(), by.to_owned()),
            (None, fact) => (cell(fact, |_| "unknown: undeclared".to_owned()), String::new()),
        };
        let flags = self.grants.iter().flatten().flat_map(|grant| grant.flags.iter().cloned());
        let flags: BTreeSet<String> = flags.collect();
        [
            self.package.name.clone(),
            word(self.privileged()),
            self.permission.to_owned(),
            protection,
            declared_by,
            word(self.requested),
            self.granted_words(),
            join(flags.into_iter()),
            String::new(),
        ]
    }

    /// `yes`, `no`, `unknown`, or users apart: `yes: 0 | no: 10`.
    fn granted_words(&self) -> String {
        let Some(grants) = &self.grants else { return "unknown".to_owned() };
        let word = |granted: bool| if granted { "yes" } else { "no" };
        let agreed = grants.windows(2).all(|pair| matches!(pair, [a, b] if a.granted == b.granted));
        match grants.first() {
            None => "no".to_owned(),
            Some(first) if agreed => word(first.granted).to_owned(),
            Some(_) => join(grants.iter().map(|grant| {
                let user = grant.user.map_or("all".to_owned(), |user| user.to_string());
                format!("{}: {user}", word(grant.granted))
            })),
        }
    }
}
