//! Events: what happens while targets are read and judged, a line of JSON each (`--events`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::{Counts, Overall};

/// Version of the JSON form of an [`Event`].
const SCHEMA_VERSION: &str = "1.0";

/// One line of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Version of this form: `1.0`.
    pub schema_version: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// Something that happened at that time.
    #[must_use]
    pub fn new(at: String, kind: EventKind) -> Self {
        Self { schema_version: SCHEMA_VERSION.to_owned(), at, kind }
    }
}

/// What happened. `target` counts from 0 in the order asked, as `targets` of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum EventKind {
    /// The run began.
    Started {
        /// How many targets it has.
        targets: usize,
    },
    /// Reading of a target began.
    Reading {
        /// Which.
        target: usize,
        /// Its name.
        name: String,
    },
    /// What is being read.
    Step {
        /// Of which target.
        target: usize,
        /// In words, not to be parsed.
        text: String,
    },
    /// Something that the user should know, such as a large temporary file.
    Notice {
        /// Of which target.
        target: usize,
        /// In words, not to be parsed.
        text: String,
    },
    /// A target was judged.
    Judged {
        /// Which.
        target: usize,
        /// Its name; of a saved inventory the one in it.
        name: String,
        /// The verdict.
        overall: Overall,
        /// Findings by verdict.
        counts: Counts,
        /// Gaps of the reading.
        gaps: usize,
    },
    /// A target could not be read.
    Unread {
        /// Which.
        target: usize,
        /// Its name.
        name: String,
        /// Whether the same call may succeed later.
        temporary: bool,
        /// Why.
        error: String,
    },
    /// The run ended.
    Finished {
        /// Exit code of the run.
        exit_code: u8,
    },
}
