//! Every format of wrapping that recognises the bytes, or the name where that alone tells, and what it says to hold.
#![no_main]

use std::sync::Arc;

use preloaded::bytes::SharedBytes;
use preloaded::container::{FORMATS, Part, PartSet, Probe, arrange, read_head, recognize_end, recognize_foreign};
use preloaded_fuzz::{budget, read_some};

/// Names that matter: none, a compressed stream without a magic number, the list of an update whose data lie beside it.
const NAMES: [&str; 3] = ["sample.img", "sample.img.br", "system.transfer.list"];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes: SharedBytes = Arc::new(data.to_vec());
    let head = read_head(&bytes).expect("memory can be read");
    let beside = Part { name: "system.new.dat".to_owned(), bytes: bytes.clone() };
    let _ = recognize_end(&bytes);
    for name in NAMES {
        let part = Part { name: name.to_owned(), bytes: bytes.clone() };
        let probe = Probe { name, head: &head, len: bytes.len() };
        let _ = recognize_foreign(&probe);
        let siblings = [part.clone(), beside.clone()];
        for format in FORMATS.iter().filter(|format| format.recognizes(&probe)) {
            let parts = format.open(&PartSet { part: &part, siblings: &siblings }, &budget());
            let parts: Vec<Part> = parts.into_iter().flatten().take(64).collect();
            for part in arrange(&parts) {
                read_some(&part.bytes);
            }
        }
    }
});
