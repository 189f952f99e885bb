//! The digest of verified-boot metadata against an independent reading of the same images, and `preloaded match`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use preloaded::bytes::{Budget, Limits, SharedBytes};
use preloaded::firmware::{self, avb};
use serde_json::{Value, json};
use tempfile::TempDir;

const SCRIPT: &str = "tests/support/avb.py";

fn script(mode: &str, folder: &Path) -> String {
    let output = Command::new("python3").args([SCRIPT, mode]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder `images` with a system partition and a chain of metadata around it.
fn build() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    fs::create_dir_all(at.join("system/app/Clean")).unwrap();
    fs::create_dir(at.join("images")).unwrap();
    let properties =
        "ro.build.version.sdk=33\nro.build.fingerprint=a/b/c:13/I/1:user/release-keys\nro.build.type=user\n";
    fs::write(at.join("system/build.prop"), properties).unwrap();
    fs::copy("tests/data/apks/apk-info--anomalies--clean.apk", at.join("system/app/Clean/Clean.apk")).unwrap();
    let command = "mke2fs -q -F -t ext4 -b 4096 -d system images/system.img 2M";
    let output = Command::new("sh").args(["-ec", command]).current_dir(at).output().unwrap();
    assert!(output.status.success(), "{}; install e2fsprogs", String::from_utf8_lossy(&output.stderr));
    script("write", &at.join("images"));
    temp
}

fn partitions(folder: &Path) -> Vec<(String, SharedBytes)> {
    firmware::partitions(folder, &Budget::new(Limits::default())).unwrap()
}

fn outcomes(folder: &Path, trees: bool) -> Vec<(String, &'static str)> {
    let partitions = partitions(folder);
    let chain = avb::read(&partitions).unwrap().unwrap();
    let word = |outcome: &avb::Outcome| match outcome {
        avb::Outcome::Agrees => "agrees",
        avb::Outcome::Differs { .. } => "differs",
        avb::Outcome::NotChecked(_) => "not checked",
    };
    avb::check(&chain, &partitions, 1 << 20, trees).iter().map(|c| (c.partition.clone(), word(&c.outcome))).collect()
}

fn change(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_digest_is_the_one_of_an_independent_reader() {
    let temp = build();
    let images = temp.path().join("images");
    let chain = avb::read(&partitions(&images)).unwrap().unwrap();
    assert_eq!(format!("{} {}\n", chain.sha256, chain.sha512), script("digest", &images));
    let names: Vec<&str> = chain.chain.iter().map(|vbmeta| vbmeta.partition.as_str()).collect();
    assert_eq!(names, ["vbmeta", "boot", "vbmeta_system"]);
    // Any byte of a structure in the chain makes another digest, in both readings.
    for (file, offset) in [("vbmeta.img", 130), ("vbmeta_system.img", 400), ("boot.img", 77_824 + 300)] {
        let before = script("digest", &images);
        change(&images.join(file), offset);
        let after = script("digest", &images);
        assert_ne!(before, after, "{file}");
        let chain = avb::read(&partitions(&images)).unwrap().unwrap();
        assert_eq!(format!("{} {}\n", chain.sha256, chain.sha512), after, "{file}");
    }
}

#[test]
fn a_changed_byte_in_a_partition_is_named() {
    let temp = build();
    let images = temp.path().join("images");
    let named = |name: &str, word| (name.to_owned(), word);
    assert_eq!(outcomes(&images, true), [named("boot", "agrees"), named("dtbo", "agrees"), named("system", "agrees")]);
    assert_eq!(outcomes(&images, false)[2], named("system", "not checked"));
    change(&images.join("boot.img"), 76_799);
    change(&images.join("system.img"), 2_097_151);
    assert_eq!(
        outcomes(&images, true),
        [named("boot", "differs"), named("dtbo", "agrees"), named("system", "differs")]
    );
    // What follows the content is not claimed.
    change(&images.join("dtbo.img"), 20_000);
    assert_eq!(outcomes(&images, true)[1], named("dtbo", "agrees"));
}

#[test]
fn damaged_metadata_is_an_error_that_names_the_partition() {
    let temp = build();
    let images = temp.path().join("images");
    let original = partitions(&images);
    let with = |name: &str, bytes: Vec<u8>| {
        let shared: SharedBytes = Arc::new(bytes);
        let mut all = original.clone();
        all.retain(|(other, _)| other != name);
        all.push((name.to_owned(), shared));
        avb::read(&all)
    };
    let vbmeta = fs::read(images.join("vbmeta.img")).unwrap();
    for length in 0..900 {
        let _ = with("vbmeta", vbmeta[..length].to_vec());
    }
    for at in 0..900 {
        for bit in [1, 0x80] {
            let mut bytes = vbmeta.clone();
            bytes[at] ^= bit;
            let _ = with("vbmeta", bytes);
        }
    }
    let mut magic = vbmeta.clone();
    magic[3] = b'1';
    let words = with("vbmeta", magic).unwrap_err().to_string();
    assert_eq!(words, "vbmeta: byte 0: magic is 41564231, expected AVB0");
    let boot = fs::read(images.join("boot.img")).unwrap();
    let words = with("boot", boot[..boot.len() - 1].to_vec()).unwrap_err().to_string();
    assert!(words.starts_with("boot: byte ") && words.contains("magic of the footer"), "{words}");
    let mut gone = original.clone();
    gone.retain(|(name, _)| name != "vbmeta_system");
    let words = avb::read(&gone).unwrap_err().to_string();
    assert_eq!(words, "vbmeta_system: byte 0: chained partition is absent, expected one of the image");
    gone.retain(|(name, _)| name != "vbmeta");
    assert_eq!(avb::read(&gone).unwrap(), None);
    // A chain that leads back to itself ends at the limit.
    let mut circle = vbmeta.clone();
    let at = circle.windows(13).position(|window| window == b"vbmeta_system").unwrap();
    circle[at..at + 13].copy_from_slice(b"vbmeta\0\0\0\0\0\0\0");
    let length = at - 72;
    circle[length..length + 4].copy_from_slice(&6_u32.to_be_bytes());
    let words = with("vbmeta", circle).unwrap_err().to_string();
    assert!(words.contains("structures in the chain is 33, the limit is 32"), "{words}");
}

/// A saved inventory of a phone that runs the image, but for `change`.
fn phone(folder: &Path, images: &Path, change: impl Fn(&mut Value)) -> std::path::PathBuf {
    let saved = folder.join("image.json");
    let mut scan = Command::new(env!("CARGO_BIN_EXE_preloaded"));
    scan.arg("scan").arg(images).arg("-o").arg(&saved).output().unwrap();
    let mut inventory: Value = serde_json::from_slice(&fs::read(&saved).unwrap()).unwrap();
    let evidence = json!({ "source": 0 });
    inventory["target"] = json!({ "kind": "phone", "name": "adb:X" });
    let digest = script("digest", images).split(' ').next().unwrap().to_owned();
    inventory["state"]["vbmeta_digest"] = json!({ "value": digest, "evidence": evidence });
    inventory["state"]["verified_boot"] = json!({ "value": "green", "evidence": evidence });
    inventory["state"]["bootloader_locked"] = json!({ "value": true, "evidence": evidence });
    change(&mut inventory);
    let file = folder.join("phone.json");
    fs::write(&file, serde_json::to_vec(&inventory).unwrap()).unwrap();
    file
}

fn matched(phone: &Path, images: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_preloaded")).arg("match").arg(phone).arg(images).args(arguments).output().unwrap()
}

#[test]
fn the_answer_says_how_strong_its_proof_is() {
    let temp = build();
    let images = temp.path().join("images");
    let ask = |change: &dyn Fn(&mut Value)| {
        let file = phone(temp.path(), &images, change);
        let output = matched(&file, &images, &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text.lines().next().unwrap_or_default().to_owned(), text)
    };
    let (code, first, text) = ask(&|_| {});
    assert_eq!((code, first.as_str()), (Some(0), "SAME  adb:X runs what images holds [enforced]"), "{text}");
    let (code, first, _) = ask(&|phone| phone["state"]["bootloader_locked"]["value"] = json!(false));
    assert_eq!((code, first.as_str()), (Some(0), "SAME  adb:X runs what images holds [digest]"));
    let (code, first, _) = ask(&|phone| phone["state"]["vbmeta_digest"]["value"] = json!("00".repeat(32)));
    assert_eq!((code, first.as_str()), (Some(1), "DIFFERENT  adb:X does not run what images holds [enforced]"));
    // Without a digest, equal texts and packages prove nothing by themselves.
    let (code, first, text) = ask(&|phone| phone["state"]["vbmeta_digest"]["value"] = Value::Null);
    assert_eq!(code, Some(3), "{text}");
    assert!(first.ends_with("[consistent]") || first.ends_with("[claimed]"), "{first}");
    let (code, first, text) = ask(&|phone| {
        phone["state"]["vbmeta_digest"]["value"] = Value::Null;
        phone["packages"]["value"][0]["copies"][0]["version_code"]["value"] = json!(99);
    });
    assert_eq!(
        (code, first.as_str()),
        (Some(1), "DIFFERENT  adb:X does not run what images holds [claimed]"),
        "{text}"
    );
    assert!(text.contains("version 99 on the device"), "{text}");
}

#[test]
fn an_image_that_is_not_as_its_metadata_says_is_no_proof_and_the_partition_is_named() {
    let temp = build();
    let images = temp.path().join("images");
    let file = phone(temp.path(), &images, |_| {});
    change(&images.join("boot.img"), 100);
    let output = matched(&file, &images, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("differs   partition boot: partition boot: its content has the digest"), "{text}");
    let output = matched(&file, &images, &["--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["comparison"]["answer"], "different");
}

#[test]
fn two_phones_or_two_images_are_a_wrong_call() {
    let temp = build();
    let images = temp.path().join("images");
    let output = matched(&images, &images, &[]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(words, "preloaded: match takes one phone and one image, these are 0 and 2\n");
}
