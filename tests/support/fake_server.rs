//! A double of the ADB server that says what it is told: for lists and accidents that the real one does not produce.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A server with given answers. Ends when dropped.
#[derive(Debug)]
pub(crate) struct FakeServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

/// What follows a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// `OKAY` and a text with its length.
    Text(String),
    /// `OKAY`; the next request of the same connection follows.
    Okay,
    /// `FAIL` and a reason.
    Fail(String),
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// Nothing, and the connection stays open until the client closes it.
    Silence,
}

impl FakeServer {
    /// Answers requests that begin as given; any other with `unknown host service`.
    pub(crate) fn start(replies: Vec<(&'static str, Reply)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let (replies, over) = (Arc::new(replies), Arc::clone(&stopped));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let replies = Arc::clone(&replies);
                thread::spawn(move || serve(stream, &replies));
            }
        });
        Self { address, stopped }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves one connection until the client, or a reply, ends it.
fn serve(mut stream: TcpStream, replies: &[(&str, Reply)]) -> Option<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let length = usize::from_str_radix(std::str::from_utf8(&length).ok()?, 16).ok()?;
        let mut request = vec![0; length];
        stream.read_exact(&mut request).ok()?;
        let request = String::from_utf8(request).ok()?;
        let reply = replies.iter().find(|(start, _)| request.starts_with(start)).map(|(_, reply)| reply);
        match reply.cloned().unwrap_or_else(|| Reply::Fail("unknown host service".to_owned())) {
            Reply::Okay => stream.write_all(b"OKAY").ok()?,
            Reply::Text(text) => {
                return stream.write_all(format!("OKAY{:04x}{text}", text.len()).as_bytes()).ok();
            }
            Reply::Fail(text) => {
                return stream.write_all(format!("FAIL{:04x}{text}", text.len()).as_bytes()).ok();
            }
            Reply::Bytes(bytes) => return stream.write_all(&bytes).ok(),
            Reply::Silence => {
                let _ = stream.read(&mut [0; 1]);
                return None;
            }
        }
    }
}
