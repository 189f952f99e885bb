//! `signer-not-in-set`: a package is signed by none of those named.

use super::selector::{Selector, is_signed_by, unknown_digest};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "No package that the rule is about has one of the named signing certificates, verified or claimed.",
    ru: "Ни один пакет не имеет названного сертификата подписи, проверенного или заявленного.",
    settings: &[SELECT, must("signers", Shape::Digests, "SHA-256 digests of signing certificates")],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy has a named signer"),
        Row(Verdict::Fail, Some(Reason::ForbiddenSigner), "a copy has one"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/signer-not-in-set.toml"),
};

/// The kind.
pub(super) struct SignerNotInSetKind;

struct SignerNotInSet {
    select: Selector,
    signers: Vec<String>,
    expected: Words,
}

impl CheckKind for SignerNotInSetKind {
    fn name(&self) -> &'static str {
        "signer-not-in-set"
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
        let expected = words!(
            "{what} are signed by none of those named",
            "{what}: не подписано ни одним из названных ключей",
            what
        );
        Ok(Box::new(SignerNotInSet { select, signers, expected }))
    }
}

impl Check for SignerNotInSet {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none is signed by those named", "названными ключами не подписано ничего"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl SignerNotInSet {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
            else {
                continue;
            };
            for signer in signers {
                match &signer.sha256 {
                    Some(digest) if self.signers.contains(digest) => {
                        let path = &copy.path;
                        sheet.proof(
                            evidence,
                            words!("{path}: signer {digest}", "{path}: ключ подписи {digest}", path, digest),
                        );
                        sheet.breach(Reason::ForbiddenSigner, is_signed_by(path, digest));
                    }
                    Some(_) => {}
                    None => sheet.unsettled(unknown_digest(&copy.path)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, signer, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    const KIND: &str = "signer-not-in-set";

    fn named(digit: char) -> String {
        format!(r#"signers = ["{}"]"#, digit.to_string().repeat(64))
    }

    #[test]
    fn a_named_signer_fails_another_passes_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, digit, verdict, reason| {
            expect(KIND, &named(digit), &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, 'b', Verdict::Pass, None);
        ask(&package, 'a', Verdict::Fail, Some(Reason::ForbiddenSigner));
        let mut short = signer('a');
        short.sha256 = None;
        package.copies[0].signers = known(vec![short]);
        ask(&package, 'b', Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].signers = unknown();
        ask(&package, 'b', Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, &named('a'), &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect(KIND, &named('a'), &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
