//! Locales and references into the platform, on files that aapt2 links against the real `framework-res.apk` of AOSP 10.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use preloaded::apk::{self, Framework, Locale, Options, Unresolved};
use preloaded::bytes::{FileBytes, SharedBytes};
use serde_json::Value;

use super::crafted::{self, Offsets, chunk, document, end, resource_type, resources, start, zip};
use super::root;

/// From the package android-framework-res.
const PLATFORM: &str = "/usr/share/android-framework-res/framework-res.apk";

fn platform() -> Framework {
    let file = FileBytes::open(Path::new(PLATFORM));
    let file = file.unwrap_or_else(|error| panic!("{PLATFORM} (package android-framework-res): {error}"));
    let mut framework = Framework::default();
    framework.add(&(Arc::new(file) as SharedBytes)).unwrap();
    framework
}

fn aapt2(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("aapt2").current_dir(folder).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("aapt2 can't be started: {error}"));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Links a package file with this element and these strings by qualifier.
fn link(folder: &Path, application: &str, strings: &[(&str, &str)]) -> PathBuf {
    for (qualifier, text) in strings {
        let values = folder.join(format!("res/values{qualifier}"));
        fs::create_dir_all(&values).unwrap();
        let text = format!("<resources><string name=\"name\">{text}</string></resources>");
        fs::write(values.join("strings.xml"), text).unwrap();
    }
    let namespace = "http://schemas.android.com/apk/res/android";
    let manifest = format!("<manifest xmlns:android=\"{namespace}\" package=\"a.b\">{application}</manifest>");
    fs::write(folder.join("AndroidManifest.xml"), manifest).unwrap();
    aapt2(folder, &["compile", "--dir", "res", "-o", "compiled.zip"]);
    aapt2(folder, &["link", "-I", PLATFORM, "--manifest", "AndroidManifest.xml", "-o", "app.apk", "compiled.zip"]);
    folder.join("app.apk")
}

fn open(path: &Path, locales: &[Locale], framework: Option<&Framework>) -> apk::Apk {
    let source: SharedBytes = Arc::new(FileBytes::open(path).unwrap());
    apk::open_with(&source, Options { locales, framework }).unwrap()
}

fn labels(apk: &apk::Apk) -> BTreeMap<String, String> {
    apk.manifest.labels.iter().map(|label| (label.locale.clone(), label.text.clone())).collect()
}

#[test]
fn labels_of_every_locale_are_those_that_aapt2_prints() {
    let folder = tempfile::tempdir().unwrap();
    let strings = [
        ("", "default"),
        ("-ru", "Привет"),
        ("-pt-rBR", "Olá"),
        ("-b+sr+Latn", "Zdravo"),
        ("-fil", "Kamusta"),
        ("-b+es+419", "Hola"),
        ("-en-rGB", "Hallo"),
        ("-zh-rTW", "你好"),
        ("-iw", "שלום"),
    ];
    let path = link(folder.path(), "<application android:label=\"@string/name\"/>", &strings);
    let printed = aapt2(folder.path(), &["dump", "badging", "app.apk"]);
    let printed = printed.lines().filter_map(|line| line.strip_prefix("application-label-")?.split_once(':'));
    let expected: BTreeMap<String, String> =
        printed.map(|(locale, text)| (locale.to_owned(), text.trim_matches('\'').to_owned())).collect();
    assert_eq!(expected.len(), strings.len() - 1, "{expected:?}");
    let locales: Vec<Locale> = expected.keys().map(|locale| locale.parse().unwrap()).collect();
    let apk = open(&path, &locales, None);
    assert_eq!((labels(&apk), apk.manifest.label.as_deref()), (expected, Some("default")));
    // A device takes the nearest: another country of the language, the language's other code, else the default.
    let near = ["ru-BY", "pt", "he", "tl", "es-MX", "en", "zh-HK", "sr", "zh", "de"];
    let locales: Vec<Locale> = near.iter().map(|locale| locale.parse().unwrap()).collect();
    let texts: Vec<_> = labels(&open(&path, &locales, None)).into_iter().collect();
    let expected = [
        ("de", "default"),
        ("en", "default"),
        ("es-MX", "Hola"),
        ("he", "שלום"),
        ("pt", "Olá"),
        ("ru-BY", "Привет"),
        ("sr", "default"),
        ("tl", "Kamusta"),
        ("zh", "default"),
        ("zh-HK", "你好"),
    ];
    assert_eq!(texts, expected.map(|(locale, text)| (locale.to_owned(), text.to_owned())));
}

#[test]
fn a_reference_into_the_platform_is_followed_where_it_is_at_hand_and_else_kept() {
    let folder = tempfile::tempdir().unwrap();
    // Straight from the manifest, and by way of a resource of the package's own.
    for label in ["@android:string/cancel", "@string/name"] {
        let application = format!("<application android:label=\"{label}\"/>");
        let path = link(folder.path(), &application, &[("", "@android:string/cancel")]);
        let alone = open(&path, &[], None);
        let unresolved = Unresolved {
            element: "application".into(),
            name: None,
            attribute: "label",
            reference: "@0x01040000".into(),
        };
        assert_eq!((alone.manifest.label, alone.manifest.unresolved), (None, vec![unresolved]));
        assert_eq!(alone.resources, Ok(()));
        let apk = open(&path, &[Locale::RUSSIAN, "de".parse().unwrap()], Some(&platform()));
        assert_eq!(apk.manifest.label.as_deref(), Some("Cancel"));
        let texts = [("de", "Abbrechen"), ("ru", "Отмена")].map(|(locale, text)| (locale.into(), text.into()));
        assert_eq!((labels(&apk), apk.manifest.unresolved), (BTreeMap::from(texts), Vec::new()));
    }
}

#[test]
fn the_permissions_of_the_real_platform_have_the_levels_that_another_tool_read() {
    let apk = open(Path::new(PLATFORM), &[Locale::RUSSIAN], None);
    assert_eq!(
        (apk.manifest.package.as_str(), apk.manifest.unresolved.as_slice(), &apk.resources),
        ("android", [].as_slice(), &Ok(()))
    );
    assert_eq!(labels(&apk).get("ru").map(String::as_str), Some("Система Android"));
    let truth = root().join("../shared/data/truth/aosp10-framework-permissions.json");
    if !truth.is_file() {
        eprintln!("NOT RUN: {} is not there", truth.display());
        return;
    }
    let truth: BTreeMap<String, Value> = serde_json::from_str(&fs::read_to_string(truth).unwrap()).unwrap();
    let mut equal = 0;
    for permission in &apk.manifest.declared_permissions {
        let expected = truth.get(&permission.name).unwrap_or_else(|| panic!("{} is unknown", permission.name));
        let expected = expected.as_u64().or_else(|| expected.get("protectionLevel")?.as_u64());
        assert_eq!(permission.protection_level.map(u64::from), expected, "{}", permission.name);
        equal += 1;
    }
    eprintln!("{equal} permissions equal");
    assert!(equal > 500, "{equal}");
}

#[test]
fn an_app_is_no_framework() {
    let folder = tempfile::tempdir().unwrap();
    let path = link(folder.path(), "<application/>", &[("", "x")]);
    let source: SharedBytes = Arc::new(FileBytes::open(&path).unwrap());
    let error = Framework::default().add(&source).unwrap_err().to_string();
    assert!(error.starts_with("resources.arsc: ") && error.contains("package is 0x7f"), "{error}");
}

const STRINGS: [&str; 6] = [crafted::ANDROID, "label", "manifest", "package", "a.b", "application"];

fn labelled(reference: u32, kind: u8) -> Vec<u8> {
    let nodes = [start(2, &[(3, false, 3, 4)]), start(5, &[(1, true, kind, reference)]), end(5), end(2)];
    document(&STRINGS, &[0, 0x0101_0001], &nodes)
}

fn with_table(manifest: &[u8], types: &[Vec<u8>]) -> SharedBytes {
    let table = resources(&["found"], types);
    Arc::new(zip(&[("AndroidManifest.xml", manifest, true, None), ("resources.arsc", &table, false, None)]))
}

#[test]
fn a_staged_id_stands_for_its_final_one_and_a_dynamic_reference_of_package_0_for_the_files_own() {
    let text = resource_type([0; 2], Offsets::Wide, false, &[(0, 3, 0)]);
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let aliases = |pairs: &[u32]| chunk(0x206, &words(&[pairs.len() as u32 / 2]), &words(pairs));
    let staged = with_table(&labelled(0x7ffe_0003, 1), &[text.clone(), aliases(&[0x7ffe_0003, 0x7f01_0000])]);
    assert_eq!(apk::open(&staged).unwrap().manifest.label.as_deref(), Some("found"));
    let dynamic = with_table(&labelled(0x0001_0000, 7), std::slice::from_ref(&text));
    assert_eq!(apk::open(&dynamic).unwrap().manifest.label.as_deref(), Some("found"));
    // A library that the package was linked against: by its number there, which only the device gives.
    let library = apk::open(&with_table(&labelled(0x0201_0000, 7), std::slice::from_ref(&text))).unwrap();
    assert_eq!((library.manifest.label, library.manifest.unresolved.len()), (None, 1));
    let twice = with_table(&labelled(0x7f01_0000, 1), &[text.clone(), aliases(&[1, 2, 1, 3])]);
    let error = apk::open(&twice).unwrap().resources.unwrap_err().to_string();
    assert!(error.contains("staged id is 0x00000001 twice"), "{error}");
    let mut short = aliases(&[1, 2]);
    short[8] = 2;
    let error = apk::open(&with_table(&labelled(0x7f01_0000, 1), &[text, short])).unwrap().resources.unwrap_err();
    assert!(error.to_string().contains("count of aliases is 2"), "{error}");
}
