//! APEX and CAPEX files.

use std::fs;
use std::sync::Arc;

use preloaded::apk::{self, Apex};
use preloaded::bytes::{FileBytes, ParseError, SharedBytes};

use super::crafted::zip;
use super::root;

fn read(bytes: Vec<u8>) -> Result<Option<Apex>, ParseError> {
    let source: SharedBytes = Arc::new(bytes);
    apk::apex(&source)
}

/// An APEX with an image of no filesystem.
fn apex(manifest: &[u8]) -> Vec<u8> {
    let key = [vec![0, 0, 16, 0], vec![7; 1028]].concat();
    zip(&[
        ("apex_manifest.pb", manifest, false, None),
        ("apex_payload.img", &[0; 4096], false, None),
        ("apex_pubkey", &key, false, None),
    ])
}

const MANIFEST: &[u8] = b"\x0a\x03a.b\x10\x07\x42\x07libc.so";

#[test]
fn an_apex_within_a_compressed_one_is_read_too() {
    let inner = apex(MANIFEST);
    let outer = [MANIFEST, b"\x62\x04\x0a\x02ff"].concat();
    let capex = zip(&[("apex_manifest.pb", &outer, false, None), ("original_apex", &inner, true, None)]);
    let capex = read(capex).unwrap().unwrap();
    assert_eq!(capex.manifest.original_digest.as_deref(), Some("ff"));
    assert_eq!((capex.payload, capex.key), (None, None));
    let original = *capex.original.unwrap().unwrap();
    assert_eq!((original.manifest.name.as_str(), original.manifest.version), ("a.b", 7));
    assert_eq!(original.manifest.requires, ["libc.so"]);
    assert_eq!(original.key.unwrap().unwrap().bits, 4096);
    assert_eq!(original.payload.map(|payload| (payload.bytes, payload.filesystem)), Some((4096, None)));
}

#[test]
fn a_package_file_is_no_apex_and_one_without_a_manifest_is_refused() {
    assert_eq!(read(zip(&[("classes.dex", b"", false, None)])).unwrap(), None);
    let error = read(zip(&[("apex_payload.img", b"", false, None)])).unwrap_err().to_string();
    assert!(error.starts_with("apex_manifest.pb: "), "{error}");
    let error = read(apex(b"\x0a\xff")).unwrap_err().to_string();
    assert!(error.starts_with("apex_manifest.pb: byte 1: "), "{error}");
}

#[test]
fn no_damaged_apex_panics() {
    let whole = apex(MANIFEST);
    let capex = zip(&[("apex_manifest.pb", MANIFEST, false, None), ("original_apex", &whole, true, None)]);
    for at in 0..capex.len() {
        let mut changed = capex.clone();
        changed[at] = !changed[at];
        let _ = read(changed);
        assert!(read(capex[..at].to_vec()).is_err(), "cut to {at}");
    }
}

#[test]
fn the_shim_packages_of_aosp_say_who_they_are() {
    let folder = root().join("../shared/data/apex/shim");
    if !folder.is_dir() {
        eprintln!("NOT RUN: {} is not there", folder.display());
        return;
    }
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source: SharedBytes = Arc::new(FileBytes::open(&path).unwrap());
        let apex = apk::apex(&source).unwrap().unwrap();
        let package = apk::open(&source).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(apex.manifest.name.starts_with("com.android.apex.cts.shim"), "{name}");
        if name.contains(".v2") {
            assert_eq!(apex.manifest.version, 2, "{name}");
        }
        assert_eq!(apex.manifest.hooks.len(), usize::from(name.contains("_hook")), "{name}");
        assert!(package.manifest.package.starts_with("com.android.apex.cts.shim"), "{name}");
        assert_eq!(apex.key.unwrap().unwrap().bits, 4096, "{name}");
        assert_eq!(apex.payload.unwrap().filesystem, Some("ext4"), "{name}");
        assert_eq!(package.signers, apex.signers, "{name}");
        assert!(package.signers.is_ok_and(|signers| !signers.is_empty()), "{name}");
        files += 1;
    }
    assert!(files >= 9, "{files} files");
}
