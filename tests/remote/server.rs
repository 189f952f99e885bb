//! A web server on the loopback interface, as honest or as bad as a test wants it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server gives.
#[derive(Clone)]
pub(super) enum Content {
    Bytes(Arc<Vec<u8>>),
    Path(PathBuf),
}

/// How it answers. Numbers count from the first request, 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Ranges,
    /// Knows no ranges, and tells the length or not.
    Whole {
        length: bool,
    },
    /// Another file stands there from that request on; says so by 412, or only by its ETag.
    Changes {
        at: usize,
        refuses: bool,
    },
    /// As before, of a server that names no ETag, only a date.
    ChangesDate {
        at: usize,
    },
    /// Closes the connection in the middle of these many answers, from the second request on.
    Dies {
        times: usize,
    },
    /// Names a range other than the one that it was asked for.
    Lies,
    /// Says that there are fewer bytes in all than before.
    Shrinks,
    /// Sends another number of bytes than the range has.
    Overlong,
    Compresses,
    /// Says that once, then answers.
    Busy {
        times: usize,
    },
    Status(u16),
    /// Sends the reader there.
    Redirects(&'static str),
}

pub(super) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
}

struct Shared {
    file: Content,
    manner: Manner,
    tls: Option<Arc<ServerConfig>>,
    requests: AtomicUsize,
    sent: AtomicU64,
    heads: Mutex<Vec<String>>,
    over: AtomicBool,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Server {
    pub(super) fn start(file: Content, manner: Manner) -> Self {
        Self::with(file, manner, None)
    }

    pub(super) fn with(file: Content, manner: Manner, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            file,
            manner,
            tls,
            requests: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            heads: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let of_thread = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_thread.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = of_thread.clone();
                // A client that hangs up is no failure of the server.
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, scheme, shared }
    }

    pub(super) fn url(&self, name: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}/{name}", self.scheme, self.address.port())
    }

    pub(super) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Bytes of content.
    pub(super) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Requests as they came, in lower case.
    pub(super) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, tcp: TcpStream) {
        let mut stream: BufReader<Box<dyn Stream>> = match &self.tls {
            None => BufReader::new(Box::new(tcp)),
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).unwrap();
                BufReader::new(Box::new(StreamOwned::new(connection, tcp)))
            }
        };
        while let Some(head) = head(&mut stream) {
            if !self.answer(&head, stream.get_mut().as_mut()).unwrap_or(false) {
                return;
            }
        }
    }

    fn len(&self) -> u64 {
        match &self.file {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Path(path) => path.metadata().unwrap().len(),
        }
    }

    fn content(&self, first: u64, last: u64) -> Vec<u8> {
        let len = usize::try_from(last + 1 - first).unwrap();
        let mut buf = vec![0; len];
        match &self.file {
            Content::Bytes(bytes) => buf.copy_from_slice(&bytes[usize::try_from(first).unwrap()..][..len]),
            Content::Path(path) => File::open(path).unwrap().read_exact_at(&mut buf, first).unwrap(),
        }
        buf
    }

    /// Whether the connection goes on.
    fn answer(&self, head: &str, out: &mut dyn Stream) -> std::io::Result<bool> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        self.heads.lock().unwrap().push(head.to_owned());
        let plain = |out: &mut dyn Stream, line: &str| {
            write!(out, "HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n")?;
            out.flush().map(|()| true)
        };
        match self.manner {
            Manner::Status(status) => return plain(out, &format!("{status} So")),
            Manner::Busy { times } if number < times => return plain(out, "503 Busy"),
            Manner::Redirects(to) if !head.starts_with("get /there") => {
                return plain(out, &format!("302 Found\r\nLocation: {to}"));
            }
            _ => {}
        }
        let len = self.len();
        let changed = match self.manner {
            Manner::Changes { at, .. } | Manner::ChangesDate { at } => number >= at,
            _ => false,
        };
        let etag = if changed { "\"two\"" } else { "\"one\"" };
        let dated = matches!(self.manner, Manner::ChangesDate { .. });
        let validator = match (dated, changed) {
            (false, _) => format!("ETag: {etag}\r\n"),
            (true, false) => "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n".to_owned(),
            (true, true) => "Last-Modified: Tue, 02 Jan 2024 00:00:00 GMT\r\n".to_owned(),
        };
        if changed && matches!(self.manner, Manner::Changes { refuses: true, .. }) {
            assert!(head.contains("if-match: \"one\""), "{head}");
            return plain(out, "412 Precondition Failed");
        }
        if let Manner::Whole { length } = self.manner {
            let length = if length { format!("Content-Length: {len}\r\n") } else { String::new() };
            write!(out, "HTTP/1.1 200 OK\r\n{length}Connection: close\r\n{validator}\r\n")?;
            let content = self.content(0, len - 1);
            self.sent.fetch_add(content.len() as u64, Ordering::SeqCst);
            out.write_all(&content)?;
            out.flush()?;
            return Ok(false);
        }
        let range = head.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
        let (first, last) = range.split_once('-').unwrap();
        let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
        let last = last.min(len - 1);
        let content = self.content(first, last);
        let (mut told, mut total, mut length) = (first, len, content.len());
        let mut extra = "";
        if number > 0 {
            match self.manner {
                Manner::Lies => told += 1,
                Manner::Shrinks => total -= 1,
                Manner::Overlong => length += 1,
                Manner::Compresses => extra = "Content-Encoding: gzip\r\n",
                _ => {}
            }
        }
        write!(
            out,
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {told}-{last}/{total}\r\nContent-Length: {length}\r\n\
             {extra}{validator}\r\n"
        )?;
        if matches!(self.manner, Manner::Dies { times } if number > 0 && number <= times) {
            out.write_all(&content[..content.len() / 2])?;
            out.flush()?;
            return Ok(false);
        }
        self.sent.fetch_add(content.len() as u64, Ordering::SeqCst);
        out.write_all(&content)?;
        out.flush().map(|()| true)
    }
}

/// One request's lines, in lower case, or `None` at the connection's end.
fn head(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head);
        }
        head.push_str(&line.trim_end().to_ascii_lowercase());
        head.push('\n');
    }
}
