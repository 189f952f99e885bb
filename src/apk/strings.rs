//! String pools of compiled resources (`ResStringPool_header`, AOSP `ResourceTypes.h`), decoded one string at a time.
//!
//! | offset | size | name | meaning |
//! |---|---|---|---|
//! | 8 | 4 | stringCount | strings, each with a 32-bit offset behind the header |
//! | 12 | 4 | styleCount | styles; not read |
//! | 16 | 4 | flags | bit 8: UTF-8, else UTF-16 |
//! | 20 | 4 | stringsStart | offset of the first string from the chunk's start |
//! | 24 | 4 | stylesStart | not read |
//!
//! A UTF-8 string has its length in UTF-16 units, then in bytes, each in one byte or, with the top bit set, two; a
//! UTF-16 string has its length in one unit or two. Both may overlap others: nothing forbids it.

use std::borrow::Cow;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chunk::{Chunk, u16_at, u32_at};
use crate::bytes::{ParseError, ReadAt, read_at};

const HEADER: u64 = 28;
const UTF8: u32 = 1 << 8;
/// "No string" where an index is expected.
pub(super) const NONE: u32 = u32::MAX;
/// Bytes of one string. The UTF-8 form ends at 32,767 by its own length field; nothing that names or labels a package
/// comes near.
const MAX_STRING: u64 = 128 << 10;
/// Bytes decoded from one pool. A manifest may refer to one string from each of its elements, so that memory would
/// grow with the product of both; the largest manifest measured decodes 1 MiB.
const MAX_DECODED: u64 = 32 << 20;

/// Where a pool's strings are.
#[derive(Debug)]
pub(super) struct StringPool {
    offsets: u64,
    count: u32,
    strings: u64,
    end: u64,
    utf8: bool,
    decoded: AtomicU64,
}

impl StringPool {
    /// Reads the header of the pool at `chunk`.
    pub(super) fn open(source: &(impl ReadAt + ?Sized), chunk: &Chunk) -> Result<Self, ParseError> {
        if chunk.body - chunk.start < HEADER {
            return Err(ParseError::invalid(chunk.start + 2, "headerSize", chunk.body - chunk.start, "at least 28"));
        }
        let count = u32_at(source, chunk.start + 8)?;
        let flags = u32_at(source, chunk.start + 16)?;
        let start = u64::from(u32_at(source, chunk.start + 20)?);
        if u64::from(count) * 4 > chunk.end - chunk.body {
            return Err(ParseError::invalid(
                chunk.start + 8,
                "stringCount",
                count,
                "no more than the pool has room for",
            ));
        }
        if count > 0 && start >= chunk.end - chunk.start {
            return Err(ParseError::invalid(chunk.start + 20, "stringsStart", start, "an offset within the pool"));
        }
        Ok(Self {
            offsets: chunk.body,
            count,
            strings: chunk.start + start,
            end: chunk.end,
            utf8: flags & UTF8 != 0,
            decoded: AtomicU64::new(0),
        })
    }

    /// The same pool, whose decoded bytes count anew.
    pub(super) fn shared(&self) -> Self {
        let Self { offsets, count, strings, end, utf8, .. } = *self;
        Self { offsets, count, strings, end, utf8, decoded: AtomicU64::new(0) }
    }

    /// Number of strings.
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// String `index`; `None` for [`NONE`] and beyond the last. Bytes that are no text become U+FFFD.
    pub(super) fn get(&self, source: &(impl ReadAt + ?Sized), index: u32) -> Result<Option<String>, ParseError> {
        if index >= self.count {
            return Ok(None);
        }
        let mut text = String::new();
        self.append(source, index, &mut text)?;
        Ok(Some(text))
    }

    /// The same behind what stands in `out`; nothing where there is no such string.
    pub(super) fn append(
        &self,
        source: &(impl ReadAt + ?Sized),
        index: u32,
        out: &mut String,
    ) -> Result<(), ParseError> {
        if index >= self.count {
            return Ok(());
        }
        let bytes = self.encoded(source, index).and_then(|(at, bytes)| self.count(at, bytes));
        let bytes = bytes.map_err(|error| error.within(format!("string {index}")))?;
        if self.utf8 {
            out.push_str(&String::from_utf8_lossy(&bytes));
        } else {
            utf16(&bytes, out);
        }
        Ok(())
    }

    /// Whether string `index` is `text`, which is ASCII.
    pub(super) fn is(&self, source: &(impl ReadAt + ?Sized), index: u32, text: &str) -> Result<bool, ParseError> {
        if index >= self.count {
            return Ok(false);
        }
        let (_, bytes) = self.encoded(source, index).map_err(|error| error.within(format!("string {index}")))?;
        let ascii = |unit: &[u8; 2]| if unit[1] == 0 { Some(unit[0]) } else { None };
        Ok(if self.utf8 {
            *bytes == *text.as_bytes()
        } else {
            bytes.as_chunks::<2>().0.iter().map(ascii).eq(text.bytes().map(Some))
        })
    }

    /// Where string `index`, which is there, stands, and its bytes.
    fn encoded<'s>(&self, source: &'s (impl ReadAt + ?Sized), index: u32) -> Result<(u64, Cow<'s, [u8]>), ParseError> {
        let at = self.strings + u64::from(u32_at(source, self.offsets + u64::from(index) * 4)?);
        if self.utf8 {
            let (_, at) = self.utf8_length(source, at)?;
            let (length, at) = self.utf8_length(source, at)?;
            return self.bytes(source, at, length);
        }
        let first = u64::from(self.unit(source, at)?);
        let (length, at) = if first & 0x8000 == 0 {
            (first, at + 2)
        } else {
            ((first & 0x7fff) << 16 | u64::from(self.unit(source, at + 2)?), at + 4)
        };
        self.bytes(source, at, length * 2)
    }

    fn utf8_length(&self, source: &(impl ReadAt + ?Sized), at: u64) -> Result<(u64, u64), ParseError> {
        let mut raw = [0_u8; 2];
        self.within(at, 1)?;
        source.read_exact_at(at, raw.get_mut(..1).unwrap_or_default())?;
        let [first, _] = raw;
        if first & 0x80 == 0 {
            return Ok((u64::from(first), at + 1));
        }
        self.within(at, 2)?;
        source.read_exact_at(at, &mut raw)?;
        Ok((u64::from(u16::from_be_bytes(raw) & 0x7fff), at + 2))
    }

    fn unit(&self, source: &(impl ReadAt + ?Sized), at: u64) -> Result<u16, ParseError> {
        self.within(at, 2)?;
        u16_at(source, at)
    }

    fn bytes<'s>(
        &self,
        source: &'s (impl ReadAt + ?Sized),
        at: u64,
        length: u64,
    ) -> Result<(u64, Cow<'s, [u8]>), ParseError> {
        self.within(at, length)?;
        Ok((at, read_at(source, at, length, "bytes of a string", MAX_STRING)?))
    }

    /// Counts the bytes of a string that is decoded.
    fn count<'s>(&self, at: u64, bytes: Cow<'s, [u8]>) -> Result<Cow<'s, [u8]>, ParseError> {
        let length = bytes.len() as u64;
        let decoded = self.decoded.fetch_add(length, Ordering::Relaxed).saturating_add(length);
        if decoded > MAX_DECODED {
            return Err(ParseError::limit(at, "bytes of decoded strings", decoded, MAX_DECODED));
        }
        Ok(bytes)
    }

    fn within(&self, at: u64, length: u64) -> Result<(), ParseError> {
        if at + length > self.end {
            return Err(ParseError::truncated(at, length, self.end));
        }
        Ok(())
    }
}

/// Appends UTF-16; what is no text becomes U+FFFD.
fn utf16(bytes: &[u8], out: &mut String) {
    let units = bytes.as_chunks::<2>().0;
    if units.iter().all(|[low, high]| *high == 0 && low.is_ascii()) {
        let mut text = mem::take(out).into_bytes();
        text.extend(units.iter().map(|[low, _]| *low));
        *out = String::from_utf8(text).unwrap_or_default();
        return;
    }
    let units = units.iter().map(|pair| u16::from_le_bytes(*pair));
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}
