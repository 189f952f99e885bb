//! Whole package files, verified.
#![no_main]

use std::sync::Arc;

use preloaded::apk::{self, SdkRange};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = apk::verify(&(Arc::new(data.to_vec()) as _), SdkRange { min: Some(1), max: None });
});
