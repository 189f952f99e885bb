//! XCCDF 1.2 (NIST IR 7275 revision 4): a benchmark of the profile's rules with a test result for each target.
//!
//! The score is the absolute one, since the law knows no half compliance: 1 for a compliant target, else 0. Times are the
//! beginning of the day judged on: a report is made of its input alone. A target that was not read has a test result
//! without rule results, and a remark that says so.

use std::collections::BTreeMap;
use std::io;

use super::markup::{element, escape};
use super::phrases::Lang;
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult, wording};
use crate::assess::{Assessment, Finding, Overall};
use crate::check::Verdict;

/// `--format xccdf`.
pub(super) struct Xccdf;

const NAMESPACE: &str = "http://checklists.nist.gov/xccdf/1.2";

/// What the benchmark is.
const ABOUT: &str = "Rules of a profile of preloaded, and what devices came to under them.";

/// The day of a document in which nothing was judged: XCCDF wants one.
const NO_DAY: &str = "1970-01-01";

impl ReportFormat for Xccdf {
    fn name(&self) -> &'static str {
        "xccdf"
    }

    fn about(&self) -> &'static str {
        "XCCDF 1.2 results for SCAP tools"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let judged: Vec<&Assessment> = run.targets.iter().filter_map(assessment).collect();
        let first = judged.first().copied();
        let (id, version, day) = first.map_or(("none", "0", NO_DAY), |first| {
            (first.profile.id.as_str(), first.profile.version.as_str(), first.context.as_of.as_str())
        });
        let benchmark = format!("xccdf_preloaded_benchmark_{}", name(id));
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(out, r#"<Benchmark xmlns="{NAMESPACE}" id="{benchmark}" resolved="1" xml:lang="en">"#)?;
        element!(out, r#"  <status date="{}">accepted</status>"#, day)?;
        match first {
            Some(first) => titles(out, "  ", &first.profile.title)?,
            None => writeln!(out, "  <title>No target was judged</title>")?,
        }
        writeln!(out, "  <description>{ABOUT}</description>")?;
        element!(out, "  <version>{}</version>", version)?;
        writeln!(out, r#"  <model system="urn:xccdf:scoring:absolute"/>"#)?;
        for finding in rules(&judged).into_values() {
            rule(out, finding)?;
        }
        for (index, report) in run.targets.iter().enumerate() {
            self::report(out, run, report, &benchmark, index + 1)?;
        }
        writeln!(out, "</Benchmark>")
    }
}

fn assessment(report: &TargetReport) -> Option<&Assessment> {
    match &report.result {
        TargetResult::Judged { assessment, .. } => Some(assessment),
        TargetResult::Unread { .. } => None,
    }
}

/// One finding of each rule, by id, to describe it.
fn rules<'a>(judged: &[&'a Assessment]) -> BTreeMap<String, &'a Finding> {
    let mut rules = BTreeMap::new();
    for finding in judged.iter().flat_map(|assessment| &assessment.findings) {
        rules.entry(name(&finding.rule)).or_insert(finding);
    }
    rules
}

fn rule(out: &mut dyn io::Write, finding: &Finding) -> io::Result<()> {
    let severity = severity(finding);
    let id = name(&finding.rule);
    writeln!(out, r#"  <Rule id="xccdf_preloaded_rule_{id}" multiple="true" selected="true" severity="{severity}">"#)?;
    titles(out, "    ", &finding.title)?;
    for source in &finding.legal.sources {
        element!(out, "    <reference>{}</reference>", source)?;
    }
    element!(out, "    <rationale>{}</rationale>", wording::law(finding, Lang::En))?;
    if let Some(remedy) = &finding.remedy {
        element!(out, "    <fixtext>{}</fixtext>", remedy.en)?;
    }
    check(out, "    ", finding)?;
    writeln!(out, "  </Rule>")
}

/// The check kind that answered: no system of SCAP, so it bears a name of our own.
fn check(out: &mut dyn io::Write, indent: &str, finding: &Finding) -> io::Result<()> {
    writeln!(out, r#"{indent}<check system="urn:preloaded:check:{}"/>"#, name(&finding.check))
}

fn titles(out: &mut dyn io::Write, indent: &str, title: &crate::assess::Text) -> io::Result<()> {
    writeln!(out, r#"{indent}<title xml:lang="en">{}</title>"#, escape(&title.en))?;
    match &title.ru {
        Some(ru) => writeln!(out, r#"{indent}<title xml:lang="ru">{}</title>"#, escape(ru)),
        None => Ok(()),
    }
}

/// XCCDF has one axis where we have a legal status.
fn severity(finding: &Finding) -> &'static str {
    match finding.status.as_str() {
        "mandatory" => "high",
        "contractual" | "policy" => "medium",
        "advisory" => "low",
        _ => "unknown",
    }
}

fn report(out: &mut dyn io::Write, run: &Run, report: &TargetReport, benchmark: &str, number: usize) -> io::Result<()> {
    let day = assessment(report).map_or(NO_DAY, |assessment| assessment.context.as_of.as_str());
    element!(
        out,
        r#"  <TestResult id="xccdf_preloaded_testresult_{}" end-time="{}T00:00:00Z" test-system="{}">"#,
        number.to_string(),
        day,
        format!("{} {}", run.tool.name, run.tool.version),
    )?;
    writeln!(out, r##"    <benchmark href="#{benchmark}" id="{benchmark}"/>"##)?;
    match &report.result {
        TargetResult::Unread { error, .. } => {
            element!(out, "    <remark>not read: {}</remark>", error)?;
            element!(out, "    <target>{}</target>", report.target.name)?;
            writeln!(out, r#"    <score system="urn:xccdf:scoring:absolute" maximum="1">0</score>"#)?;
        }
        TargetResult::Judged { device, assessment, coverage } => {
            if let Some(why) = wording::unexplained(assessment, Lang::En) {
                element!(out, "    <remark>{}</remark>", why)?;
            }
            for gap in &assessment.coverage_gaps {
                let reason = gap.reason.as_str();
                element!(out, "    <remark>not read: {} ({}: {})</remark>", gap.place, reason, gap.detail)?;
            }
            element!(out, "    <target>{}</target>", report.target.name)?;
            writeln!(out, "    <target-facts>")?;
            let fact = |out: &mut dyn io::Write, name: &str, value: &str| {
                element!(out, r#"      <fact name="urn:preloaded:fact:{}" type="string">{}</fact>"#, name, value)
            };
            fact(out, "overall", assessment.overall.as_str())?;
            fact(out, "profile-sha256", &assessment.profile.sha256)?;
            for (name, value) in [("model", &device.model), ("fingerprint", &device.fingerprint)] {
                if let Some(value) = value.known() {
                    fact(out, name, value)?;
                }
            }
            fact(out, "gaps", &coverage.gaps.len().to_string())?;
            writeln!(out, "    </target-facts>")?;
            for finding in &assessment.findings {
                rule_result(out, finding, day)?;
            }
            let score = u8::from(assessment.overall == Overall::Compliant);
            writeln!(out, r#"    <score system="urn:xccdf:scoring:absolute" maximum="1">{score}</score>"#)?;
        }
    }
    writeln!(out, "  </TestResult>")
}

fn rule_result(out: &mut dyn io::Write, finding: &Finding, day: &str) -> io::Result<()> {
    let result = match finding.verdict {
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "unknown",
        Verdict::Error => "error",
        Verdict::NotChecked => "notchecked",
        Verdict::Pass => "pass",
        Verdict::Informational => "informational",
        Verdict::NotApplicable => "notapplicable",
    };
    let severity = severity(finding);
    let id = name(&finding.rule);
    writeln!(out, r#"    <rule-result idref="xccdf_preloaded_rule_{id}" severity="{severity}">"#)?;
    writeln!(out, "      <result>{result}</result>")?;
    if let Some(waiver) = &finding.waiver {
        // The failure stays: an override that said "pass" would hide it from every tool that counts results.
        element!(out, r#"      <override time="{}T00:00:00Z" authority="{}">"#, day, waiver.approved_by)?;
        writeln!(out, "        <old-result>{result}</old-result>\n        <new-result>{result}</new-result>")?;
        let remark = format!("waived by {} until {}: {}", waiver.id, waiver.expires, waiver.reason);
        element!(out, "        <remark>{}</remark>", remark)?;
        writeln!(out, "      </override>")?;
    }
    let severe = if matches!(finding.verdict, Verdict::Error) { "error" } else { "info" };
    let reason = finding.reason.map(|reason| format!(" [{}]", reason.as_str())).unwrap_or_default();
    let mut messages =
        vec![format!("observed: {}{reason}", finding.observed), format!("expected: {}", finding.expected)];
    messages.extend(finding.evidence.iter().map(|piece| format!("where: {}: {}", wording::place(piece), piece.says)));
    messages.extend(finding.notes.iter().map(|note| format!("note: {note}")));
    for message in &messages {
        element!(out, r#"      <message severity="{}">{}</message>"#, severe, message)?;
    }
    if let Some(subject) = &finding.subject {
        element!(out, r#"      <instance context="package">{}</instance>"#, subject)?;
    }
    check(out, "      ", finding)?;
    writeln!(out, "    </rule-result>")
}

/// An identifier as a part of an XML name: what may not stand in one is spelt out.
fn name(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => out.push(character),
            '/' => out.push('-'),
            other => out.push_str(&format!("_{:x}", u32::from(other))),
        }
    }
    out
}
