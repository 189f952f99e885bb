//! `signer-in-set`: a package is signed by one of those named.

use super::selector::{Selector, is_signed_by, is_verified, names, signed_by, unknown_digest};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy, Signer};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about are signed by one of the named certificates, and the signature was \
         verified.",
    ru: "Пакеты подписаны одним из названных сертификатов, и подпись проверена.",
    settings: &[SELECT, must("signers", Shape::Digests, "SHA-256 digests of signing certificates")],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy has a named, verified signer"),
        Row(Verdict::Fail, Some(Reason::WrongSigner), "a copy has another signer, or none"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "the signer is unknown, or claimed by the file without being verified",
        ),
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/signer-in-set.toml"),
};

/// The kind.
pub(super) struct SignerInSetKind;

struct SignerInSet {
    select: Selector,
    signers: Vec<String>,
    expected: Words,
}

impl CheckKind for SignerInSetKind {
    fn name(&self) -> &'static str {
        "signer-in-set"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let Some(signers) = settings.digests("signers")? else {
            return Err(settings.missing("signers", "SHA-256 digests of signing certificates"));
        };
        let what = select.words();
        let expected =
            words!("{what} are signed by one of those named", "{what}: подписано одним из названных ключей", what);
        Ok(Box::new(SignerInSet { select, signers, expected }))
    }
}

impl Check for SignerInSet {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("signed by one of those named", "подписано одним из названных ключей"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl SignerInSet {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
            else {
                continue;
            };
            sheet.proof(evidence, signed_by(&copy.path, signers));
            let named = |signer: &&Signer| signer.sha256.as_ref().is_some_and(|digest| self.signers.contains(digest));
            if signers.iter().any(|signer| named(&signer) && is_verified(signer)) {
                continue;
            }
            if signers.iter().any(|signer| named(&signer)) {
                sheet.unsettled(words!(
                    "the signer of {path} is claimed, but its signature was not verified",
                    "ключ подписи {path} заявлен, но подпись не проверена",
                    path = copy.path
                ));
            } else if signers.iter().any(|signer| signer.sha256.is_none()) {
                sheet.unsettled(unknown_digest(&copy.path));
            } else {
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
    use crate::inventory::SignerDepth;

    const KIND: &str = "signer-in-set";

    fn pin(digit: char) -> String {
        format!(r#"signers = ["{}"]"#, digit.to_string().repeat(64))
    }

    #[test]
    fn a_named_signer_passes_once_it_is_verified_and_another_fails() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, digit, verdict, reason| {
            expect(KIND, &pin(digit), &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, 'a', Verdict::Pass, None);
        ask(&package, 'b', Verdict::Fail, Some(Reason::WrongSigner));
        let mut claimed = signer('a');
        claimed.depth = SignerDepth::Claimed;
        package.copies[0].signers = known(vec![claimed]);
        ask(&package, 'a', Verdict::Inconclusive, Some(Reason::UnknownFact));
        ask(&package, 'b', Verdict::Fail, Some(Reason::WrongSigner));
        let mut short = signer('a');
        short.sha256 = None;
        package.copies[0].signers = known(vec![short]);
        ask(&package, 'a', Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].signers = unknown();
        ask(&package, 'a', Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].signers = known(Vec::new());
        ask(&package, 'a', Verdict::Fail, Some(Reason::WrongSigner));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, &pin('a'), &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect(KIND, &pin('a'), &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
