//! One question asked of every package that a rule is about.

use super::holding::Held;
use super::outcome::{describe, plural};
use super::selector::Selector;
use super::{Outcome, Proof, Reason, Verdict};
use crate::inventory::{Evidence, Fact, Gap, Inventory, Package, PackageCopy, RemovabilityGrade};

/// Packages that are named in one finding about many; the rest is counted.
const NAMED: usize = 12;
/// Permissions of one package that can't be foretold and of which the reasons are given.
const REASONS: usize = 3;

/// What speaks about one package.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Whether anything about it was judged.
    pub(super) judged: bool,
    breaches: Vec<(Reason, String)>,
    unknown: Vec<String>,
    pub(super) proof: Vec<Proof>,
    pub(super) notes: Vec<String>,
}

impl Sheet {
    /// What contradicts the rule.
    pub(super) fn breach(&mut self, reason: Reason, words: impl Into<String>) {
        self.judged = true;
        self.breaches.push((reason, words.into()));
    }

    /// Something that can't be settled, for what is not known.
    pub(super) fn unknown(&mut self, words: impl Into<String>, gap: &Gap) {
        self.unsettled(words);
        self.note(describe(gap));
    }

    /// Something that can't be settled though everything was read.
    pub(super) fn unsettled(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.unknown.contains(&words) {
            self.unknown.push(words);
        }
    }

    /// What a reader must know; each thing once.
    pub(super) fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.notes.contains(&words) {
            self.notes.push(words);
        }
    }

    /// Permissions of which it can't be told whether they are held, with the reasons of the first few.
    pub(super) fn open<'a>(&mut self, open: impl Iterator<Item = &'a Held<'a>>) {
        let open: Vec<&Held<'_>> = open.collect();
        let mut names: Vec<&str> = open.iter().map(|open| open.permission).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return;
        }
        self.unsettled(format!("whether it holds {} can't be told", names.join(", ")));
        for reason in open.iter().take(REASONS) {
            self.proof.push(reason.proof());
        }
    }

    /// What a place says.
    pub(super) fn proof(&mut self, evidence: &Evidence, says: impl Into<String>) {
        self.proof.push(Proof::new(evidence, says));
    }

    /// The value of a fact that decides, with its evidence; unknown ones are noted.
    pub(super) fn know<'a, T>(
        &mut self,
        fact: &'a Fact<T>,
        what: &str,
        copy: &PackageCopy,
    ) -> Option<(&'a T, &'a Evidence)> {
        match fact {
            Fact::Known { value, evidence } => {
                self.judged = true;
                Some((value, evidence))
            }
            Fact::Unknown(gap) => {
                self.unknown(format!("{what} of {} is unknown", copy.path), gap);
                None
            }
        }
    }
}

impl Sheet {
    /// Whether a number of a copy, `what`, is within bounds that are both included.
    pub(super) fn bounded<T: Copy + Into<u64>>(
        &mut self,
        fact: &Fact<T>,
        what: &str,
        (from, until): (u64, u64),
        copy: &PackageCopy,
    ) {
        let Some((value, evidence)) = self.know(fact, what, copy) else { return };
        let value: u64 = (*value).into();
        self.proof(evidence, format!("{}: {what} is {value}", copy.path));
        if !(from..=until).contains(&value) {
            self.breach(Reason::OutOfRange, format!("{what} of {} is {value}", copy.path));
        }
    }

    /// In which way the user can be rid of a package, with the grounds for it; `None`, and noted, where it is unknown.
    pub(super) fn removability(&mut self, package: &Package) -> Option<RemovabilityGrade> {
        match &package.removability {
            Fact::Known { value, evidence } => {
                self.judged = true;
                self.proof(evidence, format!("{}: {}", package.name, value.grade.as_str()));
                for ground in &value.grounds {
                    self.proof(&ground.evidence, ground.says.clone());
                }
                Some(value.grade)
            }
            Fact::Unknown(gap) => {
                self.unknown("whether it can be removed is unknown", gap);
                None
            }
        }
    }
}

/// The words of a question.
pub(super) struct Question<'a> {
    /// What the rule wants.
    pub(super) expected: &'a str,
    /// What is observed of those that fit, behind their number: `none is debuggable`.
    pub(super) none: &'a str,
}

/// Asks about every package that the selector names. A failure for each package that breaks the rule, one finding for
/// all that can't be settled, else one pass.
pub(super) fn sweep<'a>(
    inventory: &'a Inventory,
    selector: &'a Selector,
    question: &Question<'_>,
    judge: impl Fn(&'a Package, &[&'a PackageCopy], &mut Sheet),
) -> Vec<Outcome> {
    let listed = inventory.packages.known().map_or(&[][..], Vec::as_slice);
    let aim = selector.on(inventory);
    let mut outcomes = Vec::new();
    let mut open: Vec<(&str, Sheet)> = Vec::new();
    let mut fitting: Vec<(&str, Sheet)> = Vec::new();
    for package in listed {
        let picked = aim.pick(package);
        if picked.copies.is_empty() && picked.unknown.is_empty() {
            continue;
        }
        let mut sheet = Sheet::default();
        if !picked.copies.is_empty() {
            judge(package, &picked.copies, &mut sheet);
        }
        for (_, words, gap) in &picked.unknown {
            sheet.unknown(words.clone(), gap);
        }
        if !sheet.breaches.is_empty() {
            outcomes.push(failure(package, sheet, question));
        } else if !sheet.unknown.is_empty() {
            open.push((&package.name, sheet));
        } else if sheet.judged {
            fitting.push((&package.name, sheet));
        }
    }
    let failed = !outcomes.is_empty();
    if !open.is_empty() {
        outcomes.push(unsettled(open, question));
    }
    if !failed && selector.may_miss(inventory) {
        let what = selector.words();
        let others = match fitting.len() {
            0 => String::new(),
            count => format!("{}: {}; ", plural(count, "package", "packages"), question.none),
        };
        outcomes.extend(Outcome::incomplete(inventory, question.expected, |gaps| match selector.names().is_empty() {
            true => format!("{others}{gaps} may hide more {what}"),
            false => format!("{others}{gaps} may hide what was not found of {what}"),
        }));
    }
    if outcomes.is_empty() {
        outcomes.push(settled(inventory, fitting, selector, question));
    }
    outcomes
}

fn failure(package: &Package, sheet: Sheet, question: &Question<'_>) -> Outcome {
    let reason = sheet.breaches.first().map(|(reason, _)| *reason);
    let words: Vec<String> = sheet.breaches.into_iter().map(|(_, words)| words).collect();
    let observed = format!("{}: {}", package.name, words.join("; "));
    let mut outcome = Outcome::new(Verdict::Fail, reason, question.expected, observed).about(&package.name);
    outcome.proof = sheet.proof;
    outcome.notes = sheet.notes;
    outcome.notes.extend(sheet.unknown.into_iter().map(|words| format!("Not settled besides: {words}.")));
    outcome
}

fn unsettled(open: Vec<(&str, Sheet)>, question: &Question<'_>) -> Outcome {
    let count = open.len();
    let mut notes: Vec<String> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    let mut proof = Vec::new();
    let mut only = None;
    for (name, sheet) in open.into_iter().take(NAMED) {
        named.push(format!("{name} ({})", sheet.unknown.join(", ")));
        for note in sheet.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        proof.extend(sheet.proof);
        only = Some(name.to_owned());
    }
    if let Some(more) = count.checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("and {}", plural(more, "more package", "more packages")));
    }
    let observed = format!("not settled: {}", named.join("; "));
    let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, question.expected, observed);
    outcome.subject = only.filter(|_| count == 1);
    outcome.proof = proof;
    outcome.notes = notes;
    outcome
}

fn settled(
    inventory: &Inventory,
    fitting: Vec<(&str, Sheet)>,
    selector: &Selector,
    question: &Question<'_>,
) -> Outcome {
    let count = fitting.len();
    if count == 0 {
        let observed = format!("{} not there", selector.words());
        return Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, question.expected, observed)
            .proven(Proof::of_list(inventory));
    }
    let mut outcome = match fitting.as_slice() {
        [(name, _)] => {
            Outcome::new(Verdict::Pass, None, question.expected, format!("{name}: {}", question.none)).about(name)
        }
        _ => {
            let observed = format!("{}: {}", plural(count, "package", "packages"), question.none);
            Outcome::new(Verdict::Pass, None, question.expected, observed)
        }
    };
    outcome.proof = Proof::of_list(inventory);
    if count == 1 {
        for (_, sheet) in fitting {
            outcome.proof.extend(sheet.proof);
            outcome.notes.extend(sheet.notes);
        }
    }
    outcome
}
