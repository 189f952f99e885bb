//! Code by the ZIP directory, and what the first library of each ABI says of itself.

use goblin::elf::header::{EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_RISCV, EM_X86_64};
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf::{Elf, Header};

use super::directory::{Directory, Record};
use super::{Code, NativeAbi};

/// Bytes read of a library: linkers put the program headers right behind the ELF header.
const LIBRARY_START: u64 = 4096;
/// Folders of `lib/` that are looked into; Android has known eight ABIs.
const MAX_ABIS: usize = 32;

/// DEX files and native libraries.
pub(super) fn code(directory: &Directory) -> Code {
    let mut code = Code::default();
    for record in directory.with_prefix(b"classes").filter(|record| is_dex(record.name)) {
        code.dex_files += 1;
        code.dex_bytes = code.dex_bytes.saturating_add(record.uncompressed);
    }
    for record in directory.with_prefix(b"lib/") {
        let Some((abi, library)) = library(record.name) else { continue };
        // Records come by name, so that the libraries of one folder stand together.
        if code.abis.last() == Some(&abi) || code.abis.len() >= MAX_ABIS {
            continue;
        }
        code.native.push(native(directory, &record, abi.clone(), library));
        code.abis.push(abi);
    }
    code
}

/// `classes.dex`, `classes2.dex` ...
pub(super) fn is_dex(name: &[u8]) -> bool {
    let number = name.strip_prefix(b"classes").and_then(|rest| rest.strip_suffix(b".dex"));
    number.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit) && !matches!(digits, [b'0', ..] | b"1"))
}

/// ABI and file name of `lib/<abi>/<name>.so`.
fn library(name: &[u8]) -> Option<(String, String)> {
    let (abi, file) = str::from_utf8(name).ok()?.strip_prefix("lib/")?.split_once('/')?;
    (!file.contains('/') && file.ends_with(".so")).then(|| (abi.to_owned(), file.to_owned()))
}

fn native(directory: &Directory, record: &Record<'_>, abi: String, library: String) -> NativeAbi {
    let start = directory.entry_start(record, LIBRARY_START).unwrap_or_default();
    let header = Elf::parse_header(&start).ok();
    let matches = header.as_ref().is_some_and(|header| {
        // The word size is in the header's identification: 1 for 32 bits, 2 for 64.
        let class = header.e_ident.get(4).copied();
        machine(&abi) == Some((header.e_machine, class.unwrap_or_default()))
    });
    let load_alignment = header.and_then(|header| load_alignment(&start, &header));
    NativeAbi { abi, library, matches, load_alignment }
}

/// `e_machine` and `EI_CLASS` of an ABI that Android has known.
fn machine(abi: &str) -> Option<(u16, u8)> {
    Some(match abi {
        "armeabi" | "armeabi-v7a" => (EM_ARM, 1),
        "arm64-v8a" => (EM_AARCH64, 2),
        "x86" => (EM_386, 1),
        "x86_64" => (EM_X86_64, 2),
        "mips" => (EM_MIPS, 1),
        "mips64" => (EM_MIPS, 2),
        "riscv64" => (EM_RISCV, 2),
        _ => return None,
    })
}

fn load_alignment(start: &[u8], header: &Header) -> Option<u64> {
    let context = goblin::container::Ctx::new(header.container().ok()?, header.endianness().ok()?);
    let at = usize::try_from(header.e_phoff).ok().filter(|&at| at < start.len())?;
    let segments = ProgramHeader::parse(start, at, header.e_phnum.into(), context).ok()?;
    segments.iter().filter(|segment| segment.p_type == PT_LOAD).map(|segment| segment.p_align).min()
}
