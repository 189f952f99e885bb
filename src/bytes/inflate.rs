//! A DEFLATE stream with random access, without keeping what it decodes to.
//!
//! DEFLATE (RFC 1951) and gzip (RFC 1952) can only be decoded from the front. While decoding, the decoder's whole state
//! (about 43 KB) is set aside now and then; a read starts at the state before it. When these checkpoints use up their
//! share of [`Limits::memory`](super::Limits), every second one is dropped and their distance doubles, so memory
//! is bounded for any length. Recently decoded blocks are kept as well, since filesystems come back to the same ones.
//!
//! The CRC-32 of a gzip member is checked while [`Inflate::gzip`] measures its length; the reads after it rely on that.
//! A ZIP entry's CRC-32 is not checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{Budget, ParseError, ReadAt, SharedBytes, le};

/// Distance of checkpoints before memory runs short.
const FIRST_SPACING: u64 = 1 << 20;
/// DEFLATE looks back this far.
const WINDOW: u64 = 32 << 10;
/// Decoder state and window, as measured, rounded up.
const CHECKPOINT_BYTES: u64 = 44 << 10;
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
    len: u64,
    budget: Arc<Budget>,
    progress: Mutex<Progress>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Raw,
    Gzip,
}

/// A place in the stream from which decoding can go on.
#[derive(Clone)]
struct Position {
    input: u64,
    output: u64,
    state: Box<DecompressorOxide>,
    /// The last output, a byte at its offset modulo the window's length.
    window: Box<[u8]>,
}

struct Progress {
    current: Position,
    /// By output offset; there is always one at 0.
    checkpoints: BTreeMap<u64, Position>,
    spacing: u64,
    input: Vec<u8>,
    input_start: u64,
    /// Decoded windows by their number, with the time of their last use.
    blocks: BTreeMap<u64, (u64, Box<[u8]>)>,
    clock: u64,
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

    fn new(source: SharedBytes, framing: Framing, input: u64, len: u64, budget: Arc<Budget>) -> Self {
        let window = vec![0; usize::try_from(WINDOW).unwrap_or_default()].into_boxed_slice();
        let current = Position { input, output: 0, state: Box::default(), window };
        let progress = Progress {
            checkpoints: BTreeMap::from([(0, current.clone())]),
            current,
            spacing: FIRST_SPACING,
            input: Vec::new(),
            input_start: 0,
            blocks: BTreeMap::new(),
            clock: 0,
        };
        Self { source, framing, len, budget, progress: Mutex::new(progress) }
    }

    fn measure(&self) -> Result<u64, ParseError> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut crc, mut members) = (flate2::Crc::new(), 0);
        loop {
            let (bytes, done) = self.step(&mut progress)?;
            crc.update(progress.current.last(bytes));
            if !done {
                continue;
            }
            let trailer = progress.current.input;
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
            if !self.next_member(&mut progress)? {
                return Ok(progress.current.output);
            }
        }
    }

    /// Decodes up to the end of the window at most: bytes put out, and whether the DEFLATE stream is at its end.
    fn step(&self, progress: &mut Progress) -> Result<(u64, bool), ParseError> {
        let Progress { current, input, input_start, .. } = progress;
        loop {
            let at = current.input.checked_sub(*input_start).and_then(|skip| usize::try_from(skip).ok());
            let mut available = at.and_then(|skip| input.get(skip..)).unwrap_or_default();
            if available.is_empty() && current.input < self.source.len() {
                let len = INPUT_BYTES.min(self.source.len() - current.input);
                *input = super::read_vec_at(self.source.as_ref(), current.input, len, "input", INPUT_BYTES)?;
                *input_start = current.input;
                available = input;
            }
            let more = current.input + (available.len() as u64) < self.source.len();
            let place = usize::try_from(current.output % WINDOW).unwrap_or_default();
            let flags = if more { TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
            let (status, taken, put) = decompress(&mut current.state, available, &mut current.window, place, flags);
            current.input += taken as u64;
            current.output += put as u64;
            self.budget.spend_decompressed(put as u64)?;
            match status {
                TINFLStatus::Done => return Ok((put as u64, true)),
                TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput if put > 0 => return Ok((put as u64, false)),
                TINFLStatus::NeedsMoreInput if more => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                    return Err(ParseError::truncated(current.input, 1, self.source.len()).within("deflate"));
                }
                _ => {
                    return Err(
                        ParseError::invalid(current.input, "block", "damaged", "DEFLATE data").within("deflate")
                    );
                }
            }
        }
    }

    /// Steps over a gzip member's trailer and the next one's header, if there is one.
    fn next_member(&self, progress: &mut Progress) -> Result<bool, ParseError> {
        let after = progress.current.input.saturating_add(8);
        let mut magic = [0; 2];
        // Whatever follows without the magic is padding, as gzip itself takes it.
        if self.framing == Framing::Raw
            || self.source.read_exact_at(after, &mut magic).is_err()
            || magic != [0x1f, 0x8b]
        {
            return Ok(false);
        }
        progress.current.input = gzip_header(self.source.as_ref(), after)?;
        progress.current.state.init();
        Ok(true)
    }

    /// Decodes the window with the number `wanted` into the cache.
    fn decode(&self, progress: &mut Progress, wanted: u64) -> Result<(), ParseError> {
        let start = wanted * WINDOW;
        let end = (start + WINDOW).min(self.len);
        let checkpoint = progress.checkpoints.range(..=start).next_back().map(|(at, _)| *at).unwrap_or_default();
        // The current window lost its beginning unless it is at or before the wanted one.
        if progress.current.output > start || progress.current.output < checkpoint {
            let position = progress.checkpoints.get(&checkpoint).cloned();
            progress.current = position.ok_or_else(|| ParseError::invalid(0, "checkpoint", "lost", "one at 0"))?;
        }
        while progress.current.output < end {
            let (_, done) = self.step(progress)?;
            let output = progress.current.output;
            let full = output.is_multiple_of(WINDOW);
            if full || output >= self.len {
                progress.keep_block((output - 1) / WINDOW, self.budget.limits.memory / 4);
            }
            if full {
                progress.keep_checkpoint(self.budget.limits.memory / 2);
            }
            if done && (output < end && !self.next_member(progress)?) {
                let input = progress.current.input;
                return Err(ParseError::truncated(input, self.len - output, self.source.len()).within("deflate"));
            }
            if done && output >= end {
                break;
            }
        }
        Ok(())
    }
}

impl Position {
    /// The last `bytes` that were put out by one step: a step never wraps around.
    fn last(&self, bytes: u64) -> &[u8] {
        let start = self.output.saturating_sub(bytes) % WINDOW;
        let range = usize::try_from(start).ok().zip(usize::try_from(start + bytes).ok());
        range.and_then(|(a, b)| self.window.get(a..b)).unwrap_or_default()
    }
}

impl Progress {
    fn keep_block(&mut self, number: u64, memory: u64) {
        self.clock += 1;
        self.blocks.insert(number, (self.clock, self.current.window.clone()));
        if self.blocks.len() as u64 > (memory / WINDOW).max(2) {
            let oldest = self.blocks.iter().min_by_key(|(_, (used, _))| *used).map(|(number, _)| *number);
            oldest.and_then(|number| self.blocks.remove(&number));
        }
    }

    fn keep_checkpoint(&mut self, memory: u64) {
        let output = self.current.output;
        let last = self.checkpoints.last_key_value().map(|(at, _)| *at).unwrap_or_default();
        if output < last.saturating_add(self.spacing) {
            return;
        }
        self.checkpoints.insert(output, self.current.clone());
        if self.checkpoints.len() as u64 > (memory / CHECKPOINT_BYTES).max(2) {
            self.spacing *= 2;
            let mut kept = None;
            let spacing = self.spacing;
            self.checkpoints.retain(|at, _| {
                let keep = kept.is_none_or(|kept: u64| *at >= kept.saturating_add(spacing));
                if keep {
                    kept = Some(*at);
                }
                keep
            });
        }
    }
}

impl ReadAt for Inflate {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ParseError> {
        let wanted = buf.len() as u64;
        if offset.checked_add(wanted).is_none_or(|end| end > self.len) {
            return Err(ParseError::truncated(offset, wanted, self.len));
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while !buf.is_empty() {
            let number = offset / WINDOW;
            if !progress.blocks.contains_key(&number) {
                self.decode(&mut progress, number)?;
            }
            progress.clock += 1;
            let now = progress.clock;
            let skip = usize::try_from(offset % WINDOW).unwrap_or_default();
            let Some((used, block)) = progress.blocks.get_mut(&number) else {
                return Err(ParseError::invalid(offset, "stream", "shorter", "the length it was opened with"));
            };
            *used = now;
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
        let budget = Budget::new(Limits { memory: 1 << 20, ..Limits::default() });
        let stream = raw(&data, &budget);
        read(&stream, (8 << 20) - 1, 1);
        for at in [1_u64 << 20, 7 << 20, 3 << 20, (5 << 20) + 99] {
            let before = budget.decompressed();
            assert_eq!(read(&stream, at, 1), data[usize::try_from(at).unwrap()..][..1]);
            assert!(budget.decompressed() - before <= (1 << 20) + WINDOW);
        }
    }

    #[test]
    fn checkpoints_keep_within_their_memory() {
        let data = vec![0; 64 << 20];
        let budget = Budget::new(Limits { memory: 1 << 20, ..Limits::default() });
        let stream = raw(&data, &budget);
        read(&stream, (64 << 20) - 1, 1);
        let progress = stream.progress.lock().unwrap();
        assert!(progress.checkpoints.len() as u64 * CHECKPOINT_BYTES <= 1 << 19);
        assert!(progress.checkpoints.len() > 3);
        assert!(progress.blocks.len() as u64 * WINDOW <= 1 << 18);
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
