//! `preloaded apk --native`: libraries, each with what protects it.

use std::io::{self, Write};

use serde::Serialize;

use crate::apk::{Elf, NativeLibrary, Relro};
use crate::report::printable;

/// A library as printed.
#[derive(Debug, Serialize)]
pub(super) struct Library<'a> {
    abi: &'a str,
    name: &'a str,
    bytes: u64,
    /// Offset of a stored library's contents; `null` for a deflated one.
    stored_at: Option<u64>,
    matches: bool,
    /// Whether a system with pages of 16 KiB can load it; `null` where that is not known.
    large_pages: Option<bool>,
    /// `null` where it can't be read.
    elf: Option<&'a Elf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl<'a> From<&'a NativeLibrary> for Library<'a> {
    fn from(library: &'a NativeLibrary) -> Self {
        Self {
            abi: &library.abi,
            name: &library.name,
            bytes: library.bytes,
            stored_at: library.stored_at,
            matches: library.matches,
            large_pages: library.large_pages(),
            elf: library.elf.as_ref().ok(),
            error: library.elf.as_ref().err().map(ToString::to_string),
        }
    }
}

/// A line for each library, with what it lacks.
pub(super) fn write_text(libraries: &[Library<'_>], out: &mut dyn Write) -> io::Result<()> {
    for library in libraries {
        let place = if library.stored_at.is_some() { "stored" } else { "deflated" };
        let text = match (library.elf, &library.error) {
            (Some(elf), _) => described(elf, library.large_pages),
            (None, error) => error.clone().unwrap_or_default(),
        };
        let line = format!("{}/{}, {} bytes, {place}: {text}", library.abi, library.name, library.bytes);
        writeln!(out, "  {:<12} {}", "library", printable(&line))?;
    }
    Ok(())
}

fn described(elf: &Elf, large_pages: Option<bool>) -> String {
    let lacks = [
        (elf.relro == Relro::None, "no RELRO"),
        (elf.relro == Relro::Partial, "partial RELRO"),
        (!elf.nx, "executable stack"),
        (!elf.stack_canary, "no stack canary"),
        (elf.fortified == 0, "not fortified"),
        (elf.text_relocations, "text relocations"),
        (elf.bits == 64 && large_pages == Some(false), "not for pages of 16 KiB"),
    ];
    let lacks: Vec<_> = lacks.iter().filter(|lack| lack.0).map(|lack| lack.1).collect();
    let lacks = if lacks.is_empty() { "hardened".to_owned() } else { lacks.join(", ") };
    let on_load = if elf.jni_on_load { " and JNI_OnLoad" } else { "" };
    format!("{lacks}; {} JNI functions{on_load}; needs {}", elf.jni_functions, elf.needed.join(" "))
}
