//! `not-removable`: the user can not be rid of an app.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy, RemovabilityGrade};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "The user can not remove packages that the rule is about, nor disable them where the rule says so.",
    ru: "Пользователь не может удалить пакеты, а если так сказано в правиле, то и отключить.",
    settings: &[SELECT, may("nor-disable", Shape::Flag, "`true`: it can't be disabled either")],
    verdicts: &[
        Row(Verdict::Pass, None, "none can be"),
        Row(Verdict::Fail, Some(Reason::Removable), "one can"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/not-removable.toml"),
};

/// The kind.
pub(super) struct NotRemovableKind;

struct NotRemovable {
    select: Selector,
    nor_disable: bool,
    expected: Words,
}

impl CheckKind for NotRemovableKind {
    fn name(&self) -> &'static str {
        "not-removable"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let nor_disable = settings.flag("nor-disable")?;
        let or = if nor_disable { words!(" or disabled", " и отключить") } else { Words::default() };
        let what = select.words();
        let expected = words!("{what} can not be removed{or}", "{what}: нельзя удалить{or}", what, or);
        Ok(Box::new(NotRemovable { select, nor_disable, expected }))
    }
}

impl Check for NotRemovable {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question =
            Question { expected: &self.expected, none: words!("not removable", "удалить нельзя") };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NotRemovable {
    fn judge(&self, package: &Package, _copies: &[&PackageCopy], sheet: &mut Sheet) {
        let Some(grade) = sheet.removability(package) else { return };
        let disabled = self.nor_disable && grade == RemovabilityGrade::DisableOnly;
        if grade.is_removable() || disabled {
            sheet.breach(Reason::Removable, words!("it is {grade}", "удаляемость: {grade}", grade = grade.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{Removability, RemovabilityGrade};

    const KIND: &str = "not-removable";

    #[test]
    fn what_can_be_removed_fails_and_what_can_be_disabled_only_if_the_rule_says_so() {
        let ask = |settings: &str, grade, verdict, reason| {
            let mut package = app("com.a");
            package.removability = known(Removability { grade, grounds: Vec::new() });
            expect(KIND, settings, &with(image(), [package]), verdict, reason);
        };
        ask("", RemovabilityGrade::NotRemovable, Verdict::Pass, None);
        ask("", RemovabilityGrade::DisableOnly, Verdict::Pass, None);
        ask("nor-disable = true", RemovabilityGrade::DisableOnly, Verdict::Fail, Some(Reason::Removable));
        ask("", RemovabilityGrade::ReturnsAfterReset, Verdict::Fail, Some(Reason::Removable));
        let mut package = app("com.a");
        package.removability = unknown();
        expect(KIND, "", &with(image(), [package]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
