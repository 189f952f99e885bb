//! Images on a web server, read by ranges (RFC 9110, section 14).
//!
//! [`open`] asks for the beginning of the file. A server that answers with a range is asked for no more than what is read,
//! in blocks of 64 KiB; a server that sends the whole file has it streamed to a temporary file once. What was fetched is
//! kept in a [`Spool`], so no byte is asked for twice.
//!
//! The file is pinned by what the first answer says of it: a strong `ETag` goes back as `If-Match`, else `Last-Modified` as
//! `If-Unmodified-Since`; both and the length are held against every answer. A file that changed while it was read is an error of
//! that read and of all after it.
//!
//! `https` alone, checked by the platform's certificates; `http` to the host itself only. At most five redirects, each held to the
//! same rules. Nothing is sent but the address, the range and the name of this program.

mod address;
mod client;
mod fetched;

use std::sync::Arc;

use crate::bytes::{Budget, ParseError, ReadAt, Spool};

pub use address::is_url;

use address::Address;
use client::{Answer, Client, Pin};
use fetched::{BLOCK, Fetched};

/// 1 TiB: a map of which blocks are here costs a bit for each.
const LONGEST: u64 = 1 << 40;

/// A file on a web server. Its length is the one that the first answer named.
pub struct Remote {
    name: String,
    fetched: Fetched,
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    /// In words, with the host's name.
    pub message: String,
    /// Whether the same call may succeed later.
    pub temporary: bool,
}

impl RemoteError {
    fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: false }
    }
}

/// Opens the file at an address. What it costs is told to the budget's listener; a temporary file counts against its
/// [`crate::bytes::Limits::spill`].
///
/// # Errors
/// An address that is refused, a server that is not there or has no such file, an answer that contradicts itself.
pub fn open(url: &str, budget: &Arc<Budget>) -> Result<Remote, RemoteError> {
    let address = Address::parse(url)?;
    let name = address.name();
    let host = address.host().to_owned();
    let failed = |error: ParseError| RemoteError { message: format!("{host}: {error}"), temporary: false };
    let client = Client::new(address);
    let spool = Spool::new(budget).map_err(failed)?;
    let fetched = match client.open(BLOCK)? {
        Answer::Part { pin, body } => {
            if pin.len > LONGEST {
                return Err(RemoteError::lasting(format!("{host}: {name} of {} bytes is too long", pin.len)));
            }
            spool.extend(pin.len).map_err(failed)?;
            Fetched::begin(client, pin, spool, body)?
        }
        Answer::Whole { pin, body } => Fetched::stream(client, &pin, spool, body, &name, budget)?,
    };
    Ok(Remote { name, fetched })
}

impl Remote {
    /// The file's name: the last part of the address's path, or the host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of content that the server sent so far, repeated ones counted again.
    #[must_use]
    pub fn fetched(&self) -> u64 {
        self.fetched.bytes()
    }

    /// Requests that were sent so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.fetched.requests()
    }

    /// What the reads before ran into, if the server can't be read any more.
    #[must_use]
    pub fn failure(&self) -> Option<ParseError> {
        self.fetched.failure()
    }

    /// How much was fetched, for people: `12.0 MiB of 1024.0 MiB fetched (1.2 %), 34 requests`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mib = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
        let per_mille = self.fetched().saturating_mul(1000) / self.len().max(1);
        format!(
            "{} of {} fetched ({}.{} %), {} requests",
            mib(self.fetched()),
            mib(self.len()),
            per_mille / 10,
            per_mille % 10,
            self.requests()
        )
    }
}

impl ReadAt for Remote {
    fn len(&self) -> u64 {
        self.fetched.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.fetched.read_exact_at(offset, buf)
    }
}

impl Pin {
    /// Whether another answer tells of the same file.
    fn holds(&self, other: &Self) -> Result<(), String> {
        let differs = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours != theirs,
            _ => false,
        };
        if self.len != other.len {
            Err(format!("it had {} bytes and has {}", self.len, other.len))
        } else if differs(&self.etag, &other.etag) {
            Err("its ETag is another".to_owned())
        } else if self.etag.is_none() && differs(&self.modified, &other.modified) {
            Err("its Last-Modified is another".to_owned())
        } else {
            Ok(())
        }
    }
}
