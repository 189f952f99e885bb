//! Bytes that tell where clusters are, read in pieces that are kept like clusters.

use std::sync::Arc;

use super::volume::{Metadata, Volume};
use crate::bytes::{ParseError, SharedBytes, read_vec_at};

/// Bytes of a piece. Whatever is read of one has a power of two as its size and is aligned to it.
const PIECE_BYTES: u64 = 4096;

/// The volume or the metabox, whichever holds the inode.
pub(super) struct Index {
    volume: Arc<Volume>,
    metadata: Metadata,
}

impl Index {
    pub(super) fn new(volume: Arc<Volume>, metadata: Metadata) -> Self {
        Self { volume, metadata }
    }

    pub(super) fn bytes(&self) -> &SharedBytes {
        self.metadata.bytes()
    }

    /// `N` bytes at `offset`, which is a multiple of `N`.
    pub(super) fn read<const N: usize>(&self, offset: u64) -> Result<[u8; N], ParseError> {
        let source = self.bytes();
        let start = offset - offset % PIECE_BYTES;
        let key = (u64::from(self.metadata.is_metabox()), start);
        let piece = match self.volume.indexes.get(key) {
            Some(piece) => piece,
            None => {
                let len = source.len().saturating_sub(start).min(PIECE_BYTES);
                let piece = Arc::new(read_vec_at(source.as_ref(), start, len, "piece of an index", PIECE_BYTES)?);
                self.volume.indexes.put(key, piece.clone());
                piece
            }
        };
        let at = usize::try_from(offset - start).unwrap_or(usize::MAX);
        let found = piece.get(at..).and_then(<[u8]>::first_chunk).copied();
        found.ok_or_else(|| ParseError::truncated(offset, N as u64, source.len()))
    }
}
