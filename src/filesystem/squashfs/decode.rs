//! Decoders of one block. None puts out more than it is asked for.

use std::io::{self, Read};

use crate::bytes::{lzma, lzo};

/// The window of zstd and the dictionary of xz, in bytes: a block has 1 MiB at most, and `mksquashfs` lets xz have as much.
const WINDOW_BYTES: u64 = 8 << 20;
/// Memory of an xz decoder with such a dictionary, in bytes.
const XZ_MEMORY: u64 = 16 << 20;

/// How the blocks of a volume are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Zlib,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

impl Codec {
    /// As `mksquashfs -comp` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zlib => "gzip",
            Self::Lzo => "lzo",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// What a block should hold, for messages.
    pub(super) fn data(self) -> &'static str {
        match self {
            Self::Zlib => "zlib data",
            Self::Lzo => "LZO data",
            Self::Xz => "xz data",
            Self::Lz4 => "LZ4 data",
            Self::Zstd => "zstd data",
        }
    }

    /// Decodes `raw` into `out`: how many bytes it has; `None` if it is damaged or longer than `out`.
    pub(super) fn decode(self, raw: &[u8], out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Zlib => fill(flate2::read::ZlibDecoder::new(raw), out).ok(),
            Self::Lzo => lzo::decode(raw, out),
            Self::Xz => fill(lzma::xz(raw, lzma::Streams::One, XZ_MEMORY).ok()?, out).ok(),
            Self::Lz4 => lz4_flex::block::decompress_into(raw, out).ok(),
            Self::Zstd => {
                let mut decoder = ruzstd::decoding::FrameDecoder::new();
                decoder.set_max_window_size(WINDOW_BYTES);
                fill(ruzstd::decoding::StreamingDecoder::new_with_decoder(raw, decoder).ok()?, out).ok()
            }
        }
    }
}

fn fill(mut reader: impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest)? {
            0 => return Ok(done),
            count => done += count,
        }
    }
    match reader.read(&mut [0])? {
        0 => Ok(done),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
