//! `permission-ceiling`: the most that an app may ask for, or hold.

use super::outcome::describe;
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy, RequestedPermission};
use crate::profile::{Pattern, ProfileError, Settings};

const EXPLANATION: &str = "\
# `permission-ceiling`

One app's permissions, those that its manifest asks for or those that the device grants, stay below a ceiling.

## Settings

| key | meaning |
|---|---|
| `package` | the application id; required |
| `allowed` | all that it may have; `*` stands for any characters |
| `forbidden` | what it must not have; one of `allowed` and `forbidden` is required |
| `of` | `requested` (default) or `granted` |
| `versions` | `{ from = 6000, until = 7000 }`: judge only versions with such a versionCode, since permissions change with versions |

## Verdicts

| verdict | reason | when |
|---|---|---|
| `pass` | | no permission of any copy is above the ceiling |
| `fail` | `above-ceiling` | one is; all of them are listed |
| `inconclusive` | `incomplete-evidence` | the app was not found, and a gap may hide it |
| `inconclusive` | `unknown-fact` | its permissions, or its version where `versions` is set, are unknown |
| `not_applicable` | | the app is not there, or no copy has a version of the range |

A permission that the manifest bounds by `maxSdkVersion` below the device's API level is not asked for there.
";

/// The kind.
pub(super) struct PermissionCeilingKind;

struct PermissionCeiling {
    package: String,
    allowed: Option<Vec<Pattern>>,
    forbidden: Vec<Pattern>,
    of: Of,
    versions: Option<(u64, u64)>,
    expected: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Requested,
    Granted,
}

impl CheckKind for PermissionCeilingKind {
    fn name(&self) -> &'static str {
        "permission-ceiling"
    }

    fn explanation(&self) -> &'static str {
        EXPLANATION
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        settings.only(&["package", "allowed", "forbidden", "of", "versions"])?;
        let package = settings.need_package("package")?;
        let allowed = settings.patterns("allowed")?;
        let forbidden = settings.patterns("forbidden")?;
        if allowed.is_none() && forbidden.is_none() {
            return Err(settings.missing("allowed", "a ceiling: `allowed`, `forbidden` or both"));
        }
        let of = settings.choice("of", &[("requested", Of::Requested), ("granted", Of::Granted)])?;
        let of = of.unwrap_or(Of::Requested);
        let versions = settings.table("versions")?.map(|table| range(&table)).transpose()?;
        let verb = match of {
            Of::Requested => "asks for",
            Of::Granted => "holds",
        };
        let expected = format!("{package} {verb} no permission above the ceiling");
        let forbidden = forbidden.unwrap_or_default();
        Ok(Box::new(PermissionCeiling { package, allowed, forbidden, of, versions, expected }))
    }
}

fn range(table: &Settings<'_>) -> Result<(u64, u64), ProfileError> {
    table.only(&["from", "until"])?;
    let (from, until) = (table.number("from")?.unwrap_or(0), table.number("until")?.unwrap_or(u64::MAX));
    if until < from {
        return Err(table.error("until", format!("`until` is {until}, expected a version not below {from}")));
    }
    Ok((from, until))
}

impl Check for PermissionCeiling {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let outcome = match inventory.package(&self.package) {
            Some(package) => self.judge(package, inventory),
            None => Outcome::unproven_absence(inventory, &self.expected, &self.package).unwrap_or_else(|| {
                let mut outcome = self.outcome(Verdict::NotApplicable, None, "the app is not there".to_owned());
                outcome.proof = Proof::of_list(inventory);
                outcome
            }),
        };
        vec![outcome.about(&self.package)]
    }

    fn packages(&self) -> Vec<String> {
        vec![self.package.clone()]
    }
}

impl PermissionCeiling {
    fn outcome(&self, verdict: Verdict, reason: Option<Reason>, observed: String) -> Outcome {
        Outcome::new(verdict, reason, &self.expected, observed)
    }

    fn judge(&self, package: &Package, inventory: &Inventory) -> Outcome {
        let mut sheet = Sheet::default();
        match self.of {
            Of::Requested => {
                let sdk = inventory.device.sdk.known().copied();
                for copy in &package.copies {
                    if self.covers(copy, &mut sheet) {
                        self.requested(copy, sdk, &mut sheet);
                    }
                }
            }
            // Grants are one set for the package; the copy that runs is the one that holds them.
            Of::Granted => {
                if package.active().is_some_and(|active| self.covers(active, &mut sheet)) {
                    self.granted(package, &mut sheet);
                }
            }
        }
        sheet.above.sort();
        sheet.above.dedup();
        let mut outcome = if !sheet.above.is_empty() {
            let observed = format!("above the ceiling: {}", sheet.above.join(", "));
            self.outcome(Verdict::Fail, Some(Reason::AboveCeiling), observed)
        } else if !sheet.unknown.is_empty() {
            self.outcome(Verdict::Inconclusive, Some(Reason::UnknownFact), sheet.unknown.join("; "))
        } else if sheet.judged {
            self.outcome(Verdict::Pass, None, "none above the ceiling".to_owned())
        } else {
            self.outcome(Verdict::NotApplicable, None, "no copy has a version that the rule is about".to_owned())
        };
        outcome.proof = sheet.proof;
        outcome.notes = sheet.notes;
        outcome
    }

    /// Whether the rule is about this copy's version.
    fn covers(&self, copy: &PackageCopy, sheet: &mut Sheet) -> bool {
        let Some((from, until)) = self.versions else { return true };
        match &copy.version_code {
            Fact::Known { value, evidence } => {
                sheet.proof.push(Proof::new(evidence, format!("versionCode is {value}")));
                (from..=until).contains(value)
            }
            Fact::Unknown(gap) => {
                sheet.unknown.push(format!("the version of {} is unknown", copy.path));
                sheet.notes.push(describe(gap));
                false
            }
        }
    }

    fn requested(&self, copy: &PackageCopy, sdk: Option<u32>, sheet: &mut Sheet) {
        match &copy.requested_permissions {
            Fact::Known { value, evidence } => {
                sheet.judged = true;
                let asked = |permission: &&RequestedPermission| match (permission.max_sdk, sdk) {
                    (Some(max), Some(sdk)) => sdk <= max,
                    _ => true,
                };
                let above: Vec<&str> = value
                    .iter()
                    .filter(asked)
                    .map(|permission| permission.name.as_str())
                    .filter(|name| self.is_above(name))
                    .collect();
                let says = match above.as_slice() {
                    [] => format!("{} asks for {} permissions, none above the ceiling", copy.path, value.len()),
                    above => format!("{} asks for {}", copy.path, above.join(", ")),
                };
                sheet.proof.push(Proof::new(evidence, says));
                sheet.above.extend(above.into_iter().map(str::to_owned));
            }
            Fact::Unknown(gap) => {
                sheet.unknown.push(format!("what {} asks for is unknown", copy.path));
                sheet.notes.push(describe(gap));
            }
        }
    }

    fn granted(&self, package: &Package, sheet: &mut Sheet) {
        match &package.grants {
            Fact::Known { value, evidence } => {
                sheet.judged = true;
                for grant in value.iter().filter(|grant| grant.granted && self.is_above(&grant.permission)) {
                    let whom = grant.user.map_or("all users".to_owned(), |user| format!("user {user}"));
                    let says = format!("{} granted for {whom} {}", grant.permission, grant.flags.join("|"));
                    sheet.proof.push(Proof::new(evidence, says.trim_end()));
                    sheet.above.push(grant.permission.clone());
                }
                if sheet.above.is_empty() {
                    let says = format!("{} grants, none above the ceiling", value.iter().filter(|g| g.granted).count());
                    sheet.proof.push(Proof::new(evidence, says));
                }
            }
            Fact::Unknown(gap) => {
                sheet.unknown.push("what it is granted is unknown".to_owned());
                sheet.notes.push(describe(gap));
            }
        }
    }

    fn is_above(&self, permission: &str) -> bool {
        let among = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(permission));
        among(&self.forbidden) || self.allowed.as_ref().is_some_and(|allowed| !among(allowed))
    }
}

/// What was gathered about the app.
#[derive(Default)]
struct Sheet {
    judged: bool,
    above: Vec<String>,
    unknown: Vec<String>,
    proof: Vec<Proof>,
    notes: Vec<String>,
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
        assert_eq!(outcome.observed, format!("above the ceiling: {list}"));
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
        expect(NO_SMS, &image(), Verdict::NotApplicable, None);
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
        expect(VERSIONED, &with(image(), [package.clone()]), Verdict::NotApplicable, None);
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
