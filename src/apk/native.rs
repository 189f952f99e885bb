//! Code by the ZIP directory, what the first library of each ABI says of itself and, where it is asked for, every library.

use std::sync::Arc;

use goblin::elf::header::{EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_RISCV, EM_X86_64};
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf::{Elf as Parser, Header};

use super::directory::{Directory, Record};
use super::elf::{self, Elf};
use super::{Code, NativeAbi, dex};
use crate::bytes::{Budget, Limits, ParseError};

/// Bytes read of a library: linkers put the program headers right behind the ELF header.
const LIBRARY_START: u64 = 4096;
/// Folders of `lib/` that are looked into; Android has known eight ABIs.
const MAX_ABIS: usize = 32;
/// Libraries of one package; the largest measured have some hundred for each ABI.
const MAX_LIBRARIES: usize = 4096;
/// Bytes that may be inflated for one package. Tables stand at both ends of a library, so that each is inflated twice.
const MAX_INFLATED: u64 = 1 << 30;
/// Memory for checkpoints while inflating.
const MEMORY: u64 = 8 << 20;
/// Size of a page on newer devices.
const LARGE_PAGE: u64 = 16 << 10;

/// A native library of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeLibrary {
    /// Folder of `lib/`.
    pub abi: String,
    /// File name.
    pub name: String,
    /// Length in bytes, uncompressed.
    pub bytes: u64,
    /// Where its contents begin in the package file; `None` where they are deflated, or the entry can't be read.
    pub stored_at: Option<u64>,
    /// Whether it is of the machine and word size that the folder stands for; false also where it can't be read.
    pub matches: bool,
    /// What it says of itself.
    pub elf: Result<Elf, ParseError>,
}

impl NativeLibrary {
    /// Whether a system with pages of 16 KiB can load it: segments aligned to them and, where Android maps it from the
    /// package file itself, its place there too. `None` where that is not known. Programs of 32 bits never run on such
    /// a system.
    #[must_use]
    pub fn large_pages(&self) -> Option<bool> {
        let elf = self.elf.as_ref().ok()?;
        let aligned = elf.load_alignment? >= LARGE_PAGE;
        Some(elf.bits == 64 && aligned && self.stored_at.is_none_or(|at| at % LARGE_PAGE == 0))
    }
}

/// DEX files and native libraries.
pub(super) fn code(directory: &Directory) -> Code {
    let mut code = Code { classes: Some(0), ..Code::default() };
    for record in directory.with_prefix(b"classes").filter(|record| is_dex(record.name)) {
        code.dex_files += 1;
        code.dex_bytes = code.dex_bytes.saturating_add(record.uncompressed);
        let count = if code.dex_files > dex::MAX_FILES { None } else { dex::count(directory, &record) };
        code.classes = code.classes.zip(count).map(|(sum, count)| sum + u64::from(count));
    }
    for (record, abi, library) in abis(directory) {
        code.native.push(native(directory, &record, abi.to_owned(), library.to_owned()));
        code.abis.push(abi.to_owned());
    }
    code
}

/// The first library of each ABI, with the names of both.
pub(super) fn abis(directory: &Directory) -> impl Iterator<Item = (Record<'_>, &str, &str)> {
    let mut last = None;
    let first = directory.with_prefix(b"lib/").filter_map(move |record| {
        let (abi, library) = library(record.name)?;
        // Records come by name, so that the libraries of one folder stand together.
        (last.replace(abi) != Some(abi)).then_some((record, abi, library))
    });
    first.take(MAX_ABIS)
}

/// `classes.dex`, `classes2.dex` ...
pub(super) fn is_dex(name: &[u8]) -> bool {
    let number = name.strip_prefix(b"classes").and_then(|rest| rest.strip_suffix(b".dex"));
    number.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit) && !matches!(digits, [b'0', ..] | b"1"))
}

/// ABI and file name of `lib/<abi>/<name>.so`.
fn library(name: &[u8]) -> Option<(&str, &str)> {
    let (abi, file) = str::from_utf8(name).ok()?.strip_prefix("lib/")?.split_once('/')?;
    (!file.contains('/') && file.ends_with(".so")).then_some((abi, file))
}

/// Reads every library of `lib/<abi>/`, by folder and name.
pub(super) fn libraries(directory: &Directory) -> Result<Vec<NativeLibrary>, ParseError> {
    let budget = Budget::new(Limits { decompressed: MAX_INFLATED, memory: MEMORY, ..Limits::default() });
    let mut libraries = Vec::new();
    for record in directory.with_prefix(b"lib/") {
        let Some((abi, name)) = library(record.name) else { continue };
        if libraries.len() >= MAX_LIBRARIES {
            let found = MAX_LIBRARIES as u64 + 1;
            return Err(ParseError::limit(record.local_header, "number of libraries", found, MAX_LIBRARIES as u64));
        }
        libraries.push(read_library(directory, &record, abi.to_owned(), name.to_owned(), &budget));
    }
    Ok(libraries)
}

fn read_library(
    directory: &Directory,
    record: &Record<'_>,
    abi: String,
    name: String,
    budget: &Arc<Budget>,
) -> NativeLibrary {
    let elf = directory.open_stream(record, budget).and_then(|contents| elf::read(contents.as_ref()));
    let elf = elf.map_err(|error| error.within(String::from_utf8_lossy(record.name)));
    let matches = elf.as_ref().is_ok_and(|elf| machine(&abi) == Some((elf.machine, elf.bits / 32)));
    let stored_at = if record.is_deflated() { None } else { directory.data_offset(record).ok() };
    NativeLibrary { abi, name, bytes: record.uncompressed, stored_at, matches, elf }
}

fn native(directory: &Directory, record: &Record<'_>, abi: String, library: String) -> NativeAbi {
    let start = directory.entry_start(record, LIBRARY_START).unwrap_or_default();
    let header = Parser::parse_header(&start).ok();
    let matches = header.as_ref().is_some_and(|header| {
        // The word size is in the header's identification: 1 for 32 bits, 2 for 64.
        let class = header.e_ident.get(4).copied();
        machine(&abi) == Some((header.e_machine, class.unwrap_or_default()))
    });
    let load_alignment = header.and_then(|header| load_alignment(&start, &header));
    NativeAbi { abi, library, matches, load_alignment }
}

/// Whether there are ABIs among these, and none of 64 bits.
pub(super) fn is_32_bit_only(abis: &[String]) -> bool {
    let known: Vec<u8> = abis.iter().filter_map(|abi| machine(abi)).map(|(_, class)| class).collect();
    !known.is_empty() && known.iter().all(|&class| class == 1)
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
