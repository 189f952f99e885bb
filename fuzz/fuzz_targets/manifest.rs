//! Binary XML.
#![no_main]

use preloaded_fuzz::package;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = preloaded::apk::open(&package(&[("AndroidManifest.xml", data)], &[]));
});
