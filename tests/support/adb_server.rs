//! The real ADB server, on a port and with a home of its own: a developer's server, keys and phones stay untouched.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::adbd::Adbd;

/// How long a test waits for what takes milliseconds, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

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
        // Between the choice of a port and its use another program may take it.
        for _ in 0..5 {
            let port = free_port();
            let mut process = adb(port, &home)
                .args(["server", "nodaemon"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("this test needs the program `adb` (Debian package `adb`)");
            let begun = Instant::now();
            while process.try_wait().expect("its state").is_none() && begun.elapsed() < PATIENCE {
                if ask(port, "host:version").is_some() {
                    return Self { process, port, home };
                }
                sleep(Duration::from_millis(5));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("the adb server does not start");
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

/// A port that nothing listens at.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
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
