//! From the native libraries of a package file to what an inventory keeps of them.

use super::reason;
use crate::apk;
use crate::bytes::ParseError;
use crate::inventory::{ElfFacts, Evidence, Fact, Gap, NativeKind, NativeLibrary, Relro};

/// What the libraries say of themselves. One that can't be read is a gap of that library alone.
pub(super) fn libraries(
    path: &str,
    read: Result<Vec<apk::NativeLibrary>, ParseError>,
    file: &Evidence,
) -> Fact<Vec<NativeLibrary>> {
    match read {
        Ok(found) => Fact::new(found.into_iter().map(|library| keep(path, library, file)).collect(), file),
        Err(error) => Fact::Unknown(Gap::new(path, reason(&error), error.to_string())),
    }
}

fn keep(path: &str, library: apk::NativeLibrary, file: &Evidence) -> NativeLibrary {
    let place = format!("lib/{}/{}", library.abi, library.name);
    let large_pages = library.large_pages();
    let elf = match library.elf {
        Ok(elf) => Fact::new(facts(&elf, large_pages), &file.at(place)),
        Err(error) => Fact::Unknown(Gap::new(format!("{path}!{place}"), reason(&error), error.to_string())),
    };
    NativeLibrary { abi: library.abi, name: library.name, elf }
}

fn facts(elf: &apk::Elf, large_pages: Option<bool>) -> ElfFacts {
    ElfFacts {
        kind: match elf.kind {
            apk::ElfKind::SharedLibrary => NativeKind::SharedLibrary,
            apk::ElfKind::PositionIndependentProgram => NativeKind::PositionIndependentProgram,
            apk::ElfKind::FixedProgram => NativeKind::FixedProgram,
            apk::ElfKind::Other => NativeKind::Other,
        },
        bits: elf.bits,
        large_pages,
        relro: match elf.relro {
            apk::Relro::None => Relro::None,
            apk::Relro::Partial => Relro::Partial,
            apk::Relro::Full => Relro::Full,
        },
        nx: elf.nx,
        text_relocations: elf.text_relocations,
        stack_canary: elf.stack_canary,
        fortified: elf.fortified,
    }
}
