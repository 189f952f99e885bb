//! `not-platform-signed`: a package is not signed with the platform key.

use super::selector::{Selector, signed_by};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy};
use crate::platform::permissions::PLATFORM;
use crate::platform::signing::PlatformSigner;
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
    example: include_str!("examples/not-platform-signed.toml"),
};

/// The kind.
pub(super) struct NotPlatformSignedKind;

struct NotPlatformSigned {
    select: Selector,
    expected: Words,
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
        let what = select.words();
        let expected =
            words!("{what} are not signed as the platform is", "{what}: не подписано ключом платформы", what);
        Ok(Box::new(NotPlatformSigned { select, expected }))
    }
}

impl Check for NotPlatformSigned {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none is signed as the platform is", "ключом платформы не подписано ничего"),
        };
        let platform = PlatformSigner::of(inventory);
        sweep(inventory, &self.select, &question, |package, copies, sheet| {
            if package.name != PLATFORM {
                judge(copies, platform.as_ref(), sheet, inventory);
            }
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

fn judge(copies: &[&PackageCopy], platform: Option<&PlatformSigner>, sheet: &mut Sheet, inventory: &Inventory) {
    let Some(platform) = platform else {
        let own = inventory.package(PLATFORM).and_then(Package::active).map(|copy| &copy.signers);
        return match own {
            Some(Fact::Unknown(gap)) => {
                sheet.unknown(phrase("the platform's signer is unknown", "ключ подписи платформы неизвестен"), gap)
            }
            Some(Fact::Known { .. }) => {
                sheet.unsettled(phrase("the platform's package is not signed", "пакет платформы не подписан"));
            }
            None => sheet.unsettled(phrase(
                "neither the platform's own package `android` is listed nor one of its user id",
                "в списке нет ни пакета самой платформы `android`, ни другого пакета с её идентификатором пользователя",
            )),
        };
    };
    for copy in copies {
        let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
        else {
            continue;
        };
        if platform.signed(copy) == Some(true) {
            let path = &copy.path;
            sheet.proof(evidence, signed_by(path, signers));
            let says =
                words!("{name} has the platform's signer", "у {name} ключ подписи платформы", name = platform.package);
            sheet.proof(&platform.evidence, says);
            sheet.breach(
                Reason::PlatformSigned,
                words!("{path} is signed as the platform is", "{path} подписан ключом платформы", path),
            );
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
        // What shares the system's user id has the platform's key.
        let mut settings = app("com.android.settings");
        settings.shared_user = known(Some("android.uid.system".to_owned()));
        settings.copies[0].signers = known(vec![signer('f')]);
        for (digit, verdict, reason) in [('f', Verdict::Fail, Some(Reason::PlatformSigned)), ('a', Verdict::Pass, None)]
        {
            package.copies[0].signers = known(vec![signer(digit)]);
            expect(KIND, ONE, &with(image(), [settings.clone(), package.clone()]), verdict, reason);
        }
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ONE, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, ONE, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
