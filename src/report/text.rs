//! Text for people: the verdict, what failed and why, the evidence, what to do, how much was read.

use std::io;

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthStr;

use super::{Coverage, ReportFormat, Run, Style, TargetReport, TargetResult, printable};
use crate::assess::{Assessment, Baseline, Counts, Finding, Governing, Overall, WaiverRef};
use crate::check::Verdict;
use crate::inventory::{Device, Gap, Hides};

/// `--format text`.
pub struct Text;

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

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let width = style.width.clamp(*WIDTHS.start(), *WIDTHS.end());
        let mut page = Page { out, colour: style.colour, width, shared: Vec::new() };
        for (index, target) in run.targets.iter().enumerate() {
            if index > 0 {
                page.line("", Ansi::new(), "")?;
            }
            page.target(target)?;
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
    width: usize,
    /// Texts that several findings share: each is printed once below them, under its number.
    shared: Vec<String>,
}

impl Page<'_> {
    fn target(&mut self, report: &TargetReport) -> io::Result<()> {
        match &report.result {
            TargetResult::Unread { temporary, error } => {
                let word = if *temporary { "NOT READ (try again)" } else { "NOT READ" };
                self.line("", verdict_style(Verdict::Error), &format!("{word}  {}", printable(&report.target.name)))?;
                self.field("why", error)
            }
            TargetResult::Judged { device, coverage, assessment } => {
                self.verdict(report, device, assessment)?;
                let open: Vec<&Finding> = assessment
                    .findings
                    .iter()
                    .filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable))
                    .filter(|finding| !is_known(assessment, finding))
                    .collect();
                self.shared = shared_texts(&open);
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
            self.line("", HEADING, &format!("{}:", plural(run.notices.len() as u64, "notice", "notices")))?;
        }
        for notice in &run.notices {
            let text = format!("{} [{}]  {}", notice.subject, notice.kind.as_str(), notice.text);
            self.line("  ", verdict_style(Verdict::Inconclusive), &printable(&text))?;
        }
        Ok(())
    }

    fn verdict(&mut self, report: &TargetReport, device: &Device, assessment: &Assessment) -> io::Result<()> {
        let style = overall_style(assessment.overall);
        let word = overall_word(assessment.overall);
        let counts = counts_in_words(&assessment.counts);
        self.line("", style, &format!("{word}  {}: {counts}", printable(&report.target.name)))?;
        self.field("device", &device_in_words(device))?;
        let profile = &assessment.profile;
        let digest = profile.sha256.get(..12).unwrap_or(&profile.sha256);
        self.field("profile", &format!("{} {} ({}), sha256 {digest}…", profile.id, profile.version, profile.title.en))?;
        let context = &assessment.context;
        let mut dates = format!("as of {}", context.as_of);
        for (word, date) in [("made", &context.made), ("sold", &context.sold)] {
            if let Some(date) = date {
                dates.push_str(&format!(", {word} {date}"));
            }
        }
        if let Some(kind) = context.kind {
            dates.push_str(&format!(", {}", kind.as_str()));
        }
        if let Some(flavour) = context.os_flavour {
            dates.push_str(&format!(", {}", flavour.as_str()));
        }
        self.field("judged", &dates)?;
        let counts = &assessment.counts;
        if assessment.overall == Overall::Inconclusive && counts.inconclusive + counts.error + counts.not_checked == 0 {
            let why = match assessment.coverage_gaps.len() as u64 {
                0 => "no rule was settled".to_owned(),
                gaps => format!("the reading is incomplete: {} below", plural(gaps, "gap", "gaps")),
            };
            self.field("why", &why)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        let word = match &finding.waiver {
            Some(_) => "FAIL (WAIVED)",
            None => verdict_word(finding.verdict),
        };
        let reason = finding.reason.map(|reason| format!(" [{}]", reason.as_str())).unwrap_or_default();
        let head = format!("{word}  {}  {}{reason}", finding.rule, printable(&finding.title.en));
        self.line("", verdict_style(finding.verdict), &head)?;
        self.field("expected", &finding.expected)?;
        self.field("observed", &finding.observed)?;
        if let Some(waiver) = &finding.waiver {
            let ticket = waiver.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
            let WaiverRef { id, reason, owner, approved_by, expires, .. } = waiver;
            let text = format!("{id} until {expires}: {reason} (owner {owner}, approved by {approved_by}{ticket})");
            self.field("waiver", &text)?;
        }
        for evidence in finding.evidence.iter().take(EVIDENCE_LISTED) {
            let place = match &evidence.at {
                Some(at) => format!("{}, {at}", evidence.source),
                None => evidence.source.clone(),
            };
            self.field("where", &format!("{place}: {}", evidence.says))?;
        }
        if let Some(more) = finding.evidence.len().checked_sub(EVIDENCE_LISTED).filter(|more| *more > 0) {
            self.field("", &format!("and {more} more"))?;
        }
        if let Some(governing) = &finding.governing {
            self.field("in force", &governing_in_words(governing))?;
        }
        self.cited("law", &[law_in_words(finding)])?;
        if let Some(note) = &finding.legal.confidence_note {
            self.cited("", std::slice::from_ref(note))?;
        }
        self.cited("note", &finding.notes)?;
        match &finding.remedy {
            Some(remedy) => self.cited("do", std::slice::from_ref(&remedy.en)),
            None => Ok(()),
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
            self.field(name, text)?;
        }
        if numbers.is_empty() { Ok(()) } else { self.field(name, &numbers.join(" ")) }
    }

    fn footnotes(&mut self) -> io::Result<()> {
        let shared = std::mem::take(&mut self.shared);
        if !shared.is_empty() {
            self.line("", Ansi::new(), "")?;
        }
        for (index, text) in shared.iter().enumerate() {
            self.field(&format!("[{}]", index + 1), text)?;
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
            let text = format!("PASS  {}  {}", finding.rule, printable(&finding.observed));
            self.line("", verdict_style(Verdict::Pass), &text)?;
        }
        let known: Vec<&str> =
            assessment.findings.iter().filter(|f| is_known(assessment, f)).map(|f| f.rule.as_str()).collect();
        if let (false, Some(baseline)) = (known.is_empty(), &assessment.baseline) {
            self.line("", Ansi::new(), "")?;
            let text = format!("KNOWN from {}  {}", printable(&baseline.file), known.join(", "));
            self.line("", verdict_style(Verdict::Fail), &text)?;
        }
        for tailored in &assessment.tailoring {
            let text = format!("{}  {}: {}", tailored.change.as_str().to_uppercase(), tailored.rule, tailored.reason);
            self.line("", verdict_style(Verdict::NotApplicable), &printable(&text))?;
        }
        let skipped = assessment.findings.iter().filter(|f| f.verdict == Verdict::NotApplicable);
        let mut by_reason: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
        for finding in skipped {
            let reason = finding.reason.map_or("not-applicable", |reason| reason.as_str());
            by_reason.entry(reason).or_default().push(&finding.rule);
        }
        if !by_reason.is_empty() {
            self.line("", Ansi::new(), "")?;
        }
        for (reason, rules) in by_reason {
            let text = format!("NOT APPLICABLE [{reason}]  {}", rules.join(", "));
            self.line("", verdict_style(Verdict::NotApplicable), &text)?;
        }
        Ok(())
    }

    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        let count = |value: Option<u64>, one: &str, many: &str| match value {
            Some(value) => plural(value, one, many),
            None => format!("{many} unknown"),
        };
        let hiding = coverage.gaps.iter().filter(|gap| gap.hides == Hides::Packages).count() as u64;
        let state = match (hiding, coverage.gaps.len() as u64) {
            (0, 0) => "complete".to_owned(),
            (0, gaps) => format!("package list complete, {}", plural(gaps, "other gap", "other gaps")),
            (hiding, _) => format!("INCOMPLETE: {} may hide packages", plural(hiding, "gap", "gaps")),
        };
        let mut parts = vec![count(coverage.packages, "package", "packages")];
        if coverage.partitions.is_some() {
            parts.push(count(coverage.partitions, "partition", "partitions"));
        }
        if coverage.users.is_some() {
            parts.push(count(coverage.users, "user", "users"));
        }
        self.line("", HEADING, &format!("Coverage: {}; {state}", parts.join(", ")))?;
        let mut gaps: Vec<&Gap> = coverage.gaps.iter().collect();
        gaps.sort_by_key(|gap| gap.hides);
        for gap in gaps.iter().take(GAPS_LISTED) {
            self.field("gap", &format!("{} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail))?;
        }
        match gaps.len().checked_sub(GAPS_LISTED) {
            Some(more) if more > 0 => self.field("", &format!("and {more} more (all of them: --format json)")),
            _ => Ok(()),
        }
    }

    fn summary(&mut self, run: &Run) -> io::Result<()> {
        self.line("", Ansi::new(), "")?;
        self.line("", HEADING, &format!("{}:", plural(run.targets.len() as u64, "target", "targets")))?;
        for report in &run.targets {
            let (style, word) = match &report.result {
                TargetResult::Judged { assessment, .. } => {
                    (overall_style(assessment.overall), overall_word(assessment.overall))
                }
                TargetResult::Unread { .. } => (verdict_style(Verdict::Error), "NOT READ"),
            };
            self.line("  ", style, &format!("{word}  {}", printable(&report.target.name)))?;
        }
        Ok(())
    }

    /// A name in its column and a text wrapped beside it.
    fn field(&mut self, name: &str, text: &str) -> io::Result<()> {
        const INDENT: usize = 4;
        const COLUMN: usize = 10;
        let text = printable(text);
        let room = self.width.saturating_sub(INDENT + COLUMN);
        for (index, line) in wrap(&text, room).into_iter().enumerate() {
            let label = if index == 0 { name } else { "" };
            let label = format!("{:INDENT$}{label:COLUMN$}", "");
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
fn shared_texts(findings: &[&Finding]) -> Vec<String> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for finding in findings {
        let mut texts = vec![law_in_words(finding)];
        texts.extend(finding.legal.confidence_note.clone());
        texts.extend(finding.notes.iter().cloned());
        texts.extend(finding.remedy.iter().map(|remedy| remedy.en.clone()));
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

fn law_in_words(finding: &Finding) -> String {
    let legal = &finding.legal;
    let article = legal.article.as_ref().map(|article| format!(", {article}")).unwrap_or_default();
    format!("{}{article} (confidence {})", legal.instrument, legal.confidence)
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

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn counts_in_words(counts: &Counts) -> String {
    let rows = [
        (counts.fail, "failed"),
        (counts.inconclusive, "inconclusive"),
        (counts.error, "with an error of this tool"),
        (counts.not_checked, "left to a person"),
        (counts.pass, "passed"),
        (counts.informational, "informational"),
        (counts.not_applicable, "not applicable"),
    ];
    let mut words: Vec<String> =
        rows.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let aside = [(counts.waived, "waived"), (counts.known, "known")];
    let aside: Vec<String> =
        aside.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} of them {word}")).collect();
    if let (Some(failed), false) = (words.first_mut(), aside.is_empty()) {
        failed.push_str(&format!(" ({})", aside.join(", ")));
    }
    if words.is_empty() { "nothing was judged".to_owned() } else { words.join(", ") }
}

fn device_in_words(device: &Device) -> String {
    let known: Vec<&str> =
        [&device.brand, &device.model].into_iter().filter_map(|fact| fact.known().map(String::as_str)).collect();
    let name = if known.is_empty() { "unknown device".to_owned() } else { known.join(" ") };
    let release = device.release.known().map(|release| format!(", Android {release}")).unwrap_or_default();
    let fingerprint = device.fingerprint.known().map(|print| format!(", {print}")).unwrap_or_default();
    format!("{name}{release}{fingerprint}")
}

fn governing_in_words(governing: &Governing) -> String {
    let from = governing.from.as_ref().map(|from| format!("from {from}")).unwrap_or_default();
    let until = governing.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    let window = format!("{from}{until}");
    match &governing.date {
        Some(date) => format!("{window}; {date} ({}) governs", governing.basis),
        None => format!("{window}; which date governs: {}", governing.basis),
    }
}

fn overall_word(overall: Overall) -> &'static str {
    match overall {
        Overall::Compliant => "COMPLIANT",
        Overall::NotCompliant => "NOT COMPLIANT",
        Overall::Inconclusive => "INCONCLUSIVE",
    }
}

fn overall_style(overall: Overall) -> Ansi {
    verdict_style(match overall {
        Overall::Compliant => Verdict::Pass,
        Overall::NotCompliant => Verdict::Fail,
        Overall::Inconclusive => Verdict::Inconclusive,
    })
    .bold()
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Error => "ERROR",
        Verdict::NotChecked => "NOT CHECKED",
        Verdict::Pass => "PASS",
        Verdict::Informational => "INFO",
        Verdict::NotApplicable => "NOT APPLICABLE",
    }
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
