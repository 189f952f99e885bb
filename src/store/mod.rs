//! History: what runs came to, in one SQLite file.
//!
//! | table | a row is |
//! |---|---|
//! | `run` | a call of `check`: when it was stored, program, profile, day judged on, exit code |
//! | `result` | a target of a run: who it is, as far as `--id` lets it be named, and its verdict |
//! | `finding` | a rule's answer about a target |
//!
//! Inventories stay in their files: a history of years is small. `application_id` marks the file as ours, `user_version` is
//! [`SCHEMA_VERSION`]; a file of a newer one is refused. A run is stored whole or not at all.

mod query;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use crate::inventory::Fact;
use crate::report::{Run, TargetReport, TargetResult};

pub use query::{Filter, Period, ResultRow, RuleRow, TrendRow};

/// Version of the tables.
pub const SCHEMA_VERSION: i64 = 1;

/// `prld`: marks a database as a history of this program.
const APPLICATION_ID: i64 = 0x7072_6c64;

/// How long another process may hold the file: a bench writes for milliseconds.
const BUSY: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    stored_at TEXT NOT NULL,            -- RFC 3339, UTC
    tool_version TEXT NOT NULL,
    profile TEXT,                       -- of the first target that was judged
    profile_version TEXT,
    profile_sha256 TEXT,
    as_of TEXT,                         -- YYYY-MM-DD
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
    waived INTEGER NOT NULL,
    inconclusive INTEGER NOT NULL,      -- tool errors and what a person must see among them
    passed INTEGER NOT NULL
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
    /// What SQLite says.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A database of something else.
    #[error("a database, but not a history of this program")]
    NotOurs,
    /// A newer version of this program wrote it.
    #[error("a history of version {0}, this program knows {SCHEMA_VERSION}")]
    Newer(i64),
}

/// An open history.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens a history to add to it, or makes one.
    ///
    /// # Errors
    /// The file can't be opened, is no database, or one of something else.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let is_empty: bool = transaction.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
        if is_empty {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        transaction.commit()?;
        check(&connection)?;
        Ok(Self { connection })
    }

    /// Opens a history to read it.
    ///
    /// # Errors
    /// As [`Self::open`]; also where there is no file.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        check(&connection)?;
        Ok(Self { connection })
    }

    /// Adds a run; `stored_at` is RFC 3339 in UTC. Targets are named as the run names them.
    ///
    /// # Errors
    /// What SQLite says: then nothing of the run was stored.
    pub fn record(&mut self, run: &Run, stored_at: &str) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let judged = run.targets.iter().find_map(|report| match &report.result {
            TargetResult::Judged { assessment, .. } => Some(assessment),
            TargetResult::Unread { .. } => None,
        });
        transaction.execute(
            "INSERT INTO run (stored_at, tool_version, profile, profile_version, profile_sha256, as_of, exit_code)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                stored_at,
                run.tool.version,
                judged.map(|assessment| &assessment.profile.id),
                judged.map(|assessment| &assessment.profile.version),
                judged.map(|assessment| &assessment.profile.sha256),
                judged.map(|assessment| &assessment.context.as_of),
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
    connection.execute(
        "INSERT INTO result (run, place, target, kind, collected_at, brand, model, fingerprint, verdict, error,
                             failed, waived, inconclusive, passed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
            counts.inconclusive + counts.error + counts.not_checked,
            counts.pass,
        ],
    )?;
    let result = connection.last_insert_rowid();
    let mut insert = connection.prepare_cached(
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

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    // A file from elsewhere may bring functions of its own in views and triggers: none is run.
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

fn check(connection: &Connection) -> Result<(), StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::NotOurs);
    }
    match pragma("user_version")? {
        version if version > SCHEMA_VERSION => Err(StoreError::Newer(version)),
        _ => Ok(()),
    }
}
