//! `build-for-sale`: the build is one for sale, by its properties.

use super::outcome::describe;
use super::setting::{About, Row, Shape, may};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "The build is one for sale: of the type `user`, with the tag `release-keys` and none of `test-keys` and `dev-keys`.",
    ru: "Сборка предназначена для продажи: тип `user`, метка `release-keys`, нет меток `test-keys` и `dev-keys`.",
    settings: &[
        may("types", Shape::Texts, "build types that are allowed; left out: `user`"),
        may("tags", Shape::Texts, "build tags that must be there; left out: `release-keys`"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "type and tags are as they must be"),
        Row(Verdict::Fail, Some(Reason::BuildProperties), "one is not"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "one is unknown, and none is wrong"),
    ],
    remarks: "Not applicable never: every device has a build.",
    example: include_str!("examples/build-for-sale.toml"),
};

/// The kind.
pub(super) struct BuildForSaleKind;

struct BuildForSale {
    types: Vec<String>,
    tags: Vec<String>,
    expected: Words,
}

impl CheckKind for BuildForSaleKind {
    fn name(&self) -> &'static str {
        "build-for-sale"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let list = |key: &str, default: &str| -> Result<Vec<String>, ProfileError> {
            let words = settings.texts(key)?;
            Ok(words.map_or_else(
                || vec![default.to_owned()],
                |words| words.iter().map(|word| word.text.to_owned()).collect(),
            ))
        };
        let (types, tags) = (list("types", "user")?, list("tags", "release-keys")?);
        let (or, tagged) = (types.join(" or "), tags.join(", "));
        let expected = words!(
            "a build of the type {kinds} with {tagged}",
            "сборка типа {kinds} с метками {tagged}",
            kinds = Words { ru: types.join(" или "), en: or },
            tagged
        );
        Ok(Box::new(BuildForSale { types, tags, expected }))
    }
}

impl Check for BuildForSale {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let device = &inventory.device;
        let (mut wrong, mut open) = (Vec::new(), Vec::new());
        let (mut proof, mut notes) = (Vec::new(), Vec::new());
        let right = |value: &str| self.types.iter().any(|allowed| allowed == value);
        let tagged = |value: &str| {
            let words: Vec<&str> = value.split(',').map(str::trim).collect();
            let is_test = |word: &&str| matches!(*word, "test-keys" | "dev-keys");
            let allowed = |word: &&str| self.tags.iter().any(|tag| tag == word);
            self.tags.iter().all(|tag| words.contains(&tag.as_str()))
                && !words.iter().any(|word| is_test(word) && !allowed(word))
        };
        let fits_type: &dyn Fn(&str) -> bool = &right;
        let facts = [
            (phrase("build type", "тип сборки"), &device.build_type, fits_type),
            (phrase("build tags", "метки сборки"), &device.build_tags, &tagged),
        ];
        for (name, fact, fits) in facts {
            match fact {
                Fact::Known { value, evidence } => {
                    proof.push(Proof::new(evidence, words!("{name}: {value}", "{name}: {value}", name, value)));
                    if !fits(value) {
                        wrong.push(words!("{name} {value}", "{name} {value}", name, value));
                    }
                }
                Fact::Unknown(gap) => {
                    open.push(words!("the {name} is unknown", "неизвестно: {name}", name));
                    notes.push(describe(gap));
                }
            }
        }
        let mut outcome = if !wrong.is_empty() {
            Outcome::new(Verdict::Fail, Reason::BuildProperties, &self.expected, Words::joined(wrong, ", "))
        } else if !open.is_empty() {
            Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, Words::joined(open, ", "))
        } else {
            Outcome::new(
                Verdict::Pass,
                None,
                &self.expected,
                phrase("a build for sale", "сборка, предназначенная для продажи"),
            )
        };
        outcome.proof = proof;
        outcome.notes = notes;
        vec![outcome]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{image, known, unknown};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    const KIND: &str = "build-for-sale";

    #[test]
    fn type_and_tags_are_held_apart_and_an_unknown_one_is_inconclusive() {
        let ask = |build: Option<&str>, tags: Option<&str>, verdict, reason| {
            let mut device = image();
            let fact = |text: Option<&str>| text.map_or_else(unknown, |text| known(text.to_owned()));
            (device.device.build_type, device.device.build_tags) = (fact(build), fact(tags));
            expect(KIND, "", &device, verdict, reason);
        };
        ask(Some("user"), Some("release-keys"), Verdict::Pass, None);
        ask(Some("user"), Some("release-keys,x"), Verdict::Pass, None);
        let broken = Some(Reason::BuildProperties);
        ask(Some("userdebug"), Some("release-keys"), Verdict::Fail, broken);
        ask(Some("user"), Some("test-keys"), Verdict::Fail, broken);
        ask(Some("user"), Some("release-keys,dev-keys"), Verdict::Fail, broken);
        ask(Some("eng"), None, Verdict::Fail, broken);
        ask(Some("user"), None, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }
}
