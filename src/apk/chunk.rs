//! The header that every structure of compiled resources begins with (`ResChunk_header`, AOSP `ResourceTypes.h`).
//!
//! | offset | size | name | meaning |
//! |---|---|---|---|
//! | 0 | 2 | type | kind of chunk |
//! | 2 | 2 | headerSize | bytes before the chunk's contents |
//! | 4 | 4 | size | bytes of header and contents |

use crate::bytes::{ParseError, ReadAt, le};

/// `RES_STRING_POOL_TYPE`.
pub(super) const STRING_POOL: u16 = 0x0001;

/// A chunk that lies within its parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    /// `type`.
    pub(super) kind: u16,
    /// Offset of the header in the source.
    pub(super) start: u64,
    /// Offset of the contents.
    pub(super) body: u64,
    /// Offset behind the contents.
    pub(super) end: u64,
}

impl Chunk {
    /// Reads the header at `start` of a chunk that must end by `limit`, with Android's rules (`validate_chunk`):
    /// a header of at least `min_header` bytes, both sizes multiples of 4, header within size, size within the parent.
    pub(super) fn read(
        source: &(impl ReadAt + ?Sized),
        start: u64,
        limit: u64,
        min_header: u64,
    ) -> Result<Self, ParseError> {
        let room = limit.saturating_sub(start);
        if room < 8 {
            return Err(ParseError::truncated(start, 8, limit));
        }
        let mut raw = [0_u8; 8];
        source.read_exact_at(start, &mut raw)?;
        let (kind, header, size) = match (le::u16(&raw, 0), le::u16(&raw, 2), le::u32(&raw, 4)) {
            (Some(kind), Some(header), Some(size)) => (kind, u64::from(header), u64::from(size)),
            _ => return Err(ParseError::truncated(start, 8, limit)),
        };
        if header < min_header.max(8) {
            return Err(ParseError::invalid(start + 2, "headerSize", header, "at least the header of its type"));
        }
        if header > size {
            return Err(ParseError::invalid(start + 2, "headerSize", header, "at most the size of the chunk"));
        }
        if (header | size) & 3 != 0 {
            return Err(ParseError::invalid(
                start + 2,
                "headerSize and size",
                format!("{header}, {size}"),
                "multiples of 4",
            ));
        }
        if size > room {
            return Err(ParseError::truncated(start, size, limit));
        }
        Ok(Self { kind, start, body: start + header, end: start + size })
    }
}

/// The 16-bit field at `at`.
pub(super) fn u16_at(source: &(impl ReadAt + ?Sized), at: u64) -> Result<u16, ParseError> {
    let mut raw = [0_u8; 2];
    source.read_exact_at(at, &mut raw)?;
    Ok(u16::from_le_bytes(raw))
}

/// The 32-bit field at `at`.
pub(super) fn u32_at(source: &(impl ReadAt + ?Sized), at: u64) -> Result<u32, ParseError> {
    let mut raw = [0_u8; 4];
    source.read_exact_at(at, &mut raw)?;
    Ok(u32::from_le_bytes(raw))
}
