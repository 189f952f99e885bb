//! Binary patches: bsdiff 4.0 (Colin Percival's `bsdiff`, `BSDIFF40`) and AOSP's `BSDF2` (`external/bsdiff/include/bsdiff/patch_reader.h`).
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 8 | magic | `BSDIFF40`, or `BSDF2` and the way of packing of each stream: 0 none, 1 bzip2, 2 brotli |
//! | 8 | 8 | | length of the packed control stream |
//! | 16 | 8 | | length of the packed difference stream |
//! | 24 | 8 | | length of the new file |
//!
//! Then the streams: control, difference, extra. Numbers have 63 bits and a sign in the highest bit. Control is triples: that many bytes
//! of the old file plus those of the difference, that many of the extra stream, that many to step on in the old file.
//! Places outside of the old file count as zeros, as in the original.

use std::io::{self, Read};

use crate::bytes::{Budget, Codec, Cursor, ParseError, SharedBytes, Window, read_vec_at, stream_error};

const HEADER_BYTES: u64 = 32;
const PIECE: usize = 64 << 10;
/// Triples that put nothing out. Real patches have none.
const IDLE: u32 = 1 << 16;

/// Makes the new file, of `len` bytes at most, from the old one. `take` gets it piece by piece.
///
/// # Errors
/// A damaged patch, a longer file, too many bytes for the budget, what the sources or `take` report.
pub(super) fn apply(
    patch: &SharedBytes,
    old: &SharedBytes,
    len: u64,
    budget: &Budget,
    take: &mut dyn FnMut(&[u8]) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    run(patch, old, len, budget, take).map_err(|error| error.within("bsdiff"))
}

fn run(
    patch: &SharedBytes,
    old: &SharedBytes,
    len: u64,
    budget: &Budget,
    take: &mut dyn FnMut(&[u8]) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let header = read_vec_at(patch.as_ref(), 0, HEADER_BYTES, "header", HEADER_BYTES)?;
    let packing = match header.get(..8) {
        Some(b"BSDIFF40") => [1, 1, 1],
        Some([b'B', b'S', b'D', b'F', b'2', rest @ ..]) if rest.iter().all(|kind| *kind <= 2) => {
            rest.first_chunk::<3>().copied().unwrap_or_default()
        }
        _ => return Err(ParseError::invalid(0, "magic", format!("{:02x?}", header.get(..8)), "BSDIFF40 or BSDF2")),
    };
    let length = |at: usize, field| {
        let value = number(header.get(at..)).and_then(|value| u64::try_from(value).ok());
        value.ok_or_else(|| ParseError::invalid(at as u64, field, "negative", "a length"))
    };
    let (control, difference) = (length(8, "control length")?, length(16, "difference length")?);
    let new = length(24, "new length")?;
    if new > len {
        return Err(ParseError::invalid(24, "new length", new, "no more than what the operation writes"));
    }
    let rest = patch.len().saturating_sub(HEADER_BYTES.saturating_add(control).saturating_add(difference));
    let mut at = HEADER_BYTES;
    let mut streams = Vec::new();
    for (kind, len) in packing.into_iter().zip([control, difference, rest]) {
        let source: SharedBytes = std::sync::Arc::new(Window::new(patch.clone(), at, len)?);
        at = at.saturating_add(len);
        streams.push(match kind {
            0 => Box::new(Cursor::new(source)) as Box<dyn Read>,
            1 => Codec::Bzip2.stream(source, budget)?,
            _ => Codec::Brotli.stream(source, budget)?,
        });
    }
    let [control, difference, extra] = streams.as_mut_slice() else {
        return Ok(());
    };
    let mut patching = Patching { old, new, at: 0, place: 0, budget, take };
    let mut idle = 0;
    while patching.at < new {
        let mut triple = [0; 24];
        fill(control, &mut triple, "control stream")?;
        let field = |at: usize| number(triple.get(at..)).unwrap_or_default();
        let (added, copied, step) = (field(0), field(8), field(16));
        idle = if added == 0 && copied == 0 { idle + 1 } else { 0 };
        if idle > IDLE {
            return Err(ParseError::limit(patching.at, "empty triples", u64::from(idle), u64::from(IDLE)));
        }
        patching.copy(difference, added, true)?;
        patching.place = patching.place.saturating_add(added);
        patching.copy(extra, copied, false)?;
        patching.place = patching.place.saturating_add(step);
    }
    Ok(())
}

struct Patching<'a> {
    old: &'a SharedBytes,
    new: u64,
    at: u64,
    /// In the old file, or outside of it.
    place: i64,
    budget: &'a Budget,
    take: &'a mut dyn FnMut(&[u8]) -> Result<(), ParseError>,
}

impl Patching<'_> {
    /// Puts out `len` bytes of a stream, plus those of the old file.
    fn copy(&mut self, stream: &mut Box<dyn Read>, len: i64, add: bool) -> Result<(), ParseError> {
        let len = u64::try_from(len).ok().filter(|len| *len <= self.new - self.at);
        let len =
            len.ok_or_else(|| ParseError::invalid(self.at, "control", "a length", "what the new file has left"))?;
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        while done < len {
            let count = usize::try_from(len - done).unwrap_or(PIECE).min(PIECE);
            let piece = piece.get_mut(..count).unwrap_or_default();
            self.budget.spend_decompressed(count as u64)?;
            fill(stream, piece, if add { "difference stream" } else { "extra stream" })?;
            if add {
                self.add(self.place.saturating_add_unsigned(done), piece)?;
            }
            (self.take)(piece)?;
            done += count as u64;
        }
        self.at += len;
        Ok(())
    }

    /// Adds the old file's bytes from `place` on.
    fn add(&self, place: i64, piece: &mut [u8]) -> Result<(), ParseError> {
        let (start, before) = match u64::try_from(place) {
            Ok(start) => (start, 0),
            Err(_) => (0, place.unsigned_abs()),
        };
        let Some(target) = usize::try_from(before).ok().and_then(|before| piece.get_mut(before..)) else {
            return Ok(());
        };
        let len = self.old.len().saturating_sub(start).min(target.len() as u64);
        if len == 0 {
            return Ok(());
        }
        let old = read_vec_at(self.old.as_ref(), start, len, "piece", PIECE as u64)?;
        for (byte, old) in target.iter_mut().zip(old) {
            *byte = byte.wrapping_add(old);
        }
        Ok(())
    }
}

fn fill(stream: &mut Box<dyn Read>, buf: &mut [u8], name: &'static str) -> Result<(), ParseError> {
    stream.read_exact(buf).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ParseError::invalid(0, name, "cut off", "a whole one"),
        _ if error.get_ref().is_some_and(|inner| inner.is::<ParseError>()) => stream_error(error),
        _ => ParseError::invalid(0, name, error, "undamaged data"),
    })
}

/// A number of 63 bits with a sign.
fn number(bytes: Option<&[u8]>) -> Option<i64> {
    let raw = u64::from_le_bytes(*bytes?.first_chunk()?);
    let value = i64::try_from(raw & !(1 << 63)).ok()?;
    Some(if raw >> 63 == 1 { -value } else { value })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::bytes::Limits;

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn field(value: i64) -> [u8; 8] {
        let sign = if value < 0 { 1 << 63 } else { 0 };
        (value.unsigned_abs() | sign).to_le_bytes()
    }

    /// A patch with its streams packed, or not.
    fn patch(packed: bool, new: i64, control: &[[i64; 3]], difference: &[u8], extra: &[u8]) -> Vec<u8> {
        let control: Vec<u8> = control.iter().flatten().flat_map(|value| field(*value)).collect();
        let streams = [control.as_slice(), difference, extra].map(|s| if packed { bzip2(s) } else { s.to_vec() });
        let lengths = [&streams[0], &streams[1]].map(|stream| field(i64::try_from(stream.len()).unwrap()));
        let magic: &[u8] = if packed { b"BSDIFF40" } else { b"BSDF2\0\0\0" };
        [magic, &lengths.concat(), &field(new), &streams.concat()].concat()
    }

    fn made(patch: Vec<u8>, len: u64) -> Result<Vec<u8>, String> {
        let (patch, old): (SharedBytes, SharedBytes) = (Arc::new(patch), Arc::new(b"abcdefgh".to_vec()));
        let mut out = Vec::new();
        let result = apply(&patch, &old, len, &Budget::new(Limits::default()), &mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        });
        result.map(|()| out).map_err(|error| error.to_string())
    }

    #[test]
    fn triples_add_copy_and_step_in_both_directions_and_beyond_the_old_file() {
        let control = [[2, 1, 4], [2, 0, -10], [4, 0, 100], [1, 0, 0]];
        let difference = [0, 1, 0, 0, 1, 1, 0, 0, 9];
        for packed in [true, false] {
            let patch = patch(packed, 10, &control, &difference, b"X");
            // "ab" + [0, 1], "X", "gh", then from 2 before the beginning, then behind the end.
            assert_eq!(made(patch, 10).unwrap(), b"acXgh\x01\x01ab\x09", "{packed}");
        }
    }

    #[test]
    fn what_a_patch_can_not_say_is_an_error() {
        let error = |new, len, control: &[[i64; 3]]| made(patch(true, new, control, &[0; 4], b""), len).unwrap_err();
        assert!(error(5, 4, &[[4, 0, 0]]).contains("bsdiff: byte 24: new length is 5"));
        assert!(error(-1, 4, &[[4, 0, 0]]).contains("new length is negative"));
        assert!(error(4, 4, &[[5, 0, 0]]).contains("control is a length"));
        assert!(error(4, 4, &[[-1, 0, 0]]).contains("control is a length"));
        assert!(error(4, 4, &[[2, 2, 0]]).contains("extra stream is cut off"));
        assert!(error(4, 4, &[[2, 0, 0]]).contains("control stream is cut off"));
        let idle = vec![[0, 0, i64::MAX]; IDLE as usize + 2];
        assert!(error(4, 4, &idle).contains("empty triples"));
        assert!(made(b"BSDIFF41".repeat(5), 4).unwrap_err().contains("magic is"));
        let mut long = patch(true, 4, &[[4, 0, 0]], &[0; 4], b"");
        long[8..16].copy_from_slice(&field(i64::MAX));
        assert!(made(long, 4).is_err());
    }

    #[test]
    fn a_patch_cut_or_changed_at_any_byte_does_no_harm() {
        let sample = patch(true, 10, &[[2, 1, 4], [2, 0, -10], [4, 0, 100], [1, 0, 0]], &[0; 9], b"X");
        for at in 0..sample.len() {
            let _ = made(sample[..at].to_vec(), 10);
            for value in [0, 0xff, sample[at] ^ 1, sample[at] ^ 0x80] {
                let mut changed = sample.clone();
                changed[at] = value;
                let _ = made(changed, 10);
            }
        }
    }
}
