//! `not-privileged`: a package lies in no privileged place.

use super::selector::{Selector, signed_by};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy, Placement};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about lie in no `priv-app` folder, where `signature|privileged` \
         permissions can be had.",
    ru: "Пакеты не лежат в `priv-app`, где доступны разрешения уровня `signature|privileged`.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "none is privileged"),
        Row(Verdict::Fail, Some(Reason::Privileged), "a copy is in a privileged place"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/not-privileged.toml"),
};

/// The kind.
pub(super) struct NotPrivilegedKind;

struct NotPrivileged {
    select: Selector,
    expected: Words,
}

impl CheckKind for NotPrivilegedKind {
    fn name(&self) -> &'static str {
        "not-privileged"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected = words!("{what} are not privileged", "{what}: не привилегировано", what);
        Ok(Box::new(NotPrivileged { select, expected }))
    }
}

impl Check for NotPrivileged {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none is privileged", "привилегированных нет"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NotPrivileged {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            if let Some((place, evidence)) = sheet.know(&copy.placement, phrase("the place", "место"), copy)
                && *place == Placement::Privileged
            {
                let path = &copy.path;
                sheet.proof(
                    evidence,
                    words!(
                        "{path} is in a privileged place",
                        "{path} находится в месте для привилегированных приложений",
                        path
                    ),
                );
                // Whose it is, the reader asks next.
                if let Fact::Known { value, evidence } = &copy.signers {
                    sheet.proof(evidence, signed_by(path, value));
                }
                sheet.breach(Reason::Privileged, words!("{path} is privileged", "{path} привилегирован", path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::Placement;

    #[test]
    fn a_privileged_place_fails_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("not-privileged", "", &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].placement = known(Placement::Privileged);
        ask(&package, Verdict::Fail, Some(Reason::Privileged));
        package.copies[0].placement = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect("not-privileged", "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect("not-privileged", "", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
