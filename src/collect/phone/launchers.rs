//! Which activities a launcher shows.

use std::collections::{BTreeMap, BTreeSet};

use super::asking::Asker;
use crate::adb::commands;
use crate::dump::activities;
use crate::dump::package::block::Block;
use crate::inventory::{Evidence, Fact, Gap, GapReason, Hides};

/// Android 7 is the first whose package manager can be asked.
const SINCE: u32 = 24;

pub(super) struct Launchers {
    by_package: BTreeMap<String, BTreeSet<String>>,
    /// Users whose answer is whole, in the order of asking, with it.
    answered: Vec<(u32, Evidence)>,
    /// Why there is no answer.
    gap: Gap,
}

impl Launchers {
    pub(super) fn ask(asker: &mut Asker<'_>, sdk: Option<u32>, users: &BTreeSet<u32>) -> Self {
        let words = "this version of Android can't be asked for launcher activities";
        let gap = Gap::new("cmd package query-activities", GapReason::Unsupported, words);
        let mut out = Self { by_package: BTreeMap::new(), answered: Vec::new(), gap };
        if sdk.is_some_and(|sdk| sdk < SINCE) {
            return out;
        }
        for user in users {
            let text = match asker.ask(&commands::launcher(*user), Hides::Facts) {
                Ok(text) => text,
                Err(gap) => {
                    out.gap = gap;
                    continue;
                }
            };
            let parsed = activities::parse(&text.text);
            if parsed.truncated || parsed.leftover.count > 0 {
                let words = parsed.leftover.describe();
                let words = words.unwrap_or_else(|| "the number of activities is not the one announced".to_owned());
                let reason = if parsed.leftover.count > 0 { GapReason::Damaged } else { GapReason::Truncated };
                out.gap = Gap::new(text.command, reason, words);
                asker.note(out.gap.clone());
                continue;
            }
            for (package, classes) in parsed.by_package {
                out.by_package.entry(package).or_default().extend(classes);
            }
            out.answered.push((*user, text.evidence));
        }
        out
    }

    /// Activities of the package. Android shows none of a package that is disabled or not installed for the user who
    /// asks, so nothing is known of one that is so for all.
    pub(super) fn of(&self, name: &str, block: &Block) -> Fact<Vec<String>> {
        let Some((_, evidence)) = self.answered.first() else { return Fact::Unknown(self.gap.clone()) };
        if let Some(classes) = self.by_package.get(name) {
            return Fact::new(classes.iter().cloned().collect(), evidence);
        }
        let is_on = |user: u32| {
            block.users.iter().filter(|block| block.id == user).any(|block| {
                block.words.get("installed").is_some_and(|word| word == "true")
                    && block.words.get("enabled").is_some_and(|word| word == "0" || word == "1")
            })
        };
        match self.answered.iter().find(|(user, _)| is_on(*user)) {
            Some((_, evidence)) => Fact::new(Vec::new(), evidence),
            None => Fact::Unknown(Gap::new(
                "cmd package query-activities",
                GapReason::NotObserved,
                format!("{name} is disabled or not installed for the users asked, and Android shows none of it"),
            )),
        }
    }
}
