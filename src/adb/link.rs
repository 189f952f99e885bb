//! Packets of the device's own protocol, and the ways on which they go to a phone.
//!
//! | offset | bytes | name | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `command` | four letters: `CNXN`, `AUTH`, `STLS`, `OPEN`, `OKAY`, `WRTE`, `CLSE` |
//! | 4, 8 | 4 + 4 | `arg0`, `arg1` | by command |
//! | 12 | 4 | `data_length` | bytes of the payload behind the header |
//! | 16 | 4 | `data_check` | sum of the payload's bytes; not looked at, since the way itself checks what it carries |
//! | 20 | 4 | `magic` | `command`, inverted |
//!
//! All little-endian. Source: AOSP `packages/modules/adb/protocol.txt`.

use std::fmt;

use super::Failure;
use super::conversation::Patience;

pub(super) const CNXN: u32 = u32::from_le_bytes(*b"CNXN");
pub(super) const AUTH: u32 = u32::from_le_bytes(*b"AUTH");
pub(super) const STLS: u32 = u32::from_le_bytes(*b"STLS");
pub(super) const OPEN: u32 = u32::from_le_bytes(*b"OPEN");
pub(super) const OKAY: u32 = u32::from_le_bytes(*b"OKAY");
pub(super) const WRTE: u32 = u32::from_le_bytes(*b"WRTE");
pub(super) const CLSE: u32 = u32::from_le_bytes(*b"CLSE");

/// Bytes of a header.
pub(super) const HEADER: usize = 24;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) command: u32,
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) payload: Vec<u8>,
}

impl Packet {
    pub(super) fn new(command: u32, first: u32, second: u32, payload: &[u8]) -> Self {
        Self { command, first, second, payload: payload.to_vec() }
    }

    /// # Errors
    /// [`Failure::TooLarge`]: a length that a header can't hold.
    pub(super) fn header(&self) -> Result<[u8; HEADER], Failure> {
        let length = u32::try_from(self.payload.len()).map_err(|_| Failure::TooLarge { cap: u64::from(u32::MAX) })?;
        let sum = self.payload.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
        let words = [self.command, self.first, self.second, length, sum, self.command ^ u32::MAX];
        let mut header = [0; HEADER];
        for (place, word) in header.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Ok(header)
    }
}

/// A header that is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) command: u32,
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) length: u32,
}

impl Header {
    /// `None` for bytes whose last word does not belong to the first.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let word =
            |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes);
        (word(20) == word(0) ^ u32::MAX).then(|| Self {
            command: word(0),
            first: word(4),
            second: word(8),
            length: word(12),
        })
    }

    pub(super) fn with(self, payload: Vec<u8>) -> Packet {
        Packet { command: self.command, first: self.first, second: self.second, payload }
    }

    /// The length of what follows.
    ///
    /// # Errors
    /// It is more than `most`.
    pub(super) fn length(self, most: u32) -> Result<u32, Failure> {
        if self.length <= most {
            return Ok(self.length);
        }
        Err(Failure::Disconnected(format!("a packet of {} bytes, the limit is {most}", self.length)))
    }
}

/// Said of bytes that are no header.
pub(super) fn no_header() -> Failure {
    Failure::Disconnected("what answers speaks another protocol".to_owned())
}

/// A way on which whole packets go to a phone and come from it. Every wait ends within the limits that it was opened with,
/// or given later.
pub(super) trait Link: Send + fmt::Debug {
    fn send(&mut self, packet: &Packet) -> Result<(), Failure>;

    /// The next packet, with at most `most` bytes of payload.
    ///
    /// # Errors
    /// [`Failure::Truncated`] where the way ended.
    fn receive(&mut self, most: u32) -> Result<Packet, Failure>;

    /// Begins another command, with limits of its own.
    fn renew(&mut self, limits: Patience);
}

/// Where a phone can be reached.
pub(super) trait Place: Send + Sync + fmt::Debug {
    fn open(&self, limits: Patience) -> Result<Box<dyn Link>, Failure>;

    /// For people: `127.0.0.1:5555`, `usb:1-4.2`.
    fn name(&self) -> String;

    /// How an ADB server would be asked for it.
    fn behind_server(&self) -> String;

    /// Whether a link serves one command after the other, instead of one each.
    fn is_kept(&self) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_is_written_and_one_wrong_bit_of_its_name_is_seen() {
        let packet = Packet::new(OPEN, 7, 9, b"ab");
        let header = packet.header().unwrap();
        let told = Header { command: OPEN, first: 7, second: 9, length: 2 };
        assert_eq!(Header::parse(&header), Some(told));
        assert_eq!(header[16..20], (u32::from(b'a') + u32::from(b'b')).to_le_bytes());
        for at in (0..4).chain(20..24) {
            let mut wrong = header;
            wrong[at] ^= 1;
            assert_eq!(Header::parse(&wrong), None, "{at}");
        }
        assert_eq!(told.length(2), Ok(2));
        assert!(told.length(1).is_err());
    }
}
