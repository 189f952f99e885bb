//! Decoded clusters that were used last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are kept for one volume: some 64 clusters of 64 KiB. A cluster above it is kept alone.
const KEPT_BYTES: usize = 4 << 20;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The decoded cluster of that inode that starts at that byte of its content.
    Cluster { inode: u64, start: u64 },
    /// Bytes of an index: whether of the metabox, and where.
    Index { metabox: bool, start: u64 },
}

/// Shared by all files and threads of a volume.
#[derive(Default)]
pub(super) struct Clusters {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one used last stands at the end.
    entries: VecDeque<(Key, Arc<Vec<u8>>)>,
    bytes: usize,
}

impl Clusters {
    pub(super) fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.entries.iter().rposition(|(other, _)| *other == key)?;
        let entry = kept.entries.remove(at)?;
        let bytes = entry.1.clone();
        kept.entries.push_back(entry);
        Some(bytes)
    }

    /// Keeps `bytes` in the place of what was not used for longest. Two threads may bring the same; one is kept.
    pub(super) fn put(&self, key: Key, bytes: Arc<Vec<u8>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.entries.iter().any(|(other, _)| *other == key) {
            return;
        }
        kept.bytes += bytes.len();
        kept.entries.push_back((key, bytes));
        while kept.bytes > KEPT_BYTES && kept.entries.len() > 1 {
            let Some((_, old)) = kept.entries.pop_front() else {
                return;
            };
            kept.bytes -= old.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(start: u64) -> Key {
        Key::Cluster { inode: 1, start }
    }

    #[test]
    fn what_was_used_last_stays_and_the_rest_gives_way() {
        let clusters = Clusters::default();
        for start in 0..4 {
            clusters.put(key(start), Arc::new(vec![0; 1 << 20]));
        }
        assert!(clusters.get(key(0)).is_some());
        clusters.put(key(4), Arc::new(vec![0; 1]));
        assert!(clusters.get(key(0)).is_some());
        assert!(clusters.get(key(1)).is_none());
        assert!(clusters.get(key(4)).is_some());
    }

    #[test]
    fn a_cluster_above_the_limit_is_kept_alone() {
        let clusters = Clusters::default();
        clusters.put(key(0), Arc::new(vec![0; 1]));
        clusters.put(key(1), Arc::new(vec![0; KEPT_BYTES + 1]));
        assert!(clusters.get(key(0)).is_none());
        assert!(clusters.get(key(1)).is_some());
        clusters.put(key(2), Arc::new(vec![0; 1]));
        assert!(clusters.get(key(1)).is_none());
        assert_eq!(clusters.kept.lock().unwrap().bytes, 1);
    }
}
