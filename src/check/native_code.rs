//! `native-code`: native code of packages.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, may, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{MORE_LIBRARIES, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Code, ElfFacts, Evidence, Fact, Inventory, NativeKind, NativeLibrary, PackageCopy, Relro};
use crate::profile::{Pattern, ProfileError, Settings};

/// Libraries that are named of a package for one flaw; the rest is counted.
const NAMED: usize = 6;

static ABOUT: About = About {
    en: "Native code of packages that the rule is about has none of the named flaws.",
    ru: "В машинном коде пакетов нет названных недостатков.",
    settings: &[
        SELECT,
        must(
            "forbidden",
            Shape::SomeOf(&[
                "32-bit-only",
                "4-kib-pages",
                "executable-stack",
                "fixed-address",
                "no-relro",
                "partial-relro",
                "text-relocations",
            ]),
            "`32-bit-only`: native code for 32 bits and none for 64; of single libraries: `4-kib-pages`, one for 64 bits that a system with \
             pages of 16 KiB can't load; `executable-stack`; `fixed-address`, a program that is not position-independent (PIE); \
             `no-relro`; `partial-relro`, that or functions that are bound late; `text-relocations`, code that is changed while loading",
        ),
        may("except", Shape::Names, "file names of libraries that are not meant"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "no copy has what is forbidden"),
        Row(Verdict::Fail, Some(Reason::NativeCode), "a copy has; libraries are listed"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "the code of a package is unknown, its libraries were not read (`--native`), or one of them can't be",
        ),
        HIDDEN,
        NOTHING,
    ],
    remarks: "All but `32-bit-only` needs libraries that were read: `check --native`, `scan --native`. A phone tells the ABI that it chose and \
              no libraries.",
    example: include_str!("examples/native-code.toml"),
};

/// The kind.
pub(super) struct NativeCodeKind;

struct NativeCode {
    select: Selector,
    forbidden: Vec<Flaw>,
    except: Vec<Pattern>,
    expected: Words,
}

/// What may be forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Only32Bit,
    SmallPages,
    ExecutableStack,
    FixedAddress,
    NoRelro,
    PartialRelro,
    TextRelocations,
}

impl Flaw {
    const NAMES: [(&'static str, Self); 7] = [
        ("32-bit-only", Self::Only32Bit),
        ("4-kib-pages", Self::SmallPages),
        ("executable-stack", Self::ExecutableStack),
        ("fixed-address", Self::FixedAddress),
        ("no-relro", Self::NoRelro),
        ("partial-relro", Self::PartialRelro),
        ("text-relocations", Self::TextRelocations),
    ];

    fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, flaw)| *flaw == self).map_or("", |(name, _)| name)
    }

    /// Whether a library has it; `None` where it does not tell.
    fn of(self, elf: &ElfFacts) -> Option<bool> {
        match self {
            Self::Only32Bit => Some(false),
            // No system with large pages runs code for 32 bits, so that nothing is lost by its alignment.
            Self::SmallPages if elf.bits == 32 => Some(false),
            Self::SmallPages => elf.large_pages.map(|large| !large),
            Self::ExecutableStack => Some(!elf.nx),
            Self::FixedAddress => Some(elf.kind == NativeKind::FixedProgram),
            Self::NoRelro => Some(elf.relro == Relro::None),
            Self::PartialRelro => Some(elf.relro != Relro::Full),
            Self::TextRelocations => Some(elf.text_relocations),
        }
    }
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
        let Some(forbidden) = settings.choices("forbidden", &Flaw::NAMES)? else {
            return Err(settings.missing("forbidden", "what must not be: `32-bit-only`, `no-relro` ..."));
        };
        let except = settings.patterns("except")?.unwrap_or_default();
        let words: Vec<&str> = forbidden.iter().map(|flaw| flaw.as_str()).collect();
        let (what, flaws) = (select.words(), words.join(", "));
        let expected =
            words!("{what} have native code without {flaws}", "{what}: машинный код без {flaws}", what, flaws);
        Ok(Box::new(NativeCode { select, forbidden, except, expected }))
    }
}

impl Check for NativeCode {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none of it in their native code", "в машинном коде этого нет"),
        };
        sweep(inventory, &self.select, &question, |_, copies, sheet| {
            copies.iter().for_each(|copy| self.judge(copy, sheet));
        })
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NativeCode {
    fn judge(&self, copy: &PackageCopy, sheet: &mut Sheet) {
        let path = &copy.path;
        let Some((code, evidence)) = sheet.know(&copy.code, phrase("the code", "код"), copy) else { return };
        let forbids = |flaw| self.forbidden.contains(&flaw);
        if forbids(Flaw::Only32Bit) && code.is_32_bit_only() {
            let abis = code.abis.join(", ");
            sheet.proof(
                evidence,
                words!("{path}: native code for {abis}", "{path}: машинный код для {abis}", path, abis),
            );
            sheet.breach(
                Reason::NativeCode,
                words!("{path} has native code for 32 bits only", "в {path} только 32-разрядный машинный код", path),
            );
        }
        if let Some(split) = native_split(copy) {
            sheet.unsettled(words!(
                "the native code of the split {split} of {path} was not read",
                "машинный код части {split} пакета {path} не прочитан",
                split,
                path
            ));
        }
        if self.forbidden == [Flaw::Only32Bit] {
            return;
        }
        match &code.libraries {
            Some(Fact::Known { value, .. }) => self.libraries(copy, value, sheet),
            Some(Fact::Unknown(gap)) => {
                sheet.unknown(words!("the libraries of {path} are unknown", "библиотеки {path} неизвестны", path), gap);
            }
            // A file that was read and has no folder of libraries has none.
            None if code.file_bytes.is_some() && code.abis.is_empty() => {}
            None => sheet.unsettled(words!(
                "the libraries of {path} were not read (`--native` reads them)",
                "библиотеки {path} не прочитаны (их читает `--native`)",
                path
            )),
        }
    }

    fn libraries(&self, copy: &PackageCopy, list: &[NativeLibrary], sheet: &mut Sheet) {
        let meant = |library: &&NativeLibrary| !self.except.iter().any(|pattern| pattern.matches(&library.name));
        let path = &copy.path;
        let mut flawed: Vec<(Flaw, Vec<(String, &Evidence)>)> =
            self.forbidden.iter().map(|flaw| (*flaw, Vec::new())).collect();
        for library in list.iter().filter(meant) {
            let name = format!("lib/{}/{}", library.abi, library.name);
            let (elf, evidence) = match &library.elf {
                Fact::Known { value, evidence } => (value, evidence),
                Fact::Unknown(gap) => {
                    sheet.unknown(
                        words!("{name} of {path} can't be read", "{name} из {path} прочитать нельзя", name, path),
                        gap,
                    );
                    continue;
                }
            };
            for (flaw, found) in &mut flawed {
                match flaw.of(elf) {
                    Some(true) => found.push((name.clone(), evidence)),
                    Some(false) => {}
                    None => sheet.unsettled(words!(
                        "{name} of {path} does not tell {flaw}",
                        "по {name} из {path} нельзя судить о {flaw}",
                        name,
                        path,
                        flaw = flaw.as_str()
                    )),
                }
            }
        }
        for (flaw, found) in flawed {
            if found.is_empty() {
                continue;
            }
            let flaw = flaw.as_str();
            let mut names: Vec<Words> = Vec::new();
            for (name, evidence) in found.iter().take(NAMED) {
                sheet.proof(evidence, words!("{path}: {name}: {flaw}", "{path}: {name}: {flaw}", path, name, flaw));
                names.push(Words::plain(name.as_str()));
            }
            if let Some(more) = found.len().checked_sub(NAMED).filter(|more| *more > 0) {
                let more = MORE_LIBRARIES.count(more);
                names.push(words!("and {more}", "и ещё {more}", more));
            }
            let names = Words::joined(names, ", ");
            sheet.breach(
                Reason::NativeCode,
                words!("{path}: {flaw} in {names}", "{path}: {flaw} в {names}", path, flaw, names),
            );
        }
    }
}

/// A split of a package file that holds code for one machine, by its name.
fn native_split(copy: &PackageCopy) -> Option<&str> {
    const ABIS: [&str; 6] = ["arm64_v8a", "armeabi", "armeabi_v7a", "riscv64", "x86", "x86_64"];
    let was_read = copy.code.known().is_some_and(|code: &Code| code.file_bytes.is_some());
    let names = copy.splits.known().into_iter().flatten().map(|split| split.name.as_str());
    let mut native = names.filter(|name| name.rsplit_once('.').is_some_and(|(_, abi)| ABIS.contains(&abi)));
    native.next().filter(|_| was_read)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, evidence, image, known, phone, phone_app, unknown, with, with_hidden_partition};
    use super::super::tests::{expect, refusal};
    use super::super::{Outcome, Reason, Verdict};
    use crate::inventory::{ElfFacts, Fact, NativeKind, NativeLibrary, Package, Relro, Split};

    const KIND: &str = "native-code";
    const ONLY_32: &str = r#"forbidden = ["32-bit-only"]"#;
    const HARDENED: &str =
        r#"forbidden = ["4-kib-pages", "executable-stack", "fixed-address", "no-relro", "text-relocations"]"#;

    fn sound() -> ElfFacts {
        ElfFacts {
            kind: NativeKind::SharedLibrary,
            bits: 64,
            large_pages: Some(true),
            relro: Relro::Full,
            nx: true,
            text_relocations: false,
            stack_canary: true,
            fortified: 3,
        }
    }

    fn library(name: &str, elf: Fact<ElfFacts>) -> NativeLibrary {
        NativeLibrary { abi: "arm64-v8a".to_owned(), name: name.to_owned(), elf }
    }

    fn having(libraries: Option<Fact<Vec<NativeLibrary>>>) -> Package {
        let mut package = app("com.a");
        if let Fact::Known { value, .. } = &mut package.copies[0].code {
            value.abis = vec!["arm64-v8a".to_owned()];
            value.libraries = libraries;
        }
        package
    }

    fn with_library(elf: ElfFacts) -> Package {
        having(Some(known(vec![library("libx.so", known(elf))])))
    }

    #[track_caller]
    fn ask(settings: &str, package: &Package, verdict: Verdict, reason: Option<Reason>) -> Outcome {
        expect(KIND, settings, &with(image(), [package.clone()]), verdict, reason)
    }

    #[test]
    fn native_code_for_32_bits_alone_fails_and_unknown_code_is_inconclusive() {
        let mut package = app("com.a");
        ask(ONLY_32, &package, Verdict::Pass, None);
        if let Fact::Known { value, .. } = &mut package.copies[0].code {
            value.abis = vec!["armeabi-v7a".to_owned()];
        }
        ask(ONLY_32, &package, Verdict::Fail, Some(Reason::NativeCode));
        package.copies[0].code = unknown();
        ask(ONLY_32, &package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn each_flaw_of_a_library_fails_and_leads_to_the_library() {
        ask(HARDENED, &with_library(sound()), Verdict::Pass, None);
        for (flaw, elf) in [
            ("4-kib-pages", ElfFacts { large_pages: Some(false), ..sound() }),
            ("executable-stack", ElfFacts { nx: false, ..sound() }),
            ("fixed-address", ElfFacts { kind: NativeKind::FixedProgram, ..sound() }),
            ("no-relro", ElfFacts { relro: Relro::None, ..sound() }),
            ("text-relocations", ElfFacts { text_relocations: true, ..sound() }),
        ] {
            let failed = ask(HARDENED, &with_library(elf), Verdict::Fail, Some(Reason::NativeCode));
            let path = "/product/app/com.a/com.a.apk";
            assert_eq!(failed.observed, format!("com.a: {path}: {flaw} in lib/arm64-v8a/libx.so"));
            assert_eq!(failed.proof[0].evidence, evidence().at("a place"));
        }
        let partial = with_library(ElfFacts { relro: Relro::Partial, ..sound() });
        ask(HARDENED, &partial, Verdict::Pass, None);
        ask(r#"forbidden = ["partial-relro"]"#, &partial, Verdict::Fail, Some(Reason::NativeCode));
        let small = with_library(ElfFacts { bits: 32, large_pages: Some(false), ..sound() });
        ask(HARDENED, &small, Verdict::Pass, None);
    }

    #[test]
    fn libraries_that_were_not_read_are_inconclusive_and_those_that_are_not_meant_left_out() {
        let open = Some(Reason::UnknownFact);
        ask(HARDENED, &having(None), Verdict::Inconclusive, open);
        ask(HARDENED, &having(Some(unknown())), Verdict::Inconclusive, open);
        let damaged = having(Some(known(vec![library("libx.so", unknown())])));
        ask(HARDENED, &damaged, Verdict::Inconclusive, open);
        ask(&format!(r#"{HARDENED}, except = ["libx*"]"#), &damaged, Verdict::Pass, None);
        ask(HARDENED, &with_library(ElfFacts { large_pages: None, ..sound() }), Verdict::Inconclusive, open);
        // A file without a folder of libraries has none; a phone does not tell.
        ask(HARDENED, &app("com.a"), Verdict::Pass, None);
        let told = with(phone(), [phone_app("com.a")]);
        expect(KIND, HARDENED, &told, Verdict::Inconclusive, open);
        let mut split = with_library(sound());
        split.copies[0].splits =
            known(vec![Split { name: "config.arm64_v8a".to_owned(), path: None, file: unknown() }]);
        ask(HARDENED, &split, Verdict::Inconclusive, open);
        ask(ONLY_32, &split, Verdict::Inconclusive, open);
        split.copies[0].splits = known(vec![Split { name: "config.ru".to_owned(), path: None, file: unknown() }]);
        ask(HARDENED, &split, Verdict::Pass, None);
    }

    #[test]
    fn many_libraries_are_counted_behind_the_first() {
        let flawed = |index| library(&format!("lib{index}.so"), known(ElfFacts { nx: false, ..sound() }));
        let failed =
            ask(HARDENED, &having(Some(known((0..9).map(flawed).collect()))), Verdict::Fail, Some(Reason::NativeCode));
        assert!(failed.observed.ends_with("lib/arm64-v8a/lib5.so, and 3 more libraries"), "{failed:#?}");
        assert_eq!(failed.proof.len(), 6);
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, ONLY_32, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(image());
        expect(KIND, ONLY_32, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
        assert!(refusal(KIND, r#"forbidden = ["no-pie"]"#).starts_with("unknown word for `forbidden`"));
    }
}
