//! Files with holes, as GNU tar writes them: only the ranges with data are stored, one behind the other.
//!
//! Old form, `typeflag` `S`: in the header at 386 four ranges (offset and length, 12 bytes each, as `size` is written), at 482 whether
//! more follow, at 483 the file's length (12); then blocks of 512 bytes with 21 ranges each, and at 504 whether more follow. In
//! pax, by `GNU.sparse.*`: 0.0 has `offset` and `numbytes` again and again, 0.1 `map` with commas between, 1.0 numbers in lines
//! before the data: a count, then offsets and lengths, filled up to 512.

use std::sync::Arc;

use super::{BLOCK, number};
use crate::bytes::{ExtentMap, Failed, ParseError, SharedBytes};

/// An image of 16 GiB that changes between data and holes at every other block has two million.
const RANGES: u64 = 1 << 20;
/// As for sparse images.
const FILE_BYTES: u64 = 1 << 44;
/// Ranges of a header, and of a block of more.
const IN_HEADER: usize = 4;
const IN_BLOCK: usize = 21;
/// Bytes of a range of the old form.
const RANGE: usize = 24;

/// Ranges with data, offset and length, ascending.
pub(super) type Ranges = Vec<(u64, u64)>;

/// The old form: ranges, length of the file, and bytes of the blocks with more ranges behind the header.
pub(super) fn old(source: &SharedBytes, header: &[u8; 512], data: u64) -> Result<(Ranges, u64, u64), ParseError> {
    let mut ranges = Ranges::new();
    let invalid = |at| ParseError::invalid(at, "sparse map", "no numbers", "offsets and lengths");
    let field = |raw: &[u8], at: usize| number(raw.get(at..at + 12).unwrap_or_default());
    let mut take = |raw: &[u8], start: usize, count: usize, at: u64| -> Result<(), ParseError> {
        for place in (start..).step_by(RANGE).take(count) {
            // A range that is not used is empty.
            if raw.get(place + 12).is_none_or(|first| *first == 0) {
                break;
            }
            let range = field(raw, place).zip(field(raw, place + 12)).ok_or_else(|| invalid(at))?;
            ranges.push(range);
        }
        Ok(())
    };
    take(header, 386, IN_HEADER, data)?;
    let len = field(header, 483).ok_or_else(|| invalid(data))?;
    let (mut more, mut behind, mut count) = (header.get(482).is_some_and(|byte| *byte != 0), 0, 0_u64);
    while more {
        count += IN_BLOCK as u64;
        if count > RANGES {
            return Err(ParseError::limit(data, "ranges of a sparse file", count, RANGES));
        }
        let mut block = [0; 512];
        source.read_exact_at(data + behind, &mut block)?;
        take(&block, 0, IN_BLOCK, data + behind)?;
        more = block.get(504).is_some_and(|byte| *byte != 0);
        behind += BLOCK;
    }
    Ok((ranges, len, behind))
}

/// The lines before the data of form 1.0: ranges, and bytes that they take.
pub(super) fn lines(source: &SharedBytes, data: u64, size: u64) -> Result<(Ranges, u64), ParseError> {
    let mut behind = 0;
    let mut block = [0; 512];
    let mut at = block.len();
    let mut next = || -> Result<u64, ParseError> {
        let mut value: Option<u64> = None;
        loop {
            if at == block.len() {
                if behind >= size {
                    return Err(ParseError::truncated(data, behind + BLOCK, data + size));
                }
                source.read_exact_at(data + behind, &mut block)?;
                (at, behind) = (0, behind + BLOCK);
            }
            let byte = block.get(at).copied().unwrap_or_default();
            at += 1;
            match (byte, value) {
                (b'0'..=b'9', sum) => {
                    let longer =
                        sum.unwrap_or(0).checked_mul(10).and_then(|sum| sum.checked_add(u64::from(byte - b'0')));
                    value =
                        Some(longer.ok_or_else(|| ParseError::invalid(data, "sparse map", "too large", "64 bits"))?);
                }
                (b'\n', Some(value)) => return Ok(value),
                _ => return Err(ParseError::invalid(data, "sparse map", "no number", "numbers in lines")),
            }
        }
    };
    let count = next()?;
    if count > RANGES {
        return Err(ParseError::limit(data, "ranges of a sparse file", count, RANGES));
    }
    let mut ranges = Ranges::new();
    for _ in 0..count {
        ranges.push((next()?, next()?));
    }
    Ok((ranges, behind))
}

/// The file, with its stored data at `data`, of which there are `size` bytes. What is wrong with it is an error of its reads.
pub(super) fn file(source: &SharedBytes, ranges: Ranges, len: u64, data: u64, size: u64) -> SharedBytes {
    assemble(source, ranges, len, data, size).unwrap_or_else(|error| {
        let error = error.within("sparse file of a tar");
        Arc::new(Failed::new(len.min(FILE_BYTES), error))
    })
}

fn assemble(source: &SharedBytes, ranges: Ranges, len: u64, data: u64, size: u64) -> Result<SharedBytes, ParseError> {
    if len > FILE_BYTES {
        return Err(ParseError::limit(data, "length of a sparse file", len, FILE_BYTES));
    }
    if ranges.len() as u64 > RANGES {
        return Err(ParseError::limit(data, "ranges of a sparse file", ranges.len() as u64, RANGES));
    }
    let mut map = ExtentMap::new(len);
    let (mut at, mut last) = (0_u64, 0_u64);
    for (offset, length) in ranges {
        if offset < last {
            return Err(ParseError::invalid(data, "sparse map", offset, "ascending"));
        }
        let stored = at.checked_add(length).filter(|end| *end <= size);
        let stored =
            stored.ok_or_else(|| ParseError::truncated(data.saturating_add(at), length, data.saturating_add(size)))?;
        map.store(offset, source.clone(), data.saturating_add(at), length)?;
        (at, last) = (stored, offset.saturating_add(length));
    }
    Ok(map.shared())
}
