//! A phone without an ADB server: the device's protocol itself, over TCP or, with the feature `usb`, over a cable.
//!
//! | packet | payload | here |
//! |---|---|---|
//! | `CNXN` | `host::features=...`, the phone's banner with its features; its longest payload | first in both directions |
//! | `AUTH` 1 | a token of 20 bytes | the phone asks for a key |
//! | `AUTH` 2 | the token's signature | sent with each of the user's keys in turn, see [`super::key`] |
//! | `AUTH` 3 | a public key, which makes the phone ask its owner | never sent: what is accepted is kept by the phone |
//! | `STLS` | - | the phone wants TLS: left to an ADB server |
//! | `OPEN` | `shell,v2,raw:...`, `sync:` | sent |
//! | `OKAY` | - | of the stream that was opened, and after each `WRTE` |
//! | `WRTE` | a piece of the stream | read; sent once to the file service |
//! | `CLSE` | - | the end |
//!
//! Over TCP each command has a connection of its own. A cable's link serves one command after the other; whatever went
//! wrong on it, it is dropped, and the next command greets the phone again.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::conversation::{Conversation, Patience, one_line};
use super::key::{Keys, TOKEN};
use super::link::{AUTH, CLSE, CNXN, HEADER, Header, Link, OKAY, OPEN, Packet, Place, STLS, WRTE, no_header};
use super::runner::{self, Protocol};
use super::sync::{self, Arrival};
use super::wrapper::{nonce, wrap};
use super::{Answer, Batch, Command, Failure, Pull, Shell};

/// The first version whose sums need not be right; ours are.
const VERSION: u32 = 0x0100_0001;

/// Longest payload that a phone may send, as we tell it.
const MAX_DATA: u32 = 1 << 20;

/// Shortest that a phone may want; the protocol's first version had 4096.
const LEAST_DATA: u32 = 4096;

const AUTH_TOKEN: u32 = 1;
const AUTH_SIGNATURE: u32 = 2;

/// Longest greeting: a banner has some hundred bytes.
const BANNER: u32 = 64 << 10;
const GREETING: Duration = Duration::from_secs(10);

/// What packets add to an answer: a header each, of a stream in pieces of any size, and the error text.
const ROOM: u64 = 2 << 20;

/// A phone that is spoken to without an ADB server.
#[derive(Debug)]
pub struct Direct {
    place: Box<dyn Place>,
    keys: Keys,
    patience: Patience,
    protocol: Protocol,
    kept: Mutex<Option<Greeted>>,
}

/// A link on which the phone has told its banner.
#[derive(Debug)]
struct Greeted {
    link: Box<dyn Link>,
    banner: String,
    /// Longest payload that the phone takes.
    most: u32,
    /// Our number of the last stream.
    stream: u32,
}

impl Direct {
    /// The phone that listens at an address.
    ///
    /// # Errors
    /// [`Failure::Disconnected`] where nothing listens, or the phone wants a key that is not among `keys`;
    /// [`Failure::TimedOut`].
    pub fn open(address: SocketAddr, patience: Patience, keys: Keys) -> Result<Self, Failure> {
        Self::at(Box::new(Address(address)), patience, keys)
    }

    /// The phone at any place.
    pub(super) fn at(place: Box<dyn Place>, patience: Patience, keys: Keys) -> Result<Self, Failure> {
        let limits = patience.at_most(GREETING, GREETING, u64::from(BANNER));
        let mut phone = Self { place, keys, patience, protocol: Protocol::Terminal, kept: Mutex::new(None) };
        let greeted = phone.greet(limits)?;
        let features = greeted.banner.split_once("features=").map_or("", |(_, features)| features);
        if features.split([',', ';', '\0']).any(|name| name == "shell_v2") {
            phone.protocol = Protocol::Packets;
        }
        phone.keep(greeted);
        Ok(phone)
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
        let mut greeted = match self.taken() {
            Some(mut kept) => {
                kept.link.renew(limits);
                kept
            }
            None => self.greet(limits)?,
        };
        if service.len() > usize::try_from(greeted.most).unwrap_or(usize::MAX) {
            let words = format!("a request of {} bytes, the phone takes {}", service.len(), greeted.most);
            return Err(Failure::Disconnected(words));
        }
        // Zero is no number of a stream.
        greeted.stream = greeted.stream.wrapping_add(1).max(1);
        let (link, stream) = (&mut greeted.link, greeted.stream);
        link.send(&Packet::new(OPEN, stream, 0, service.as_bytes()))?;
        let mut unsent = Some(input).filter(|input| !input.is_empty());
        loop {
            let Packet { command, first: remote, second: local, payload } = match link.receive(MAX_DATA) {
                Ok(packet) => packet,
                Err(Failure::Truncated { .. }) => return Ok(()),
                Err(other) => return Err(other),
            };
            if local != stream {
                continue;
            }
            match command {
                OKAY => {
                    if let Some(input) = unsent.take() {
                        link.send(&Packet::new(WRTE, stream, remote, input))?;
                    }
                }
                WRTE => {
                    each(&payload)?;
                    link.send(&Packet::new(OKAY, stream, remote, &[]))?;
                }
                CLSE => break,
                _ => {}
            }
        }
        self.keep(greeted);
        Ok(())
    }

    /// Greets the phone on a new link.
    fn greet(&self, limits: Patience) -> Result<Greeted, Failure> {
        let name = self.place.name();
        let closed = |failure| match failure {
            Failure::Truncated { .. } => Failure::Disconnected(format!("{name} closed the connection")),
            other => other,
        };
        let mut link = self.place.open(limits)?;
        link.send(&Packet::new(CNXN, VERSION, MAX_DATA, b"host::features=shell_v2,cmd\0"))?;
        let mut shown = 0;
        loop {
            let packet = link.receive(BANNER).map_err(closed)?;
            match packet.command {
                CNXN => {
                    let (banner, most) = (one_line(&packet.payload), packet.second.max(LEAST_DATA));
                    return Ok(Greeted { link, banner, most, stream: 0 });
                }
                AUTH if packet.first == AUTH_TOKEN => {
                    let token = <[u8; TOKEN]>::try_from(packet.payload.as_slice()).map_err(|_| {
                        Failure::Disconnected(format!("the phone at {name} asks for a key in an unknown way"))
                    })?;
                    let Some(key) = self.keys.get(shown) else {
                        return Err(Failure::Disconnected(format!(
                            "the phone at {name} wants a key, and {}; or name it {}",
                            self.keys.lack(),
                            self.place.behind_server()
                        )));
                    };
                    shown += 1;
                    let signature = key
                        .sign(&token)
                        .ok_or_else(|| Failure::Disconnected("a key of this computer can't sign".to_owned()))?;
                    link.send(&Packet::new(AUTH, AUTH_SIGNATURE, 0, &signature))?;
                }
                STLS => {
                    return Err(Failure::Disconnected(format!(
                        "the phone at {name} wants TLS: pair it with an ADB server, and name it {}",
                        self.place.behind_server()
                    )));
                }
                other => {
                    return Err(Failure::Disconnected(format!(
                        "what answers at {name} is no phone: it said `{}`",
                        other.to_le_bytes().escape_ascii()
                    )));
                }
            }
        }
    }

    fn taken(&self) -> Option<Greeted> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, greeted: Greeted) {
        if self.place.is_kept() {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(greeted);
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

    fn line_limit(&self) -> usize {
        self.protocol.line_limit()
    }
}

/// A phone's address on the network.
#[derive(Debug)]
struct Address(SocketAddr);

impl Place for Address {
    fn open(&self, limits: Patience) -> Result<Box<dyn Link>, Failure> {
        match Conversation::open(self.0, limits) {
            Ok(conversation) => Ok(Box::new(conversation)),
            Err(Failure::NoServer { .. }) => Err(Failure::Disconnected(format!("no phone answers at {}", self.name()))),
            Err(other) => Err(other),
        }
    }

    fn name(&self) -> String {
        self.0.to_string()
    }

    fn behind_server(&self) -> String {
        format!("adb:{}", self.0)
    }

    fn is_kept(&self) -> bool {
        false
    }
}

impl Link for Conversation {
    fn send(&mut self, packet: &Packet) -> Result<(), Failure> {
        let header = packet.header()?;
        Conversation::send(self, &[header.as_slice(), &packet.payload].concat())
    }

    fn receive(&mut self, most: u32) -> Result<Packet, Failure> {
        let header = Header::parse(&self.array::<HEADER>()?).ok_or_else(no_header)?;
        let mut payload = Vec::new();
        self.take(u64::from(header.length(most)?), |piece| {
            payload.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(header.with(payload))
    }

    fn renew(&mut self, limits: Patience) {
        self.restart(limits);
    }
}
