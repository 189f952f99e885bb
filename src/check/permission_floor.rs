//! `permission-floor`: the least that apps must ask for, or hold.

use super::holding::{Holdings, Of, PREDICTED, as_predicted};
use super::permission_ceiling::{asked, one_or_many};
use super::selector::Selector;
use super::setting::{About, HIDDEN, Row, SELECT, Shape, UNKNOWN, may, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about ask for, or hold, at least the named permissions.",
    ru: "Пакеты запрашивают или имеют как минимум названные разрешения.",
    settings: &[
        may("package", Shape::Package, "one application id, instead of `select`"),
        SELECT,
        must("required", Shape::Texts, "permissions that must be there"),
        may(
            "of",
            Shape::OneOf(&["requested", "granted", "granted-by-default", "fixed"]),
            "as in `permission-ceiling`; `requested` by default",
        ),
        may("versions", Shape::Range, "judge only versions with such a versionCode"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "all of them are there"),
        Row(Verdict::Fail, Some(Reason::BelowFloor), "one is missing; all of those are listed"),
        UNKNOWN,
        HIDDEN,
        Row(
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
            "no package, or no version of it, is what the rule is about",
        ),
    ],
    remarks: "A permission counts as granted where user 0 has it, or all users have. Of an image it is predicted, as in \
              `permission-ceiling`.",
    example: include_str!("examples/permission-floor.toml"),
};

/// The kind.
pub(super) struct PermissionFloorKind;

struct PermissionFloor {
    select: Selector,
    required: Vec<String>,
    of: Of,
    expected: Words,
}

impl CheckKind for PermissionFloorKind {
    fn name(&self) -> &'static str {
        "permission-floor"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = one_or_many(settings)?;
        let Some(required) = settings.texts("required")? else {
            return Err(settings.missing("required", "an array of permissions"));
        };
        let required: Vec<String> = required.iter().map(|word| word.text.to_owned()).collect();
        let of = settings.choice("of", &Of::NAMES)?.unwrap_or(Of::Requested);
        let (what, verb, list) = (select.words(), of.verb(), required.join(", "));
        let expected = words!("{what} {verb} {list}", "{what}: {verb} {list}", what, verb, list);
        Ok(Box::new(PermissionFloor { select, required, of, expected }))
    }
}

impl Check for PermissionFloor {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let holdings = Holdings::new(inventory, self.of);
        let none = if holdings.predicts() {
            words!("nothing is missing, as predicted", "по предсказанию, все нужные разрешения есть")
        } else {
            words!("nothing is missing", "все нужные разрешения есть")
        };
        let question = Question { expected: &self.expected, none };
        let sdk = inventory.device.sdk.known().copied();
        sweep(inventory, &self.select, &question, |package, copies, sheet| match self.of {
            Of::Requested => copies.iter().for_each(|copy| self.requested(copy, sdk, sheet)),
            _ => self.granted(package, &holdings, sheet),
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl PermissionFloor {
    fn requested(&self, copy: &PackageCopy, sdk: Option<u32>, sheet: &mut Sheet) {
        let Some((list, evidence)) =
            sheet.know(&copy.requested_permissions, phrase("what is asked for", "запрошенное"), copy)
        else {
            return;
        };
        let asked: Vec<&str> = asked(list, sdk).collect();
        let (path, count) = (&copy.path, asked.len());
        sheet.proof(
            evidence,
            words!("{path} asks for {count} permissions", "{path}: запрошено разрешений: {count}", path, count),
        );
        self.missing(sheet, |name| asked.contains(&name));
    }

    fn granted(&self, package: &Package, holdings: &Holdings<'_>, sheet: &mut Sheet) {
        let holding = match holdings.of(package) {
            Ok(holding) => holding,
            Err(gap) => {
                return sheet.unknown(phrase("what it is granted is unknown", "что ему выдано, неизвестно"), gap);
            }
        };
        sheet.judged = true;
        let held: Vec<&str> = holding.held.iter().filter(|held| held.is_owners()).map(|held| held.permission).collect();
        let as_predicted = as_predicted(holding.predicted);
        sheet.proof(
            holding.evidence,
            words!(
                "{name} holds {count} permissions{as_predicted}",
                "{name}: есть разрешений: {count}{as_predicted}",
                name = package.name,
                count = held.len(),
                as_predicted
            ),
        );
        let open = || holding.open.iter().filter(|open| open.is_owners());
        self.missing(sheet, |name| held.contains(&name) || open().any(|open| open.permission == name));
        let wanted = |name: &str| self.required.iter().any(|required| required == name) && !held.contains(&name);
        sheet.open(open().filter(|open| wanted(open.permission)));
        if holding.predicted {
            sheet.note(PREDICTED);
        }
    }

    fn missing(&self, sheet: &mut Sheet, there: impl Fn(&str) -> bool) {
        let missing: Vec<&str> = self.required.iter().map(String::as_str).filter(|name| !there(name)).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            sheet.breach(Reason::BelowFloor, words!("missing: {missing}", "не хватает: {missing}", missing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, grants, image, known, phone, phone_app, predicted, requests, unknown, with, with_hidden_partition,
    };
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::Outcome;

    const KIND: &str = "permission-floor";
    const ASKS: &str = r#"package = "com.a", required = ["p.ONE", "p.TWO"]"#;
    const HOLDS: &str = r#"package = "com.a", required = ["p.ONE"], of = "granted""#;

    #[test]
    fn what_is_not_asked_for_is_named() {
        let mut package = app("com.a");
        package.copies[0].requested_permissions = requests(&["p.ONE", "p.TWO", "p.THREE"]);
        expect(KIND, ASKS, &with(image(), [package.clone()]), Verdict::Pass, None);
        package.copies[0].requested_permissions = requests(&["p.ONE"]);
        let failed = expect(KIND, ASKS, &with(image(), [package.clone()]), Verdict::Fail, Some(Reason::BelowFloor));
        assert_eq!(failed.observed, "com.a: missing: p.TWO");
        package.copies[0].requested_permissions = unknown();
        expect(KIND, ASKS, &with(image(), [package]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn what_is_held_is_told_by_grants() {
        let mut package = phone_app("com.a");
        expect(KIND, HOLDS, &with(phone(), [package.clone()]), Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.grants = grants(&["p.ONE"]);
        expect(KIND, HOLDS, &with(phone(), [package.clone()]), Verdict::Pass, None);
        package.grants = grants(&[]);
        expect(KIND, HOLDS, &with(phone(), [package]), Verdict::Fail, Some(Reason::BelowFloor));
    }

    #[test]
    fn an_image_is_judged_by_the_prediction() {
        let ask = |outcome: Option<Outcome>, verdict, reason| {
            let mut package = app("com.a");
            package.predicted_grants =
                known(outcome.map(|outcome| predicted("p.ONE", outcome, false)).into_iter().collect());
            let found = expect(KIND, HOLDS, &with(image(), [package]), verdict, reason);
            assert!(found.notes.iter().any(|note| note.starts_with("Predicted from the image")), "{found:#?}");
        };
        ask(Some(Outcome::Granted), Verdict::Pass, None);
        ask(Some(Outcome::Refused), Verdict::Fail, Some(Reason::BelowFloor));
        ask(None, Verdict::Fail, Some(Reason::BelowFloor));
        ask(Some(Outcome::Unknown), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ASKS, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, ASKS, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
