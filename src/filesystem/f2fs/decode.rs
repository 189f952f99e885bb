//! Decoders of one compressed cluster, which must fill it.

use std::io::Read;

use crate::bytes::{ParseError, lzo};

/// What every decoder of zstd should support (RFC 8878, 3.1.1.1.2); a cluster is smaller.
const WINDOW_BYTES: u64 = 8 << 20;

/// Fills `out`. `inode` and `place` are where the algorithm and the cluster stand, for messages.
pub(super) fn decode(algorithm: u8, data: &[u8], out: &mut [u8], inode: u64, place: u64) -> Result<(), ParseError> {
    let whole = out.len();
    let (done, expected) = match algorithm {
        // LZO-RLE says of itself in the data that it is that.
        0 | 3 => (lzo::decode(data, out), "LZO data"),
        1 => (lz4_flex::block::decompress_into(data, out).ok(), "LZ4 data"),
        2 => (zstd(data, out), "zstd data"),
        found => {
            let feature = format!("compression with algorithm {found}");
            return Err(ParseError::unsupported(inode + 392, feature));
        }
    };
    match done {
        Some(done) if done == whole => Ok(()),
        _ => Err(ParseError::invalid(place, "compressed cluster", "damaged", expected)),
    }
}

fn zstd(data: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut decoder = ruzstd::decoding::FrameDecoder::new();
    decoder.set_max_window_size(WINDOW_BYTES);
    let mut reader = ruzstd::decoding::StreamingDecoder::new_with_decoder(data, decoder).ok()?;
    reader.read_exact(out).ok()?;
    Some(out.len())
}
