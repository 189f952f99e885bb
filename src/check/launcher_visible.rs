//! `launcher-visible`: a launcher shows the app.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about have an activity that a launcher shows.",
    ru: "У пакетов есть активность, которую показывает лаунчер.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "every one has a launcher activity"),
        Row(Verdict::Fail, Some(Reason::NotVisible), "the copy that runs has none"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Whether the launcher was told to hide it, or where it stands, is not asked here.",
    example: include_str!("examples/launcher-visible.toml"),
};

/// The kind.
pub(super) struct LauncherVisibleKind;

struct LauncherVisible {
    select: Selector,
    expected: Words,
}

impl CheckKind for LauncherVisibleKind {
    fn name(&self) -> &'static str {
        "launcher-visible"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected = words!("{what} are shown by launchers", "{what}: показывает лаунчер", what);
        Ok(Box::new(LauncherVisible { select, expected }))
    }
}

impl Check for LauncherVisible {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected, none: words!("shown by launchers", "лаунчер показывает")
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl LauncherVisible {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        // What Android runs is what a launcher sees.
        let Some(copy) = copies.first() else { return };
        if let Some((activities, evidence)) =
            sheet.know(&copy.launcher, phrase("the launcher activity", "значок в лаунчере"), copy)
        {
            if activities.is_empty() {
                sheet.proof(
                    evidence,
                    words!("{path}: no launcher activity", "{path}: нет значка в лаунчере", path = copy.path),
                );
                sheet.breach(Reason::NotVisible, phrase("no launcher shows it", "лаунчер его не показывает"));
            } else {
                let (path, list) = (&copy.path, activities.join(", "));
                sheet.proof(
                    evidence,
                    words!("{path}: launcher activity {list}", "{path}: значок в лаунчере {list}", path, list),
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

    #[test]
    fn no_launcher_activity_fails_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("launcher-visible", "", &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].launcher = known(Vec::new());
        ask(&package, Verdict::Fail, Some(Reason::NotVisible));
        package.copies[0].launcher = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect("launcher-visible", "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect("launcher-visible", "", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
