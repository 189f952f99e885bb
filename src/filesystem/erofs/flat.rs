//! Content in one piece, whose last block may stand behind the inode.

use super::inode::{Inode, Layout};
use super::volume::Volume;
use crate::bytes::{ExtentMap, ParseError, SharedBytes};

pub(super) fn open(volume: &Volume, inode: &Inode) -> Result<SharedBytes, ParseError> {
    let mut map = ExtentMap::new(inode.len);
    let size = volume.superblock.block_size();
    let inline = match inode.layout {
        // A last block that is full stands behind the inode like one that is not.
        Layout::Inline if inode.len > 0 => (inode.len - 1) % size + 1,
        _ => 0,
    };
    let head = inode.len - inline;
    match inode.start {
        Some(start) if head > 0 => map.store(0, volume.bytes.clone(), volume.superblock.block(start), head)?,
        _ => {}
    }
    if inline > 0 {
        let room = size - inode.end % size;
        if inline > room {
            return Err(ParseError::invalid(inode.offset + 8, "i_size", inode.len, "a tail within its block"));
        }
        map.store(head, inode.metadata.bytes().clone(), inode.end, inline)?;
    }
    Ok(map.shared())
}
