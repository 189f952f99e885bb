//! The rules with their sources.

use std::collections::BTreeMap;
use std::io;

use super::device::row;
use super::lines::{self, Alike};
use super::words::{both, bounded, shown, text, words};
use crate::assess::{Finding, Text};
use crate::report::phrases::{self as say, Lang};
use crate::report::{Run, TargetResult, wording};

/// Every rule that a finding is of, once: its sources and how sure it is.
///
/// `alike`: what else stands with them in a large batch.
pub(super) fn write(out: &mut dyn io::Write, run: &Run, alike: Option<&Alike<'_>>) -> io::Result<()> {
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
        // Of a batch the rules are a page of their own, which a link leads to: nothing on it is folded.
        let open = if run.targets.len() == 1 { "" } else { " open" };
        writeln!(
            out,
            r#"<details class="f none" id="{}"{open}><summary><code>{}</code> {}</summary>"#,
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
        writeln!(out, "</dl>")?;
        for (said, number) in alike.into_iter().flat_map(|alike| alike.with(rule)) {
            writeln!(out, r#"<dl id="{}">"#, lines::place(rule, number))?;
            row(out, say::EXPECTED, &shown(&said.expected))?;
            if let Some(governing) = &said.governing {
                row(out, say::IN_FORCE, &shown(governing))?;
            }
            for note in &said.notes {
                row(out, say::NOTE, &shown(note))?;
            }
            writeln!(out, "</dl>")?;
        }
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

/// An id for a rule: letters and digits as they are, the rest by number.
pub(super) fn anchor(rule: &str) -> String {
    let part = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => c.to_string(),
        other => format!("_{:x}", u32::from(other)),
    };
    format!("rule-{}", rule.chars().map(part).collect::<String>())
}
