//! Checking a bundle: signature and digests, and then the verdict itself, by judging again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::archive::{self, Files};
use super::bundle::{
    self, ATTESTATIONS, Assumed, BASELINE, BASES, BaseFile, CONTEXT, PROFILE, PROFILE_SIGNATURE, REPORT, RawIndex,
    SIGNER, STATEMENT, WAIVERS,
};
use super::key::PublicKey;
use super::minisign::{self, VerifyingKey};
use super::statement::{Envelope, Statement};
use super::trust::{Standing, Trust};
use crate::assess::{Assessment, Finding, Overlays, ProfileSignature, assess};
use crate::inventory::{Inventory, Tool};
use crate::profile::{self, Attestations, Profile, Waivers};
use crate::report::{Coverage, Run, TargetResult, known_failures};

/// Files of what people laid over the verdicts.
const LAID_OVER: [&str; 3] = [WAIVERS, ATTESTATIONS, BASELINE];
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

/// Checks a bundle. Without a list of keys the signer stays open: anybody can sign. `profile_keys` may have signed the profile;
/// where there are any, a profile that is not built in must be signed with one of them.
#[must_use]
pub fn verify(bytes: &[u8], trust: Option<&Trust>, profile_keys: &[VerifyingKey]) -> Verification {
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
        let words = profile.as_ref().map(|(profile, _)| in_words(profile));
        verification.step("profile", words.map_err(Clone::clone));
        verification.step("raw evidence", raw(&files));
        if let Ok((profile, run)) = profile {
            if let Some(told) = profile_signature(&files, &profile, &run, profile_keys) {
                verification.step("profile key", told);
            }
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
    let profile = Profile::parse_with(PROFILE, text, &bases(files)?).map_err(|error| error.to_string())?;
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

/// A profile, and whether it is the one that comes with this program under that name.
fn in_words(profile: &Profile) -> String {
    let built_in = profile::builtin().iter().find(|builtin| builtin.name == profile.id);
    let same = match built_in {
        None => "",
        Some(builtin) if profile::sha256(builtin.text.as_bytes()) == profile.sha256 => {
            ", as it comes with this version of the program"
        }
        Some(_) => ", NOT as it comes with this version of the program",
    };
    format!("{} {}{same}", profile.id, profile.version)
}

/// Whether the profile's own signature fits its file and is the one of which the report tells. `None` where there is none and
/// none is asked for.
fn profile_signature(
    files: &Files,
    profile: &Profile,
    run: &Run,
    keys: &[VerifyingKey],
) -> Option<Result<String, String>> {
    let judged = run.targets.iter().filter_map(|report| match &report.result {
        TargetResult::Judged { assessment, .. } => Some(assessment.profile.signature.as_ref()),
        TargetResult::Unread { .. } => None,
    });
    let judged: Vec<Option<&ProfileSignature>> = judged.collect();
    let stated = judged.first().copied().flatten();
    if judged.iter().any(|other| *other != stated) {
        return Some(Err(format!("{REPORT} tells of several signatures of one profile")));
    }
    let file = files.get(PROFILE_SIGNATURE);
    Some(match (stated, file) {
        (None, None) if keys.is_empty() => return None,
        (None, None) if is_built_in(profile) => {
            Ok("none is needed: it comes with this version of the program".to_owned())
        }
        (None, None) => Err("not signed".to_owned()),
        // Nothing was judged: no report names the key.
        (None, Some(_)) if judged.is_empty() && keys.is_empty() => return None,
        (None, Some(file)) if judged.is_empty() => fits(keys, profile, file).map(|verified| in_hand(&verified)),
        (None, Some(_)) => Err(format!("{PROFILE_SIGNATURE} is there, and {REPORT} tells of no signature")),
        (Some(stated), None) => {
            Err(format!("{PROFILE_SIGNATURE} is missing, a signature of the key {}", stated.key_id))
        }
        (Some(stated), Some(file)) => as_stated(stated, profile, file, keys),
    })
}

/// Checks a signature with the key that the report names, and that key with those that may sign.
fn as_stated(
    stated: &ProfileSignature,
    profile: &Profile,
    file: &[u8],
    keys: &[VerifyingKey],
) -> Result<String, String> {
    let key = VerifyingKey::of_parts(&stated.key_id, &stated.public_key)
        .ok_or_else(|| format!("{REPORT} names no key: {} {}", stated.key_id, stated.public_key))?;
    let verified = fits(&[key], profile, file)?;
    if verified.trusted_comment != stated.trusted_comment {
        return Err(format!("{REPORT} tells another comment than {PROFILE_SIGNATURE}"));
    }
    if keys.is_empty() {
        let words = in_hand(&verified);
        return Ok(format!("{words}, as the report says; whether it may sign profiles, --profile-key asks"));
    }
    if keys.iter().any(|other| other.key.as_bytes() == key.key.as_bytes()) {
        return Ok(format!("{}, one of those that may sign profiles", in_hand(&verified)));
    }
    Err(format!("signed with the key {}, which is none of those of --profile-key", stated.key_id))
}

fn fits(keys: &[VerifyingKey], profile: &Profile, file: &[u8]) -> Result<minisign::Verified, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{PROFILE_SIGNATURE}: {why}");
    let text = std::str::from_utf8(file).map_err(|error| wrong(&error))?;
    minisign::verify(keys, profile.text().as_bytes(), text).map_err(|error| wrong(&error))
}

fn in_hand(verified: &minisign::Verified) -> String {
    format!("{PROFILE} is signed with the key {} ({})", verified.key.id(), verified.trusted_comment)
}

fn is_built_in(profile: &Profile) -> bool {
    let same = |builtin: &profile::Builtin| {
        builtin.name == profile.id && profile::sha256(builtin.text.as_bytes()) == profile.sha256
    };
    profile::builtin().iter().any(same)
}

/// The extended profiles of a bundle, by the file that extends and the name as written there.
fn bases(files: &Files) -> Result<impl Fn(&str, &str) -> Option<(String, String)>, String> {
    let index: Vec<BaseFile> = match files.get(BASES) {
        None => Vec::new(),
        Some(text) => serde_json::from_slice(text).map_err(|error| format!("{BASES}: {error}"))?,
    };
    Ok(move |from: &str, name: &str| {
        let base = index.iter().find(|base| base.from == from && base.name == name)?;
        let text = String::from_utf8(files.get(&base.file)?.clone()).ok()?;
        Some((base.file.clone(), text))
    })
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
            let origins: Vec<_> = inventory.sources.iter().filter(|origin| origin.name == piece.origin).collect();
            if origins.is_empty() {
                return Err(format!("{} is of {}, which the inventory does not name", piece.file, piece.origin));
            }
            // A manifest is a part of a file that was not read whole, so that no digest of it is stated.
            let stated: Vec<&String> = origins.iter().filter_map(|origin| origin.sha256.as_ref()).collect();
            let differs = !stated.is_empty() && !stated.contains(&&digest);
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
        let TargetResult::Judged { assessment, device, coverage } = &report.result else { continue };
        let again = || {
            let inventory = inventory(files, &bundle::folder(index))?;
            let read = Coverage::of(&inventory).map_err(|error| error.to_string())?;
            if (&inventory.target, &inventory.device, &read) != (&report.target, &**device, coverage) {
                return Err(format!("{REPORT} is of another target than the inventory"));
            }
            let mut again = assess(profile, &inventory, &context).map_err(|error| error.to_string())?;
            let mut overlays = overlays(files, assessment)?;
            overlays.apply(&mut again, profile, &inventory, &report.target.name, context.as_of);
            // Who signed the profile's file was checked when it was read.
            again.profile.signature.clone_from(&assessment.profile.signature);
            Ok(again)
        };
        let name = &report.target.name;
        let told = again().and_then(|again| compare(assessment, &again));
        let laid_over = if LAID_OVER.iter().any(|name| files.contains_key(*name)) {
            ", with waivers, attestations and baseline laid over it again"
        } else {
            ""
        };
        let told = told.map(|words| format!("{name}: {} {words}{laid_over}", assessment.overall.as_str()));
        let by = &statement.predicate.tool.version;
        let version = match *by == Tool::this().version {
            true => String::new(),
            false => format!("; it was judged by version {by}, this is {}", Tool::this().version),
        };
        verification.step("verdict", told.map_err(|words| format!("{name}: NOT reproduced: {words}{version}")));
    }
}

/// What people laid over the verdicts, from the bundle.
fn overlays(files: &Files, stated: &Assessment) -> Result<Overlays, String> {
    let text = |name: &str| {
        let text = files.get(name).map(|bytes| std::str::from_utf8(bytes));
        text.transpose().map_err(|_| format!("{name} is not UTF-8"))
    };
    let waivers = text(WAIVERS)?.map(|text| Waivers::parse(WAIVERS, text)).transpose();
    let attestations = text(ATTESTATIONS)?.map(|text| Attestations::parse(ATTESTATIONS, text)).transpose();
    let baseline = match (files.get(BASELINE), &stated.baseline) {
        (Some(bytes), Some(stated)) => Some(known_failures(bytes, &stated.file, stated.only_new)?),
        (None, None) => None,
        _ => return Err(format!("{BASELINE} and what {REPORT} says of a baseline do not agree")),
    };
    Ok(Overlays::new(
        waivers.map_err(|error| error.to_string())?.unwrap_or_default(),
        attestations.map_err(|error| error.to_string())?.unwrap_or_default(),
        baseline,
    ))
}

/// Whether judging again comes to the same. Words in Russian are compared where they were stated: programs before they had any
/// wrote none.
fn compare(stated: &Assessment, again: &Assessment) -> Result<String, String> {
    let mut again = again.clone();
    let unworded = stated.findings.iter().zip(&mut again.findings).filter(|(stated, _)| stated.russian.is_none());
    unworded.for_each(|(_, again)| again.russian = None);
    let again = &again;
    if stated == again {
        return Ok("is reproduced, every finding of it".to_owned());
    }
    let answers = |assessment: &'_ Assessment| -> BTreeSet<String> { assessment.findings.iter().map(answer).collect() };
    let (before, after) = (answers(stated), answers(again));
    let stated_alone = before.difference(&after).map(|answer| format!("stated {answer}"));
    let found_alone = after.difference(&before).map(|answer| format!("found {answer}"));
    let mut differing: Vec<String> = stated_alone.chain(found_alone).collect();
    if differing.is_empty() && stated.findings != again.findings {
        let pairs = stated.findings.iter().zip(&again.findings).filter(|(stated, again)| stated != again);
        differing.extend(pairs.map(|(stated, _)| format!("{} has another wording or evidence", stated.rule)));
    }
    if stated.overall != again.overall {
        let words = format!("stated {} of the whole, found {}", stated.overall.as_str(), again.overall.as_str());
        differing.insert(0, words);
    }
    if differing.is_empty() {
        return Err("the findings are the same, what is said of the whole is not".to_owned());
    }
    Err(listed(&differing))
}

/// A finding's answer in words: `RU-MAX fail [absent]`.
fn answer(finding: &Finding) -> String {
    let subject = finding.subject.as_ref().map(|subject| format!(" of {subject}")).unwrap_or_default();
    let reason = finding.reason.map(|reason| format!(" [{}]", reason.as_str())).unwrap_or_default();
    let waiver = finding.waiver.as_ref().map(|waiver| format!(", waived by {}", waiver.id)).unwrap_or_default();
    let attested =
        finding.attestation.as_ref().map(|who| format!(", attested by {}", who.operator)).unwrap_or_default();
    format!("{} {}{reason}{subject}{waiver}{attested}", finding.rule, finding.verdict.as_str())
}

fn listed(words: &[String]) -> String {
    let more = words.len().saturating_sub(NAMED);
    let named: Vec<&str> = words.iter().take(NAMED).map(String::as_str).collect();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{self, TargetResult};

    #[test]
    fn words_in_russian_that_were_not_stated_are_not_missed_and_stated_ones_must_be_the_same() {
        let sample = include_bytes!("../../samples/orion-p1-phone.report.json");
        let mut run = report::parse(sample).unwrap();
        let TargetResult::Judged { assessment, .. } = run.targets.remove(0).result else { panic!("it was judged") };
        let mut stated = assessment.clone();
        assert!(stated.findings.iter().all(|finding| finding.russian.is_some()));
        stated.findings.iter_mut().for_each(|finding| finding.russian = None);
        compare(&stated, &assessment).unwrap();
        let mut stated = assessment.clone();
        stated.findings.first_mut().unwrap().russian.as_mut().unwrap().observed.push('!');
        let told = compare(&stated, &assessment).unwrap_err();
        assert_eq!(told, "RU-MAX has another wording or evidence");
    }
}
