//! A phone over TCP without an ADB server: the device's protocol itself, one connection for each command.
//!
//! | packet | payload | here |
//! |---|---|---|
//! | `CNXN` | `host::features=...`, the phone's banner with its features | first in both directions |
//! | `AUTH`, `STLS` | token, none | the phone wants a key or TLS: left to an ADB server, which keeps keys |
//! | `OPEN` | `shell,v2,raw:...`, `sync:` | sent |
//! | `OKAY` | - | of the stream that was opened, and after each `WRTE` |
//! | `WRTE` | a piece of the stream | read; sent once to the file service |
//! | `CLSE` | - | the end |
//!
//! A header is six little-endian words: command, two arguments, length, sum of the payload's bytes, command inverted.
//! Source: AOSP `packages/modules/adb/protocol.txt`. Only phones that trust everybody can be read so: development builds,
//! many boxes for televisions.

use std::net::SocketAddr;
use std::time::Duration;

use super::conversation::{Conversation, Patience, one_line};
use super::runner::{self, Protocol};
use super::sync::{self, Arrival};
use super::wrapper::{nonce, wrap};
use super::{Answer, Batch, Command, Failure, Pull, Shell};

const CNXN: u32 = u32::from_le_bytes(*b"CNXN");
const AUTH: u32 = u32::from_le_bytes(*b"AUTH");
const STLS: u32 = u32::from_le_bytes(*b"STLS");
const OPEN: u32 = u32::from_le_bytes(*b"OPEN");
const OKAY: u32 = u32::from_le_bytes(*b"OKAY");
const WRTE: u32 = u32::from_le_bytes(*b"WRTE");
const CLSE: u32 = u32::from_le_bytes(*b"CLSE");

/// The first version whose sums need not be right; ours are.
const VERSION: u32 = 0x0100_0001;

/// Longest payload that a phone may send, as we tell it.
const MAX_DATA: u32 = 1 << 20;

/// Our number of the one stream of a connection.
const STREAM: u32 = 1;

/// Longest greeting: a banner has some hundred bytes.
const BANNER: u32 = 64 << 10;
const GREETING: Duration = Duration::from_secs(10);

/// What packets add to an answer: a header each, of a stream in pieces of any size, and the error text.
const ROOM: u64 = 2 << 20;

/// A phone at an address.
#[derive(Debug)]
pub struct Direct {
    address: SocketAddr,
    patience: Patience,
    protocol: Protocol,
}

impl Direct {
    /// The phone that listens at an address.
    ///
    /// # Errors
    /// [`Failure::Disconnected`] where nothing listens, or the phone wants a key; [`Failure::TimedOut`].
    pub fn open(address: SocketAddr, patience: Patience) -> Result<Self, Failure> {
        let limits = patience.at_most(GREETING, GREETING, u64::from(BANNER));
        let (_, banner) = greet(address, limits)?;
        let features = banner.split_once("features=").map_or("", |(_, features)| features);
        let packets = features.split([',', ';', '\0']).any(|name| name == "shell_v2");
        Ok(Self { address, patience, protocol: if packets { Protocol::Packets } else { Protocol::Terminal } })
    }

    fn ask(&self, line: &str, (silence, deadline, cap): (Duration, Duration, u64)) -> Result<Answer, Failure> {
        let nonce = nonce();
        let request = wrap(line, &nonce);
        let service = match self.protocol {
            Protocol::Packets => format!("shell,v2,raw:{request}\0"),
            Protocol::Terminal => format!("shell:{request}\0"),
        };
        let limits = self.patience.at_most(silence, deadline, cap);
        let mut stream = Vec::new();
        let most = cap.saturating_mul(2).saturating_add(ROOM);
        self.stream(&service, &[], limits, &mut |payload| {
            if stream.len() as u64 + payload.len() as u64 > most {
                return Err(Failure::TooLarge { cap });
            }
            stream.extend_from_slice(payload);
            Ok(())
        })?;
        runner::of_stream(&stream, self.protocol, &nonce, cap)
    }

    /// Opens a service, sends it `input` and hands on what it says, to its end or that of the link: whoever reads it sees
    /// whether it is whole.
    fn stream(
        &self,
        service: &str,
        input: &[u8],
        limits: Patience,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut conversation, _) = greet(self.address, limits)?;
        send(&mut conversation, OPEN, STREAM, 0, service.as_bytes())?;
        let mut unsent = Some(input).filter(|input| !input.is_empty());
        loop {
            let (command, remote, local, payload) = match receive(&mut conversation, MAX_DATA) {
                Ok(packet) => packet,
                Err(Failure::Truncated { .. }) => return Ok(()),
                Err(other) => return Err(other),
            };
            if local != STREAM {
                continue;
            }
            match command {
                OKAY => {
                    if let Some(input) = unsent.take() {
                        send(&mut conversation, WRTE, STREAM, remote, input)?;
                    }
                }
                WRTE => {
                    each(&payload)?;
                    send(&mut conversation, OKAY, STREAM, remote, &[])?;
                }
                CLSE => return Ok(()),
                _ => {}
            }
        }
    }
}

impl Shell for Direct {
    fn run(&self, command: &Command) -> Result<Answer, Failure> {
        self.ask(command.line(), (command.silence(), command.deadline(), command.cap()))
    }

    fn run_batch(&self, batch: &Batch) -> Vec<Result<Answer, Failure>> {
        let whole = self.ask(batch.line(), (batch.silence(), batch.deadline(), batch.cap()));
        runner::apart(self, batch, whole)
    }

    fn pull(
        &self,
        pull: &Pull,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Result<u64, String>, Failure> {
        let command = pull.command();
        let limits = self.patience.at_most(command.silence(), command.deadline(), command.cap());
        let mut arrival = Arrival::default();
        self.stream("sync:\0", &sync::request(pull.path()), limits, &mut |piece| {
            arrival.take(piece, limits.bytes, each)
        })?;
        arrival.finish()
    }
}

/// Connects and greets; the phone's banner.
fn greet(address: SocketAddr, limits: Patience) -> Result<(Conversation, String), Failure> {
    let mut conversation = Conversation::open(address, limits).map_err(|failure| match failure {
        Failure::NoServer { .. } => Failure::Disconnected(format!("no phone answers at {address}")),
        other => other,
    })?;
    send(&mut conversation, CNXN, VERSION, MAX_DATA, b"host::features=shell_v2,cmd\0")?;
    let (command, _, _, payload) = receive(&mut conversation, BANNER).map_err(|failure| match failure {
        Failure::Truncated { .. } => Failure::Disconnected(format!("{address} closed the connection")),
        other => other,
    })?;
    match command {
        CNXN => Ok((conversation, one_line(&payload))),
        AUTH => Err(Failure::Disconnected(format!(
            "the phone at {address} wants a key: connect it through an ADB server, as adb:{address}"
        ))),
        STLS => Err(Failure::Disconnected(format!(
            "the phone at {address} wants TLS: pair it with an ADB server, and name it adb:{address}"
        ))),
        other => Err(Failure::Disconnected(format!(
            "what answers at {address} is no phone: it said `{}`",
            other.to_le_bytes().escape_ascii()
        ))),
    }
}

fn send(conversation: &mut Conversation, command: u32, first: u32, second: u32, payload: &[u8]) -> Result<(), Failure> {
    let length = u32::try_from(payload.len()).map_err(|_| Failure::TooLarge { cap: u64::from(u32::MAX) })?;
    let sum = payload.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    let mut packet = Vec::with_capacity(24 + payload.len());
    for word in [command, first, second, length, sum, command ^ u32::MAX] {
        packet.extend_from_slice(&word.to_le_bytes());
    }
    packet.extend_from_slice(payload);
    conversation.send(&packet)
}

type Packet = (u32, u32, u32, Vec<u8>);

fn receive(conversation: &mut Conversation, most: u32) -> Result<Packet, Failure> {
    let header: [u8; 24] = conversation.array()?;
    let word = |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    let (command, length) = (word(0), word(12));
    if word(20) != command ^ u32::MAX {
        return Err(Failure::Disconnected("what answers speaks another protocol".to_owned()));
    }
    if length > most {
        return Err(Failure::Disconnected(format!("a packet of {length} bytes, the limit is {most}")));
    }
    let mut payload = Vec::new();
    conversation.take(u64::from(length), |piece| {
        payload.extend_from_slice(piece);
        Ok(())
    })?;
    Ok((command, word(4), word(8), payload))
}
