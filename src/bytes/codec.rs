//! Compressed streams that can only be decoded from the front.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::lz4_frames::Lz4Frames;
use super::xz_blocks::XzBlocks;
use super::{Budget, Cursor, Limits, Notice, ParseError, ReadAt, Reservation, SharedBytes, Spool, lzma, stream_error};

/// Compressed bytes read at once.
const INPUT_BYTES: usize = 64 << 10;
/// Decoded bytes at once.
const CHUNK: usize = 64 << 10;
/// Memory that is asked for in one piece, before the stream has shown that it fills it.
const WHOLE: u64 = 32 << 20;
/// Decoded bytes between two words of how far a temporary file is.
const TOLD: u64 = 64 << 20;
/// What every decoder of zstd should support (RFC 8878, 3.1.1.1.2).
const LEAST_WINDOW: u64 = 8 << 20;
/// Frames of one zstd file: `pzstd` makes one for some MiB.
const FRAMES: u32 = 1 << 20;

/// A way of compressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 7932, without the large window that is no part of it.
    Brotli,
    /// bzip2, streams one after another.
    Bzip2,
    /// LZ4 frames (version 1.6.4 of their description) one after another, also legacy ones.
    Lz4,
    /// xz (version 1.2.1 of its description), streams one after another.
    Xz,
    /// Zstandard (RFC 8878), frames one after another, skippable ones among them.
    Zstd,
}

impl Codec {
    fn reader(self, source: SharedBytes, memory: u64) -> io::Result<Box<dyn Read>> {
        let input = BufReader::with_capacity(INPUT_BYTES, Cursor::new(source));
        Ok(match self {
            Self::Brotli => {
                let mut decoder = brotli_decompressor::Decompressor::new(input, INPUT_BYTES);
                let large = brotli_decompressor::BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW;
                decoder.set_parameter(large, 0);
                Box::new(decoder)
            }
            Self::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(input)),
            Self::Lz4 => Box::new(Lz4Frames::new(input)),
            Self::Xz => Box::new(lzma::xz(input, lzma::Streams::Any, memory.max(LEAST_WINDOW))?),
            Self::Zstd => {
                let mut decoder = FrameDecoder::new();
                decoder.set_max_window_size(memory.max(LEAST_WINDOW));
                Box::new(Frames { input, decoder, inside: false, frames: 0 })
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "brotli",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// Calls `take` for each piece of the decoded stream, until its end or an error.
    fn run(
        self,
        source: SharedBytes,
        budget: &Budget,
        mut take: impl FnMut(&[u8]) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let mut reader = self.reader(source, budget.limits.memory).map_err(|error| self.error(error))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let mut filled = 0;
            while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match reader.read(rest).map_err(|error| self.error(error))? {
                    0 => break,
                    count => filled += count,
                }
            }
            let Some(piece) = chunk.get(..filled).filter(|piece| !piece.is_empty()) else {
                return Ok(());
            };
            budget.spend_decompressed(filled as u64)?;
            take(piece)?;
        }
    }

    fn error(self, error: io::Error) -> ParseError {
        let inner = error.get_ref().is_some_and(|inner| inner.is::<ParseError>());
        let error = if inner || error.kind() == io::ErrorKind::Interrupted {
            stream_error(error)
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            ParseError::invalid(0, "stream", "cut off", "a whole one")
        } else {
            ParseError::invalid(0, "stream", error, "undamaged data")
        };
        error.within(self.name())
    }

    /// Memory that a decoder needs for itself at most, by what its stream may ask for.
    fn own_memory(self, limits: &Limits) -> u64 {
        match self {
            Self::Brotli => 18 << 20,
            Self::Bzip2 => 5 << 20,
            Self::Lz4 => 17 << 20,
            Self::Xz | Self::Zstd => limits.memory.max(LEAST_WINDOW),
        }
    }

    /// The whole decoded stream, which must not be longer than `limit` bytes.
    ///
    /// # Errors
    /// Damage, a longer stream, or too many bytes for the budget.
    pub fn decode(self, source: SharedBytes, limit: u64, budget: &Budget) -> Result<Vec<u8>, ParseError> {
        let reserve = limit.saturating_mul(2).min(limit.saturating_add(self.own_memory(&budget.limits)));
        let _reserved = budget.cache.reserve(reserve);
        let mut out = Vec::new();
        self.run(source, budget, |piece| {
            let len = (out.len() + piece.len()) as u64;
            if len > limit {
                return Err(ParseError::limit(0, "decoded bytes", len, limit).within(self.name()));
            }
            if out.capacity() == 0 {
                // Asked for once it is known that there is something.
                out.reserve_exact(usize::try_from(limit.min(WHOLE)).unwrap_or_default());
            }
            out.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(out)
    }

    /// The decoded stream as it comes, for a caller that bounds and counts what it takes.
    ///
    /// # Errors
    /// No memory for a decoder.
    pub(crate) fn stream(self, source: SharedBytes, budget: &Budget) -> Result<Box<dyn Read>, ParseError> {
        self.reader(source, budget.limits.memory).map_err(|error| self.error(error))
    }

    /// The decoded stream with random access. xz of several blocks is decoded block by block; all else once: a short one is kept in memory, a longer one in a [`Spool`],
    /// since restarting such a stream for each read would take hours. `name` is what the listener hears of it.
    ///
    /// # Errors
    /// Damage, too many bytes for the budget or for [`Limits::spill`], or the host's refusal of the file.
    pub fn spool(self, source: SharedBytes, name: &str, budget: &Arc<Budget>) -> Result<SharedBytes, ParseError> {
        if self == Self::Xz
            && let Some(blocks) = XzBlocks::open(&source, budget)?
        {
            return Ok(Arc::new(blocks));
        }
        let reserved = budget.cache.reserve(self.own_memory(&budget.limits));
        let most = budget.limits.memory / 32;
        let (mut kept, mut file, mut len, mut told) = (Vec::new(), None::<Spool>, 0_u64, 0_u64);
        self.run(source, budget, |piece| {
            let start = len;
            len += piece.len() as u64;
            let spool = match &mut file {
                Some(spool) => spool,
                None if len <= most => {
                    kept.extend_from_slice(piece);
                    return Ok(());
                }
                none => {
                    budget.tell(Notice::Lasting(format!(
                        "{name} can't be read from the middle: unpacking it to a temporary file"
                    )));
                    let spool = none.insert(Spool::new(budget)?);
                    spool.write_at(0, &std::mem::take(&mut kept))?;
                    spool
                }
            };
            spool.write_at(start, piece)?;
            if len >= told + TOLD {
                told = len;
                budget.tell(Notice::Passing(format!("{name}: {} MiB unpacked to a temporary file so far", len >> 20)));
            }
            Ok(())
        })?;
        drop(reserved);
        match file {
            None => {
                kept.shrink_to_fit();
                let reserved = budget.cache.reserve(len);
                // Of streams of which there are many, not all can stay in memory.
                if budget.cache.reserved() <= budget.limits.memory / 2 {
                    return Ok(Arc::new(Short { bytes: kept, _reserved: reserved }));
                }
                let spool = Spool::new(budget)?;
                spool.write_at(0, &kept)?;
                spool.finish(len)
            }
            Some(spool) => spool.finish(len),
        }
    }
}

/// A decoded stream that is held in memory.
struct Short {
    bytes: Vec<u8>,
    _reserved: Reservation,
}

impl ReadAt for Short {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.bytes.read_exact_at(offset, buf)
    }
}

/// zstd frames one after another.
struct Frames<R> {
    input: R,
    decoder: FrameDecoder,
    inside: bool,
    frames: u32,
}

impl<R: BufRead> Frames<R> {
    /// Steps into the next frame that has data. Whether there is one.
    fn next(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            self.frames += 1;
            if self.frames > FRAMES {
                return Err(io::Error::other("too many frames"));
            }
            match self.decoder.init(&mut self.input) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut self.input.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.inside || self.next()? {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buf);
            }
            if !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, some).map_err(io::Error::other)?;
                continue;
            }
            let expected = self.decoder.get_checksum_from_data();
            if expected.is_some() && expected != self.decoder.get_calculated_checksum() && !cfg!(fuzzing) {
                return Err(io::Error::other("the checksum is wrong"));
            }
            self.inside = false;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Zeros, a pattern and bytes that don't compress.
    fn data(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        };
        (0..len).map(|at| if at % (300 << 10) < (200 << 10) { 0 } else { next() }).collect()
    }

    fn lz4(data: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_long_stream_reads_from_the_temporary_file_as_a_short_one_from_memory() {
        let data = data(3 << 20);
        for (codec, encoded) in [(Codec::Lz4, lz4(&data)), (Codec::Bzip2, bzip2(&data))] {
            let source: SharedBytes = Arc::new(encoded);
            let decoded = |memory| {
                let budget = Budget::new(Limits { memory, ..Limits::default() });
                let (hears, heard) = std::sync::mpsc::channel();
                budget.listen(Some(hears));
                let stream = codec.spool(source.clone(), "x.dat", &budget).unwrap();
                let told: Vec<_> = heard.try_iter().collect();
                let text = "x.dat can't be read from the middle: unpacking it to a temporary file".to_owned();
                assert_eq!(told, if memory > 1 << 26 { vec![] } else { vec![Notice::Lasting(text)] });
                assert_eq!(budget.spooled() > 0, memory <= 1 << 26);
                assert_eq!(stream.len(), data.len() as u64);
                let mut buf = vec![0; data.len()];
                stream.read_exact_at(0, &mut buf).unwrap();
                buf
            };
            assert!(decoded(128 << 20) == data, "{codec:?} in memory");
            assert!(decoded(1 << 20) == data, "{codec:?} in a file");
        }
    }

    #[test]
    fn bombs_end_at_the_budget_at_the_limit_and_at_the_spill() {
        let source: SharedBytes = Arc::new(lz4(&data(3 << 20)));
        let error =
            |limits: Limits| Codec::Lz4.spool(source.clone(), "x", &Budget::new(limits)).err().unwrap().to_string();
        let default = Limits { memory: 1 << 20, ..Limits::default() };
        let message = error(Limits { decompressed: 1 << 20, ..default.clone() });
        assert!(message.contains("the limit is 1048576"), "{message}");
        let message = error(Limits { spill: 1 << 19, ..default.clone() });
        assert!(message.contains("bytes in temporary files"), "{message}");
        let message = Codec::Lz4.decode(source.clone(), 1 << 20, &Budget::new(default)).unwrap_err().to_string();
        assert!(message.contains("lz4: byte 0: decoded bytes is"), "{message}");
    }

    #[test]
    fn streams_one_after_another_are_one() {
        let budget = Budget::new(Limits::default());
        for (codec, one) in [(Codec::Bzip2, bzip2 as fn(&[u8]) -> Vec<u8>), (Codec::Lz4, lz4)] {
            for len in [1_000, CHUNK, 2 * CHUNK] {
                let data = data(len);
                let source: SharedBytes = Arc::new([one(&data), one(&data)].concat());
                assert!(
                    codec.decode(source, 1 << 20, &budget).unwrap() == [data.clone(), data].concat(),
                    "{codec:?} {len}"
                );
            }
        }
    }

    #[test]
    fn a_stream_that_is_cut_off_is_an_error() {
        let budget = Budget::new(Limits::default());
        for (codec, encoded) in [(Codec::Lz4, lz4(&data(100_000))), (Codec::Bzip2, bzip2(&data(100_000)))] {
            for len in [encoded.len() / 2, encoded.len() - 1] {
                let source: SharedBytes = Arc::new(encoded[..len].to_vec());
                assert!(codec.decode(source, 1 << 20, &budget).is_err(), "{codec:?} {len} of {}", encoded.len());
            }
        }
    }
}
