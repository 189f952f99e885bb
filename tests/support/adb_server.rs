//! The real ADB server, on a port and with a home of its own: a developer's server, keys and phones stay untouched.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::adbd::Adbd;

/// How long a test waits for what takes milliseconds, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ports for those that nothing shall listen at, below Linux's range for anybody (from 32768 on).
const FIRST_PORT: u32 = 20_000;
const PORTS: u32 = 12_000;

/// A server that is stopped when dropped.
#[derive(Debug)]
pub(crate) struct AdbServer {
    process: Child,
    port: u16,
    home: TempDir,
}

impl AdbServer {
    /// Starts Debian's `adb` server and waits until it answers.
    pub(crate) fn start() -> Self {
        let home = TempDir::new().expect("a temporary folder");
        // The server is given a socket that listens already: a port that was merely free a moment ago may by now be that
        // of another test's server, which would answer in this one's place.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let process = adb(port, &home)
            .args(["-L", "acceptfd:0", "server", "nodaemon"])
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs the program `adb` (Debian package `adb`)");
        let server = Self { process, port, home };
        assert!(ask(port, "host:version").is_some(), "the adb server does not start");
        server
    }

    /// Starts a server and connects phones to it.
    pub(crate) fn with(phones: &[&Adbd]) -> Self {
        let server = Self::start();
        for phone in phones {
            server.connect(phone);
        }
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Connects a phone and waits until it is ready.
    pub(crate) fn connect(&self, phone: &Adbd) {
        self.adb(&["connect", &phone.serial()]);
        self.wait_for(phone, "device");
    }

    /// Waits until a phone has a state.
    pub(crate) fn wait_for(&self, phone: &Adbd, state: &str) {
        let begun = Instant::now();
        let line = format!("{}\t{state}", phone.serial());
        while !self.listing("host:devices").lines().any(|found| found == line) {
            assert!(begun.elapsed() < PATIENCE, "no `{line}` in:\n{}", self.listing("host:devices"));
            sleep(Duration::from_millis(5));
        }
    }

    /// Answers of `host:devices`, `host:devices-l`.
    pub(crate) fn listing(&self, request: &str) -> String {
        ask(self.port, request).expect("an answer of the adb server")
    }

    /// Runs the real client.
    pub(crate) fn adb(&self, arguments: &[&str]) -> Output {
        adb(self.port, &self.home).args(arguments).stdin(Stdio::null()).output().expect("the program `adb`")
    }

    /// Kills the server at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for AdbServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nothing listens at, below those that the system gives to whoever asks for any: no other test's server comes
/// to listen there.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(97);
    (0..PORTS)
        .filter_map(|_| u16::try_from(first.wrapping_add(NEXT.fetch_add(1, Relaxed)) % PORTS + FIRST_PORT).ok())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}

/// The real client, for a server's port, with a home of its own.
pub(crate) fn adb(port: u16, home: &TempDir) -> Command {
    let mut command = Command::new("adb");
    command
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .env("ANDROID_ADB_SERVER_PORT", port.to_string())
        // Emulators of the machine are looked for from 5555 on.
        .env("ADB_LOCAL_TRANSPORT_MAX_PORT", "5553");
    for name in ["ADB_VENDOR_KEYS", "ADB_SERVER_SOCKET", "ANDROID_SERIAL", "ANDROID_SDK_HOME", "ADB_TRACE"] {
        command.env_remove(name);
    }
    command
}

fn ask(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("{:04x}{request}", request.len()).as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.strip_prefix("OKAY")?.get(4..).map(str::to_owned)
}
