//! `permission-parity`: an app has what other apps of its kind have.

use std::collections::BTreeSet;

use super::holding::{Held, Holdings, Of, PREDICTED, as_predicted};
use super::outcome::describe;
use super::permission_ceiling::asked;
use super::setting::{About, Row, Shape, may, must};
use super::words::{Words, phrase, words};
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
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "what one of them has is unknown, or can't be foretold"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
            "the app, or another of its kind, may be behind a gap",
        ),
        Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "the app is not there, or no other of its kind is"),
    ],
    remarks: "What apps of an image hold is predicted, as in `permission-ceiling`.",
    example: include_str!("examples/permission-parity.toml"),
};

/// The kind.
pub(super) struct PermissionParityKind;

struct PermissionParity {
    package: String,
    like: Vec<String>,
    permissions: Vec<Pattern>,
    of: Of,
    expected: Words,
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
        let or = Words { en: like.join(" or "), ru: like.join(" или ") };
        let expected = words!(
            "{package} has the permissions that {or} has",
            "у {package} те же разрешения, что у {or}",
            package,
            or
        );
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
        let holdings = Holdings::new(inventory, self.of);
        let own = match self.has(package, &holdings, inventory) {
            Ok(own) => own,
            Err(gap) => return vec![self.unknown(&self.package, gap)],
        };
        let mut outcomes = Vec::new();
        let mut proof = vec![own.proof(package)];
        for other in &others {
            match self.has(other, &holdings, inventory) {
                Err(gap) => outcomes.push(self.unknown(&other.name, gap)),
                Ok(theirs) => {
                    proof.push(theirs.proof(other));
                    outcomes.extend(self.compare(package, &own, other, &theirs));
                }
            }
        }
        let failed = outcomes.iter().any(|outcome| outcome.verdict == Verdict::Fail);
        if !failed && others.len() < self.like.len() {
            let missing: Vec<&str> =
                self.like.iter().map(String::as_str).filter(|id| inventory.package(id).is_none()).collect();
            outcomes.extend(Outcome::unproven_absence(inventory, &self.expected, missing.join(", ")));
        }
        if outcomes.is_empty() {
            let observed = phrase("nothing that the others have is missing", "есть всё, что есть у других");
            let outcome = Outcome::new(Verdict::Pass, None, &self.expected, observed);
            outcomes.push(outcome.about(&self.package).proven(proof));
        }
        if own.predicted {
            let judged = |outcome: &&mut Outcome| outcome.reason != Some(Reason::IncompleteEvidence);
            outcomes.iter_mut().filter(judged).for_each(|outcome| outcome.notes.push(PREDICTED.into()));
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
            let observed = words!("{what} not there", "нет на устройстве: {what}", what);
            Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, &self.expected, observed)
                .proven(Proof::of_list(inventory))
        })
    }

    fn unknown(&self, name: &str, gap: &Gap) -> Outcome {
        let observed = words!("what {name} has is unknown", "что есть у {name}, неизвестно", name);
        let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
        outcome.notes.push(describe(gap));
        outcome.about(name)
    }

    /// What another has and the app has not, and what can't be told of either.
    fn compare(&self, package: &Package, own: &Has<'_>, other: &Package, theirs: &Has<'_>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let proof = || [own.proof(package), theirs.proof(other)];
        let open = |name: &&str| own.open.contains(name);
        let lacks = |name: &&&str| !own.held.contains(**name);
        let missing: Vec<&str> = theirs.held.iter().filter(lacks).filter(|name| !open(name)).copied().collect();
        if !missing.is_empty() {
            let observed = words!(
                "{other} has {missing}, {own} has not",
                "у {other} есть {missing}, у {own} нет",
                other = other.name,
                missing = missing.join(", "),
                own = self.package
            );
            let outcome = Outcome::new(Verdict::Fail, Reason::NotAtPar, &self.expected, observed);
            outcomes.push(outcome.about(&self.package).proven(proof()));
        }
        let unclear: BTreeSet<&str> = theirs
            .held
            .iter()
            .filter(lacks)
            .filter(|name| open(name))
            .chain(theirs.open.iter().filter(lacks))
            .copied()
            .collect();
        if !unclear.is_empty() {
            let list = unclear.into_iter().collect::<Vec<_>>().join(", ");
            let observed = words!(
                "whether {other} and {own} have {list} can't be told",
                "нельзя сказать, есть ли у {other} и {own} {list}",
                other = other.name,
                own = self.package,
                list
            );
            let outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
            outcomes.push(outcome.about(&self.package).proven(proof()));
        }
        outcomes
    }

    /// Which of the compared permissions a package has.
    fn has<'a>(
        &self,
        package: &'a Package,
        holdings: &Holdings<'_>,
        inventory: &Inventory,
    ) -> Result<Has<'a>, &'a Gap> {
        let compared = |name: &&str| self.permissions.iter().any(|pattern| pattern.matches(name));
        if self.of != Of::Requested {
            let holding = holdings.of(package)?;
            let names = |held: &[Held<'a>]| {
                held.iter().filter(|held| held.is_owners()).map(|held| held.permission).filter(compared).collect()
            };
            let (held, open) = (names(&holding.held), names(&holding.open));
            return Ok(Has { held, open, evidence: holding.evidence, predicted: holding.predicted });
        }
        // Never empty: a package without a copy is none.
        let Some(copy) = package.active() else {
            return match &package.grants {
                Fact::Known { evidence, .. } => Ok(Has::nothing(evidence)),
                Fact::Unknown(gap) => Err(gap),
            };
        };
        match &copy.requested_permissions {
            Fact::Known { value, evidence } => {
                let sdk = inventory.device.sdk.known().copied();
                Ok(Has { held: asked(value, sdk).filter(compared).collect(), ..Has::nothing(evidence) })
            }
            Fact::Unknown(gap) => Err(gap),
        }
    }
}

/// Compared permissions of one app, by name.
struct Has<'a> {
    held: BTreeSet<&'a str>,
    open: BTreeSet<&'a str>,
    evidence: &'a Evidence,
    predicted: bool,
}

impl<'a> Has<'a> {
    fn nothing(evidence: &'a Evidence) -> Self {
        Self { held: BTreeSet::new(), open: BTreeSet::new(), evidence, predicted: false }
    }

    fn proof(&self, package: &Package) -> Proof {
        let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
        let held = if self.held.is_empty() {
            phrase("none of them", "ни одного из них").into()
        } else {
            Words::plain(list(&self.held))
        };
        let open = if self.open.is_empty() {
            Words::default()
        } else {
            words!("; can't be told: {list}", "; нельзя сказать: {list}", list = list(&self.open))
        };
        let (name, predicted) = (&package.name, as_predicted(self.predicted));
        Proof::new(
            self.evidence,
            words!("{name}: {held}{open}{predicted}", "{name}: {held}{open}{predicted}", name, held, open, predicted),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, grants, image, known, phone, phone_app, predicted, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::Outcome::{Granted, Refused, Unknown};
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
    fn apps_of_an_image_are_compared_by_what_is_predicted() {
        let app = |name: &str, outcome| {
            let mut package = app(name);
            package.predicted_grants = known(vec![predicted("p.INSTALL", outcome, false)]);
            package
        };
        let ask = |own, other, verdict, reason| {
            let device = with(image(), [app("ru.vk.store", own), app("com.android.vending", other)]);
            let found = expect(KIND, STORE, &device, verdict, reason);
            assert!(found.notes.iter().any(|note| note.starts_with("Predicted from the image")), "{found:#?}");
            assert!(found.proof.iter().all(|proof| proof.says.ends_with(" (predicted)")), "{found:#?}");
        };
        ask(Granted, Granted, Verdict::Pass, None);
        ask(Granted, Unknown, Verdict::Pass, None);
        ask(Unknown, Refused, Verdict::Pass, None);
        ask(Refused, Granted, Verdict::Fail, Some(Reason::NotAtPar));
        ask(Unknown, Granted, Verdict::Inconclusive, Some(Reason::UnknownFact));
        ask(Refused, Unknown, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn without_the_app_or_another_there_is_nothing_to_compare() {
        expect(KIND, STORE, &phone(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let alone = with(phone(), [holding("ru.vk.store", &[])]);
        expect(KIND, STORE, &alone, Verdict::NotApplicable, Some(Reason::NothingMatched));
        assert!(refusal(KIND, r#"package = "a.b", like = ["a.b"], permissions = ["p.P"]"#).contains("the app itself"));
    }
}
