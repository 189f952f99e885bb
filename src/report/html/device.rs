//! The page of one device, and the rules with their sources.

use std::collections::BTreeMap;
use std::io;

use super::class_of;
use super::words::{SHOWN, both, bounded, spans, text, words};
use super::{charts, contents, cut};
use crate::assess::{Assessment, Finding, Text};
use crate::check::Verdict;
use crate::inventory::Gap;
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Lang};
use crate::report::{Coverage, Run, TargetReport, TargetResult, wording};

/// Gaps shown by name; the rest is counted, and all of them are in the JSON form.
const GAPS_LISTED: usize = 100;

/// Writes one target. `tables`: whether packages are rows of a table and every finding unfolds, or lines of
/// text.
pub(super) fn write(out: &mut dyn io::Write, report: &TargetReport, number: usize, tables: bool) -> io::Result<()> {
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
            findings(out, assessment, number, tables)?;
            self::coverage(out, coverage)?;
            match report.inventory.as_deref() {
                Some(inventory) => {
                    charts::write(out, inventory)?;
                    contents::write(out, inventory, tables)?;
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

fn row(out: &mut dyn io::Write, name: say::Phrase, value: &str) -> io::Result<()> {
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

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "fail",
        Verdict::Inconclusive | Verdict::Error | Verdict::NotChecked => "open",
        Verdict::Pass => "pass",
        Verdict::Informational => "info",
        Verdict::NotApplicable => "none",
    }
}

/// `whole`: whether findings that ask nothing of anybody unfold as well, or are a line of text.
fn findings(out: &mut dyn io::Write, assessment: &Assessment, number: usize, whole: bool) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", both(say::FINDINGS_TITLE))?;
    let mut last = None;
    for (index, finding) in assessment.findings.iter().enumerate() {
        if last != Some(finding.verdict) {
            let count = assessment.findings.iter().filter(|other| other.verdict == finding.verdict).count();
            let word = both(wording::verdict(finding.verdict));
            writeln!(out, r#"<h3 class="{}"><span class="word">{word}</span> ({count})</h3>"#, class(finding.verdict))?;
            last = Some(finding.verdict);
        }
        let id = format!("d{number}-{}", index + 1);
        let quiet = matches!(finding.verdict, Verdict::Pass | Verdict::Informational | Verdict::NotApplicable);
        if whole || !quiet { self::finding(out, finding, &id)? } else { line(out, finding, &id)? }
    }
    Ok(())
}

/// A finding as a line: what a large batch shows of one that asks nothing of anybody. Its law stands with its rule.
fn line(out: &mut dyn io::Write, finding: &Finding, id: &str) -> io::Result<()> {
    let said = |lang| {
        let (observed, expected) = (wording::observed(finding, lang), wording::expected(finding, lang));
        let mut said = vec![format!("{observed} ({}: {expected})", say::EXPECTED.say(lang))];
        said.extend(finding.subject.iter().cloned());
        said.extend(wording::evidence(finding, lang).iter().map(|(place, says)| format!("{place}: {says}")));
        said.extend(finding.governing.iter().map(|governing| wording::governing(governing, lang)));
        said.extend(wording::notes(finding, lang).iter().cloned());
        let overlays = wording::overlays(finding, lang).into_iter();
        said.extend(overlays.map(|(name, words)| format!("{}: {words}", name.say(lang))));
        said.iter().map(|part| escape(&cut(part, SHOWN)).into_owned()).collect::<Vec<_>>().join("; ")
    };
    writeln!(
        out,
        r##"<p class="line" id="{id}"><a href="#{}">{}</a> {}</p>"##,
        anchor(&finding.rule),
        escape(&finding.rule),
        spans(&format!("<bdi>{}</bdi>", said(Lang::En)), &format!("<bdi>{}</bdi>", said(Lang::Ru)))
    )
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
    let (pieces, russian) = (wording::evidence(finding, Lang::En), wording::evidence(finding, Lang::Ru));
    for ((place, en), (_, ru)) in pieces.iter().zip(russian) {
        let says = words(|lang| (if lang == Lang::En { *en } else { ru }).to_owned());
        row(out, say::WHERE, &format!("<code>{}</code>: {says}", bounded(place)))?;
    }
    if let Some(governing) = &finding.governing {
        row(out, say::IN_FORCE, &words(|lang| wording::governing(governing, lang)))?;
    }
    let status = wording::status(&finding.status).map_or_else(|| bounded(&finding.status), both);
    let law = words(|lang| wording::law(finding, lang));
    let rule = anchor(&finding.rule);
    row(out, say::LAW, &format!(r##"{law}; {status} <a href="#{rule}">{}</a>"##, both(say::SOURCES)))?;
    for (en, ru) in wording::notes(finding, Lang::En).iter().zip(wording::notes(finding, Lang::Ru)) {
        row(out, say::NOTE, &words(|lang| (if lang == Lang::En { en } else { ru }).clone()))?;
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

/// Every rule that a finding is of, once: its sources and how sure it is.
pub(super) fn rules(out: &mut dyn io::Write, run: &Run) -> io::Result<()> {
    let mut rules: BTreeMap<&str, (&Text, &Finding)> = BTreeMap::new();
    for report in &run.targets {
        let TargetResult::Judged { assessment, .. } = &report.result else { continue };
        for finding in &assessment.findings {
            rules.entry(&finding.rule).or_insert((&finding.title, finding));
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section id=\"rules\">")?;
    writeln!(out, "<p class=\"back\"><a href=\"#top\">← {}</a></p>", both(say::ALL_DEVICES))?;
    writeln!(out, "<h2>{}</h2>", both(say::RULES_TITLE))?;
    for (rule, (title, finding)) in rules {
        writeln!(
            out,
            r#"<details class="f none" id="{}"><summary><code>{}</code> {}</summary>"#,
            anchor(rule),
            bounded(rule),
            text(title)
        )?;
        writeln!(out, "<dl>")?;
        row(out, say::LAW, &words(|lang| wording::law(finding, lang)))?;
        if wording::confidence_note(finding, Lang::En).is_some() {
            let note = |lang| wording::confidence_note(finding, lang).cloned().unwrap_or_default();
            row(out, say::NOTE, &words(note))?;
        }
        for source in &finding.legal.sources {
            row(out, say::SOURCES, &bounded(source))?;
        }
        writeln!(out, "</dl></details>")?;
    }
    writeln!(out, "</section>")
}

/// An id for a rule: letters and digits as they are, the rest by number.
fn anchor(rule: &str) -> String {
    let part = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => c.to_string(),
        other => format!("_{:x}", u32::from(other)),
    };
    format!("rule-{}", rule.chars().map(part).collect::<String>())
}
