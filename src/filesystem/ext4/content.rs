//! Where the content of an inode lies: extents, block map or the inode itself.
//!
//! Extent tree: a node is a header (`eh_magic` 0xF30A, `eh_entries`, `eh_max`, `eh_depth`: 2 bytes each, 4 unused) and
//! entries of 12 bytes: in a leaf `ee_block` (4), `ee_len` (2; above 32768 unwritten), `ee_start_hi` (2),
//! `ee_start_lo` (4); in an index node `ei_block` (4), `ei_leaf_lo` (4), `ei_leaf_hi` (2).
//! Block map: 12 direct blocks, then one block each of single, double and triple indirection; 0 is a hole.

use std::sync::Arc;

use super::inode::Inode;
use super::superblock::Superblock;
use crate::bytes::{ExtentMap, ParseError, SharedBytes, le, read_vec_at};

const EXTENT_MAGIC: u16 = 0xF30A;
/// The kernel's EXT4_MAX_EXTENT_DEPTH.
const MAX_DEPTH: u16 = 5;
/// Longest written extent; a longer one is unwritten.
const MAX_WRITTEN: u64 = 32768;
/// Largest block, 64 KiB.
const BLOCK_BYTES: u64 = 64 << 10;

/// The content, holes and unwritten ranges as zeros.
pub(super) fn open(volume: &SharedBytes, superblock: &Superblock, inode: &Inode) -> Result<SharedBytes, ParseError> {
    if inode.is_inline() {
        return inline(inode);
    }
    // No honest file has more blocks than its volume, with what maps them; a loop soon has.
    let mut mapping =
        Mapping { volume, superblock, map: ExtentMap::new(inode.len), next: 0, run: None, work: superblock.blocks };
    if inode.has_extents() {
        mapping.extents(&inode.block, inode.offset + 0x28, None)?;
    } else {
        mapping.block_map(inode)?;
    }
    mapping.flush()?;
    Ok(mapping.map.shared())
}

/// Data in the inode; the file may be longer, and ends with zeros then, as the kernel reads it.
fn inline(inode: &Inode) -> Result<SharedBytes, ParseError> {
    let mut data = inode.block.to_vec();
    data.extend(inode.inline_rest()?);
    let len = inode.len.min(data.len() as u64);
    let mut map = ExtentMap::new(inode.len);
    map.store(0, Arc::new(data), 0, len)?;
    Ok(map.shared())
}

struct Mapping<'a> {
    volume: &'a SharedBytes,
    superblock: &'a Superblock,
    map: ExtentMap,
    /// First block of the file that is not decided yet.
    next: u64,
    /// Blocks of a block map that follow each other: file block, volume block, count.
    run: Option<(u64, u64, u64)>,
    /// Blocks of the map that may still be read, and blocks that may still be mapped one by one.
    work: u64,
}

impl Mapping<'_> {
    fn work(&mut self) -> Result<(), ParseError> {
        let left = self.work.checked_sub(1);
        self.work = left.ok_or_else(|| {
            ParseError::limit(0, "blocks that map a file", self.superblock.blocks + 1, self.superblock.blocks)
        })?;
        Ok(())
    }

    fn read_block(&mut self, block: u64) -> Result<Vec<u8>, ParseError> {
        self.work()?;
        let size = self.superblock.block_size;
        let offset = block.saturating_mul(size);
        read_vec_at(self.volume.as_ref(), offset, size, "block", BLOCK_BYTES)
    }

    /// Puts `count` blocks at the file's block `logical`, as far as the file is long: blocks allocated behind its end
    /// (a verity tree, preallocation) are not content.
    fn store(&mut self, logical: u64, physical: u64, count: u64) -> Result<(), ParseError> {
        let size = self.superblock.block_size;
        let start = logical.saturating_mul(size);
        let file = crate::bytes::ReadAt::len(&self.map);
        let len = count.saturating_mul(size).min(file.saturating_sub(start));
        self.map.store(start, self.volume.clone(), physical.saturating_mul(size), len)
    }

    /// One node of the extent tree at the volume's byte `place`. `depth` is what its parent promises.
    fn extents(&mut self, node: &[u8], place: u64, depth: Option<u16>) -> Result<(), ParseError> {
        let short = |at| le::u16(node, at).unwrap_or_default();
        if short(0) != EXTENT_MAGIC {
            return Err(ParseError::invalid(place, "eh_magic", format!("{:#x}", short(0)), "0xf30a"));
        }
        let (entries, found) = (short(2), short(6));
        if found > MAX_DEPTH || depth.is_some_and(|depth| depth != found) {
            return Err(ParseError::invalid(place + 6, "eh_depth", found, "one less than its parent's, 5 at most"));
        }
        if depth.is_some() && entries == 0 {
            return Err(ParseError::invalid(place + 2, "eh_entries", 0, "1 or more below the root"));
        }
        for index in 0..usize::from(entries) {
            let at = 12 + index * 12;
            let Some(entry) = node.get(at..at + 12) else {
                return Err(ParseError::invalid(place + 2, "eh_entries", entries, "as many as fit"));
            };
            let place = place + at as u64;
            let logical = le::u32(entry, 0).map_or(0, u64::from);
            // Entries ascend, so no node can be visited twice: a loop or a shared node would start below `next`.
            if logical < self.next {
                return Err(ParseError::invalid(place, "ee_block", logical, "ascending, without overlap"));
            }
            if found > 0 {
                let high = le::u16(entry, 8).map_or(0, u64::from) << 32;
                let child = high | le::u32(entry, 4).map_or(0, u64::from);
                let node = self.read_block(child)?;
                self.extents(&node, child.saturating_mul(self.superblock.block_size), Some(found - 1))?;
                continue;
            }
            let len = le::u16(entry, 4).map_or(0, u64::from);
            let (count, written) = if len > MAX_WRITTEN { (len - MAX_WRITTEN, false) } else { (len, true) };
            if count == 0 {
                return Err(ParseError::invalid(place + 4, "ee_len", 0, "1 or more"));
            }
            self.next = logical + count;
            if written {
                let high = le::u16(entry, 6).map_or(0, u64::from) << 32;
                self.store(logical, high | le::u32(entry, 8).map_or(0, u64::from), count)?;
            }
        }
        Ok(())
    }

    fn block_map(&mut self, inode: &Inode) -> Result<(), ParseError> {
        for index in 0..12 {
            self.mapped(le::u32(&inode.block, index * 4).unwrap_or_default(), 0, inode.len)?;
        }
        for level in 1..=3 {
            let at = 44 + usize::from(level) * 4;
            self.mapped(le::u32(&inode.block, at).unwrap_or_default(), level, inode.len)?;
        }
        Ok(())
    }

    /// One pointer: a block of the file at `level` 0, else a block of pointers.
    fn mapped(&mut self, block: u32, level: u8, len: u64) -> Result<(), ParseError> {
        let size = self.superblock.block_size;
        if self.next.saturating_mul(size) >= len {
            return Ok(());
        }
        let covered = (size / 4).pow(u32::from(level));
        if block == 0 {
            self.next = self.next.saturating_add(covered);
            return Ok(());
        }
        if level > 0 {
            let pointers = self.read_block(u64::from(block))?;
            return pointers
                .chunks_exact(4)
                .try_for_each(|pointer| self.mapped(le::u32(pointer, 0).unwrap_or_default(), level - 1, len));
        }
        self.work()?;
        let (logical, physical) = (self.next, u64::from(block));
        self.next += 1;
        match &mut self.run {
            Some((first, start, count)) if *first + *count == logical && *start + *count == physical => *count += 1,
            _ => {
                self.flush()?;
                self.run = Some((logical, physical, 1));
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParseError> {
        match self.run.take() {
            Some((logical, physical, count)) => self.store(logical, physical, count),
            None => Ok(()),
        }
    }
}
