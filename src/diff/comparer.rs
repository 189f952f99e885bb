//! Collects changes: one call for each fact, and none of them can forget that a fact may be unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Entry, EntryKind, Known, Unsettled};
use crate::inventory::{Fact, Gap};

/// Key of facts that could not be compared for the same reason.
type UnsettledKey = (&'static str, Known, &'static str);

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    unsettled: BTreeMap<UnsettledKey, (String, BTreeSet<String>)>,
}

impl Ledger {
    /// Enters what a comparison found; nothing, if it found nothing.
    pub(super) fn enter(
        &mut self,
        kind: EntryKind,
        subject: Option<&str>,
        label: Option<String>,
        changes: Vec<Change>,
    ) {
        if !changes.is_empty() {
            self.entries.push(Entry { kind, subject: subject.map(str::to_owned), label, changes });
        }
    }

    /// Enters something that only one side knows.
    pub(super) fn unsettled(&mut self, aspect: &'static str, known: Known, subject: Option<&str>, gap: &Gap) {
        let key = (aspect, known, gap.reason.as_str());
        let (_, subjects) = self.unsettled.entry(key).or_insert_with(|| (gap.detail.clone(), BTreeSet::new()));
        subjects.extend(subject.map(str::to_owned));
    }

    /// Entries and what could not be compared, each in its order.
    pub(super) fn finish(self) -> (Vec<Entry>, Vec<Unsettled>) {
        let mut entries = self.entries;
        entries.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
        let unsettled = self.unsettled.into_iter().map(|((aspect, known, reason), (detail, subjects))| Unsettled {
            aspect: aspect.to_owned(),
            known,
            reason: reason.to_owned(),
            detail,
            subjects: subjects.into_iter().collect(),
        });
        (entries, unsettled.collect())
    }
}

/// Compares the facts of one subject.
pub(super) struct Comparer<'a> {
    subject: Option<&'a str>,
    ledger: &'a mut Ledger,
    /// What differs so far.
    pub(super) changes: Vec<Change>,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(subject: Option<&'a str>, ledger: &'a mut Ledger) -> Self {
        Self { subject, ledger, changes: Vec::new() }
    }

    /// Both values, where both are known; what one side alone knows is entered as such.
    pub(super) fn both<'f, T>(
        &mut self,
        aspect: &'static str,
        a: &'f Fact<T>,
        b: &'f Fact<T>,
    ) -> Option<(&'f T, &'f T)> {
        match (a, b) {
            (Fact::Known { value: a, .. }, Fact::Known { value: b, .. }) => Some((a, b)),
            (Fact::Known { .. }, Fact::Unknown(gap)) => {
                self.ledger.unsettled(aspect, Known::Before, self.subject, gap);
                None
            }
            (Fact::Unknown(gap), Fact::Known { .. }) => {
                self.ledger.unsettled(aspect, Known::After, self.subject, gap);
                None
            }
            (Fact::Unknown(_), Fact::Unknown(_)) => None,
        }
    }

    /// One side alone knows it.
    pub(super) fn one_side(&mut self, aspect: &'static str, known: Known, gap: &Gap) {
        self.ledger.unsettled(aspect, known, self.subject, gap);
    }

    /// Both sides know it in terms that can't be held against each other.
    pub(super) fn incomparable(&mut self, aspect: &'static str, gap: &Gap) {
        self.ledger.unsettled(aspect, Known::Incomparably, self.subject, gap);
    }

    /// A fact with one value.
    pub(super) fn fact<T: PartialEq>(
        &mut self,
        aspect: &'static str,
        a: &Fact<T>,
        b: &Fact<T>,
        show: impl Fn(&T) -> Option<String>,
    ) {
        if let Some((a, b)) = self.both(aspect, a, b).filter(|(a, b)| a != b) {
            self.differ(aspect, show(a), show(b));
        }
    }

    /// A fact that is a list, or is taken as one.
    pub(super) fn list<T>(
        &mut self,
        aspect: &'static str,
        a: &Fact<T>,
        b: &Fact<T>,
        items: impl Fn(&T) -> Vec<String>,
    ) {
        if let Some((a, b)) = self.both(aspect, a, b) {
            self.sets(aspect, items(a), items(b));
        }
    }

    /// Two values.
    pub(super) fn differ(&mut self, aspect: &'static str, before: Option<String>, after: Option<String>) {
        if before != after {
            let change = Change { aspect: aspect.to_owned(), before, after, gained: Vec::new(), lost: Vec::new() };
            self.changes.push(change);
        }
    }

    /// Two lists of which the order says nothing.
    pub(super) fn sets(&mut self, aspect: &'static str, a: Vec<String>, b: Vec<String>) {
        let (a, b): (BTreeSet<String>, BTreeSet<String>) = (a.into_iter().collect(), b.into_iter().collect());
        let gained: Vec<String> = b.difference(&a).cloned().collect();
        let lost: Vec<String> = a.difference(&b).cloned().collect();
        if !gained.is_empty() || !lost.is_empty() {
            self.changes.push(Change { aspect: aspect.to_owned(), before: None, after: None, gained, lost });
        }
    }
}

/// A value as it prints.
#[allow(clippy::unnecessary_wraps, reason = "one of the ways to show a value")]
pub(super) fn plain(value: &impl ToString) -> Option<String> {
    Some(value.to_string())
}

/// A value that may be absent.
pub(super) fn optional<T: ToString>(value: &Option<T>) -> Option<String> {
    value.as_ref().map(ToString::to_string)
}
