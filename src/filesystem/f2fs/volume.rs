//! What every open file of a volume shares: where nodes are, and the blocks and clusters that were read last.

use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::inode::Inode;
use super::superblock::Superblock;
use crate::bytes::{Budget, DecodedCache, ParseError, SharedBytes, le, read_vec_at};

/// An entry of the node address table: version (1), inode (4), address (4).
const ENTRY: usize = 9;

/// A volume at its newest checkpoint.
pub(super) struct Volume {
    pub(super) bytes: SharedBytes,
    pub(super) superblock: Superblock,
    checkpoint: Checkpoint,
    /// Nodes and the table that tells where they are, by block in the volume.
    blocks: DecodedCache,
    /// By inode and number in the file.
    pub(super) clusters: DecodedCache,
    pub(super) budget: Arc<Budget>,
}

impl Volume {
    pub(super) fn open(bytes: SharedBytes, budget: &Arc<Budget>) -> Result<Self, ParseError> {
        let superblock = Superblock::read(&bytes).map_err(|error| error.within("superblock"))?;
        let checkpoint = Checkpoint::read(&bytes, &superblock).map_err(|error| error.within("checkpoint"))?;
        Ok(Self {
            bytes,
            superblock,
            checkpoint,
            blocks: budget.decoded(),
            clusters: budget.decoded(),
            budget: budget.clone(),
        })
    }

    fn block(&self, address: u64) -> Result<Arc<Vec<u8>>, ParseError> {
        let size = self.superblock.block_size() as u64;
        let offset = self.superblock.block(address);
        self.blocks.get((address, 0), || read_vec_at(self.bytes.as_ref(), offset, size, "block", size))
    }

    /// The block of a node, by the journal or the table.
    fn place(&self, number: u32) -> Result<u64, ParseError> {
        if let Some(address) = self.checkpoint.journal.get(&number) {
            return Ok(u64::from(*address));
        }
        let superblock = &self.superblock;
        let in_block = u32::try_from(superblock.block_size() / ENTRY).unwrap_or(u32::MAX);
        let (index, entry) = (number / in_block, number % in_block);
        let versions = &self.checkpoint.nat_versions;
        let byte = usize::try_from(index / 8).ok().and_then(|byte| versions.get(byte));
        let Some(byte) = byte else {
            return Err(ParseError::invalid(0, "nid", number, "the number of a node"));
        };
        // Segments of the table and of its other version take turns.
        let (segment, within) =
            (u64::from(index >> superblock.segment_bits), index & ((1 << superblock.segment_bits) - 1));
        let other = u64::from(byte >> (7 - index % 8) & 1);
        let address =
            u64::from(superblock.nat) + ((segment * 2 + other) << superblock.segment_bits) + u64::from(within);
        let block = self.block(address).map_err(|error| error.within("node address table"))?;
        let at = usize::try_from(entry).unwrap_or(usize::MAX).saturating_mul(ENTRY);
        Ok(le::u32(&block, at.saturating_add(5)).map_or(0, u64::from))
    }

    /// A node that belongs to `inode`, and where it stands.
    pub(super) fn node(&self, number: u32, inode: u32) -> Result<(Arc<Vec<u8>>, u64), ParseError> {
        let address = self.place(number)?;
        self.check(address)?;
        let offset = self.superblock.block(address);
        let block = self.block(address)?;
        let footer = self.superblock.footer();
        for (at, field, expected) in [(footer, "nid", number), (footer + 4, "ino", inode)] {
            let found = le::u32(&block, at).unwrap_or_default();
            if found != expected {
                return Err(ParseError::invalid(offset + at as u64, field, found, "the number it was looked up by"));
            }
        }
        Ok((block, offset))
    }

    pub(super) fn inode(&self, number: u64) -> Result<Inode, ParseError> {
        let read = || {
            let number = u32::try_from(number).map_err(|_| ParseError::invalid(0, "ino", number, "32 bits"))?;
            let (block, offset) = self.node(number, number)?;
            Inode::parse(block, number, offset, &self.superblock)
        };
        read().map_err(|error| error.within(format!("inode {number}")))
    }

    /// Nodes and data stand in the main area.
    pub(super) fn check(&self, address: u64) -> Result<(), ParseError> {
        if address < u64::from(self.superblock.main) {
            return Err(ParseError::invalid(
                self.superblock.block(address),
                "address",
                address,
                "one in the main area",
            ));
        }
        Ok(())
    }
}
