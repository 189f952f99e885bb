//! LZO1X blocks and their variant with runs of zeros, by the kernel's `Documentation/staging/lzo.rst` (6.18).
//!
//! An instruction's first byte tells what it is; its two lowest bits, or those of the distance behind it, are how many
//! literals follow it (`state`).
//!
//! | first byte | copies | distance |
//! |---|---|---|
//! | 0 to 15 after no literals | as many literals, and 3 | |
//! | 0 to 15 after 1 to 3 literals | 2 | 1 to 1024 |
//! | 0 to 15 after more literals | 3 | 2049 to 3072 |
//! | 16 to 31 | 2 and three bits, or more bytes | 16,384 and more; none is the end |
//! | 32 to 63 | 2 and five bits, or more bytes | 1 to 16,384 |
//! | 64 to 255 | 3 to 8 | 1 to 2048 |

use super::le;

/// The state after a run of literals that has an instruction of its own.
const RUN: usize = 4;
/// The shortest run of zeros.
const ZEROS: usize = 4;

/// Decodes one block into `out`: how many bytes it has; `None` if it is damaged or longer than `out`.
#[must_use]
pub fn decode(input: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut input = Input { bytes: input, at: 0 };
    let mut out = Output { bytes: out, done: 0 };
    let mut zeros = false;
    if let [17, version, _, _, _, ..] = input.bytes {
        zeros = *version > 0;
        input.at = 2;
    }
    let mut state = 0;
    if let Some(first) = input.bytes.get(input.at).copied().filter(|byte| *byte > 17) {
        input.at += 1;
        let count = usize::from(first) - 17;
        out.literals(&mut input, count)?;
        state = count.min(RUN);
    }
    loop {
        let byte = usize::from(input.byte()?);
        let (len, distance, literals) = match (byte, state) {
            (0..16, 0) => {
                let count = input.count(byte, 15)? + 3;
                out.literals(&mut input, count)?;
                state = RUN;
                continue;
            }
            (0..16, RUN) => (3, 2049 + (byte >> 2) + (usize::from(input.byte()?) << 2), byte & 3),
            (0..16, _) => (2, 1 + (byte >> 2) + (usize::from(input.byte()?) << 2), byte & 3),
            (16..32, _) => {
                let next = usize::from(le::u16(input.bytes, input.at)?);
                if zeros && next & 0xfffc == 0xfffc && byte & 0xf8 == 0x18 {
                    input.at += 2;
                    out.zeros((byte & 7 | usize::from(input.byte()?) << 3) + ZEROS)?;
                    state = next & 3;
                    out.literals(&mut input, state)?;
                    continue;
                }
                let len = input.count(byte & 7, 7)? + 2;
                let next = input.short()?;
                let distance = (byte & 8) << 11 | next >> 2;
                if distance == 0 {
                    return (len == 3 && input.at == input.bytes.len()).then_some(out.done);
                }
                (len, distance + 0x4000, next & 3)
            }
            (32..64, _) => {
                let len = input.count(byte & 31, 31)? + 2;
                let next = input.short()?;
                (len, 1 + (next >> 2), next & 3)
            }
            _ => ((byte >> 5) + 1, 1 + (byte >> 2 & 7) + (usize::from(input.byte()?) << 3), byte & 3),
        };
        out.repeat(distance, len)?;
        out.literals(&mut input, literals)?;
        state = literals;
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn short(&mut self) -> Option<usize> {
        let value = le::u16(self.bytes, self.at)?;
        self.at += 2;
        Some(usize::from(value))
    }

    /// A count of so many; 0 says that the rest is in bytes that follow, of which each 0 adds 255. It can't overflow.
    fn count(&mut self, first: usize, most: usize) -> Option<usize> {
        if first > 0 {
            return Some(first);
        }
        let mut count = most;
        loop {
            match self.byte()? {
                0 => count += 255,
                last => return Some(count + usize::from(last)),
            }
        }
    }
}

struct Output<'a> {
    bytes: &'a mut [u8],
    done: usize,
}

impl Output<'_> {
    fn literals(&mut self, input: &mut Input<'_>, count: usize) -> Option<()> {
        let from = input.bytes.get(input.at..input.at.checked_add(count)?)?;
        self.bytes.get_mut(self.done..self.done + count)?.copy_from_slice(from);
        (self.done, input.at) = (self.done + count, input.at + count);
        Some(())
    }

    fn zeros(&mut self, count: usize) -> Option<()> {
        self.bytes.get_mut(self.done..self.done.checked_add(count)?)?.fill(0);
        self.done += count;
        Some(())
    }

    /// A match may reach into itself: what is there repeats, twice as much at each turn.
    fn repeat(&mut self, distance: usize, len: usize) -> Option<()> {
        let start = self.done.checked_sub(distance)?;
        let end = self.done.checked_add(len).filter(|end| *end <= self.bytes.len())?;
        while self.done < end {
            let take = (end - self.done).min(self.done - start);
            self.bytes.copy_within(start..start + take, self.done);
            self.done += take;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(input: &[u8], room: usize) -> Option<Vec<u8>> {
        let mut out = vec![9; room];
        let done = decode(input, &mut out)?;
        out.truncate(done);
        Some(out)
    }

    #[test]
    fn each_instruction_copies_what_it_says() {
        let long = |byte: u8, rest: &[u8]| [&[17 + 4], b"abcd".as_slice(), &[byte], rest, &[17, 0, 0]].concat();
        // 3 bytes at distance 1 with bits of 64 and more; 3 at distance 4 with those of 32 and more.
        assert_eq!(decoded(&long(64, &[0]), 99).unwrap(), b"abcdddd");
        assert_eq!(decoded(&long(33, &[12, 0]), 99).unwrap(), b"abcdabc");
        // 2 literals behind a match, after which a short instruction copies 2 bytes.
        assert_eq!(decoded(&long(66, &[0, b'x', b'y', 4, 0]), 99).unwrap(), b"abcddddxyxy");
        // 4 literals with an instruction of their own behind a match without any.
        assert_eq!(decoded(&long(64, &[0, 1, b'w', b'x', b'y', b'z']), 99).unwrap(), b"abcddddwxyz");
        // A count of 31 + 255 + 3, and 2.
        let repeated = [b"abcd".as_slice(), &[b'd'; 291]].concat();
        assert_eq!(decoded(&long(32, &[0, 3, 0, 0]), 999).unwrap(), repeated);
    }

    #[test]
    fn far_matches_reach_back_as_far_as_they_say() {
        let mut input = vec![0; 67];
        // 15 + 65 * 255 + 200 and 3 literals, the last of which stands alone, then a match at distance 16,385.
        input.push(200);
        let literals: Vec<u8> = (0..18 + 66 * 255 + 200_u32).map(|at| (at % 251) as u8).collect();
        input.extend(&literals);
        input.extend([17, 4, 0, 17, 0, 0]);
        let start = literals.len() - 16_385;
        let expected = [&literals[..], &literals[start..start + 3]].concat();
        assert!(decoded(&input, 1 << 16).unwrap() == expected);
        // Behind so many literals 0 to 15 copies 3 bytes from beyond 2048.
        let end = input.len() - 6;
        input.truncate(end);
        input.extend([0, 0, 17, 0, 0]);
        let start = literals.len() - 2049;
        assert!(decoded(&input, 1 << 16).unwrap() == [&literals[..], &literals[start..start + 3]].concat());
    }

    #[test]
    fn runs_of_zeros_are_read_where_the_block_says_that_it_has_them() {
        // 4 + 2 + 3 * 8 zeros, one literal behind them.
        let run = [0x18 | 2, 0xfd, 0xff, 3, b'z', 17, 0, 0];
        let input = [&[17, 1, 17 + 4], b"abcd".as_slice(), &run].concat();
        assert_eq!(decoded(&input, 99).unwrap(), [b"abcd".as_slice(), &[0; 30], b"z"].concat());
        // Without the version it is a match before the beginning.
        assert_eq!(decoded(&input[2..], 99), None);
    }

    #[test]
    fn what_is_damaged_or_too_long_is_refused_and_never_more() {
        let whole = [&[17 + 4], b"abcd".as_slice(), &[32, 0, 0, 200, 12, 0, 64, 0, 17, 0, 0]].concat();
        let len = decoded(&whole, 9999).unwrap().len();
        assert!(decoded(&whole, len).is_some());
        assert_eq!(decoded(&whole, len - 1), None);
        for end in 0..whole.len() {
            assert_eq!(decoded(&whole[..end], 9999), None, "{end}");
        }
        for at in 0..whole.len() {
            for value in 0..=255 {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = decoded(&changed, 5000);
            }
        }
        // A distance before the beginning, and bytes behind the end.
        assert_eq!(decoded(&[17 + 4, b'a', b'b', b'c', b'd', 64, 1, 17, 0, 0], 99), None);
        assert_eq!(decoded(&[&whole[..], &[0]].concat(), 9999), None);
    }
}
