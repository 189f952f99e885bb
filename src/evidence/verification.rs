//! Checking a bundle: signature and digests, and then the verdict itself, by judging again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::archive::{self, Files};
use super::bundle::{self, Assumed, CONTEXT, PROFILE, REPORT, RawIndex, SIGNER, STATEMENT};
use super::key::PublicKey;
use super::statement::{Envelope, Statement};
use super::trust::{Standing, Trust};
use crate::assess::{Assessment, Finding, assess};
use crate::inventory::{Inventory, Tool};
use crate::profile::Profile;
use crate::report::{Run, TargetResult};

/// Names that are told one by one.
const NAMED: usize = 10;

/// What was checked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Every step that was made. After a step that leaves nothing to build on there are no more.
    pub steps: Vec<Step>,
    /// The statement, if its signature holds.
    pub statement: Option<Statement>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was checked.
    pub what: &'static str,
    /// What it came to.
    pub result: StepResult,
    /// In words.
    pub words: String,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepResult {
    /// It holds.
    Holds,
    /// It can't be told from what was given.
    Open,
    /// It does not hold.
    Wrong,
}

impl Verification {
    /// The worst of all steps.
    #[must_use]
    pub fn result(&self) -> StepResult {
        self.steps.iter().map(|step| step.result).max().unwrap_or(StepResult::Wrong)
    }

    fn step(&mut self, what: &'static str, result: Result<String, String>) -> bool {
        let (result, words) = match result {
            Ok(words) => (StepResult::Holds, words),
            Err(words) => (StepResult::Wrong, words),
        };
        self.steps.push(Step { what, result, words });
        result == StepResult::Holds
    }

    fn open(&mut self, what: &'static str, words: impl Into<String>) {
        self.steps.push(Step { what, result: StepResult::Open, words: words.into() });
    }
}

/// Checks a bundle. Without a list of keys the signer stays open: anybody can sign.
#[must_use]
pub fn verify(bytes: &[u8], trust: Option<&Trust>) -> Verification {
    let mut verification = Verification { steps: Vec::new(), statement: None };
    let files = match archive::read(bytes) {
        Ok(files) => files,
        Err(error) => {
            verification.step("form", Err(error.to_string()));
            return verification;
        }
    };
    verification.step("form", Ok(format!("{} files", files.len())));
    let opened = signed(&files);
    let (statement, key) = match opened {
        Ok(opened) => opened,
        Err(words) => {
            verification.step("signature", Err(words));
            return verification;
        }
    };
    verification.step("signature", Ok(format!("of the key {}", key.id())));
    signer(&mut verification, &statement, &key, trust);
    let intact = verification.step("files", digests(&files, &statement));
    verification.statement = Some(statement.clone());
    if intact {
        let profile = profile(&files, &statement);
        let words = profile.as_ref().map(|(profile, _)| format!("{} {}", profile.id, profile.version));
        verification.step("profile", words.map_err(Clone::clone));
        verification.step("raw evidence", raw(&files));
        if let Ok((profile, run)) = profile {
            judge_again(&mut verification, &files, &profile, &run, &statement);
        }
    }
    verification
}

/// The statement, and the key that signed it.
fn signed(files: &Files) -> Result<(Statement, PublicKey), String> {
    let of = |name: &str| files.get(name).ok_or_else(|| format!("{name} is missing"));
    let pem = of(SIGNER)?;
    let key = PublicKey::from_pem(&String::from_utf8_lossy(pem)).map_err(|error| format!("{SIGNER}: {error}"))?;
    let statement = Envelope::open(of(STATEMENT)?, &key).map_err(|error| format!("{STATEMENT}: {error}"))?;
    Ok((statement, key))
}

fn signer(verification: &mut Verification, statement: &Statement, key: &PublicKey, trust: Option<&Trust>) {
    let created = &statement.predicate.created;
    let Some(day) = created.get(..10).and_then(|day| day.parse::<Date>().ok()) else {
        verification.step("signer", Err(format!("{created:?} is no time")));
        return;
    };
    let Some(trust) = trust else {
        verification.open("signer", "not known: no list of keys was given (--key), and anybody can sign");
        return;
    };
    let name = trust.name(key).map(|name| format!("{name}, ")).unwrap_or_default();
    verification.step(
        "signer",
        match trust.standing(key, day) {
            Standing::Trusted => Ok(format!("{name}signed at {created} by the signer's own clock")),
            Standing::Foreign => Err(format!("a foreign key: {} is not among those that are trusted", key.id())),
            Standing::OutOfTime(words) => Err(format!("{name}{words}")),
        },
    );
}

/// Whether the files are those of the statement, no more and no fewer.
fn digests(files: &Files, statement: &Statement) -> Result<String, String> {
    let stated: BTreeMap<&str, &str> =
        statement.subject.iter().map(|subject| (subject.name.as_str(), subject.digest.sha256.as_str())).collect();
    let mut wrong = Vec::new();
    for (name, digest) in &stated {
        match files.get(*name) {
            None => wrong.push(format!("{name} was removed")),
            Some(bytes) if bundle::sha256(bytes) != *digest => wrong.push(format!("{name} was changed")),
            Some(_) => {}
        }
    }
    let added = files.keys().filter(|name| *name != STATEMENT && !stated.contains_key(name.as_str()));
    wrong.extend(added.map(|name| format!("{name} was added")));
    if wrong.is_empty() { Ok(format!("{} as they were signed", stated.len())) } else { Err(listed(&wrong)) }
}

fn profile(files: &Files, statement: &Statement) -> Result<(Profile, Run), String> {
    let text = files.get(PROFILE).ok_or_else(|| format!("{PROFILE} is missing"))?;
    let text = std::str::from_utf8(text).map_err(|_| format!("{PROFILE} is not UTF-8"))?;
    let profile = Profile::parse(PROFILE, text).map_err(|error| error.to_string())?;
    let stated = &statement.predicate.profile;
    if profile.sha256 != stated.sha256 || profile.id != stated.id {
        let words = format!(
            "{} ({}) is not the one that the statement names, {} ({})",
            profile.id, profile.sha256, stated.id, stated.sha256
        );
        return Err(words);
    }
    let run = files.get(REPORT).ok_or_else(|| format!("{REPORT} is missing"))?;
    let run: Run = serde_json::from_slice(run).map_err(|error| format!("{REPORT}: {error}"))?;
    for report in &run.targets {
        if let TargetResult::Judged { assessment, .. } = &report.result
            && assessment.profile.sha256 != profile.sha256
        {
            let judged = &assessment.profile;
            return Err(format!("{} was judged under {} ({})", report.target.name, judged.id, judged.sha256));
        }
    }
    Ok((profile, run))
}

/// Whether the raw material is what the inventories were read from.
fn raw(files: &Files) -> Result<String, String> {
    let (mut pieces, mut bare, mut left_out) = (0_usize, 0_usize, 0_usize);
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with("/raw.json")) {
        let raw: RawIndex = serde_json::from_slice(text).map_err(|error| format!("{name}: {error}"))?;
        let folder = name.trim_end_matches("/raw.json");
        let inventory = inventory(files, folder)?;
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for piece in &raw.pieces {
            let bytes =
                files.get(&piece.file).ok_or_else(|| format!("{} of {} is missing", piece.file, piece.origin))?;
            let digest = bundle::sha256(bytes);
            let mut origins = inventory.sources.iter().filter(|origin| origin.name == piece.origin).peekable();
            if origins.peek().is_none() {
                return Err(format!("{} is of {}, which the inventory does not name", piece.file, piece.origin));
            }
            let differs = piece.part.is_none()
                && origins.any(|origin| origin.sha256.as_ref().is_some_and(|stated| *stated != digest));
            if digest != piece.sha256 || differs {
                return Err(format!("{} is not what the inventory read as {}", piece.file, piece.origin));
            }
            kept.insert(&piece.origin);
        }
        pieces += raw.pieces.len();
        left_out += raw.left_out.len();
        let whole = inventory.sources.iter().filter(|origin| origin.sha256.is_some());
        bare += whole.filter(|origin| !kept.contains(origin.name.as_str())).count();
    }
    let without = format!("{bare} origins are named by their digest alone, {left_out} of them left out on purpose");
    Ok(format!("{pieces} pieces agree with the inventories; {without}"))
}

fn inventory(files: &Files, folder: &str) -> Result<Inventory, String> {
    let name = format!("{folder}/inventory.json");
    let text = files.get(&name).ok_or_else(|| format!("{name} is missing"))?;
    let mut inventory: Inventory = serde_json::from_slice(text).map_err(|error| format!("{name}: {error}"))?;
    inventory.normalize();
    Ok(inventory)
}

fn judge_again(verification: &mut Verification, files: &Files, profile: &Profile, run: &Run, statement: &Statement) {
    if bundle::verdicts(run) != statement.predicate.verdicts || run.exit_code != statement.predicate.exit_code {
        verification.step("verdict", Err(format!("{REPORT} has other verdicts than the statement")));
        return;
    }
    let assumed = files.get(CONTEXT).and_then(|text| serde_json::from_slice::<Assumed>(text).ok());
    let Some(context) = assumed.and_then(|assumed| assumed.context()) else {
        verification.step("verdict", Err(format!("{CONTEXT} is missing or none")));
        return;
    };
    for (index, report) in run.targets.iter().enumerate() {
        let TargetResult::Judged { assessment, .. } = &report.result else { continue };
        let again = inventory(files, &bundle::folder(index))
            .and_then(|inventory| assess(profile, &inventory, &context).map_err(|error| error.to_string()));
        let name = &report.target.name;
        let told = again.and_then(|again| compare(assessment, &again));
        let told = told.map(|words| format!("{name}: {} {words}", assessment.overall.as_str()));
        let by = &statement.predicate.tool.version;
        let version = match *by == Tool::this().version {
            true => String::new(),
            false => format!("; it was judged by version {by}, this is {}", Tool::this().version),
        };
        verification.step("verdict", told.map_err(|words| format!("{name}: NOT reproduced: {words}{version}")));
    }
}

/// Whether judging again comes to the same. What people laid over the verdicts is not laid over again.
fn compare(stated: &Assessment, again: &Assessment) -> Result<String, String> {
    if stated == again {
        return Ok("is reproduced, every finding of it".to_owned());
    }
    type Answer<'a> = (&'a str, Option<&'a str>, &'static str, Option<&'static str>, &'a str);
    fn answer(finding: &Finding) -> Answer<'_> {
        let reason = finding.reason.map(crate::check::Reason::as_str);
        (&finding.rule, finding.subject.as_deref(), finding.verdict.as_str(), reason, &finding.observed)
    }
    let attested: BTreeSet<&str> = stated
        .findings
        .iter()
        .filter(|finding| finding.attestation.is_some())
        .map(|finding| finding.rule.as_str())
        .collect();
    let answers = |assessment: &'_ Assessment| -> BTreeSet<String> {
        let judged = assessment.findings.iter().filter(|finding| !attested.contains(finding.rule.as_str()));
        judged.map(|finding| format!("{:?}", answer(finding))).collect()
    };
    let (before, after) = (answers(stated), answers(again));
    let laid_over = stated
        .findings
        .iter()
        .any(|finding| finding.waiver.is_some() || finding.attestation.is_some() || finding.baseline.is_some());
    if before == after && laid_over {
        return Ok("is reproduced before waivers, attestations and baseline, which were taken as they stand".to_owned());
    }
    let rules: BTreeSet<String> = before.symmetric_difference(&after).cloned().collect();
    match rules.is_empty() {
        true => Err("the findings are the same, what is said of the whole is not".to_owned()),
        false => Err(listed(&rules.into_iter().collect::<Vec<_>>())),
    }
}

fn listed(words: &[String]) -> String {
    let more = words.len().saturating_sub(NAMED);
    let named: Vec<&str> = words.iter().take(NAMED).map(String::as_str).collect();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", named.join("; "))
}
