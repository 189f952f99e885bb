//! Which blocks of a file are here, and getting those that are not.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::RemoteError;
use super::client::{Client, Content, Failure, Pin};
use crate::bytes::{Budget, Notice, ParseError, Spool, within};

/// What is asked for at least. A filesystem's blocks are 4 KiB and lie scattered: more would be fetched in vain.
pub(super) const BLOCK: u64 = 64 << 10;
/// Blocks of one request: 4 MiB, so that a lost connection costs no more.
const RUN: u64 = 64;
/// Blocks fetched beyond what is wanted, while reads follow each other: 1 MiB.
const AHEAD: u64 = 16;
const PIECE: usize = 64 << 10;
/// Bytes between two words of how far a stream is.
const TOLD: u64 = 64 << 20;

/// A file of which some blocks are here.
pub(super) struct Fetched {
    client: Client,
    pin: Pin,
    spool: Spool,
    state: Mutex<State>,
    arrived: Condvar,
    bytes: AtomicU64,
}

#[derive(Default)]
struct State {
    /// A bit for each block.
    present: Vec<u64>,
    /// Being fetched by another thread.
    busy: BTreeSet<u64>,
    /// The block after the last one that was fetched.
    next: u64,
    ahead: u64,
    failure: Option<ParseError>,
}

impl State {
    fn has(&self, block: u64) -> bool {
        let word = usize::try_from(block / 64).ok().and_then(|word| self.present.get(word));
        word.is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    fn add(&mut self, block: u64) {
        if let Some(word) = usize::try_from(block / 64).ok().and_then(|word| self.present.get_mut(word)) {
            *word |= 1 << (block % 64);
        }
    }

    /// The blocks to ask for, from the first one that is wanted and missing to one before `end`.
    fn run(&mut self, first: u64, last: u64, end: u64) -> (u64, u64) {
        self.ahead = if first == self.next { (self.ahead * 2).clamp(1, AHEAD) } else { 0 };
        let most = last.saturating_add(self.ahead).min(first.saturating_add(RUN - 1)).min(end.saturating_sub(1));
        let stop = (first + 1..=most).find(|block| self.has(*block) || self.busy.contains(block));
        let run = (first, stop.unwrap_or(most + 1));
        self.next = run.1;
        self.busy.extend(run.0..run.1);
        run
    }
}

impl Fetched {
    fn new(client: Client, pin: Pin, spool: Spool) -> Self {
        let words = usize::try_from(pin.len.div_ceil(BLOCK).div_ceil(64)).unwrap_or_default();
        let state = State { present: vec![0; words], ..State::default() };
        Self { client, pin, spool, state: Mutex::new(state), arrived: Condvar::new(), bytes: AtomicU64::new(0) }
    }

    /// A file that is read by ranges; `body` is its first block.
    pub(super) fn begin(client: Client, pin: Pin, spool: Spool, body: Content) -> Result<Self, RemoteError> {
        let fetched = Self::new(client, pin, spool);
        // What did not arrive is asked for again by whoever reads it.
        if fetched.keep(body, 0, BLOCK.min(fetched.pin.len)).is_ok() {
            fetched.lock().add(0);
        }
        Ok(fetched)
    }

    /// A file that the server sends as a whole.
    pub(super) fn stream(
        client: Client,
        pin: &Pin,
        spool: Spool,
        mut body: Content,
        name: &str,
        budget: &Arc<Budget>,
    ) -> Result<Self, RemoteError> {
        let host = client.host().to_owned();
        let told = body.len.map_or_else(|| "all".to_owned(), |len| format!("all {} MiB", len >> 20));
        budget.tell(Notice::Lasting(format!(
            "{host} gives no parts of {name}: fetching {told} of it to a temporary file"
        )));
        let failed = |message: String, temporary| RemoteError { message: format!("{host}: {message}"), temporary };
        let mut piece = vec![0; PIECE];
        let (mut len, mut said) = (0, 0);
        let bytes_read = AtomicU64::new(0);
        loop {
            let count = fill(body.reader.as_mut(), &mut piece, &bytes_read)
                .map_err(|error| failed(format!("after {len} bytes: {error}"), true))?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            // A hole in the temporary file costs nothing there, and endless zeros would never end.
            if len > budget.limits.spill {
                let error = ParseError::limit(len, "bytes of the file", len, budget.limits.spill);
                return Err(failed(error.to_string(), false));
            }
            spool.write_at(len, bytes).map_err(|error| failed(error.to_string(), false))?;
            len += count as u64;
            if len >= said + TOLD {
                said = len;
                budget.tell(Notice::Passing(format!("{name}: {} MiB fetched so far", len >> 20)));
            }
        }
        if body.len.is_some_and(|told| told != len) {
            return Err(failed(format!("{len} bytes came, {} were announced", pin.len), true));
        }
        if len == 0 {
            return Err(failed("the file is empty".to_owned(), false));
        }
        spool.extend(len).map_err(|error| failed(error.to_string(), false))?;
        let fetched = Self::new(client, Pin { len, ..pin.clone() }, spool);
        fetched.lock().present.fill(u64::MAX);
        fetched.bytes.store(bytes_read.into_inner(), Ordering::Relaxed);
        Ok(fetched)
    }

    pub(super) fn len(&self) -> u64 {
        self.pin.len
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) -> u64 {
        self.client.requests()
    }

    pub(super) fn failure(&self) -> Option<ParseError> {
        self.lock().failure.clone()
    }

    pub(super) fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.pin.len, offset, buf.len() as u64)?;
        let Some(end) = offset.checked_add(buf.len() as u64).filter(|end| *end > offset) else {
            return Ok(());
        };
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let mut state = self.lock();
        while let Some(missing) = (first..=last).find(|block| !state.has(*block)) {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.busy.contains(&missing) {
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let run = state.run(missing, last, self.pin.len.div_ceil(BLOCK));
            drop(state);
            let result = self.fetch(run);
            state = self.lock();
            for block in run.0..run.1 {
                state.busy.remove(&block);
                if result.is_ok() {
                    state.add(block);
                }
            }
            if let Err(error) = result {
                // A server that is gone would cost every later read its time-outs.
                state.failure = Some(error);
            }
            self.arrived.notify_all();
        }
        drop(state);
        self.spool.read_exact_at(offset, buf)
    }

    /// Gets blocks, the first and the one after the last.
    fn fetch(&self, (first, end): (u64, u64)) -> Result<(), ParseError> {
        let (start, end) = (first * BLOCK, (end * BLOCK).min(self.pin.len));
        let result = self.client.persistently(|| {
            let body = self.client.part(start, end - 1, &self.pin)?;
            self.keep(body, start, end)
        });
        result.map_err(|failure| {
            let (kind, message) = match failure {
                Failure::Transient(message) => (io::ErrorKind::ConnectionAborted, message),
                Failure::Final(message) => (io::ErrorKind::InvalidData, message),
                Failure::Changed(how) => {
                    (io::ErrorKind::InvalidData, format!("the file changed while it was read: {how}"))
                }
            };
            let message = format!("{}: bytes {start} to {}: {message}", self.client.host(), end - 1);
            ParseError::io(start, io::Error::new(kind, message))
        })
    }

    /// Writes the body of an answer to its place.
    fn keep(&self, mut body: Content, start: u64, end: u64) -> Result<(), Failure> {
        let mut piece = vec![0; PIECE];
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            let target = piece.get_mut(..wanted).unwrap_or_default();
            let count = fill(body.reader.as_mut(), target, &self.bytes);
            let count = count.map_err(|error| Failure::Transient(error.to_string()))?;
            if count < wanted {
                return Err(Failure::Transient(format!("the answer ends after {} bytes", at - start + count as u64)));
            }
            let kept = self.spool.write_at(at, target);
            kept.map_err(|error| Failure::Final(error.to_string()))?;
            at += count as u64;
        }
        match body.reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::Final("the server sends more than the range".to_owned())),
            Err(error) => Err(Failure::Transient(error.to_string())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills as much of `buf` as there is, and counts what comes even where it ends in an error.
fn fill(reader: &mut dyn Read, buf: &mut [u8], bytes: &AtomicU64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
