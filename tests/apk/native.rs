//! Native libraries against binutils' `readelf`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use preloaded::apk::{self, Elf, ElfKind, NativeLibrary, Relro};
use preloaded::bytes::{FileBytes, SharedBytes};

use super::crafted::zip;
use super::{root, table};

/// What is compared, in one form for both.
fn line(elf: &Elf) -> String {
    let Elf { bits, kind, load_alignment, relro, nx, text_relocations, soname, needed, .. } = elf;
    let program = *kind == ElfKind::PositionIndependentProgram;
    let dynamic = program || *kind == ElfKind::SharedLibrary;
    format!(
        "bits {bits} dynamic {dynamic} program {program} alignment {load_alignment:?} relro {} nx {nx} textrel {text_relocations} \
         soname {soname:?} needed {needed:?} canary {} fortified {} jni {} on_load {}",
        match relro {
            Relro::None => "none",
            Relro::Partial => "partial",
            Relro::Full => "full",
        },
        elf.stack_canary,
        elf.fortified,
        elf.jni_functions,
        elf.jni_on_load
    )
}

fn bracketed(line: &str) -> String {
    line.split_once('[')
        .and_then(|(_, rest)| rest.rsplit_once(']'))
        .map_or_else(String::new, |(name, _)| name.to_owned())
}

/// `readelf` of the file, in the same form.
fn printed(file: &Path) -> String {
    let mut command = Command::new("readelf");
    command.args(["-h", "-lW", "-d", "--dyn-syms"]).arg(file).env("LC_ALL", "C");
    let output = command.output().unwrap_or_else(|error| panic!("readelf (binutils) can't be started: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let bits = if text.contains("ELF64") { 64 } else { 32 };
    let (mut dynamic, mut alignments, mut relro, mut nx) = (false, Vec::new(), false, false);
    let (mut now, mut textrel, mut soname, mut needed) = (false, false, None, Vec::new());
    let (mut canary, mut fortified, mut jni, mut on_load, mut program) = (false, 0, 0, false, false);
    for text in text.lines() {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["Type:", kind, ..] => dynamic = *kind == "DYN",
            ["LOAD", .., align] => alignments.push(u64::from_str_radix(align.trim_start_matches("0x"), 16).unwrap()),
            ["GNU_RELRO", ..] => relro = true,
            ["GNU_STACK", .., flags, _] => nx = !flags.contains('E'),
            ["INTERP", ..] => program = true,
            [_, "(NEEDED)", ..] => needed.push(bracketed(text)),
            [_, "(SONAME)", ..] => soname = Some(bracketed(text)),
            [_, "(TEXTREL)", ..] => textrel = true,
            [_, "(BIND_NOW)", ..] => now = true,
            [_, "(FLAGS)", flags @ ..] => {
                now |= flags.contains(&"BIND_NOW");
                textrel |= flags.contains(&"TEXTREL");
            }
            [_, "(FLAGS_1)", flags @ ..] => {
                now |= flags.contains(&"NOW");
                program |= flags.contains(&"PIE");
            }
            [number, _, _, _, bind, visibility, section, name, ..] if number.ends_with(':') => {
                let name = name.split('@').next().unwrap();
                let chk = name.starts_with("__") && name.ends_with("_chk");
                if *section == "UND" {
                    canary |= name == "__stack_chk_fail";
                    let open = ["__open_2", "__open64_2", "__openat_2", "__openat64_2"].contains(&name);
                    fortified += u32::from(chk || open);
                } else if *bind != "LOCAL" && ["DEFAULT", "PROTECTED"].contains(visibility) {
                    jni += u32::from(name.starts_with("Java_"));
                    on_load |= name == "JNI_OnLoad";
                }
            }
            _ => {}
        }
    }
    let relro = if !relro {
        "none"
    } else if now {
        "full"
    } else {
        "partial"
    };
    let alignment = alignments.into_iter().min();
    format!(
        "bits {bits} dynamic {dynamic} program {} alignment {alignment:?} relro {relro} nx {nx} textrel {textrel} \
         soname {soname:?} needed {needed:?} canary {canary} fortified {fortified} jni {jni} on_load {on_load}",
        dynamic && program
    )
}

/// Libraries of this machine: real ones, of many makers.
fn host_libraries() -> Vec<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/x86_64-linux-gnu/android"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| is_elf(path)).collect();
    files.sort();
    files
}

fn is_elf(path: &Path) -> bool {
    let named = path.to_string_lossy().contains(".so");
    let regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 2 << 20);
    named && regular && fs::read(path).unwrap().starts_with(b"\x7fELF")
}

#[test]
fn libraries_of_this_machine_read_as_readelf_prints_them_stored_or_deflated() {
    let files = host_libraries();
    assert!(files.len() >= 20, "{} libraries", files.len());
    let (mut equal, mut imports) = (0, 0);
    for (index, path) in files.iter().take(240).enumerate() {
        let contents = fs::read(path).unwrap();
        let entry = "lib/x86_64/liba.so";
        let source: SharedBytes = Arc::new(zip(&[(entry, &contents, index % 8 == 0, None)]));
        let libraries = apk::native(&source).unwrap();
        let [NativeLibrary { elf: Ok(elf), stored_at, .. }] = libraries.as_slice() else {
            panic!("{}: {libraries:?}", path.display())
        };
        assert_eq!(line(elf), printed(path), "{}", path.display());
        let start = u64::try_from(30 + entry.len()).unwrap();
        assert_eq!(*stored_at, (index % 8 != 0).then_some(start), "{}", path.display());
        equal += 1;
        imports += elf.fortified;
    }
    eprintln!("{equal} libraries equal, {imports} checked functions imported");
    assert!(imports > 0);
}

#[test]
fn libraries_of_real_packages_read_as_readelf_prints_them() {
    let shared = root().join("../shared/data");
    if !shared.is_dir() {
        eprintln!("NOT RUN: {} is not there", shared.display());
        return;
    }
    let (mut equal, mut jni, mut no_elf) = (0, 0, 0);
    for row in table(&shared.join("truth/apks.tsv")) {
        let path = shared.join(&row["file"]);
        let Ok(file) = FileBytes::open(&path) else { continue };
        let source: SharedBytes = Arc::new(file);
        for library in apk::native(&source).unwrap_or_default() {
            let Ok(elf) = &library.elf else {
                no_elf += 1;
                continue;
            };
            let folder = tempfile::tempdir().unwrap();
            let entry = format!("lib/{}/{}", library.abi, library.name);
            let output = Command::new("unzip").arg("-p").arg(&path).arg(&entry).output();
            let output = output.unwrap_or_else(|error| panic!("unzip can't be started: {error}"));
            let file = folder.path().join("library.so");
            fs::write(&file, output.stdout).unwrap();
            assert_eq!(line(elf), printed(&file), "{}: {entry}", path.display());
            assert!(library.matches, "{}: {entry}", path.display());
            equal += 1;
            jni += elf.jni_functions;
        }
    }
    eprintln!("{equal} libraries equal, {jni} JNI functions; {no_elf} entries are no ELF files");
    assert!(equal >= 6 && no_elf > 0, "{equal} libraries");
}

#[test]
fn no_damaged_library_panics_and_one_cut_short_says_the_same_or_nothing() {
    let library = host_libraries().into_iter().min_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let whole = fs::read(&library).unwrap();
    let read = |contents: &[u8]| {
        let source: SharedBytes = Arc::new(zip(&[("lib/x86_64/liba.so", contents, false, None)]));
        apk::native(&source).unwrap().remove(0).elf
    };
    let facts = read(&whole).unwrap();
    let mut outcomes = [0; 2];
    for at in 0..whole.len().min(6000) {
        for value in [0xff, 0x00, 0x80] {
            let mut changed = whole.clone();
            changed[at] = value;
            outcomes[usize::from(read(&changed).is_ok())] += 1;
        }
        // Code and sections behind the tables are not read.
        assert!(!read(&whole[..at]).is_ok_and(|cut| at <= 64 || cut != facts), "cut to {at}");
    }
    assert!(outcomes.iter().all(|&count| count > 0), "{outcomes:?}");
}
