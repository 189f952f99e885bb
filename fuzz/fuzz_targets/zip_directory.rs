//! Whole package files.
#![no_main]

use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = preloaded::apk::open(&(Arc::new(data.to_vec()) as _));
});
