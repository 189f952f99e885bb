//! `patch-age`: how old the security patch level is.

use jiff::civil::Date;

use super::outcome::describe;
use super::setting::{About, Row, Shape, must};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "The security patch level is at most so many days old on the day judged on.",
    ru: "Уровень исправлений безопасности не старше указанного числа дней на день проверки.",
    settings: &[must("max-days", Shape::Number, "days; the patch level's own day counts as 0")],
    verdicts: &[
        Row(Verdict::Pass, None, "it is"),
        Row(Verdict::Fail, Some(Reason::TooOld), "it is older"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "it is unknown, or no day"),
    ],
    remarks: "Not applicable never: every device since Android 6 states one; of an older one it is unknown. A level in the future \
              passes with a note.",
    example: include_str!("examples/patch-age.toml"),
};

/// The kind.
pub(super) struct PatchAgeKind;

struct PatchAge {
    max_days: u64,
    expected: Words,
}

impl CheckKind for PatchAgeKind {
    fn name(&self) -> &'static str {
        "patch-age"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(max_days) = settings.number("max-days")? else {
            return Err(settings.missing("max-days", "a number of days"));
        };
        let expected = words!(
            "a security patch level of at most {max_days} days",
            "возраст обновления безопасности, дней: не больше {max_days}",
            max_days
        );
        Ok(Box::new(PatchAge { max_days, expected }))
    }
}

impl Check for PatchAge {
    fn evaluate(&self, inventory: &Inventory, context: &Context) -> Vec<Outcome> {
        let new = |verdict, reason, observed: Words| Outcome::new(verdict, reason, &self.expected, observed);
        let outcome = match &inventory.device.security_patch {
            Fact::Unknown(gap) => {
                let mut outcome = new(
                    Verdict::Inconclusive,
                    Some(Reason::UnknownFact),
                    words!("the patch level is unknown", "уровень обновления безопасности неизвестен"),
                );
                outcome.notes.push(describe(gap));
                outcome
            }
            Fact::Known { value, evidence } => {
                let age = value.parse::<Date>().ok().map(|day| days_between(day, context.as_of));
                let mut outcome = match age {
                    None => {
                        let observed = words!("{value} is no day", "{value} — не дата", value);
                        new(Verdict::Inconclusive, Some(Reason::UnknownFact), observed)
                    }
                    Some(days) => {
                        let observed = words!(
                            "{value}, {days} days before {as_of}",
                            "{value}; прошло дней до {as_of}: {days}",
                            value,
                            days,
                            as_of = context.as_of
                        );
                        let old = u64::try_from(days).is_ok_and(|days| days > self.max_days);
                        if old {
                            new(Verdict::Fail, Some(Reason::TooOld), observed)
                        } else {
                            new(Verdict::Pass, None, observed)
                        }
                    }
                };
                if age.is_some_and(|days| days < 0) {
                    outcome.notes.push(words!(
                        "The patch level lies after the day judged on.",
                        "Дата обновления безопасности позже даты проверки."
                    ));
                }
                outcome.proven([Proof::new(
                    evidence,
                    words!("security patch level {value}", "уровень обновления безопасности {value}", value),
                )])
            }
        };
        vec![outcome]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Days from one day to another; negative where the second is earlier.
fn days_between(from: Date, to: Date) -> i64 {
    // A span of days alone has no other unit, and dates of the calendar are always that far apart.
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{image, known, unknown};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    const KIND: &str = "patch-age";
    const YEAR: &str = "max-days = 365";

    #[test]
    fn the_age_is_counted_to_the_day_judged_on() {
        // The day judged on is 2026-06-01; `date -d "2025-06-01 + 365 days" +%F` gives it.
        let ask = |patch: &str, verdict, reason| {
            let mut device = image();
            device.device.security_patch = known(patch.to_owned());
            expect(KIND, YEAR, &device, verdict, reason)
        };
        ask("2025-06-01", Verdict::Pass, None);
        ask("2025-05-31", Verdict::Fail, Some(Reason::TooOld));
        assert_eq!(ask("2026-07-01", Verdict::Pass, None).notes.len(), 1);
        ask("soon", Verdict::Inconclusive, Some(Reason::UnknownFact));
        let mut device = image();
        device.device.security_patch = unknown();
        expect(KIND, YEAR, &device, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }
}
