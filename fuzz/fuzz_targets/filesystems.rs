//! Every filesystem that recognises the bytes, and the files that it says to hold.
#![no_main]

use std::sync::Arc;

use preloaded::filesystem::{FORMATS, walk};
use preloaded_fuzz::{budget, read_some};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for format in FORMATS.iter().filter(|format| format.recognizes(data)) {
        let budget = budget();
        let Ok(volume) = format.mount(Arc::new(data.to_vec()), &budget) else { continue };
        let (files, _) = walk(volume.as_ref(), volume.root(), &budget.limits);
        for file in files.iter().take(64) {
            if let Ok(content) = volume.open(file.node) {
                read_some(&content);
            }
        }
    }
});
