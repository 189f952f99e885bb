//! Untrusted bytes with random access.
//!
//! Everything that is read comes from hostile hands until shown otherwise: a length, count or offset found in input is
//! checked against a [`Limits`] constant and against the source's own length before it is used. The two functions that
//! may allocate by a size found in input are [`read_vec_at`] and [`zeroed`]; both check first.

mod budget;
mod checkpoints;
mod codec;
mod cursor;
mod decoded;
mod error;
mod extents;
mod failed;
mod file;
mod inflate;
mod limits;
mod lz4_frames;
pub(crate) mod lzma;
pub mod lzo;
pub mod parallel;
pub mod protobuf;
mod spool;
mod window;
mod xz_blocks;

use std::borrow::Cow;
use std::sync::Arc;

pub use budget::{Budget, Metered, Notice};
pub use codec::Codec;
pub use cursor::{Cursor, stream_error};
pub use decoded::{Cache, Decoded, DecodedCache, Key, Reservation};
pub use error::{ErrorKind, ParseError};
pub use extents::ExtentMap;
pub use failed::Failed;
pub use file::FileBytes;
pub use inflate::Inflate;
pub use limits::Limits;
pub use spool::Spool;
pub use window::Window;

/// Random access to a source of bytes whose length is known and never changes.
///
/// Implementations are shared between threads; a read has no position and no side effect that a caller can see.
pub trait ReadAt: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// True when there is not one byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes at `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the range reaches past the end (also for an offset that overflows), else whatever
    /// the layers below report. `buf` holds nothing useful after an error.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError>;

    /// The `len` bytes at `offset` in a new vector: [`read_vec_at`] with its checks done.
    ///
    /// # Errors
    /// As [`Self::read_exact_at`].
    fn read_vec(&self, offset: u64, len: usize) -> Result<Vec<u8>, ParseError> {
        let mut buf = vec![0; len];
        self.read_exact_at(offset, &mut buf)?;
        Ok(buf)
    }

    /// All of its bytes, where they stand in memory: what is read in many small pieces is copied out of them once less.
    fn held(&self) -> Option<&[u8]> {
        None
    }
}

/// A source shared by the readers stacked upon it.
pub type SharedBytes = Arc<dyn ReadAt>;

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn held(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        match slice(self, offset, buf.len() as u64) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(ParseError::truncated(offset, buf.len() as u64, ReadAt::len(self))),
        }
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn held(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.as_slice().read_exact_at(offset, buf)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Arc<T> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn held(&self) -> Option<&[u8]> {
        (**self).held()
    }

    fn read_vec(&self, offset: u64, len: usize) -> Result<Vec<u8>, ParseError> {
        (**self).read_vec(offset, len)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        (**self).read_exact_at(offset, buf)
    }
}

/// Reads `len` bytes at `offset` into a new vector.
///
/// `limit` bounds the allocation and `what` names it in the error. The source's own length is checked first, so that a
/// length of 4 GiB found in a file of 10 bytes costs nothing.
///
/// # Errors
/// [`ErrorKind::LimitExceeded`] above `limit`, [`ErrorKind::Truncated`] past the end, else what the source reports.
pub fn read_vec_at(
    source: &dyn ReadAt,
    offset: u64,
    len: u64,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, ParseError> {
    read_at(source, offset, len, what, limit).map(Cow::into_owned)
}

/// The same, lent where the source stands in memory.
///
/// # Errors
/// As [`read_vec_at`].
pub fn read_at<'s>(
    source: &'s (impl ReadAt + ?Sized),
    offset: u64,
    len: u64,
    what: &'static str,
    limit: u64,
) -> Result<Cow<'s, [u8]>, ParseError> {
    within(source.len(), offset, len)?;
    if len > limit {
        return Err(ParseError::limit(offset, what, len, limit));
    }
    if let Some(bytes) = source.held().and_then(|all| slice(all, offset, len)) {
        return Ok(Cow::Borrowed(bytes));
    }
    let size = usize::try_from(len).map_err(|_| ParseError::limit(offset, what, len, limit))?;
    source.read_vec(offset, size).map(Cow::Owned)
}

/// `len` bytes at `offset`; `None` where they are not all there.
fn slice(bytes: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(len).ok()?)
}

/// Whether `wanted` bytes at `offset` lie within a source of `length` bytes.
///
/// # Errors
/// [`ErrorKind::Truncated`] when they do not, also for an end that overflows.
pub fn within(length: u64, offset: u64, wanted: u64) -> Result<(), ParseError> {
    match offset.checked_add(wanted) {
        Some(end) if end <= length => Ok(()),
        _ => Err(ParseError::truncated(offset, wanted, length)),
    }
}

/// A zero-filled buffer of `len` bytes, after `len` was held against `limit`. `offset` is where `len` was found.
///
/// # Errors
/// [`ErrorKind::LimitExceeded`] above `limit`.
pub fn zeroed(offset: u64, len: u64, what: &'static str, limit: u64) -> Result<Vec<u8>, ParseError> {
    match usize::try_from(len) {
        Ok(size) if len <= limit => Ok(vec![0; size]),
        _ => Err(ParseError::limit(offset, what, len, limit)),
    }
}

/// Little-endian fields of a slice; an index out of range is `None`.
pub mod le {
    /// Unsigned 16-bit value at `at`.
    #[must_use]
    pub fn u16(bytes: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
    }

    /// Unsigned 32-bit value at `at`.
    #[must_use]
    pub fn u32(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
    }

    /// Unsigned 64-bit value at `at`.
    #[must_use]
    pub fn u64(bytes: &[u8], at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_source_is_refused_before_memory_is_asked_for() {
        let source = vec![1_u8, 2, 3];
        let error = read_vec_at(&source, 1, u64::MAX - 1, "name", u64::MAX).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated { wanted: u64::MAX - 1, length: 3 });
    }

    #[test]
    fn a_length_above_its_limit_names_the_limit() {
        let source = vec![0_u8; 64];
        let error = read_vec_at(&source, 0, 64, "name", 16).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: name is 64, the limit is 16");
    }

    #[test]
    fn a_read_at_the_very_end_is_empty_and_one_past_it_is_truncated() {
        let source = vec![7_u8; 4];
        assert_eq!(read_vec_at(&source, 4, 0, "tail", 8).unwrap(), Vec::<u8>::new());
        assert!(source.read_exact_at(4, &mut [0]).is_err());
    }
}
