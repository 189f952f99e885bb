//! Directories, in metadata: runs of up to 256 entries whose inodes stand in one block.
//!
//! A run is `count` (4 bytes, less 1), `start` (4: the block in the inode table) and `inode_number` (4), then its entries:
//! `offset` (2: the byte in that block), `inode_offset` (2), `type` (2), `size` (2, less 1) and the name. The length that an
//! inode has for a directory counts 3 bytes for `.` and `..`, which are not stored.

use super::volume::{Place, Volume};
use crate::bytes::{ParseError, le};
use crate::filesystem::{DirEntry, NodeId};

/// A million names of 50 bytes.
const DIRECTORY_BYTES: u64 = 64 << 20;
/// Names in one directory; a whole filesystem may have as many. A block of metadata may decode to a thousand times its length.
const ENTRIES: usize = 1 << 20;
const RUN: u32 = 256;
const NAME_BYTES: usize = 256;

/// All entries, in the order stored.
pub(super) fn read(volume: &Volume, mut place: Place, len: u64) -> Result<Vec<DirEntry>, ParseError> {
    if len > DIRECTORY_BYTES {
        return Err(ParseError::limit(place.block, "length of a directory", len, DIRECTORY_BYTES));
    }
    let mut left = len.saturating_sub(3);
    let mut entries = Vec::new();
    while left > 0 {
        let at = place.block;
        let mut head = [0; 12];
        take(&mut left, 12, at)?;
        volume.read_metadata(&mut place, &mut head)?;
        let count = le::u32(&head, 0).unwrap_or_default();
        if count >= RUN {
            return Err(ParseError::invalid(at, "count", count, "less than 256"));
        }
        if entries.len() >= ENTRIES {
            return Err(ParseError::limit(at, "names in a directory", entries.len() as u64 + 1, ENTRIES as u64));
        }
        let block = u64::from(le::u32(&head, 4).unwrap_or_default()) << 16;
        for _ in 0..=count {
            let at = place.block;
            let mut entry = [0; 8];
            take(&mut left, 8, at)?;
            volume.read_metadata(&mut place, &mut entry)?;
            let short = |at| le::u16(&entry, at).unwrap_or_default();
            let mut name = [0; NAME_BYTES];
            let len = usize::from(short(6)) + 1;
            let Some(name) = name.get_mut(..len) else {
                return Err(ParseError::invalid(at, "size", len, "a name of 256 bytes or less"));
            };
            take(&mut left, len as u64, at)?;
            volume.read_metadata(&mut place, name)?;
            if name.iter().any(|byte| matches!(byte, 0 | b'/')) || name == b"." || name == b".." {
                let found = String::from_utf8_lossy(name).escape_debug().to_string();
                return Err(ParseError::invalid(at, "name", found, "a name without / and NUL"));
            }
            let node = NodeId(block | u64::from(short(0)));
            entries.push(DirEntry { name: String::from_utf8_lossy(name).into_owned(), node });
        }
    }
    Ok(entries)
}

/// Takes what is read next off the length of the directory.
fn take(left: &mut u64, len: u64, at: u64) -> Result<(), ParseError> {
    match left.checked_sub(len) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(ParseError::invalid(at, "entry", "cut off", "one within the directory's length")),
    }
}
