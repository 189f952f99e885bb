//! The contents of one ZIP entry.
//!
//! Android trusts the central record; the local header must agree on the name and, without a data descriptor (flag
//! bit 3), on sizes and checksum. Flags such as encryption and the checksum itself are ignored. A method that is neither
//! stored nor deflated is read as the part of Android that wants the entry reads it, see [`Reader`].

use std::io::Read as _;
use std::sync::Arc;

use super::directory::{Directory, Record, zip64_fields};
use crate::bytes::{Budget, Inflate, ParseError, SharedBytes, Window, le, read_vec_at, zeroed};

const LOCAL_HEADER: u64 = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Deflate cannot expand further: a pair of bits for 258 bytes.
const MAX_RATIO: u64 = 1032;
/// Bytes of compressed data per read.
const PIECE: usize = 32 << 10;
/// What a compressor may spend before the first byte: block headers and code tables.
const TABLES: u64 = 1024;

/// The part of Android that wants an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// `AssetManager`: what is not deflated stands as it is, `uncompressed size` of it.
    Assets,
    /// `StrictJarFile`: what is not stored is inflated.
    Jar,
}

impl Record<'_> {
    /// Whether [`Reader::Assets`] inflates it.
    pub(super) fn is_deflated(&self) -> bool {
        self.method == DEFLATED
    }
}

impl Directory {
    /// The contents of an entry: a window where it is stored, memory of at most `limit` bytes where it is deflated.
    pub(super) fn open_entry(
        &self,
        record: &Record<'_>,
        reader: Reader,
        limit: u64,
    ) -> Result<SharedBytes, ParseError> {
        let data = self.data_offset(record)?;
        let plain = match reader {
            Reader::Assets => record.method != DEFLATED,
            Reader::Jar => record.method == STORED,
        };
        if plain {
            return Ok(Arc::new(Window::new(self.source.clone(), data, record.uncompressed)?));
        }
        let most = record.compressed.saturating_mul(MAX_RATIO);
        if record.uncompressed > most {
            return Err(ParseError::limit(data, "uncompressed size", record.uncompressed, most));
        }
        let mut out = zeroed(data, record.uncompressed, "uncompressed size", limit)?;
        let filled = inflate(&self.source, data, record.compressed, &mut out)?;
        if filled < out.len() {
            return Err(ParseError::truncated(data, record.uncompressed, filled as u64));
        }
        Ok(Arc::new(out))
    }

    /// The contents of an entry of any length, deflated ones decoded as they are read.
    pub(super) fn open_stream(&self, record: &Record<'_>, budget: &Arc<Budget>) -> Result<SharedBytes, ParseError> {
        let data = self.data_offset(record)?;
        if record.method != DEFLATED {
            return Ok(Arc::new(Window::new(self.source.clone(), data, record.uncompressed)?));
        }
        let most = record.compressed.saturating_mul(MAX_RATIO);
        if record.uncompressed > most {
            return Err(ParseError::limit(data, "uncompressed size", record.uncompressed, most));
        }
        let stream = Arc::new(Window::new(self.source.clone(), data, record.compressed)?);
        Ok(Arc::new(Inflate::raw(stream, record.uncompressed, budget.clone())))
    }

    /// At most the first `length` bytes of an entry.
    pub(super) fn entry_start(&self, record: &Record<'_>, length: u64) -> Result<Vec<u8>, ParseError> {
        let data = self.data_offset(record)?;
        let length = length.min(record.uncompressed);
        if record.method != DEFLATED {
            return read_vec_at(self.source.as_ref(), data, length, "bytes of an entry's start", length);
        }
        let mut out = zeroed(data, length, "bytes of an entry's start", length)?;
        let filled = inflate(&self.source, data, record.compressed.min(length + TABLES), &mut out)?;
        out.truncate(filled);
        Ok(out)
    }

    /// The contents of an entry as [`Reader::Jar`] reads them, as a stream: behind `uncompressed size` it may go on.
    pub(super) fn stream(&self, record: &Record<'_>) -> Result<Box<dyn std::io::Read + Send>, ParseError> {
        let at = self.data_offset(record)?;
        let stored = record.method == STORED;
        let left = if stored { record.uncompressed } else { record.compressed };
        let input = Pieces { source: self.source.clone(), at, left };
        if stored {
            return Ok(Box::new(input));
        }
        Ok(Box::new(flate2::read::DeflateDecoder::new_with_buf(input, vec![0; PIECE])))
    }

    /// Checks the local header against the record and gives the offset of the data behind it.
    pub(super) fn data_offset(&self, record: &Record<'_>) -> Result<u64, ParseError> {
        let at = record.local_header;
        let name_length = record.name.len() as u64;
        let header =
            read_vec_at(self.source.as_ref(), at, LOCAL_HEADER + name_length, "bytes of a local header", 1 << 17)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ParseError::invalid(at, "local header signature", "another", "PK\\x03\\x04"));
        }
        let short = |at| le::u16(&header, at).unwrap_or_default();
        let long = |at| le::u32(&header, at).unwrap_or_default();
        if u64::from(short(26)) != name_length || header.get(30..) != Some(record.name) {
            return Err(ParseError::invalid(at + 26, "local file name", "another", "the name in the directory"));
        }
        let extra_length = u64::from(short(28));
        let mut sizes = [u64::from(long(22)), u64::from(long(18))];
        if sizes == [u64::from(u32::MAX); 2] {
            let extra_at = at + LOCAL_HEADER + name_length;
            let extra = read_vec_at(self.source.as_ref(), extra_at, extra_length, "bytes of a local header", 1 << 16)?;
            if let Some([Some(uncompressed), Some(compressed), _]) = zip64_fields(&extra, [true, true, false]) {
                sizes = [uncompressed, compressed];
            }
        }
        let described_later = short(6) & 8 != 0;
        if !described_later && (sizes != [record.uncompressed, record.compressed] || long(14) != record.crc) {
            return Err(ParseError::invalid(at + 14, "local sizes and checksum", "others", "those in the directory"));
        }
        let data = at + LOCAL_HEADER + name_length + extra_length;
        if data.checked_add(record.compressed).is_none_or(|end| end > self.start) {
            return Err(ParseError::truncated(data, record.compressed, self.start));
        }
        Ok(data)
    }
}

/// Inflates into `out` and gives the bytes filled: fewer where the stream ends.
fn inflate(source: &SharedBytes, at: u64, length: u64, out: &mut [u8]) -> Result<usize, ParseError> {
    let input = Pieces { source: source.clone(), at, left: length };
    let mut decoder = flate2::read::DeflateDecoder::new_with_buf(input, vec![0; PIECE]);
    let mut filled = 0;
    while let Some(room) = out.get_mut(filled..).filter(|room| !room.is_empty()) {
        match decoder.read(room) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => {
                // A window that was cut short for the start of an entry ends in the middle of the stream.
                if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    break;
                }
                return Err(ParseError::invalid(at, "deflate stream", error, "a valid one"));
            }
        }
    }
    Ok(filled)
}

struct Pieces {
    source: SharedBytes,
    at: u64,
    left: u64,
}

impl std::io::Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let piece = buf.get_mut(..length).unwrap_or_default();
        self.source.read_exact_at(self.at, piece).map_err(std::io::Error::other)?;
        self.at += length as u64;
        self.left -= length as u64;
        Ok(length)
    }
}
