//! A DEFLATE stream with random access, without keeping what it decodes to.
//!
//! DEFLATE (RFC 1951) and gzip (RFC 1952) can only be decoded from the front. While decoding, the decoder's whole state
//! (about 43 KB) is set aside now and then; a read starts at the state before it. The checkpoints of all streams share a
//! part of [`Limits::memory`](super::Limits), so memory is bounded for any length and any number of streams. Recently
//! decoded blocks are kept as well, since filesystems come back to the same ones.
//!
//! The CRC-32 of a gzip member is checked while [`Inflate::gzip`] measures its length; the reads after it rely on that.
//! A ZIP entry's CRC-32 is not checked.

use std::sync::{Arc, Mutex, PoisonError};

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::decompress;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;

use super::checkpoints::{Position, WINDOW};
use super::{Budget, DecodedCache, ParseError, ReadAt, SharedBytes, le};

/// Compressed bytes read at once.
const INPUT_BYTES: u64 = 64 << 10;
/// Members of one gzip file: bgzip makes one for each 64 KiB, so this is 64 GiB of it.
const MEMBERS: u32 = 1 << 20;
/// A gzip header's name and comment.
const HEADER_TEXT: u64 = 4096;

/// The decoded form of a DEFLATE or gzip stream.
pub struct Inflate {
    source: SharedBytes,
    framing: Framing,
    /// Where the first DEFLATE data begins.
    start: u64,
    len: u64,
    budget: Arc<Budget>,
    stream: u64,
    /// Decoded windows by their number.
    blocks: DecodedCache,
    /// Held by whoever decodes: a second one would decode the same.
    turn: Mutex<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Raw,
    Gzip,
}

/// Decoding under way.
struct Run {
    position: Position,
    input: Vec<u8>,
    input_start: u64,
}

impl Run {
    fn from(position: Position) -> Self {
        Self { position, input: Vec::new(), input_start: 0 }
    }
}

impl Inflate {
    /// A raw DEFLATE stream that decodes to `len` bytes, as its container says. A stream that ends earlier is an error
    /// of the read that finds it.
    #[must_use]
    pub fn raw(source: SharedBytes, len: u64, budget: Arc<Budget>) -> Self {
        Self::new(source, Framing::Raw, 0, len, budget)
    }

    /// A gzip file of one or more members. Decodes it once, since nothing in the file tells the length reliably.
    ///
    /// # Errors
    /// A damaged header, stream or checksum, or too many bytes for the budget.
    pub fn gzip(source: SharedBytes, budget: Arc<Budget>) -> Result<Self, ParseError> {
        let start = gzip_header(source.as_ref(), 0)?;
        let mut stream = Self::new(source, Framing::Gzip, start, u64::MAX, budget);
        stream.len = stream.measure()?;
        Ok(stream)
    }

    fn new(source: SharedBytes, framing: Framing, start: u64, len: u64, budget: Arc<Budget>) -> Self {
        let (stream, blocks) = (budget.checkpoints.stream(), budget.decoded());
        Self { source, framing, start, len, budget, stream, blocks, turn: Mutex::default() }
    }

    fn measure(&self) -> Result<u64, ParseError> {
        let mut run = Run::from(Position::start(self.start));
        let (mut crc, mut members) = (flate2::Crc::new(), 0);
        loop {
            let (bytes, done) = self.step(&mut run)?;
            crc.update(run.position.last(bytes));
            if run.position.output.is_multiple_of(WINDOW) {
                self.budget.checkpoints.offer(self.stream, &run.position);
            }
            if !done {
                continue;
            }
            let trailer = run.position.input;
            let mut field = [0; 8];
            self.source.read_exact_at(trailer, &mut field)?;
            let expected = le::u32(&field, 0).unwrap_or_default();
            if expected != crc.sum() && !cfg!(fuzzing) {
                let found = format!("{expected:08x}");
                return Err(ParseError::invalid(trailer, "CRC32", found, "the checksum of the data"));
            }
            crc.reset();
            members += 1;
            if members > MEMBERS {
                return Err(ParseError::limit(trailer, "gzip members", u64::from(members), u64::from(MEMBERS)));
            }
            if !self.next_member(&mut run.position)? {
                return Ok(run.position.output);
            }
        }
    }

    /// Decodes up to the end of the window at most: bytes put out, and whether the DEFLATE stream is at its end.
    fn step(&self, run: &mut Run) -> Result<(u64, bool), ParseError> {
        let Run { position, input, input_start } = run;
        loop {
            let at = position.input.checked_sub(*input_start).and_then(|skip| usize::try_from(skip).ok());
            let mut available = at.and_then(|skip| input.get(skip..)).unwrap_or_default();
            if available.is_empty() && position.input < self.source.len() {
                let len = INPUT_BYTES.min(self.source.len() - position.input);
                *input = super::read_vec_at(self.source.as_ref(), position.input, len, "input", INPUT_BYTES)?;
                *input_start = position.input;
                available = input;
            }
            let more = position.input + (available.len() as u64) < self.source.len();
            let place = usize::try_from(position.output % WINDOW).unwrap_or_default();
            let flags = if more { TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
            let (status, taken, put) = decompress(&mut position.state, available, &mut position.window, place, flags);
            position.input += taken as u64;
            position.output += put as u64;
            self.budget.spend_decompressed(put as u64)?;
            match status {
                TINFLStatus::Done => return Ok((put as u64, true)),
                TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput if put > 0 => return Ok((put as u64, false)),
                TINFLStatus::NeedsMoreInput if more => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                    return Err(ParseError::truncated(position.input, 1, self.source.len()).within("deflate"));
                }
                _ => {
                    return Err(
                        ParseError::invalid(position.input, "block", "damaged", "DEFLATE data").within("deflate")
                    );
                }
            }
        }
    }

    /// Steps over a gzip member's trailer and the next one's header, if there is one.
    fn next_member(&self, position: &mut Position) -> Result<bool, ParseError> {
        let after = position.input.saturating_add(8);
        let mut magic = [0; 2];
        // Whatever follows without the magic is padding, as gzip itself takes it.
        if self.framing == Framing::Raw
            || self.source.read_exact_at(after, &mut magic).is_err()
            || magic != [0x1f, 0x8b]
        {
            return Ok(false);
        }
        position.input = gzip_header(self.source.as_ref(), after)?;
        position.state.init();
        Ok(true)
    }

    /// Decodes the window with the number `wanted`, and keeps those on the way to it.
    fn decode(&self, wanted: u64) -> Result<Arc<Vec<u8>>, ParseError> {
        let start = wanted * WINDOW;
        let end = (start + WINDOW).min(self.len);
        let position = self.budget.checkpoints.take(self.stream, start);
        let mut run = Run::from(position.unwrap_or_else(|| Position::start(self.start)));
        while run.position.output < end {
            let (_, done) = self.step(&mut run)?;
            let output = run.position.output;
            let full = output.is_multiple_of(WINDOW);
            if full && output < end {
                self.blocks.put(((output - 1) / WINDOW, 0), Arc::new(run.position.window.to_vec()));
            }
            if full {
                self.budget.checkpoints.offer(self.stream, &run.position);
            }
            if done && output < end && !self.next_member(&mut run.position)? {
                let input = run.position.input;
                return Err(ParseError::truncated(input, self.len - output, self.source.len()).within("deflate"));
            }
        }
        let block: Arc<Vec<u8>> = Arc::new(run.position.window.to_vec());
        self.blocks.put((wanted, 0), block.clone());
        self.budget.checkpoints.park(self.stream, run.position);
        Ok(block)
    }

    fn block(&self, number: u64) -> Result<Arc<Vec<u8>>, ParseError> {
        if let Some(block) = self.blocks.peek((number, 0)) {
            return Ok(block);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match self.blocks.peek((number, 0)) {
            Some(block) => Ok(block),
            None => self.decode(number),
        }
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        self.budget.checkpoints.forget(self.stream);
    }
}

impl ReadAt for Inflate {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ParseError> {
        super::within(self.len, offset, buf.len() as u64)?;
        while !buf.is_empty() {
            let block = self.block(offset / WINDOW)?;
            let skip = usize::try_from(offset % WINDOW).unwrap_or_default();
            let available = block.get(skip..).unwrap_or_default();
            let count = available.len().min(buf.len());
            let (now, later) = buf.split_at_mut(count);
            now.copy_from_slice(available.get(..count).unwrap_or_default());
            buf = later;
            offset += count as u64;
        }
        Ok(())
    }
}

/// Where the DEFLATE data of the gzip member at `start` begins.
fn gzip_header(source: &dyn ReadAt, start: u64) -> Result<u64, ParseError> {
    let mut fixed = [0; 10];
    source.read_exact_at(start, &mut fixed)?;
    let [id1, id2, method, flags, ..] = fixed;
    if [id1, id2, method] != [0x1f, 0x8b, 8] {
        let found = format!("{id1:02x}{id2:02x}{method:02x}");
        return Err(ParseError::invalid(start, "gzip ID and CM", found, "1f8b08"));
    }
    let mut at = start + 10;
    if flags & 4 != 0 {
        let mut extra = [0; 2];
        source.read_exact_at(at, &mut extra)?;
        at += 2 + u64::from(u16::from_le_bytes(extra));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let len = HEADER_TEXT.min(source.len().saturating_sub(at));
            let text = super::read_vec_at(source, at, len, "gzip header", HEADER_TEXT)?;
            let end = text.iter().position(|byte| *byte == 0);
            let end = end.ok_or_else(|| ParseError::limit(at, "gzip header text", len, HEADER_TEXT))?;
            at += end as u64 + 1;
        }
    }
    Ok(if flags & 2 != 0 { at + 2 } else { at })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};

    use super::*;
    use crate::bytes::Limits;

    /// Bytes that compress a little, different at every place.
    fn data(len: u64) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        };
        (0..len).map(|at| if at % 3 == 0 { 7 } else { next() }).collect()
    }

    fn raw(data: &[u8], budget: &Arc<Budget>) -> Inflate {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        Inflate::raw(Arc::new(encoder.finish().unwrap()), data.len() as u64, budget.clone())
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn read(source: &dyn ReadAt, offset: u64, len: usize) -> Vec<u8> {
        let mut buf = vec![0; len];
        source.read_exact_at(offset, &mut buf).unwrap();
        buf
    }

    #[test]
    fn reads_in_any_order_give_the_bytes_at_their_offset() {
        let data = data(5_000_001);
        let budget = Budget::new(Limits::default());
        let stream = raw(&data, &budget);
        let mut at = 77;
        for _ in 0..200 {
            at = at * 7_919 % 4_900_000;
            assert!(read(&stream, at as u64, 70_000) == data[at..at + 70_000], "at {at}");
        }
        assert_eq!(read(&stream, 5_000_000, 1), data[5_000_000..]);
        assert!(stream.read_exact_at(5_000_000, &mut [0; 2]).is_err());
    }

    #[test]
    fn a_read_costs_at_most_the_distance_of_two_checkpoints() {
        let data = data(8 << 20);
        let budget = Budget::new(Limits { memory: 2 << 20, ..Limits::default() });
        let stream = raw(&data, &budget);
        read(&stream, (8 << 20) - 1, 1);
        for at in [1_u64 << 20, 7 << 20, 3 << 20, (5 << 20) + 99] {
            let before = budget.decompressed();
            assert_eq!(read(&stream, at, 1), data[usize::try_from(at).unwrap()..][..1]);
            assert!(budget.decompressed() - before <= (1 << 20) + WINDOW);
        }
    }

    #[test]
    fn many_streams_keep_within_the_memory_of_one() {
        let data = vec![0; 8 << 20];
        let budget = Budget::new(Limits { memory: 1 << 20, ..Limits::default() });
        let streams: Vec<_> = (0..20).map(|_| raw(&data, &budget)).collect();
        for stream in &streams {
            read(stream, (8 << 20) - 1, 1);
            assert!(budget.cache.bytes() <= 1 << 20);
        }
        drop(streams);
        assert_eq!(budget.cache.bytes(), 0);
    }

    #[test]
    fn members_of_a_gzip_file_read_as_one_stream() {
        let data = data(300_000);
        let mut file = gzip(&data[..100_001]);
        file.extend(gzip(b""));
        file.extend(gzip(&data[100_001..]));
        file.extend([0; 512]);
        let stream = Inflate::gzip(Arc::new(file), Budget::new(Limits::default())).unwrap();
        assert_eq!(stream.len(), 300_000);
        assert!(read(&stream, 0, 300_000) == data);
        assert_eq!(read(&stream, 99_999, 5), data[99_999..100_004]);
    }

    #[test]
    fn a_changed_byte_of_a_gzip_file_does_not_pass_its_checksum() {
        let mut file = gzip(&data(100));
        let middle = file.len() / 2;
        file[middle] ^= 1;
        assert!(Inflate::gzip(Arc::new(file), Budget::new(Limits::default())).is_err());
    }

    #[test]
    fn a_stream_that_ends_before_its_declared_length_is_an_error() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"short").unwrap();
        let bytes = Arc::new(encoder.finish().unwrap());
        let stream = Inflate::raw(bytes, 1 << 40, Budget::new(Limits::default()));
        assert!(stream.read_exact_at(0, &mut [0; 1]).is_err());
        assert!(stream.read_exact_at(1 << 39, &mut [0; 1]).is_err());
    }

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let file = gzip(&vec![0; 10 << 20]);
        let budget = Budget::new(Limits { decompressed: 1 << 20, ..Limits::default() });
        let error = Inflate::gzip(Arc::new(file), budget.clone()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("decompressed bytes"), "{error}");
        assert!(budget.decompressed() <= (1 << 20) + WINDOW);
    }
}
