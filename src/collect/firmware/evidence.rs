//! Raw material of an image: every file that a fact rests on is read once more, whole, and of a package file its manifest.

use crate::apk;
use crate::bytes::{ParseError, read_vec_at};
use crate::collect::record::Record;
use crate::firmware::Image;
use crate::inventory::{Inventory, OriginKind};

/// The largest file that is read as a text; those that were read whole are smaller.
const FILE_BYTES: u64 = 16 << 20;

/// Keeps what the inventory's origins name. What can't be read again is left out: the bundle says so of each origin.
pub(super) fn keep(record: &Record, image: &Image, inventory: &Inventory) {
    for origin in inventory.sources.iter().filter(|origin| origin.kind == OriginKind::File) {
        let Some((mounted, file)) = image.file(&origin.name) else { continue };
        let Ok(content) = mounted.filesystem.open(file.node) else { continue };
        let (part, bytes): (_, Result<Vec<u8>, ParseError>) = match origin.sha256 {
            Some(_) => (None, read_vec_at(content.as_ref(), 0, content.len(), "length of a file", FILE_BYTES)),
            None => (Some(apk::MANIFEST), apk::manifest_bytes(&content)),
        };
        if let Ok(bytes) = bytes {
            record.keep(&origin.name, part, &bytes);
        }
    }
}
