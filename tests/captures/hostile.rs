//! No bytes make a parser panic, and none make it loop.

use std::fs;
use std::path::{Path, PathBuf};

use preloaded::bytes::Limits;
use preloaded::collect::capture::CaptureSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::dump::{
    accessibility, activities, app_ops, device_policy, features, getprop, overlay, package, package_list, refusal,
    role, settings, users,
};

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
    let _ = role::parse(&text);
    let _ = device_policy::parse(&text);
    let _ = app_ops::parse(&text);
    let _ = overlay::parse(&text);
    let _ = accessibility::parse(&text);
    let _ = features::parse(&text);
    let _ = settings::parse_list(&text, 0);
    let _ = settings::parse_dump(&text);
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

/// Reads a file as a capture, whatever comes of it.
fn capture(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    if CaptureSource::recognizes(&path) {
        let _ = CaptureSource::new(&path, Limits::default()).collect(&Request::default(), &Silent);
    }
}

#[test]
fn cut_and_changed_captures_of_other_programs_are_read_without_a_panic() {
    let report = "== dumpstate: x\n------ SYSTEM PROPERTIES (getprop) ------\n[ro.build.version.sdk]: [34]\n------ 1s was the \
        duration of 'SYSTEM PROPERTIES' ------\n-------------------------------------------------------------------------------\n\
        DUMP OF SERVICE package:\nFeatures:\n  a.b\nPackages:\n  Package [a.b] (1):\n    userId=1\n    User 0: installed=true \
        enabled=0\n--------- 0.2s was the duration of dumpsys package, ending at: x\n";
    let cts = r#"{"package": [{"name": "a.b", "version_name": "1", "dir": "/system/app/A/A.apk", "min_sdk": 1, "target_sdk":
        99999999999, "uid": -1, "sha256_cert": "AB", "requested_permissions": [{"name": "x"}, 1, null]}, null, {"name": ""}]}"#;
    let hubble = r#"{"version": "2.2.0", "totalPackages": 1, "packages": [{"name": "a.b", "installLocation": "/system/a.apk",
        "certIds": [1, "x"], "permissionsGranted": {}, "permissionsNotGranted": ["y"], "versionCode": "7"}]}"#;
    let androidqf = r#"[{"name": "a.b", "files": [{"path": "/system/a b.apk", "certificate": {"Sha256": "zz"}}], "uid": "x"},
        {"name": "c.d", "files": []}, {"files": null}]"#;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("r.txt", report), ("c.json", cts), ("packages.txt", hubble), ("packages.json", androidqf)] {
        let mut random = Random(7);
        capture(folder.path(), name, text.as_bytes());
        for round in 0..150 {
            capture(folder.path(), name, &text.as_bytes()[..text.len() * round / 150]);
            let mut changed = text.as_bytes().to_vec();
            for _ in 0..4 {
                let at = random.below(changed.len());
                changed[at] = BYTES[random.below(BYTES.len())];
            }
            capture(folder.path(), name, &changed);
        }
    }
    // Depth and numbers that no parser may follow.
    capture(folder.path(), "deep.json", format!("{{\"package\": {}", "[".repeat(100_000)).as_bytes());
    capture(folder.path(), "deep2.json", format!("[{{\"name\": \"a\", \"files\": {}", "[".repeat(100_000)).as_bytes());
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
