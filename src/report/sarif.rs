//! SARIF 2.1.0 (OASIS standard, errata 1): one run for each target.
//!
//! A location is `<target>/<path on the device>`, since consumers take relative addresses only; the package is a logical
//! location. A fault of this tool, a target that was not read and each gap behind which packages may be hidden are
//! notifications of the invocation, which then counts as not successful.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::phrases::Lang;
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult, printable, wording};
use crate::assess::{Assessment, Baseline, Finding, Overall};
use crate::check::Verdict;
use crate::inventory::{Gap, Inventory};

/// `--format sarif`.
pub(super) struct Sarif;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl ReportFormat for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0 for code scanning"
    }

    fn carries(&self) -> Carries {
        Carries::Findings
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let runs: Vec<Value> = run.targets.iter().map(|report| one(run, report)).collect();
        let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
        serde_json::to_writer_pretty(&mut *out, &log)?;
        out.write_all(b"\n")
    }
}

fn one(run: &Run, report: &TargetReport) -> Value {
    let driver = |rules: Vec<Value>| {
        json!({ "driver": { "name": run.tool.name, "version": run.tool.version, "semanticVersion": run.tool.version,
            "rules": rules } })
    };
    let name = &report.target.name;
    match &report.result {
        TargetResult::Unread { temporary, error } => json!({
            "tool": driver(Vec::new()),
            "automationDetails": { "id": format!("{}/", encoded(name)) },
            "invocations": [{ "executionSuccessful": false, "toolExecutionNotifications": [{
                "level": "error",
                "message": message(error),
                "locations": [location(name, None, None)],
                "properties": { "temporary": temporary },
            }] }],
            "results": [],
        }),
        TargetResult::Judged { device, assessment, .. } => {
            let rules = rules(assessment);
            let index: BTreeMap<&str, usize> =
                rules.keys().enumerate().map(|(index, rule)| (rule.as_str(), index)).collect();
            let inventory = report.inventory.as_deref();
            let fault = |finding: &&Finding| finding.verdict == Verdict::Error;
            let results: Vec<Value> = assessment
                .findings
                .iter()
                .filter(|finding| !fault(finding))
                .map(|finding| result(finding, index.get(finding.rule.as_str()).copied(), name, inventory))
                .collect();
            let mut notifications: Vec<Value> =
                assessment.findings.iter().filter(fault).map(|finding| notification(finding, name)).collect();
            notifications.extend(assessment.coverage_gaps.iter().map(|gap| unread(gap, name)));
            let settled = assessment.coverage_gaps.is_empty() && assessment.overall != Overall::Inconclusive;
            let profile = &assessment.profile;
            let build = device.fingerprint.known().map_or("unknown", String::as_str);
            json!({
                "tool": driver(rules.into_values().collect()),
                "automationDetails": { "id": format!("{}/{}/", encoded(&profile.id), encoded(build)) },
                "invocations": [{ "executionSuccessful": settled && notifications.is_empty(),
                    "toolExecutionNotifications": notifications }],
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": { "overall": assessment.overall.as_str(), "asOf": assessment.context.as_of,
                    "profile": { "id": profile.id, "version": profile.version, "sha256": profile.sha256 } },
            })
        }
    }
}

/// Descriptors of the rules by id.
fn rules(assessment: &Assessment) -> BTreeMap<String, Value> {
    let mut rules = BTreeMap::new();
    for finding in &assessment.findings {
        rules.entry(finding.rule.clone()).or_insert_with(|| {
            let mut rule = json!({
                "id": finding.rule,
                "shortDescription": { "text": printable(&finding.title.en) },
                "fullDescription": { "text": printable(&format!("{}. {}", finding.title.en, wording::law(finding, Lang::En))) },
                "defaultConfiguration": { "level": level(&finding.status) },
                "properties": { "status": finding.status, "check": finding.check, "sources": finding.legal.sources },
            });
            if let (Some(remedy), Some(rule)) = (&finding.remedy, rule.as_object_mut()) {
                rule.insert("help".to_owned(), json!({ "text": printable(&remedy.en) }));
            }
            rule
        });
    }
    rules
}

fn level(status: &str) -> &'static str {
    match status {
        "mandatory" | "contractual" => "error",
        "advisory" => "note",
        _ => "warning",
    }
}

fn result(finding: &Finding, rule: Option<usize>, target: &str, inventory: Option<&Inventory>) -> Value {
    let (kind, level) = match finding.verdict {
        Verdict::Fail => ("fail", level(&finding.status)),
        Verdict::Inconclusive | Verdict::Error => ("open", "none"),
        Verdict::NotChecked => ("review", "none"),
        Verdict::Pass => ("pass", "none"),
        Verdict::Informational => ("informational", "none"),
        Verdict::NotApplicable => ("notApplicable", "none"),
    };
    let subject = finding.subject.as_deref();
    let package = subject.and_then(|name| inventory.and_then(|inventory| inventory.package(name)));
    let signer = package
        .and_then(|package| package.active())
        .and_then(|copy| copy.signers.known())
        .and_then(|signers| signers.first())
        .map(|signer| signer.sha256.as_deref().unwrap_or(&signer.hash_code));
    let mut locations: Vec<Value> = package
        .iter()
        .flat_map(|package| &package.copies)
        .map(|copy| location(target, Some(&copy.path), subject))
        .collect();
    if locations.is_empty() {
        let path = finding.evidence.iter().map(|piece| piece.source.as_str()).find(|source| source.starts_with('/'));
        locations.push(location(target, path, subject));
    }
    let mut value = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": message(&format!("Expected: {}. Observed: {}.", finding.expected, finding.observed)),
        "locations": locations,
        "partialFingerprints": { "preloadedFinding/v1": fingerprint(&finding.rule, subject, signer) },
        "properties": {
            "verdict": finding.verdict.as_str(),
            "reason": finding.reason.map(|reason| reason.as_str()),
            "evidence": finding.evidence.iter()
                .map(|piece| format!("{}: {}", wording::place(piece), piece.says)).collect::<Vec<_>>(),
            "notes": finding.notes,
        },
    });
    if let Some(fields) = value.as_object_mut() {
        overlay(finding, fields);
    }
    value
}

/// Waiver and place beside a baseline. The list of suppressions is always there where a waiver may be: SARIF takes its
/// absence for "not known".
fn overlay(finding: &Finding, fields: &mut Map<String, Value>) {
    if finding.verdict == Verdict::Fail {
        let suppression = finding.waiver.iter().map(|waiver| {
            json!({ "kind": "external", "status": "accepted", "justification": printable(&waiver.reason),
                "properties": { "id": waiver.id, "owner": waiver.owner, "approvedBy": waiver.approved_by,
                    "expires": waiver.expires, "ticket": waiver.ticket } })
        });
        fields.insert("suppressions".to_owned(), suppression.collect());
    }
    if let Some(baseline) = finding.baseline {
        let state = match baseline {
            Baseline::New => "new",
            Baseline::Known => "unchanged",
        };
        fields.insert("baselineState".to_owned(), json!(state));
    }
}

fn notification(finding: &Finding, target: &str) -> Value {
    json!({
        "level": "error",
        "message": message(&format!("Expected: {}. Observed: {}.", finding.expected, finding.observed)),
        "locations": [location(target, None, finding.subject.as_deref())],
        "associatedRule": { "id": finding.rule },
    })
}

fn unread(gap: &Gap, target: &str) -> Value {
    json!({
        "level": "warning",
        "message": message(&format!("Not read: {} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail)),
        "locations": [location(target, None, None)],
    })
}

fn location(target: &str, path: Option<&str>, subject: Option<&str>) -> Value {
    let path = path.map(|path| format!("/{}", encoded(path.trim_start_matches('/')))).unwrap_or_default();
    let mut location =
        json!({ "physicalLocation": { "artifactLocation": { "uri": format!("{}{path}", encoded(target)) } } });
    if let (Some(subject), Some(fields)) = (subject, location.as_object_mut()) {
        let logical = json!([{ "name": subject, "fullyQualifiedName": subject, "kind": "module" }]);
        fields.insert("logicalLocations".to_owned(), logical);
    }
    location
}

/// Text of a message: braces and brackets would be placeholders and links.
fn message(text: &str) -> Value {
    let text = printable(text).replace('{', "{{").replace('}', "}}");
    json!({ "text": if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text } })
}

/// A path of an address: everything but letters, digits, `-._~/` as percent-encoded UTF-8 (RFC 3986).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// What stays the same while the wording and the place of a finding change.
fn fingerprint(rule: &str, subject: Option<&str>, signer: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [Some(rule), subject, signer] {
        let part = part.unwrap_or_default();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
