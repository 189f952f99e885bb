//! Starts an ADB server on this computer where none listens, through the crate `adb_client`, which runs
//! `adb start-server`.
//!
//! That command stops a server of another version, so it is only run where nothing accepts connections: whoever works
//! with a server already keeps it. The server goes on running, as after any other call of `adb`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use adb_client::server::ADBServer;

use super::{Failure, Server};

/// Longest wait for `adb start-server`. It takes well below a second; where it hangs, the port stays silent too.
const WAIT: Duration = Duration::from_secs(20);

/// Why there is no server after trying to start one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// `adb` starts servers on its own computer only, and they listen at 127.0.0.1.
    #[error("no ADB server answers at {0}, and only one at 127.0.0.1 can be started from here")]
    Elsewhere(SocketAddr),
    /// `adb start-server` was run, or could not be, and nothing listens.
    #[error(
        "no ADB server answers at {0}, and `adb start-server` started none: is the program `adb` installed and on the PATH?"
    )]
    NotStarted(SocketAddr),
    /// Something listens, and what it says is no answer.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Sees to it that an ADB server answers at the address. Does nothing if something listens there already.
///
/// `adb` may write a line or two to standard error; its standard output stays empty.
///
/// # Errors
/// [`StartError`]: the address is not of this computer, nothing was started, or what listens is no ADB server.
pub fn start(address: SocketAddr) -> Result<(), StartError> {
    match Server::new(address).version() {
        Err(Failure::NoServer { .. }) => {}
        Err(failure) => return Err(failure.into()),
        Ok(_) => return Ok(()),
    }
    if address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return Err(StartError::Elsewhere(address));
    }
    // `adb` takes an address in numbers for another computer's, and prefers this variable to the port's.
    let socket = format!("tcp:localhost:{}", address.port());
    let variables = HashMap::from([("ADB_SERVER_SOCKET".to_owned(), socket)]);
    let (done, over) = mpsc::channel();
    // The crate waits for the command without end, so the waiting is left to a thread that may be left behind.
    thread::spawn(move || {
        ADBServer::start(&variables, &None);
        let _ = done.send(());
    });
    let _ = over.recv_timeout(WAIT);
    match Server::new(address).version() {
        Ok(_) => Ok(()),
        Err(Failure::NoServer { address }) => Err(StartError::NotStarted(address)),
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_another_computer_is_not_started_here() {
        // The second loopback address of this computer, where nothing listens, is not `adb`'s own.
        let listener = std::net::TcpListener::bind(("127.0.0.2", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(start(address), Err(StartError::Elsewhere(address)));
    }
}
