//! Decoded blocks that are kept for the next read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::ParseError;

/// What a block decoded to, shared with those who read it while it leaves the cache.
pub type Decoded = Result<Arc<[u8]>, ParseError>;

/// The blocks used last, by number, up to an amount of memory. Shared by the threads that read one container: two that want
/// the same block decode it once, two that want different ones don't wait for each other.
pub struct DecodedCache {
    memory: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: BTreeMap<u64, Block>,
    bytes: u64,
    clock: u64,
}

#[derive(Default)]
struct Block {
    used: u64,
    bytes: u64,
    content: Arc<OnceLock<Decoded>>,
}

impl DecodedCache {
    /// A cache that keeps at most `memory` bytes; the block read last is kept whatever its length.
    #[must_use]
    pub fn new(memory: u64) -> Self {
        Self { memory, state: Mutex::default() }
    }

    /// The block `number`, by `decode` when it isn't there. A failure is kept like a block: what is damaged is not tried again
    /// at once.
    ///
    /// # Errors
    /// What `decode` reports.
    pub fn get(&self, number: u64, decode: impl FnOnce() -> Result<Vec<u8>, ParseError>) -> Decoded {
        let content = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.clock += 1;
            let now = state.clock;
            let block = state.blocks.entry(number).or_default();
            block.used = now;
            block.content.clone()
        };
        // The cache itself stays free for others meanwhile.
        let mut fresh = false;
        let decoded = content.get_or_init(|| {
            fresh = true;
            decode().map(Arc::from)
        });
        if fresh {
            let bytes = decoded.as_ref().map_or(64, |bytes| bytes.len() as u64);
            self.state.lock().unwrap_or_else(PoisonError::into_inner).keep(number, bytes, self.memory);
        }
        decoded.clone()
    }
}

impl State {
    fn keep(&mut self, number: u64, bytes: u64, memory: u64) {
        if let Some(block) = self.blocks.get_mut(&number) {
            self.bytes = self.bytes + bytes - block.bytes;
            block.bytes = bytes;
        }
        while self.bytes > memory {
            let others = self.blocks.iter().filter(|(other, block)| **other != number && block.bytes > 0);
            let Some(oldest) = others.min_by_key(|(_, block)| block.used).map(|(number, _)| *number) else {
                break;
            };
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
        let cache = DecodedCache::new(25);
        let mut decoded = Vec::new();
        for number in [1, 2, 1, 3, 1, 2] {
            let block = cache.get(number, || {
                decoded.push(number);
                Ok(vec![u8::try_from(number).unwrap(); 10])
            });
            assert_eq!(block.unwrap().first().copied().map(u64::from), Some(number));
        }
        assert_eq!(decoded, [1, 2, 3, 2]);
        assert_eq!(cache.state.lock().unwrap().bytes, 20);
    }

    #[test]
    fn a_block_above_the_memory_is_kept_alone_until_the_next() {
        let cache = DecodedCache::new(25);
        for number in 0..3 {
            cache.get(number, || Ok(vec![0; 100])).unwrap();
            assert_eq!(cache.state.lock().unwrap().bytes, 100);
        }
    }

    #[test]
    fn a_failure_is_remembered() {
        let cache = DecodedCache::new(1 << 10);
        let error = ParseError::invalid(7, "block", "damaged", "data");
        assert_eq!(cache.get(1, || Err(error.clone())), Err(error.clone()));
        assert_eq!(cache.get(1, || Ok(vec![1])), Err(error));
    }
}
