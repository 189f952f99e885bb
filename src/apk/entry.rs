//! The contents of one ZIP entry.
//!
//! Android trusts the central record; the local header must agree on the name and, without a data descriptor (flag
//! bit 3), on sizes and checksum. Flags such as encryption and the checksum itself are ignored. A method that is neither
//! stored nor deflated is read as the part of Android that wants the entry reads it, see [`Reader`].

use std::cell::Cell;
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use super::directory::{Directory, Record, zip64_fields};
use crate::bytes::{Budget, Inflate, ParseError, SharedBytes, Window, le, read_at, read_vec_at, zeroed};

const LOCAL_HEADER: u64 = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Deflate cannot expand further: a pair of bits for 258 bytes.
const MAX_RATIO: u64 = 1032;
/// Bytes of compressed data per read.
const PIECE: usize = 32 << 10;
/// A stored entry up to here is read at once.
const SMALL: u64 = 16 << 10;
/// Room behind the bytes of an entry: up to the longest match before the end of its buffer a decoder goes byte by byte.
const ROOM: usize = 320;
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

impl Reader {
    /// Whether it does not inflate the entry.
    fn takes_as_it_is(self, record: &Record<'_>) -> bool {
        match self {
            Self::Assets => record.method != DEFLATED,
            Self::Jar => record.method == STORED,
        }
    }
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
        if reader.takes_as_it_is(record) && record.uncompressed > SMALL.min(limit) {
            let data = self.data_offset(record)?;
            return Ok(Arc::new(Window::new(self.source.clone(), data, record.uncompressed)?));
        }
        Ok(Arc::new(self.read_entry(record, reader, limit)?))
    }

    /// The contents of an entry of at most `limit` bytes.
    pub(super) fn read_entry(&self, record: &Record<'_>, reader: Reader, limit: u64) -> Result<Vec<u8>, ParseError> {
        let data = self.data_offset(record)?;
        if reader.takes_as_it_is(record) {
            return read_vec_at(self.source.as_ref(), data, record.uncompressed, "bytes of an entry", limit);
        }
        let most = record.compressed.saturating_mul(MAX_RATIO);
        if record.uncompressed > most {
            return Err(ParseError::limit(data, "uncompressed size", record.uncompressed, most));
        }
        if record.uncompressed > limit {
            return Err(ParseError::limit(data, "uncompressed size", record.uncompressed, limit));
        }
        let mut out = zeroed(data, record.uncompressed + ROOM as u64, "uncompressed size", limit + ROOM as u64)?;
        let wanted = out.len().saturating_sub(ROOM);
        let filled = inflate(&self.source, data, record.compressed, &mut out, wanted)?;
        if filled < wanted {
            return Err(ParseError::truncated(data, record.uncompressed, filled as u64));
        }
        out.truncate(wanted);
        Ok(out)
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
        let wanted = out.len();
        let filled = inflate(&self.source, data, record.compressed.min(length + TABLES), &mut out, wanted)?;
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
        let header = read_at(self.source.as_ref(), at, LOCAL_HEADER + name_length, "bytes of a local header", 1 << 17)?;
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
            let extra = read_at(self.source.as_ref(), extra_at, extra_length, "bytes of a local header", 1 << 16)?;
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

/// A decoder and its buffer: making them costs more than inflating a small entry.
struct Decoder {
    stream: Decompress,
    input: Vec<u8>,
}

thread_local! {
    /// That of the last entry, for the next.
    static SPARE: Cell<Option<Decoder>> = const { Cell::new(None) };
}

/// Inflates into `out`, of which `wanted` bytes count, and gives the bytes filled: fewer where the stream ends.
fn inflate(source: &SharedBytes, at: u64, length: u64, out: &mut [u8], wanted: usize) -> Result<usize, ParseError> {
    let spare = SPARE.take();
    let mut decoder = spare.unwrap_or_else(|| Decoder { stream: Decompress::new(false), input: vec![0; PIECE] });
    decoder.stream.reset(false);
    let filled = decoder.run(source, at, length, out, wanted);
    SPARE.set(Some(decoder));
    filled
}

impl Decoder {
    fn run(
        &mut self,
        source: &SharedBytes,
        start: u64,
        length: u64,
        out: &mut [u8],
        wanted: usize,
    ) -> Result<usize, ParseError> {
        let wrong = |what: &dyn std::fmt::Display| ParseError::invalid(start, "deflate stream", what, "a valid one");
        let (mut at, mut left, mut filled) = (start, length, 0);
        let mut piece = 0..0;
        while filled < wanted {
            let room = out.get_mut(filled..).unwrap_or_default();
            if piece.is_empty() && left > 0 {
                piece = 0..usize::try_from(left).unwrap_or(PIECE).min(PIECE);
                let buffer = self.input.get_mut(piece.clone()).unwrap_or_default();
                source.read_exact_at(at, buffer).map_err(|error| wrong(&error))?;
                at += buffer.len() as u64;
                left -= buffer.len() as u64;
            }
            // Told that nothing follows, the decoder keeps no window of what it wrote.
            let last = left == 0;
            let input = self.input.get(piece.clone()).unwrap_or_default();
            let before = (self.stream.total_in(), self.stream.total_out());
            let flush = if last { FlushDecompress::Finish } else { FlushDecompress::None };
            let status = self.stream.decompress(input, room, flush);
            let consumed = usize::try_from(self.stream.total_in() - before.0).unwrap_or(usize::MAX);
            let produced = usize::try_from(self.stream.total_out() - before.1).unwrap_or(usize::MAX);
            piece.start = piece.start.saturating_add(consumed).min(piece.end);
            filled = filled.saturating_add(produced);
            match status {
                // What stands behind the bytes that count may be anything.
                Err(_) if filled < wanted => return Err(wrong(&"corrupt")),
                Err(_) | Ok(Status::StreamEnd) => break,
                // What was cut off ends in the middle of the stream.
                Ok(_) if produced == 0 && (last || consumed == 0) => break,
                Ok(_) => {}
            }
        }
        Ok(filled)
    }
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

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    /// Hard to compress, so that a byte of the stream is about a byte of it.
    fn content() -> Vec<u8> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(1), next).map(|state| state.to_be_bytes()[0]).take(2000).collect()
    }

    fn deflated(content: &[u8]) -> Vec<u8> {
        let mut stream = Vec::with_capacity(content.len() * 2);
        Compress::new(Compression::new(9), false).compress_vec(content, &mut stream, FlushCompress::Finish).unwrap();
        stream
    }

    fn inflated(stream: &[u8], wanted: usize, room: usize) -> Result<Vec<u8>, ParseError> {
        let source: SharedBytes = Arc::new(stream.to_vec());
        let mut out = vec![0; wanted + room];
        let filled = inflate(&source, 0, stream.len() as u64, &mut out, wanted)?;
        out.truncate(filled.min(wanted));
        Ok(out)
    }

    #[test]
    fn room_behind_an_entry_changes_nothing_that_counts() {
        let content = content();
        let whole = deflated(&content);
        for wanted in [1, 100, 1000, 1999, 2000, 2100] {
            let expected = content.get(..wanted).unwrap_or(&content);
            for cut in [0, 1, 5, 300, 1000] {
                let part = whole.get(..whole.len() - cut).unwrap();
                let read = inflated(part, wanted, 0).unwrap();
                assert_eq!(inflated(part, wanted, ROOM).unwrap(), read, "{wanted} of a stream cut by {cut}");
                assert!(expected.starts_with(&read) && (cut > 0 || read == expected), "{wanted} {cut}");
            }
        }
    }

    #[test]
    fn damage_behind_the_bytes_that_count_is_none() {
        // Two blocks, of which the second has the type 3, which there is not.
        let content = content();
        let mut stream = vec![0];
        stream.extend(2000_u16.to_le_bytes());
        stream.extend((!2000_u16).to_le_bytes());
        stream.extend(&content);
        stream.push(0b111);
        stream.extend([0; 400]);
        for room in [0, ROOM] {
            assert_eq!(inflated(&stream, 2000, room).unwrap(), content);
            assert!(inflated(&stream, 2001, room).unwrap_err().to_string().contains("deflate stream is corrupt"));
        }
    }
}
