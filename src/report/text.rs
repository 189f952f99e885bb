//! Text for people: the verdict, what failed and why, the evidence, what to do, how much was read.

use std::io;

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthStr;

use super::phrases::{self as say, Lang, Noun, Phrase};
use super::{Carries, Coverage, ReportFormat, Run, Style, TargetReport, TargetResult, printable, wording};
use crate::assess::{Assessment, Baseline, Finding, Overall};
use crate::check::Verdict;
use crate::inventory::{Device, Gap};

/// `--format text`.
pub(super) struct Text;

/// Narrower than this nothing reads well, wider than this lines are hard to follow.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=140;

/// Gaps listed by name; the rest is counted, and all of them are in the JSON form.
const GAPS_LISTED: usize = 8;

/// Pieces of evidence shown per finding; the rest is counted, and all of them are in the JSON form.
const EVIDENCE_LISTED: usize = 4;

const HEADING: Ansi = Ansi::new().bold();
const FAINT: Ansi = Ansi::new().dimmed();

impl ReportFormat for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "for reading on a terminal"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let width = style.width.clamp(*WIDTHS.start(), *WIDTHS.end());
        let mut page = Page { out, colour: style.colour, lang: style.lang, width, shared: Vec::new() };
        for (index, target) in run.targets.iter().enumerate() {
            if index > 0 {
                page.line("", Ansi::new(), "")?;
            }
            page.target(target)?;
        }
        if run.targets.is_empty() {
            page.line("", verdict_style(Verdict::Error), page.say(say::NO_TARGETS))?;
        }
        if run.targets.len() > 1 {
            page.summary(run)?;
        }
        page.notices(run)
    }
}

struct Page<'a> {
    out: &'a mut dyn io::Write,
    colour: bool,
    lang: Lang,
    width: usize,
    /// Texts that several findings share: each is printed once below them, under its number.
    shared: Vec<String>,
}

impl Page<'_> {
    fn target(&mut self, report: &TargetReport) -> io::Result<()> {
        match &report.result {
            TargetResult::Unread { temporary, error } => {
                let word = self.say(wording::unread(*temporary));
                self.line("", verdict_style(Verdict::Error), &format!("{word}  {}", printable(&report.target.name)))?;
                self.field(say::WHY, error)
            }
            TargetResult::Judged { device, coverage, assessment } => {
                self.verdict(report, device, assessment)?;
                let open: Vec<&Finding> = assessment
                    .findings
                    .iter()
                    .filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable))
                    .filter(|finding| !is_known(assessment, finding))
                    .collect();
                self.shared = shared_texts(&open, self.lang);
                for finding in open {
                    self.finding(finding)?;
                }
                self.footnotes()?;
                self.settled(assessment)?;
                self.coverage(coverage)
            }
        }
    }

    /// Waivers, attestations and a baseline that somebody has to see to.
    fn notices(&mut self, run: &Run) -> io::Result<()> {
        if !run.notices.is_empty() {
            self.line("", Ansi::new(), "")?;
            self.line("", HEADING, &format!("{}:", self.count(run.notices.len(), say::NOTICES)))?;
        }
        for notice in &run.notices {
            let text = format!("{} [{}]  {}", notice.subject, notice.kind.as_str(), notice.text);
            self.line("  ", verdict_style(Verdict::Inconclusive), &printable(&text))?;
        }
        Ok(())
    }

    fn say(&self, phrase: Phrase) -> &'static str {
        phrase.say(self.lang)
    }

    fn count(&self, count: usize, noun: Noun) -> String {
        noun.count(count as u64, self.lang)
    }

    fn verdict(&mut self, report: &TargetReport, device: &Device, assessment: &Assessment) -> io::Result<()> {
        let style = overall_style(assessment.overall);
        let word = self.say(wording::overall(assessment.overall));
        let counts = wording::counts(&assessment.counts, self.lang);
        self.line("", style, &format!("{word}  {}: {counts}", printable(&report.target.name)))?;
        self.field(say::DEVICE, &wording::device(device, self.lang))?;
        let sha256 = &assessment.profile.sha256;
        let digest = sha256.get(..12).unwrap_or(sha256);
        self.field(say::PROFILE, &format!("{}, sha256 {digest}…", wording::profile(assessment, self.lang)))?;
        self.field(say::JUDGED, &wording::judged(assessment, self.lang))?;
        match wording::unexplained(assessment, self.lang) {
            Some(why) => self.field(say::WHY, &why),
            None => Ok(()),
        }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        let word = self.say(wording::verdict(finding.verdict));
        let waived = finding.waiver.as_ref().map(|_| format!(" ({})", self.say(say::WAIVED))).unwrap_or_default();
        let reason = finding.reason.map(|reason| format!(" [{}]", self.reason(reason))).unwrap_or_default();
        let title = wording::text(&finding.title, self.lang);
        let head = format!("{word}{waived}  {}  {}{reason}", finding.rule, printable(title));
        self.line("", verdict_style(finding.verdict), &head)?;
        self.field(say::EXPECTED, wording::expected(finding, self.lang))?;
        self.field(say::OBSERVED, wording::observed(finding, self.lang))?;
        for (place, says) in wording::evidence(finding, self.lang).into_iter().take(EVIDENCE_LISTED) {
            self.field(say::WHERE, &format!("{place}: {says}"))?;
        }
        if let Some(more) = finding.evidence.len().checked_sub(EVIDENCE_LISTED).filter(|more| *more > 0) {
            self.unnamed(&self.and_more(more, ""))?;
        }
        if let Some(governing) = &finding.governing {
            self.field(say::IN_FORCE, &wording::governing(governing, self.lang))?;
        }
        self.cited(self.say(say::LAW), &[wording::law(finding, self.lang)])?;
        if let Some(note) = wording::confidence_note(finding, self.lang) {
            self.cited("", std::slice::from_ref(note))?;
        }
        self.cited(self.say(say::NOTE), wording::notes(finding, self.lang))?;
        for (name, words) in wording::overlays(finding, self.lang) {
            self.field(name, &words)?;
        }
        match &finding.remedy {
            Some(remedy) => self.cited(self.say(say::DO), &[wording::text(remedy, self.lang).to_owned()]),
            None => Ok(()),
        }
    }

    /// A reason: its public code, which is English, or its words.
    fn reason(&self, reason: crate::check::Reason) -> &'static str {
        match self.lang {
            Lang::En => reason.as_str(),
            Lang::Ru => self.say(wording::reason(reason)),
        }
    }

    fn and_more(&self, more: usize, hint: &str) -> String {
        match self.lang {
            Lang::En => format!("and {more} more{hint}"),
            Lang::Ru => format!("и ещё {more}{hint}"),
        }
    }

    /// Texts of a field: those that are shared by their numbers on one line, the others in full.
    fn cited(&mut self, name: &str, texts: &[String]) -> io::Result<()> {
        let (mut numbers, mut own) = (Vec::new(), Vec::new());
        for text in texts {
            match self.shared.iter().position(|shared| shared == text) {
                Some(index) => numbers.push(format!("[{}]", index + 1)),
                None => own.push(text),
            }
        }
        for text in own {
            self.named(name, text)?;
        }
        if numbers.is_empty() { Ok(()) } else { self.named(name, &numbers.join(" ")) }
    }

    fn footnotes(&mut self) -> io::Result<()> {
        let shared = std::mem::take(&mut self.shared);
        if !shared.is_empty() {
            self.line("", Ansi::new(), "")?;
        }
        for (index, text) in shared.iter().enumerate() {
            self.named(&format!("[{}]", index + 1), text)?;
        }
        Ok(())
    }

    /// Rules that need nothing done: a line each for passes, a count by reason for those out of scope.
    fn settled(&mut self, assessment: &Assessment) -> io::Result<()> {
        let passes: Vec<&Finding> = assessment.findings.iter().filter(|f| f.verdict == Verdict::Pass).collect();
        if !passes.is_empty() {
            self.line("", Ansi::new(), "")?;
        }
        for finding in passes {
            let word = self.say(wording::verdict(Verdict::Pass));
            let text = format!("{word}  {}  {}", finding.rule, printable(wording::observed(finding, self.lang)));
            self.line("", verdict_style(Verdict::Pass), &text)?;
        }
        let known: Vec<&str> =
            assessment.findings.iter().filter(|f| is_known(assessment, f)).map(|f| f.rule.as_str()).collect();
        if let (false, Some(baseline)) = (known.is_empty(), &assessment.baseline) {
            self.line("", Ansi::new(), "")?;
            let (word, file) = (self.say(say::KNOWN_FROM), printable(&baseline.file));
            let text = format!("{word} {file}  {}", known.join(", "));
            self.line("", verdict_style(Verdict::Fail), &text)?;
        }
        for tailored in &assessment.tailoring {
            let text = format!("{}  {}: {}", tailored.change.as_str().to_uppercase(), tailored.rule, tailored.reason);
            self.line("", verdict_style(Verdict::NotApplicable), &printable(&text))?;
        }
        let skipped = assessment.findings.iter().filter(|f| f.verdict == Verdict::NotApplicable);
        let mut by_reason: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
        for finding in skipped {
            let reason = finding.reason.map_or("not-applicable", |reason| self.reason(reason));
            by_reason.entry(reason).or_default().push(&finding.rule);
        }
        if !by_reason.is_empty() {
            self.line("", Ansi::new(), "")?;
        }
        for (reason, rules) in by_reason {
            let word = self.say(wording::verdict(Verdict::NotApplicable));
            let text = format!("{word} [{reason}]  {}", rules.join(", "));
            self.line("", verdict_style(Verdict::NotApplicable), &text)?;
        }
        Ok(())
    }

    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        let count = |value: Option<u64>, noun: Noun| match (value, self.lang) {
            (Some(value), lang) => noun.count(value, lang),
            (None, Lang::En) => format!("{} unknown", noun.form(0, Lang::En)),
            (None, Lang::Ru) => format!("{}: неизвестно", noun.form(0, Lang::Ru)),
        };
        let state = wording::completeness(&coverage.gaps, self.lang);
        let mut parts = vec![count(coverage.packages, say::PACKAGES)];
        if coverage.partitions.is_some() {
            parts.push(count(coverage.partitions, say::PARTITIONS));
        }
        if coverage.users.is_some() {
            parts.push(count(coverage.users, say::USERS));
        }
        self.line("", HEADING, &format!("{}: {}; {state}", self.say(say::COVERAGE), parts.join(", ")))?;
        let mut gaps: Vec<&Gap> = coverage.gaps.iter().collect();
        gaps.sort_by_key(|gap| gap.hides);
        for gap in gaps.iter().take(GAPS_LISTED) {
            let reason = match self.lang {
                Lang::En => gap.reason.as_str(),
                Lang::Ru => self.say(wording::gap_reason(gap.reason)),
            };
            self.field(say::GAP, &format!("{} [{reason}]: {}", gap.place, gap.detail))?;
        }
        match gaps.len().checked_sub(GAPS_LISTED) {
            Some(more) if more > 0 => {
                self.unnamed(&self.and_more(more, &format!(" ({})", self.say(say::MORE_IN_JSON))))
            }
            _ => Ok(()),
        }
    }

    fn summary(&mut self, run: &Run) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        self.line("", HEADING, &format!("{}:", self.count(run.targets.len(), say::TARGETS)))?;
        for report in &run.targets {
            let (style, word) = match &report.result {
                TargetResult::Judged { assessment, .. } => {
                    (overall_style(assessment.overall), wording::overall(assessment.overall))
                }
                TargetResult::Unread { .. } => (verdict_style(Verdict::Error), say::NOT_READ),
            };
            self.line("  ", style, &format!("{}  {}", self.say(word), printable(&report.target.name)))?;
        }
        Ok(())
    }

    fn field(&mut self, name: Phrase, text: &str) -> io::Result<()> {
        self.named(self.say(name), text)
    }

    fn unnamed(&mut self, text: &str) -> io::Result<()> {
        self.named("", text)
    }

    /// A name in its column and a text wrapped beside it.
    fn named(&mut self, name: &str, text: &str) -> io::Result<()> {
        const INDENT: usize = 4;
        let column = match self.lang {
            Lang::En => 10,
            Lang::Ru => 12,
        };
        let text = printable(text);
        let room = self.width.saturating_sub(INDENT + column);
        for (index, line) in wrap(&text, room).into_iter().enumerate() {
            let label = if index == 0 { name } else { "" };
            let label = format!("{:INDENT$}{label:column$}", "");
            let label = if self.colour { format!("{FAINT}{label}{FAINT:#}") } else { label };
            writeln!(self.out, "{}", format!("{label}{line}").trim_end())?;
        }
        Ok(())
    }

    fn line(&mut self, indent: &str, style: Ansi, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return writeln!(self.out);
        }
        let room = self.width.saturating_sub(indent.len());
        for (index, line) in wrap(text, room).into_iter().enumerate() {
            let hang = if index == 0 { "" } else { "    " };
            if self.colour {
                writeln!(self.out, "{indent}{hang}{style}{line}{style:#}")?;
            } else {
                writeln!(self.out, "{indent}{hang}{line}")?;
            }
        }
        Ok(())
    }
}

/// Whether a failure is left out, since an older report has it and only new ones were asked for.
fn is_known(assessment: &Assessment, finding: &Finding) -> bool {
    assessment.baseline.as_ref().is_some_and(|baseline| baseline.only_new) && finding.baseline == Some(Baseline::Known)
}

/// Texts that stand in more than one finding, in the order of their first use.
fn shared_texts(findings: &[&Finding], lang: Lang) -> Vec<String> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for finding in findings {
        let mut texts = vec![wording::law(finding, lang)];
        texts.extend(wording::confidence_note(finding, lang).cloned());
        texts.extend(wording::notes(finding, lang).iter().cloned());
        texts.extend(finding.remedy.iter().map(|remedy| wording::text(remedy, lang).to_owned()));
        texts.dedup();
        for text in texts {
            match seen.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None => seen.push((text, 1)),
            }
        }
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(text, _)| text).collect()
}

/// Breaks at spaces so that lines fit; a longer word (a path, a digest) stays whole so that it can be copied.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn overall_style(overall: Overall) -> Ansi {
    verdict_style(match overall {
        Overall::Compliant => Verdict::Pass,
        Overall::NotCompliant => Verdict::Fail,
        Overall::Inconclusive => Verdict::Inconclusive,
    })
    .bold()
}

fn verdict_style(verdict: Verdict) -> Ansi {
    let colour = match verdict {
        Verdict::Fail | Verdict::Error => AnsiColor::Red,
        Verdict::Inconclusive | Verdict::NotChecked => AnsiColor::Yellow,
        Verdict::Pass => AnsiColor::Green,
        Verdict::Informational => AnsiColor::Cyan,
        Verdict::NotApplicable => return FAINT,
    };
    Ansi::new().fg_color(Some(colour.into()))
}
