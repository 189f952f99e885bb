//! `native-code`: native code of packages.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, must};
use super::sweep::{Question, Sheet, sweep};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Native code of packages that the rule is about is as the rule wants it: some of it for 64 bits.",
    ru: "Машинный код пакетов таков, как требует правило: есть вариант для 64 бит.",
    settings: &[
        SELECT,
        must(
            "forbidden",
            Shape::SomeOf(&["32-bit-only"]),
            "what must not be: `32-bit-only`, native code for 32 bits and none for 64",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy has what is forbidden"),
        Row(Verdict::Fail, Some(Reason::NativeCode), "a copy has"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "Alignment, RELRO and the like of single libraries are told by `preloaded apk --native`; inventories \
         do not hold them.",
};

/// The kind.
pub(super) struct NativeCodeKind;

struct NativeCode {
    select: Selector,
    expected: String,
}

impl CheckKind for NativeCodeKind {
    fn name(&self) -> &'static str {
        "native-code"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let Some(_) = settings.choices("forbidden", &[("32-bit-only", ())])? else {
            return Err(settings.missing("forbidden", "what must not be: `32-bit-only`"));
        };
        let expected = format!("{} have native code for 64 bits, if any", select.words());
        Ok(Box::new(NativeCode { select, expected }))
    }
}

impl Check for NativeCode {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question { expected: &self.expected, none: "none for 32 bits only" };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NativeCode {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            if let Some((code, evidence)) = sheet.know(&copy.code, "the code", copy)
                && code.is_32_bit_only()
            {
                sheet.proof(evidence, format!("{}: native code for {}", copy.path, code.abis.join(", ")));
                sheet.breach(Reason::NativeCode, format!("{} has native code for 32 bits only", copy.path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    #[test]
    fn native_code_for_32_bits_alone_fails_and_unknown_code_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect("native-code", r#"forbidden = ["32-bit-only"]"#, &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Pass, None);
        if let crate::inventory::Fact::Known { value, .. } = &mut package.copies[0].code {
            value.abis = vec!["armeabi-v7a".to_owned()];
        }
        ask(&package, Verdict::Fail, Some(Reason::NativeCode));
        package.copies[0].code = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(
            "native-code",
            r#"forbidden = ["32-bit-only"]"#,
            &image(),
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
        );
        let hidden = with_hidden_partition(image());
        expect(
            "native-code",
            r#"forbidden = ["32-bit-only"]"#,
            &hidden,
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
        );
    }
}
