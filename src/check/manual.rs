//! `manual`: a person has to look.

use super::{Check, CheckKind, Context, Outcome, Verdict};
use crate::inventory::Inventory;
use crate::profile::{ProfileError, Settings};

const EXPLANATION: &str = "\
# `manual`

A question that neither a list of packages nor an image answers, or that nobody knows well enough to automate. It keeps
a device from being called compliant while a mandatory duty was not looked at.

## Settings

| key | meaning |
|---|---|
| `question` | what a person has to look at, as text; required |

## Verdicts

Always `not_checked`. Of a rule that is not advisory this leaves the device `inconclusive`.
";

/// The kind.
pub(super) struct ManualKind;

struct Manual {
    question: String,
}

impl CheckKind for ManualKind {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn explanation(&self) -> &'static str {
        EXPLANATION
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        settings.only(&["question"])?;
        Ok(Box::new(Manual { question: settings.need_text("question")?.text.to_owned() }))
    }
}

impl Check for Manual {
    fn evaluate(&self, _inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        vec![Outcome::new(Verdict::NotChecked, None, &self.question, "only a person can see it".to_owned())]
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
