//! `survives-reset`: an app is there again after a factory reset.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{CopyRole, Fact, Inventory, Package, PackageCopy, Placement, PresenceState};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about are there again after a factory reset: the firmware has a copy where \
         Android loads it, or whence it is installed at first boot.",
    ru: "После сброса к заводским настройкам пакеты снова на месте: в прошивке есть загружаемая копия или \
         копия, устанавливаемая при первом запуске.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "every one has such a copy"),
        Row(Verdict::Fail, Some(Reason::LostOnReset), "one has none"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Of a copy in a vendor's place for removable apps it must be known that something installs it at \
         first boot.",
    example: include_str!("examples/survives-reset.toml"),
};

/// The kind.
pub(super) struct SurvivesResetKind;

struct SurvivesReset {
    select: Selector,
    expected: Words,
}

impl CheckKind for SurvivesResetKind {
    fn name(&self) -> &'static str {
        "survives-reset"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected =
            words!("{what} survive a factory reset", "{what}: сохраняется после сброса к заводским настройкам", what);
        Ok(Box::new(SurvivesReset { select, expected }))
    }
}

impl Check for SurvivesReset {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("there again after a factory reset", "сохраняется после сброса"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl SurvivesReset {
    fn judge(&self, package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        let mut unknown = None;
        for copy in copies.iter().filter(|copy| copy.role != CopyRole::Added) {
            match &copy.placement {
                // A reset wipes /data; an update there leaves the copy below it.
                Fact::Known { value: Placement::Unknown | Placement::Data, .. } => {}
                Fact::Known { value: Placement::RemovablePreload, evidence } => match &package.presence {
                    Fact::Known { value, .. } if value.state <= PresenceState::AutoInstall => {
                        sheet.judged = true;
                        let says = words!(
                            "{path} is installed at first boot",
                            "{path} устанавливается при первом запуске",
                            path = copy.path
                        );
                        return sheet.proof(evidence, says);
                    }
                    Fact::Known { .. } => {}
                    Fact::Unknown(gap) => {
                        let what = words!(
                            "whether {path} is installed at first boot",
                            "устанавливается ли {path} при первом запуске",
                            path = copy.path
                        );
                        unknown = Some((what, gap));
                    }
                },
                Fact::Known { evidence, .. } => {
                    sheet.judged = true;
                    let says = words!("{path} is part of the firmware", "{path} — часть прошивки", path = copy.path);
                    return sheet.proof(evidence, says);
                }
                Fact::Unknown(gap) => {
                    unknown = Some((words!("the place of {path}", "место {path}", path = copy.path), gap));
                }
            }
        }
        match unknown {
            Some((what, gap)) => sheet.unknown(words!("{what} is unknown", "{what}: неизвестно", what), gap),
            None => {
                let paths: Vec<&str> = copies.iter().map(|copy| copy.path.as_str()).collect();
                let paths = paths.join(", ");
                sheet.breach(
                    Reason::LostOnReset,
                    words!(
                        "nothing brings it back: {paths} only",
                        "после сброса не восстановится: есть только {paths}",
                        paths
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, copy, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{CopyRole, Placement, Presence, PresenceState};

    const KIND: &str = "survives-reset";

    #[test]
    fn a_copy_that_is_loaded_or_installed_at_first_boot_comes_back_and_another_does_not() {
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect(KIND, "", &with(image(), [package.clone()]), verdict, reason);
        };
        let lost = Some(Reason::LostOnReset);
        let mut package = app("com.a");
        ask(&package, Verdict::Pass, None);
        package.copies[0].placement = known(Placement::Unknown);
        ask(&package, Verdict::Fail, lost);
        package.copies[0].placement = known(Placement::RemovablePreload);
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.presence = known(Presence { state: PresenceState::FirstBoot, grounds: Vec::new() });
        ask(&package, Verdict::Pass, None);
        package.presence = known(Presence { state: PresenceState::Absent, grounds: Vec::new() });
        ask(&package, Verdict::Fail, lost);
        package.copies[0].placement = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies = vec![copy("com.a", CopyRole::Added)];
        ask(&package, Verdict::Fail, lost);
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
