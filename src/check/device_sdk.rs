//! `device-sdk`: the device's API level within bounds.

use super::outcome::{bounds, describe};
use super::setting::{About, Row, Shape, must};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "The device runs an API level within bounds.",
    ru: "Уровень API устройства лежит в границах.",
    settings: &[must("sdk", Shape::Range, "bounds of `ro.build.version.sdk`")],
    verdicts: &[
        Row(Verdict::Pass, None, "it does"),
        Row(Verdict::Fail, Some(Reason::OutOfRange), "it does not"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "the level is unknown"),
    ],
    remarks: "Not applicable never: every device has one.",
    example: include_str!("examples/device-sdk.toml"),
};

/// The kind.
pub(super) struct DeviceSdkKind;

struct DeviceSdk {
    sdk: (u64, u64),
    expected: Words,
}

impl CheckKind for DeviceSdkKind {
    fn name(&self) -> &'static str {
        "device-sdk"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(sdk) = settings.range("sdk")? else {
            return Err(settings.missing("sdk", "bounds, `{ from = 29 }`"));
        };
        let expected = words!("an API level {bounds}", "уровень API {bounds}", bounds = bounds(sdk));
        Ok(Box::new(DeviceSdk { sdk, expected }))
    }
}

impl Check for DeviceSdk {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        vec![match &inventory.device.sdk {
            Fact::Unknown(gap) => {
                let observed = phrase("the API level is unknown", "уровень API неизвестен");
                let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
                outcome.notes.push(describe(gap));
                outcome
            }
            Fact::Known { value, evidence } => {
                let fits = (self.sdk.0..=self.sdk.1).contains(&u64::from(*value));
                let (verdict, reason) =
                    if fits { (Verdict::Pass, None) } else { (Verdict::Fail, Some(Reason::OutOfRange)) };
                let level = words!("API level {value}", "уровень API {value}", value);
                Outcome::new(verdict, reason, &self.expected, level.clone()).proven([Proof::new(evidence, level)])
            }
        }]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{image, unknown};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};

    #[test]
    fn the_level_is_held_against_both_bounds() {
        expect("device-sdk", "sdk = { from = 34 }", &image(), Verdict::Pass, None);
        expect("device-sdk", "sdk = { until = 34 }", &image(), Verdict::Pass, None);
        expect("device-sdk", "sdk = { from = 35 }", &image(), Verdict::Fail, Some(Reason::OutOfRange));
        expect("device-sdk", "sdk = { until = 33 }", &image(), Verdict::Fail, Some(Reason::OutOfRange));
        let mut device = image();
        device.device.sdk = unknown();
        expect("device-sdk", "sdk = { from = 1 }", &device, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn bounds_without_a_bound_are_refused() {
        assert_eq!(
            refusal("device-sdk", "sdk = {}"),
            "sdk lacks `from`, expected a lowest (`from`), a highest (`until`) or both"
        );
    }
}
