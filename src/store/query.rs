//! Questions to a history.

use rusqlite::{Row, named_params};
use serde::Serialize;

use super::{Store, StoreError};

/// Which results are meant: all where nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The target's name, exactly.
    pub device: Option<String>,
    /// The model, exactly.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultRow {
    /// When it was stored: RFC 3339, UTC.
    pub stored_at: String,
    /// The target's name.
    pub target: String,
    /// Brand and model, as far as known.
    pub device: Option<String>,
    /// `ro.build.fingerprint`, where known.
    pub fingerprint: Option<String>,
    /// The profile's id.
    pub profile: Option<String>,
    /// The profile's version.
    pub profile_version: Option<String>,
    /// The day judged on.
    pub as_of: Option<String>,
    /// `compliant`, `not_compliant`, `inconclusive` or `unread`.
    pub verdict: String,
    /// Failures.
    pub failed: u32,
    /// Failures that a waiver covers, counted in `failed` too.
    pub waived: u32,
    /// What could not be settled.
    pub inconclusive: u32,
    /// Why it was not read.
    pub error: Option<String>,
    /// Rules that failed and were not waived, sorted.
    pub failures: Vec<String>,
}

/// Verdicts of a day or month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrendRow {
    /// `2026-06-01` or `2026-06`.
    pub period: String,
    /// The profile's id; `null` for targets of runs in which nothing was judged.
    pub profile: Option<String>,
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
}

/// A rule over all results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// The profile's id.
    pub profile: Option<String>,
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

const FILTER: &str = "(:device IS NULL OR target = :device) AND (:model IS NULL OR model = :model)
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
            "SELECT stored_at, target, brand, model, fingerprint, profile, profile_version, as_of, verdict, failed, waived,
                    inconclusive, error,
                    (SELECT group_concat(rule, ' ') FROM (SELECT DISTINCT rule FROM finding WHERE finding.result = result.id
                         AND finding.verdict = 'fail' AND finding.waiver IS NULL ORDER BY rule))
             FROM result JOIN run ON run.id = result.run WHERE {FILTER}
             ORDER BY stored_at DESC, run.id DESC, place LIMIT {limit}"
        );
        let row = |row: &Row<'_>| {
            let (brand, model): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
            let device: Vec<String> = [brand, model].into_iter().flatten().collect();
            let failures: Option<String> = row.get(13)?;
            Ok(ResultRow {
                stored_at: row.get(0)?,
                target: row.get(1)?,
                device: Some(device.join(" ")).filter(|name| !name.is_empty()),
                fingerprint: row.get(4)?,
                profile: row.get(5)?,
                profile_version: row.get(6)?,
                as_of: row.get(7)?,
                verdict: row.get(8)?,
                failed: row.get(9)?,
                waived: row.get(10)?,
                inconclusive: row.get(11)?,
                error: row.get(12)?,
                failures: failures.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            })
        };
        self.ask(&sql, filter, row)
    }

    /// Verdicts by period and profile, the oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn trend(&self, filter: &Filter, period: Period) -> Result<Vec<TrendRow>, StoreError> {
        let length = match period {
            Period::Day => 10,
            Period::Month => 7,
        };
        let sql = format!(
            "SELECT substr(stored_at, 1, {length}) AS period, profile, count(*), sum(verdict = 'compliant'),
                    sum(verdict = 'not_compliant'), sum(verdict = 'inconclusive'), sum(verdict = 'unread')
             FROM result JOIN run ON run.id = result.run WHERE {FILTER}
             GROUP BY period, profile ORDER BY period, profile"
        );
        let row = |row: &Row<'_>| {
            Ok(TrendRow {
                period: row.get(0)?,
                profile: row.get(1)?,
                targets: row.get(2)?,
                compliant: row.get(3)?,
                not_compliant: row.get(4)?,
                inconclusive: row.get(5)?,
                unread: row.get(6)?,
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
            "WITH answer AS (
                 SELECT profile, rule, finding.result,
                        max(finding.verdict = 'fail') AS failed,
                        max(finding.verdict = 'fail') = 1 AND min(finding.verdict <> 'fail' OR waiver IS NOT NULL) = 1 AS waived,
                        max(finding.verdict IN ('inconclusive', 'error', 'not_checked')) AS open,
                        max(finding.verdict = 'pass') AS passed
                 FROM finding JOIN (
                     SELECT result.id AS id, profile FROM result JOIN run ON run.id = result.run WHERE {FILTER}
                 ) AS chosen ON chosen.id = finding.result
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
