//! Raw material of an image: every file that a fact rests on is read once more, whole, and of a package file its manifest.

use crate::apk;
use crate::bytes::{ParseError, SharedBytes, read_vec_at};
use crate::collect::record::Record;
use crate::firmware::Image;
use crate::inventory::{Inventory, OriginKind};

/// The largest file that is kept whole: control files, properties and scripts are smaller.
const FILE_BYTES: u64 = 16 << 20;
/// Files with a manifest in them, of which nothing else is kept.
const PACKAGE_FILES: [&str; 3] = [".apk", ".apex", ".capex"];

/// Keeps what the inventory's origins name. What can't be read again is named as such.
pub(super) fn keep(record: &Record, image: &Image, inventory: &Inventory) {
    for origin in inventory.sources.iter().filter(|origin| origin.kind == OriginKind::File) {
        let Some((mounted, file)) = image.file(&origin.name) else {
            record.leave_out(&origin.name, "no file of a mounted partition");
            continue;
        };
        let is_package = PACKAGE_FILES.iter().any(|end| origin.name.ends_with(end));
        let part = (is_package && origin.sha256.is_none()).then_some(apk::MANIFEST);
        match mounted.filesystem.open(file.node).and_then(|content| bytes(&content, part.is_some())) {
            Ok(bytes) => record.keep(&origin.name, part, &bytes),
            Err(error) => record.leave_out(&origin.name, &format!("can't be read again: {error}")),
        }
    }
}

fn bytes(content: &SharedBytes, manifest: bool) -> Result<Vec<u8>, ParseError> {
    if manifest {
        return apk::manifest_bytes(content);
    }
    read_vec_at(content.as_ref(), 0, content.len(), "length of a file", FILE_BYTES)
}
