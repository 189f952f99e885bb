//! `permission-ceiling`: the most that apps may ask for, or hold.

use super::selector::Selector;
use super::setting::{About, HIDDEN, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Grant, Inventory, Package, PackageCopy, RequestedPermission};
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
             so that the user can't take it away",
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
    remarks: "A permission that the manifest bounds by `maxSdkVersion` below the device's API level is not asked for there.",
};

/// The kind.
pub(super) struct PermissionCeilingKind;

struct PermissionCeiling {
    select: Selector,
    allowed: Option<Vec<Pattern>>,
    forbidden: Vec<Pattern>,
    of: Of,
    expected: String,
}

/// Which permissions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Requested,
    Granted,
    GrantedByDefault,
    Fixed,
}

impl Of {
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("requested", Self::Requested),
        ("granted", Self::Granted),
        ("granted-by-default", Self::GrantedByDefault),
        ("fixed", Self::Fixed),
    ];

    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Requested => "ask for",
            Self::Granted => "hold",
            Self::GrantedByDefault => "are granted at first boot",
            Self::Fixed => "are granted for good",
        }
    }

    /// Whether a grant is one that counts.
    pub(super) fn counts(self, grant: &Grant) -> bool {
        let flagged = |names: &[&str]| grant.flags.iter().any(|flag| names.contains(&flag.as_str()));
        grant.granted
            && match self {
                Self::Requested | Self::Granted => true,
                Self::GrantedByDefault => flagged(&["GRANTED_BY_DEFAULT"]),
                Self::Fixed => flagged(&["SYSTEM_FIXED", "POLICY_FIXED"]),
            }
    }
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
        let expected = format!("{} {} no permission above the ceiling", select.words(), of.verb());
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
        let question = Question { expected: &self.expected, none: "none above the ceiling" };
        let sdk = inventory.device.sdk.known().copied();
        sweep(inventory, &self.select, &question, |package, copies, sheet| match self.of {
            Of::Requested => copies.iter().for_each(|copy| self.requested(copy, sdk, sheet)),
            _ => self.granted(package, sheet),
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl PermissionCeiling {
    fn requested(&self, copy: &PackageCopy, sdk: Option<u32>, sheet: &mut Sheet) {
        let Some((list, evidence)) = sheet.know(&copy.requested_permissions, "what is asked for", copy) else { return };
        let above: Vec<&str> = asked(list, sdk).filter(|name| self.is_above(name)).collect();
        match above.as_slice() {
            [] => {
                let says = format!("{} asks for {} permissions, none above the ceiling", copy.path, list.len());
                sheet.proof(evidence, says);
            }
            above => {
                let above = above.join(", ");
                sheet.proof(evidence, format!("{} asks for {above}", copy.path));
                sheet.breach(Reason::AboveCeiling, format!("above the ceiling: {above}"));
            }
        }
    }

    // Grants are one set for the package; the copy that runs is the one that holds them.
    fn granted(&self, package: &Package, sheet: &mut Sheet) {
        match &package.grants {
            Fact::Known { value, evidence } => {
                sheet.judged = true;
                let mut above: Vec<&str> = Vec::new();
                for grant in value.iter().filter(|grant| self.of.counts(grant) && self.is_above(&grant.permission)) {
                    let whom = grant.user.map_or("all users".to_owned(), |user| format!("user {user}"));
                    let says = format!("{} granted for {whom} {}", grant.permission, grant.flags.join("|"));
                    sheet.proof(evidence, says.trim_end());
                    above.push(&grant.permission);
                }
                above.sort_unstable();
                above.dedup();
                if above.is_empty() {
                    let says = format!("{} grants, none above the ceiling", value.iter().filter(|g| g.granted).count());
                    sheet.proof(evidence, says);
                } else {
                    sheet.breach(Reason::AboveCeiling, format!("above the ceiling: {}", above.join(", ")));
                }
            }
            Fact::Unknown(gap) => sheet.unknown("what it is granted is unknown", gap),
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
        app, copy, grants, image, known, phone, phone_app, requests, unknown, with, with_hidden_partition,
    };
    use super::super::tests::{ask, refusal};
    use super::super::{Outcome, Presence, Reason, Verdict};
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
            "`until` is 1, expected a version not below 2"
        );
    }
}
