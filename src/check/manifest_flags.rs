//! `manifest-flags`: what a manifest must not say.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Phrase, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Manifests of packages that the rule is about say none of what the rule forbids.",
    ru: "Манифесты пакетов не содержат запрещённого правилом.",
    settings: &[
        SELECT,
        must(
            "forbidden",
            Shape::SomeOf(&["debuggable", "test-only", "cleartext", "user-authorities", "allow-backup"]),
            "`debuggable`, `test-only`; `cleartext`: traffic may be unencrypted; `user-authorities`: certificate authorities of the user are trusted; `allow-backup`",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy says any of it"),
        Row(Verdict::Fail, Some(Reason::ManifestFlag), "a copy does; all of it is listed"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "A package without code sends nothing: `cleartext` and `user-authorities` are asked of packages with \
         code only.",
    example: include_str!("examples/manifest-flags.toml"),
};

/// The kind.
pub(super) struct ManifestFlagsKind;

struct ManifestFlags {
    select: Selector,
    forbidden: Vec<Flag>,
    expected: Words,
}

impl CheckKind for ManifestFlagsKind {
    fn name(&self) -> &'static str {
        "manifest-flags"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let Some(forbidden) = settings.choices("forbidden", &Flag::NAMES)? else {
            return Err(settings.missing("forbidden", "what must not be said"));
        };
        let words: Vec<&str> = forbidden.iter().map(|flag| flag.as_str()).collect();
        let (what, flags) = (select.words(), words.join(", "));
        let expected = words!("{what} are not {flags}", "{what}: в манифесте нет {flags}", what, flags);
        Ok(Box::new(ManifestFlags { select, forbidden, expected }))
    }
}

impl Check for ManifestFlags {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none of it is said", "ничего из этого в манифесте нет"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl ManifestFlags {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            for flag in &self.forbidden {
                self.flag(*flag, copy, sheet);
            }
        }
    }

    fn flag(&self, flag: Flag, copy: &PackageCopy, sheet: &mut Sheet) {
        let network = matches!(flag, Flag::Cleartext | Flag::UserAuthorities);
        if network && copy.code.known().is_some_and(|code| !code.present && code.abis.is_empty()) {
            sheet.judged = true;
            return;
        }
        let (set, evidence) = match flag {
            Flag::Debuggable | Flag::TestOnly => {
                let Some((flags, evidence)) =
                    sheet.know(&copy.flags, phrase("the list of flags", "список флагов"), copy)
                else {
                    return;
                };
                let names =
                    if flag == Flag::Debuggable { ["debuggable", "DEBUGGABLE"] } else { ["testOnly", "TEST_ONLY"] };
                (Some(flags.iter().any(|word| names.contains(&word.as_str()))), evidence)
            }
            _ => {
                let Some((facts, evidence)) = sheet.know(&copy.manifest, phrase("the manifest", "манифест"), copy)
                else {
                    return;
                };
                let set = match flag {
                    Flag::Cleartext => facts.cleartext,
                    Flag::UserAuthorities => facts.user_authorities,
                    _ => Some(facts.allow_backup),
                };
                (set, evidence)
            }
        };
        match set {
            Some(true) => {
                let whence = if network {
                    words!(
                        ", here or in the network security configuration that is named here",
                        ", здесь или в названной здесь настройке сетевой безопасности"
                    )
                } else {
                    Words::default()
                };
                let says = words!("{path} {does}", "{path} {does}", path = copy.path, does = flag.says());
                sheet.proof(evidence, words!("{says}{whence}", "{says}{whence}", says, whence));
                sheet.breach(Reason::ManifestFlag, says);
            }
            Some(false) => {}
            None => sheet.unsettled(words!(
                "whether {path} is {flag} stands in a file that can't be read",
                "{path}: признак {flag} задан в файле, который прочитать нельзя",
                path = copy.path,
                flag = flag.as_str()
            )),
        }
    }
}

/// What may be forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Debuggable,
    TestOnly,
    Cleartext,
    UserAuthorities,
    AllowBackup,
}

impl Flag {
    const NAMES: [(&'static str, Self); 5] = [
        ("debuggable", Self::Debuggable),
        ("test-only", Self::TestOnly),
        ("cleartext", Self::Cleartext),
        ("user-authorities", Self::UserAuthorities),
        ("allow-backup", Self::AllowBackup),
    ];

    /// What a package does that has it.
    fn says(self) -> Phrase {
        match self {
            Self::Debuggable => phrase("is debuggable", "допускает отладку"),
            Self::TestOnly => phrase("is for tests only", "предназначен только для испытаний"),
            Self::Cleartext => phrase("permits unencrypted traffic", "допускает незашифрованный трафик"),
            Self::UserAuthorities => phrase(
                "trusts certificate authorities that the user adds",
                "доверяет удостоверяющим центрам, добавленным пользователем",
            ),
            Self::AllowBackup => phrase("lets its data be backed up", "допускает резервное копирование данных"),
        }
    }

    fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, flag)| *flag == self).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{ManifestFacts, Package};

    const KIND: &str = "manifest-flags";
    const ALL: &str = r#"forbidden = ["debuggable", "test-only", "cleartext", "user-authorities", "allow-backup"]"#;

    fn clean() -> Package {
        let mut package = app("com.a");
        let facts = ManifestFacts { cleartext: Some(false), user_authorities: Some(false), ..Default::default() };
        package.copies[0].manifest = known(facts);
        package
    }

    #[test]
    fn each_thing_said_fails_and_what_is_not_known_is_inconclusive() {
        let ask = |package: Package, verdict, reason| expect(KIND, ALL, &with(image(), [package]), verdict, reason);
        ask(clean(), Verdict::Pass, None);
        for flag in ["debuggable", "DEBUGGABLE", "testOnly"] {
            let mut package = clean();
            package.copies[0].flags = known(vec![flag.to_owned()]);
            ask(package, Verdict::Fail, Some(Reason::ManifestFlag));
        }
        for facts in [
            ManifestFacts { cleartext: Some(true), user_authorities: Some(false), ..Default::default() },
            ManifestFacts { cleartext: Some(false), user_authorities: Some(true), ..Default::default() },
            ManifestFacts {
                cleartext: Some(false),
                user_authorities: Some(false),
                allow_backup: true,
                ..Default::default()
            },
        ] {
            let mut package = clean();
            package.copies[0].manifest = known(facts);
            ask(package, Verdict::Fail, Some(Reason::ManifestFlag));
        }
        let mut package = clean();
        package.copies[0].manifest = known(ManifestFacts { cleartext: None, ..Default::default() });
        ask(package.clone(), Verdict::Inconclusive, Some(Reason::UnknownFact));
        package.copies[0].manifest = unknown();
        ask(package, Verdict::Inconclusive, Some(Reason::UnknownFact));
        let mut package = clean();
        package.copies[0].flags = unknown();
        ask(package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ALL, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect(KIND, ALL, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
