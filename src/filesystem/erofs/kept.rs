//! Bytes that were used last, shared by all files and threads of a volume.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Which of several sources, and the byte in it where the kept ones start.
pub(super) type Key = (u64, u64);

/// Pieces up to a number of bytes; a single one above it is kept alone.
pub(super) struct Kept {
    limit: usize,
    pieces: Mutex<Pieces>,
}

#[derive(Default)]
struct Pieces {
    /// The one used last stands at the end.
    entries: VecDeque<(Key, Arc<Vec<u8>>)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, pieces: Mutex::default() }
    }

    pub(super) fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pieces.entries.iter().rposition(|(other, _)| *other == key)?;
        let entry = pieces.entries.remove(at)?;
        let bytes = entry.1.clone();
        pieces.entries.push_back(entry);
        Some(bytes)
    }

    /// Keeps `bytes` in the place of what was not used for longest. Two threads may bring the same; one is kept.
    pub(super) fn put(&self, key: Key, bytes: Arc<Vec<u8>>) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if pieces.entries.iter().any(|(other, _)| *other == key) {
            return;
        }
        pieces.bytes += bytes.len();
        pieces.entries.push_back((key, bytes));
        while pieces.bytes > self.limit && pieces.entries.len() > 1 {
            let Some((_, old)) = pieces.entries.pop_front() else {
                return;
            };
            pieces.bytes -= old.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays_and_the_rest_gives_way() {
        let kept = Kept::new(40);
        for start in 0..4 {
            kept.put((1, start), Arc::new(vec![0; 10]));
        }
        assert!(kept.get((1, 0)).is_some());
        kept.put((1, 4), Arc::new(vec![0; 1]));
        assert!(kept.get((1, 0)).is_some());
        assert!(kept.get((1, 1)).is_none());
        assert!(kept.get((1, 4)).is_some());
        assert!(kept.get((2, 4)).is_none());
    }

    #[test]
    fn a_piece_above_the_limit_is_kept_alone() {
        let kept = Kept::new(40);
        kept.put((1, 0), Arc::new(vec![0; 1]));
        kept.put((1, 1), Arc::new(vec![0; 41]));
        assert!(kept.get((1, 0)).is_none());
        assert!(kept.get((1, 1)).is_some());
        kept.put((1, 2), Arc::new(vec![0; 1]));
        assert!(kept.get((1, 1)).is_none());
        assert_eq!(kept.pieces.lock().unwrap().bytes, 1);
    }
}
