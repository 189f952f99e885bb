//! Every filesystem that recognises the bytes, and the files that it says to hold.
#![no_main]

use std::cell::Cell;
use std::sync::Arc;

use preloaded::filesystem::{Beside, FORMATS, walk};
use preloaded_fuzz::{budget, read_some};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for format in FORMATS.iter().filter(|format| format.recognizes(data)) {
        let budget = budget();
        // What lies beside a volume may be a device of it.
        let half = data.len() / 2;
        let beside =
            [Beside { name: "blob".to_owned(), bytes: Arc::new(data[half..].to_vec()), taken: Cell::default() }];
        let Ok(volume) = format.mount_among(Arc::new(data.to_vec()), &beside, &budget) else { continue };
        let _ = volume.features();
        let (files, _) = walk(volume.as_ref(), volume.root(), &budget.limits);
        for file in files.iter().take(64) {
            if let Ok(content) = volume.open(file.node) {
                read_some(&content);
            }
        }
    }
});
