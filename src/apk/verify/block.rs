//! The APK signing block, as AOSP's verifier looks for it: a damaged block is no block.
//!
//! Layout in [`super::super::signing_block`].

use super::super::directory::Directory;
use super::content::Contents;
use crate::bytes::{ParseError, ReadAt, le, read_vec_at};

const FOOTER: u64 = 24;
/// Two sizes and the magic.
const MIN_BLOCK: u64 = 32;
/// Bytes of one value. A signer with a key of 16,384 bits has below 16 KiB; a v2 block of AOSP's limit of ten signers
/// and any number of certificates stays far below.
const MAX_VALUE: u64 = 4 << 20;

/// A block and what it covers.
pub(super) struct Block {
    pub(super) contents: Contents,
    start: u64,
    end: u64,
}

impl Block {
    /// `None` where there is none, also where something stands between the directory and the end record.
    pub(super) fn find(directory: &Directory) -> Result<Option<Self>, ParseError> {
        let source = directory.source.as_ref();
        if directory.start + directory.size() != directory.end || directory.start < MIN_BLOCK {
            return Ok(None);
        }
        let footer_at = directory.start - FOOTER;
        let footer = read_vec_at(source, footer_at, FOOTER, "bytes of the block's footer", FOOTER)?;
        let size = le::u64(&footer, 0).unwrap_or_default();
        let start = size.checked_add(8).and_then(|whole| directory.start.checked_sub(whole));
        let Some(start) = start.filter(|_| footer.get(8..) == Some(b"APK Sig Block 42") && size >= FOOTER) else {
            return Ok(None);
        };
        if read_u64(source, start)? != size {
            return Ok(None);
        }
        let contents = Contents::open(&directory.source, start, directory.start, directory.end)?;
        Ok(Some(Self { contents, start: start + 8, end: footer_at }))
    }

    /// The first value of `id`.
    pub(super) fn value(&self, directory: &Directory, id: u32) -> Result<Option<Vec<u8>>, ParseError> {
        let source = directory.source.as_ref();
        let mut at = self.start;
        while at + 12 <= self.end {
            let length = read_u64(source, at)?;
            if length < 4 || length > self.end - at - 8 {
                return Ok(None);
            }
            let head = read_vec_at(source, at + 8, 4, "bytes of a pair's id", 4)?;
            if le::u32(&head, 0) == Some(id) {
                return read_vec_at(source, at + 12, length - 4, "bytes of a signature scheme", MAX_VALUE).map(Some);
            }
            at += 8 + length;
        }
        Ok(None)
    }
}

fn read_u64(source: &dyn ReadAt, at: u64) -> Result<u64, ParseError> {
    let mut raw = [0; 8];
    source.read_exact_at(at, &mut raw)?;
    Ok(u64::from_le_bytes(raw))
}
