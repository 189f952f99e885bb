//! What was read, word for word: the raw material of an inventory, kept where somebody asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Most that is kept of one target, in bytes: the answers of a phone with 500 packages have some 10 MiB.
pub const LIMIT: u64 = 256 << 20;

/// Keeps raw material while a source is read. Shared by the threads that read.
#[derive(Debug)]
pub struct Record {
    pieces: Mutex<Pieces>,
    limit: u64,
}

impl Default for Record {
    fn default() -> Self {
        Self::new(LIMIT)
    }
}

#[derive(Debug, Default)]
struct Pieces {
    kept: BTreeMap<(String, Option<String>), Vec<u8>>,
    bytes: u64,
    left_out: BTreeSet<LeftOut>,
    private: BTreeSet<String>,
}

/// One piece of raw material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Name of the origin that it is of: the command line, the file's path.
    pub name: String,
    /// The part of it, `AndroidManifest.xml`; `None` for the whole.
    pub part: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Everything that was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// By name and part, unique.
    pub pieces: Vec<Piece>,
    /// What was read and not kept, sorted.
    pub left_out: Vec<LeftOut>,
    /// Packages that somebody installed: whatever names one is nobody's business. Sorted.
    pub private: BTreeSet<String>,
}

/// Raw material that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Name of the origin that it is of.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

impl Record {
    /// A record of at most that many bytes, and never more than [`LIMIT`].
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { pieces: Mutex::default(), limit: limit.min(LIMIT) }
    }

    /// Keeps a piece. Of an origin that is read twice the first answer is kept.
    pub fn keep(&self, name: &str, part: Option<&str>, bytes: &[u8]) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), part.map(str::to_owned));
        if pieces.kept.contains_key(&key) {
            return;
        }
        let length = bytes.len() as u64;
        if pieces.bytes.saturating_add(length) > self.limit {
            pieces.left_out.insert(LeftOut { name: name.to_owned(), why: "no room was left".to_owned() });
            return;
        }
        pieces.bytes += length;
        pieces.kept.insert(key, bytes.to_vec());
    }

    /// Enters that an origin's raw material could not be kept.
    pub fn leave_out(&self, name: &str, why: &str) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.left_out.insert(LeftOut { name: name.to_owned(), why: why.to_owned() });
    }

    /// Enters packages that somebody installed, so that no piece that names one is shown to anybody.
    pub fn hide<'n>(&self, names: impl IntoIterator<Item = &'n str>) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.private.extend(names.into_iter().map(str::to_owned));
    }

    /// What was kept so far; nothing is kept any more.
    #[must_use]
    pub fn take(&self) -> Recorded {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let Pieces { kept, left_out, private, .. } = std::mem::take(&mut *pieces);
        let pieces = kept.into_iter().map(|((name, part), bytes)| Piece { name, part, bytes });
        Recorded { pieces: pieces.collect(), left_out: left_out.into_iter().collect(), private }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order_and_the_first_answer_counts() {
        let record = Record::default();
        record.keep("b", None, b"1");
        record.keep("a", Some("part"), b"2");
        record.keep("b", None, b"3");
        let recorded = record.take();
        let names: Vec<_> = recorded.pieces.iter().map(|piece| (piece.name.as_str(), piece.bytes.as_slice())).collect();
        assert_eq!(names, [("a", b"2".as_slice()), ("b", b"1".as_slice())]);
        assert!(record.take().pieces.is_empty());
    }

    #[test]
    fn what_has_no_room_is_named() {
        let record = Record::new(99);
        let half = vec![0; 50];
        record.keep("a", None, &half);
        record.keep("b", None, &half);
        record.leave_out("c", "gone");
        let left_out = record.take().left_out;
        let words: Vec<_> = left_out.iter().map(|left| (left.name.as_str(), left.why.as_str())).collect();
        assert_eq!(words, [("b", "no room was left"), ("c", "gone")]);
    }
}
