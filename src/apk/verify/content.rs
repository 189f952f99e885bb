//! Digests over the contents of a package: all of it but the signing block.
//!
//! Three sections count: what precedes the block, the central directory, the end record with the directory's offset set
//! to the block's (<https://source.android.com/docs/security/features/apksigning/v2#integrity-protected-contents>).

use sha2::{Digest as _, Sha256};

use super::algorithm::ContentDigest;
use super::hash::Hash;
use super::threads;
use crate::bytes::{ParseError, SharedBytes, read_vec_at};

const CHUNK: u64 = 1 << 20;
/// Bytes that are read and hashed at a time: they stay in a core's own cache between the two.
const PIECE: u64 = 64 << 10;
/// Bytes of a block of an fs-verity tree.
pub(super) const BLOCK: usize = 4096;
const ZEROS: [u8; BLOCK] = [0; BLOCK];
/// Android salts the tree of an APK with eight zeros.
const SALT: [u8; 8] = [0; 8];
/// An end record with its comment.
const MAX_END: u64 = 22 + 65_535;

/// The sections of one package.
pub(super) struct Contents {
    source: SharedBytes,
    /// Where the signing block begins.
    block: u64,
    /// Where the central directory begins.
    directory: u64,
    directory_length: u64,
    end: Vec<u8>,
}

impl Contents {
    /// The sections of `source`: the block, the directory and the end record begin at these offsets.
    pub(super) fn open(source: &SharedBytes, block: u64, directory: u64, end: u64) -> Result<Self, ParseError> {
        let length = source.len().checked_sub(end).ok_or_else(|| ParseError::truncated(end, 22, source.len()))?;
        let mut record = read_vec_at(source.as_ref(), end, length, "bytes of the end record", MAX_END)?;
        let offset = u32::try_from(block).map_err(|_| ParseError::limit(end, "offset", block, u32::MAX.into()))?;
        let field = record.get_mut(16..20).ok_or_else(|| ParseError::truncated(end, 22, source.len()))?;
        field.copy_from_slice(&offset.to_le_bytes());
        let directory_length =
            end.checked_sub(directory).ok_or_else(|| ParseError::truncated(directory, 46, source.len()))?;
        Ok(Self { source: source.clone(), block, directory, directory_length, end: record })
    }

    /// One digest; a tree of an unaligned package is `None`, as it never verifies.
    pub(super) fn digest(&self, kind: ContentDigest) -> Result<Option<Vec<u8>>, ParseError> {
        match kind {
            ContentDigest::Sha256 => self.chunked(Hash::Sha256).map(Some),
            ContentDigest::Sha512 => self.chunked(Hash::Sha512).map(Some),
            ContentDigest::Verity => self.tree(),
        }
    }

    fn sections(&self) -> [u64; 3] {
        [self.block, self.directory_length, self.end.len() as u64]
    }

    fn read(&self, section: usize, offset: u64, buffer: &mut [u8]) -> Result<(), ParseError> {
        match section {
            0 => self.source.read_exact_at(offset, buffer),
            1 => self.source.read_exact_at(self.directory + offset, buffer),
            _ => crate::bytes::ReadAt::read_exact_at(&self.end, offset, buffer),
        }
    }

    fn chunked(&self, hash: Hash) -> Result<Vec<u8>, ParseError> {
        let mut chunks = Vec::new();
        for (section, length) in self.sections().into_iter().enumerate() {
            let starts = (0..length.div_ceil(CHUNK)).map(|chunk| chunk * CHUNK);
            chunks.extend(starts.map(|start| (section, start, CHUNK.min(length - start))));
        }
        let digests = threads::map(chunks.len(), self.sections().iter().sum(), |index, buffer| {
            let (section, start, length) = chunks.get(index).copied().unwrap_or_default();
            let mut hasher = hash.hasher();
            hasher.update(&[0xa5]);
            hasher.update(&u32::try_from(length).unwrap_or_default().to_le_bytes());
            let mut done = 0;
            while done < length {
                let piece = PIECE.min(length - done);
                buffer.resize(usize::try_from(piece).unwrap_or_default(), 0);
                self.read(section, start + done, buffer)?;
                hasher.update(buffer);
                done += piece;
            }
            Ok(hasher.finish())
        })?;
        let count = u32::try_from(digests.len()).unwrap_or(u32::MAX);
        Ok(hash.digest(&[&[0x5a], &count.to_le_bytes(), &digests.concat()]))
    }

    /// Root of the tree over the three sections without a gap, and their length.
    fn tree(&self) -> Result<Option<Vec<u8>>, ParseError> {
        let block = BLOCK as u64;
        if !self.block.is_multiple_of(block) || !(self.directory - self.block).is_multiple_of(block) {
            return Ok(None);
        }
        let total: u64 = self.sections().iter().sum();
        let pieces = usize::try_from(total.div_ceil(CHUNK)).unwrap_or(usize::MAX);
        let level = threads::map(pieces, total, |index, buffer| {
            let start = index as u64 * CHUNK;
            let length = CHUNK.min(total - start);
            buffer.resize(usize::try_from(length).unwrap_or_default(), 0);
            self.read_across(start, buffer)?;
            Ok(level_above(buffer, &SALT))
        })?;
        let mut level = level.concat();
        while level.len() > BLOCK {
            level = level_above(&level, &SALT);
        }
        let mut root = level_above(&level, &SALT);
        root.extend_from_slice(&total.to_le_bytes());
        Ok(Some(root))
    }

    fn read_across(&self, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), ParseError> {
        for (section, length) in self.sections().into_iter().enumerate() {
            let available = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
            let (head, tail) = buffer.split_at_mut(available.min(buffer.len()));
            if !head.is_empty() {
                self.read(section, offset, head)?;
            }
            offset = offset.saturating_sub(length);
            buffer = tail;
        }
        Ok(())
    }
}

/// The salted digests of the blocks of `data`, the last filled with zeros.
pub(super) fn level_above(data: &[u8], salt: &[u8]) -> Vec<u8> {
    let mut level = Vec::with_capacity(data.len().div_ceil(BLOCK) * 32);
    for block in data.chunks(BLOCK) {
        let mut hasher = Sha256::new_with_prefix(salt);
        hasher.update(block);
        hasher.update(ZEROS.get(block.len()..).unwrap_or_default());
        level.extend_from_slice(&hasher.finalize());
    }
    level
}
