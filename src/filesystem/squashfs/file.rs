//! Content of a file: blocks one after another, and the end of it in a fragment that it shares with other files.

use std::sync::Arc;

use super::inode::Inode;
use super::volume::{Stored, Volume};
use crate::bytes::{ParseError, ReadAt, SharedBytes, within};

/// Blocks of one file: 128 GiB in those of 128 KiB. Their places take 12 MiB of memory.
const BLOCKS: u64 = 1 << 20;
/// Stored lengths that are read at once.
const LENGTHS: usize = 256;

struct File {
    volume: Arc<Volume>,
    reference: u64,
    len: u64,
    starts: Vec<u64>,
    stored: Vec<Stored>,
    fragment: Option<(u64, Stored, u64)>,
}

/// The file's content. Only where its blocks are is read now.
pub(super) fn open(
    volume: &Arc<Volume>,
    reference: u64,
    inode: &Inode,
    start: u64,
    fragment: Option<(u32, u32)>,
) -> Result<SharedBytes, ParseError> {
    let size = volume.superblock.block_size();
    let count = if fragment.is_some() { inode.len / size } else { inode.len.div_ceil(size) };
    if count > BLOCKS {
        return Err(ParseError::limit(inode.offset, "blocks of a file", count, BLOCKS));
    }
    let (mut starts, mut stored) = (Vec::new(), Vec::new());
    let (mut place, mut at, mut left) = (inode.behind, start, usize::try_from(count).unwrap_or_default());
    while left > 0 {
        let mut raw = [0; LENGTHS * 4];
        let take = left.min(LENGTHS);
        let raw = raw.get_mut(..take * 4).unwrap_or_default();
        volume.read_metadata(&mut place, raw).map_err(|error| error.within("lengths of blocks"))?;
        for length in raw.as_chunks().0 {
            let length = Stored(u32::from_le_bytes(*length));
            starts.push(at);
            stored.push(length);
            at = at.saturating_add(length.len());
        }
        left -= take;
    }
    let fragment = match fragment {
        Some((number, offset)) if !inode.len.is_multiple_of(size) => {
            let (start, stored) = volume.fragment(number)?;
            Some((start, stored, u64::from(offset)))
        }
        _ => None,
    };
    Ok(Arc::new(File { volume: volume.clone(), reference, len: inode.len, starts, stored, fragment }))
}

impl File {
    fn read_block(&self, block: u64, within: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let index = usize::try_from(block).unwrap_or(usize::MAX);
        match (self.starts.get(index), self.stored.get(index), self.fragment) {
            // A length of nothing is a hole.
            (Some(_), Some(stored), _) if stored.0 == 0 => {
                buf.fill(0);
                Ok(())
            }
            (Some(start), Some(stored), _) => self.volume.read_block(*start, *stored, within, buf),
            (_, _, Some((start, stored, offset))) => {
                self.volume.read_block(start, stored, offset.saturating_add(within), buf)
            }
            _ => Err(ParseError::invalid(block, "block", "elsewhere", "one of the file")),
        }
    }
}

impl ReadAt for File {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        let size = self.volume.superblock.block_size();
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let within = at % size;
            let take = usize::try_from(size - within).unwrap_or(usize::MAX).min(rest.len());
            let (target, behind) = std::mem::take(&mut rest).split_at_mut_checked(take).unwrap_or_default();
            let read = self.read_block(at / size, within, target);
            read.map_err(|error| error.within(format!("inode {:#x}", self.reference)))?;
            (rest, at) = (behind, at + take as u64);
        }
        Ok(())
    }
}
