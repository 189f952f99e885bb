//! `enabled`: an app is enabled and not hidden.

use super::outcome::hindrances;
use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Phrase, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Enabled as State, Fact, Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about are installed, enabled, neither hidden nor suspended, for the owner \
         (user 0).",
    ru: "Пакеты установлены, включены, не скрыты и не приостановлены для владельца (пользователь 0).",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "every one is"),
        Row(Verdict::Fail, Some(Reason::NotEnabled), "one is not"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "An image has no users before its first boot: there, the rule has nothing to ask and is not \
         applicable.",
    example: include_str!("examples/enabled.toml"),
};

const UNKNOWN_STATE: Phrase = phrase("its state for user 0 is unknown", "состояние для пользователя 0 неизвестно");

/// The kind.
pub(super) struct EnabledKind;

struct Enabled {
    select: Selector,
    expected: Words,
}

impl CheckKind for EnabledKind {
    fn name(&self) -> &'static str {
        "enabled"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected = words!("{what} are enabled for user 0", "{what}: включено для пользователя 0", what);
        Ok(Box::new(Enabled { select, expected }))
    }
}

impl Check for Enabled {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("enabled for user 0", "включено для пользователя 0"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| {
            self.judge(package, copies, sheet, inventory)
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl Enabled {
    fn judge(&self, package: &Package, _copies: &[&PackageCopy], sheet: &mut Sheet, inventory: &Inventory) {
        let (states, evidence) = match &package.users {
            Fact::Known { value, evidence } => (value, evidence),
            // Nothing has been enabled or disabled before the first boot.
            Fact::Unknown(_) if !inventory.target.kind.has_run() => return,
            Fact::Unknown(gap) => return sheet.unknown(UNKNOWN_STATE, gap),
        };
        let Some(state) = states.iter().find(|state| state.user == 0) else {
            return sheet.unsettled(UNKNOWN_STATE);
        };
        sheet.judged = true;
        if !state.hindrances().is_empty() {
            let faults = hindrances(state);
            sheet.proof(evidence, words!("user 0: {faults}", "пользователь 0: {faults}", faults));
            sheet.breach(
                Reason::NotEnabled,
                words!("for user 0 it is {faults}", "для пользователя 0: {faults}", faults),
            );
        } else if state.enabled == State::Unrecognised {
            sheet.unsettled(phrase("it is in a state of no known meaning", "состояние имеет неизвестное значение"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, phone, phone_app, state, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{Enabled, Package};

    const KIND: &str = "enabled";

    #[test]
    fn each_state_that_keeps_it_from_the_owner_fails_and_an_unknown_one_is_inconclusive() {
        let ask = |package: Package, verdict, reason| expect(KIND, "", &with(phone(), [package]), verdict, reason);
        ask(phone_app("com.a"), Verdict::Pass, None);
        for change in [
            (|state| state.installed = false) as fn(&mut crate::inventory::UserState),
            |state| state.hidden = true,
            |state| state.suspended = true,
            |state| state.enabled = Enabled::DisabledByUser,
        ] {
            let mut package = phone_app("com.a");
            let mut owner = state(0);
            change(&mut owner);
            package.users = known(vec![owner]);
            ask(package, Verdict::Fail, Some(Reason::NotEnabled));
        }
        let mut package = phone_app("com.a");
        package.users = known(vec![state(10)]);
        ask(package.clone(), Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.users = unknown();
        ask(package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn an_image_has_no_users_and_nothing_there_is_not_applicable() {
        expect(KIND, "", &with(image(), [app("com.a")]), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &phone(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &with_hidden_partition(phone()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
