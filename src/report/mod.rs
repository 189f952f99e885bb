//! Renderings of a [`Run`]: one format, one file.
//!
//! The JSON form is the source: whatever another format shows is in it, so that a report can be converted later.

mod baseline;
mod csv;
mod csv_packages;
mod csv_permissions;
mod cyclonedx;
pub mod difference;
mod event;
mod html;
mod identity;
mod json;
mod junit;
mod markdown;
mod markup;
pub mod notice;
mod phrases;
mod printable;
mod sarif;
mod spdx;
mod text;
mod wording;
mod xccdf;

use std::io;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::{Assessment, Notice};
use crate::inventory::{Device, Gap, GapReason, Hides, Inventory, Target, Tool};

pub use baseline::known_failures;
pub use event::{Event, EventKind};
pub use identity::{Identity, SHORTEST_KEY};
pub use phrases::Lang;
pub use printable::printable;

/// Every format.
pub static FORMATS: &[&dyn ReportFormat] = &[
    &text::Text,
    &json::Json,
    &html::Html,
    &junit::Junit,
    &sarif::Sarif,
    &csv::Csv,
    &csv_packages::CsvPackages,
    &csv_permissions::CsvPermissions,
    &markdown::Markdown,
    &xccdf::Xccdf,
    &cyclonedx::CycloneDx,
    &spdx::Spdx,
];

/// Version of the JSON form of a [`Run`].
pub const SCHEMA_VERSION: &str = "1.0";

/// The format of a report.
///
/// A format that carries findings carries each exactly once, with its verdict, whatever that is. Text from devices is
/// escaped as the format demands; a target that was not read and a reading that was not complete are never left out.
pub trait ReportFormat: Sync {
    /// The value of `--format` and the word before `=` in `-o`.
    fn name(&self) -> &'static str;

    /// What it is, in a line of the help.
    fn about(&self) -> &'static str;

    /// What its records are.
    fn carries(&self) -> Carries;

    /// The parts, by targets, into which a file of this report is cut where those who read it take no larger one: in order,
    /// all targets, none of them empty unless there is no target.
    fn parts(&self, run: &Run) -> Vec<Range<usize>> {
        std::iter::once(0..run.targets.len()).collect()
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// What `out` reports.
    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}

/// What the records of a format are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Findings alone.
    Findings,
    /// Findings, and the inventories where the run has them.
    FindingsAndPackages,
    /// Packages or permissions alone: it needs inventories.
    Packages,
}

/// How a report for people looks. Formats for machines take the delimiter at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colour may be written.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Language of phrases; a form that has several begins with it.
    pub lang: Lang,
    /// Between the columns of CSV: `,` or `;`.
    pub delimiter: char,
}

impl Default for Style {
    /// What a file gets: no colour, 100 columns, English, commas.
    fn default() -> Self {
        Self { colour: false, width: 100, lang: Lang::En, delimiter: ',' }
    }
}

/// One call of the program: any number of targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: String,
    /// The program that judged.
    pub tool: Tool,
    /// Exit code of the run.
    pub exit_code: u8,
    /// Every target that was asked for, in the order asked.
    pub targets: Vec<TargetReport>,
    /// What somebody has to see to about waivers, attestations and a baseline, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

impl Run {
    /// Whether every target that was judged has its inventory: what formats of packages need.
    #[must_use]
    pub fn has_inventories(&self) -> bool {
        let judged = |report: &TargetReport| matches!(report.result, TargetResult::Judged { .. });
        self.targets.iter().all(|report| !judged(report) || report.inventory.is_some())
    }
}

/// One target of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetReport {
    /// What was looked at.
    pub target: Target,
    /// What it came to.
    pub result: TargetResult,
    /// Everything that was read; absent where the target was not read, and in a report of findings alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Box<Inventory>>,
}

/// What became of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetResult {
    /// It was judged.
    Judged {
        /// Who it is.
        device: Box<Device>,
        /// How much was read.
        coverage: Coverage,
        /// The verdict and its findings.
        assessment: Box<Assessment>,
    },
    /// It could not be read at all.
    Unread {
        /// Whether the same call may succeed later.
        temporary: bool,
        /// Why.
        error: String,
    },
}

/// How much of a target was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Pre-installed packages; `null` where the list is unknown.
    pub packages: Option<u64>,
    /// Partitions read; `null` where that is unknown.
    pub partitions: Option<u64>,
    /// Users whose state was read; `null` where that is unknown.
    pub users: Option<u64>,
    /// Every gap of the inventory, of single facts too, in order of place.
    pub gaps: Vec<Gap>,
}

impl Coverage {
    /// How much of the target that inventory holds. What a kind of source never tells is no gap of the reading.
    ///
    /// # Errors
    /// See [`Inventory::all_gaps`].
    pub fn of(inventory: &Inventory) -> serde_json::Result<Self> {
        let mut gaps = inventory.all_gaps()?;
        gaps.retain(|gap| gap.reason != GapReason::NotObserved || gap.hides == Hides::Packages);
        Ok(Self {
            packages: inventory.packages.known().map(|list| list.len() as u64),
            partitions: inventory.partitions.known().map(|list| list.len() as u64),
            users: inventory.users.known().map(|list| list.len() as u64),
            gaps,
        })
    }
}

/// Largest report that is read back, in bytes: a batch of a few hundred phones with their inventories.
pub const LARGEST: u64 = 4 << 30;

/// A report that was written as JSON.
///
/// # Errors
/// In words: it is no report, or one of another major version of the schema.
pub fn parse(text: &[u8]) -> Result<Run, String> {
    /// The one field that every version has.
    #[derive(Deserialize)]
    struct Versioned {
        schema_version: String,
    }

    let not_ours = |error: serde_json::Error| format!("not a report in JSON: {error}");
    let Versioned { schema_version } = serde_json::from_slice(text).map_err(not_ours)?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&schema_version) != major(SCHEMA_VERSION) {
        return Err(format!("a report of schema {schema_version}, this version reads {SCHEMA_VERSION}"));
    }
    serde_json::from_slice(text).map_err(not_ours)
}
