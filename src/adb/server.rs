//! An ADB server: which phones it has. Never stopped here, since another program may be working with it; started only on
//! demand and where none is, by [`super::starter`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Failure;
use super::attached::{Listing, parse_listing};
use super::conversation::{Conversation, Patience, one_line};

/// The port of a server that nobody configured.
pub const PORT: u16 = 5037;

/// A server answers from memory; one that needs longer hangs.
const SILENCE: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(10);

/// A server gives up a connection to a phone after 10 s of its own.
const CONNECT: Duration = Duration::from_secs(15);

/// The longest answer that the host protocol can carry.
const BYTES: u64 = 0xFFFF;

/// An ADB server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    address: SocketAddr,
    patience: Patience,
}

impl Default for Server {
    fn default() -> Self {
        Self::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT))
    }
}

impl Server {
    /// The server at an address. Nothing is sent yet.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, patience: Patience::default() }
    }

    /// The same server, to be waited for no longer than this, whatever is asked.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The protocol's version: 41 for all servers since 2018. Two programs of different versions stop each other's.
    ///
    /// # Errors
    /// [`Failure::NoServer`], or whatever else keeps the server from answering.
    pub fn version(&self) -> Result<u32, Failure> {
        let text = self.ask("host:version")?;
        u32::from_str_radix(text.trim(), 16)
            .map_err(|_| Failure::Disconnected(format!("the ADB server's version is `{}`", text.escape_debug())))
    }

    /// What is attached.
    ///
    /// # Errors
    /// As for [`version`](Self::version). A phone that can't be used is no error, it has a state.
    pub fn devices(&self) -> Result<Listing, Failure> {
        Ok(parse_listing(&self.ask("host:devices-l")?))
    }

    /// Asks the server to connect to a phone on the network, `HOST:PORT`. Its words, also where it could not: it reports
    /// that as success.
    ///
    /// # Errors
    /// As for [`version`](Self::version).
    pub fn connect(&self, address: &str) -> Result<String, Failure> {
        let limits = self.patience.at_most(CONNECT, CONNECT, BYTES);
        let mut conversation = Conversation::open(self.address, limits)?;
        conversation.request(&format!("host:connect:{address}")).map_err(before_answer)?;
        Ok(one_line(&conversation.text().map_err(before_answer)?))
    }

    /// Names of protocols that both the server and a phone know.
    pub(super) fn features(&self, transport_id: u32) -> Result<Vec<String>, Failure> {
        let text = self.ask(&format!("host-transport-id:{transport_id}:features"))?;
        Ok(text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    }

    /// The stream of a phone's service.
    pub(super) fn service(
        &self,
        transport_id: u32,
        service: &str,
        silence: Duration,
        total: Duration,
        bytes: u64,
    ) -> Result<Conversation, Failure> {
        let mut conversation = Conversation::open(self.address, self.patience.at_most(silence, total, bytes))?;
        conversation.request(&format!("host:transport-id:{transport_id}")).map_err(before_answer)?;
        conversation.request(service).map_err(before_answer)?;
        Ok(conversation)
    }

    fn ask(&self, request: &str) -> Result<String, Failure> {
        let mut conversation = Conversation::open(self.address, self.patience.at_most(SILENCE, TOTAL, BYTES))?;
        conversation.request(request).map_err(before_answer)?;
        let text = conversation.text().map_err(before_answer)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A connection that ends before an answer has begun is no cut answer.
fn before_answer(failure: Failure) -> Failure {
    match failure {
        Failure::Truncated { .. } => Failure::Disconnected("the ADB server closed the connection".to_owned()),
        other => other,
    }
}

/// Reads the values of `ADB_SERVER_SOCKET` (`tcp:5037`, `tcp:127.0.0.1:5037`) and `ANDROID_ADB_SERVER_PORT` as the
/// `adb` program does: the first wins. Addresses are numeric or `localhost`.
///
/// # Errors
/// What is wrong with the value, as a sentence for the person who set it.
pub fn address(socket: Option<&str>, port: Option<&str>) -> Result<SocketAddr, String> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    if let Some(socket) = socket.filter(|socket| !socket.is_empty()) {
        let told = || format!("ADB_SERVER_SOCKET is `{socket}`, expected `tcp:PORT` or `tcp:ADDRESS:PORT`");
        let rest = socket.strip_prefix("tcp:").ok_or_else(told)?;
        return match rest.rsplit_once(':') {
            None => number(rest).map(|port| SocketAddr::new(local, port)),
            Some(("localhost", port)) => number(port).map(|port| SocketAddr::new(local, port)),
            Some(_) => rest.parse().ok(),
        }
        .ok_or_else(told);
    }
    match port.filter(|port| !port.is_empty()) {
        None => Ok(SocketAddr::new(local, PORT)),
        Some(text) => number(text)
            .map(|port| SocketAddr::new(local, port))
            .ok_or_else(|| format!("ANDROID_ADB_SERVER_PORT is `{text}`, expected a port number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_address_is_read_as_adb_reads_it() {
        let cases = [
            (None, None, Some("127.0.0.1:5037")),
            (Some(""), Some(""), Some("127.0.0.1:5037")),
            (None, Some("5038"), Some("127.0.0.1:5038")),
            (Some("tcp:5039"), Some("5038"), Some("127.0.0.1:5039")),
            (Some("tcp:localhost:5039"), None, Some("127.0.0.1:5039")),
            (Some("tcp:192.0.2.1:5039"), None, Some("192.0.2.1:5039")),
            (Some("tcp:[::1]:5039"), None, Some("[::1]:5039")),
            (Some("localfilesystem:/tmp/adb"), None, None),
            (Some("tcp:0"), None, None),
            (None, Some("65536"), None),
        ];
        for (socket, port, expected) in cases {
            let found = address(socket, port).ok().map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{socket:?} {port:?}");
        }
    }
}
