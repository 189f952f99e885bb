//! `required-set`: several apps of which all, or so many, are pre-installed.

use super::outcome::placed;
use super::setting::{About, HIDDEN, Row, Shape, may, must};
use super::words::{OF_PACKAGES, Words, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{CopyRole, Inventory, Package, Placement};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "All of several packages, or at least so many of them, belong to the firmware and lie where Android loads them.",
    ru: "Все названные пакеты или не меньше указанного числа входят в прошивку и лежат там, откуда Android их загружает.",
    settings: &[
        must("packages", Shape::Packages, "application ids"),
        may("at-least", Shape::Number, "how many of them; left out: all"),
        may("label", Shape::Wording, "what they are, for people"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "enough of them are in the firmware"),
        Row(
            Verdict::Fail,
            Some(Reason::TooFew),
            "too few of them are in a complete list of packages; those that are not are named",
        ),
        HIDDEN,
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "it depends on a package whose place is unknown"),
    ],
    remarks: "Presence alone is asked; `required-package` asks also whether the app itself stands behind the id.",
    example: include_str!("examples/required-set.toml"),
};

/// The kind.
pub(super) struct RequiredSetKind;

struct RequiredSet {
    packages: Vec<String>,
    at_least: usize,
    expected: Words,
}

impl CheckKind for RequiredSetKind {
    fn name(&self) -> &'static str {
        "required-set"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(packages) = settings.packages("packages")? else {
            return Err(settings.missing("packages", "an array of application ids"));
        };
        let at_least = match settings.number("at-least")? {
            None => packages.len(),
            Some(number) => match usize::try_from(number) {
                Ok(number) if (1..=packages.len()).contains(&number) => number,
                _ => {
                    let message = format!("`at-least` is {number}, expected 1 to {}", packages.len());
                    return Err(settings.error("at-least", message));
                }
            },
        };
        let what =
            settings.wording("label")?.map_or_else(|| Words::plain(packages.join(", ")), |label| Words::from(&label));
        let number = if at_least == packages.len() {
            words!("all", "предустановлены все")
        } else {
            words!("at least {at_least}", "предустановлено не менее {at_least}", at_least)
        };
        let expected = words!("{number} of {what} are pre-installed", "из приложений {what} {number}", number, what);
        Ok(Box::new(RequiredSet { packages, at_least, expected }))
    }
}

impl Check for RequiredSet {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let (mut there, mut open, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut proof = Proof::of_list(inventory);
        for id in &self.packages {
            match inventory.package(id).map(|package| (package, stands(package))) {
                Some((package, Some(true))) => {
                    there.push(id.as_str());
                    proof.extend(inventory.packages.evidence().map(|e| Proof::new(e, placed(package))));
                }
                Some((_, None)) => open.push(id.as_str()),
                Some((_, Some(false))) | None => missing.push(id.as_str()),
            }
        }
        let absent = if missing.is_empty() {
            Words::default()
        } else {
            words!("; not there: {list}", "; нет: {list}", list = missing.join(", "))
        };
        let observed = words!(
            "{there} of {all} there{absent}",
            "найдено {there} из {all}{absent}",
            there = there.len(),
            all = self.packages.len(),
            absent
        );
        let outcome = if there.len() >= self.at_least {
            Outcome::new(Verdict::Pass, None, &self.expected, observed)
        } else if let Some(outcome) = Outcome::unproven_absence(inventory, &self.expected, missing.join(", ")) {
            return vec![outcome];
        } else if there.len() + open.len() >= self.at_least {
            let observed = words!(
                "{observed}; the place is unknown of {open}",
                "{observed}; неизвестно, где находятся: {open}",
                observed,
                open = open.join(", ")
            );
            Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed)
        } else {
            let packages = OF_PACKAGES.count(self.packages.len());
            let observed = words!("{observed}, among {packages}", "{observed} (среди {packages})", observed, packages);
            Outcome::new(Verdict::Fail, Reason::TooFew, &self.expected, observed)
        };
        vec![outcome.proven(proof)]
    }

    fn packages(&self) -> Vec<String> {
        self.packages.clone()
    }
}

/// Whether a copy of the firmware lies where Android loads it; `None` where that is unknown.
fn stands(package: &Package) -> Option<bool> {
    let mut factory = package.copies.iter().filter(|copy| copy.role != CopyRole::Added).peekable();
    if factory.peek().is_none() {
        return Some(false);
    }
    let places: Vec<Option<bool>> =
        factory.map(|copy| copy.placement.known().map(|place| *place != Placement::Unknown)).collect();
    if places.contains(&Some(true)) {
        return Some(true);
    }
    if places.contains(&None) { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, copy, image, unknown, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::CopyRole;

    const KIND: &str = "required-set";
    const ALL: &str = r#"packages = ["com.a", "com.b", "com.c"]"#;
    const TWO: &str = r#"packages = ["com.a", "com.b", "com.c"], at-least = 2"#;

    #[test]
    fn all_or_so_many_must_be_there() {
        let two = with(image(), [app("com.a"), app("com.b")]);
        expect(KIND, TWO, &two, Verdict::Pass, None);
        let outcome = expect(KIND, ALL, &two, Verdict::Fail, Some(Reason::TooFew));
        assert!(outcome.observed.contains("not there: com.c"), "{}", outcome.observed.en);
        expect(KIND, TWO, &with(image(), [app("com.a")]), Verdict::Fail, Some(Reason::TooFew));
        expect(KIND, TWO, &with_hidden_partition(two.clone()), Verdict::Pass, None);
        expect(KIND, ALL, &with_hidden_partition(two), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }

    #[test]
    fn one_that_somebody_installed_does_not_count_and_an_unknown_place_decides_nothing() {
        let mut added = app("com.c");
        added.copies = vec![copy("com.c", CopyRole::Added)];
        let all = with(image(), [app("com.a"), app("com.b"), added.clone()]);
        expect(KIND, ALL, &all, Verdict::Fail, Some(Reason::TooFew));
        let mut lost = app("com.c");
        lost.copies[0].placement = unknown();
        let all = with(image(), [app("com.a"), app("com.b"), lost]);
        expect(KIND, ALL, &all, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn more_than_there_are_is_refused() {
        let message = "`at-least` is 4, expected 1 to 3";
        assert_eq!(refusal(KIND, r#"packages = ["com.a", "com.b", "com.c"], at-least = 4"#), message);
    }
}
