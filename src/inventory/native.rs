//! Native libraries of a package file, as far as a scan reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fact;

/// One file of `lib/<abi>/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NativeLibrary {
    /// Folder of `lib/`.
    pub abi: String,
    /// File name.
    pub name: String,
    /// What it says of itself.
    pub elf: Fact<ElfFacts>,
}

/// What an ELF file says of its hardening.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElfFacts {
    /// What it is to the loader.
    pub kind: NativeKind,
    /// Word size: 32 or 64.
    pub bits: u8,
    /// Whether a system with pages of 16 KiB loads it: always false for 32 bits; `null` where its segments do not tell.
    pub large_pages: Option<bool>,
    /// Whether data that only the loader writes is made read-only.
    pub relro: Relro,
    /// Whether its stack is not executable.
    pub nx: bool,
    /// Whether code is changed while loading.
    pub text_relocations: bool,
    /// Whether some of its functions guard their stack.
    pub stack_canary: bool,
    /// Number of checked functions (`__memcpy_chk` ...) that it imports.
    pub fortified: u32,
}

/// What an ELF file is to the loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NativeKind {
    /// A shared library.
    SharedLibrary,
    /// A program that runs anywhere in memory.
    PositionIndependentProgram,
    /// A program at a fixed address, which Android has refused since 5.0.
    FixedProgram,
    /// Anything else.
    Other,
}

/// Protection of data that is written while loading only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// None.
    None,
    /// Without the table of lazily bound functions.
    Partial,
    /// All of it.
    Full,
}
