//! Decoders of one cluster. Each stops as soon as it has what is asked for: a cluster that several files share may hold
//! more than one of them needs.

use std::io::{self, Read};

use super::lz4;
use crate::bytes::{lzma, zeroed};

/// Bytes that a cluster may have when decoded; the kernel's Z_EROFS_PCLUSTER_MAX_DSIZE.
pub(super) const DECODED_BYTES: u64 = 12 << 20;
/// What a zstd frame may ask for as its window; a frame without one asks for the length of its content.
const WINDOW_BYTES: u64 = 16 << 20;
/// The smallest dictionary of LZMA.
const DICTIONARY_BYTES: usize = 4096;

/// How a cluster's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// As they are.
    Stored,
    /// As they are, but turned within their block so that each stands where it stands in the file's block.
    Interlaced,
    Lz4,
    /// LZMA without end mark, its first byte the complement of the properties.
    MicroLzma,
    Deflate,
    Zstd,
}

impl Codec {
    /// The algorithm with that number.
    pub(super) fn of(algorithm: u8) -> Option<Self> {
        match algorithm {
            0 => Some(Self::Lz4),
            1 => Some(Self::MicroLzma),
            2 => Some(Self::Deflate),
            3 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What a cluster should hold, for messages.
    pub(super) fn data(self) -> &'static str {
        match self {
            Self::Stored | Self::Interlaced => "stored data",
            Self::Lz4 => "LZ4 data",
            Self::MicroLzma => "MicroLZMA data",
            Self::Deflate => "DEFLATE data",
            Self::Zstd => "zstd data",
        }
    }
}

/// The first `len` bytes of what `raw` holds. `turned` is where the cluster begins in a block of the file; `padded` tells
/// whether LZ4 data stand behind padding, as those of all others do.
///
/// # Errors
/// Data that are damaged or too short, and a `len` above [`DECODED_BYTES`].
pub(super) fn decode(codec: Codec, raw: &[u8], len: u64, turned: u64, padded: bool) -> Result<Vec<u8>, io::Error> {
    let mut out = zeroed(0, len, "decoded cluster", DECODED_BYTES).map_err(io::Error::other)?;
    let data = match codec {
        Codec::Stored | Codec::Interlaced => raw,
        Codec::Lz4 if !padded => raw,
        _ => {
            let padding = raw.iter().take_while(|byte| **byte == 0).count();
            raw.get(padding..).unwrap_or_default()
        }
    };
    match codec {
        Codec::Stored => copy(&mut out, data, &[])?,
        Codec::Interlaced => {
            let turn = usize::try_from(turned).unwrap_or(usize::MAX);
            let (behind, front) = data.split_at_checked(turn).ok_or(io::ErrorKind::UnexpectedEof)?;
            copy(&mut out, front, behind)?;
        }
        Codec::Lz4 => lz4::decode(data, &mut out).ok_or(io::ErrorKind::InvalidData)?,
        Codec::MicroLzma => {
            let (properties, rest) = data.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
            // The range coder's first byte is always 0; its place was given to the properties.
            let dictionary = u32::try_from(out.len().max(DICTIONARY_BYTES)).unwrap_or(u32::MAX);
            lzma::bare(!properties, dictionary, &[&[0], rest], &mut out)?;
        }
        Codec::Deflate => flate2::read::DeflateDecoder::new(data).read_exact(&mut out)?,
        Codec::Zstd => {
            let mut decoder = ruzstd::decoding::FrameDecoder::new();
            decoder.set_max_window_size(WINDOW_BYTES);
            let reader = ruzstd::decoding::StreamingDecoder::new_with_decoder(data, decoder);
            reader.map_err(io::Error::other)?.read_exact(&mut out)?;
        }
    }
    Ok(out)
}

/// Fills `out` from `first`, then from `second`.
fn copy(out: &mut [u8], first: &[u8], second: &[u8]) -> Result<(), io::Error> {
    first.chain(second).read_exact(out)
}
