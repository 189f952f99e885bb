//! Resource tables, which a manifest's label refers to.
#![no_main]

use preloaded_fuzz::{manifest, package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let entries = [("AndroidManifest.xml", manifest()), ("resources.arsc", data)];
    let _ = preloaded::apk::open(&package(&entries, &[]));
});
