//! A phone: the device's side of the ADB protocol over TCP, on the loopback interface, with scripted answers.
//!
//! The real `adb` server connects to it (`adb connect`). Packets are six little-endian words (command, two arguments,
//! length, checksum, magic) and a payload; source: AOSP `packages/modules/adb`, `protocol.txt`. Services: `shell,v2`,
//! `shell` through a terminal, `exec`, and reading by `sync` (see [`sync`]). It answers the wrapper of guarded commands
//! as a shell would: the inner command's script, then the mark with its status. Every service asked for is recorded.

mod profile;
mod shell;
mod sync;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

pub(crate) use profile::{Auth, Fault, Matches, Profile, Script};

const CNXN: u32 = u32::from_le_bytes(*b"CNXN");
const AUTH: u32 = u32::from_le_bytes(*b"AUTH");
const OPEN: u32 = u32::from_le_bytes(*b"OPEN");
const OKAY: u32 = u32::from_le_bytes(*b"OKAY");
const WRTE: u32 = u32::from_le_bytes(*b"WRTE");
const CLSE: u32 = u32::from_le_bytes(*b"CLSE");

/// The first version whose packets need no checksum.
const VERSION: u32 = 0x0100_0001;

const AUTH_TOKEN: u32 = 1;
const AUTH_SIGNATURE: u32 = 2;
const AUTH_KEY: u32 = 3;

/// A running phone. Ends, with its threads' sockets, when dropped.
#[derive(Debug)]
pub(crate) struct Adbd {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    profile: Mutex<Arc<Profile>>,
    /// What goes wrong with the next answers, and with how many.
    trouble: Mutex<Option<(usize, Fault)>>,
    stopped: AtomicBool,
    accepted: AtomicBool,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Connections greeted so far.
    links: Mutex<usize>,
    greeted: Condvar,
    services: Mutex<Vec<String>>,
    /// First argument of each `AUTH` that came.
    shown: Mutex<Vec<u32>>,
}

impl Adbd {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn start(profile: Profile) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            profile: Mutex::new(Arc::new(profile)),
            trouble: Mutex::default(),
            stopped: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
            connections: Mutex::default(),
            links: Mutex::default(),
            greeted: Condvar::new(),
            services: Mutex::default(),
            shown: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        named("adbd-accept", move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let _ = stream.set_nodelay(true);
                if let (Ok(writer), Ok(link)) = (stream.try_clone(), stream.try_clone()) {
                    let connection = Arc::new(Connection::new(writer, link, Arc::clone(&accepting)));
                    accepting.connections.lock().unwrap().push(Arc::clone(&connection));
                    named("adbd-connection", move || connection.serve(stream));
                }
            }
        });
        Self { address, shared }
    }

    /// Where it listens; also its serial number as the adb server sees it.
    pub(crate) fn serial(&self) -> String {
        self.address.to_string()
    }

    /// Accepts the dialog of [`Auth::Prompt`].
    pub(crate) fn accept(&self) {
        self.shared.accepted.store(true, Ordering::SeqCst);
        for connection in self.shared.connections.lock().unwrap().iter() {
            if connection.asked.load(Ordering::SeqCst) {
                connection.greet();
            }
        }
    }

    /// Ends every connection, as if the cable were pulled. The adb server connects again.
    pub(crate) fn unplug(&self) {
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            connection.drop_link();
        }
    }

    /// Waits until the adb server has connected so many times in all.
    pub(crate) fn wait_for_links(&self, links: usize) {
        let counted = self.shared.links.lock().unwrap();
        let (counted, _) = self
            .shared
            .greeted
            .wait_timeout_while(counted, Duration::from_secs(20), |counted| *counted < links)
            .unwrap();
        assert!(*counted >= links, "the adb server connected {counted} times");
    }

    /// Puts another phone into this one's place: whoever is connected is cut off.
    pub(crate) fn become_another(&self, profile: Profile) {
        *self.shared.profile.lock().unwrap() = Arc::new(profile);
        self.unplug();
    }

    /// Lets so many answers go wrong in the middle.
    pub(crate) fn trouble(&self, answers: usize, fault: Fault) {
        *self.shared.trouble.lock().unwrap() = Some((answers, fault));
    }

    /// What it was shown when it asked for a key, in order: 2 a signature, 3 a public key.
    pub(crate) fn shown(&self) -> Vec<u32> {
        self.shared.shown.lock().unwrap().clone()
    }

    /// Every service asked for, in order: `shell,v2,raw:...`, `sync:`.
    pub(crate) fn services(&self) -> Vec<String> {
        self.shared.services.lock().unwrap().clone()
    }
}

impl Drop for Adbd {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.unplug();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile.lock().unwrap())
    }
}

/// The link is gone, or the other side closed the stream.
#[derive(Debug)]
struct Gone;

type Result<T, E = Gone> = std::result::Result<T, E>;

enum Event {
    Acknowledged,
    Data(Vec<u8>),
}

#[derive(Debug)]
struct Connection {
    writer: Mutex<TcpStream>,
    /// To end the link while a write blocks.
    link: TcpStream,
    shared: Arc<Shared>,
    streams: Mutex<HashMap<u32, Sender<Event>>>,
    max_data: AtomicU32,
    checksums: AtomicBool,
    trusted: AtomicBool,
    /// Whether the dialog is shown.
    asked: AtomicBool,
    /// What was last asked to be signed.
    token: Mutex<[u8; 20]>,
}

impl Connection {
    fn new(writer: TcpStream, link: TcpStream, shared: Arc<Shared>) -> Self {
        let profile = shared.profile();
        let trusted = profile.auth == Auth::None;
        Self {
            writer: Mutex::new(writer),
            link,
            max_data: AtomicU32::new(profile.max_data),
            shared,
            streams: Mutex::default(),
            checksums: AtomicBool::new(true),
            trusted: AtomicBool::new(trusted),
            asked: AtomicBool::new(false),
            token: Mutex::default(),
        }
    }

    fn serve(self: Arc<Self>, mut reader: TcpStream) {
        let mut next_id = 1;
        while let Ok((command, first, second, payload)) = receive(&mut reader) {
            if self.packet(command, first, second, payload, &mut next_id).is_err() {
                break;
            }
        }
        self.drop_link();
    }

    fn packet(
        self: &Arc<Self>,
        command: u32,
        first: u32,
        second: u32,
        payload: Vec<u8>,
        next_id: &mut u32,
    ) -> Result<()> {
        match command {
            CNXN => {
                self.checksums.store(first < VERSION, Ordering::SeqCst);
                self.max_data.fetch_min(second, Ordering::SeqCst);
                if self.trusted.load(Ordering::SeqCst) { self.greet() } else { self.ask()? }
            }
            AUTH if first == AUTH_SIGNATURE => {
                self.shared.shown.lock().unwrap().push(first);
                if self.accepts(&payload) { self.greet() } else { self.ask()? }
            }
            AUTH if first == AUTH_KEY => {
                self.shared.shown.lock().unwrap().push(first);
                if self.shared.profile().auth == Auth::Prompt {
                    self.asked.store(true, Ordering::SeqCst);
                    if self.shared.accepted.load(Ordering::SeqCst) {
                        self.greet();
                    }
                }
            }
            OPEN if self.trusted.load(Ordering::SeqCst) => {
                let service = String::from_utf8_lossy(&payload).trim_end_matches('\0').to_owned();
                self.open(*next_id, first, service)?;
                *next_id += 1;
            }
            OKAY => self.tell(second, Event::Acknowledged),
            WRTE => {
                self.tell(second, Event::Data(payload));
                self.send(OKAY, second, first, &[])?;
            }
            // The stream's thread finds its channel closed.
            CLSE => drop(self.streams.lock().unwrap().remove(&second)),
            _ => {}
        }
        Ok(())
    }

    /// Asks for a key, with another token each time.
    fn ask(&self) -> Result<()> {
        let mut token = *b"x twenty-byte tokens";
        token[..8].copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
        *self.token.lock().unwrap() = token;
        self.send(AUTH, AUTH_TOKEN, 0, &token)
    }

    fn accepts(&self, signature: &[u8]) -> bool {
        let profile = self.shared.profile();
        match (profile.auth, &profile.key) {
            (Auth::Known, _) => true,
            (Auth::Verifies, Some(key)) => is_signed(key, &*self.token.lock().unwrap(), signature),
            _ => false,
        }
    }

    fn greet(&self) {
        self.trusted.store(true, Ordering::SeqCst);
        let profile = self.shared.profile();
        let Profile { state, product, model, device, features, max_data, .. } = &*profile;
        let features = features.join(",");
        let banner = format!(
            "{state}::ro.product.name={product};ro.product.model={model};ro.product.device={device};features={features}"
        );
        let _ = self.send(CNXN, VERSION, *max_data, banner.as_bytes());
        *self.shared.links.lock().unwrap() += 1;
        self.shared.greeted.notify_all();
    }

    fn open(self: &Arc<Self>, id: u32, remote: u32, service: String) -> Result<()> {
        self.shared.services.lock().unwrap().push(service.clone());
        let (name, argument) = service.split_once(':').unwrap_or((&service, ""));
        let mut words = name.split(',');
        let kind = words.next().unwrap_or_default();
        let packets = words.any(|word| word == "v2");
        let known = self.shared.profile().features.contains(&"shell_v2");
        if !matches!(kind, "shell" | "exec" | "sync") || (packets && !known) {
            return self.send(CLSE, 0, remote, &[]);
        }
        let (kind, argument) = (kind.to_owned(), argument.to_owned());
        let (sender, events) = channel();
        self.streams.lock().unwrap().insert(id, sender);
        self.send(OKAY, id, remote, &[])?;
        let profile = self.shared.profile();
        let mut stream = Stream { connection: Arc::clone(self), profile, id, remote, events, inbox: Vec::new() };
        named("adbd-stream", move || {
            let finished = match (kind.as_str(), packets) {
                ("sync", _) => sync::serve(&mut stream),
                ("exec", _) => shell::serve(&mut stream, &argument, shell::Style::Raw),
                (_, true) => shell::serve(&mut stream, &argument, shell::Style::Packets),
                (_, false) => shell::serve(&mut stream, &argument, shell::Style::Terminal),
            };
            if finished.is_ok() {
                stream.close();
            }
        });
        Ok(())
    }

    fn tell(&self, id: u32, event: Event) {
        if let Some(stream) = self.streams.lock().unwrap().get(&id) {
            let _ = stream.send(event);
        }
    }

    fn send(&self, command: u32, first: u32, second: u32, payload: &[u8]) -> Result<()> {
        let checksum = match self.checksums.load(Ordering::SeqCst) || command == CNXN || command == AUTH {
            true => payload.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte))),
            false => 0,
        };
        let length = u32::try_from(payload.len()).map_err(|_| Gone)?;
        let mut packet = Vec::with_capacity(24 + payload.len());
        for word in [command, first, second, length, checksum, command ^ u32::MAX] {
            packet.extend_from_slice(&word.to_le_bytes());
        }
        packet.extend_from_slice(payload);
        self.writer.lock().unwrap().write_all(&packet).map_err(|_| Gone)
    }

    fn drop_link(&self) {
        self.streams.lock().unwrap().clear();
        let _ = self.link.shutdown(Shutdown::Both);
    }
}

/// Whether OpenSSL takes it for the signature by that key of a SHA-1 digest.
fn is_signed(key: &Path, digest: &[u8], signature: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (told, signed) = (folder.path().join("digest"), folder.path().join("signature"));
    std::fs::write(&told, digest).expect("a file");
    std::fs::write(&signed, signature).expect("a file");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkeyutl", "-verify", "-pkeyopt", "digest:sha1", "-inkey"]).arg(key);
    let ran = openssl.arg("-in").arg(&told).arg("-sigfile").arg(&signed).output();
    ran.expect("this test needs the program `openssl` (Debian package `openssl`)").status.success()
}

fn receive(reader: &mut TcpStream) -> std::io::Result<(u32, u32, u32, Vec<u8>)> {
    let mut header = [0; 24];
    reader.read_exact(&mut header)?;
    let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
    let mut payload = vec![0; word(12).min(1 << 22) as usize];
    reader.read_exact(&mut payload)?;
    Ok((word(0), word(4), word(8), payload))
}

/// One open service of a connection.
struct Stream {
    connection: Arc<Connection>,
    /// The phone that the stream was opened on.
    profile: Arc<Profile>,
    id: u32,
    remote: u32,
    events: Receiver<Event>,
    inbox: Vec<u8>,
}

impl Stream {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    /// The trouble that this answer has, if it has any.
    fn trouble(&self) -> Option<Fault> {
        let mut trouble = self.connection.shared.trouble.lock().unwrap();
        let (left, fault) = (*trouble)?;
        *trouble = (left > 1).then_some((left - 1, fault));
        Some(fault)
    }

    /// Sends bytes, one unacknowledged packet at a time.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let max = self.connection.max_data.load(Ordering::SeqCst).max(1) as usize;
        for piece in bytes.chunks(max) {
            self.connection.send(WRTE, self.id, self.remote, piece)?;
            while let Event::Data(data) = self.events.recv().map_err(|_| Gone)? {
                self.inbox.extend(data);
            }
        }
        Ok(())
    }

    /// Receives exactly so many bytes.
    fn read(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.inbox.len() < length {
            if let Event::Data(data) = self.events.recv().map_err(|_| Gone)? {
                self.inbox.extend(data);
            }
        }
        Ok(self.inbox.drain(..length).collect())
    }

    /// Waits until the other side, or the link, is gone.
    fn hang(&mut self) -> Gone {
        while self.events.recv().is_ok() {}
        Gone
    }

    fn close(&mut self) {
        self.connection.streams.lock().unwrap().remove(&self.id);
        let _ = self.connection.send(CLSE, self.id, self.remote, &[]);
    }
}

/// Threads are named, so that a test can tell the phone's from those of what it tests.
fn named(name: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread");
}
