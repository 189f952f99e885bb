//! `permission-parity`: an app has what other apps of its kind have.

use super::outcome::describe;
use super::permission_ceiling::{Of, asked};
use super::setting::{About, Row, Shape, may, must};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Evidence, Fact, Gap, Inventory, Package};
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "Of the named permissions, an app has every one that another app of its kind on the device has.",
    ru: "Из названных разрешений у приложения есть каждое, которое есть у другого приложения того же рода на устройстве.",
    settings: &[
        must("package", Shape::Package, "the app"),
        must("like", Shape::Packages, "apps of its kind, whichever are there"),
        must("permissions", Shape::Names, "permissions that are compared"),
        may(
            "of",
            Shape::OneOf(&["requested", "granted", "granted-by-default", "fixed"]),
            "as in `permission-ceiling`; `granted` by default",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "nothing that another has is missing"),
        Row(Verdict::Fail, Some(Reason::NotAtPar), "something is; a failure for each other app"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "what one of them has is unknown"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
            "the app, or another of its kind, may be behind a gap",
        ),
        Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "the app is not there, or no other of its kind is"),
    ],
    remarks: "",
};

/// The kind.
pub(super) struct PermissionParityKind;

struct PermissionParity {
    package: String,
    like: Vec<String>,
    permissions: Vec<Pattern>,
    of: Of,
    expected: String,
}

impl CheckKind for PermissionParityKind {
    fn name(&self) -> &'static str {
        "permission-parity"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let package = settings.need_package("package")?;
        let Some(like) = settings.packages("like")? else {
            return Err(settings.missing("like", "an array of application ids"));
        };
        if like.contains(&package) {
            return Err(settings.error("like", format!("`{package}` is the app itself, expected others")));
        }
        let Some(permissions) = settings.patterns("permissions")? else {
            return Err(settings.missing("permissions", "an array of permissions"));
        };
        let of = settings.choice("of", &Of::NAMES)?.unwrap_or(Of::Granted);
        let expected = format!("{package} has the permissions that {} has", like.join(" or "));
        Ok(Box::new(PermissionParity { package, like, permissions, of, expected }))
    }
}

impl Check for PermissionParity {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let Some(package) = inventory.package(&self.package) else {
            return vec![self.not_there(inventory, &self.package)];
        };
        let others: Vec<&Package> = self.like.iter().filter_map(|id| inventory.package(id)).collect();
        if others.is_empty() {
            return vec![self.not_there(inventory, &self.like.join(", "))];
        }
        let own = match self.has(package, inventory) {
            Ok(own) => own,
            Err(gap) => return vec![self.unknown(&self.package, gap)],
        };
        let mut outcomes = Vec::new();
        let mut proof = vec![self.proof(&own, package)];
        for other in &others {
            match self.has(other, inventory) {
                Err(gap) => outcomes.push(self.unknown(&other.name, gap)),
                Ok(theirs) => {
                    proof.push(self.proof(&theirs, other));
                    let missing: Vec<&str> =
                        theirs.0.iter().copied().filter(|permission| !own.0.contains(permission)).collect();
                    if !missing.is_empty() {
                        let observed = format!("{} has {}, {} has not", other.name, missing.join(", "), self.package);
                        let outcome = Outcome::new(Verdict::Fail, Reason::NotAtPar, &self.expected, observed);
                        outcomes.push(
                            outcome
                                .about(&self.package)
                                .proven([self.proof(&own, package), self.proof(&theirs, other)]),
                        );
                    }
                }
            }
        }
        let failed = outcomes.iter().any(|outcome| outcome.verdict == Verdict::Fail);
        if !failed && others.len() < self.like.len() {
            let missing: Vec<&str> =
                self.like.iter().map(String::as_str).filter(|id| inventory.package(id).is_none()).collect();
            outcomes.extend(Outcome::unproven_absence(inventory, &self.expected, &missing.join(", ")));
        }
        if outcomes.is_empty() {
            let observed = "nothing that the others have is missing".to_owned();
            let outcome = Outcome::new(Verdict::Pass, None, &self.expected, observed);
            outcomes.push(outcome.about(&self.package).proven(proof));
        }
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.like.iter().cloned().chain([self.package.clone()]).collect()
    }
}

impl PermissionParity {
    fn not_there(&self, inventory: &Inventory, what: &str) -> Outcome {
        Outcome::unproven_absence(inventory, &self.expected, what).unwrap_or_else(|| {
            let observed = format!("{what} not there");
            Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, &self.expected, observed)
                .proven(Proof::of_list(inventory))
        })
    }

    fn unknown(&self, name: &str, gap: &Gap) -> Outcome {
        let observed = format!("what {name} has is unknown");
        let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
        outcome.notes.push(describe(gap));
        outcome.about(name)
    }

    fn proof(&self, (has, evidence): &(Vec<&str>, &Evidence), package: &Package) -> Proof {
        let list = if has.is_empty() { "none of them".to_owned() } else { has.join(", ") };
        Proof::new(evidence, format!("{}: {list}", package.name))
    }

    /// Which of the compared permissions a package has.
    fn has<'a>(&self, package: &'a Package, inventory: &Inventory) -> Result<(Vec<&'a str>, &'a Evidence), &'a Gap> {
        let compared = |name: &&str| self.permissions.iter().any(|pattern| pattern.matches(name));
        let (mut list, evidence) = if self.of == Of::Requested {
            // Never empty: a package without a copy is none.
            let requested = package.active().map(|copy| &copy.requested_permissions);
            match requested {
                Some(Fact::Known { value, evidence }) => {
                    let sdk = inventory.device.sdk.known().copied();
                    (asked(value, sdk).filter(compared).collect::<Vec<_>>(), evidence)
                }
                Some(Fact::Unknown(gap)) => return Err(gap),
                None => match &package.grants {
                    Fact::Known { evidence, .. } => (Vec::new(), evidence),
                    Fact::Unknown(gap) => return Err(gap),
                },
            }
        } else {
            match &package.grants {
                Fact::Known { value, evidence } => {
                    let held = value.iter().filter(|grant| self.of.counts(grant) && grant.user.is_none_or(|u| u == 0));
                    (held.map(|grant| grant.permission.as_str()).filter(compared).collect(), evidence)
                }
                Fact::Unknown(gap) => return Err(gap),
            }
        };
        list.sort_unstable();
        list.dedup();
        Ok((list, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{grants, phone, phone_app, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::Package;

    const KIND: &str = "permission-parity";
    const STORE: &str =
        r#"package = "ru.vk.store", like = ["com.android.vending", "com.oem.store"], permissions = ["p.INSTALL*"]"#;

    fn holding(name: &str, permissions: &[&str]) -> Package {
        let mut package = phone_app(name);
        package.grants = grants(permissions);
        package
    }

    #[test]
    fn what_another_has_and_the_app_has_not_fails() {
        let ask = |own: &[&str], other: &[&str], verdict, reason| {
            let device = with(phone(), [holding("ru.vk.store", own), holding("com.android.vending", other)]);
            expect(KIND, STORE, &device, verdict, reason)
        };
        ask(&["p.INSTALL"], &["p.INSTALL", "p.OTHER"], Verdict::Pass, None);
        let failed = ask(&["p.OTHER"], &["p.INSTALL"], Verdict::Fail, Some(Reason::NotAtPar));
        assert_eq!(failed.observed, "com.android.vending has p.INSTALL, ru.vk.store has not");
        ask(&["p.INSTALL", "p.INSTALL_MORE"], &[], Verdict::Pass, None);
    }

    #[test]
    fn unknown_grants_and_hidden_packages_are_inconclusive() {
        let unknown = with(phone(), [holding("ru.vk.store", &[]), phone_app("com.android.vending")]);
        expect(KIND, STORE, &unknown, Verdict::Inconclusive, Some(Reason::UnknownFact));
        let own = with(phone(), [phone_app("ru.vk.store"), holding("com.android.vending", &[])]);
        expect(KIND, STORE, &own, Verdict::Inconclusive, Some(Reason::UnknownFact));
        let hidden = with_hidden_partition(with(phone(), [holding("ru.vk.store", &[])]));
        expect(KIND, STORE, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
        expect(KIND, STORE, &with_hidden_partition(phone()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }

    #[test]
    fn without_the_app_or_another_there_is_nothing_to_compare() {
        expect(KIND, STORE, &phone(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let alone = with(phone(), [holding("ru.vk.store", &[])]);
        expect(KIND, STORE, &alone, Verdict::NotApplicable, Some(Reason::NothingMatched));
        assert!(refusal(KIND, r#"package = "a.b", like = ["a.b"], permissions = ["p.P"]"#).contains("the app itself"));
    }
}
