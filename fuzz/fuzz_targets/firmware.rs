//! Whole inputs, layer by layer as deep as they go, and the files of the volumes in them.
#![no_main]

use std::sync::Arc;

use preloaded::container::Part;
use preloaded::firmware::open_part;
use preloaded_fuzz::{budget, read_some};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let part = Part { name: "sample.img".to_owned(), bytes: Arc::new(data.to_vec()) };
    let image = open_part(&part, &budget(), &());
    for mounted in image.volumes() {
        let _ = mounted.filesystem.features();
        for file in mounted.files.iter().take(64) {
            if let Ok(content) = mounted.filesystem.open(file.node) {
                read_some(&content);
            }
            let _ = image.find(&mounted.device_path(&file.path), true);
        }
    }
    let _ = image.find("/system/etc/../build.prop", true);
});
