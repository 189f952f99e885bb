//! `pre-installed`: a package came with the firmware.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{CopyRole, Fact, Inventory, Package, PackageCopy, Placement};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about came with the firmware, in a place from which they are loaded: no \
         store or person installed them.",
    ru: "Пакеты пришли вместе с прошивкой и лежат там, откуда загружаются: их не устанавливали магазин или \
         человек.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "every one has a copy of the firmware"),
        Row(
            Verdict::Fail,
            Some(Reason::NotPreinstalled),
            "one is in `/data` alone, or where Android loads nothing by itself",
        ),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Whether the package is there at all is asked by `required-package`; this kind has nothing to say of \
         one that is not.",
    example: include_str!("examples/pre-installed.toml"),
};

/// The kind.
pub(super) struct PreInstalledKind;

struct PreInstalled {
    select: Selector,
    expected: Words,
}

impl CheckKind for PreInstalledKind {
    fn name(&self) -> &'static str {
        "pre-installed"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected = words!("{what} came with the firmware", "{what}: входит в прошивку", what);
        Ok(Box::new(PreInstalled { select, expected }))
    }
}

impl Check for PreInstalled {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question =
            Question { expected: &self.expected, none: words!("part of the firmware", "часть прошивки") };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl PreInstalled {
    fn judge(&self, package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        let mut unknown = None;
        for copy in copies.iter().filter(|copy| copy.role != CopyRole::Added) {
            match &copy.placement {
                Fact::Known { value: Placement::Unknown, .. } => {}
                Fact::Known { evidence, .. } => {
                    sheet.judged = true;
                    return sheet.proof(
                        evidence,
                        words!("{path} is part of the firmware", "{path} — часть прошивки", path = copy.path),
                    );
                }
                Fact::Unknown(gap) => unknown = Some((copy, gap)),
            }
        }
        if let Some((copy, gap)) = unknown {
            let open = words!("the place of {path} is unknown", "место {path} неизвестно", path = copy.path);
            return sheet.unknown(open, gap);
        }
        let by = match &package.installer {
            Fact::Known { value: Some(installer), evidence } => {
                let by = words!("installed by {installer}", "установил {installer}", installer);
                sheet.proof(evidence, by.clone());
                words!(", {by}", ", {by}", by)
            }
            _ => Words::default(),
        };
        let paths: Vec<&str> = copies.iter().map(|copy| copy.path.as_str()).collect();
        let paths = paths.join(", ");
        sheet.breach(Reason::NotPreinstalled, words!("{paths} only{by}", "только {paths}{by}", paths, by));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, copy, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{CopyRole, Placement};

    const KIND: &str = "pre-installed";
    const ONE: &str = r#"select = { packages = ["com.a"] }"#;

    #[test]
    fn a_package_that_somebody_installed_fails_and_so_does_one_that_is_never_loaded() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect(KIND, ONE, &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        package.copies.push(copy("com.a", CopyRole::Updated));
        ask(&package, Verdict::Pass, None);
        package.copies = vec![copy("com.a", CopyRole::Added)];
        package.installer = known(Some("com.store".to_owned()));
        ask(&package, Verdict::Fail, Some(Reason::NotPreinstalled));
        let mut package = app("com.a");
        package.copies[0].placement = known(Placement::Unknown);
        ask(&package, Verdict::Fail, Some(Reason::NotPreinstalled));
        package.copies[0].placement = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ONE, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, ONE, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
