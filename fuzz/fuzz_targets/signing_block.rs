//! What stands between the entries and the central directory, read for its claims and verified.
#![no_main]

use preloaded::apk::{self, SdkRange};
use preloaded_fuzz::{manifest, package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = package(&[("AndroidManifest.xml", manifest())], data);
    let apk = apk::open(&source);
    assert!(apk.is_ok(), "the block is no part of what the manifest needs");
    let _ = apk::verify(&source, SdkRange { min: None, max: None });
});
