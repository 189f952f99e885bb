//! `launcher-place`: where an app's icon stands before the user moves it.

use super::outcome::describe;
use super::setting::{About, Row, Shape, may, must};
use super::words::{Words, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Evidence, Fact, Inventory, LauncherPlace};
use crate::platform::launcher;
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "An app's icon stands no worse than those of other apps of its kind, or within so many actions of the first page of the home \
         screen.",
    ru: "Значок приложения расположен не хуже значков других приложений того же рода либо не далее указанного числа действий от первой \
         страницы главного экрана.",
    settings: &[
        must("package", Shape::Package, "the app"),
        may("than", Shape::Packages, "apps of its kind, whichever are there"),
        may(
            "max-actions",
            Shape::Number,
            "taps and swipes from the first page: 1 for an icon on it, one more for each page further and for a folder; one of `than` and \
             `max-actions` is required",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "its place is good enough"),
        Row(Verdict::Fail, Some(Reason::WorsePlacement), "it is worse than another's, or too far"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "a place is unknown"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
            "the app, or another of its kind, may be behind a gap",
        ),
        Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "the app is not there, or no other of its kind is"),
    ],
    remarks: "The list of all apps counts as three actions. Of several layouts that may apply, the worst place counts.",
    example: include_str!("examples/launcher-place.toml"),
};

/// The kind.
pub(super) struct LauncherPlaceKind;

struct PlaceRule {
    package: String,
    than: Vec<String>,
    max_actions: Option<u64>,
    expected: Words,
}

impl CheckKind for LauncherPlaceKind {
    fn name(&self) -> &'static str {
        "launcher-place"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let package = settings.need_package("package")?;
        let than = settings.packages("than")?.unwrap_or_default();
        let max_actions = settings.number("max-actions")?;
        if than.contains(&package) {
            return Err(settings.error("than", format!("`{package}` is the app itself, expected others")));
        }
        let mut words = Vec::new();
        if !than.is_empty() {
            words.push(words!("no worse than {others}", "не хуже, чем у {others}", others = than.join(", ")));
        }
        if let Some(max) = max_actions {
            words.push(words!("within {max} actions", "число действий до него не больше {max}", max));
        }
        if words.is_empty() {
            return Err(settings.missing("than", "apps to compare with, or `max-actions`"));
        }
        let mut how = Words::joined(&words, " and ");
        how.ru = Words::joined(&words, " и ").ru;
        let expected = words!("{package} is shown {how}", "значок {package}: {how}", package, how);
        Ok(Box::new(PlaceRule { package, than, max_actions, expected }))
    }
}

impl Check for PlaceRule {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        if inventory.package(&self.package).is_none() {
            return vec![self.not_there(inventory, &self.package)];
        }
        let others: Vec<&String> = self.than.iter().filter(|name| inventory.package(name).is_some()).collect();
        if others.is_empty() && self.max_actions.is_none() {
            return vec![self.not_there(inventory, &self.than.join(", "))];
        }
        let (own, own_evidence) = match self.place(inventory, &self.package) {
            Ok(found) => found,
            Err(outcome) => return vec![*outcome],
        };
        let mut outcomes = Vec::new();
        let stands = |name: &str, place: &LauncherPlace| {
            words!("{name}: {place}", "{name}: {place}", name, place = place.describe())
        };
        let is_at = words!("{name} is at {place}", "{name}: {place}", name = self.package, place = own.describe());
        let mut proof = vec![Proof::new(&own_evidence, stands(&self.package, &own))];
        if let Some(max) = self.max_actions
            && own.actions().is_none_or(|actions| u64::from(actions) > max)
        {
            outcomes.push(self.worse(is_at.clone(), proof.clone()));
        }
        for other in &others {
            match self.place(inventory, other) {
                Err(outcome) => outcomes.push(*outcome),
                Ok((place, evidence)) => {
                    let says = Proof::new(&evidence, stands(other, &place));
                    if !own.is_no_worse_than(place) {
                        let place = place.describe();
                        let words =
                            words!("{is_at}, {other} at {place}", "{is_at}; {other}: {place}", is_at, other, place);
                        outcomes.push(self.worse(words, [proof.clone(), vec![says.clone()]].concat()));
                    }
                    proof.push(says);
                }
            }
        }
        let failed = outcomes.iter().any(|outcome| outcome.verdict == Verdict::Fail);
        if !failed && others.len() < self.than.len() {
            let missing: Vec<&str> =
                self.than.iter().map(String::as_str).filter(|name| inventory.package(name).is_none()).collect();
            outcomes.extend(Outcome::unproven_absence(inventory, &self.expected, missing.join(", ")));
        }
        if outcomes.is_empty() {
            outcomes.push(Outcome::new(Verdict::Pass, None, &self.expected, is_at).about(&self.package).proven(proof));
        }
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.than.iter().cloned().chain([self.package.clone()]).collect()
    }
}

impl PlaceRule {
    /// A place with its evidence, or the answer of one that is not known.
    fn place(&self, inventory: &Inventory, name: &str) -> Result<(LauncherPlace, Evidence), Box<Outcome>> {
        let fact = match inventory.package(name) {
            Some(package) if !package.launcher_place.was_not_asked() => package.launcher_place.clone(),
            _ => launcher::place(inventory, name),
        };
        match fact {
            Fact::Known { value, evidence } => Ok((value, evidence)),
            Fact::Unknown(gap) => {
                let observed = words!(
                    "where the icon of {name} stands is unknown",
                    "где находится значок {name}, неизвестно",
                    name
                );
                let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
                outcome.notes.push(describe(&gap));
                Err(Box::new(outcome.about(name)))
            }
        }
    }

    fn worse(&self, observed: Words, proof: Vec<Proof>) -> Outcome {
        let outcome = Outcome::new(Verdict::Fail, Reason::WorsePlacement, &self.expected, observed);
        outcome.about(&self.package).proven(proof)
    }

    fn not_there(&self, inventory: &Inventory, what: &str) -> Outcome {
        Outcome::unproven_absence(inventory, &self.expected, what).unwrap_or_else(|| {
            let observed = words!("{what} not there", "нет на устройстве: {what}", what);
            Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, &self.expected, observed)
                .proven(Proof::of_list(inventory))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::{LauncherPlace, Package};

    const KIND: &str = "launcher-place";
    const NO_WORSE: &str = r#"package = "com.a", than = ["com.b", "com.c"]"#;
    const NEAR: &str = r#"package = "com.a", max-actions = 2"#;

    fn at(name: &str, place: LauncherPlace) -> Package {
        let mut package = app(name);
        package.launcher_place = known(place);
        package
    }

    #[test]
    fn a_worse_place_than_anothers_fails() {
        let ask = |own, other, verdict, reason| {
            let device = with(image(), [at("com.a", own), at("com.b", other)]);
            expect(KIND, NO_WORSE, &device, verdict, reason);
        };
        ask(LauncherPlace::page(0), LauncherPlace::page(1), Verdict::Pass, None);
        ask(LauncherPlace::page(1), LauncherPlace::page(1), Verdict::Pass, None);
        ask(LauncherPlace::ALL_APPS, LauncherPlace::page(1), Verdict::Fail, Some(Reason::WorsePlacement));
    }

    #[test]
    fn a_place_too_far_fails_and_an_unknown_one_is_inconclusive() {
        expect(KIND, NEAR, &with(image(), [at("com.a", LauncherPlace::page(1))]), Verdict::Pass, None);
        for far in [LauncherPlace::page(2), LauncherPlace::NONE] {
            expect(KIND, NEAR, &with(image(), [at("com.a", far)]), Verdict::Fail, Some(Reason::WorsePlacement));
        }
        let mut package = app("com.a");
        package.launcher_place = unknown();
        expect(KIND, NEAR, &with(image(), [package]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn without_the_app_or_another_there_is_nothing_to_compare_unless_a_gap_hides_it() {
        let alone = with(image(), [at("com.a", LauncherPlace::page(0))]);
        expect(KIND, NO_WORSE, &alone, Verdict::NotApplicable, Some(Reason::NothingMatched));
        let mut lost = app("com.a");
        lost.launcher_place = unknown();
        let lost = with(image(), [lost]);
        expect(KIND, NO_WORSE, &lost, Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, NO_WORSE, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(alone);
        expect(KIND, NO_WORSE, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
        assert!(refusal(KIND, r#"package = "com.a""#).contains("lacks `than`"));
    }
}
