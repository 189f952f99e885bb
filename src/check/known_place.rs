//! `known-place`: package files lie where Android looks for them.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy, Placement};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Package files lie in places from which Android loads packages, or from which a vendor's installer is \
         known to take them.",
    ru: "Файлы пакетов лежат там, откуда Android загружает пакеты или откуда их берёт известный установщик.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy has a known place"),
        Row(
            Verdict::Fail,
            Some(Reason::UnknownPlace),
            "a copy lies elsewhere: it may be a left-over, or loaded by means that nobody sees",
        ),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/known-place.toml"),
};

/// The kind.
pub(super) struct KnownPlaceKind;

struct KnownPlace {
    select: Selector,
    expected: Words,
}

impl CheckKind for KnownPlaceKind {
    fn name(&self) -> &'static str {
        "known-place"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected = words!("{what} lie in known places", "{what}: находятся в известных местах", what);
        Ok(Box::new(KnownPlace { select, expected }))
    }
}

impl Check for KnownPlace {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected, none: words!("in known places", "в известных местах")
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl KnownPlace {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            if let Some((place, evidence)) = sheet.know(&copy.placement, phrase("the place", "место"), copy)
                && *place == Placement::Unknown
            {
                sheet.proof(evidence, Words::plain(copy.path.as_str()));
                sheet.breach(
                    Reason::UnknownPlace,
                    words!(
                        "{path} is where Android loads nothing by itself",
                        "{path}: отсюда Android сам ничего не загружает",
                        path = copy.path
                    ),
                );
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
    fn an_unknown_place_fails_and_one_that_was_not_read_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("known-place", "", &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].placement = known(Placement::Unknown);
        ask(&package, Verdict::Fail, Some(Reason::UnknownPlace));
        package.copies[0].placement = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect("known-place", "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect("known-place", "", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
