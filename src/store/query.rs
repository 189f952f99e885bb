//! Questions to a history.

use rusqlite::{Row, named_params};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Store, StoreError};

/// Which results are meant: all where nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The target's name, exactly.
    pub device: Option<String>,
    /// The model, exactly, with or without its brand.
    pub model: Option<String>,
    /// The fingerprint, exactly.
    pub fingerprint: Option<String>,
    /// The profile's id, exactly.
    pub profile: Option<String>,
    /// `compliant`, `not_compliant`, `inconclusive` or `unread`.
    pub verdict: Option<String>,
    /// First day of storing, `YYYY-MM-DD` in UTC.
    pub since: Option<String>,
    /// Last day of storing, `YYYY-MM-DD` in UTC.
    pub until: Option<String>,
}

/// A target of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResultRow {
    /// When it was stored: RFC 3339, UTC.
    pub stored_at: String,
    /// The target's name.
    pub target: String,
    /// Brand and model, as far as known.
    pub model: Option<String>,
    /// `ro.build.fingerprint`, where known.
    pub fingerprint: Option<String>,
    /// The profile's id.
    pub profile: String,
    /// The profile's version.
    pub profile_version: String,
    /// The day judged on.
    pub as_of: String,
    /// `compliant`, `not_compliant`, `inconclusive` or `unread`.
    pub verdict: String,
    /// Failures.
    pub failed: u32,
    /// Failures that a waiver covers, counted in `failed` too.
    pub waived: u32,
    /// What could not be settled.
    pub inconclusive: u32,
    /// What passed.
    pub passed: u32,
    /// Gaps that leave the verdict open.
    pub gaps: u32,
    /// Why it was not read.
    pub error: Option<String>,
    /// Rules that failed and were not waived, sorted.
    pub failures: Vec<String>,
}

/// Verdicts of what belongs together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CountRow {
    /// `2026-06-01` or `2026-06`; `null` where the answer is not cut by time.
    pub period: Option<String>,
    /// The device, model, fingerprint or profile; `null` for targets of which it is not known.
    pub key: Option<String>,
    /// Targets.
    pub targets: u32,
    /// Of them: compliant.
    pub compliant: u32,
    /// Not compliant.
    pub not_compliant: u32,
    /// Inconclusive.
    pub inconclusive: u32,
    /// Not read.
    pub unread: u32,
    /// When the latest of them was stored.
    pub latest_at: String,
    /// Its verdict.
    pub latest: String,
}

/// A rule over all results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleRow {
    /// The profile's id.
    pub profile: String,
    /// The rule's id.
    pub rule: String,
    /// Targets for which it failed.
    pub failed: u32,
    /// Of them: all failures waived.
    pub waived: u32,
    /// Targets for which it could not be settled and did not fail.
    pub inconclusive: u32,
    /// Targets for which it passed, and neither failed nor stayed open.
    pub passed: u32,
}

/// How a trend is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// By days.
    Day,
    /// By months.
    Month,
}

/// What belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Targets of one name.
    Device,
    /// Devices of one brand and model.
    Model,
    /// Builds of one fingerprint.
    Fingerprint,
    /// What was judged under one profile.
    Profile,
}

impl Key {
    fn expression(self) -> &'static str {
        match self {
            Self::Device => "target",
            Self::Model => MODEL,
            Self::Fingerprint => "fingerprint",
            Self::Profile => "profile",
        }
    }
}

/// Brand and model, as far as known.
const MODEL: &str = "nullif(trim(ifnull(brand, '') || ' ' || ifnull(model, '')), '')";

const FILTER: &str = "(:device IS NULL OR target = :device)
    AND (:model IS NULL OR model = :model OR brand || ' ' || model = :model)
    AND (:fingerprint IS NULL OR fingerprint = :fingerprint) AND (:profile IS NULL OR profile = :profile)
    AND (:verdict IS NULL OR verdict = :verdict) AND (:since IS NULL OR substr(stored_at, 1, 10) >= :since)
    AND (:until IS NULL OR substr(stored_at, 1, 10) <= :until)";

impl Store {
    /// Results, the newest first, at most so many.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn results(&self, filter: &Filter, limit: u32) -> Result<Vec<ResultRow>, StoreError> {
        let sql = format!(
            "SELECT stored_at, target, {MODEL}, fingerprint, profile, profile_version, as_of, verdict, failed, waived,
                    inconclusive, passed, gaps, error,
                    (SELECT group_concat(rule, ' ') FROM (SELECT DISTINCT rule FROM finding WHERE finding.result = result.id
                         AND finding.verdict = 'fail' AND finding.waiver IS NULL ORDER BY rule))
             FROM result JOIN run ON run.id = result.run WHERE {FILTER}
             ORDER BY run.id DESC, place LIMIT {limit}"
        );
        let row = |row: &Row<'_>| {
            let failures: Option<String> = row.get(14)?;
            Ok(ResultRow {
                stored_at: row.get(0)?,
                target: row.get(1)?,
                model: row.get(2)?,
                fingerprint: row.get(3)?,
                profile: row.get(4)?,
                profile_version: row.get(5)?,
                as_of: row.get(6)?,
                verdict: row.get(7)?,
                failed: row.get(8)?,
                waived: row.get(9)?,
                inconclusive: row.get(10)?,
                passed: row.get(11)?,
                gaps: row.get(12)?,
                error: row.get(13)?,
                failures: failures.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            })
        };
        self.ask(&sql, filter, row)
    }

    /// Verdicts of what belongs together, by period if they are cut by time: the oldest first, then by key.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counts(&self, filter: &Filter, by: Key, period: Option<Period>) -> Result<Vec<CountRow>, StoreError> {
        let period = match period {
            None => "NULL",
            Some(Period::Day) => "substr(stored_at, 1, 10)",
            Some(Period::Month) => "substr(stored_at, 1, 7)",
        };
        let key = by.expression();
        // Beside max(), other columns are those of its row: so SQLite documents it.
        let sql = format!(
            "SELECT {period} AS cut, {key} AS key, count(*), sum(verdict = 'compliant'), sum(verdict = 'not_compliant'),
                    sum(verdict = 'inconclusive'), sum(verdict = 'unread'), stored_at, verdict, max(result.id)
             FROM result JOIN run ON run.id = result.run WHERE {FILTER}
             GROUP BY cut, key ORDER BY cut, key"
        );
        let row = |row: &Row<'_>| {
            Ok(CountRow {
                period: row.get(0)?,
                key: row.get(1)?,
                targets: row.get(2)?,
                compliant: row.get(3)?,
                not_compliant: row.get(4)?,
                inconclusive: row.get(5)?,
                unread: row.get(6)?,
                latest_at: row.get(7)?,
                latest: row.get(8)?,
            })
        };
        self.ask(&sql, filter, row)
    }

    /// Rules that ever failed or stayed open, those that failed most first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rules(&self, filter: &Filter) -> Result<Vec<RuleRow>, StoreError> {
        let sql = format!(
            "WITH chosen AS (
                 SELECT result.id AS id, profile FROM result JOIN run ON run.id = result.run WHERE {FILTER}
             ), answer AS (
                 SELECT profile, rule, finding.result,
                        max(finding.verdict = 'fail') AS failed,
                        max(finding.verdict = 'fail') AND min(finding.verdict <> 'fail' OR waiver IS NOT NULL) AS waived,
                        max(finding.verdict IN ('inconclusive', 'error', 'not_checked')) AS open,
                        max(finding.verdict = 'pass') AS passed
                 FROM finding JOIN chosen ON chosen.id = finding.result
                 GROUP BY profile, rule, finding.result
             )
             SELECT profile, rule, sum(failed), sum(waived), sum(open AND NOT failed), sum(passed AND NOT failed AND NOT open)
             FROM answer GROUP BY profile, rule HAVING sum(failed) > 0 OR sum(open) > 0
             ORDER BY sum(failed) DESC, sum(open AND NOT failed) DESC, profile, rule"
        );
        let row = |row: &Row<'_>| {
            Ok(RuleRow {
                profile: row.get(0)?,
                rule: row.get(1)?,
                failed: row.get(2)?,
                waived: row.get(3)?,
                inconclusive: row.get(4)?,
                passed: row.get(5)?,
            })
        };
        self.ask(&sql, filter, row)
    }

    fn ask<T>(
        &self,
        sql: &str,
        filter: &Filter,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map(
            named_params! {
                ":device": filter.device,
                ":model": filter.model,
                ":fingerprint": filter.fingerprint,
                ":profile": filter.profile,
                ":verdict": filter.verdict,
                ":since": filter.since,
                ":until": filter.until,
            },
            row,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
