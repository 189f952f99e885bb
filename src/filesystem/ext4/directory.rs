//! Directories: blocks of entries, read linearly. A hashed directory's index blocks look like one empty entry each.
//!
//! Entry: `inode` (4 bytes, 0 for none), `rec_len` (2), `name_len` (1), `file_type` (1), name.

use super::content;
use super::inode::Inode;
use super::superblock::Superblock;
use crate::bytes::{ParseError, ReadAt, SharedBytes, le, zeroed};
use crate::filesystem::{DirEntry, NodeId};

/// A million names of 60 bytes.
const DIRECTORY_BYTES: u64 = 64 << 20;

/// All entries but `.` and `..`, in the order stored.
pub(super) fn read(volume: &SharedBytes, superblock: &Superblock, inode: &Inode) -> Result<Vec<DirEntry>, ParseError> {
    if inode.len > DIRECTORY_BYTES {
        return Err(ParseError::limit(inode.offset + 4, "length of a directory", inode.len, DIRECTORY_BYTES));
    }
    let mut entries = Vec::new();
    if inode.is_inline() {
        // The parent's inode number stands where `.` and `..` would.
        parse(inode.block.get(4..).unwrap_or_default(), inode.offset + 0x2C, &mut entries)?;
        parse(inode.inline_rest()?, inode.offset, &mut entries)?;
        return Ok(entries);
    }
    let content = content::open(volume, superblock, inode)?;
    let mut block = zeroed(inode.offset, superblock.block_size, "block", superblock.block_size)?;
    let mut at = 0;
    while at < content.len() {
        let len = usize::try_from(content.len() - at).unwrap_or(usize::MAX).min(block.len());
        let chunk = block.get_mut(..len).unwrap_or_default();
        content.read_exact_at(at, chunk)?;
        // A hole in a directory reads as zeros and holds no names.
        if chunk.iter().any(|byte| *byte != 0) {
            parse(chunk, at, &mut entries)?;
        }
        at += len as u64;
    }
    Ok(entries)
}

fn parse(block: &[u8], place: u64, entries: &mut Vec<DirEntry>) -> Result<(), ParseError> {
    let mut at = 0;
    while at < block.len() {
        let here = place + at as u64;
        let rest = block.get(at..).unwrap_or_default();
        let (Some(node), Some(length), Some(name_len)) = (le::u32(rest, 0), le::u16(rest, 4), rest.get(6)) else {
            // Inline data leave a few bytes that hold no entry.
            return Ok(());
        };
        let (node, name_len) = (u64::from(node), usize::from(*name_len));
        // 65536 does not fit: blocks of 64 KiB write 65535 or 0.
        let length = match usize::from(length) {
            0 | 0xFFFF if block.len() == 0x1_0000 => 0x1_0000,
            length => length,
        };
        if length < 8 || length % 4 != 0 || length > rest.len() {
            return Err(ParseError::invalid(here + 4, "rec_len", length, "a multiple of 4 within the block"));
        }
        at += length;
        if node == 0 || name_len == 0 {
            continue;
        }
        let Some(name) = rest.get(8..8 + name_len).filter(|_| 8 + name_len <= length) else {
            return Err(ParseError::invalid(here + 6, "name_len", name_len, "within rec_len"));
        };
        if name == b"." || name == b".." {
            continue;
        }
        if name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            let found = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(ParseError::invalid(here + 8, "name", found, "a name without / and NUL"));
        }
        entries.push(DirEntry { name: String::from_utf8_lossy(name).into_owned(), node: NodeId(node) });
    }
    Ok(())
}
