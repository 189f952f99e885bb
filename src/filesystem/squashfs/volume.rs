//! What every open file of a volume shares: its superblock, and the blocks that were decoded last.
//!
//! Metadata (inodes, directories, the fragment table) come in blocks of 8 KiB: a header of 2 bytes, whose bit 15 says that
//! the block is stored as it is and whose other bits are its stored length, and the block.

use std::sync::Arc;

use super::superblock::Superblock;
use crate::bytes::{Budget, Decoded, DecodedCache, ParseError, SharedBytes, le, read_vec_at, zeroed};

/// Bytes of a block of metadata.
const METADATA: usize = 8192;
/// The largest block of a file.
const BLOCK_BYTES: u64 = 1 << 20;
/// In the stored length of a file's block: it is stored as it is. Also how many bits a length has.
const STORED_BIT: u32 = 24;

/// A volume whose superblock was read.
pub(super) struct Volume {
    pub(super) bytes: SharedBytes,
    pub(super) superblock: Superblock,
    metadata: DecodedCache,
    blocks: DecodedCache,
    budget: Arc<Budget>,
}

/// How many bytes a block of a file has in the volume, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored(pub(super) u32);

impl Stored {
    pub(super) fn len(self) -> u64 {
        u64::from(self.0 & ((1 << STORED_BIT) - 1))
    }

    fn is_compressed(self) -> bool {
        self.0 >> STORED_BIT & 1 == 0
    }
}

/// A place in metadata that moves on as they are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Byte offset of the block's header in the volume.
    pub(super) block: u64,
    /// Bytes into the decoded block.
    pub(super) within: usize,
}

impl Place {
    /// The place that a reference names: its block counts from `table`.
    pub(super) fn new(table: u64, block: u64, within: u16) -> Result<Self, ParseError> {
        match table.checked_add(block) {
            Some(block) => Ok(Self { block, within: usize::from(within) }),
            None => Err(ParseError::invalid(table, "block of metadata", block, "a place in the volume")),
        }
    }
}

impl Volume {
    pub(super) fn open(bytes: SharedBytes, budget: &Arc<Budget>) -> Result<Self, ParseError> {
        Ok(Self {
            superblock: Superblock::read(&bytes).map_err(|error| error.within("superblock"))?,
            bytes,
            metadata: budget.decoded(),
            blocks: budget.decoded(),
            budget: budget.clone(),
        })
    }

    fn decode(&self, raw: &[u8], len: u64, offset: u64) -> Result<Vec<u8>, ParseError> {
        let mut out = zeroed(offset, len, "decoded block", BLOCK_BYTES)?;
        let codec = self.superblock.codec;
        let done = codec.decode(raw, &mut out);
        let done = done.ok_or_else(|| ParseError::invalid(offset, "compressed block", "damaged", codec.data()))?;
        self.budget.spend_decompressed(done as u64)?;
        out.truncate(done);
        Ok(out)
    }

    /// Fills `buf` from `place` on, and moves it behind.
    pub(super) fn read_metadata(&self, place: &mut Place, buf: &mut [u8]) -> Result<(), ParseError> {
        let mut rest = buf;
        while !rest.is_empty() {
            let mut header = [0; 2];
            self.bytes.read_exact_at(place.block, &mut header)?;
            let header = u16::from_le_bytes(header);
            let stored = u64::from(header & 0x7fff);
            if stored == 0 || stored > METADATA as u64 {
                return Err(ParseError::invalid(place.block, "length of a block of metadata", stored, "1 to 8192"));
            }
            let offset = place.block + 2;
            let block = self.metadata.get((place.block, 0), || {
                let raw = read_vec_at(self.bytes.as_ref(), offset, stored, "block of metadata", METADATA as u64)?;
                if header & 0x8000 != 0 { Ok(raw) } else { self.decode(&raw, METADATA as u64, offset) }
            })?;
            let found = block.get(place.within..).unwrap_or_default();
            // Only the last block of a table is short, and nothing goes on behind it.
            if found.is_empty() {
                return Err(ParseError::invalid(
                    place.block,
                    "block of metadata",
                    "short",
                    "one with what is looked for",
                ));
            }
            let take = found.len().min(rest.len());
            let (target, behind) = std::mem::take(&mut rest).split_at_mut_checked(take).unwrap_or_default();
            for (byte, value) in target.iter_mut().zip(found) {
                *byte = *value;
            }
            rest = behind;
            place.within += take;
            if place.within >= METADATA {
                *place = Place { block: offset + stored, within: 0 };
            }
        }
        Ok(())
    }

    /// Fills `buf` from the byte `within` of a block of a file that stands at `offset` and has at most a block's length.
    pub(super) fn read_block(
        &self,
        offset: u64,
        stored: Stored,
        within: u64,
        buf: &mut [u8],
    ) -> Result<(), ParseError> {
        let size = self.superblock.block_size();
        let len = stored.len();
        if len > size {
            return Err(ParseError::invalid(offset, "length of a block", len, "the block size or less"));
        }
        let end = within.saturating_add(buf.len() as u64);
        if !stored.is_compressed() {
            if end > len {
                return Err(ParseError::invalid(offset, "length of a block", len, "what the file needs of it"));
            }
            return self.bytes.read_exact_at(offset.saturating_add(within), buf);
        }
        let block: Decoded = self.blocks.get((offset, len), || {
            let raw = read_vec_at(self.bytes.as_ref(), offset, len, "block", size)?;
            self.decode(&raw, size, offset)
        });
        let block = block?;
        let found = usize::try_from(within).ok().and_then(|within| block.get(within..)).unwrap_or_default();
        if found.len() < buf.len() {
            let found = <[u8]>::len(&block);
            return Err(ParseError::invalid(offset, "decoded length of a block", found, "what the file needs of it"));
        }
        for (byte, value) in buf.iter_mut().zip(found) {
            *byte = *value;
        }
        Ok(())
    }

    /// Where a fragment stands. The table is blocks of metadata, each with 512 entries of 16 bytes, found by a list of
    /// their places.
    pub(super) fn fragment(&self, number: u32) -> Result<(u64, Stored), ParseError> {
        if number >= self.superblock.fragments {
            return Err(ParseError::invalid(self.superblock.fragment_table, "fragment", number, "one of the table"));
        }
        let list = self.superblock.fragment_table.saturating_add(u64::from(number / 512) * 8);
        let mut block = [0; 8];
        self.bytes.read_exact_at(list, &mut block)?;
        let within = u16::try_from(number % 512 * 16).unwrap_or_default();
        let mut place = Place::new(0, u64::from_le_bytes(block), within)?;
        let mut entry = [0; 16];
        self.read_metadata(&mut place, &mut entry).map_err(|error| error.within("fragment table"))?;
        let start = le::u64(&entry, 0).unwrap_or_default();
        Ok((start, Stored(le::u32(&entry, 8).unwrap_or_default())))
    }
}
