//! Native libraries.
#![no_main]

use preloaded_fuzz::{manifest, package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let entries = [("AndroidManifest.xml", manifest()), ("lib/arm64-v8a/libx.so", data)];
    let source = package(&entries, &[]);
    let _ = preloaded::apk::open(&source);
    let libraries = preloaded::apk::native(&source).expect("the ZIP is whole");
    assert_eq!(libraries.len(), 1);
});
