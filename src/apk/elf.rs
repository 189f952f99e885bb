//! What one native library says of its hardening and its interface: the ELF header, program headers, dynamic table, and
//! the symbols that it names (System V ABI, chapters 4 and 5; GNU extensions as `elf.h` has them).
//!
//! | part | found by | read |
//! |---|---|---|
//! | program headers | `e_phoff`, `e_phnum` | all |
//! | dynamic table | `PT_DYNAMIC` | to its `DT_NULL` |
//! | symbols | `DT_SYMTAB`; their number from `DT_HASH` or `DT_GNU_HASH`, else from the section headers | all, piece by piece |
//! | strings | `DT_STRTAB`, `DT_STRSZ` | all |
//!
//! Addresses become offsets by the `PT_LOAD` segments, as the dynamic linker has it. Code and data are not read.
//! Big-endian files, which Android never had, are not read.

use goblin::container::{Container, Ctx};
use goblin::elf::dynamic::{
    DF_1_NOW, DF_1_PIE, DF_BIND_NOW, DF_TEXTREL, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_GNU_HASH, DT_HASH, DT_NEEDED,
    DT_NULL, DT_SONAME, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_TEXTREL,
};
use goblin::elf::header::{ET_DYN, ET_EXEC};
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD, ProgramHeader};
use goblin::elf::section_header::SHT_DYNSYM;
use goblin::elf::sym::{STB_LOCAL, STV_DEFAULT, STV_PROTECTED, Sym, Symtab};
use goblin::elf::{Elf as Parser, Header};
use serde::Serialize;

use crate::bytes::{ParseError, ReadAt, le, read_vec_at, within};

/// Bytes of a header of 64 bits, the longer one.
const HEADER: u64 = 64;
/// A dynamic table of 1 MiB has 65,536 entries; real ones have some forty.
const MAX_DYNAMIC: u64 = 1 << 20;
/// Chromium's libraries export some ten thousand.
const MAX_SYMBOLS: u64 = 1 << 20;
/// Names of a million symbols.
const MAX_STRINGS: u64 = 64 << 20;
/// Symbols read at once.
const PIECE: u64 = 16 << 10;
/// Section headers read where no hash table counts the symbols; a section number has 16 bits.
const MAX_SECTIONS: u64 = 1 << 22;
/// Libraries that one may want.
const MAX_NEEDED: usize = 1024;
/// Bytes of a library's name: as long as a file name can be.
const MAX_NAME: usize = 255;
/// Bytes of a symbol's name that are looked at.
const SYMBOL_START: usize = 80;

/// Facts of one ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elf {
    /// What it is to the loader.
    pub kind: ElfKind,
    /// Word size: 32 or 64.
    pub bits: u8,
    /// `e_machine`.
    pub machine: u16,
    /// Least `p_align` of its `PT_LOAD` segments: below 16,384 it can't be loaded with pages of 16 KiB.
    pub load_alignment: Option<u64>,
    /// Whether data that only the loader writes is made read-only.
    pub relro: Relro,
    /// Whether its stack is not executable: a `PT_GNU_STACK` without `PF_X`.
    pub nx: bool,
    /// Whether it imports `__stack_chk_fail`: some of its functions guard their stack.
    pub stack_canary: bool,
    /// Number of checked functions (`__memcpy_chk`, `__open_2` ...) that it imports: built with `_FORTIFY_SOURCE`.
    pub fortified: u32,
    /// Whether code is changed while loading (`DT_TEXTREL`): Android refuses that for 64 bits, and from target 23 on.
    pub text_relocations: bool,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in the order of loading.
    pub needed: Vec<String>,
    /// Number of exported `Java_*` functions.
    pub jni_functions: u32,
    /// Whether it exports `JNI_OnLoad`, which may register more.
    pub jni_on_load: bool,
}

/// What an ELF file is to the loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElfKind {
    /// `ET_DYN` without an interpreter.
    SharedLibrary,
    /// `ET_DYN` with an interpreter or marked as one: a program that runs anywhere in memory (PIE).
    PositionIndependentProgram,
    /// `ET_EXEC`: a program at a fixed address, which Android has refused since 5.0.
    FixedProgram,
    /// Anything else.
    Other,
}

/// Protection of data that is written while loading only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// No `PT_GNU_RELRO`.
    None,
    /// Without the table of lazily bound functions.
    Partial,
    /// All of it: functions are bound at once (`BIND_NOW`).
    Full,
}

/// Reads one library.
pub(super) fn read(source: &dyn ReadAt) -> Result<Elf, ParseError> {
    let start = read_vec_at(source, 0, HEADER.min(source.len()), "bytes of the header", HEADER)?;
    let header =
        Parser::parse_header(&start).map_err(|error| ParseError::invalid(0, "header", error, "that of ELF"))?;
    let container = header.container().map_err(|error| ParseError::invalid(4, "EI_CLASS", error, "1 or 2"))?;
    let endianness = header.endianness().map_err(|error| ParseError::invalid(5, "EI_DATA", error, "1"))?;
    if !endianness.is_little() {
        return Err(ParseError::unsupported(5, "a big-endian library"));
    }
    let context = Ctx::new(container, endianness);
    let segments = segments(source, &header, context)?;
    let file = File { source, header: &header, context, segments: &segments };
    let dynamic = file.dynamic()?;
    let names = dynamic.strings.map_or(Ok(Vec::new()), |(at, size)| {
        let at = file.offset(at)?;
        read_vec_at(source, at, size, "bytes of DT_STRTAB", MAX_STRINGS).map_err(|error| error.within("DT_STRTAB"))
    })?;
    let named = |kind| segments.iter().find(|segment| segment.p_type == kind);
    let program = named(PT_INTERP).is_some() || dynamic.pie;
    let mut elf = Elf {
        kind: match header.e_type {
            ET_DYN if program => ElfKind::PositionIndependentProgram,
            ET_DYN => ElfKind::SharedLibrary,
            ET_EXEC => ElfKind::FixedProgram,
            _ => ElfKind::Other,
        },
        bits: if container == Container::Big { 64 } else { 32 },
        machine: header.e_machine,
        load_alignment: segments.iter().filter(|segment| segment.p_type == PT_LOAD).map(|part| part.p_align).min(),
        relro: match (named(PT_GNU_RELRO), dynamic.bind_now) {
            (None, _) => Relro::None,
            (Some(_), false) => Relro::Partial,
            (Some(_), true) => Relro::Full,
        },
        nx: named(PT_GNU_STACK).is_some_and(|segment| segment.p_flags & PF_X == 0),
        stack_canary: false,
        fortified: 0,
        text_relocations: dynamic.text_relocations,
        soname: dynamic.soname.map(|at| name(&names, at)).transpose()?,
        needed: dynamic.needed.iter().map(|&at| name(&names, at)).collect::<Result<_, _>>()?,
        jni_functions: 0,
        jni_on_load: false,
    };
    file.symbols(&dynamic, |symbol| elf.symbol(symbol, &names)).map_err(|error| error.within("DT_SYMTAB"))?;
    Ok(elf)
}

impl Elf {
    fn symbol(&mut self, symbol: &Sym, names: &[u8]) {
        let start = names.get(symbol.st_name..).unwrap_or_default();
        let start = start.get(..SYMBOL_START.min(start.len())).unwrap_or_default();
        let name = start.split(|&byte| byte == 0).next().unwrap_or_default();
        if symbol.st_shndx == 0 {
            self.stack_canary |= name == b"__stack_chk_fail";
            self.fortified += u32::from(is_checked(name));
            return;
        }
        let visible = matches!(symbol.st_visibility(), STV_DEFAULT | STV_PROTECTED);
        if visible && symbol.st_bind() != STB_LOCAL {
            self.jni_functions += u32::from(name.starts_with(b"Java_"));
            self.jni_on_load |= name == b"JNI_OnLoad";
        }
    }
}

/// Whether a function is one that the compiler puts in for `_FORTIFY_SOURCE` (bionic and glibc name them alike).
fn is_checked(name: &[u8]) -> bool {
    let checked = name.starts_with(b"__") && name.ends_with(b"_chk");
    checked || matches!(name, b"__open_2" | b"__open64_2" | b"__openat_2" | b"__openat64_2")
}

fn segments(source: &dyn ReadAt, header: &Header, context: Ctx) -> Result<Vec<ProgramHeader>, ParseError> {
    let width = ProgramHeader::size(context);
    if header.e_phnum != 0 && usize::from(header.e_phentsize) != width {
        return Err(ParseError::invalid(0, "e_phentsize", header.e_phentsize, "the size of a program header"));
    }
    let count = usize::from(header.e_phnum);
    let raw = read_vec_at(source, header.e_phoff, (count * width) as u64, "bytes of program headers", 1 << 22)?;
    ProgramHeader::parse(&raw, 0, count, context)
        .map_err(|error| ParseError::invalid(header.e_phoff, "program headers", error, "as many as e_phnum says"))
}

/// Entries of the dynamic table that are looked at.
#[derive(Default)]
struct Dynamic {
    needed: Vec<u64>,
    soname: Option<u64>,
    /// Address and size.
    strings: Option<(u64, u64)>,
    symbols: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    bind_now: bool,
    text_relocations: bool,
    pie: bool,
}

struct File<'a> {
    source: &'a dyn ReadAt,
    header: &'a Header,
    context: Ctx,
    segments: &'a [ProgramHeader],
}

impl File<'_> {
    /// Where in the file the byte at an address is.
    fn offset(&self, address: u64) -> Result<u64, ParseError> {
        let loaded = self.segments.iter().filter(|segment| segment.p_type == PT_LOAD);
        let mut places = loaded.filter_map(|segment| {
            let distance = address.checked_sub(segment.p_vaddr).filter(|&distance| distance < segment.p_filesz)?;
            segment.p_offset.checked_add(distance)
        });
        let none = || ParseError::invalid(0, "address", format!("{address:#x}"), "one within a PT_LOAD segment");
        places.next().ok_or_else(none)
    }

    fn word(&self) -> u64 {
        if self.context.container == Container::Big { 8 } else { 4 }
    }

    fn dynamic(&self) -> Result<Dynamic, ParseError> {
        let mut dynamic = Dynamic::default();
        let Some(segment) = self.segments.iter().find(|segment| segment.p_type == PT_DYNAMIC) else {
            return Ok(dynamic);
        };
        let at = segment.p_offset;
        let raw = read_vec_at(self.source, at, segment.p_filesz, "bytes of PT_DYNAMIC", MAX_DYNAMIC)?;
        let wide = self.word() == 8;
        let (mut strings, mut size) = (None, 0);
        for entry in raw.chunks_exact(if wide { 16 } else { 8 }) {
            let (tag, value) = if wide {
                (le::u64(entry, 0), le::u64(entry, 8))
            } else {
                (le::u32(entry, 0).map(u64::from), le::u32(entry, 4).map(u64::from))
            };
            let value = value.unwrap_or_default();
            match tag.unwrap_or_default() {
                DT_NULL => break,
                DT_NEEDED if dynamic.needed.len() >= MAX_NEEDED => {
                    let found = MAX_NEEDED as u64 + 1;
                    return Err(ParseError::limit(at, "number of DT_NEEDED", found, MAX_NEEDED as u64));
                }
                DT_NEEDED => dynamic.needed.push(value),
                DT_SONAME => dynamic.soname = Some(value),
                DT_STRTAB => strings = Some(value),
                DT_STRSZ => size = value,
                DT_SYMTAB => dynamic.symbols = Some(value),
                DT_HASH => dynamic.hash = Some(value),
                DT_GNU_HASH => dynamic.gnu_hash = Some(value),
                DT_BIND_NOW => dynamic.bind_now = true,
                DT_TEXTREL => dynamic.text_relocations = true,
                DT_FLAGS => {
                    dynamic.bind_now |= value & DF_BIND_NOW != 0;
                    dynamic.text_relocations |= value & DF_TEXTREL != 0;
                }
                DT_FLAGS_1 => {
                    dynamic.bind_now |= value & DF_1_NOW != 0;
                    dynamic.pie |= value & DF_1_PIE != 0;
                }
                _ => {}
            }
        }
        dynamic.strings = strings.map(|at| (at, size));
        Ok(dynamic)
    }

    fn symbols(&self, dynamic: &Dynamic, mut each: impl FnMut(&Sym)) -> Result<(), ParseError> {
        let Some(address) = dynamic.symbols else { return Ok(()) };
        let start = self.offset(address)?;
        let count = self.symbol_count(dynamic, address)?;
        if count > MAX_SYMBOLS {
            return Err(ParseError::limit(start, "number of symbols", count, MAX_SYMBOLS));
        }
        let width = Sym::size(self.context.container) as u64;
        within(self.source.len(), start, count * width)?;
        let mut done = 0;
        while done < count {
            let next = PIECE.min(count - done);
            let at = start + done * width;
            let raw = read_vec_at(self.source, at, next * width, "bytes of symbols", PIECE * width)?;
            let number = usize::try_from(next).unwrap_or_default();
            let table = Symtab::parse(&raw, 0, number, self.context)
                .map_err(|error| ParseError::invalid(at, "symbols", error, "as many as are counted"))?;
            table.iter().for_each(|symbol| each(&symbol));
            done += next;
        }
        Ok(())
    }

    /// The dynamic table does not count symbols; its hash tables do.
    fn symbol_count(&self, dynamic: &Dynamic, symbols: u64) -> Result<u64, ParseError> {
        if let Some(address) = dynamic.hash {
            let at = self.offset(address)?;
            // `nchain`, one for each symbol.
            return self.words(at.saturating_add(4), 1).map(|words| words.first().copied().unwrap_or_default().into());
        }
        let counted = match dynamic.gnu_hash {
            Some(address) => self.gnu_symbol_count(self.offset(address)?).map_err(|e| e.within("DT_GNU_HASH"))?,
            None => 0,
        };
        // A linker that finds nothing exported writes an empty table, which counts none of the imports either.
        if counted > 1 { Ok(counted) } else { Ok(self.section_symbol_count(symbols)?.unwrap_or(counted)) }
    }

    fn gnu_symbol_count(&self, at: u64) -> Result<u64, ParseError> {
        let header = self.words(at, 4)?;
        let field = |index: usize| u64::from(header.get(index).copied().unwrap_or_default());
        let (buckets, first, bloom) = (field(0), field(1), field(2));
        let buckets_at = at + 16 + bloom * self.word();
        let last = self.words(buckets_at, buckets)?.into_iter().max().map_or(0, u64::from);
        if last < first {
            return Ok(first);
        }
        let mut index = last;
        let mut chain = buckets_at + buckets * 4 + (last - first) * 4;
        // The last symbol of a chain has an odd hash.
        while index < MAX_SYMBOLS {
            let step = 64.min(self.source.len().saturating_sub(chain) / 4).max(1);
            let hashes = self.words(chain, step)?;
            if let Some(end) = hashes.iter().position(|hash| hash & 1 == 1) {
                return Ok(index + end as u64 + 1);
            }
            index += step;
            chain += step * 4;
        }
        Err(ParseError::limit(at, "number of symbols", index, MAX_SYMBOLS))
    }

    /// Number of symbols by the section header of the table at an address.
    fn section_symbol_count(&self, address: u64) -> Result<Option<u64>, ParseError> {
        let wide = self.word() == 8;
        let width = if wide { 64 } else { 40 };
        if self.header.e_shnum == 0 || usize::from(self.header.e_shentsize) != width {
            return Ok(None);
        }
        let size = u64::from(self.header.e_shnum) * width as u64;
        let raw = read_vec_at(self.source, self.header.e_shoff, size, "bytes of section headers", MAX_SECTIONS)?;
        let field = |section: &[u8], at32, at64| {
            if wide { le::u64(section, at64) } else { le::u32(section, at32).map(u64::from) }
        };
        let table = raw
            .chunks_exact(width)
            .find(|section| le::u32(section, 4) == Some(SHT_DYNSYM) && field(section, 12, 16) == Some(address));
        let size = table.and_then(|section| field(section, 20, 32));
        Ok(size.map(|size| size / Sym::size(self.context.container) as u64))
    }

    fn words(&self, at: u64, count: u64) -> Result<Vec<u32>, ParseError> {
        let raw = read_vec_at(self.source, at, count * 4, "bytes of a hash table", MAX_SYMBOLS * 4)?;
        Ok(raw.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }
}

fn name(names: &[u8], at: u64) -> Result<String, ParseError> {
    let rest = usize::try_from(at).ok().and_then(|at| names.get(at..)).unwrap_or_default();
    let rest = rest.get(..rest.len().min(MAX_NAME + 1)).unwrap_or_default();
    let end = rest.iter().position(|&byte| byte == 0).and_then(|end| rest.get(..end));
    let none = || ParseError::invalid(at, "string of DT_STRTAB", "without an end", "at most 255 bytes and NUL");
    end.map(|name| String::from_utf8_lossy(name).into_owned()).ok_or_else(none)
}
