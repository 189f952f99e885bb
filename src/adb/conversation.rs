//! One connection to an ADB server, on which every wait ends.
//!
//! The host protocol: a request is four hexadecimal digits of length and text; the server answers `OKAY`, or `FAIL` and
//! a reason with its length in front. Many requests are answered by one more text of that form; a request for a service
//! of a phone turns the connection into that service's stream. Specification: AOSP `packages/modules/adb`,
//! `docs/dev/services.md` (formerly `SERVICES.TXT`) and `OVERVIEW.TXT`.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::Failure;

/// How long to wait, and how much to take. Each command has its own limits; the shorter of both holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the server accepts a connection.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub silence: Duration,
    /// From the connection to the end of the answer.
    pub total: Duration,
    /// Bytes of an answer.
    pub bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), silence: Duration::MAX, total: Duration::MAX, bytes: u64::MAX }
    }
}

impl Patience {
    /// The shorter of both, for each limit.
    #[must_use]
    pub fn at_most(self, silence: Duration, total: Duration, bytes: u64) -> Self {
        Self {
            connect: self.connect,
            silence: self.silence.min(silence),
            total: self.total.min(total),
            bytes: self.bytes.min(bytes),
        }
    }
}

/// Bytes that a read may ask the system for at a time.
const PIECE: usize = 64 << 10;

/// One connection to an ADB server.
#[derive(Debug)]
pub(super) struct Conversation {
    stream: TcpStream,
    begun: Instant,
    patience: Patience,
    received: u64,
}

impl Conversation {
    pub(super) fn open(address: SocketAddr, patience: Patience) -> Result<Self, Failure> {
        let begun = Instant::now();
        let wait = patience.connect.min(patience.total).max(Duration::from_millis(1));
        let stream = TcpStream::connect_timeout(&address, wait).map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => Failure::NoServer { address },
            _ => Failure::Disconnected(format!("the ADB server at {address} can't be reached: {error}")),
        })?;
        // A request is one small packet: waiting for more to send along costs 40 ms each.
        let _ = stream.set_nodelay(true);
        Ok(Self { stream, begun, patience, received: 0 })
    }

    /// Sends a request and reads `OKAY`.
    pub(super) fn request(&mut self, request: &str) -> Result<(), Failure> {
        let length = u16::try_from(request.len())
            .map_err(|_| Failure::Disconnected(format!("a request of {} bytes can't be sent", request.len())))?;
        self.wait()?;
        let message = format!("{length:04x}{request}");
        self.stream.write_all(message.as_bytes()).map_err(|error| self.io(&error))?;
        match &self.array()? {
            b"OKAY" => Ok(()),
            b"FAIL" => Err(Failure::Disconnected(one_line(&self.text()?))),
            other => Err(Failure::Disconnected(format!(
                "what answers at the ADB server's address is no ADB server: it said `{}`",
                other.escape_ascii()
            ))),
        }
    }

    /// Begins anew with other limits, on the same connection.
    pub(super) fn restart(&mut self, patience: Patience) {
        (self.begun, self.patience, self.received) = (Instant::now(), patience, 0);
    }

    /// Sends bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.wait()?;
        self.stream.write_all(bytes).map_err(|error| self.io(&error))
    }

    /// Reads a text with its length of four hexadecimal digits in front.
    pub(super) fn text(&mut self) -> Result<Vec<u8>, Failure> {
        let digits = self.array::<4>()?;
        let length = std::str::from_utf8(&digits)
            .ok()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or_else(|| {
                Failure::Disconnected(format!("the ADB server sent `{}` as a length", digits.escape_ascii()))
            })?;
        let mut text = Vec::new();
        self.take(length as u64, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(text)
    }

    /// Reads exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match self.read(rest)? {
                0 => return Err(Failure::Truncated { received: self.received }),
                count => at += count,
            }
        }
        Ok(bytes)
    }

    /// Reads exactly `length` bytes and hands them on in pieces.
    pub(super) fn take(
        &mut self,
        length: u64,
        mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut piece = vec![0; PIECE];
        let mut left = length;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let count = self.read(piece.get_mut(..wanted).unwrap_or_default())?;
            if count == 0 {
                return Err(Failure::Truncated { received: self.received });
            }
            each(piece.get(..count).unwrap_or_default())?;
            left = left.saturating_sub(count as u64);
        }
        Ok(())
    }

    /// Reads to the end of the stream and hands it on in pieces.
    pub(super) fn take_all(&mut self, mut each: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut piece = vec![0; PIECE];
        loop {
            match self.read(&mut piece)? {
                0 => return Ok(()),
                count => each(piece.get(..count).unwrap_or_default())?,
            }
        }
    }

    /// Most bytes that the answer may have.
    pub(super) fn cap(&self) -> u64 {
        self.patience.bytes
    }

    /// Some bytes, 0 at the end. A connection that broke is one that ended: the caller knows whether all has come.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Failure> {
        loop {
            self.wait()?;
            match self.stream.read(buf) {
                Ok(count) => {
                    self.received = self.received.saturating_add(count as u64);
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => {
                    return Ok(0);
                }
                Err(error) => return Err(self.io(&error)),
            }
        }
    }

    /// Sets the system's time-outs to what is left.
    fn wait(&mut self) -> Result<(), Failure> {
        let left = self.patience.total.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
        let Some(left) = left else { return Err(self.late()) };
        let timeout = left.min(self.patience.silence).max(Duration::from_millis(1));
        // The system's clock structures can't hold the longest durations; a day is as good as none.
        let timeout = Some(timeout.min(Duration::from_secs(86_400)));
        self.stream
            .set_read_timeout(timeout)
            .and_then(|()| self.stream.set_write_timeout(timeout))
            .map_err(|error| self.io(&error))
    }

    fn io(&self, error: &std::io::Error) -> Failure {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.late(),
            _ => Failure::Disconnected(format!("the connection to the ADB server broke: {error}")),
        }
    }

    fn late(&self) -> Failure {
        Failure::TimedOut { seconds: self.begun.elapsed().as_secs(), received: self.received }
    }
}

/// The server's words as one line without control characters.
pub(super) fn one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ").chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_one_line_without_control_characters() {
        assert_eq!(
            one_line(b"device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n\x1b[31m"),
            "device unauthorized. This adb server's $ADB_VENDOR_KEYS is not set \u{fffd}[31m"
        );
    }

    #[test]
    fn the_shorter_limit_holds() {
        let second = Duration::from_secs(1);
        let patience = Patience { bytes: 10, ..Patience::default() }.at_most(second, 2 * second, 100);
        assert_eq!((patience.silence, patience.total, patience.bytes), (second, 2 * second, 10));
    }
}
