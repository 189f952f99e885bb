//! Native libraries in inventories of images, against binutils' `readelf`, and what the rules of `audit/hygiene` make of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use preloaded::assess::{Finding, assess};
use preloaded::bytes::Limits;
use preloaded::check::{Context, Reason, Verdict};
use preloaded::collect::firmware::{FirmwareSource, PackageReading};
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{Fact, Inventory, NativeLibrary, Relro};
use preloaded::profile;

const APK: &str = "tests/data/apks/npm--unlock_apk-debug.apk";
const PACKAGE: &str = "io.appium.unlock";

/// A small library of this machine, whatever it is.
fn host_library() -> PathBuf {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let small = |path: &PathBuf| {
        let regular = fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() < 1 << 20);
        regular && path.to_string_lossy().contains(".so") && fs::read(path).unwrap().starts_with(b"\x7fELF")
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(small).collect();
    files.sort();
    files.into_iter().next().expect("a machine without libraries")
}

/// The tree of an image of API level 35 with one package, the machine's library and a damaged one in it.
fn tree(at: &Path, library: &Path) {
    let app = at.join("system/app/Unlock");
    fs::create_dir_all(&app).unwrap();
    fs::write(at.join("system/build.prop"), "ro.build.version.sdk=35\n").unwrap();
    fs::copy(APK, app.join("Unlock.apk")).unwrap();
    let folder = at.join("lib/x86_64");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(library, folder.join("libhost.so")).unwrap();
    fs::write(folder.join("libdamaged.so"), b"\x7fELF and no more").unwrap();
    let mut command = Command::new("zip");
    command.args(["-q", "system/app/Unlock/Unlock.apk", "lib/x86_64/libhost.so", "lib/x86_64/libdamaged.so"]);
    let output = command.current_dir(at).output().unwrap_or_else(|error| panic!("zip can't be started: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(at.join("lib")).unwrap();
}

fn collect(at: &Path, native: bool) -> Inventory {
    let reading = PackageReading { native, ..PackageReading::default() };
    let mut source = FirmwareSource::new(at, Limits::default()).reading(Arc::new(reading));
    source.collect(&Request::default(), &Silent).unwrap()
}

fn libraries(inventory: &Inventory) -> Option<&Fact<Vec<NativeLibrary>>> {
    inventory.package(PACKAGE).unwrap().copies[0].code.known().unwrap().libraries.as_ref()
}

fn printed(library: &Path) -> String {
    let mut command = Command::new("readelf");
    command.args(["-lW", "-d"]).arg(library).env("LC_ALL", "C");
    let output = command.output().unwrap_or_else(|error| panic!("readelf (binutils) can't be started: {error}"));
    String::from_utf8(output.stdout).unwrap()
}

/// What a rule finds, beside what the missing partitions of the tree may hide.
fn of_rule(inventory: &Inventory, rule: &str) -> Finding {
    let profile = profile::load("audit/hygiene").unwrap_or_else(|error| panic!("{error}"));
    let assessment = assess(&profile, inventory, &Context::on(jiff::civil::date(2026, 6, 1))).unwrap();
    let hidden = Some(Reason::IncompleteEvidence);
    assessment.findings.into_iter().find(|finding| finding.rule == rule && finding.reason != hidden).unwrap()
}

#[test]
fn libraries_are_read_on_request_say_what_readelf_says_and_are_judged() {
    let library = host_library();
    let temp = tempfile::tempdir().unwrap();
    tree(temp.path(), &library);

    let plain = collect(temp.path(), false);
    assert!(libraries(&plain).is_none());
    let found = of_rule(&plain, "HYG-PAGES");
    assert_eq!((found.verdict, found.reason), (Verdict::Inconclusive, Some(Reason::UnknownFact)), "{found:#?}");
    assert!(found.observed.contains("`--native` reads them"), "{found:#?}");

    let inventory = collect(temp.path(), true);
    let list = libraries(&inventory).unwrap().known().unwrap();
    let names: Vec<&str> = list.iter().map(|library| library.name.as_str()).collect();
    assert_eq!(names, ["libdamaged.so", "libhost.so"]);
    assert!(list[0].elf.gap().unwrap().place.ends_with("Unlock.apk!lib/x86_64/libdamaged.so"));
    let Fact::Known { value: elf, evidence } = &list[1].elf else { panic!("{:?}", list[1]) };
    assert_eq!(evidence.at.as_deref(), Some("lib/x86_64/libhost.so"));
    assert_eq!(inventory.origin(evidence).unwrap().name, "/system/app/Unlock/Unlock.apk");

    let text = printed(&library);
    let lines = || text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let align = |words: &[&str]| u64::from_str_radix(words.last().unwrap().trim_start_matches("0x"), 16).unwrap();
    let least = lines().filter(|words| words.first() == Some(&"LOAD")).map(|words| align(&words)).min().unwrap();
    // It is deflated, so that its place in the file does not matter.
    assert_eq!(elf.large_pages, Some(least >= 16_384));
    assert_eq!(elf.relro == Relro::None, !text.contains("GNU_RELRO"));
    let stack = lines().find(|words| words.first() == Some(&"GNU_STACK")).unwrap();
    assert_eq!(elf.nx, !stack[stack.len() - 2].contains('E'));
    assert_eq!(elf.text_relocations, text.contains("TEXTREL"));

    let found = of_rule(&inventory, "HYG-PAGES");
    if least < 16_384 {
        assert_eq!((found.verdict, found.reason), (Verdict::Fail, Some(Reason::NativeCode)), "{found:#?}");
        assert_eq!(found.evidence[0].at.as_deref(), Some("lib/x86_64/libhost.so"));
        assert!(found.notes.iter().any(|note| note.contains("libdamaged.so")), "{found:#?}");
    } else {
        assert_eq!(found.verdict, Verdict::Inconclusive, "{found:#?}");
    }
}
