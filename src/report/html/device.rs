//! The page of one device.

use std::io;

use super::lines::{Alike, Sources};
use super::rules::anchor;
use super::words::{both, bounded, shown, text, words};
use super::{charts, class_of, contents, lines};
use crate::assess::{Assessment, Finding};
use crate::check::{Verdict, Words};
use crate::inventory::Gap;
use crate::report::phrases::{self as say, Lang};
use crate::report::{Coverage, TargetReport, TargetResult, wording};

/// Gaps shown by name; the rest is counted, and all of them are in the JSON form.
const GAPS_LISTED: usize = 100;

/// Writes one target. `alike`: what stands with the rules in a large batch, where packages and most findings are lines of
/// text; else packages are rows of a table, and every finding unfolds.
pub(super) fn write(
    out: &mut dyn io::Write,
    report: &TargetReport,
    number: usize,
    alike: Option<&Alike<'_>>,
) -> io::Result<()> {
    writeln!(out, "<article id=\"d{number}\">")?;
    writeln!(out, "<p class=\"back\"><a href=\"#top\">← {}</a></p>", both(say::ALL_DEVICES))?;
    match &report.result {
        TargetResult::Unread { temporary, error } => {
            let advice = if *temporary { say::TRY_AGAIN } else { say::READ_OTHERWISE };
            verdict(out, "open", &both(wording::unread(*temporary)), &report.target.name, &bounded(error))?;
            writeln!(out, "<h2>{}</h2>\n<p>{}</p>", both(say::WHAT_TO_DO), both(advice))?;
        }
        TargetResult::Judged { device, coverage, assessment } => {
            let word = both(wording::overall(assessment.overall));
            let counts = words(|lang| wording::counts(&assessment.counts, lang));
            verdict(out, class_of(assessment.overall), &word, &report.target.name, &counts)?;
            writeln!(out, "<dl>")?;
            row(out, say::DEVICE, &words(|lang| wording::device(device, lang)))?;
            let digest = bounded(&assessment.profile.sha256);
            let profile = words(|lang| wording::profile(assessment, lang));
            row(out, say::PROFILE, &format!("{profile} <small>sha256 <code>{digest}</code></small>"))?;
            row(out, say::JUDGED, &words(|lang| wording::judged(assessment, lang)))?;
            if let Some(time) = &report.target.collected_at {
                row(out, say::READ_AT, &bounded(time))?;
            }
            if wording::unexplained(assessment, say::Lang::En).is_some() {
                let why = |lang| wording::unexplained(assessment, lang).unwrap_or_default();
                row(out, say::WHY, &words(why))?;
            }
            writeln!(out, "</dl>")?;
            tailoring(out, assessment)?;
            to_do(out, assessment, number)?;
            findings(out, assessment, number, alike)?;
            self::coverage(out, coverage)?;
            match report.inventory.as_deref() {
                Some(inventory) => {
                    charts::write(out, inventory)?;
                    contents::write(out, inventory, alike.is_none())?;
                }
                None => writeln!(out, "<p class=\"soft\">{}</p>", both(say::PACKAGES_NOT_HERE))?,
            }
        }
    }
    writeln!(out, "</article>")
}

fn verdict(out: &mut dyn io::Write, class: &str, word: &str, name: &str, below: &str) -> io::Result<()> {
    writeln!(out, "<h1>{}</h1>", bounded(name))?;
    writeln!(out, r#"<div class="verdict {class}"><strong class="word">{word}</strong>{below}</div>"#)
}

pub(super) fn row(out: &mut dyn io::Write, name: say::Phrase, value: &str) -> io::Result<()> {
    writeln!(out, "<dt>{}</dt><dd>{value}</dd>", both(name))
}

/// What was changed about the profile's rules, and why.
fn tailoring(out: &mut dyn io::Write, assessment: &Assessment) -> io::Result<()> {
    if assessment.tailoring.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>{}</h3>\n<ul>", both(say::TAILORED))?;
    for tailored in &assessment.tailoring {
        let (rule, change) = (bounded(&tailored.rule), tailored.change.as_str());
        writeln!(out, "<li><code>{rule}</code> {change}: {}</li>", bounded(&tailored.reason))?;
    }
    writeln!(out, "</ul>")
}

/// Remedies, each once with the findings that it is for; what else a person must do.
fn to_do(out: &mut dyn io::Write, assessment: &Assessment, number: usize) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", both(say::WHAT_TO_DO))?;
    let mut tasks: Vec<(String, Vec<String>)> = Vec::new();
    if !assessment.coverage_gaps.is_empty() {
        tasks.push((both(say::CLOSE_GAPS), Vec::new()));
    }
    for (index, finding) in assessment.findings.iter().enumerate() {
        let task = match (finding.verdict, &finding.remedy) {
            (Verdict::Fail, _) if !assessment.is_open_failure(finding) => continue,
            (Verdict::Pass | Verdict::Informational | Verdict::NotApplicable, _) => continue,
            (_, Some(remedy)) => text(remedy),
            (Verdict::NotChecked, None) => both(say::LOOK_YOURSELF),
            (Verdict::Error, None) => both(say::REPORT_FAULT),
            (Verdict::Inconclusive, None) => both(say::GET_EVIDENCE),
            (Verdict::Fail, None) => words(|lang| wording::expected(finding, lang).to_owned()),
        };
        let link = format!(r##"<a href="#d{number}-{}">{}</a>"##, index + 1, bounded(&finding.rule));
        match tasks.iter_mut().find(|(known, _)| *known == task) {
            Some((_, links)) => links.push(link),
            None => tasks.push((task, vec![link])),
        }
    }
    if tasks.is_empty() {
        return writeln!(out, "<p>{}</p>", both(say::NOTHING_TO_DO));
    }
    writeln!(out, "<ol>")?;
    for (task, links) in tasks {
        let links = if links.is_empty() { String::new() } else { format!("<br><small>{}</small>", links.join(", ")) };
        writeln!(out, "<li>{task}{links}</li>")?;
    }
    writeln!(out, "</ol>")
}

pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "fail",
        Verdict::Inconclusive | Verdict::Error | Verdict::NotChecked => "open",
        Verdict::Pass => "pass",
        Verdict::Informational => "info",
        Verdict::NotApplicable => "none",
    }
}

/// `alike`: what stands with the rules, where findings are lines; else all of them unfold.
fn findings(
    out: &mut dyn io::Write,
    assessment: &Assessment,
    number: usize,
    alike: Option<&Alike<'_>>,
) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", both(say::FINDINGS_TITLE))?;
    let (mut first, mut sources) = (1, None);
    for findings in assessment.findings.chunk_by(|a, b| a.verdict == b.verdict) {
        let Some(worst) = findings.first() else { continue };
        let (verdict, alike) = (worst.verdict, alike.filter(|alike| alike.holds(worst)));
        if let (Some(alike), None) = (alike, &sources) {
            sources = Some(Sources::write(out, &assessment.findings, alike)?);
        }
        let (class, word, count) = (class(verdict), both(wording::verdict(verdict)), findings.len());
        writeln!(out, r#"<h3 class="{class}"><span class="word">{word}</span> ({count})</h3>"#)?;
        match (alike, &sources) {
            (Some(alike), Some(sources)) => lines::write(out, findings, (number, first), sources, alike)?,
            _ => {
                for (index, finding) in findings.iter().enumerate() {
                    self::finding(out, finding, &format!("d{number}-{}", first + index))?;
                }
            }
        }
        first += findings.len();
    }
    Ok(())
}

fn finding(out: &mut dyn io::Write, finding: &Finding, id: &str) -> io::Result<()> {
    let class = class(finding.verdict);
    let word = both(wording::verdict(finding.verdict));
    let mut tags: Vec<String> = finding.reason.iter().map(|reason| both(wording::reason(*reason))).collect();
    tags.extend(finding.waiver.iter().map(|_| both(say::WAIVED)));
    tags.extend(finding.baseline.iter().map(|place| both(wording::baseline(*place))));
    let tags: String = tags.iter().map(|tag| format!(r#" <span class="tag">{tag}</span>"#)).collect();
    writeln!(
        out,
        r#"<details class="f {class}" id="{id}"><summary><span class="word">{word}</span> <code>{}</code> {}{tags}<span class="soft">{}</span></summary>"#,
        bounded(&finding.rule),
        text(&finding.title),
        words(|lang| wording::observed(finding, lang).to_owned())
    )?;
    writeln!(out, "<dl>")?;
    if let Some(subject) = &finding.subject {
        row(out, say::PACKAGE, &format!("<code>{}</code>", bounded(subject)))?;
    }
    row(out, say::EXPECTED, &words(|lang| wording::expected(finding, lang).to_owned()))?;
    let says = wording::says(finding, Lang::En).into_iter().zip(wording::says(finding, Lang::Ru));
    for (piece, (en, ru)) in finding.evidence.iter().zip(says) {
        let says = shown(&Words { en: en.to_owned(), ru: ru.to_owned() });
        let place = words(|lang| wording::place_in(piece, lang));
        row(out, say::WHERE, &format!("<code>{place}</code>: {says}"))?;
    }
    if let Some(governing) = &finding.governing {
        row(out, say::IN_FORCE, &words(|lang| wording::governing(governing, lang)))?;
    }
    let status = wording::status(&finding.status).map_or_else(|| bounded(&finding.status), both);
    let law = words(|lang| wording::law(finding, lang));
    let rule = anchor(&finding.rule);
    row(out, say::LAW, &format!(r##"{law}; {status} <a href="#{rule}">{}</a>"##, both(say::SOURCES)))?;
    for (en, ru) in wording::notes(finding, Lang::En).iter().zip(wording::notes(finding, Lang::Ru)) {
        row(out, say::NOTE, &shown(&Words { en: en.clone(), ru: ru.clone() }))?;
    }
    for (name, _) in wording::overlays(finding, say::Lang::En) {
        let said = |lang| {
            let found = wording::overlays(finding, lang).into_iter().find(|(other, _)| *other == name);
            found.map(|(_, words)| words).unwrap_or_default()
        };
        row(out, name, &words(said))?;
    }
    if let Some(remedy) = &finding.remedy {
        row(out, say::DO, &text(remedy))?;
    }
    writeln!(out, "</dl></details>")
}

fn coverage(out: &mut dyn io::Write, coverage: &Coverage) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", both(say::COVERAGE_AND_GAPS))?;
    let counts =
        [(coverage.packages, say::PACKAGES), (coverage.partitions, say::PARTITIONS), (coverage.users, say::USERS)];
    let known = counts.iter().filter_map(|(count, noun)| count.map(|count| words(|lang| noun.count(count, lang))));
    let mut parts: Vec<String> = known.collect();
    if coverage.packages.is_none() {
        parts.insert(0, words(|lang| format!("{}: {}", say::PACKAGES.form(0, lang), say::UNKNOWN.say(lang))));
    }
    let state = words(|lang| wording::completeness(&coverage.gaps, lang));
    writeln!(out, "<p>{}; <strong>{state}</strong></p>", parts.join(", "))?;
    if coverage.gaps.is_empty() {
        return writeln!(out, "<p>{}</p>", both(say::NO_GAPS));
    }
    writeln!(out, "<div class=\"wide\"><table>\n<thead><tr>")?;
    for column in [say::WHERE, say::REASON, say::GAP, say::DETAIL] {
        writeln!(out, r#"<th scope="col">{}</th>"#, both(column))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    let mut gaps: Vec<&Gap> = coverage.gaps.iter().collect();
    gaps.sort_by_key(|gap| gap.hides);
    for gap in gaps.iter().take(GAPS_LISTED) {
        writeln!(
            out,
            r#"<tr><td class="path">{}</td><td>{}</td><td>{}</td><td lang="en">{}</td></tr>"#,
            bounded(&gap.place),
            both(wording::gap_reason(gap.reason)),
            both(wording::hides(gap.hides)),
            bounded(&gap.detail)
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    match gaps.len().checked_sub(GAPS_LISTED) {
        Some(more) if more > 0 => writeln!(out, "<p>{} {more}</p>", both(say::AND_MORE)),
        _ => Ok(()),
    }
}
