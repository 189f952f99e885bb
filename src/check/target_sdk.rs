//! `target-sdk`: target and least API level within bounds.

use super::outcome::bounds;
use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about target an API level within bounds: an old target keeps old, laxer \
         rules of Android.",
    ru: "Целевой уровень API пакетов лежит в границах: старый уровень сохраняет прежние, более мягкие правила \
         Android.",
    settings: &[
        SELECT,
        may("target", Shape::Range, "bounds of `targetSdkVersion`"),
        may("min", Shape::Range, "bounds of `minSdkVersion`; one of the two is required"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy is within the bounds"),
        Row(Verdict::Fail, Some(Reason::OutOfRange), "a copy is not"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/target-sdk.toml"),
};

/// The kind.
pub(super) struct TargetSdkKind;

struct TargetSdk {
    select: Selector,
    target: Option<(u64, u64)>,
    min: Option<(u64, u64)>,
    expected: Words,
}

impl CheckKind for TargetSdkKind {
    fn name(&self) -> &'static str {
        "target-sdk"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let (target, min) = (settings.range("target")?, settings.range("min")?);
        if target.is_none() && min.is_none() {
            return Err(settings.missing("target", "bounds: `target`, `min` or both"));
        }
        let words: Vec<Words> = [("targetSdkVersion", target), ("minSdkVersion", min)]
            .into_iter()
            .filter_map(|(what, range)| {
                let bounds = bounds(range?);
                Some(words!("{what} {bounds}", "{what} {bounds}", what, bounds))
            })
            .collect();
        let mut both = Words::joined(&words, " and ");
        both.ru = Words::joined(&words, " и ").ru;
        let expected = words!("{what} have {both}", "{what}: {both}", what = select.words(), both);
        Ok(Box::new(TargetSdk { select, target, min, expected }))
    }
}

impl Check for TargetSdk {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("within the bounds", "в допустимых границах"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl TargetSdk {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            for (what, range, fact) in
                [("targetSdkVersion", self.target, &copy.target_sdk), ("minSdkVersion", self.min, &copy.min_sdk)]
            {
                if let Some(bounds) = range {
                    sheet.bounded(fact, what, bounds, copy);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    #[test]
    fn a_target_outside_the_bounds_fails_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("target-sdk", r#"target = { from = 23 }"#, &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].target_sdk = known(22);
        ask(&package, Verdict::Fail, Some(Reason::OutOfRange));
        package.copies[0].target_sdk = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(
            "target-sdk",
            r#"target = { from = 23 }"#,
            &image(),
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
        );
        let hidden = with_hidden_partition(image());
        expect(
            "target-sdk",
            r#"target = { from = 23 }"#,
            &hidden,
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
        );
    }
}
