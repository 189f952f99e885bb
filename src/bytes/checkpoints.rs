//! Places from which DEFLATE streams can be decoded on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use miniz_oxide::inflate::core::DecompressorOxide;

use super::Cache;
use super::decoded::Reservation;

/// DEFLATE looks back this far.
pub(super) const WINDOW: u64 = 32 << 10;
/// Decoder state and window, as measured, rounded up.
const CHECKPOINT_BYTES: u64 = 44 << 10;
/// Distance of checkpoints before memory runs short.
const FIRST_SPACING: u64 = 1 << 20;
/// Streams that go on where they stopped without a checkpoint near: a device has some ten partitions.
const PARKED: usize = 16;

/// A place in a stream from which decoding can go on.
#[derive(Clone)]
pub(super) struct Position {
    /// Compressed bytes taken.
    pub(super) input: u64,
    /// Decoded bytes put out.
    pub(super) output: u64,
    pub(super) state: Box<DecompressorOxide>,
    /// The last output, a byte at its offset modulo the window's length.
    pub(super) window: Box<[u8]>,
}

impl Position {
    /// The beginning of a stream whose data starts at `input`.
    pub(super) fn start(input: u64) -> Self {
        let window = vec![0; usize::try_from(WINDOW).unwrap_or_default()].into_boxed_slice();
        Self { input, output: 0, state: Box::default(), window }
    }

    /// The last `bytes` that were put out by one step: a step never wraps around.
    pub(super) fn last(&self, bytes: u64) -> &[u8] {
        let start = self.output.saturating_sub(bytes) % WINDOW;
        let range = usize::try_from(start).ok().zip(usize::try_from(start + bytes).ok());
        range.and_then(|(a, b)| self.window.get(a..b)).unwrap_or_default()
    }
}

/// The checkpoints of all streams of a target. They have a quarter of its memory; when it is used up, every second one of
/// each stream is dropped and their distance doubles, so that no stream is left without for another.
#[derive(Default)]
pub(super) struct Checkpoints {
    most: usize,
    cache: Arc<Cache>,
    streams: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By stream and decoded offset.
    kept: BTreeMap<(u64, u64), Position>,
    spacing: u64,
    /// Where streams stopped, by stream, with the time.
    parked: BTreeMap<u64, (u64, Position)>,
    clock: u64,
    /// Of the memory for blocks, what both have.
    reserved: Option<Reservation>,
}

impl Checkpoints {
    pub(super) fn new(memory: u64, cache: &Arc<Cache>) -> Arc<Self> {
        let most = usize::try_from(memory / 4 / CHECKPOINT_BYTES).unwrap_or(usize::MAX).max(2);
        let state = State { spacing: FIRST_SPACING, ..State::default() };
        Arc::new(Self { most, cache: cache.clone(), streams: AtomicU64::new(0), state: Mutex::new(state) })
    }

    /// The number of a new stream.
    pub(super) fn stream(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// The nearest place at or before `output` from which the stream can go on; `None` for its beginning.
    pub(super) fn take(&self, stream: u64, output: u64) -> Option<Position> {
        let mut state = self.lock();
        let parked = state.parked.remove(&stream).map(|(_, position)| position);
        let kept = state.kept.range((stream, 0)..=(stream, output)).next_back().map(|(_, position)| position);
        match (parked.filter(|parked| parked.output <= output), kept) {
            (Some(parked), Some(kept)) if parked.output < kept.output => Some(kept.clone()),
            (None, kept) => kept.cloned(),
            (parked, _) => parked,
        }
    }

    /// Keeps a place if the one before it is far enough.
    pub(super) fn offer(&self, stream: u64, position: &Position) {
        let mut state = self.lock();
        let last = state.kept.range((stream, 0)..=(stream, u64::MAX)).next_back().map_or(0, |((_, at), _)| *at);
        if position.output < last.saturating_add(state.spacing) {
            return;
        }
        state.kept.insert((stream, position.output), position.clone());
        while state.kept.len() > self.most {
            state.spacing = state.spacing.saturating_mul(2);
            let (spacing, mut before) = (state.spacing, (u64::MAX, 0));
            state.kept.retain(|(stream, at), _| {
                let from = if before.0 == *stream { before.1 } else { 0_u64 };
                let keep = *at >= from.saturating_add(spacing);
                if keep {
                    before = (*stream, *at);
                }
                keep
            });
        }
        self.account(&mut state);
    }

    /// Keeps the place where a stream stopped.
    pub(super) fn park(&self, stream: u64, position: Position) {
        let mut state = self.lock();
        state.clock += 1;
        let now = state.clock;
        state.parked.insert(stream, (now, position));
        if state.parked.len() > PARKED {
            let oldest = state.parked.iter().min_by_key(|(_, (used, _))| *used).map(|(stream, _)| *stream);
            oldest.and_then(|stream| state.parked.remove(&stream));
        }
        self.account(&mut state);
    }

    /// Lets go of what belongs to a stream.
    pub(super) fn forget(&self, stream: u64) {
        let mut state = self.lock();
        let mut own = state.kept.split_off(&(stream, 0));
        let mut others = own.split_off(&(stream.saturating_add(1), 0));
        state.kept.append(&mut others);
        state.parked.remove(&stream);
        self.account(&mut state);
    }

    fn account(&self, state: &mut State) {
        let bytes = (state.kept.len() + state.parked.len()) as u64 * CHECKPOINT_BYTES;
        if state.reserved.as_ref().map_or(0, Reservation::bytes) != bytes {
            state.reserved = None;
            state.reserved = Some(self.cache.reserve(bytes));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(output: u64) -> Position {
        Position { output, ..Position::start(0) }
    }

    #[test]
    fn all_streams_get_thinner_together_when_memory_is_used_up() {
        let cache = Cache::new(64 * CHECKPOINT_BYTES);
        let checkpoints = Checkpoints::new(64 * CHECKPOINT_BYTES, &cache);
        assert_eq!(checkpoints.most, 16);
        for mib in 1..=12 {
            checkpoints.offer(1, &at(mib << 20));
        }
        for mib in 1..=40 {
            checkpoints.offer(2, &at(mib << 20));
        }
        let state = checkpoints.lock();
        let of = |stream| state.kept.keys().filter(move |(other, _)| *other == stream).count();
        assert!(state.kept.len() <= 16 && of(1) >= 2 && of(2) >= 8, "{} and {}", of(1), of(2));
        drop(state);
        assert_eq!(checkpoints.take(2, 41 << 20).unwrap().output % (4 << 20), 0);
        assert!(checkpoints.take(2, 1 << 20).is_none());
        checkpoints.forget(2);
        assert!(checkpoints.take(2, 41 << 20).is_none() && checkpoints.take(1, 41 << 20).is_some());
    }

    #[test]
    fn a_stream_goes_on_where_it_stopped_if_that_is_nearer() {
        let checkpoints = Checkpoints::new(1 << 20, &Cache::new(1 << 20));
        checkpoints.offer(1, &at(2 << 20));
        checkpoints.park(1, at(3 << 20));
        assert_eq!(checkpoints.take(1, 5 << 20).unwrap().output, 3 << 20);
        checkpoints.park(1, at(3 << 20));
        assert_eq!(checkpoints.take(1, (3 << 20) - 1).unwrap().output, 2 << 20);
        for stream in 2..40 {
            checkpoints.park(stream, at(7));
        }
        assert_eq!(checkpoints.lock().parked.len(), PARKED);
    }
}
