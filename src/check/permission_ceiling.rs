//! `permission-ceiling`: the most that apps may ask for, or hold.

use super::holding::{Holdings, Of, PREDICTED, as_predicted};
use super::selector::Selector;
use super::setting::{About, HIDDEN, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy, RequestedPermission};
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "Permissions of packages that the rule is about, those that their manifests ask for or those that the device grants, stay \
         below a ceiling.",
    ru: "Разрешения пакетов, запрошенные в манифесте или выданные устройством, не выходят за предел.",
    settings: &[
        may("package", Shape::Package, "one application id, instead of `select`"),
        SELECT,
        may("allowed", Shape::Names, "all that they may have"),
        may("forbidden", Shape::Names, "what they must not have; one of `allowed` and `forbidden` is required"),
        may(
            "of",
            Shape::OneOf(&["requested", "granted", "granted-by-default", "fixed"]),
            "`requested` (default); `granted`; `granted-by-default`: granted at first boot without being asked for; `fixed`: granted \
             so that the user can't take it away. Of an image the last three are predicted",
        ),
        may(
            "versions",
            Shape::Range,
            "judge only versions with such a versionCode, since permissions change with versions",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "no permission of any copy is above the ceiling"),
        Row(Verdict::Fail, Some(Reason::AboveCeiling), "one is; all of them are listed"),
        UNKNOWN,
        HIDDEN,
        Row(
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
            "no package, or no version of it, is what the rule is about",
        ),
    ],
    remarks: "A permission that the manifest bounds by `maxSdkVersion` below the device's API level is not asked for there.\n\nAn image \
              has no grants yet: what Android will grant at first boot is predicted, each permission with its reasons, and the finding \
              says so. What can't be foretold leaves the rule inconclusive. An app made before Android 6 is granted what it asks for \
              without a question: on a phone that counts as granted at first boot unless the user chose.",
    example: include_str!("examples/permission-ceiling.toml"),
};

/// The kind.
pub(super) struct PermissionCeilingKind;

struct PermissionCeiling {
    select: Selector,
    allowed: Option<Vec<Pattern>>,
    forbidden: Vec<Pattern>,
    of: Of,
    expected: Words,
}

impl CheckKind for PermissionCeilingKind {
    fn name(&self) -> &'static str {
        "permission-ceiling"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = one_or_many(settings)?;
        let allowed = settings.patterns("allowed")?;
        let forbidden = settings.patterns("forbidden")?;
        if allowed.is_none() && forbidden.is_none() {
            return Err(settings.missing("allowed", "a ceiling: `allowed`, `forbidden` or both"));
        }
        let of = settings.choice("of", &Of::NAMES)?.unwrap_or(Of::Requested);
        let (what, verb) = (select.words(), of.verb());
        let expected = words!(
            "{what} {verb} no permission above the ceiling",
            "{what}: не {verb} ничего сверх дозволенного",
            what,
            verb
        );
        let forbidden = forbidden.unwrap_or_default();
        Ok(Box::new(PermissionCeiling { select, allowed, forbidden, of, expected }))
    }
}

/// The selector of a kind that also takes one `package` and its `versions`.
pub(super) fn one_or_many(settings: &Settings<'_>) -> Result<Selector, ProfileError> {
    let mut select = Selector::of(settings)?;
    if let Some(package) = settings.maybe_package("package")? {
        if settings.has("select") {
            return Err(settings.error("package", "`package` beside `select`, expected one of the two"));
        }
        select = Selector::one(&package);
    }
    if let Some(versions) = settings.range("versions")? {
        select.within(versions);
    }
    Ok(select)
}

impl Check for PermissionCeiling {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let holdings = Holdings::new(inventory, self.of);
        let none = if holdings.predicts() {
            words!("none above the ceiling, as predicted", "по предсказанию, ничего сверх дозволенного")
        } else {
            words!("none above the ceiling", "ничего сверх дозволенного")
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

impl PermissionCeiling {
    fn requested(&self, copy: &PackageCopy, sdk: Option<u32>, sheet: &mut Sheet) {
        let Some((list, evidence)) =
            sheet.know(&copy.requested_permissions, phrase("what is asked for", "запрошенное"), copy)
        else {
            return;
        };
        let path = &copy.path;
        let above: Vec<&str> = asked(list, sdk).filter(|name| self.is_above(name)).collect();
        match above.as_slice() {
            [] => {
                let says = words!(
                    "{path} asks for {count} permissions, none above the ceiling",
                    "{path}: запрошено разрешений: {count}, сверх дозволенного нет",
                    path,
                    count = list.len()
                );
                sheet.proof(evidence, says);
            }
            above => {
                let above = above.join(", ");
                sheet.proof(evidence, words!("{path} asks for {above}", "{path}: запрошено {above}", path, above));
                sheet.breach(
                    Reason::AboveCeiling,
                    words!("above the ceiling: {above}", "сверх дозволенного: {above}", above),
                );
            }
        }
    }

    // Grants are one set for the package; the copy that runs is the one that holds them.
    fn granted(&self, package: &Package, holdings: &Holdings<'_>, sheet: &mut Sheet) {
        let holding = match holdings.of(package) {
            Ok(holding) => holding,
            Err(gap) => {
                return sheet.unknown(phrase("what it is granted is unknown", "что ему выдано, неизвестно"), gap);
            }
        };
        sheet.judged = true;
        let mut above: Vec<&str> = Vec::new();
        for held in holding.held.iter().filter(|held| self.is_above(held.permission)) {
            sheet.proof.push(held.proof());
            above.push(held.permission);
        }
        above.sort_unstable();
        above.dedup();
        let as_predicted = as_predicted(holding.predicted);
        if above.is_empty() {
            let says = words!(
                "{count} grants, none above the ceiling{as_predicted}",
                "выдано разрешений: {count}, сверх дозволенного нет{as_predicted}",
                count = holding.held.len(),
                as_predicted
            );
            sheet.proof(holding.evidence, says);
        } else {
            let above = above.join(", ");
            let words = words!(
                "above the ceiling{as_predicted}: {above}",
                "сверх дозволенного{as_predicted}: {above}",
                as_predicted,
                above
            );
            sheet.breach(Reason::AboveCeiling, words);
        }
        sheet.open(holding.open.iter().filter(|open| self.is_above(open.permission)));
        if holding.predicted {
            sheet.note(PREDICTED);
        }
    }

    fn is_above(&self, permission: &str) -> bool {
        let among = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(permission));
        among(&self.forbidden) || self.allowed.as_ref().is_some_and(|allowed| !among(allowed))
    }
}

/// Permissions that are asked for on a device of that API level; of an unknown one, all.
pub(super) fn asked(list: &[RequestedPermission], sdk: Option<u32>) -> impl Iterator<Item = &str> {
    list.iter()
        .filter(move |permission| match (permission.max_sdk, sdk) {
            (Some(max), Some(sdk)) => sdk <= max,
            _ => true,
        })
        .map(|permission| permission.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, copy, evidence, grants, image, known, phone, phone_app, predicted, requests, unknown, with,
        with_hidden_partition,
    };
    use super::super::tests::{ask, refusal};
    use super::super::{Outcome, Presence, Reason, Verdict};
    use crate::inventory::Outcome::{Granted, Refused, Unknown};
    use crate::inventory::{CopyRole, Inventory, Package, RequestedPermission};

    const NO_SMS: &str = r#"package = "ru.oneme.app", forbidden = ["android.permission.*SMS"]"#;
    const CAMERA_ONLY: &str = r#"package = "ru.oneme.app", allowed = ["android.permission.CAMERA"]"#;
    const NOT_GRANTED: &str = r#"package = "ru.oneme.app", of = "granted", forbidden = ["android.permission.CAMERA"]"#;
    const VERSIONED: &str =
        r#"package = "ru.oneme.app", forbidden = ["android.permission.CAMERA"], versions = { from = 7000 }"#;

    fn answer(settings: &str, inventory: &Inventory) -> Outcome {
        let mut outcomes = ask("permission-ceiling", settings, inventory, Presence::Installed);
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    fn asking(names: &[&str]) -> Package {
        let mut package = app("ru.oneme.app");
        package.copies[0].requested_permissions = requests(names);
        package
    }

    #[track_caller]
    fn expect(settings: &str, inventory: &Inventory, verdict: Verdict, reason: Option<Reason>) {
        let outcome = answer(settings, inventory);
        assert_eq!((outcome.verdict, outcome.reason), (verdict, reason), "{outcome:#?}");
    }

    #[test]
    fn below_the_ceiling_passes() {
        let inventory = with(image(), [asking(&["android.permission.CAMERA"])]);
        expect(NO_SMS, &inventory, Verdict::Pass, None);
        expect(CAMERA_ONLY, &inventory, Verdict::Pass, None);
    }

    #[test]
    fn above_the_ceiling_fails_and_lists_what_is() {
        let inventory =
            with(image(), [asking(&["android.permission.SEND_SMS", "android.permission.READ_SMS", "a.b.CAMERA"])]);
        let outcome = answer(NO_SMS, &inventory);
        assert_eq!((outcome.verdict, outcome.reason), (Verdict::Fail, Some(Reason::AboveCeiling)));
        let list = "android.permission.READ_SMS, android.permission.SEND_SMS";
        assert_eq!(outcome.observed, format!("ru.oneme.app: above the ceiling: {list}"));
        assert!(outcome.proof[0].says.ends_with(list), "{:?}", outcome.proof);
        expect(CAMERA_ONLY, &inventory, Verdict::Fail, Some(Reason::AboveCeiling));
    }

    #[test]
    fn every_copy_counts_and_one_that_is_unknown_is_not_passed_over() {
        let mut package = asking(&["android.permission.CAMERA"]);
        package.copies.push(copy("ru.oneme.app", CopyRole::Updated));
        package.copies[1].requested_permissions = unknown();
        expect(NO_SMS, &with(image(), [package.clone()]), Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[1].requested_permissions = requests(&["android.permission.READ_SMS"]);
        expect(NO_SMS, &with(image(), [package]), Verdict::Fail, Some(Reason::AboveCeiling));
    }

    #[test]
    fn an_app_that_is_not_there_is_not_judged_unless_a_gap_may_hide_it() {
        expect(NO_SMS, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect(NO_SMS, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }

    #[test]
    fn grants_are_judged_where_they_are_known() {
        let mut package = phone_app("ru.oneme.app");
        expect(NOT_GRANTED, &with(phone(), [package.clone()]), Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.grants = grants(&["android.permission.CAMERA"]);
        expect(NOT_GRANTED, &with(phone(), [package.clone()]), Verdict::Fail, Some(Reason::AboveCeiling));
        package.grants = grants(&[]);
        expect(NOT_GRANTED, &with(phone(), [package]), Verdict::Pass, None);
    }

    #[test]
    fn an_image_is_judged_by_the_prediction_which_the_finding_names_and_what_is_not_foretold_stays_open() {
        let ask = |outcome, fixed, settings: &str, verdict, reason| {
            let mut package = app("ru.oneme.app");
            package.predicted_grants = known(vec![predicted("android.permission.CAMERA", outcome, fixed)]);
            let found = answer(settings, &with(image(), [package]));
            assert_eq!((found.verdict, found.reason), (verdict, reason), "{found:#?}");
            found
        };
        let above = Some(Reason::AboveCeiling);
        let open = Some(Reason::UnknownFact);
        let by_default = NOT_GRANTED.replace("granted", "granted-by-default");
        let fixed = NOT_GRANTED.replace("granted", "fixed");
        for settings in [NOT_GRANTED, &by_default, &fixed] {
            let found = ask(Granted, true, settings, Verdict::Fail, above);
            assert_eq!(found.observed, "ru.oneme.app: above the ceiling (predicted): android.permission.CAMERA");
            assert_eq!(found.proof[0].evidence, evidence().at("line 7"));
            assert!(found.proof[0].says.ends_with("a file of default grants names it"), "{found:#?}");
            assert!(found.notes.iter().any(|note| note.starts_with("Predicted from the image")), "{found:#?}");
            let found = ask(Refused, false, settings, Verdict::Pass, None);
            assert_eq!(found.observed, "ru.oneme.app: none above the ceiling, as predicted");
            assert!(found.notes.iter().any(|note| note.starts_with("Predicted from the image")), "{found:#?}");
            ask(Unknown, false, settings, Verdict::Inconclusive, open);
        }
        ask(Granted, false, &fixed, Verdict::Pass, None);
    }

    #[test]
    fn a_phone_is_never_judged_by_a_prediction() {
        let mut package = phone_app("ru.oneme.app");
        package.predicted_grants = known(Vec::new());
        expect(NOT_GRANTED, &with(phone(), [package]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn one_permission_that_is_not_foretold_does_not_hide_another_that_is_above() {
        let mut package = app("ru.oneme.app");
        package.predicted_grants = known(vec![
            predicted("android.permission.CAMERA", Granted, false),
            predicted("android.permission.CAPTURE", Unknown, false),
        ]);
        let settings = NOT_GRANTED.replace("CAMERA", "CA*");
        let found = answer(&settings, &with(image(), [package]));
        assert_eq!((found.verdict, found.reason), (Verdict::Fail, Some(Reason::AboveCeiling)), "{found:#?}");
        assert!(found.notes.iter().any(|note| note.starts_with("Not settled besides: ")), "{found:#?}");
    }

    #[test]
    fn grants_of_the_first_boot_and_those_for_good_are_told_apart() {
        let by_default = NOT_GRANTED.replace("granted", "granted-by-default");
        let fixed = NOT_GRANTED.replace("granted", "fixed");
        let mut package = phone_app("ru.oneme.app");
        package.grants = grants(&["android.permission.CAMERA"]);
        let inventory = with(phone(), [package]);
        expect(&by_default, &inventory, Verdict::Fail, Some(Reason::AboveCeiling));
        expect(&fixed, &inventory, Verdict::Pass, None);
    }

    #[test]
    fn a_permission_of_older_androids_only_is_not_asked_for_here() {
        let mut package = asking(&[]);
        let sms =
            RequestedPermission { name: "android.permission.READ_SMS".to_owned(), max_sdk: Some(32), sdk_23: false };
        package.copies[0].requested_permissions = known(vec![sms]);
        let mut inventory = with(image(), [package]);
        expect(NO_SMS, &inventory, Verdict::Pass, None);
        inventory.device.sdk = known(32);
        expect(NO_SMS, &inventory, Verdict::Fail, Some(Reason::AboveCeiling));
        inventory.device.sdk = unknown();
        expect(NO_SMS, &inventory, Verdict::Fail, Some(Reason::AboveCeiling));
    }

    #[test]
    fn versions_outside_the_range_are_not_judged_and_an_unknown_one_is_inconclusive() {
        let mut package = asking(&["android.permission.CAMERA"]);
        expect(VERSIONED, &with(image(), [package.clone()]), Verdict::NotApplicable, Some(Reason::NothingMatched));
        package.copies[0].version_code = known(7000);
        expect(VERSIONED, &with(image(), [package.clone()]), Verdict::Fail, Some(Reason::AboveCeiling));
        package.copies[0].version_code = unknown();
        expect(VERSIONED, &with(image(), [package]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn a_ceiling_without_height_is_refused() {
        assert_eq!(
            refusal("permission-ceiling", r#"package = "a.b""#),
            "settings lacks `allowed`, expected a ceiling: `allowed`, `forbidden` or both"
        );
        assert_eq!(
            refusal("permission-ceiling", r#"package = "a.b", allowed = ["a.b"], versions = { from = 2, until = 1 }"#),
            "`until` is 1, expected a number not below 2"
        );
    }
}
