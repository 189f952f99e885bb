//! Checkpoint packs: the state of the volume at a moment. There are two, written in turn; the newest valid one holds.
//!
//! A pack is its first block, `cp_payload` more, orphans, summaries, and the first block again.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | `checkpoint_ver` |
//! | 36 | 8 * 4 | `cur_node_segno`: the second is the segment of warm nodes |
//! | 68 | 8 * 2 | `cur_node_blkoff`: the next free block in it |
//! | 132 | 4 | `ckpt_flags` |
//! | 136 | 4 | `cp_pack_total_block_count` |
//! | 140 | 4 | `cp_pack_start_sum`: where summaries begin |
//! | 156 | 4 | `sit_ver_bitmap_bytesize` |
//! | 160 | 4 | `nat_ver_bitmap_bytesize` |
//! | 164 | 4 | `checksum_offset` |
//! | 192 | | `sit_nat_version_bitmap` |

use std::collections::BTreeMap;

use super::superblock::Superblock;
use crate::bytes::{ParseError, SharedBytes, le, read_vec_at};

const FLAG_UMOUNT: u32 = 0x1;
const FLAG_COMPACT_SUMMARY: u32 = 0x4;
const FLAG_FASTBOOT: u32 = 0x20;
const FLAG_CRC_RECOVERY: u32 = 0x40;
const FLAG_LARGE_NAT_BITMAP: u32 = 0x400;
const BITMAP: u64 = 192;
/// The kernel's F2FS_SUPER_MAGIC, where its checksums start.
const SEED: u32 = 0xF2F5_2010;
/// Bits of the node address table's versions: one for each of its blocks. 1 MiB says of 3.8 billion nodes.
const BITMAP_BYTES: u64 = 1 << 20;

/// What the newest valid pack says.
pub(super) struct Checkpoint {
    /// A bit for each block of the node address table, the highest of each byte first: which of its two places holds.
    pub(super) nat_versions: Vec<u8>,
    /// Addresses of nodes that are newer than those of the table.
    pub(super) journal: BTreeMap<u32, u32>,
}

struct Pack {
    /// Its first block in the volume.
    start: u64,
    version: u64,
    checksum: u32,
    head: Vec<u8>,
}

impl Checkpoint {
    pub(super) fn read(volume: &SharedBytes, superblock: &Superblock) -> Result<Self, ParseError> {
        let start = u64::from(superblock.checkpoint);
        let first = Pack::read(volume, superblock, start);
        let second = Pack::read(volume, superblock, start + (1 << superblock.segment_bits));
        let pack = match (first, second) {
            (Ok(first), Ok(second)) if second.version > first.version => second,
            (Ok(first), _) => first,
            (Err(_), Ok(second)) => second,
            (Err(error), Err(_)) => return Err(error),
        };
        pack.refuse_log(volume, superblock)?;
        Ok(Self { nat_versions: pack.nat_versions(volume, superblock)?, journal: pack.journal(volume, superblock)? })
    }
}

impl Pack {
    fn read(volume: &SharedBytes, superblock: &Superblock, start: u64) -> Result<Self, ParseError> {
        let head = block(volume, superblock, start)?;
        let blocks = le::u32(&head, 136).unwrap_or_default();
        let at = superblock.block(start);
        if !(2..=1 << superblock.segment_bits).contains(&blocks) {
            return Err(ParseError::invalid(at + 136, "cp_pack_total_block_count", blocks, "2 to a segment's blocks"));
        }
        let checksum = checksum(&head, at)?;
        let last = start + u64::from(blocks) - 1;
        let tail = block(volume, superblock, last)?;
        self::checksum(&tail, superblock.block(last))?;
        let version = le::u64(&head, 0).unwrap_or_default();
        let other = le::u64(&tail, 0).unwrap_or_default();
        if version != other {
            let offset = superblock.block(last);
            return Err(ParseError::invalid(offset, "checkpoint_ver", other, "the version of the pack's first block"));
        }
        Ok(Self { start, version, checksum, head })
    }

    fn long(&self, at: usize) -> u32 {
        le::u32(&self.head, at).unwrap_or_default()
    }

    fn has(&self, flags: u32) -> bool {
        self.long(132) & flags != 0
    }

    /// Where the volume was not unmounted, files that were synced after the pack stand in a log behind the nodes. Without them
    /// the volume would say what no longer holds.
    fn refuse_log(&self, volume: &SharedBytes, superblock: &Superblock) -> Result<(), ParseError> {
        if self.has(FLAG_UMOUNT) || superblock.read_only {
            return Ok(());
        }
        let segment = u64::from(self.long(40)) << superblock.segment_bits;
        let offset = le::u16(&self.head, 70).unwrap_or_default();
        let next = u64::from(superblock.main) + segment + u64::from(offset);
        // A full segment has its next block in another one: nothing was written since.
        let Ok(node) = block(volume, superblock, next) else {
            return Ok(());
        };
        let written = le::u64(&node, superblock.footer() + 12).unwrap_or_default();
        let version = self.version & u64::from(u32::MAX);
        let current = match self.has(FLAG_CRC_RECOVERY) {
            true => version | u64::from(self.checksum) << 32,
            false => self.version,
        };
        if written == current && current != 0 {
            return Err(ParseError::unsupported(superblock.block(next), "a log that waits to be recovered"));
        }
        Ok(())
    }

    fn nat_versions(&self, volume: &SharedBytes, superblock: &Superblock) -> Result<Vec<u8>, ParseError> {
        let start = superblock.block(self.start) + BITMAP;
        let offset = if self.has(FLAG_LARGE_NAT_BITMAP) {
            4
        } else if superblock.checkpoint_payload > 0 {
            0
        } else {
            u64::from(self.long(156))
        };
        let len = u64::from(self.long(160));
        let end = superblock.block(self.start + 1 + u64::from(superblock.checkpoint_payload));
        if start + offset + len > end {
            let at = superblock.block(self.start) + 160;
            return Err(ParseError::invalid(at, "nat_ver_bitmap_bytesize", len, "a bitmap within the pack"));
        }
        read_vec_at(volume.as_ref(), start + offset, len, "bitmap of the node address table", BITMAP_BYTES)
    }

    /// A count and entries of 13 bytes: number (4), version (1), inode (4), address (4).
    fn journal(&self, volume: &SharedBytes, superblock: &Superblock) -> Result<BTreeMap<u32, u32>, ParseError> {
        let size = superblock.block_size();
        let (number, offset) = if self.has(FLAG_COMPACT_SUMMARY) {
            (Some(self.long(140)), 0)
        } else {
            let behind = if self.has(FLAG_UMOUNT | FLAG_FASTBOOT) { 7 } else { 4 };
            (self.long(136).checked_sub(behind), size / 8 * 7)
        };
        // What is behind a summary's entries, but for its footer.
        let entries = (size / 8 - 5 - 2) / 13;
        let at = superblock.block(self.start) + 140;
        let number = number.filter(|number| (1..self.long(136)).contains(number));
        let number = number.ok_or_else(|| ParseError::invalid(at, "summaries", "elsewhere", "within the pack"))?;
        let raw = block(volume, superblock, self.start + u64::from(number))?;
        let raw = raw.get(offset..).unwrap_or_default();
        let count = usize::from(le::u16(raw, 0).unwrap_or_default());
        if count > entries {
            let at = superblock.block(self.start + u64::from(number)) + offset as u64;
            return Err(ParseError::invalid(at, "n_nats", count, "what a journal has room for"));
        }
        let entries = raw.get(2..).unwrap_or_default().chunks_exact(13).take(count);
        Ok(entries.filter_map(|entry| le::u32(entry, 0).zip(le::u32(entry, 9))).collect())
    }
}

fn block(volume: &SharedBytes, superblock: &Superblock, address: u64) -> Result<Vec<u8>, ParseError> {
    let size = superblock.block_size() as u64;
    read_vec_at(volume.as_ref(), superblock.block(address), size, "block", size)
}

/// The checksum that a block of a checkpoint has, if it is the right one.
fn checksum(block: &[u8], at: u64) -> Result<u32, ParseError> {
    let offset = le::u32(block, 164).and_then(|offset| usize::try_from(offset).ok()).unwrap_or(usize::MAX);
    let expected = offset.checked_add(4).filter(|end| offset >= 192 && *end <= block.len());
    let expected = expected.and_then(|end| Some((le::u32(block, offset)?, block.get(..offset)?, block.get(end..)?)));
    let Some((expected, before, behind)) = expected else {
        return Err(ParseError::invalid(at + 164, "checksum_offset", offset, "192 to the end of the block"));
    };
    let found = crc(before, behind);
    if found != expected && !cfg!(fuzzing) {
        return Err(ParseError::invalid(at, "checkpoint", format!("{found:#x}"), "the checksum that it has"));
    }
    Ok(expected)
}

/// CRC-32 as the kernel's `crc32_le` computes it, without turning the bits before and after.
pub(super) fn crc(before: &[u8], behind: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!SEED);
    hasher.update(before);
    hasher.update(behind);
    !hasher.finalize()
}
