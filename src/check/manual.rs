//! `manual`: a person has to look.

use super::setting::{About, Row, Shape, must};
use super::words::{Words, phrase};
use super::{Check, CheckKind, Context, Outcome, Verdict};
use crate::inventory::Inventory;
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "A question that neither a list of packages nor an image answers, or that nobody knows well enough to automate. It keeps a device from being called compliant while a mandatory duty was not looked at.",
    ru: "Вопрос, на который не отвечает ни список пакетов, ни образ: посмотреть должен человек.",
    settings: &[must("question", Shape::Wording, "what a person has to look at")],
    verdicts: &[Row(
        Verdict::NotChecked,
        None,
        "always: a rule that is not advisory leaves the device `inconclusive` until a person answers",
    )],
    remarks: "`preloaded attest RULE` records the answer of a person, and `check --attestations FILE` reads it: the verdict is then `pass`, or `fail` with the reason `attested-breach`.",
    example: include_str!("examples/manual.toml"),
};

/// The kind.
pub(super) struct ManualKind;

struct Manual {
    question: Words,
}

impl CheckKind for ManualKind {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(question) = settings.wording("question")? else {
            return Err(settings.missing("question", "text"));
        };
        Ok(Box::new(Manual { question: Words::from(&question) }))
    }
}

impl Check for Manual {
    fn evaluate(&self, _inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let observed = phrase("only a person can see it", "проверить это может только человек");
        vec![Outcome::new(Verdict::NotChecked, None, &self.question, observed)]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::image;
    use super::super::tests::{ask, refusal};
    use super::super::{Presence, Verdict};

    #[test]
    fn a_manual_question_is_never_answered_by_the_tool() {
        let outcomes = ask("manual", r#"question = "Is the sticker on the box?""#, &image(), Presence::Installed);
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].verdict, Verdict::NotChecked);
        assert_eq!(outcomes[0].expected, "Is the sticker on the box?");
    }

    #[test]
    fn a_manual_rule_without_a_question_is_an_error_of_the_profile() {
        assert_eq!(refusal("manual", ""), "settings lacks `question`, expected text");
    }
}
