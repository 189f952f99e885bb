//! Which permissions packages ask for.
//!
//! The dump of all packages leaves them out. `dumpsys package permission NAMES` tells them for the names given, so it is
//! asked with every name that the phone defines: a name that it does not define is not seen, and can't be granted. It
//! leaves out packages that hold no state of any of the names; what those ask for stays unknown. A phone that does not know
//! that question is asked for the dump of each package. Evidence tells which answer it was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::asking::Asker;
use super::package::application_id;
use crate::adb::{Command, commands};
use crate::dump::At;
use crate::dump::package::block::Block;
use crate::dump::package::{self, End, facts};
use crate::inventory::{Evidence, Fact, Gap, GapReason, Hides, RequestedPermission};

const LIST: &str = "requested permissions";

/// Android 6 is the first that can be asked.
const SINCE: u32 = 23;

/// Names by package, with the evidence of their first answer.
type Answers = BTreeMap<String, (BTreeSet<String>, Evidence)>;

pub(super) struct RequestedPermissions {
    active: Answers,
    factory: Answers,
    /// Why a package that is in neither is not known.
    rest: Gap,
}

impl RequestedPermissions {
    pub(super) fn none(gap: Gap) -> Self {
        Self { active: Answers::new(), factory: Answers::new(), rest: gap }
    }

    /// Asks for the names given; where the phone does not know the question, for each of the packages.
    pub(super) fn ask<'n>(
        asker: &mut Asker<'_>,
        sdk: u32,
        names: impl IntoIterator<Item = &'n str>,
        packages: impl Iterator<Item = &'n str>,
    ) -> Self {
        if sdk < SINCE {
            let words = "this version of Android does not tell requested permissions of all packages";
            return Self::none(Gap::new("dumpsys package permission", GapReason::Unsupported, words));
        }
        match Self::by_names(asker, sdk, names) {
            Ok(found) => found,
            // It answers, and not to that: the dump of one package has its list.
            Err(gap) if matches!(gap.reason, GapReason::Failed | GapReason::Missing) => {
                Self::by_packages(asker, sdk, packages, gap)
            }
            Err(gap) => Self::none(gap),
        }
    }

    fn by_names<'n>(asker: &mut Asker<'_>, sdk: u32, names: impl IntoIterator<Item = &'n str>) -> Result<Self, Gap> {
        let asked = commands::requested(sdk, names, asker.line_limit());
        if !asked.refused.is_empty() {
            let words = format!("names that can't be asked for: {}", first_names(&asked.refused));
            asker.note(Gap::new("dumpsys package permission", GapReason::Unsupported, words));
        }
        let mut out = Self::none(Gap::new(
            "dumpsys package permission",
            GapReason::NotObserved,
            "the phone tells requested permissions of packages that hold a state of one of them; this one does not",
        ));
        for (number, command) in asked.commands.iter().enumerate() {
            let place = short(command.line());
            let text = asker.ask(command, Hides::Facts).map_err(|gap| Gap { place: place.clone(), ..gap })?;
            let dump = package::parse(&text.text);
            if let Some(words) = dump.end.describe() {
                let gap = Gap::new(place, GapReason::Truncated, words);
                asker.note(gap.clone());
                return Err(gap);
            }
            let blocks = dump.packages.unwrap_or_default();
            if !blocks.iter().any(|block| block.body.list(LIST).is_some()) {
                let gap = Gap::new(place, GapReason::Missing, "the answer has no requested permissions");
                asker.note(gap.clone());
                return Err(gap);
            }
            merge(&mut out.active, &blocks, &text.evidence, number == 0);
            merge(&mut out.factory, &dump.hidden, &text.evidence, number == 0);
        }
        Ok(out)
    }

    /// Asks for each package, many with one request. Slow, and complete: a package's own dump names every permission that
    /// it requests.
    fn by_packages<'n>(asker: &mut Asker<'_>, sdk: u32, names: impl Iterator<Item = &'n str>, why: Gap) -> Self {
        let mut commands: VecDeque<Command> = names.filter_map(|name| commands::package(sdk, name)).collect();
        let mut out = Self::none(why);
        let mut texts = Vec::new();
        // A phone that refuses one refuses all: that is one gap, not one for each package. A capture may hold any of them.
        if !asker.is_capture()
            && let Some(first) = commands.pop_front()
        {
            match asker.ask(&first, Hides::Facts) {
                Ok(text) => texts.push(text),
                Err(_) => return out,
            }
        }
        texts.extend(asker.ask_batch(commands.into(), Hides::Facts).into_iter().flatten());
        for text in texts {
            let dump = package::parse(&text.text);
            if let Some(words) = dump.end.describe() {
                asker.note(Gap::new(&text.command, GapReason::Truncated, words));
                continue;
            }
            for (answers, blocks) in
                [(&mut out.active, dump.packages.unwrap_or_default()), (&mut out.factory, dump.hidden)]
            {
                for block in &blocks {
                    let Some(list) = block.body.list(LIST) else { continue };
                    let names = list.value.iter().map(|item| facts::requested_name(&item.value).to_owned()).collect();
                    let at = text.evidence.at(format!("line {}", list.line));
                    answers.insert(application_id(block).to_owned(), (names, at));
                }
            }
        }
        out
    }

    /// What the copy asks for: as its own entry says, else as the answers say.
    pub(super) fn of(&self, block: &Block, active: bool, evidence: &Evidence) -> Fact<Vec<RequestedPermission>> {
        let plain = |name: &str| RequestedPermission { name: name.to_owned(), max_sdk: None, sdk_23: false };
        if let Some(list) = block.body.list(LIST).filter(|_| block.complete) {
            let names = list.value.iter().map(|item| plain(facts::requested_name(&item.value))).collect();
            let at = Evidence { at: Some(format!("line {}", list.line)), ..evidence.clone() };
            return Fact::new(names, &at);
        }
        let answers = if active { &self.active } else { &self.factory };
        match answers.get(application_id(block)) {
            Some((names, evidence)) => Fact::new(names.iter().map(|name| plain(name)).collect(), evidence),
            None => Fact::Unknown(self.rest.clone()),
        }
    }
}

/// Adds an answer. A package that one answer leaves out is not known to ask for nothing in it, so it goes.
fn merge(answers: &mut Answers, blocks: &[Block], evidence: &Evidence, first: bool) {
    let mut found: BTreeMap<&str, (&Block, BTreeSet<String>)> = BTreeMap::new();
    for block in blocks {
        let items: &[At<String>] = block.body.list(LIST).map_or(&[], |list| &list.value);
        let names = items.iter().map(|item| facts::requested_name(&item.value).to_owned()).collect();
        found.insert(application_id(block), (block, names));
    }
    if first {
        for (name, (block, names)) in found {
            let line = block.body.list(LIST).map_or(block.line, |list| list.line);
            let place = format!("line {line}, of the permissions that the phone defines");
            answers.insert(name.to_owned(), (names, evidence.at(place)));
        }
    } else {
        answers.retain(|name, (names, _)| match found.get(name.as_str()) {
            Some((_, more)) => {
                names.extend(more.iter().cloned());
                true
            }
            None => false,
        });
    }
}

/// The line without its thousands of names.
fn short(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let names = words.iter().skip_while(|word| **word != "permission").count().saturating_sub(1);
    let start = words.iter().take_while(|word| **word != "permission").copied().collect::<Vec<_>>().join(" ");
    format!("{start} permission ({names} names)")
}

pub(super) fn first_names<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<_> = names.iter().take(5).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// Whether the entries themselves have the lists.
pub(super) fn is_told_by(blocks: &[Block], end: &End) -> bool {
    *end == End::Whole && !blocks.is_empty() && blocks.iter().all(|block| block.body.list(LIST).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_many_names_is_a_short_place() {
        assert_eq!(short("dumpsys -t 60 package permission a.B c.D"), "dumpsys -t 60 package permission (2 names)");
    }
}
