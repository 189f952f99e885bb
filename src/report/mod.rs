//! Renderings of a [`Run`]: one format, one file.

pub mod difference;
mod json;
pub mod notice;
mod printable;
mod text;

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::Assessment;
use crate::inventory::{Device, Gap, GapReason, Hides, Inventory, Target, Tool};

pub use json::Json;
pub use printable::printable;
pub use text::Text;

/// Every format.
pub static FORMATS: &[&dyn ReportFormat] = &[&Text, &Json];

/// Version of the JSON form of a [`Run`].
pub const SCHEMA_VERSION: &str = "1.0";

/// The format of a report.
pub trait ReportFormat: Sync {
    /// The value of `--format`, and the file extension.
    fn name(&self) -> &'static str;

    /// Writes the whole report.
    ///
    /// # Errors
    /// What `out` reports.
    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}

/// How a report for people looks. Formats for machines ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colour may be written.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
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
}

/// One target of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetReport {
    /// What was looked at.
    pub target: Target,
    /// What it came to.
    pub result: TargetResult,
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
