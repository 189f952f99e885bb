//! Packets over the two bulk endpoints of a phone's ADB interface.
//!
//! | rule | why |
//! |---|---|
//! | header and payload go as transfers of their own | the phone reads 24 bytes, then what they announce |
//! | a transfer whose length is a multiple of the endpoint's packet is followed by an empty one | a short packet is what tells the phone that it ends |
//! | reads ask for whole packets of the endpoint, and for no more of them than are announced | phones end such transfers with no empty one: a longer read would wait for what comes next |
//! | what came beyond the piece that was asked for is kept, and empty transfers are skipped | not every phone keeps header and payload apart |
//! | what lies in the phone from an earlier program is thrown away, before and behind the greeting | its first bytes may be the middle of a payload, its question for a key an old one |
//!
//! Source: AOSP `packages/modules/adb`, `client/usb_linux.cpp`, `transport_usb.cpp`, `daemon/usb.cpp`.

use std::fmt;
use std::time::{Duration, Instant};

use super::super::Failure;
use super::super::conversation::Patience;
use super::super::link::{AUTH, CNXN, HEADER, Header, Link, Packet, STLS, no_header};

/// Most bytes of one transfer that is read. Systems hold each in memory of the kernel.
const PIECE: usize = 256 << 10;

/// How long a phone is listened to for what an earlier program has left in it.
const LEFTOVERS: Duration = Duration::from_millis(50);

/// Most bytes of leftovers: the longest packet, and what else a stream may have under way.
const MOST_LEFTOVERS: usize = 4 << 20;

/// Most empty transfers in a row.
const EMPTY: usize = 64;

/// Why a transfer did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Not within its time.
    Late,
    /// The device is gone.
    Gone,
    /// The device refuses.
    Stalled,
    /// Anything else, in the system's words.
    Other(String),
}

/// The two bulk endpoints of an interface.
pub(super) trait Bulk: Send + fmt::Debug {
    /// Longest packet of the endpoint that is read, in bytes.
    fn packet_in(&self) -> usize;

    /// Longest packet of the endpoint that is written, in bytes.
    fn packet_out(&self) -> usize;

    /// One transfer of at most `length` bytes, a multiple of [`Self::packet_in`]; shorter where the device ends it.
    fn read(&mut self, length: usize, wait: Duration) -> Result<Vec<u8>, Trouble>;

    /// One transfer of exactly these bytes.
    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<(), Trouble>;
}

/// A link over bulk endpoints.
#[derive(Debug)]
pub(super) struct Transfers {
    bulk: Box<dyn Bulk>,
    name: String,
    begun: Instant,
    patience: Patience,
    received: u64,
    /// What came beyond the piece that was asked for.
    beyond: Vec<u8>,
    /// Whether the phone has not answered our greeting: until then leftovers of an earlier program may come.
    is_fresh: bool,
}

impl Transfers {
    /// A link over endpoints that were just opened; what lies in the phone is read and thrown away.
    pub(super) fn new(bulk: Box<dyn Bulk>, name: String, patience: Patience) -> Result<Self, Failure> {
        let begun = Instant::now();
        let mut link = Self { bulk, name, begun, patience, received: 0, beyond: Vec::new(), is_fresh: true };
        let mut thrown_away = 0_usize;
        while thrown_away < MOST_LEFTOVERS {
            let wait = link.wait()?.min(LEFTOVERS);
            match link.bulk.read(link.bulk.packet_in().max(1), wait) {
                Ok(bytes) => thrown_away += bytes.len().max(1),
                Err(Trouble::Late) => break,
                Err(trouble) => return Err(link.failure(trouble)),
            }
        }
        Ok(link)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.transfer_out(bytes)?;
        if !bytes.is_empty() && bytes.len().is_multiple_of(self.bulk.packet_out().max(1)) {
            self.transfer_out(&[])?;
        }
        Ok(())
    }

    fn transfer_out(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let wait = self.wait()?;
        self.bulk.write(bytes, wait).map_err(|trouble| self.failure(trouble))
    }

    /// Exactly `length` bytes, in transfers of as many whole packets as that takes.
    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        let mut empty = 0;
        while self.beyond.len() < length {
            let packet = self.bulk.packet_in().max(1);
            let missing = length - self.beyond.len();
            let asked = missing.min(PIECE).div_ceil(packet).saturating_mul(packet);
            let wait = self.wait()?;
            let bytes = self.bulk.read(asked, wait).map_err(|trouble| self.failure(trouble))?;
            empty = if bytes.is_empty() { empty + 1 } else { 0 };
            if empty > EMPTY {
                return Err(Failure::Disconnected(format!("the phone at {} sends empty transfers only", self.name)));
            }
            self.received = self.received.saturating_add(bytes.len() as u64);
            self.beyond.extend_from_slice(&bytes);
        }
        let rest = self.beyond.split_off(length);
        Ok(std::mem::replace(&mut self.beyond, rest))
    }

    fn header(&mut self) -> Result<Header, Failure> {
        let bytes = self.exactly(HEADER)?;
        let bytes: [u8; HEADER] = bytes.try_into().map_err(|_| no_header())?;
        Header::parse(&bytes).ok_or_else(no_header)
    }

    /// The header of the phone's answer to our greeting: what comes before it is thrown away, transfer by transfer.
    fn first_header(&mut self) -> Result<Header, Failure> {
        let mut thrown_away = 0;
        while thrown_away < MOST_LEFTOVERS {
            self.beyond.clear();
            let wait = self.wait()?;
            let bytes = self.bulk.read(self.bulk.packet_in().max(1), wait).map_err(|trouble| self.failure(trouble))?;
            let header = bytes.first_chunk::<HEADER>().and_then(Header::parse);
            if let Some(header) = header.filter(|header| matches!(header.command, CNXN | AUTH | STLS)) {
                self.beyond = bytes.get(HEADER..).unwrap_or_default().to_vec();
                return Ok(header);
            }
            thrown_away += bytes.len().max(1);
        }
        Err(no_header())
    }

    /// What is left of the time for the next wait.
    fn wait(&self) -> Result<Duration, Failure> {
        let left = self.patience.total.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
        let left = left.ok_or_else(|| self.late())?;
        // As of a connection: the longest durations do not fit the system's clocks.
        let day = Duration::from_secs(86_400);
        Ok(left.min(self.patience.silence).clamp(Duration::from_millis(1), day))
    }

    fn late(&self) -> Failure {
        Failure::TimedOut { seconds: self.begun.elapsed().as_secs(), received: self.received }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        let name = &self.name;
        match trouble {
            Trouble::Late => self.late(),
            Trouble::Gone => Failure::Disconnected(format!(
                "the phone at {name} is gone: its cable was pulled, or it changed its USB mode"
            )),
            Trouble::Stalled => {
                Failure::Disconnected(format!("the phone at {name} refuses to speak over USB: plug it in again"))
            }
            Trouble::Other(words) => Failure::Disconnected(format!("USB of the phone at {name}: {words}")),
        }
    }
}

impl Link for Transfers {
    fn send(&mut self, packet: &Packet) -> Result<(), Failure> {
        let header = packet.header()?;
        self.write(&header)?;
        if packet.payload.is_empty() { Ok(()) } else { self.write(&packet.payload) }
    }

    fn receive(&mut self, most: u32) -> Result<Packet, Failure> {
        let header = if self.is_fresh { self.first_header()? } else { self.header()? };
        let length = usize::try_from(header.length(most)?).map_err(|_| no_header())?;
        let payload = self.exactly(length)?;
        self.is_fresh = false;
        Ok(header.with(payload))
    }

    fn renew(&mut self, limits: Patience) {
        (self.begun, self.patience, self.received) = (Instant::now(), limits, 0);
    }
}

#[cfg(test)]
mod tests;
