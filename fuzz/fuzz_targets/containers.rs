//! Every format of wrapping that recognises the bytes, and what it says to hold.
#![no_main]

use std::sync::Arc;

use preloaded::container::{FORMATS, Part, PartSet, Probe, read_head, recognize_foreign};
use preloaded_fuzz::{budget, read_some};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let part = Part { name: "sample.img".to_owned(), bytes: Arc::new(data.to_vec()) };
    let head = read_head(&part.bytes).expect("memory can be read");
    let probe = Probe { name: &part.name, head: &head, len: part.bytes.len() };
    let _ = recognize_foreign(&probe);
    for format in FORMATS.iter().filter(|format| format.recognizes(&probe)) {
        let budget = budget();
        let set = PartSet { part: &part, siblings: std::slice::from_ref(&part) };
        for part in format.open(&set, &budget).into_iter().flatten().take(64) {
            read_some(&part.bytes);
        }
    }
});
