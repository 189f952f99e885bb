//! Content in chunks of equal size.
//!
//! Format (2 bytes of the inode): bits 0 to 4 the chunk's size as a power of two above the block's, 0x20 entries of 8
//! bytes, 0x40 block addresses of 48 bits. Behind the inode, aligned to an entry, for each chunk: its block (4 bytes), or
//! the block's high bits (2), a device (2) and the low bits (4). All bits set are a hole.

use std::sync::Arc;

use super::inode::Inode;
use super::volume::{Metadata, Volume};
use crate::bytes::{ParseError, ReadAt, SharedBytes, le};

const FORMAT_BITS: u16 = 0x1F;
const FORMAT_INDEXES: u16 = 0x20;
const FORMAT_WIDE: u16 = 0x40;
/// Entries that one read of the table takes.
const ENTRIES: usize = 512;

pub(super) fn open(volume: &Arc<Volume>, inode: &Inode) -> Result<SharedBytes, ParseError> {
    let format = inode.chunk_format;
    if format & !(FORMAT_BITS | FORMAT_INDEXES | FORMAT_WIDE) != 0 {
        let found = format!("{format:#x}");
        return Err(ParseError::invalid(inode.offset + 16, "chunk format", found, "no bits above 0x7f"));
    }
    let entry = if format & FORMAT_INDEXES != 0 { 8 } else { 4 };
    let bits = volume.superblock.block_bits + u32::from(format & FORMAT_BITS);
    let chunks = Chunks {
        volume: volume.clone(),
        metadata: inode.metadata.clone(),
        table: inode.end.next_multiple_of(entry),
        entry,
        wide: format & FORMAT_WIDE != 0,
        bits,
        len: inode.len,
    };
    // A table that does not fit is a damage of the inode, found before any chunk is read.
    let size = inode.len.div_ceil(1 << bits) * entry;
    let available = chunks.metadata.bytes().len();
    if chunks.table.checked_add(size).is_none_or(|end| end > available) {
        return Err(ParseError::truncated(chunks.table, size, available).within("chunk table"));
    }
    Ok(Arc::new(chunks))
}

struct Chunks {
    volume: Arc<Volume>,
    metadata: Metadata,
    table: u64,
    entry: u64,
    wide: bool,
    bits: u32,
    len: u64,
}

impl Chunks {
    /// Device and first block of the chunk that `raw` speaks of; `None` for a hole.
    fn block(&self, raw: &[u8]) -> Option<(u16, u64)> {
        let long = |at| le::u32(raw, at).map_or(0, u64::from);
        if self.entry == 4 {
            return Some((0, long(0))).filter(|(_, block)| *block != u64::from(u32::MAX));
        }
        let (high, device) = (le::u16(raw, 0).unwrap_or_default(), le::u16(raw, 2).unwrap_or_default());
        let (block, hole) =
            if self.wide { (u64::from(high) << 32 | long(4), (1 << 48) - 1) } else { (long(4), u64::from(u32::MAX)) };
        (block != hole).then_some((device, block))
    }
}

impl ReadAt for Chunks {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let wanted = buf.len() as u64;
        let Some(end) = offset.checked_add(wanted).filter(|end| *end <= self.len) else {
            return Err(ParseError::truncated(offset, wanted, self.len));
        };
        let (mut rest, mut at) = (buf, offset);
        let mut entries = [0; ENTRIES * 8];
        while at < end {
            let first = at >> self.bits;
            let count = (((end - 1) >> self.bits) - first + 1).min(ENTRIES as u64);
            let place = self.table + first * self.entry;
            let raw = usize::try_from(count * self.entry).ok().and_then(|len| entries.get_mut(..len));
            let raw = raw.unwrap_or_default();
            self.metadata.bytes().read_exact_at(place, raw)?;
            for (index, raw) in raw.chunks_exact(usize::try_from(self.entry).unwrap_or(8)).enumerate() {
                let within = at & ((1 << self.bits) - 1);
                let take = ((1 << self.bits) - within).min(end - at);
                let take_bytes = usize::try_from(take).unwrap_or(usize::MAX);
                let Some((target, behind)) = std::mem::take(&mut rest).split_at_mut_checked(take_bytes) else {
                    return Ok(());
                };
                match self.block(raw) {
                    Some((device, block)) => {
                        let start = self.volume.superblock.block(block).saturating_add(within);
                        let device = self.volume.devices.get(device, place + index as u64 * self.entry)?;
                        device.unwrap_or(&self.volume.bytes).read_exact_at(start, target)?;
                    }
                    None => target.fill(0),
                }
                (rest, at) = (behind, at + take);
            }
        }
        Ok(())
    }
}
