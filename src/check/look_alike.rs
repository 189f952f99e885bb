//! `look-alike`: packages whose ids look like those of known apps and are not.

use super::outcome::placed;
use super::setting::{About, HIDDEN, Row, Shape, may, must};
use super::words::{OF_KNOWN_APPS, OF_PACKAGES, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::Inventory;
use crate::profile::{Pattern, ProfileError, Settings};

/// Letters by which an id may differ from a known one to be taken for it.
const NEAR: usize = 2;

/// Ids that are shorter differ by so few letters by chance.
const LEAST_LENGTH: usize = 8;

static ABOUT: About = About {
    en: "No package has an id that looks like that of a known app and is not: one that only lists of doubtful origin name, or one that \
         differs by a letter or two.",
    ru: "Нет пакетов, чей идентификатор похож на идентификатор известного приложения, но им не является.",
    settings: &[
        must("of", Shape::Packages, "ids of the known apps"),
        may("ids", Shape::Names, "ids that are taken for theirs and are not"),
        may("except", Shape::Names, "ids that differ by a letter or two and are known to be genuine"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "there is none in a complete list of packages"),
        Row(Verdict::Fail, Some(Reason::LookAlike), "there is one; a failure for each"),
        HIDDEN,
    ],
    remarks: "An id that differs by at most two letters from a known one of eight letters or more counts. That an id looks alike \
              proves nothing about the app: the finding says who signed it and where it lies.",
    example: include_str!("examples/look-alike.toml"),
};

/// The kind.
pub(super) struct LookAlikeKind;

struct LookAlike {
    of: Vec<(Letters, String)>,
    ids: Vec<Pattern>,
    except: Vec<Pattern>,
    expected: Words,
}

impl CheckKind for LookAlikeKind {
    fn name(&self) -> &'static str {
        "look-alike"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(of) = settings.packages("of")? else {
            return Err(settings.missing("of", "ids of the known apps"));
        };
        let ids = settings.patterns("ids")?.unwrap_or_default();
        if let Some(id) = of.iter().find(|id| ids.iter().any(|pattern| pattern.matches(id))) {
            return Err(settings.error("ids", format!("`{id}` is a known app in `of`, expected another id")));
        }
        let except = settings.patterns("except")?.unwrap_or_default();
        let apps = OF_KNOWN_APPS.count(of.len());
        let expected = words!("nothing is taken for {apps}", "ни один пакет не выдаёт себя за одно из {apps}", apps);
        let of = of.into_iter().map(|id| (letters(&id), id)).collect();
        Ok(Box::new(LookAlike { of, ids, except, expected }))
    }
}

impl Check for LookAlike {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let listed = inventory.packages.known().map_or(&[][..], Vec::as_slice);
        let mut outcomes: Vec<Outcome> = Vec::new();
        for package in listed {
            let Some(why) = self.why(&package.name) else { continue };
            let place = placed(package);
            let observed = words!("{place}: {why}", "{place}: {why}", place, why);
            let mut outcome = Outcome::new(Verdict::Fail, Reason::LookAlike, &self.expected, observed);
            outcome.proof.extend(inventory.packages.evidence().map(|evidence| Proof::new(evidence, place.clone())));
            if let Some(signers) = package.active().map(|copy| &copy.signers)
                && let (Some(signers), Some(evidence)) = (signers.known(), signers.evidence())
            {
                outcome.proof.push(Proof::new(
                    evidence,
                    words!("signer {names}", "ключ подписи {names}", names = super::selector::names(signers)),
                ));
            }
            outcomes.push(outcome.about(&package.name));
        }
        if outcomes.is_empty() {
            outcomes.extend(Outcome::unproven_absence(
                inventory,
                &self.expected,
                phrase("a package that looks like one", "похожий пакет"),
            ));
        }
        if outcomes.is_empty() {
            let packages = OF_PACKAGES.count(listed.len());
            let observed = words!("none among {packages}", "среди {packages} таких нет", packages);
            outcomes
                .push(Outcome::new(Verdict::Pass, None, &self.expected, observed).proven(Proof::of_list(inventory)));
        }
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.ids.iter().filter_map(Pattern::exact).map(str::to_owned).collect()
    }
}

impl LookAlike {
    fn why(&self, name: &str) -> Option<Words> {
        if self.of.iter().any(|(_, id)| id == name) {
            return None;
        }
        if self.ids.iter().any(|pattern| pattern.matches(name)) {
            return Some(words!(
                "an id that is taken for that of a known app",
                "идентификатор, который легко принять за идентификатор известного приложения"
            ));
        }
        if self.except.iter().any(|pattern| pattern.matches(name)) {
            return None;
        }
        let own = letters(name);
        let near = |(counts, id): &&(Letters, String)| {
            id.len() >= LEAST_LENGTH
                && id.len().abs_diff(name.len()) <= NEAR
                && (!name.is_ascii() || may_be_near(counts, &own))
                && strsim::osa_distance(id, name) <= NEAR
        };
        self.of.iter().find(near).map(|(_, id)| {
            words!("it differs from {id} by a letter or two", "отличается от {id} одной-двумя буквами", id)
        })
    }
}

/// How often each byte occurs, several bytes to a counter.
type Letters = [u8; 64];

fn letters(name: &str) -> Letters {
    let mut counts = [0_u8; 64];
    for byte in name.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte % 64)) {
            *count = count.saturating_add(1);
        }
    }
    counts
}

/// Whether ids of such letters can differ by no more than a letter or two: each letter that is changed moves two counters.
/// Most pairs of ids end here, and the dear comparison is spared.
fn may_be_near(one: &Letters, other: &Letters) -> bool {
    let moved: usize = one.iter().zip(other).map(|(one, other)| usize::from(one.abs_diff(*other))).sum();
    moved <= 2 * NEAR
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use super::{NEAR, letters, may_be_near};

    const KIND: &str = "look-alike";
    const MAX: &str = r#"of = ["ru.oneme.app"], ids = ["ru.max.*"], except = ["ru.onemi.app"]"#;

    #[test]
    fn a_near_or_a_listed_id_fails_and_the_known_one_passes() {
        for id in ["ru.onerne.app", "ru.oneme.apps", "ru.max.messenger"] {
            expect(KIND, MAX, &with(image(), [app(id)]), Verdict::Fail, Some(Reason::LookAlike));
        }
        for id in ["ru.oneme.app", "ru.onemi.app", "ru.onecalendar.app"] {
            expect(KIND, MAX, &with(image(), [app(id)]), Verdict::Pass, None);
        }
    }

    #[test]
    fn letters_spare_comparisons_and_lose_no_near_id() {
        let id = "ru.oneme.app";
        let mut near: Vec<String> = Vec::new();
        for at in 0..id.len() {
            for letter in ['a', 'z', '.', '_', '0'] {
                let changed = format!("{}{letter}{}", &id[..at], &id[at + 1..]);
                near.push(format!("{}{letter}{}", &id[..at], &id[at..]));
                near.extend((0..changed.len()).map(|more| format!("{}q{}", &changed[..more], &changed[more + 1..])));
                near.push(changed);
            }
            near.push(format!("{}{}", &id[..at], &id[at + 1..]));
        }
        for name in &near {
            assert!(strsim::osa_distance(id, name) <= NEAR && may_be_near(&letters(id), &letters(name)), "{name}");
        }
        assert!(!may_be_near(&letters(id), &letters("ru.zen.android")));
    }

    #[test]
    fn behind_a_gap_there_may_be_one() {
        let hidden = with_hidden_partition(image());
        expect(KIND, MAX, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }

    #[test]
    fn a_known_id_that_is_listed_as_a_look_alike_is_refused() {
        let message = "`ru.oneme.app` is a known app in `of`, expected another id";
        assert_eq!(refusal(KIND, r#"of = ["ru.oneme.app"], ids = ["ru.oneme.*"]"#), message);
    }
}
