//! `no-published-key`: no package is signed with a key that anybody has.

use super::selector::{Selector, unknown_digest};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, UNKNOWN};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "No package that the rule is about is signed with a published key: the test keys of Android's source \
         code, keys that leaked.",
    ru: "Ни один пакет не подписан общеизвестным ключом: тестовые ключи исходного кода Android, утёкшие \
         ключи.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy has a published signer"),
        Row(Verdict::Fail, Some(Reason::PublishedKey), "a copy has one"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Keys are known by the SHA-256 digest of their certificate. A phone that tells 32-bit numbers only \
         leaves the rule inconclusive.",
    example: include_str!("examples/no-published-key.toml"),
};

/// The kind.
pub(super) struct NoPublishedKeyKind;

struct NoPublishedKey {
    select: Selector,
    expected: Words,
}

impl CheckKind for NoPublishedKeyKind {
    fn name(&self) -> &'static str {
        "no-published-key"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let what = select.words();
        let expected =
            words!("{what} are signed with no published key", "{what}: не подписано общеизвестным ключом", what);
        Ok(Box::new(NoPublishedKey { select, expected }))
    }
}

impl Check for NoPublishedKey {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none is signed with a published key", "общеизвестным ключом не подписано ничего"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NoPublishedKey {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
            else {
                continue;
            };
            for signer in signers {
                if let Some(key) = &signer.published_key {
                    let digest = signer.sha256.as_deref().unwrap_or(&signer.hash_code);
                    let path = &copy.path;
                    sheet.proof(
                        evidence,
                        words!(
                            "{path}: signer {digest}, the published key {key}",
                            "{path}: ключ подписи {digest}, общеизвестный ключ {key}",
                            path,
                            digest,
                            key
                        ),
                    );
                    sheet.breach(
                        Reason::PublishedKey,
                        words!(
                            "{path} is signed with the published key {key}",
                            "{path} подписан общеизвестным ключом {key}",
                            path,
                            key
                        ),
                    );
                } else if signer.sha256.is_none() {
                    sheet.unsettled(unknown_digest(&copy.path));
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

    #[test]
    fn a_published_key_fails_and_an_unknown_signer_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("no-published-key", "", &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        let mut test = signer('a');
        test.published_key = Some("AOSP testkey".to_owned());
        package.copies[0].signers = known(vec![test]);
        ask(&package, Verdict::Fail, Some(Reason::PublishedKey));
        package.copies[0].signers = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect("no-published-key", "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect("no-published-key", "", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
