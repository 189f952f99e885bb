//! `removable`: the user can be rid of an app.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy, RemovabilityGrade};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "The user can remove packages that the rule is about.",
    ru: "Пользователь может удалить пакеты.",
    settings: &[
        SELECT,
        may(
            "at-worst",
            Shape::OneOf(&["user-removable", "returns-after-reset", "disable-only"]),
            "the worst grade that will do: it stays away after a factory reset; it comes back then (default); it can be disabled only",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "every one has the grade or a better one"),
        Row(Verdict::Fail, Some(Reason::NotRemovable), "one has a worse grade"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Grades come from where a package lies, vendors' lists, the platform's signature and roles; each \
         finding names the grounds. Whether an app is essential, and may stay, is for the rule's `select` to \
         say.",
    example: include_str!("examples/removable.toml"),
};

/// The kind.
pub(super) struct RemovableKind;

struct Removable {
    select: Selector,
    at_worst: RemovabilityGrade,
    expected: Words,
}

impl CheckKind for RemovableKind {
    fn name(&self) -> &'static str {
        "removable"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let grades =
            [RemovabilityGrade::UserRemovable, RemovabilityGrade::ReturnsAfterReset, RemovabilityGrade::DisableOnly];
        let at_worst = settings.choice("at-worst", &grades.map(|grade| (grade.as_str(), grade)))?;
        let at_worst = at_worst.unwrap_or(RemovabilityGrade::ReturnsAfterReset);
        let (what, grade) = (select.words(), at_worst.as_str());
        let expected = words!("{what} are {grade} or better", "{what}: удаляемость {grade} или лучше", what, grade);
        Ok(Box::new(Removable { select, at_worst, expected }))
    }
}

impl Check for Removable {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question { expected: &self.expected, none: words!("removable", "удалить можно") };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl Removable {
    fn judge(&self, package: &Package, _copies: &[&PackageCopy], sheet: &mut Sheet) {
        if let Some(grade) = sheet.removability(package).filter(|grade| *grade > self.at_worst) {
            sheet.breach(Reason::NotRemovable, words!("it is {grade}", "удаляемость: {grade}", grade = grade.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{Package, Removability, RemovabilityGrade};

    const KIND: &str = "removable";

    fn graded(grade: RemovabilityGrade) -> Package {
        let mut package = app("com.a");
        package.removability = known(Removability { grade, grounds: Vec::new() });
        package
    }

    #[test]
    fn a_worse_grade_than_will_do_fails() {
        let ask = |settings: &str, grade, verdict, reason| {
            expect(KIND, settings, &with(image(), [graded(grade)]), verdict, reason);
        };
        let stays = r#"at-worst = "user-removable""#;
        let disabled = r#"at-worst = "disable-only""#;
        let fixed = Some(Reason::NotRemovable);
        ask("", RemovabilityGrade::UserRemovable, Verdict::Pass, None);
        ask("", RemovabilityGrade::ReturnsAfterReset, Verdict::Pass, None);
        ask("", RemovabilityGrade::DisableOnly, Verdict::Fail, fixed);
        ask(stays, RemovabilityGrade::ReturnsAfterReset, Verdict::Fail, fixed);
        ask(disabled, RemovabilityGrade::DisableOnly, Verdict::Pass, None);
        ask(disabled, RemovabilityGrade::NotRemovable, Verdict::Fail, fixed);
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
