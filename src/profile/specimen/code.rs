//! Code of a package: DEX, counted classes, native libraries.

use super::{known, strings};
use crate::inventory::{
    ClassCounts, ElfFacts, Fact, NativeKind, NativeLibrary, PackageCopy, PrefixCount, Relro, SdkCount, StubReason,
};
use crate::profile::ProfileError;
use crate::profile::settings::Settings;

pub(super) fn code(table: &Settings<'_>, copy: &mut PackageCopy) -> Result<(), ProfileError> {
    let present = table.maybe_flag("code")?.unwrap_or(true);
    let bytes = table.number("dex-bytes")?;
    let abis = strings(table, "abis")?.unwrap_or_default();
    let counts = class_counts(table)?;
    let libraries = libraries(table)?;
    if let Fact::Known { value: code, .. } = &mut copy.code {
        code.abis = abis;
        code.class_counts = counts.map(known);
        code.libraries = libraries.map(known);
        if !present {
            (code.present, code.dex_files, code.dex_bytes, code.classes) = (false, Some(0), Some(0), Some(0));
        }
        code.dex_bytes = bytes.or(code.dex_bytes);
        code.stub = table.choice("stub", &StubReason::ALL.map(|reason| (reason.as_str(), reason)))?;
    }
    if table.maybe_flag("launcher")? == Some(false) {
        copy.launcher = known(Vec::new());
    }
    Ok(())
}

/// `classes`: beginnings of class names, `kits`: kind and beginning of known kits. Neither: classes were not counted.
fn class_counts(table: &Settings<'_>) -> Result<Option<ClassCounts>, ProfileError> {
    let (prefixes, kits) = (strings(table, "classes")?, table.texts("kits")?);
    if prefixes.is_none() && kits.is_none() {
        return Ok(None);
    }
    let mut counts = ClassCounts::default();
    counts.prefixes.extend(prefixes.unwrap_or_default().into_iter().map(|prefix| PrefixCount { prefix, classes: 10 }));
    for word in kits.unwrap_or_default() {
        let Some((kind, prefix)) = word.text.split_once(' ') else {
            return Err(word.error("expected what a kit is for and where it lives: `analytics com.example.kit`"));
        };
        let (kind, prefix) = (kind.to_owned(), prefix.to_owned());
        counts.sdks.push(SdkCount { name: prefix.clone(), prefix, kind, classes: 10 });
    }
    Ok(Some(counts))
}

/// `libraries = ["liba.so", "libb.so no-relro"]`: sound ones for arm64-v8a but for the flaws behind their names, those of the check
/// kind `native-code`. None: libraries were not read.
fn libraries(table: &Settings<'_>) -> Result<Option<Vec<NativeLibrary>>, ProfileError> {
    const FLAWS: [&str; 6] =
        ["4-kib-pages", "executable-stack", "fixed-address", "no-relro", "partial-relro", "text-relocations"];
    let Some(words) = table.texts("libraries")? else { return Ok(None) };
    let mut list = Vec::new();
    for word in words {
        let mut parts = word.text.split(' ');
        let name = parts.next().unwrap_or_default().to_owned();
        let flaws: Vec<&str> = parts.collect();
        if let Some(other) = flaws.iter().find(|flaw| !FLAWS.contains(flaw)) {
            return Err(word.error(format!("unknown flaw `{other}`, expected one of {}", FLAWS.join(", "))));
        }
        let has = |flaw: &str| flaws.contains(&flaw);
        let elf = ElfFacts {
            kind: if has("fixed-address") { NativeKind::FixedProgram } else { NativeKind::SharedLibrary },
            bits: 64,
            large_pages: Some(!has("4-kib-pages")),
            relro: match (has("no-relro"), has("partial-relro")) {
                (true, _) => Relro::None,
                (false, true) => Relro::Partial,
                (false, false) => Relro::Full,
            },
            nx: !has("executable-stack"),
            text_relocations: has("text-relocations"),
            stack_canary: true,
            fortified: 1,
        };
        list.push(NativeLibrary { abi: "arm64-v8a".to_owned(), name, elf: known(elf) });
    }
    Ok(Some(list))
}
