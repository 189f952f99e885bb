//! Requests, and what answers say.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{HeaderMap, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::RemoteError;
use super::address::Address;

/// Mirrors and signed addresses take one or two.
const REDIRECTS: u32 = 5;
const CONNECT: Duration = Duration::from_secs(15);
/// Silence of the server, before its answer and within it.
const SILENCE: Duration = Duration::from_secs(30);
/// Before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// What the first answer said of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) len: u64,
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
}

/// The first answer.
pub(super) enum Answer {
    /// The server knows ranges; the body is the first one.
    Part { pin: Pin, body: Content },
    /// It does not: the body is everything. A length of `u64::MAX` was not told.
    Whole { pin: Pin, body: Content },
}

/// Content of an answer, of known length or not.
pub(super) struct Content {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) len: Option<u64>,
}

/// Why one request failed.
pub(super) enum Failure {
    /// It may work if it is sent again.
    Transient(String),
    /// It won't.
    Final(String),
    /// The file is no longer the one that was opened.
    Changed(String),
}

pub(super) struct Client {
    agent: Agent,
    /// Where the user said, and where redirects led.
    origin: Address,
    current: Mutex<Address>,
    requests: AtomicU64,
}

impl Client {
    pub(super) fn new(origin: Address) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("preloaded/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE));
        if origin.is_loopback() {
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        Self { agent, current: Mutex::new(origin.clone()), origin, requests: AtomicU64::new(0) }
    }

    pub(super) fn host(&self) -> &str {
        self.origin.host()
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The first request, for the first `len` bytes.
    pub(super) fn open(&self, len: u64) -> Result<Answer, RemoteError> {
        self.persistently(|| self.first(len)).map_err(|failure| {
            let (message, temporary) = match failure {
                Failure::Transient(message) => (message, true),
                Failure::Final(message) | Failure::Changed(message) => (message, false),
            };
            RemoteError { message: format!("{}: {message}", self.host()), temporary }
        })
    }

    fn first(&self, len: u64) -> Result<Answer, Failure> {
        let response = self.send(0, len - 1, None)?;
        let (head, body) = response.into_parts();
        let (etag, modified) = (text(&head.headers, header::ETAG), text(&head.headers, header::LAST_MODIFIED));
        match head.status.as_u16() {
            206 => {
                let (range, total) = range(&head.headers)?;
                let pin = Pin { len: total, etag, modified };
                let expected = (0, len.min(total).saturating_sub(1));
                let body = content(body, &head.headers)?;
                exact(range, expected, &body)?;
                Ok(Answer::Part { pin, body })
            }
            200 => {
                let body = content(body, &head.headers)?;
                Ok(Answer::Whole { pin: Pin { len: body.len.unwrap_or(u64::MAX), etag, modified }, body })
            }
            416 => Err(Failure::Final("the file is empty".to_owned())),
            other => Err(status(other)),
        }
    }

    /// The bytes `first..=last` of the pinned file.
    pub(super) fn part(&self, first: u64, last: u64, pin: &Pin) -> Result<Content, Failure> {
        let response = self.send(first, last, Some(pin))?;
        let (head, body) = response.into_parts();
        let headers = &head.headers;
        let (etag, modified) = (text(headers, header::ETAG), text(headers, header::LAST_MODIFIED));
        match head.status.as_u16() {
            206 => {
                let (range, len) = range(headers)?;
                pin.holds(&Pin { len, etag, modified }).map_err(Failure::Changed)?;
                let body = content(body, headers)?;
                exact(range, (first, last), &body)?;
                Ok(body)
            }
            200 => {
                let len = body.content_length().unwrap_or(pin.len);
                pin.holds(&Pin { len, etag, modified }).map_err(Failure::Changed)?;
                Err(Failure::Final("the server sends the whole file instead of the range".to_owned()))
            }
            412 | 416 => Err(Failure::Changed(format!("the server answers {}", head.status.as_u16()))),
            other => Err(status(other)),
        }
    }

    /// One request, and those that redirects ask for.
    fn send(&self, first: u64, last: u64, pin: Option<&Pin>) -> Result<Response<Body>, Failure> {
        let mut address = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for _ in 0..=REDIRECTS {
            let mut request = self.agent.get(address.uri()).header(header::RANGE, format!("bytes={first}-{last}"));
            match pin {
                Some(Pin { etag: Some(etag), .. }) if !etag.starts_with("W/") => {
                    request = request.header(header::IF_MATCH, etag);
                }
                Some(Pin { etag: None, modified: Some(modified), .. }) => {
                    request = request.header(header::IF_UNMODIFIED_SINCE, modified);
                }
                _ => {}
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            let response = request.call().map_err(transport)?;
            if ![301, 302, 303, 307, 308].contains(&response.status().as_u16()) {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = address;
                return Ok(response);
            }
            let location = text(response.headers(), header::LOCATION);
            let location = location.ok_or_else(|| Failure::Final("a redirect leads nowhere".to_owned()))?;
            address = address.follow(&location).map_err(|error| Failure::Final(error.to_string()))?;
        }
        Err(Failure::Final(format!("more than {REDIRECTS} redirects")))
    }

    /// Tries up to three times.
    pub(super) fn persistently<T>(&self, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        for pause in PAUSES {
            match attempt() {
                Err(Failure::Transient(_)) => std::thread::sleep(pause),
                Err(Failure::Final(_)) if self.forget_redirect() => {}
                other => return other,
            }
        }
        attempt()
    }

    /// Where a redirect led may be good for a time only. Whether there was one.
    fn forget_redirect(&self) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let redirected = *current != self.origin;
        current.clone_from(&self.origin);
        redirected
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn content(body: Body, headers: &HeaderMap) -> Result<Content, Failure> {
    let encoding = text(headers, header::CONTENT_ENCODING).unwrap_or_default();
    if !["", "identity"].contains(&encoding.to_ascii_lowercase().as_str()) {
        return Err(Failure::Final(format!("the server compresses what it sends ({encoding}), unasked")));
    }
    let len = body.content_length();
    Ok(Content { reader: Box::new(body.into_with_config().limit(u64::MAX).reader()), len })
}

/// First and last byte, and the length of the whole: `Content-Range: bytes 0-65535/1000000`.
fn range(headers: &HeaderMap) -> Result<((u64, u64), u64), Failure> {
    let found = text(headers, header::CONTENT_RANGE).unwrap_or_default();
    let parse = || {
        let (range, total) = found.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(((first.parse().ok()?, last.parse().ok()?), total.parse().ok()?))
    };
    parse().ok_or_else(|| Failure::Final(format!("Content-Range is {found:?}, expected bytes, a range and a length")))
}

/// Whether the range is the one that was asked for, and the body has its length as far as that is told.
fn exact(found: (u64, u64), expected: (u64, u64), body: &Content) -> Result<(), Failure> {
    let len = expected.1.saturating_sub(expected.0).saturating_add(1);
    if found != expected {
        let (first, last) = expected;
        let message = format!("the server sends bytes {} to {} for {first} to {last}", found.0, found.1);
        return Err(Failure::Final(message));
    }
    match body.len {
        Some(told) if told != len => Err(Failure::Final(format!("the server sends {told} bytes for a range of {len}"))),
        _ => Ok(()),
    }
}

fn status(status: u16) -> Failure {
    match status {
        401 | 403 => Failure::Final(format!("the server refuses to give the file ({status})")),
        404 | 410 => Failure::Final(format!("the server has no such file ({status})")),
        408 | 425 | 429 | 500..=599 => Failure::Transient(format!("the server answers {status}")),
        _ => Failure::Final(format!("the server answers {status}")),
    }
}

fn transport(error: ureq::Error) -> Failure {
    let text = error.to_string();
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_)
            if !text.contains("certificate") =>
        {
            Failure::Transient(text)
        }
        _ => Failure::Final(text),
    }
}
