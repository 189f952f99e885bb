//! Directories: a hash table of blocks, read from its beginning to its end, or its first block in the inode.
//!
//! A block is a bitmap of used slots (the lowest bit first), unused bytes, the slots of 11 bytes and, for each, 8 bytes of
//! name; a longer name goes on over those of the slots behind. Slot: `hash_code` (4), `ino` (4), `name_len` (2),
//! `file_type` (1).

use super::inode::Inode;
use crate::bytes::{ParseError, SharedBytes, le, zeroed};
use crate::filesystem::{DirEntry, NodeId};

/// Three million slots.
const DIRECTORY_BYTES: u64 = 64 << 20;
/// Names in one directory; a whole filesystem may have as many.
const ENTRIES: usize = 1 << 20;
const SLOT: usize = 11;
const NAME: usize = 8;
const NAME_BYTES: usize = 255;

/// Entries that stand in the inode.
pub(super) fn inline(inode: &Inode) -> Result<Vec<DirEntry>, ParseError> {
    let mut entries = Vec::new();
    parse(inode.inline(), inode.offset, &mut entries)?;
    Ok(entries)
}

/// All entries but `.` and `..`, in the order stored.
pub(super) fn read(content: &SharedBytes, block_size: usize) -> Result<Vec<DirEntry>, ParseError> {
    if content.len() > DIRECTORY_BYTES {
        return Err(ParseError::limit(0, "length of a directory", content.len(), DIRECTORY_BYTES));
    }
    let size = block_size as u64;
    let mut block = zeroed(0, size, "block", size)?;
    let mut entries = Vec::new();
    let mut at = 0;
    while at < content.len() {
        content.read_exact_at(at, &mut block)?;
        parse(&block, at, &mut entries)?;
        if entries.len() > ENTRIES {
            return Err(ParseError::limit(at, "names in a directory", entries.len() as u64, ENTRIES as u64));
        }
        at += size;
    }
    Ok(entries)
}

fn parse(block: &[u8], place: u64, entries: &mut Vec<DirEntry>) -> Result<(), ParseError> {
    let slots = block.len() * 8 / ((SLOT + NAME) * 8 + 1);
    let names_at = block.len() - slots * NAME;
    let slots_at = names_at - slots * SLOT;
    let mut index = 0;
    while index < slots {
        if block.get(index / 8).is_none_or(|byte| byte >> (index % 8) & 1 == 0) {
            index += 1;
            continue;
        }
        let at = slots_at + index * SLOT;
        let len = usize::from(le::u16(block, at + 8).unwrap_or_default());
        let start = names_at + index * NAME;
        let name = block.get(start..start + len).filter(|name| !name.is_empty() && name.len() <= NAME_BYTES);
        let name = name.ok_or_else(|| {
            ParseError::invalid(place + at as u64 + 8, "name_len", len, "1 to 255 bytes within the block")
        })?;
        index += len.div_ceil(NAME);
        if name == b"." || name == b".." {
            continue;
        }
        if name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            let found = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(ParseError::invalid(place + start as u64, "name", found, "a name without / and NUL"));
        }
        let node = NodeId(le::u32(block, at + 4).map_or(0, u64::from));
        entries.push(DirEntry { name: String::from_utf8_lossy(name).into_owned(), node });
    }
    Ok(())
}
