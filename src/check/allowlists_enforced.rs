//! `allowlists-enforced`: privileged permissions go by the lists alone.

use super::outcome::describe;
use super::setting::{About, Row};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory};
use crate::profile::{ProfileError, Settings};

/// The property, and the value that passes the compatibility test suite.
const PROPERTY: &str = "ro.control_privapp_permissions";
const ENFORCE: &str = "enforce";
/// Android 8.0, the first with such lists.
const FIRST: u32 = 26;

static ABOUT: About = About {
    en: "Privileged apps get privileged permissions only where a list of their partition allows it: `ro.control_privapp_permissions` is \
         `enforce`.",
    ru: "Привилегированные приложения получают привилегированные разрешения только по спискам своего раздела: \
         `ro.control_privapp_permissions` равно `enforce`.",
    settings: &[],
    verdicts: &[
        Row(Verdict::Pass, None, "it is"),
        Row(Verdict::Fail, Some(Reason::BuildProperties), "it is `log`, `disable` or anything else, or not set"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "properties or control files were not read; not set, and a partition that may set it was not read, or a phone may not show it",
        ),
        Row(Verdict::NotApplicable, Some(Reason::OtherSdk), "the device is older than Android 8"),
    ],
    remarks: "Where lists are only logged or off, every app in a privileged place gets the privileged permissions that it asks for.",
    example: include_str!("examples/allowlists-enforced.toml"),
};

/// The kind.
pub(super) struct AllowlistsEnforcedKind;

struct AllowlistsEnforced;

impl CheckKind for AllowlistsEnforcedKind {
    fn name(&self) -> &'static str {
        "allowlists-enforced"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, _settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        Ok(Box::new(AllowlistsEnforced))
    }
}

impl Check for AllowlistsEnforced {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let expected = words!("{property} is {mode}", "{property} = {mode}", property = PROPERTY, mode = ENFORCE);
        let open = |observed: Words, note: Words| {
            let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &expected, observed);
            outcome.notes.push(note);
            outcome
        };
        if let Fact::Known { value: sdk, evidence } = &inventory.device.sdk
            && *sdk < FIRST
        {
            let observed = words!("API level {sdk} has no such lists", "на уровне API {sdk} таких списков нет", sdk);
            let outcome = Outcome::new(Verdict::NotApplicable, Reason::OtherSdk, &expected, observed);
            return vec![outcome.proven([Proof::new(evidence, words!("API level {sdk}", "уровень API {sdk}", sdk))])];
        }
        let runs = inventory.target.kind.has_run();
        let unknown = || words!("{property} is unknown", "значение {property} неизвестно", property = PROPERTY);
        let enforcement = match &inventory.controls {
            Fact::Known { value, .. } => &value.enforcement,
            Fact::Unknown(_) if runs => &inventory.state.privileged_allowlists,
            Fact::Unknown(gap) => return vec![open(unknown(), describe(gap))],
        };
        let (mode, evidence) = match enforcement {
            Fact::Known { value, evidence } => (value.as_deref(), evidence),
            Fact::Unknown(gap) => return vec![open(unknown(), describe(gap))],
        };
        // A shell is not shown every property.
        let not_shown = runs.then(|| {
            words!(
                "A phone may set a property and not show it.",
                "Свойство может быть задано на телефоне, но недоступно для чтения."
            )
        });
        let hidden = not_shown.or_else(|| inventory.gaps_hiding_packages().next().map(describe));
        let is = |mode: &str| words!("{property} is {mode}", "{property} = {mode}", property = PROPERTY, mode);
        let outcome = match (mode, hidden) {
            (Some(mode), _) if mode.eq_ignore_ascii_case(ENFORCE) => {
                Outcome::new(Verdict::Pass, None, &expected, is(mode))
            }
            (Some(mode), _) => Outcome::new(Verdict::Fail, Reason::BuildProperties, &expected, is(mode)),
            (None, Some(why)) => {
                let observed = words!(
                    "{property} is not set in what was read",
                    "в прочитанном свойство {property} не задано",
                    property = PROPERTY
                );
                open(observed, why)
            }
            (None, None) => {
                let observed = words!("{property} is not set", "свойство {property} не задано", property = PROPERTY);
                Outcome::new(Verdict::Fail, Reason::BuildProperties, &expected, observed)
            }
        };
        let mode = mode.map_or_else(|| phrase("not set", "не задано").into(), Words::plain);
        let says = words!("{property}: {mode}", "{property}: {mode}", property = PROPERTY, mode);
        vec![outcome.proven([Proof::new(evidence, says)])]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{image, known, phone, unknown, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{Controls, Fact, Inventory};

    const KIND: &str = "allowlists-enforced";

    fn device(enforcement: Fact<Option<String>>) -> Inventory {
        let mut device = image();
        device.controls = known(Controls {
            enforcement,
            privileged: Vec::new(),
            signature: Vec::new(),
            oem: Vec::new(),
            default_grants: Vec::new(),
            split_permissions: Vec::new(),
            unread: Vec::new(),
        });
        device
    }

    #[test]
    fn enforced_lists_pass_in_any_case_of_letters_and_every_other_mode_fails() {
        let mode = |mode: Option<&str>| device(known(mode.map(str::to_owned)));
        expect(KIND, "", &mode(Some("enforce")), Verdict::Pass, None);
        expect(KIND, "", &mode(Some("Enforce")), Verdict::Pass, None);
        for wrong in [Some("log"), Some("disable"), Some("true"), None] {
            let failed = expect(KIND, "", &mode(wrong), Verdict::Fail, Some(Reason::BuildProperties));
            assert!(!failed.proof.is_empty());
        }
    }

    #[test]
    fn a_phone_is_judged_by_what_it_shows() {
        let mode = |mode: Option<&str>| {
            let mut device = phone();
            device.state.privileged_allowlists = known(mode.map(str::to_owned));
            device
        };
        expect(KIND, "", &mode(Some("enforce")), Verdict::Pass, None);
        expect(KIND, "", &mode(Some("log")), Verdict::Fail, Some(Reason::BuildProperties));
        expect(KIND, "", &mode(None), Verdict::Inconclusive, Some(Reason::UnknownFact));
        expect(KIND, "", &phone(), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn what_was_not_read_is_inconclusive_and_older_androids_have_no_lists() {
        let open = Some(Reason::UnknownFact);
        expect(KIND, "", &device(unknown()), Verdict::Inconclusive, open);
        expect(KIND, "", &image(), Verdict::Inconclusive, open);
        let hidden = with_hidden_partition(device(known(None)));
        expect(KIND, "", &hidden, Verdict::Inconclusive, open);
        let mut old = device(known(None));
        old.device.sdk = known(25);
        expect(KIND, "", &old, Verdict::NotApplicable, Some(Reason::OtherSdk));
    }
}
