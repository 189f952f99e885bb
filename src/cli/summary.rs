//! The table below the reports of several targets: a line each, the worst first.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::exit::Exit;
use crate::assess::Overall;
use crate::report::{Run, TargetReport, TargetResult, printable};

/// The verdict in one word, or why there is none.
pub(super) fn word(report: &TargetReport) -> &'static str {
    match &report.result {
        TargetResult::Judged { assessment, .. } => match assessment.overall {
            Overall::Compliant => "COMPLIANT",
            Overall::NotCompliant => "NOT COMPLIANT",
            Overall::Inconclusive => "INCONCLUSIVE",
        },
        TargetResult::Unread { temporary: true, .. } => "TRY AGAIN",
        TargetResult::Unread { temporary: false, .. } => "UNREADABLE",
    }
}

/// How bad it is: what decides the exit code comes first.
fn rank(report: &TargetReport) -> usize {
    const ORDER: [Exit; 5] =
        [Exit::NotCompliant, Exit::Inconclusive, Exit::Unreadable, Exit::Temporary, Exit::Compliant];
    let exit = Exit::of(report);
    ORDER.iter().position(|other| *other == exit).unwrap_or(ORDER.len())
}

/// Writes the table.
pub(super) fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<(usize, [String; 3])> = run
        .targets
        .iter()
        .map(|report| {
            let what = match &report.result {
                TargetResult::Judged { assessment, device, coverage } => {
                    let counts = &assessment.counts;
                    let model = device.model.known().map_or("unknown model", String::as_str);
                    let gaps = match coverage.gaps.len() {
                        0 => String::new(),
                        count => format!(", {count} gaps"),
                    };
                    format!(
                        "{}: {} failed, {} open, {} passed{gaps}",
                        printable(model),
                        counts.fail,
                        counts.inconclusive,
                        counts.pass
                    )
                }
                TargetResult::Unread { error, .. } => printable(error).into_owned(),
            };
            (rank(report), [word(report).to_owned(), printable(&report.target.name).into_owned(), what])
        })
        .collect();
    rows.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.get(1).cmp(&right.get(1))));
    let width =
        |column: usize| rows.iter().filter_map(|(_, row)| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths = [width(0), width(1)];
    writeln!(out, "\nSummary of {} targets", rows.len())?;
    for (_, [verdict, name, what]) in &rows {
        let pad = |cell: &str, width: usize| " ".repeat(width.saturating_sub(cell.width()));
        writeln!(out, "  {verdict}{}  {name}{}  {what}", pad(verdict, widths[0]), pad(name, widths[1]))?;
    }
    Ok(())
}
