//! `no-installer-agents`: programs that add apps after first start.

use super::selector::Selector;
use super::setting::{About, HIDDEN, Row, Shape, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::platform::installer_agents::is_installer_agent;
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "No known program that adds apps at or after first start is pre-installed.",
    ru: "Среди предустановленных нет известных программ, которые добавляют приложения при первом запуске или \
         после него.",
    settings: &[may("except", Shape::Names, "application ids that are allowed")],
    verdicts: &[
        Row(Verdict::Pass, None, "none is in a complete list of packages"),
        Row(Verdict::Fail, Some(Reason::InstallerAgent), "one is"),
        HIDDEN,
        Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "there are no packages at all"),
    ],
    remarks: "The known ones stand in `src/platform/installer_agents.rs`, with their source.",
    example: include_str!("examples/no-installer-agents.toml"),
};

/// The kind.
pub(super) struct NoInstallerAgentsKind;

struct NoInstallerAgents {
    select: Selector,
    except: Vec<Pattern>,
}

impl CheckKind for NoInstallerAgentsKind {
    fn name(&self) -> &'static str {
        "no-installer-agents"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let except = settings.patterns("except")?.unwrap_or_default();
        Ok(Box::new(NoInstallerAgents { select, except }))
    }
}

impl Check for NoInstallerAgents {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let expected = words!(
            "no known program that adds apps after first start is pre-installed",
            "не предустановлено ни одной известной программы, которая добавляет приложения после первого запуска"
        );
        let question = Question {
            expected: &expected,
            none: words!(
                "none is known to add apps after first start",
                "ни об одном пакете не известно, что он добавляет приложения после первого запуска"
            ),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NoInstallerAgents {
    fn judge(&self, package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        sheet.judged = true;
        if is_installer_agent(&package.name) && !self.except.iter().any(|pattern| pattern.matches(&package.name)) {
            if let Some((_, evidence)) =
                copies.first().and_then(|copy| sheet.know(&copy.placement, phrase("the place", "место"), copy))
            {
                let name = &package.name;
                sheet.proof(evidence, words!("{name} is pre-installed", "пакет {name} предустановлен", name));
            }
            sheet.breach(
                Reason::InstallerAgent,
                phrase("it adds apps after first start", "добавляет приложения после первого запуска"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    const KIND: &str = "no-installer-agents";

    #[test]
    fn a_known_agent_fails_unless_it_is_allowed() {
        let agent = with(image(), [app("com.dti.samsung"), app("com.a")]);
        expect(KIND, "", &agent, Verdict::Fail, Some(Reason::InstallerAgent));
        expect(KIND, r#"except = ["com.dti.*"]"#, &agent, Verdict::Pass, None);
        expect(KIND, "", &with(image(), [app("com.a")]), Verdict::Pass, None);
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
