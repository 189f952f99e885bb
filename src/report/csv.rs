//! CSV of findings (RFC 4180), as spreadsheets read it: UTF-8 with a byte order mark, and no cell that a spreadsheet would
//! take for a formula. Column names are public and not translated.

use std::borrow::Cow;
use std::io;

use super::phrases::Lang;
use super::{Carries, ReportFormat, Run, Style, TargetResult, printable, wording};
use crate::inventory::Fact;

/// `--format csv`.
pub(super) struct Csv;

const COLUMNS: [&str; 22] = [
    "target",
    "state",
    "overall",
    "brand",
    "model",
    "fingerprint",
    "profile",
    "profile_version",
    "as_of",
    "rule",
    "title",
    "status",
    "verdict",
    "reason",
    "subject",
    "expected",
    "observed",
    "evidence",
    "law",
    "notes",
    "overlay",
    "remedy",
];

impl ReportFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "a table of findings for spreadsheets"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut table = Table::begin(out, style.delimiter, &COLUMNS)?;
        for report in &run.targets {
            let name = report.target.name.as_str();
            match &report.result {
                TargetResult::Unread { temporary, error } => {
                    let state = if *temporary { "unread, temporary" } else { "unread" };
                    let mut row = vec![""; COLUMNS.len()];
                    row.splice(..2, [name, state]);
                    if let Some(cell) = row.get_mut(OBSERVED) {
                        *cell = error;
                    }
                    table.row(&row)?;
                }
                TargetResult::Judged { device, assessment, .. } => {
                    let profile = &assessment.profile;
                    let about = [
                        name.to_owned(),
                        "judged".to_owned(),
                        assessment.overall.as_str().to_owned(),
                        cell(&device.brand, Clone::clone),
                        cell(&device.model, Clone::clone),
                        cell(&device.fingerprint, Clone::clone),
                        profile.id.clone(),
                        profile.version.clone(),
                        assessment.context.as_of.clone(),
                    ];
                    for gap in &assessment.coverage_gaps {
                        let mut row: Vec<String> = about.to_vec();
                        row.splice(1..2, ["gap".to_owned()]);
                        row.resize(OBSERVED, String::new());
                        row.push(format!("not read: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail));
                        table.row(&row)?;
                    }
                    for finding in &assessment.findings {
                        let evidence =
                            finding.evidence.iter().map(|piece| format!("{}: {}", wording::place(piece), piece.says));
                        let overlays = wording::overlays(finding, Lang::En);
                        let overlays = overlays.iter().map(|(name, words)| format!("{}: {words}", name.say(Lang::En)));
                        let own = [
                            finding.rule.clone(),
                            finding.title.en.clone(),
                            finding.status.clone(),
                            finding.verdict.as_str().to_owned(),
                            finding.reason.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
                            finding.subject.clone().unwrap_or_default(),
                            finding.expected.clone(),
                            finding.observed.clone(),
                            join(evidence),
                            wording::law(finding, Lang::En),
                            join(finding.notes.iter().cloned()),
                            join(overlays),
                            finding.remedy.as_ref().map(|remedy| remedy.en.clone()).unwrap_or_default(),
                        ];
                        let row: Vec<&str> = about.iter().chain(&own).map(String::as_str).collect();
                        table.row(&row)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Where the error of a target that was not read stands.
const OBSERVED: usize = 16;

/// Several texts in one cell.
pub(super) fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(" | ")
}

/// A fact in a cell: what is not known says so, since an empty cell means that there is none.
pub(super) fn cell<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    match fact {
        Fact::Known { value, .. } => show(value),
        Fact::Unknown(gap) => format!("unknown: {}", gap.reason.as_str()),
    }
}

/// A table on its way out.
pub(super) struct Table<'a> {
    out: &'a mut dyn io::Write,
    delimiter: char,
    columns: usize,
}

impl<'a> Table<'a> {
    /// Writes the byte order mark and the column names.
    pub(super) fn begin(out: &'a mut dyn io::Write, delimiter: char, columns: &[&str]) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        let mut table = Self { out, delimiter, columns: columns.len() };
        table.row(columns)?;
        Ok(table)
    }

    /// Writes a row, filled up to the number of columns.
    pub(super) fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        for index in 0..self.columns.max(cells.len()) {
            if index > 0 {
                write!(self.out, "{}", self.delimiter)?;
            }
            let text = cells.get(index).map(AsRef::as_ref).unwrap_or_default();
            self.out.write_all(self.quote(text).as_bytes())?;
        }
        self.out.write_all(b"\r\n")
    }

    fn quote<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = guard(text);
        // Both usual delimiters are quoted, whichever is in use: a file may be opened under another setting.
        let special = |c: char| matches!(c, '"' | ',' | ';') || c == self.delimiter;
        let edge = text.starts_with(' ') || text.ends_with(' ');
        if edge || text.contains(special) { Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))) } else { text }
    }
}

/// Text that no spreadsheet takes for a formula: those begin with one of these marks, also behind spaces. Control marks
/// (among them the tabs and line breaks that begin formulas in some) are spelt out.
fn guard(text: &str) -> Cow<'_, str> {
    let text = printable(text);
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}');
    if text.trim_start().starts_with(formula) { Cow::Owned(format!("'{text}")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_marks_of_the_table_quoted() {
        let rows = [
            ("=1+1", "'=1+1"),
            (" @x", "\"' @x\""),
            ("a;b", "\"a;b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a-b", "a-b"),
            ("\t=1", "\\u{9}=1"),
        ];
        for (text, expected) in rows {
            let mut out = Vec::new();
            Table { out: &mut out, delimiter: ',', columns: 1 }.row(&[text]).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\r\n"));
        }
    }
}
