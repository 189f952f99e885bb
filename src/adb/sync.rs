//! The file service of a phone, of which one request is used: `RECV`, a whole file.
//!
//! | part | bytes | meaning |
//! |---|---|---|
//! | `RECV`, length, path | 4 + 4 + n | asked |
//! | `QUIT`, 0 | 4 + 4 | asked at once: the phone ends the stream behind its answer |
//! | `DATA`, length, bytes | 4 + 4 + n | a piece of the file, 64 KiB at most by the phone's own limit |
//! | `DONE`, any | 4 + 4 | the file was whole |
//! | `FAIL`, length, words | 4 + 4 + n | why it was not |
//!
//! Numbers are 32 bits, little-endian. Source: AOSP `packages/modules/adb/SYNC.TXT`. A file of that form has no length in
//! front, so any can be read; what the phone names is never allocated. Writing (`SEND`) is not in here.

use super::Failure;
use super::conversation::one_line;

/// Longest words of a refusal that are kept; the phone's own messages have some hundred bytes.
const WORDS: usize = 4 << 10;

/// Longest piece; a phone that names a longer one speaks another protocol.
const PIECE: u64 = 1 << 20;

/// What asks for a file.
pub(super) fn request(path: &str) -> Vec<u8> {
    let length = u32::try_from(path.len()).unwrap_or(u32::MAX).to_le_bytes();
    [b"RECV".as_slice(), &length, path.as_bytes(), b"QUIT\0\0\0\0"].concat()
}

/// An answer that arrives in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    header: Vec<u8>,
    /// Bytes of the present part that are still to come.
    left: u64,
    part: Part,
    words: Vec<u8>,
    /// Bytes of the file so far.
    length: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Header,
    Data,
    Words,
    Done,
}

impl Arrival {
    /// Takes a piece of the stream and hands on what of it is the file's, at most `cap` bytes in all.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        cap: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let (Some(&first), true) = (bytes.first(), self.part != Part::Done) {
            if self.part == Part::Header {
                self.header.push(first);
                bytes = bytes.get(1..).unwrap_or_default();
                self.begin()?;
                continue;
            }
            let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (piece, rest) = bytes.split_at(count);
            bytes = rest;
            self.left -= count as u64;
            if self.part == Part::Data {
                self.length = self.length.saturating_add(count as u64);
                if self.length > cap {
                    return Err(Failure::TooLarge { cap });
                }
                each(piece)?;
            } else {
                let room = WORDS.saturating_sub(self.words.len());
                self.words.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
            }
            if self.left == 0 {
                self.part = if self.part == Part::Words { Part::Done } else { Part::Header };
            }
        }
        Ok(())
    }

    /// Reads a header once it is whole.
    fn begin(&mut self) -> Result<(), Failure> {
        let Some((name, length)) = self.header.split_first_chunk::<4>() else { return Ok(()) };
        let Ok(length) = <[u8; 4]>::try_from(length) else { return Ok(()) };
        self.left = u64::from(u32::from_le_bytes(length));
        self.part = match name {
            b"DATA" if self.left > PIECE => {
                let words = format!("the phone's file service sent a piece of {} bytes", self.left);
                return Err(Failure::Disconnected(words));
            }
            b"DATA" if self.left == 0 => Part::Header,
            b"DATA" => Part::Data,
            b"DONE" => Part::Done,
            b"FAIL" if self.left == 0 => {
                self.words.push(b'?');
                Part::Done
            }
            b"FAIL" => Part::Words,
            other => {
                let words = format!("the phone's file service said `{}`", other.escape_ascii());
                return Err(Failure::Disconnected(words));
            }
        };
        self.header.clear();
        Ok(())
    }

    /// The outcome at the stream's end: the file's length.
    ///
    /// # Errors
    /// The stream ended early, or the phone refused, with its words.
    pub(super) fn finish(self) -> Result<Result<u64, String>, Failure> {
        match (self.part, self.words.is_empty()) {
            (Part::Done, true) => Ok(Ok(self.length)),
            (Part::Done, false) => Ok(Err(one_line(&self.words))),
            _ => Err(Failure::Truncated { received: self.length }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], piece: usize, cap: u64) -> Result<Result<Vec<u8>, String>, Failure> {
        let mut arrival = Arrival::default();
        let mut file = Vec::new();
        for bytes in stream.chunks(piece) {
            arrival.take(bytes, cap, &mut |bytes| {
                file.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        arrival.finish().map(|told| {
            told.map(|length| {
                assert_eq!(length, file.len() as u64);
                file
            })
        })
    }

    #[test]
    fn a_file_is_whole_in_pieces_of_any_size_and_cut_anywhere_else() {
        let stream = b"DATA\x03\0\0\0abcDATA\0\0\0\0DATA\x02\0\0\0deDONE\x07\0\0\0";
        for piece in 1..=stream.len() {
            assert_eq!(read(stream, piece, 5), Ok(Ok(b"abcde".to_vec())), "{piece}");
        }
        for end in 0..stream.len() {
            assert!(matches!(read(&stream[..end], 4, 5), Err(Failure::Truncated { .. })), "{end}");
        }
        assert_eq!(read(stream, 4, 4), Err(Failure::TooLarge { cap: 4 }));
        assert_eq!(read(b"DONE\0\0\0\0", 3, 0), Ok(Ok(Vec::new())));
    }

    #[test]
    fn a_refusal_is_told_in_the_phones_words_and_nothing_else_is_believed() {
        assert_eq!(read(b"FAIL\x06\0\0\0denied", 5, 9), Ok(Err("denied".to_owned())));
        // After some data: the disk failed.
        assert_eq!(read(b"DATA\x01\0\0\0aFAIL\x03\0\0\0I/O", 2, 9), Ok(Err("I/O".to_owned())));
        assert_eq!(read(b"FAIL\0\0\0\0", 2, 9), Ok(Err("?".to_owned())));
        // 4 GiB of words are counted, not kept.
        assert!(matches!(read(b"FAIL\xff\xff\xff\xffdenied", 5, 9), Err(Failure::Truncated { .. })));
        assert!(matches!(read(b"DATA\xff\xff\xff\xffx", 5, u64::MAX), Err(Failure::Disconnected(_))));
        assert!(matches!(read(b"OKAYxxxx", 5, 9), Err(Failure::Disconnected(_))));
        assert_eq!(request("/a.apk"), b"RECV\x06\0\0\0/a.apkQUIT\0\0\0\0");
    }
}
