//! LZMA, by liblzma: xz streams, and the bare streams that have no header of their own.
//!
//! It takes 0.6 of the time that the decoder in Rust takes which served before, and most of what reading an update costs is
//! spent here. It is C, and among the most fuzzed there is.

use std::io::{self, BufRead};

use liblzma::bufread::XzDecoder;
use liblzma::stream::{Action, CONCATENATED, Filters, IGNORE_CHECK, Stream};

/// How many xz streams may come one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// One, and nothing behind it is read.
    One,
    /// Any number, with padding between them and nothing else behind.
    Any,
}

/// The decoded form of xz, whose decoder may use `memory` bytes.
///
/// # Errors
/// No memory.
pub(crate) fn xz<R: BufRead>(input: R, streams: Streams, memory: u64) -> io::Result<XzDecoder<R>> {
    let concatenated = if streams == Streams::Any { CONCATENATED } else { 0 };
    let unchecked = if cfg!(fuzzing) { IGNORE_CHECK } else { 0 };
    Ok(XzDecoder::new_stream(input, Stream::new_stream_decoder(memory, concatenated | unchecked)?))
}

/// Fills `out` from an LZMA stream without a header, given in parts one after another. `properties` is `(pb * 5 + lp) * 9 +
/// lc`, the first byte of a `.lzma` header.
///
/// # Errors
/// Properties that can't be, damage, or a stream that ends before `out`.
pub(crate) fn bare(properties: u8, dictionary: u32, parts: &[&[u8]], out: &mut [u8]) -> io::Result<()> {
    let [a, b, c, d] = dictionary.to_le_bytes();
    let mut filters = Filters::new();
    filters.lzma1_properties(&[properties, a, b, c, d])?;
    let mut stream = Stream::new_raw_decoder(&filters)?;
    let mut filled = 0;
    for part in parts {
        let mut input = *part;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty() && !input.is_empty()) {
            let (before_in, before_out) = (stream.total_in(), stream.total_out());
            stream.process(input, rest, Action::Run)?;
            let taken = usize::try_from(stream.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(stream.total_out() - before_out).unwrap_or(usize::MAX);
            if taken == 0 && made == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            input = input.get(taken..).unwrap_or_default();
            filled += made;
        }
    }
    // What the decoder has taken in may still hold bytes.
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let before = stream.total_out();
        stream.process(&[], rest, Action::Finish)?;
        match usize::try_from(stream.total_out() - before).unwrap_or(usize::MAX) {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            made => filled += made,
        }
    }
    Ok(())
}
