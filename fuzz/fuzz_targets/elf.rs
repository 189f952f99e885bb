//! Native libraries.
#![no_main]

use preloaded_fuzz::{manifest, package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let entries = [("AndroidManifest.xml", manifest()), ("lib/arm64-v8a/libx.so", data)];
    let _ = preloaded::apk::open(&package(&entries, &[]));
});
