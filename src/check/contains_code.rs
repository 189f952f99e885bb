//! `contains-code`: code of a named kit in packages.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, may};
use super::sweep::{Question, Sheet, sweep};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, PackageCopy};
use crate::profile::{Pattern, ProfileError, Settings};

/// Kinds of kit, as `preloaded apk` names them.
const KITS: &[&str] = &["ads", "analytics", "attribution", "crash", "identity", "library", "payment", "push", "store"];

static ABOUT: About = About {
    en: "Packages that the rule is about hold no code of the named kits: by the prefix of their classes, or by what known kits are for.",
    ru: "Пакеты не содержат кода названных библиотек: по префиксу классов или по назначению известных библиотек.",
    settings: &[
        SELECT,
        may(
            "prefixes",
            Shape::Names,
            "beginnings of class names: `com.my.tracker`; parts beyond the third are not counted",
        ),
        may("kits", Shape::SomeOf(KITS), "what known kits are for; one of `prefixes` and `kits` is required"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy holds such code"),
        Row(Verdict::Fail, Some(Reason::ContainsCode), "a copy does; kits and numbers of classes are listed"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "the classes of a package are unknown: they were not counted (`scan --classes`), or can't be read",
        ),
        HIDDEN,
        NOTHING,
    ],
    remarks: "Names that a shrinker changed hide a kit: that none is found does not prove that none is there, and the finding says so.",
};

/// The kind.
pub(super) struct ContainsCodeKind;

struct ContainsCode {
    select: Selector,
    prefixes: Vec<Pattern>,
    kits: Vec<&'static str>,
    expected: String,
}

impl CheckKind for ContainsCodeKind {
    fn name(&self) -> &'static str {
        "contains-code"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let prefixes = settings.patterns("prefixes")?.unwrap_or_default();
        let known: Vec<(&str, &'static str)> = KITS.iter().map(|kit| (*kit, *kit)).collect();
        let kits = settings.choices("kits", &known)?.unwrap_or_default();
        if prefixes.is_empty() && kits.is_empty() {
            return Err(settings.missing("prefixes", "beginnings of class names, or `kits`"));
        }
        let mut words: Vec<&str> = prefixes.iter().map(Pattern::as_str).collect();
        words.extend(&kits);
        let expected = format!("{} hold no code of {}", select.words(), words.join(", "));
        Ok(Box::new(ContainsCode { select, prefixes, kits, expected }))
    }
}

impl Check for ContainsCode {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question { expected: &self.expected, none: "no such code by its names" };
        sweep(inventory, &self.select, &question, |_, copies, sheet| {
            copies.iter().for_each(|copy| self.judge(copy, sheet));
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl ContainsCode {
    fn judge(&self, copy: &PackageCopy, sheet: &mut Sheet) {
        let Some((code, _)) = sheet.know(&copy.code, "the code", copy) else { return };
        if !code.present {
            return;
        }
        let (counts, evidence) = match &code.class_counts {
            Some(Fact::Known { value, evidence }) => (value, evidence),
            Some(Fact::Unknown(gap)) => return sheet.unknown(format!("the classes of {} are unknown", copy.path), gap),
            None => return sheet.unsettled(format!("the classes of {} were not counted", copy.path)),
        };
        let begins = |prefix: &str| {
            self.prefixes.iter().any(|pattern| pattern.matches(prefix) || under(pattern.as_str(), prefix))
        };
        let mut found: Vec<String> = Vec::new();
        for sdk in &counts.sdks {
            if self.kits.contains(&sdk.kind.as_str()) || begins(&sdk.prefix) {
                found.push(format!("{} ({}, {} classes)", sdk.name, sdk.prefix, sdk.classes));
            }
        }
        for count in counts.prefixes.iter().filter(|count| begins(&count.prefix)) {
            if !found.iter().any(|words| words.contains(&count.prefix)) {
                found.push(format!("{} ({} classes)", count.prefix, count.classes));
            }
        }
        if !found.is_empty() {
            sheet.proof(evidence, format!("{}: {}", copy.path, found.join(", ")));
            sheet.breach(Reason::ContainsCode, format!("{} holds {}", copy.path, found.join(", ")));
        }
    }
}

/// Whether classes counted under `prefix` are below a name: `com.my.tracker.x` is below `com.my.tracker`.
fn under(name: &str, prefix: &str) -> bool {
    prefix.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, hollow, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::{ClassCounts, Fact, Package, PrefixCount, SdkCount};

    const KIND: &str = "contains-code";
    const TRACKER: &str = r#"prefixes = ["com.my.tracker"]"#;

    fn counted(counts: Option<Fact<ClassCounts>>) -> Package {
        let mut package = app("com.a");
        if let Fact::Known { value, .. } = &mut package.copies[0].code {
            value.class_counts = counts;
        }
        package
    }

    fn counts(prefixes: &[&str], kits: &[(&str, &str)]) -> Option<Fact<ClassCounts>> {
        let prefix = |prefix: &&str| PrefixCount { prefix: (*prefix).to_owned(), classes: 3 };
        let sdk = |(prefix, kind): &(&str, &str)| SdkCount {
            prefix: (*prefix).to_owned(),
            name: "Kit".to_owned(),
            kind: (*kind).to_owned(),
            classes: 5,
        };
        Some(known(ClassCounts {
            prefixes: prefixes.iter().map(prefix).collect(),
            sdks: kits.iter().map(sdk).collect(),
        }))
    }

    #[test]
    fn code_is_known_by_its_prefix_or_by_what_a_kit_is_for() {
        let ask = |settings: &str, counts, verdict, reason| {
            expect(KIND, settings, &with(image(), [counted(counts)]), verdict, reason);
        };
        let found = Some(Reason::ContainsCode);
        ask(TRACKER, counts(&["com.my.tracker"], &[]), Verdict::Fail, found);
        ask(TRACKER, counts(&["com.my.trackers"], &[]), Verdict::Pass, None);
        ask(r#"prefixes = ["com.my"]"#, counts(&["com.my.tracker"], &[]), Verdict::Fail, found);
        ask(r#"kits = ["analytics"]"#, counts(&[], &[("com.kit", "analytics")]), Verdict::Fail, found);
        ask(r#"kits = ["ads"]"#, counts(&[], &[("com.kit", "analytics")]), Verdict::Pass, None);
    }

    #[test]
    fn classes_that_were_not_counted_are_inconclusive_and_no_code_holds_none() {
        let open = Some(Reason::UnknownFact);
        expect(KIND, TRACKER, &with(image(), [counted(None)]), Verdict::Inconclusive, open);
        expect(KIND, TRACKER, &with(image(), [counted(Some(unknown()))]), Verdict::Inconclusive, open);
        expect(KIND, TRACKER, &with(image(), [hollow(app("com.a"))]), Verdict::Pass, None);
        expect(KIND, TRACKER, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, TRACKER, &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
        assert!(refusal(KIND, "").contains("lacks `prefixes`"));
    }
}
