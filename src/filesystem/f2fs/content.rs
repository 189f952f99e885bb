//! Content of a file that is not inline: blocks, and clusters of them that are compressed.
//!
//! The first address of a compressed cluster is `0xFFFF_FFFE`. The valid ones behind it lead to blocks that hold, one after
//! another: `clen` (4 bytes), `chksum` (4), 16 unused, and `clen` bytes that decode to the whole cluster.

use std::sync::Arc;

use super::addresses;
use super::decode;
use super::inode::{Compression, Inode};
use super::volume::Volume;
use crate::bytes::{ParseError, ReadAt, SharedBytes, le, read_vec_at, within, zeroed};

/// An address of a block that has none yet, and reads as zeros.
const NEW: u32 = 0xFFFF_FFFF;
const COMPRESSED: u32 = 0xFFFF_FFFE;
const HEADER: usize = 24;
/// The largest cluster: 256 blocks of 64 KiB.
const CLUSTER_BYTES: u64 = 16 << 20;

struct Content {
    volume: Arc<Volume>,
    inode: Inode,
}

/// The content of a file, directory or symbolic link. No block is read yet.
pub(super) fn open(volume: &Arc<Volume>, inode: Inode) -> Result<SharedBytes, ParseError> {
    if inode.encrypted {
        return Err(ParseError::unsupported(inode.offset + 2, "an encrypted inode"));
    }
    if let Some(content) = inode.inline_content() {
        return Ok(Arc::new(content?.to_vec()));
    }
    Ok(Arc::new(Content { volume: volume.clone(), inode }))
}

impl Content {
    /// Fills as much of `buf` as one look at the addresses allows; how much.
    fn read_some(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ParseError> {
        let size = self.volume.superblock.block_size() as u64;
        let index = offset / size;
        if let Some(compression) = self.inode.compression {
            let blocks = self.inode.cluster_blocks() as u64;
            let start = index - index % blocks;
            let leaf = addresses::find(&self.volume, &self.inode, start)?;
            if leaf.address(0) == COMPRESSED {
                let addresses: Vec<u32> = (1..blocks.min(leaf.count())).map(|index| leaf.address(index)).collect();
                let key = (u64::from(self.inode.number), start / blocks);
                let decoded = self.volume.clusters.get(key, || self.decode(compression, &addresses))?;
                let within = offset - start * size;
                let rest = usize::try_from(within).ok().and_then(|within| decoded.get(within..)).unwrap_or_default();
                let take = rest.len().min(buf.len());
                for (target, byte) in buf.iter_mut().zip(rest) {
                    *target = *byte;
                }
                return Ok(take);
            }
            // Each cluster tells for itself whether it is compressed.
            let end = (start + blocks) * size;
            let take = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buf.len());
            return self.read_blocks(offset, buf.get_mut(..take).unwrap_or_default());
        }
        self.read_blocks(offset, buf)
    }

    /// Blocks of one node of addresses; those that follow each other in the volume are read at once.
    fn read_blocks(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ParseError> {
        let superblock = &self.volume.superblock;
        let size = superblock.block_size() as u64;
        let leaf = addresses::find(&self.volume, &self.inode, offset / size)?;
        let within = offset % size;
        let address = leaf.address(0);
        let stored = !matches!(address, 0 | NEW);
        let wanted = (within + buf.len() as u64).div_ceil(size).min(leaf.count());
        let mut run = 1;
        while run < wanted {
            let next = leaf.address(run);
            let same = match stored {
                true => u64::from(next) == u64::from(address) + run,
                false => matches!(next, 0 | NEW),
            };
            // A hole without a node of addresses needs no look at each block.
            if matches!(leaf, addresses::Leaf::Hole { .. }) {
                run = wanted;
            } else if same {
                run += 1;
            } else {
                break;
            }
        }
        let take = usize::try_from(run * size - within).unwrap_or(usize::MAX).min(buf.len());
        let target = buf.get_mut(..take).unwrap_or_default();
        if stored {
            self.volume.check(u64::from(address))?;
            self.volume.bytes.read_exact_at(superblock.block(u64::from(address)) + within, target)?;
        } else {
            target.fill(0);
        }
        Ok(take)
    }

    fn decode(&self, compression: Compression, addresses: &[u32]) -> Result<Vec<u8>, ParseError> {
        let superblock = &self.volume.superblock;
        let size = superblock.block_size();
        let len = (self.inode.cluster_blocks() * size) as u64;
        let mut raw = Vec::new();
        let stored = addresses.iter().copied().filter(|address| !matches!(*address, 0 | NEW | COMPRESSED));
        let first = superblock.block(addresses.first().map_or(0, |address| u64::from(*address)));
        for address in stored {
            self.volume.check(u64::from(address))?;
            let offset = superblock.block(u64::from(address));
            raw.extend(read_vec_at(self.volume.bytes.as_ref(), offset, size as u64, "block", size as u64)?);
        }
        let count = le::u32(&raw, 0).and_then(|len| usize::try_from(len).ok()).unwrap_or_default();
        let data = count.checked_add(HEADER).and_then(|end| raw.get(HEADER..end)).filter(|_| count > 0);
        let data =
            data.ok_or_else(|| ParseError::invalid(first, "clen", count, "no more than the cluster's blocks hold"))?;
        self.volume.budget.spend_decompressed(len)?;
        let mut out = zeroed(first, len, "decoded cluster", CLUSTER_BYTES)?;
        decode::decode(compression.algorithm, data, &mut out, self.inode.offset, first)?;
        Ok(out)
    }
}

impl ReadAt for Content {
    fn len(&self) -> u64 {
        self.inode.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.inode.len, offset, buf.len() as u64)?;
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let done =
                self.read_some(at, rest).map_err(|error| error.within(format!("inode {}", self.inode.number)))?;
            let Some((_, behind)) = std::mem::take(&mut rest).split_at_mut_checked(done).filter(|_| done > 0) else {
                return Err(ParseError::invalid(at, "block", "elsewhere", "one that holds this byte"));
            };
            (rest, at) = (behind, at + done as u64);
        }
        Ok(())
    }
}
