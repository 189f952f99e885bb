//! What was read, word for word: the raw material of an inventory, kept where somebody asks for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most that is kept of one target, in bytes: the answers of a phone with 500 packages have some 10 MiB.
pub const LIMIT: u64 = 256 << 20;

/// Keeps raw material while a source is read. Shared by the threads that read.
#[derive(Debug, Default)]
pub struct Record {
    pieces: Mutex<Pieces>,
}

#[derive(Debug, Default)]
struct Pieces {
    kept: BTreeMap<(String, Option<String>), Vec<u8>>,
    bytes: u64,
    left_out: Vec<String>,
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
    /// Names of what had no room left, sorted.
    pub left_out: Vec<String>,
}

impl Record {
    /// Keeps a piece. Of an origin that is read twice the first answer is kept.
    pub fn keep(&self, name: &str, part: Option<&str>, bytes: &[u8]) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), part.map(str::to_owned));
        if pieces.kept.contains_key(&key) {
            return;
        }
        let length = bytes.len() as u64;
        if pieces.bytes.saturating_add(length) > LIMIT {
            pieces.left_out.push(name.to_owned());
            return;
        }
        pieces.bytes += length;
        pieces.kept.insert(key, bytes.to_vec());
    }

    /// What was kept so far; nothing is kept any more.
    #[must_use]
    pub fn take(&self) -> Recorded {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let Pieces { kept, mut left_out, .. } = std::mem::take(&mut *pieces);
        left_out.sort();
        left_out.dedup();
        let pieces = kept.into_iter().map(|((name, part), bytes)| Piece { name, part, bytes });
        Recorded { pieces: pieces.collect(), left_out }
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
        let record = Record::default();
        let half = vec![0; usize::try_from(LIMIT / 2 + 1).unwrap()];
        record.keep("a", None, &half);
        record.keep("b", None, &half);
        assert_eq!(record.take().left_out, ["b"]);
    }
}
