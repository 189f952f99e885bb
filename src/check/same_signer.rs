//! `same-signer`: a package is signed as another one.

use super::selector::{Selector, is_signed_by, names, same_signer, signed_by};
use super::setting::{About, HIDDEN, Row, SELECT, Shape, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about have the same signer as another package: one maker's family holds \
         together.",
    ru: "Пакеты подписаны тем же, чем и другой названный пакет.",
    settings: &[SELECT, must("as", Shape::Package, "the package to compare with")],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy has the other package's signer"),
        Row(Verdict::Fail, Some(Reason::WrongSigner), "a copy has another"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "a signer is unknown, or the other package is not listed and a gap may hide it",
        ),
        HIDDEN,
        Row(
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
            "no package is what the rule is about, or the other one is not there",
        ),
    ],
    remarks: "",
    example: include_str!("examples/same-signer.toml"),
};

/// The kind.
pub(super) struct SameSignerKind;

struct SameSigner {
    select: Selector,
    other: String,
    expected: Words,
}

impl CheckKind for SameSignerKind {
    fn name(&self) -> &'static str {
        "same-signer"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let other = settings.need_package("as")?;
        let what = select.words();
        let expected =
            words!("{what} are signed as {other} is", "{what}: подписано тем же ключом, что и {other}", what, other);
        Ok(Box::new(SameSigner { select, other, expected }))
    }
}

impl Check for SameSigner {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("signed as the other package is", "подписано тем же ключом, что и другой пакет"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| {
            self.judge(package, copies, sheet, inventory)
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl SameSigner {
    fn judge(&self, package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet, inventory: &Inventory) {
        let other = inventory.package(&self.other).and_then(Package::active).map(|copy| &copy.signers);
        let (other, says) = match other {
            Some(Fact::Known { value, evidence }) => (value, evidence),
            Some(Fact::Unknown(gap)) => {
                let open =
                    words!("the signer of {name} is unknown", "ключ подписи {name} неизвестен", name = self.other);
                return sheet.unknown(open, gap);
            }
            None => match inventory.gaps_hiding_packages().next() {
                Some(gap) => {
                    return sheet
                        .unknown(words!("{name} is not listed", "{name} нет в списке", name = self.other), gap);
                }
                None => return,
            },
        };
        for copy in copies.iter().filter(|_| package.name != self.other) {
            let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
            else {
                continue;
            };
            sheet.proof(evidence, signed_by(&copy.path, signers));
            sheet.proof(says, signed_by(&self.other, other));
            if same_signer(signers, other) != Some(true) {
                sheet.breach(Reason::WrongSigner, is_signed_by(&copy.path, names(signers)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, signer, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    const KIND: &str = "same-signer";
    const RULE: &str = r#"as = "com.b", select = { packages = ["com.a"] }"#;

    #[test]
    fn the_same_signer_passes_another_fails_and_an_unknown_one_is_inconclusive() {
        let (mut one, mut other) = (app("com.a"), app("com.b"));
        let ask = |one: &crate::inventory::Package, other: &crate::inventory::Package, verdict, reason| {
            expect(KIND, RULE, &with(image(), [one.clone(), other.clone()]), verdict, reason);
        };
        ask(&one, &other, Verdict::Pass, None);
        one.copies[0].signers = known(vec![signer('b')]);
        ask(&one, &other, Verdict::Fail, Some(Reason::WrongSigner));
        one.copies[0].signers = unknown();
        ask(&one, &other, Verdict::Inconclusive, Some(Reason::UnknownFact));
        other.copies[0].signers = unknown();
        ask(&app("com.a"), &other, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn without_the_one_or_the_other_there_is_nothing_to_compare_unless_a_gap_hides_it() {
        expect(KIND, RULE, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let alone = with(image(), [app("com.a")]);
        expect(KIND, RULE, &alone, Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, RULE, &with_hidden_partition(alone), Verdict::Inconclusive, Some(Reason::UnknownFact));
        let hidden = with_hidden_partition(image());
        expect(KIND, RULE, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
