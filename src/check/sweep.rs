//! One question asked of every package that a rule is about.

use super::holding::Held;
use super::outcome::describe;
use super::selector::Selector;
use super::words::{MORE_PACKAGES, PACKAGES, Say, Words, phrase, words};
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
    breaches: Vec<(Reason, Words)>,
    unknown: Vec<Words>,
    pub(super) proof: Vec<Proof>,
    pub(super) notes: Vec<Words>,
}

impl Sheet {
    /// What contradicts the rule.
    pub(super) fn breach(&mut self, reason: Reason, words: impl Into<Words>) {
        self.judged = true;
        self.breaches.push((reason, words.into()));
    }

    /// Something that can't be settled, for what is not known.
    pub(super) fn unknown(&mut self, words: impl Into<Words>, gap: &Gap) {
        self.unsettled(words);
        self.note(describe(gap));
    }

    /// Something that can't be settled though everything was read.
    pub(super) fn unsettled(&mut self, words: impl Into<Words>) {
        let words = words.into();
        if !self.unknown.contains(&words) {
            self.unknown.push(words);
        }
    }

    /// What a reader must know; each thing once.
    pub(super) fn note(&mut self, words: impl Into<Words>) {
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
        let names = names.join(", ");
        self.unsettled(words!(
            "whether it holds {names} can't be told",
            "нельзя сказать, есть ли у него {names}",
            names
        ));
        for reason in open.iter().take(REASONS) {
            self.proof.push(reason.proof());
        }
    }

    /// What a place says.
    pub(super) fn proof(&mut self, evidence: &Evidence, says: impl Into<Words>) {
        self.proof.push(Proof::new(evidence, says));
    }

    /// The value of a fact that decides, with its evidence; unknown ones are noted.
    pub(super) fn know<'a, T>(
        &mut self,
        fact: &'a Fact<T>,
        what: impl Say,
        copy: &PackageCopy,
    ) -> Option<(&'a T, &'a Evidence)> {
        match fact {
            Fact::Known { value, evidence } => {
                self.judged = true;
                Some((value, evidence))
            }
            Fact::Unknown(gap) => {
                let path = &copy.path;
                self.unknown(words!("{what} of {path} is unknown", "неизвестно: {what}, {path}", what, path), gap);
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
        let (path, value): (_, u64) = (&copy.path, (*value).into());
        self.proof(evidence, words!("{path}: {what} is {value}", "{path}: {what} = {value}", path, what, value));
        if !(from..=until).contains(&value) {
            let words = words!("{what} of {path} is {value}", "{path}: {what} = {value}", what, path, value);
            self.breach(Reason::OutOfRange, words);
        }
    }

    /// In which way the user can be rid of a package, with the grounds for it; `None`, and noted, where it is unknown.
    pub(super) fn removability(&mut self, package: &Package) -> Option<RemovabilityGrade> {
        match &package.removability {
            Fact::Known { value, evidence } => {
                self.judged = true;
                let grade = value.grade.as_str();
                self.proof(evidence, words!("{name}: {grade}", "{name}: {grade}", name = package.name, grade));
                for ground in &value.grounds {
                    self.proof(&ground.evidence, Words::plain(ground.says.as_str()));
                }
                Some(value.grade)
            }
            Fact::Unknown(gap) => {
                self.unknown(phrase("whether it can be removed is unknown", "можно ли удалить, неизвестно"), gap);
                None
            }
        }
    }
}

/// The words of a question.
pub(super) struct Question<'a> {
    /// What the rule wants.
    pub(super) expected: &'a Words,
    /// What is observed of those that fit, behind their number: `none is debuggable`.
    pub(super) none: Words,
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
            0 => Words::default(),
            count => {
                let (count, none) = (PACKAGES.count(count), &question.none);
                words!("{count}: {none}; ", "{count}: {none}; ", count, none)
            }
        };
        outcomes.extend(Outcome::incomplete(inventory, question.expected, |gaps| match selector.names().is_empty() {
            true => words!(
                "{others}{gaps} may hide more {what}",
                "{others}прочитано не всё ({gaps}), возможны и другие: {what}",
                others,
                gaps,
                what
            ),
            false => words!(
                "{others}{gaps} may hide what was not found of {what}",
                "{others}прочитано не всё ({gaps}), не найденное может быть там: {what}",
                others,
                gaps,
                what
            ),
        }));
    }
    if outcomes.is_empty() {
        outcomes.push(settled(inventory, fitting, selector, question));
    }
    outcomes
}

fn failure(package: &Package, sheet: Sheet, question: &Question<'_>) -> Outcome {
    let reason = sheet.breaches.first().map(|(reason, _)| *reason);
    let breaches = Words::joined(sheet.breaches.into_iter().map(|(_, words)| words), "; ");
    let observed = words!("{name}: {breaches}", "{name}: {breaches}", name = package.name, breaches);
    let mut outcome = Outcome::new(Verdict::Fail, reason, question.expected, observed).about(&package.name);
    outcome.proof = sheet.proof;
    outcome.notes = sheet.notes;
    outcome.notes.extend(
        sheet
            .unknown
            .into_iter()
            .map(|open| words!("Not settled besides: {open}.", "Кроме того, не определено: {open}.", open)),
    );
    outcome
}

fn unsettled(open: Vec<(&str, Sheet)>, question: &Question<'_>) -> Outcome {
    let count = open.len();
    let mut notes: Vec<Words> = Vec::new();
    let mut named: Vec<Words> = Vec::new();
    let mut proof = Vec::new();
    let mut only = None;
    for (name, sheet) in open.into_iter().take(NAMED) {
        let unknown = Words::joined(sheet.unknown, ", ");
        named.push(words!("{name} ({unknown})", "{name} ({unknown})", name, unknown));
        for note in sheet.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        proof.extend(sheet.proof);
        only = Some(name.to_owned());
    }
    if let Some(more) = count.checked_sub(NAMED).filter(|more| *more > 0) {
        let more = MORE_PACKAGES.count(more);
        named.push(words!("and {more}", "и ещё {more}", more));
    }
    let named = Words::joined(named, "; ");
    let observed = words!("not settled: {named}", "не определено: {named}", named);
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
        let what = selector.words();
        let observed = words!("{what} not there", "нет на устройстве: {what}", what);
        return Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, question.expected, observed)
            .proven(Proof::of_list(inventory));
    }
    let mut outcome = match fitting.as_slice() {
        [(name, _)] => {
            let observed = words!("{name}: {none}", "{name}: {none}", name, none = question.none);
            Outcome::new(Verdict::Pass, None, question.expected, observed).about(name)
        }
        _ => {
            let (count, none) = (PACKAGES.count(count), &question.none);
            let observed = words!("{count}: {none}", "{count}: {none}", count, none);
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
