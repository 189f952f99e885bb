//! What one target may cost, what it has cost so far, and what those who read it share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use super::checkpoints::Checkpoints;
use super::{Cache, DecodedCache, Limits, ParseError, ReadAt, SharedBytes};

/// Bytes that may be decompressed for each byte of the target's files. bzip2 packs zeros 45,000 to one, the other
/// compressions less; real images come nowhere near.
const RATIO: u64 = 1 << 16;
/// What may be decompressed however short the files are.
const WITHOUT_RATIO: u64 = 1 << 30;

/// The [`Limits`] of one target with its counters, and the memory for what is decoded. Shared by everything that reads the
/// target.
#[derive(Default)]
pub struct Budget {
    /// The limits that hold.
    pub limits: Limits,
    /// Memory for decoded blocks: [`Limits::memory`].
    pub cache: Arc<Cache>,
    pub(super) checkpoints: Arc<Checkpoints>,
    read: AtomicU64,
    input: AtomicU64,
    decompressed: AtomicU64,
    spooled: AtomicU64,
    base: Vec<(String, SharedBytes)>,
    listener: Mutex<Option<Sender<Notice>>>,
}

/// Something to tell whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A line that stays: what is going on costs time, disk or network.
    Lasting(String),
    /// How far it is; the next one takes its place.
    Passing(String),
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counters = (self.read(), self.decompressed(), self.spooled());
        f.debug_struct("Budget").field("limits", &self.limits).field("counters", &counters).finish_non_exhaustive()
    }
}

impl Budget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self::with_memory(limits))
    }

    fn with_memory(limits: Limits) -> Self {
        let cache = Cache::new(limits.memory);
        let checkpoints = Checkpoints::new(limits.memory, &cache);
        Self { limits, cache, checkpoints, ..Self::default() }
    }

    /// A budget of which nothing is spent, for an update that is made from a former build: its partitions, by Android's
    /// names. They were opened with the budget `of`, whose memory is shared.
    #[must_use]
    pub fn with_base(limits: Limits, base: Vec<(String, SharedBytes)>, of: &Self) -> Arc<Self> {
        let (cache, checkpoints) = (of.cache.clone(), of.checkpoints.clone());
        Arc::new(Self { limits, cache, checkpoints, base, ..Self::default() })
    }

    /// A partition of the former build.
    #[must_use]
    pub fn base(&self, name: &str) -> Option<&SharedBytes> {
        self.base.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes)
    }

    /// Whether there is a former build at all.
    #[must_use]
    pub fn has_base(&self) -> bool {
        !self.base.is_empty()
    }

    /// A reader's part of the memory for decoded blocks.
    #[must_use]
    pub fn decoded(&self) -> DecodedCache {
        DecodedCache::new(&self.cache)
    }

    /// Bytes read from the medium so far, repeated reads counted again.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes that decoders have put out so far, repeated decoding counted again.
    #[must_use]
    pub fn decompressed(&self) -> u64 {
        self.decompressed.load(Ordering::Relaxed)
    }

    /// Bytes written to temporary files so far; runs of zeros are not written.
    #[must_use]
    pub fn spooled(&self) -> u64 {
        self.spooled.load(Ordering::Relaxed)
    }

    /// Counts `bytes` that a decoder put out.
    ///
    /// # Errors
    /// [`super::ErrorKind::LimitExceeded`] when the target has used up [`Limits::decompressed`], or more than its files can hold
    /// in any compression.
    pub fn spend_decompressed(&self, bytes: u64) -> Result<(), ParseError> {
        let spent = self.decompressed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let limit = match self.input.load(Ordering::Relaxed) {
            0 => self.limits.decompressed,
            input => self.limits.decompressed.min(input.saturating_mul(RATIO).saturating_add(WITHOUT_RATIO)),
        };
        if spent > limit {
            return Err(ParseError::limit(0, "decompressed bytes", spent, limit));
        }
        Ok(())
    }

    /// Counts `bytes` that are about to be written to a temporary file.
    ///
    /// # Errors
    /// [`super::ErrorKind::LimitExceeded`] when the target has used up [`Limits::spill`].
    pub fn spend_spooled(&self, bytes: u64) -> Result<(), ParseError> {
        let spent = self.spooled.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if spent > self.limits.spill {
            return Err(ParseError::limit(0, "bytes in temporary files", spent, self.limits.spill));
        }
        Ok(())
    }

    /// From now on tells `listener` what goes on; `None` ends that.
    pub fn listen(&self, listener: Option<Sender<Notice>>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    /// Tells the listener, if there is one.
    pub fn tell(&self, notice: Notice) {
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // One that has gone wants to hear nothing.
            let _ = listener.send(notice);
        }
    }
}

/// A source at the bottom of the stack: what is read of it counts as read from the medium.
pub struct Metered {
    source: SharedBytes,
    budget: Arc<Budget>,
}

impl Metered {
    /// The same bytes, counted in `budget`.
    #[must_use]
    pub fn new(source: SharedBytes, budget: Arc<Budget>) -> Self {
        budget.input.fetch_add(source.len(), Ordering::Relaxed);
        Self { source, budget }
    }
}

impl ReadAt for Metered {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.source.read_exact_at(offset, buf)?;
        self.budget.read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_counted_and_a_refused_read_is_not() {
        let budget = Budget::new(Limits::default());
        let source = Metered::new(Arc::new(vec![0_u8; 8]), budget.clone());
        source.read_exact_at(2, &mut [0; 4]).unwrap();
        source.read_exact_at(6, &mut [0; 4]).unwrap_err();
        assert_eq!(budget.read(), 4);
    }

    #[test]
    fn the_byte_after_the_limit_is_refused() {
        let budget = Budget::new(Limits { decompressed: 10, spill: 3, ..Limits::default() });
        budget.spend_decompressed(10).unwrap();
        let error = budget.spend_decompressed(1).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: decompressed bytes is 11, the limit is 10");
        budget.spend_spooled(3).unwrap();
        let error = budget.spend_spooled(1).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: bytes in temporary files is 4, the limit is 3");
    }

    #[test]
    fn a_short_file_can_not_ask_for_hours_of_decoding() {
        let budget = Budget::new(Limits::default());
        let _source = Metered::new(Arc::new(vec![0_u8; 1000]), budget.clone());
        budget.spend_decompressed((1 << 30) + (1000 << 16)).unwrap();
        let error = budget.spend_decompressed(1).unwrap_err().to_string();
        assert_eq!(error, "byte 0: decompressed bytes is 1139277825, the limit is 1139277824");
    }

    #[test]
    fn a_former_build_shares_the_memory_and_nothing_else() {
        let former = Budget::new(Limits::default());
        former.spend_decompressed(5).unwrap();
        let base: Vec<(String, SharedBytes)> = vec![("system".to_owned(), Arc::new(vec![1]))];
        let budget = Budget::with_base(Limits::default(), base, &former);
        assert!(Arc::ptr_eq(&budget.cache, &former.cache));
        assert_eq!((budget.decompressed(), former.decompressed()), (0, 5));
        assert!(budget.base("system").is_some() && budget.base("vendor").is_none() && !former.has_base());
    }
}
