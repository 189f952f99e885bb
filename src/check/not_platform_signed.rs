//! `not-platform-signed`: a package is not signed with the platform key.

use super::selector::{Selector, names, same_signer};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT};
use super::sweep::{Question, Sheet, sweep};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about are not signed as the platform itself (package `android`) is: such a \
         signature gives every `signature` permission.",
    ru: "Пакеты не подписаны ключом платформы (пакет `android`): такая подпись даёт все разрешения уровня \
         `signature`.",
    settings: &[SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "none is signed as the platform is"),
        Row(Verdict::Fail, Some(Reason::PlatformSigned), "it has the platform's signer"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "its signer, or the platform's, is unknown"),
        HIDDEN,
        NOTHING,
    ],
    remarks: "Certificates are compared as the files claim them: Android takes those of a system image so. Of a \
         phone that tells 32-bit numbers only, equal numbers count as equal signers.",
};

/// The kind.
pub(super) struct NotPlatformSignedKind;

struct NotPlatformSigned {
    select: Selector,
    expected: String,
}

impl CheckKind for NotPlatformSignedKind {
    fn name(&self) -> &'static str {
        "not-platform-signed"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let expected = format!("{} are not signed as the platform is", select.words());
        Ok(Box::new(NotPlatformSigned { select, expected }))
    }
}

impl Check for NotPlatformSigned {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question { expected: &self.expected, none: "none is signed as the platform is" };
        sweep(inventory, &self.select, &question, |package, copies, sheet| {
            self.judge(package, copies, sheet, inventory)
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NotPlatformSigned {
    fn judge(&self, package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet, inventory: &Inventory) {
        if package.name == "android" {
            return;
        }
        let platform = inventory.package("android").and_then(Package::active).map(|copy| &copy.signers);
        let (platform, says) = match platform {
            Some(Fact::Known { value, evidence }) => (value, evidence),
            Some(Fact::Unknown(gap)) => return sheet.unknown("the platform's signer is unknown", gap),
            None => return sheet.unsettled("the platform's own package `android` is not listed"),
        };
        for copy in copies {
            let Some((signers, evidence)) = sheet.know(&copy.signers, "the signer", copy) else { continue };
            match same_signer(signers, platform) {
                Some(true) => {
                    sheet.proof(evidence, format!("{}: signer {}", copy.path, names(signers)));
                    sheet.proof(says, format!("android: signer {}", names(platform)));
                    sheet.breach(Reason::PlatformSigned, format!("{} is signed as the platform is", copy.path));
                }
                Some(false) => {}
                None => {
                    if !signers.is_empty() {
                        sheet.unsettled("the platform's package is not signed");
                    }
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

    const KIND: &str = "not-platform-signed";
    const ONE: &str = r#"select = { packages = ["com.a"] }"#;

    #[test]
    fn the_platforms_signer_fails_another_passes_and_an_unknown_one_is_inconclusive() {
        let (mut platform, mut package) = (app("android"), app("com.a"));
        platform.copies[0].signers = known(vec![signer('f')]);
        let ask = |platform: &crate::inventory::Package, package: &crate::inventory::Package, verdict, reason| {
            expect(KIND, ONE, &with(image(), [platform.clone(), package.clone()]), verdict, reason);
        };
        ask(&platform, &package, Verdict::Pass, None);
        package.copies[0].signers = known(vec![signer('f')]);
        ask(&platform, &package, Verdict::Fail, Some(Reason::PlatformSigned));
        package.copies[0].signers = unknown();
        ask(&platform, &package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        platform.copies[0].signers = unknown();
        ask(&platform, &app("com.a"), Verdict::Inconclusive, Some(Reason::UnknownFact));
        expect(KIND, ONE, &with(image(), [app("com.a")]), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ONE, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, ONE, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
