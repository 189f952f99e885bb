//! `version-range`: versions within bounds.

use super::outcome::bounds;
use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about have a versionCode within bounds, every copy of them: the firmware's \
         own comes back after a reset.",
    ru: "versionCode каждой копии пакета лежит в границах: копия из прошивки возвращается после сброса.",
    settings: &[SELECT, must("versions", Shape::Range, "bounds of the versionCode")],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy is within the bounds"),
        Row(Verdict::Fail, Some(Reason::OutOfRange), "a copy is not"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Judges all versions; `select.versions` is for rules that hold for some versions only.",
    example: include_str!("examples/version-range.toml"),
};

/// The kind.
pub(super) struct VersionRangeKind;

struct VersionRange {
    select: Selector,
    versions: (u64, u64),
    expected: Words,
}

impl CheckKind for VersionRangeKind {
    fn name(&self) -> &'static str {
        "version-range"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let Some(versions) = settings.range("versions")? else {
            return Err(settings.missing("versions", "bounds, `{ from = 1, until = 9 }`"));
        };
        let (what, bounds) = (select.words(), bounds(versions));
        let expected = words!("{what} have a versionCode {bounds}", "{what}: versionCode {bounds}", what, bounds);
        Ok(Box::new(VersionRange { select, versions, expected }))
    }
}

impl Check for VersionRange {
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

impl VersionRange {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        copies.iter().for_each(|copy| sheet.bounded(&copy.version_code, "versionCode", self.versions, copy));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    #[test]
    fn a_version_outside_the_bounds_fails_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect(
                "version-range",
                r#"versions = { until = 6999 }"#,
                &with(image(), [package.clone()]),
                verdict,
                reason,
            );
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].version_code = known(7000);
        ask(&package, Verdict::Fail, Some(Reason::OutOfRange));
        package.copies[0].version_code = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(
            "version-range",
            r#"versions = { until = 6999 }"#,
            &image(),
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
        );
        let hidden = with_hidden_partition(image());
        expect(
            "version-range",
            r#"versions = { until = 6999 }"#,
            &hidden,
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
        );
    }
}
