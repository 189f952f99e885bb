//! Decoded blocks that are kept for the next read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::ParseError;

/// What a block decoded to, shared with those who read it while it leaves the cache.
pub type Decoded = Result<Arc<Vec<u8>>, ParseError>;

/// Which block of a reader: a number, or an inode and a place in it.
pub type Key = (u64, u64);

/// What a remembered failure counts for.
const FAILURE_BYTES: u64 = 256;
/// What a block counts for, in lengths of it. Decoders need room beside the blocks, and an allocator keeps for a thread what
/// the thread gave back: measured with blocks of 32 KiB and of 2 MiB in eight threads, a process holds twice what is kept.
const COST: u64 = 2;

/// Memory for the decoded blocks of everything that reads one target. The blocks used last stay, whoever they belong to.
#[derive(Debug, Default)]
pub struct Cache {
    memory: u64,
    readers: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blocks: BTreeMap<(u64, Key), Block>,
    /// Finished blocks by the time of their last use.
    by_use: BTreeMap<u64, (u64, Key)>,
    bytes: u64,
    reserved: u64,
    clock: u64,
}

#[derive(Debug, Default)]
struct Block {
    /// 0 while it is being decoded.
    used: u64,
    bytes: u64,
    content: Arc<OnceLock<Decoded>>,
}

impl Cache {
    /// A cache that keeps at most `memory` bytes, together with what is reserved; the block read last is kept whatever its
    /// length.
    #[must_use]
    pub fn new(memory: u64) -> Arc<Self> {
        Arc::new(Self { memory, ..Self::default() })
    }

    /// Takes memory out of the cache for something else, until the reservation is dropped. It is never refused: blocks
    /// give way to it.
    #[must_use]
    pub fn reserve(self: &Arc<Self>, bytes: u64) -> Reservation {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_add(bytes);
        state.shrink(self.memory, None);
        drop(state);
        Reservation { cache: self.clone(), bytes }
    }

    /// Bytes that the blocks kept now count for.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Bytes that are reserved now.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.lock().reserved
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that is used outside of the cache at its expense.
#[derive(Debug)]
pub struct Reservation {
    cache: Arc<Cache>,
    bytes: u64,
}

impl Reservation {
    /// How much it is.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        state.reserved = state.reserved.saturating_sub(self.bytes);
    }
}

/// One reader's part of a [`Cache`]; its blocks go with it. Shared by the threads that read one container: two that want
/// the same block decode it once, two that want different ones don't wait for each other.
#[derive(Debug)]
pub struct DecodedCache {
    cache: Arc<Cache>,
    reader: u64,
}

impl DecodedCache {
    /// A reader that has no blocks yet.
    #[must_use]
    pub fn new(cache: &Arc<Cache>) -> Self {
        let reader = cache.readers.fetch_add(1, Ordering::Relaxed);
        Self { cache: cache.clone(), reader }
    }

    /// The block `key`, by `decode` when it isn't there. A failure is kept like a block: what is damaged is not tried again
    /// at once.
    ///
    /// # Errors
    /// What `decode` reports.
    pub fn get(&self, key: Key, decode: impl FnOnce() -> Result<Vec<u8>, ParseError>) -> Decoded {
        let key = (self.reader, key);
        let content = {
            let mut state = self.cache.lock();
            state.touch(key);
            state.blocks.entry(key).or_default().content.clone()
        };
        // The cache itself stays free for others meanwhile.
        let mut fresh = false;
        let decoded = content.get_or_init(|| {
            fresh = true;
            decode().map(Arc::new)
        });
        if fresh {
            self.cache.lock().keep(key, decoded, self.cache.memory);
        }
        decoded.clone()
    }

    /// The block `key`, if it is there and whole.
    #[must_use]
    pub fn peek(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let key = (self.reader, key);
        let mut state = self.cache.lock();
        state.touch(key);
        state.blocks.get(&key)?.content.get()?.clone().ok()
    }

    /// Keeps a block that was decoded on the way to another.
    pub fn put(&self, key: Key, block: Arc<Vec<u8>>) {
        let key = (self.reader, key);
        let mut state = self.cache.lock();
        let decoded = Ok(block);
        let _ = state.blocks.entry(key).or_default().content.set(decoded.clone());
        state.keep(key, &decoded, self.cache.memory);
    }
}

impl Drop for DecodedCache {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        let mut own = state.blocks.split_off(&(self.reader, (0, 0)));
        let mut others = own.split_off(&(self.reader.saturating_add(1), (0, 0)));
        state.blocks.append(&mut others);
        for block in own.into_values() {
            state.by_use.remove(&block.used);
            state.bytes = state.bytes.saturating_sub(block.bytes);
        }
    }
}

impl State {
    /// Marks a finished block as used now.
    fn touch(&mut self, key: (u64, Key)) {
        self.clock += 1;
        if let Some(block) = self.blocks.get_mut(&key).filter(|block| block.used > 0) {
            self.by_use.remove(&block.used);
            block.used = self.clock;
            self.by_use.insert(self.clock, key);
        }
    }

    /// Counts a finished block, and lets others go for it.
    fn keep(&mut self, key: (u64, Key), decoded: &Decoded, memory: u64) {
        self.clock += 1;
        // It may have left with its reader.
        if let Some(block) = self.blocks.get_mut(&key) {
            self.by_use.remove(&block.used);
            self.bytes -= block.bytes;
            block.used = self.clock;
            block.bytes = decoded.as_ref().map_or(FAILURE_BYTES, |bytes| COST * bytes.capacity() as u64);
            self.bytes += block.bytes;
            self.by_use.insert(self.clock, key);
        }
        self.shrink(memory, Some(key));
    }

    fn shrink(&mut self, memory: u64, spared: Option<(u64, Key)>) {
        while self.bytes.saturating_add(self.reserved) > memory {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                return;
            };
            if Some(oldest) == spared {
                // The one used last: there is no other.
                self.by_use.insert(self.clock, oldest);
                return;
            }
            if let Some(block) = self.blocks.remove(&oldest) {
                self.bytes -= block.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_used_last_stay_and_the_oldest_one_goes() {
        let shared = Cache::new(50);
        let cache = DecodedCache::new(&shared);
        let mut decoded = Vec::new();
        for number in [1, 2, 1, 3, 1, 2] {
            let block = cache.get((number, 0), || {
                decoded.push(number);
                Ok(vec![u8::try_from(number).unwrap(); 10])
            });
            assert_eq!(block.unwrap().first().copied().map(u64::from), Some(number));
        }
        assert_eq!(decoded, [1, 2, 3, 2]);
        assert_eq!(shared.bytes(), 40);
    }

    #[test]
    fn readers_share_the_memory_and_take_their_blocks_with_them() {
        let shared = Cache::new(50);
        let (one, two) = (DecodedCache::new(&shared), DecodedCache::new(&shared));
        one.get((7, 0), || Ok(vec![1; 10])).unwrap();
        two.get((7, 0), || Ok(vec![2; 10])).unwrap();
        assert_eq!(one.peek((7, 0)).unwrap().first(), Some(&1));
        two.put((8, 0), Arc::new(vec![3; 10]));
        assert!(two.peek((7, 0)).is_none() && one.peek((7, 0)).is_some());
        assert_eq!(shared.bytes(), 40);
        drop(one);
        assert_eq!(shared.bytes(), 20);
        assert!(two.peek((8, 0)).is_some());
        drop(two);
        let state = shared.state.lock().unwrap();
        assert_eq!((state.bytes, state.blocks.len(), state.by_use.len()), (0, 0, 0));
    }

    #[test]
    fn a_block_above_the_memory_is_kept_alone_until_the_next() {
        let shared = Cache::new(50);
        let cache = DecodedCache::new(&shared);
        for number in 0..3 {
            cache.get((number, 0), || Ok(vec![0; 100])).unwrap();
            assert_eq!(shared.bytes(), 200);
            assert!(cache.peek((number, 0)).is_some());
        }
    }

    #[test]
    fn what_is_reserved_is_taken_from_the_blocks_until_it_is_given_back() {
        let shared = Cache::new(60);
        let cache = DecodedCache::new(&shared);
        for number in 0..3 {
            cache.put((number, 0), Arc::new(vec![0; 10]));
        }
        let reserved = shared.reserve(30);
        assert_eq!(shared.bytes(), 20);
        drop(reserved);
        for number in 0..3 {
            cache.put((number, 0), Arc::new(vec![0; 10]));
        }
        assert_eq!(shared.bytes(), 60);
    }

    #[test]
    fn a_failure_is_remembered() {
        let cache = DecodedCache::new(&Cache::new(1 << 10));
        let error = ParseError::invalid(7, "block", "damaged", "data");
        assert_eq!(cache.get((1, 0), || Err(error.clone())), Err(error.clone()));
        assert_eq!(cache.get((1, 0), || Ok(vec![1])), Err(error));
        assert!(cache.peek((1, 0)).is_none());
    }
}
