//! Markdown as GitHub and GitLab render it: the summary of a CI job, a comment of a merge request.
//!
//! What needs a person stands in full; what is settled is folded away in a table. Text from devices is written with
//! character references, so that it neither formats nor mentions anybody.

use std::fmt::Write as _;
use std::io;

use super::phrases::{self as say, Lang};
use super::{Carries, Coverage, ReportFormat, Run, Style, TargetReport, TargetResult, printable, wording};
use crate::assess::{Assessment, Finding, Overall};
use crate::check::Verdict;

/// `--format markdown`.
pub(super) struct Markdown;

/// Gaps listed by name for each target; the rest is counted. GitHub cuts summaries at 1 MiB.
const GAPS_LISTED: usize = 20;

impl ReportFormat for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "a summary for CI jobs and merge requests"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let lang = style.lang;
        let mut page = Page { out, lang };
        if run.targets.len() > 1 {
            page.summary(run)?;
        }
        for report in &run.targets {
            page.target(report)?;
        }
        for notice in &run.notices {
            let (subject, kind) = (safe(&notice.subject), notice.kind.as_str());
            writeln!(page.out, "- ⚠️ {subject} ({kind}): {}", safe(&notice.text))?;
        }
        if !run.notices.is_empty() {
            writeln!(page.out)?;
        }
        writeln!(page.out, "<sub>{} {} {}</sub>", say::MADE_BY.say(lang), safe(&run.tool.name), safe(&run.tool.version))
    }
}

struct Page<'a> {
    out: &'a mut dyn io::Write,
    lang: Lang,
}

/// A verdict's mark: a word always stands beside it.
fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "❌",
        Verdict::Inconclusive | Verdict::Error | Verdict::NotChecked => "⚠️",
        Verdict::Pass => "✅",
        Verdict::Informational => "ℹ️",
        Verdict::NotApplicable => "➖",
    }
}

fn overall_mark(overall: Overall) -> &'static str {
    match overall {
        Overall::Compliant => "✅",
        Overall::NotCompliant => "❌",
        Overall::Inconclusive => "⚠️",
    }
}

impl Page<'_> {
    fn summary(&mut self, run: &Run) -> io::Result<()> {
        let lang = self.lang;
        writeln!(self.out, "## {}: {}\n", say::SUMMARY.say(lang), say::TARGETS.count(run.targets.len() as u64, lang))?;
        self.header(&[say::VERDICT, say::DEVICE, say::COUNTS])?;
        for report in &run.targets {
            let (mark, word, counts) = match &report.result {
                TargetResult::Unread { temporary, error } => ("⚠️", wording::unread(*temporary), safe(error)),
                TargetResult::Judged { assessment, .. } => (
                    overall_mark(assessment.overall),
                    wording::overall(assessment.overall),
                    wording::counts(&assessment.counts, lang),
                ),
            };
            writeln!(self.out, "| {mark} {} | {} | {counts} |", word.say(lang), safe(&report.target.name))?;
        }
        writeln!(self.out)
    }

    fn header(&mut self, columns: &[say::Phrase]) -> io::Result<()> {
        let names: Vec<&str> = columns.iter().map(|column| column.say(self.lang)).collect();
        writeln!(self.out, "| {} |\n|{}", names.join(" | "), "---|".repeat(names.len()))
    }

    fn target(&mut self, report: &TargetReport) -> io::Result<()> {
        let lang = self.lang;
        let name = safe(&report.target.name);
        match &report.result {
            TargetResult::Unread { temporary, error } => {
                let advice = if *temporary { say::TRY_AGAIN } else { say::READ_OTHERWISE };
                writeln!(self.out, "## ⚠️ {}: {name}\n", wording::unread(*temporary).say(lang))?;
                writeln!(self.out, "{}\n\n{}\n", safe(error), advice.say(lang))
            }
            TargetResult::Judged { device, coverage, assessment } => {
                let word = wording::overall(assessment.overall).say(lang);
                writeln!(self.out, "## {} {word}: {name}\n", overall_mark(assessment.overall))?;
                writeln!(self.out, "{}\n", wording::counts(&assessment.counts, lang))?;
                self.item(say::DEVICE, &wording::device(device, lang))?;
                self.item(say::PROFILE, &wording::profile(assessment, lang))?;
                self.item(say::JUDGED, &wording::judged(assessment, lang))?;
                if let Some(why) = wording::unexplained(assessment, lang) {
                    self.item(say::WHY, &why)?;
                }
                writeln!(self.out)?;
                self.findings(assessment)?;
                self.coverage(coverage)
            }
        }
    }

    fn item(&mut self, name: say::Phrase, text: &str) -> io::Result<()> {
        writeln!(self.out, "- **{}**: {}", name.say(self.lang), safe(text))
    }

    fn findings(&mut self, assessment: &Assessment) -> io::Result<()> {
        let settled = |finding: &&Finding| matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable);
        for finding in assessment.findings.iter().filter(|finding| !settled(finding)) {
            self.open(finding)?;
        }
        let rest: Vec<&Finding> = assessment.findings.iter().filter(settled).collect();
        if rest.is_empty() {
            return Ok(());
        }
        let lang = self.lang;
        let of = |verdict| rest.iter().filter(|finding| finding.verdict == verdict).count() as u64;
        let title = [
            say::COUNTED_PASS.count(of(Verdict::Pass), lang),
            say::COUNTED_NOT_APPLICABLE.count(of(Verdict::NotApplicable), lang),
        ];
        writeln!(self.out, "<details><summary>{}</summary>\n", title.join(", "))?;
        self.header(&[say::VERDICT, say::RULE, say::OBSERVED])?;
        for finding in rest {
            let reason = finding.reason.map(|reason| format!(" ({})", wording::reason(reason).say(lang)));
            writeln!(
                self.out,
                "| {} {}{} | {} | {} |",
                mark(finding.verdict),
                wording::verdict(finding.verdict).say(lang),
                reason.unwrap_or_default(),
                title_of(finding, lang),
                safe(wording::observed(finding, lang))
            )?;
        }
        writeln!(self.out, "\n</details>\n")
    }

    fn open(&mut self, finding: &Finding) -> io::Result<()> {
        let lang = self.lang;
        let waived = finding.waiver.as_ref().map(|_| format!(" ({})", say::WAIVED.say(lang))).unwrap_or_default();
        let reason = finding.reason.map(|reason| format!(" — {}", wording::reason(reason).say(lang)));
        writeln!(
            self.out,
            "### {} {}{waived}: {}{}\n",
            mark(finding.verdict),
            wording::verdict(finding.verdict).say(lang),
            title_of(finding, lang),
            reason.unwrap_or_default()
        )?;
        self.item(say::EXPECTED, wording::expected(finding, lang))?;
        self.item(say::OBSERVED, wording::observed(finding, lang))?;
        for (place, says) in wording::evidence(finding, lang) {
            self.item(say::WHERE, &format!("{place}: {says}"))?;
        }
        if let Some(governing) = &finding.governing {
            self.item(say::IN_FORCE, &wording::governing(governing, lang))?;
        }
        self.item(say::LAW, &wording::law(finding, lang))?;
        for note in wording::confidence_note(finding, lang).into_iter().chain(wording::notes(finding, lang)) {
            self.item(say::NOTE, note)?;
        }
        for (name, words) in wording::overlays(finding, lang) {
            self.item(name, &words)?;
        }
        if let Some(remedy) = &finding.remedy {
            self.item(say::DO, wording::text(remedy, lang))?;
        }
        writeln!(self.out)
    }

    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        let lang = self.lang;
        let packages = coverage
            .packages
            .map_or_else(|| say::UNKNOWN.say(lang).to_owned(), |count| say::PACKAGES.count(count, lang));
        let state = wording::completeness(&coverage.gaps, lang);
        writeln!(self.out, "**{}**: {packages}; {state}\n", say::COVERAGE.say(lang))?;
        for gap in coverage.gaps.iter().take(GAPS_LISTED) {
            let reason = wording::gap_reason(gap.reason).say(lang);
            writeln!(self.out, "- {} [{reason}]: {}", safe(&gap.place), safe(&gap.detail))?;
        }
        if let Some(more) = coverage.gaps.len().checked_sub(GAPS_LISTED).filter(|more| *more > 0) {
            writeln!(self.out, "- {} {more}", say::AND_MORE.say(lang))?;
        }
        if coverage.gaps.is_empty() { Ok(()) } else { writeln!(self.out) }
    }
}

fn title_of(finding: &Finding, lang: Lang) -> String {
    let subject = finding.subject.as_ref().map(|subject| format!(" ({})", safe(subject))).unwrap_or_default();
    format!("{} {}{subject}", safe(&finding.rule), safe(wording::text(&finding.title, lang)))
}

/// Text with every mark that Markdown, HTML or a mention could begin with as a character reference.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in printable(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | ',' | ';' | ':' | '/' | '(' | ')' | '?' | '-')
        {
            // Writing to a string does not fail.
            let _ = write!(out, "&#{};", u32::from(character));
        } else {
            out.push(character);
        }
    }
    // A dot or a colon between words would make an address of them, which renderers turn into links.
    out.replace("://", ":&#8203;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_markdown_and_html_and_mentions_are_references() {
        assert_eq!(safe("<b>|@me #1 `x` *y*"), "&#60;b&#62;&#124;&#64;me &#35;1 &#96;x&#96; &#42;y&#42;");
        assert_eq!(safe("ru.vk.store, 1 (2)"), "ru.vk.store, 1 (2)");
        assert!(!safe("https://x.y").contains("https://"));
    }
}
