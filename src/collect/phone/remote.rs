//! A file on a phone, of which bytes are here as far as they were fetched. What is asked for beyond is noted.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::adb::commands::{READ_BLOCK, READ_BLOCKS};
use crate::bytes::{ParseError, ReadAt, within};

/// Bytes of the end that are fetched at first: the end record, and the directory of most files.
const TAIL: u64 = 4 << 10;

/// Bytes fetched beyond what is asked for, doubled with each request: what is read late is read on.
const AHEAD: u64 = 1 << 10;
const MOST_AHEAD: u64 = 64 << 10;

/// A file on the phone, as far as it was fetched.
pub(super) struct Remote {
    pub(super) len: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: BTreeMap<u64, Vec<u8>>,
    wanted: BTreeSet<u64>,
    ahead: u64,
    fetched: u64,
}

impl Remote {
    pub(super) fn new(len: u64) -> Self {
        let mut state = State { ahead: AHEAD, ..State::default() };
        if len > 0 {
            state.wanted.extend(len.saturating_sub(TAIL) / READ_BLOCK..=(len - 1) / READ_BLOCK);
            // The first signature is looked at once the directory is read.
            state.wanted.insert(0);
        }
        Self { len, state: Mutex::new(state) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for and is not here, as runs of blocks: start and count.
    pub(super) fn take_wanted(&self) -> Vec<(u64, u64)> {
        let mut state = self.lock();
        let wanted = std::mem::take(&mut state.wanted);
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for block in wanted.into_iter().filter(|block| !state.blocks.contains_key(block)) {
            match runs.last_mut() {
                Some((start, count)) if *start + *count == block && *count < READ_BLOCKS => *count += 1,
                _ => runs.push((block, 1)),
            }
        }
        runs
    }

    /// Enters a run, of the length that the file's length gives it, and looks further ahead from now on.
    pub(super) fn enter(&self, start: u64, bytes: &[u8]) {
        let mut state = self.lock();
        state.fetched += bytes.len() as u64;
        state.ahead = (state.ahead * 2).min(MOST_AHEAD);
        for (number, block) in (start..).zip(bytes.chunks(usize::try_from(READ_BLOCK).unwrap_or(1024))) {
            state.blocks.insert(number, block.to_vec());
        }
    }

    /// Bytes that are here.
    pub(super) fn fetched(&self) -> u64 {
        self.lock().fetched
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.lock().wanted.is_empty()
    }
}

impl ReadAt for Remote {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        if buf.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        let end = offset + buf.len() as u64;
        let (first, last) = (offset / READ_BLOCK, (end - 1) / READ_BLOCK);
        let missing: Vec<u64> = (first..=last).filter(|block| !state.blocks.contains_key(block)).collect();
        if !missing.is_empty() {
            let ahead = (end + state.ahead).min(self.len).saturating_sub(1) / READ_BLOCK;
            state.wanted.extend(missing);
            state.wanted.extend(last..=ahead);
            return Err(ParseError::io(offset, io::Error::new(io::ErrorKind::WouldBlock, "not fetched yet")));
        }
        let mut at = offset;
        for block in first..=last {
            let start = usize::try_from(at - block * READ_BLOCK).unwrap_or(usize::MAX);
            let stop = usize::try_from(end.min((block + 1) * READ_BLOCK) - block * READ_BLOCK).unwrap_or(usize::MAX);
            let from = state.blocks.get(&block).and_then(|bytes| bytes.get(start..stop));
            let begin = usize::try_from(at - offset).unwrap_or(usize::MAX);
            let to = buf.get_mut(begin..begin.saturating_add(stop.saturating_sub(start)));
            match (from, to) {
                (Some(from), Some(to)) => to.copy_from_slice(from),
                _ => return Err(ParseError::truncated(offset, buf.len() as u64, self.len)),
            }
            at = (block + 1) * READ_BLOCK;
        }
        Ok(())
    }
}
