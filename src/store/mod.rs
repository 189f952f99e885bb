//! History: what runs came to, in one SQLite file.
//!
//! | table | a row is |
//! |---|---|
//! | `run` | a call of `check`: when it was stored, program, profile, day judged on, exit code |
//! | `result` | a target of a run: who it is, as far as `--id` lets it be named, and its verdict |
//! | `finding` | a rule's answer about a target |
//!
//! Inventories and evidence stay in their files: a history of years is small. `application_id` marks the file as ours,
//! `user_version` is [`SCHEMA_VERSION`]; a file of a newer one is refused. A run is stored whole or not at all.
//!
//! A file from elsewhere is hostile: tables must be exactly ours, nothing of its own is run (no triggers, no functions of its
//! schema), values are bounded in length, and a question in steps.

mod query;

use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::inventory::Fact;
use crate::report::{Run, TargetReport, TargetResult};

pub use query::{CountRow, Filter, Key, Period, ResultRow, RuleRow};

/// Version of the tables.
pub const SCHEMA_VERSION: i64 = 1;

/// `prld`: marks a database as a history of this program.
const APPLICATION_ID: i64 = 0x7072_6c64;

/// How long another process may hold the file: a run is written in milliseconds.
const BUSY: Duration = Duration::from_secs(20);

/// Longest text or row that is read or written, in bytes. Errors of a target are the longest that we write.
const LONGEST: i32 = 1 << 20;

/// Steps of SQLite's machine between two looks at the bound, and looks until a question is given up: about a minute, where a
/// year of a busy shop takes well below a second.
const STEPS: i32 = 1_000_000;
const LOOKS: u32 = 4_000;

const TABLES: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    stored_at TEXT NOT NULL,            -- RFC 3339, UTC
    tool_version TEXT NOT NULL,
    profile TEXT NOT NULL,
    profile_version TEXT NOT NULL,
    profile_sha256 TEXT NOT NULL,
    as_of TEXT NOT NULL,                -- YYYY-MM-DD
    exit_code INTEGER NOT NULL
) STRICT;
CREATE TABLE result (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    place INTEGER NOT NULL,             -- among the targets of the run, from 1
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    collected_at TEXT,
    brand TEXT,
    model TEXT,
    fingerprint TEXT,
    verdict TEXT NOT NULL,              -- compliant, not_compliant, inconclusive, unread
    error TEXT,                         -- why it was not read
    failed INTEGER NOT NULL,
    waived INTEGER NOT NULL,            -- of the failures: covered by a waiver
    inconclusive INTEGER NOT NULL,      -- faults of the program and what a person must see among them
    passed INTEGER NOT NULL,
    gaps INTEGER NOT NULL               -- behind which packages may be hidden, and answers that did not come whole
) STRICT;
CREATE TABLE finding (
    result INTEGER NOT NULL REFERENCES result (id),
    rule TEXT NOT NULL,
    subject TEXT,
    verdict TEXT NOT NULL,
    reason TEXT,
    waiver TEXT
) STRICT;
CREATE INDEX result_of_run ON result (run);
CREATE INDEX result_by_target ON result (target);
CREATE INDEX result_by_fingerprint ON result (fingerprint);
CREATE INDEX finding_of_result ON finding (result);
";

/// Why a history can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What SQLite says: no database, damaged, read-only, held by another process.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file system says it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is something that is no file.
    #[error("there is something else than a file")]
    NoFile,
    /// A database of something else.
    #[error("a database, but not a history of this program")]
    NotOurs,
    /// Ours, with other tables.
    #[error("a history of this program, with tables that are not as it made them")]
    Changed,
    /// A newer version of this program wrote it.
    #[error("a history of version {0}, this program knows {SCHEMA_VERSION}")]
    Newer(i64),
}

/// An open history.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

/// What concerns all targets of a run, and is not in the run itself.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// When it is stored: RFC 3339, UTC, seconds.
    pub stored_at: &'a str,
    /// The profile's id.
    pub profile: &'a str,
    /// Its version.
    pub profile_version: &'a str,
    /// SHA-256 of its text, lower-case hex.
    pub profile_sha256: &'a str,
    /// The day judged on, `YYYY-MM-DD`.
    pub as_of: &'a str,
}

impl Store {
    /// Opens a history to add to it, or makes one. What would keep a run from being stored is found here already: the file
    /// is written to, without a change.
    ///
    /// # Errors
    /// The file can't be opened or written, is no database, or one of something else, or of a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(path, flags)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let is_empty: bool = transaction.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
        let unmarked = number(&transaction, "application_id")? == 0 && number(&transaction, "user_version")? == 0;
        if is_empty && unmarked {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            transaction.commit()?;
        } else {
            check(&transaction)?;
            // The journal is made at the first write, and not before: a folder that is read-only shows here.
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            transaction.rollback()?;
        }
        Ok(Self { connection })
    }

    /// Opens a history to read it.
    ///
    /// # Errors
    /// As [`Self::open`]; also where there is no file.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        std::fs::metadata(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(path, flags)?;
        check(&connection)?;
        Ok(Self { connection })
    }

    /// Adds a run. Targets are named as the run names them.
    ///
    /// # Errors
    /// What SQLite says: then nothing of the run was stored.
    pub fn record(&mut self, run: &Run, occasion: &Occasion<'_>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO run (stored_at, tool_version, profile, profile_version, profile_sha256, as_of, exit_code)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                occasion.stored_at,
                run.tool.version,
                occasion.profile,
                occasion.profile_version,
                occasion.profile_sha256,
                occasion.as_of,
                run.exit_code,
            ],
        )?;
        let id = transaction.last_insert_rowid();
        for (report, place) in run.targets.iter().zip(1_i64..) {
            record_target(&transaction, id, place, report)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn record_target(connection: &Connection, run: i64, place: i64, report: &TargetReport) -> Result<(), StoreError> {
    let known = |fact: &Fact<String>| fact.known().cloned();
    let (device, assessment, error) = match &report.result {
        TargetResult::Judged { device, assessment, .. } => (Some(device), Some(assessment), None),
        TargetResult::Unread { error, .. } => (None, None, Some(error)),
    };
    let counts = assessment.map(|assessment| assessment.counts).unwrap_or_default();
    let gaps = assessment.map_or(0, |assessment| assessment.coverage_gaps.len());
    connection.execute(
        "INSERT INTO result (run, place, target, kind, collected_at, brand, model, fingerprint, verdict, error,
                             failed, waived, inconclusive, passed, gaps)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            run,
            place,
            report.target.name,
            report.target.kind.as_str(),
            report.target.collected_at,
            device.and_then(|device| known(&device.brand)),
            device.and_then(|device| known(&device.model)),
            device.and_then(|device| known(&device.fingerprint)),
            assessment.map_or("unread", |assessment| assessment.overall.as_str()),
            error,
            counts.fail,
            counts.waived,
            counts.inconclusive.saturating_add(counts.error).saturating_add(counts.not_checked),
            counts.pass,
            u32::try_from(gaps).unwrap_or(u32::MAX),
        ],
    )?;
    let result = connection.last_insert_rowid();
    let mut insert = connection.prepare(
        "INSERT INTO finding (result, rule, subject, verdict, reason, waiver) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for finding in assessment.iter().flat_map(|assessment| &assessment.findings) {
        insert.execute(params![
            result,
            finding.rule,
            finding.subject,
            finding.verdict.as_str(),
            finding.reason.map(|reason| reason.as_str()),
            finding.waiver.as_ref().map(|waiver| &waiver.id),
        ])?;
    }
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    // A device or a pipe would be taken for an empty database, and forget everything.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(StoreError::NoFile);
    }
    // SQLite gives names such as `:memory:` and `file:...` a meaning of their own; a whole path has none.
    let mut connection = Connection::open_with_flags(std::path::absolute(path)?, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    let mut looks = 0;
    let exhausted = move || {
        looks += 1;
        looks > LOOKS
    };
    connection.progress_handler(STEPS, Some(exhausted))?;
    Ok(connection)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

/// Whether the database is a history of this version.
fn check(connection: &Connection) -> Result<(), StoreError> {
    if number(connection, "application_id")? != APPLICATION_ID {
        return Err(StoreError::NotOurs);
    }
    let version = number(connection, "user_version")?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::Newer(version));
    }
    let model = Connection::open_in_memory()?;
    model.execute_batch(TABLES)?;
    let found = parts(connection)?;
    let is_there = |part: &[String; 3]| found.contains(part);
    // Views and indexes of the owner's do no harm; a trigger would run when we write.
    let triggers = found.iter().any(|[kind, ..]| kind == "trigger");
    if version == SCHEMA_VERSION && !triggers && parts(&model)?.iter().all(is_there) {
        Ok(())
    } else {
        Err(StoreError::Changed)
    }
}

/// Kind, name and definition of everything in a database, as far as it has a definition.
fn parts(connection: &Connection) -> rusqlite::Result<Vec<[String; 3]>> {
    let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
    rows.collect()
}

#[cfg(test)]
mod tests;
