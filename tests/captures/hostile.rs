//! No bytes make a parser panic, and none make it loop.

use std::fs;
use std::path::{Path, PathBuf};

use preloaded::dump::{activities, getprop, package, package_list, refusal, users};

use super::double::Phone;
use super::pixel::real;

fn parse_all(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let dump = package::parse(&text);
    for block in dump.packages.iter().flatten().chain(&dump.hidden).chain(dump.shared_users.iter().flatten()) {
        for field in block.body.fields.values() {
            let _ = package::facts::signature_numbers(&field.value);
            let _ = package::facts::splits(&field.value);
            let _ = package::facts::shared_user(&field.value);
            let _ = package::facts::words(&field.value);
        }
        for item in block.body.lists.values().flat_map(|list| &list.value) {
            let _ = package::facts::permission_state(&item.value);
            let _ = package::facts::declared(&item.value);
            let _ = package::facts::package_setting(&item.value);
        }
        let _ = package::facts::permission_level(&block.body.fields);
    }
    let _ = getprop::parse(&text);
    let _ = users::parse(&text);
    let _ = package_list::parse(&text);
    let _ = activities::parse(&text);
    let _ = refusal::find(&text);
}

/// Bytes that mean something to a parser.
const BYTES: &[u8] = b"\n []{}:=,|/ \0\xff9";

/// A generator with a fixed seed (Knuth's MMIX), so that each run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

fn torment(bytes: &[u8], rounds: usize) {
    let mut random = Random(bytes.len() as u64);
    parse_all(bytes);
    for round in 0..rounds {
        parse_all(&bytes[..bytes.len() * round / rounds]);
        let mut changed = bytes.to_vec();
        for _ in 0..50 {
            let at = random.below(changed.len());
            let byte = BYTES[random.below(BYTES.len())];
            if let Some(place) = changed.get_mut(at) {
                *place = byte;
            }
        }
        parse_all(&changed);
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
}

#[test]
fn cut_and_changed_answers_of_fictional_phones_are_read_without_a_panic() {
    for name in ["android5", "android9", "android14", "android16"] {
        for bytes in Phone::fictional(name).answers.values() {
            torment(bytes, 100);
        }
    }
    parse_all(b"");
    parse_all(&[0xff; 4096]);
    parse_all(&b"[".repeat(4096));
    parse_all(&b"Packages:\n  Package [".repeat(4096));
}

#[test]
fn collecting_from_a_phone_with_changed_answers_never_panics() {
    for seed in 0..200 {
        let mut phone = Phone::fictional("android14");
        let mut random = Random(seed);
        for bytes in phone.answers.values_mut() {
            for _ in 0..3 {
                let at = random.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = BYTES[random.below(BYTES.len())];
                }
            }
        }
        let _ = phone.collect();
    }
}

#[test]
fn cut_and_changed_real_captures_are_read_without_a_panic() {
    let Some(folder) = real("captures") else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    found.sort();
    for path in &found {
        let bytes = fs::read(path).unwrap();
        torment(&bytes, if bytes.len() > 100_000 { 12 } else { 60 });
    }
    println!("{} captures cut and changed", found.len());
    assert!(found.len() > 20);
}
