//! Directories: blocks that begin with entries of 12 bytes and end with their names.
//!
//! Entry: `nid` (8 bytes), `nameoff` (2, within the block), `file_type` (1), one unused. The first `nameoff` tells how
//! many entries there are; a name ends where the next begins, the last one at a NUL or the end of the block.

use crate::bytes::{ParseError, SharedBytes, le, zeroed};
use crate::filesystem::{DirEntry, NodeId};

/// A million names of 60 bytes.
const DIRECTORY_BYTES: u64 = 64 << 20;

/// All entries but `.` and `..`, in the order stored.
pub(super) fn read(content: &SharedBytes, block_size: u64) -> Result<Vec<DirEntry>, ParseError> {
    if content.len() > DIRECTORY_BYTES {
        return Err(ParseError::limit(0, "length of a directory", content.len(), DIRECTORY_BYTES));
    }
    let mut entries = Vec::new();
    let mut block = zeroed(0, block_size.min(content.len()), "block", block_size)?;
    let mut at = 0;
    while at < content.len() {
        let len = usize::try_from(content.len() - at).unwrap_or(usize::MAX).min(block.len());
        let chunk = block.get_mut(..len).unwrap_or_default();
        content.read_exact_at(at, chunk)?;
        parse(chunk, at, &mut entries)?;
        at += len as u64;
    }
    Ok(entries)
}

fn parse(block: &[u8], place: u64, entries: &mut Vec<DirEntry>) -> Result<(), ParseError> {
    let name_at = |index: usize| le::u16(block, index * 12 + 8).map(usize::from);
    let first = name_at(0).unwrap_or_default();
    if first < 12 || first % 12 != 0 || first > block.len() {
        return Err(ParseError::invalid(place + 8, "nameoff", first, "a multiple of 12 within the block"));
    }
    let count = first / 12;
    for index in 0..count {
        let here = place + (index * 12) as u64;
        let start = name_at(index).unwrap_or_default();
        let last = index + 1 == count;
        let end = if last { block.len() } else { name_at(index + 1).unwrap_or_default() };
        let Some(name) = block.get(start..end).filter(|name| start >= first && !name.is_empty()) else {
            return Err(ParseError::invalid(here + 8, "nameoff", start, "ascending places of names"));
        };
        let name = if last { name.split(|byte| *byte == 0).next().unwrap_or_default() } else { name };
        if name == b"." || name == b".." {
            continue;
        }
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            let found = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(ParseError::invalid(place + start as u64, "name", found, "a name without / and NUL"));
        }
        let node = NodeId(le::u64(block, index * 12).unwrap_or_default());
        entries.push(DirEntry { name: String::from_utf8_lossy(name).into_owned(), node });
    }
    Ok(())
}
