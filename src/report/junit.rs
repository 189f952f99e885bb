//! JUnit XML, in the dialect that Jenkins and GitLab both take: what `junit-10.xsd` of Jenkins' xUnit plugin allows, and
//! no `(classname, name)` twice, since GitLab drops the later one.
//!
//! One suite for each target, one test case for each finding. A target that was not read, and a reading that leaves the
//! verdict open though no finding does, is a test case of its own with an error: nothing unknown is green.
//!
//! GitLab takes files below 30 MB each, and 100 MB of one job; its parser stops at 250,000 objects. Files of a large batch
//! are cut between targets.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use super::markup::{element, escape};
use super::phrases::Lang;
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult, wording};
use crate::assess::{Assessment, Finding};
use crate::check::Verdict;

/// Most bytes of suites in one file: below GitLab's 30 MB with room for whatever it counts.
const PART_BYTES: u64 = 24_000_000;

/// Most test cases in one file: each is some eight objects (element, attributes, result, text) of GitLab's 250,000.
const PART_CASES: usize = 20_000;

/// `--format junit`.
pub(super) struct Junit;

impl ReportFormat for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "JUnit XML for Jenkins, GitLab and others"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn parts(&self, run: &Run) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut bytes, mut cases) = (0, 0, 0);
        for (index, report) in run.targets.iter().enumerate() {
            let suite = suite(report);
            let mut size = Counted(0);
            // Counting can't fail.
            let _ = suite.write(&mut size);
            if index > start && (bytes + size.0 > PART_BYTES || cases + suite.cases.len() > PART_CASES) {
                parts.push(start..index);
                (start, bytes, cases) = (index, 0, 0);
            }
            bytes += size.0;
            cases += suite.cases.len();
        }
        parts.push(start..run.targets.len());
        parts
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let suites: Vec<Suite> = run.targets.iter().map(suite).collect();
        let total = |count: fn(&Case) -> bool| suites.iter().map(|suite| suite.count(count)).sum::<usize>();
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(
            out,
            r#"<testsuites name="preloaded" tests="{}" failures="{}" errors="{}">"#,
            total(|_| true),
            total(|case| case.outcome == Outcome::Failure),
            total(|case| case.outcome == Outcome::Error)
        )?;
        for suite in &suites {
            suite.write(out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

/// A sink that counts bytes.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Suite {
    name: String,
    class: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    outcome: Outcome,
    /// The element's `type`.
    kind: String,
    message: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failure,
    Error,
    Skipped,
}

fn suite(report: &TargetReport) -> Suite {
    let name = report.target.name.clone();
    match &report.result {
        TargetResult::Unread { temporary, error } => {
            let kind = if *temporary { "unread-temporary" } else { "unread" };
            let case = problem("the target is read", kind, error);
            Suite { class: format!("preloaded.{}", segment(&name)), name, properties: Vec::new(), cases: vec![case] }
        }
        TargetResult::Judged { device, assessment, .. } => {
            let profile = &assessment.profile;
            let mut properties = vec![
                ("profile", format!("{} {}", profile.id, profile.version)),
                ("profile.sha256", profile.sha256.clone()),
                ("as-of", assessment.context.as_of.clone()),
                ("overall", assessment.overall.as_str().to_owned()),
            ];
            properties.extend(device.fingerprint.known().map(|print| ("fingerprint", print.clone())));
            let model = device.model.known().map_or("unknown", String::as_str);
            let class = format!("{}.{}.{}", segment(&profile.id), segment(model), segment(&name));
            Suite { name, class, properties, cases: cases(assessment) }
        }
    }
}

fn cases(assessment: &Assessment) -> Vec<Case> {
    let mut taken = BTreeSet::new();
    let mut cases: Vec<Case> = assessment.findings.iter().map(|finding| case(assessment, finding)).collect();
    if let Some(why) = wording::unexplained(assessment, Lang::En) {
        let gaps: Vec<String> = assessment
            .coverage_gaps
            .iter()
            .map(|gap| format!("{} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail))
            .collect();
        let mut case = problem("the reading is complete", "inconclusive", &why);
        case.text = gaps.join("\n");
        cases.push(case);
    }
    for case in &mut cases {
        let first = case.name.clone();
        for number in 2.. {
            if taken.insert(case.name.clone()) {
                break;
            }
            case.name = format!("{first} ({number})");
        }
    }
    cases
}

fn problem(name: &str, kind: &str, message: &str) -> Case {
    let (name, kind, message) = (name.to_owned(), kind.to_owned(), message.to_owned());
    Case { name, outcome: Outcome::Error, kind, message, text: String::new() }
}

fn case(assessment: &Assessment, finding: &Finding) -> Case {
    let subject = finding.subject.as_ref().map(|subject| format!(" [{subject}]")).unwrap_or_default();
    let reason = finding.reason.map_or(finding.verdict.as_str(), |reason| reason.as_str());
    let (outcome, message) = match (finding.verdict, &finding.waiver) {
        (Verdict::Fail, Some(waiver)) => {
            (Outcome::Skipped, format!("waived until {} by {}: {}", waiver.expires, waiver.id, waiver.reason))
        }
        (Verdict::Fail, None) if assessment.is_open_failure(finding) => (Outcome::Failure, reason.to_owned()),
        (Verdict::Fail, None) => (Outcome::Skipped, "known from the baseline".to_owned()),
        (Verdict::Inconclusive | Verdict::Error, _) => (Outcome::Error, reason.to_owned()),
        (Verdict::NotChecked, _) => (Outcome::Skipped, "needs attestation".to_owned()),
        (Verdict::NotApplicable, _) => (Outcome::Skipped, format!("not applicable: {reason}")),
        (Verdict::Pass | Verdict::Informational, _) => (Outcome::Passed, String::new()),
    };
    Case {
        name: format!("{} {}{subject}", finding.rule, finding.title.en),
        outcome,
        kind: finding.verdict.as_str().to_owned(),
        message,
        text: proof(finding),
    }
}

/// What a reader needs to see why, a line each.
fn proof(finding: &Finding) -> String {
    let mut lines = vec![format!("expected: {}", finding.expected), format!("observed: {}", finding.observed)];
    lines.extend(finding.evidence.iter().map(|piece| format!("where: {}: {}", wording::place(piece), piece.says)));
    lines.push(format!("law: {}", wording::law(finding, Lang::En)));
    lines.extend(finding.notes.iter().map(|note| format!("note: {note}")));
    let overlays = wording::overlays(finding, Lang::En);
    lines.extend(overlays.iter().map(|(name, words)| format!("{}: {words}", name.say(Lang::En))));
    lines.extend(finding.remedy.iter().map(|remedy| format!("do: {}", remedy.en)));
    lines.join("\n")
}

/// A part of a class name: dots separate the parts.
fn segment(text: &str) -> String {
    text.chars().map(|c| if c == '.' || c.is_whitespace() { '_' } else { c }).collect()
}

impl Suite {
    fn count(&self, of: impl Fn(&Case) -> bool) -> usize {
        self.cases.iter().filter(|case| of(case)).count()
    }

    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let count = |outcome| self.count(|case| case.outcome == outcome).to_string();
        element!(
            out,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
            self.name,
            self.cases.len().to_string(),
            count(Outcome::Failure),
            count(Outcome::Error),
            count(Outcome::Skipped),
        )?;
        if !self.properties.is_empty() {
            writeln!(out, "    <properties>")?;
            for (name, value) in &self.properties {
                element!(out, r#"      <property name="{}" value="{}"/>"#, name, value)?;
            }
            writeln!(out, "    </properties>")?;
        }
        for case in &self.cases {
            element!(out, r#"    <testcase classname="{}" name="{}">"#, self.class, case.name)?;
            case.write(out)?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")
    }
}

impl Case {
    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let tag = match self.outcome {
            Outcome::Passed => return writeln!(out, "      <system-out>{}</system-out>", lines(&self.text)),
            Outcome::Failure => "failure",
            Outcome::Error => "error",
            Outcome::Skipped => "skipped",
        };
        let (kind, message) = (escape(&self.kind), escape(&self.message));
        writeln!(out, r#"      <{tag} type="{kind}" message="{message}">{}</{tag}>"#, lines(&self.text))
    }
}

/// The lines that we made stay lines; a line break from a device was spelt out before they were joined.
fn lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}
