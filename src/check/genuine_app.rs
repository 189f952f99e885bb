//! `genuine-app`: an app stands behind its id, it is no empty file.

use super::selector::{Selector, is_verified, names, unknown_digest};
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about are the apps that their ids say: code of some size, an activity that a launcher shows, no \
         placeholder, the pinned signer where one is pinned.",
    ru: "Пакеты действительно являются теми приложениями, на которые указывает идентификатор: есть код заметного размера, активность \
         для лаунчера, это не заглушка, подписант совпадает с закреплённым.",
    settings: &[
        SELECT,
        may(
            "min-dex-bytes",
            Shape::Number,
            "least size of the DEX code of a copy, uncompressed; where a phone does not tell it, it is not asked",
        ),
        may("signers", Shape::Digests, "SHA-256 digests of signing certificates, one of which must be verified"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "every copy is genuine"),
        Row(
            Verdict::Fail,
            Some(Reason::LookAlike),
            "a copy has no code or too little, no launcher shows it, or another signed it",
        ),
        Row(Verdict::Fail, Some(Reason::Stub), "a copy is a placeholder, by its manifest or its folder"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/genuine-app.toml"),
};

/// The kind.
pub(super) struct GenuineAppKind;

struct GenuineApp {
    select: Selector,
    min_dex_bytes: Option<u64>,
    signers: Vec<String>,
    expected: Words,
}

impl CheckKind for GenuineAppKind {
    fn name(&self) -> &'static str {
        "genuine-app"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let min_dex_bytes = settings.number("min-dex-bytes")?;
        let signers = settings.digests("signers")?.unwrap_or_default();
        let what = select.words();
        let expected = words!("{what} are the apps themselves", "{what}: подлинные приложения", what);
        Ok(Box::new(GenuineApp { select, min_dex_bytes, signers, expected }))
    }
}

impl Check for GenuineApp {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question { expected: &self.expected, none: words!("genuine", "подлинное") };
        sweep(inventory, &self.select, &question, |_, copies, sheet| {
            copies.iter().for_each(|copy| self.judge(copy, sheet));
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl GenuineApp {
    fn judge(&self, copy: &PackageCopy, sheet: &mut Sheet) {
        let path = &copy.path;
        if let Some((code, evidence)) = sheet.know(&copy.code, phrase("the code", "код"), copy) {
            let code_words = match (code.present, code.dex_bytes) {
                (false, _) => phrase("no code", "нет кода").into(),
                (true, None) => phrase("DEX code of unknown size", "код DEX неизвестного размера").into(),
                (true, Some(bytes)) => words!("DEX code of {bytes} bytes", "код DEX, байт: {bytes}", bytes),
            };
            sheet.proof(evidence, words!("{path}: {code_words}", "{path}: {code_words}", path, code_words));
            if let Some(stub) = code.stub {
                sheet.breach(
                    Reason::Stub,
                    words!("{path} is a placeholder ({why})", "{path} — заглушка ({why})", path, why = stub.as_str()),
                );
            } else if !code.present {
                sheet.breach(Reason::LookAlike, words!("{path} has no code", "в {path} нет кода", path));
            } else if let (Some(least), Some(bytes)) = (self.min_dex_bytes, code.dex_bytes)
                && bytes < least
            {
                sheet.breach(
                    Reason::LookAlike,
                    words!(
                        "{path} has {bytes} bytes of DEX code, fewer than {least}",
                        "объём кода DEX в {path}: {bytes} байт, меньше требуемых {least}",
                        path,
                        bytes,
                        least
                    ),
                );
            }
        }
        if let Some((activities, evidence)) =
            sheet.know(&copy.launcher, phrase("the launcher activity", "значок в лаунчере"), copy)
            && activities.is_empty()
        {
            sheet.proof(evidence, words!("{path}: no launcher activity", "{path}: нет значка в лаунчере", path));
            sheet.breach(Reason::LookAlike, words!("no launcher shows {path}", "лаунчер не показывает {path}", path));
        }
        if self.signers.is_empty() {
            return;
        }
        if let Some((signers, evidence)) = sheet.know(&copy.signers, phrase("the signer", "ключ подписи"), copy)
        {
            sheet.proof(
                evidence,
                words!("{path}: signer {names}", "{path}: ключ подписи {names}", path, names = names(signers)),
            );
            let mut pinned = signers
                .iter()
                .filter(|signer| signer.sha256.as_ref().is_some_and(|digest| self.signers.contains(digest)))
                .peekable();
            if pinned.peek().is_some() {
                if !pinned.any(is_verified) {
                    sheet.unsettled(words!(
                        "the pinned signer of {path} is claimed, but was not verified",
                        "для {path} заявлен закреплённый ключ подписи, но он не проверен",
                        path
                    ));
                }
            } else if signers.iter().any(|signer| signer.sha256.is_none()) {
                sheet.unsettled(unknown_digest(path));
            } else {
                sheet.breach(
                    Reason::LookAlike,
                    words!(
                        "none of the pinned signers signed {path}",
                        "{path} не подписан ни одним из закреплённых ключей",
                        path
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, hollow, image, known, phone, phone_app, signer, unknown, with, with_hidden_partition,
    };
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{Fact, Package, SignerDepth, StubReason};

    const KIND: &str = "genuine-app";
    const SIZED: &str = r#"select = { packages = ["com.a"] }, min-dex-bytes = 1000000"#;

    fn ask(package: Package, settings: &str, verdict: Verdict, reason: Option<Reason>) {
        expect(KIND, settings, &with(image(), [package]), verdict, reason);
    }

    #[test]
    fn an_empty_or_small_file_of_the_right_id_fails() {
        ask(app("com.a"), SIZED, Verdict::Pass, None);
        ask(hollow(app("com.a")), SIZED, Verdict::Fail, Some(Reason::LookAlike));
        let with_code = |change: fn(&mut crate::inventory::Code)| {
            let mut package = app("com.a");
            if let Fact::Known { value, .. } = &mut package.copies[0].code {
                change(value);
            }
            package
        };
        ask(with_code(|code| code.dex_bytes = Some(999_999)), SIZED, Verdict::Fail, Some(Reason::LookAlike));
        ask(with_code(|code| code.stub = Some(StubReason::FewClasses)), SIZED, Verdict::Fail, Some(Reason::Stub));
        let mut package = app("com.a");
        package.copies[0].launcher = known(Vec::new());
        ask(package, SIZED, Verdict::Fail, Some(Reason::LookAlike));
        let mut package = app("com.a");
        package.copies[0].code = unknown();
        ask(package, SIZED, Verdict::Inconclusive, Some(Reason::UnknownFact));
        expect(KIND, SIZED, &with(phone(), [phone_app("com.a")]), Verdict::Pass, None);
    }

    #[test]
    fn a_pinned_signer_must_be_there_and_verified() {
        let pin = |digit: char| format!(r#"signers = ["{}"]"#, digit.to_string().repeat(64));
        ask(app("com.a"), &pin('a'), Verdict::Pass, None);
        ask(app("com.a"), &pin('b'), Verdict::Fail, Some(Reason::LookAlike));
        let mut claimed = app("com.a");
        let mut one = signer('a');
        one.depth = SignerDepth::Claimed;
        claimed.copies[0].signers = known(vec![one]);
        ask(claimed, &pin('a'), Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, SIZED, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, SIZED, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
