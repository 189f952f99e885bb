//! LZ4 blocks, by `doc/lz4_Block_format.md` of the reference implementation.
//!
//! A sequence is a token (high half the count of literals, low half the length of a match less 4), more bytes of the
//! count where it is 15, the literals, the distance of the match (2 bytes) and more bytes of its length.

use crate::bytes::le;

/// Shortest match.
const MATCH: usize = 4;

/// Fills `out` and stops, whatever follows in `input`; `None` if it is damaged or too short.
pub(super) fn decode(input: &[u8], out: &mut [u8]) -> Option<()> {
    let (mut at, mut done) = (0, 0);
    while done < out.len() {
        let token = usize::from(*input.get(at)?);
        at += 1;
        let literals = count(input, &mut at, token >> 4)?;
        let take = literals.min(out.len() - done);
        out.get_mut(done..done + take)?.copy_from_slice(input.get(at..at + take)?);
        (at, done) = (at + take, done + take);
        if done == out.len() {
            break;
        }
        let distance = usize::from(le::u16(input, at)?);
        at += 2;
        let start = done.checked_sub(distance).filter(|_| distance > 0)?;
        let mut rest = (count(input, &mut at, token & 15)? + MATCH).min(out.len() - done);
        // A match may reach into itself: what is there repeats, twice as much at each turn.
        while rest > 0 {
            let take = rest.min(done - start);
            out.copy_within(start..start + take, done);
            (done, rest) = (done + take, rest - take);
        }
    }
    Some(())
}

/// A count whose first part is `first`. Each byte of input adds 255 at most, so it can't overflow.
fn count(input: &[u8], at: &mut usize, first: usize) -> Option<usize> {
    let mut count = first;
    if first == 15 {
        loop {
            let byte = *input.get(*at)?;
            *at += 1;
            count += usize::from(byte);
            if byte != 255 {
                break;
            }
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(input: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; len];
        decode(input, &mut out).map(|()| out)
    }

    #[test]
    fn literals_and_matches_that_reach_into_themselves_are_decoded() {
        // "abc", a match of 4 + 15 + 2 bytes at distance 3, "xyz".
        let block = b"\x3fabc\x03\x00\x02\x30xyz";
        assert_eq!(decoded(block, 27).unwrap(), b"abcabcabcabcabcabcabcabcxyz");
        for len in 0..27 {
            assert_eq!(decoded(block, len).unwrap(), b"abcabcabcabcabcabcabcabcxyz"[..len]);
        }
        assert_eq!(decoded(block, 28), None);
    }

    #[test]
    fn a_distance_before_the_beginning_or_of_zero_is_refused() {
        assert_eq!(decoded(b"\x10a\x02\x00\x00", 5), None);
        assert_eq!(decoded(b"\x10a\x00\x00\x00", 5), None);
        assert_eq!(decoded(b"\x10a\x01\x00\x00", 5).unwrap(), b"aaaaa");
        assert_eq!(decoded(b"\xf0\xff\xff", 5), None);
        assert_eq!(decoded(b"", 1), None);
    }
}
