//! `contains-code`: code of a named kit in packages.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{CLASSES, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{ClassCounts, Code, Fact, Inventory, PackageCopy};
use crate::profile::{Pattern, ProfileError, Settings};

/// Kinds of kit, as `preloaded apk` names them.
const KITS: &[&str] = &["ads", "analytics", "attribution", "crash", "identity", "library", "payment", "push", "store"];

/// Parts of a class name by which classes are counted.
const PARTS: usize = 3;

static ABOUT: About = About {
    en: "Packages that the rule is about hold no code of the named kits: by the prefix of their classes, or by what known kits are for.",
    ru: "Пакеты не содержат кода названных библиотек: по префиксу классов или по назначению известных библиотек.",
    settings: &[
        SELECT,
        may(
            "prefixes",
            Shape::Names,
            "beginnings of class names: `com.my.tracker`, of at most three parts: classes are counted by those",
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
    example: include_str!("examples/contains-code.toml"),
};

/// The kind.
pub(super) struct ContainsCodeKind;

struct ContainsCode {
    select: Selector,
    prefixes: Vec<Pattern>,
    kits: Vec<&'static str>,
    expected: Words,
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
        if let Some(long) = prefixes.iter().find(|prefix| prefix.as_str().split('.').count() > PARTS) {
            let message = format!(
                "`{}` has more than {PARTS} parts, expected a beginning by which classes are counted: `com.my.tracker`",
                long.as_str()
            );
            return Err(settings.error("prefixes", message));
        }
        let known: Vec<(&str, &'static str)> = KITS.iter().map(|kit| (*kit, *kit)).collect();
        let kits = settings.choices("kits", &known)?.unwrap_or_default();
        if prefixes.is_empty() && kits.is_empty() {
            return Err(settings.missing("prefixes", "beginnings of class names, or `kits`"));
        }
        let mut words: Vec<&str> = prefixes.iter().map(Pattern::as_str).collect();
        words.extend(&kits);
        let (what, code) = (select.words(), words.join(", "));
        let expected = words!("{what} hold no code of {code}", "{what}: нет кода {code}", what, code);
        Ok(Box::new(ContainsCode { select, prefixes, kits, expected }))
    }
}

impl Check for ContainsCode {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("no such code, as far as names of classes tell", "судя по именам классов, такого кода нет"),
        };
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
        let path = &copy.path;
        let Some((code, _)) = sheet.know(&copy.code, phrase("the code", "код"), copy) else { return };
        if !code.present {
            if lies_beside(copy, code) {
                sheet.unsettled(words!(
                    "the code of {path} lies beside it, compiled: its classes can't be counted",
                    "код {path} хранится рядом в скомпилированном виде: классы подсчитать нельзя",
                    path
                ));
            }
            return;
        }
        let (counts, evidence) = match &code.class_counts {
            Some(Fact::Known { value, evidence }) => (value, evidence),
            Some(Fact::Unknown(gap)) => {
                return sheet
                    .unknown(words!("the classes of {path} are unknown", "классы {path} неизвестны", path), gap);
            }
            None => {
                return sheet.unsettled(words!(
                    "the classes of {path} were not counted (`--classes` counts them)",
                    "классы {path} не подсчитаны (их подсчитывает `--classes`)",
                    path
                ));
            }
        };
        let found = self.found(counts);
        if !found.is_empty() {
            let found = Words::joined(found, ", ");
            sheet.proof(evidence, words!("{path}: {found}", "{path}: {found}", path, found));
            sheet.breach(Reason::ContainsCode, words!("{path} holds {found}", "в {path} есть {found}", path, found));
        }
    }

    /// Kits and prefixes that are named, with the number of their classes.
    fn found(&self, counts: &ClassCounts) -> Vec<Words> {
        let begins = |prefix: &str| {
            self.prefixes.iter().any(|pattern| pattern.matches(prefix) || is_below(pattern.as_str(), prefix))
        };
        let sdks: Vec<_> =
            counts.sdks.iter().filter(|sdk| self.kits.contains(&sdk.kind.as_str()) || begins(&sdk.prefix)).collect();
        let named = |prefix: &str| sdks.iter().any(|sdk| sdk.prefix == prefix || is_below(prefix, &sdk.prefix));
        let others = counts.prefixes.iter().filter(|count| begins(&count.prefix) && !named(&count.prefix));
        let kits = sdks.iter().map(|sdk| {
            let (name, prefix, count) = (&sdk.name, &sdk.prefix, classes(sdk.classes));
            words!("{name} ({prefix}, {count})", "{name} ({prefix}, {count})", name, prefix, count)
        });
        let others = others.map(|count| {
            let (prefix, count) = (&count.prefix, classes(count.classes));
            words!("{prefix} ({count})", "{prefix} ({count})", prefix, count)
        });
        kits.chain(others).collect()
    }
}

fn classes(count: u64) -> Words {
    CLASSES.count(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Whether a file without DEX has its code compiled in a folder beside it, as devices before Android 9 shipped it: it says
/// that it has code and has components, and is not the placeholder that it were without.
fn lies_beside(copy: &PackageCopy, code: &Code) -> bool {
    let says = copy.flags.known().is_some_and(|flags| flags.iter().any(|flag| flag == "HAS_CODE"));
    let starts = copy.manifest.known().is_none_or(|facts| facts.components > 0 && facts.overlay.is_none());
    says && starts && code.stub.is_none() && code.abis.is_empty()
}

/// Whether classes counted under `prefix` are below a name: `com.my.tracker.x` is below `com.my.tracker`.
fn is_below(name: &str, prefix: &str) -> bool {
    prefix.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, hollow, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::{ClassCounts, Fact, ManifestFacts, Package, PrefixCount, SdkCount};

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
        assert!(refusal(KIND, r#"prefixes = ["com.my.tracker.x"]"#).contains("more than 3 parts"));
    }

    #[test]
    fn code_that_lies_compiled_beside_its_file_is_not_taken_for_none() {
        let mut package = hollow(app("com.a"));
        package.copies[0].flags = known(vec!["HAS_CODE".to_owned()]);
        let ask = |package: &Package, verdict, reason| {
            expect(KIND, TRACKER, &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].manifest = known(ManifestFacts { components: 2, ..Default::default() });
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].manifest = known(ManifestFacts { components: 0, ..Default::default() });
        ask(&package, Verdict::Pass, None);
    }

    #[test]
    fn a_kit_is_named_once_and_what_only_a_prefix_tells_beside_it() {
        let both = counts(&["com.my.tracker", "com.my"], &[("com.my.tracker", "analytics")]);
        let device = with(image(), [counted(both)]);
        let settings = r#"prefixes = ["com.my*"]"#;
        let failed = expect(KIND, settings, &device, Verdict::Fail, Some(Reason::ContainsCode));
        let path = "/product/app/com.a/com.a.apk";
        assert_eq!(failed.observed, format!("com.a: {path} holds Kit (com.my.tracker, 5 classes)"));
        assert_eq!(failed.proof[0].says, format!("{path}: Kit (com.my.tracker, 5 classes)"));
    }
}
