//! A source assembled from ranges of others.

use super::{ParseError, ReadAt, SharedBytes};

/// A source whose ranges are stored in other sources, filled with a pattern, or absent (read as zeros).
///
/// Ranges are kept sorted and never overlap, so a read is a binary search.
#[derive(Clone, Default)]
pub struct ExtentMap {
    extents: Vec<Extent>,
    len: u64,
}

#[derive(Clone)]
struct Extent {
    start: u64,
    len: u64,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Stored { source: SharedBytes, offset: u64 },
    Filled([u8; 4]),
}

impl ExtentMap {
    /// A source of `len` zeros.
    #[must_use]
    pub fn new(len: u64) -> Self {
        Self { extents: Vec::new(), len }
    }

    /// Puts `len` bytes of `source` from `offset` at `start`.
    ///
    /// # Errors
    /// [`super::ErrorKind::Truncated`] when the range lies outside of this map or of `source`,
    /// [`super::ErrorKind::Invalid`] when it overlaps an earlier one.
    pub fn store(&mut self, start: u64, source: SharedBytes, offset: u64, len: u64) -> Result<(), ParseError> {
        if offset.checked_add(len).is_none_or(|end| end > source.len()) {
            return Err(ParseError::truncated(offset, len, source.len()));
        }
        self.insert(Extent { start, len, content: Content::Stored { source, offset } })
    }

    /// Repeats `pattern` over `len` bytes at `start`.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn fill(&mut self, start: u64, len: u64, pattern: [u8; 4]) -> Result<(), ParseError> {
        self.insert(Extent { start, len, content: Content::Filled(pattern) })
    }

    /// Takes over all ranges of `other`.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn merge(&mut self, other: Self) -> Result<(), ParseError> {
        self.extents.extend(other.extents);
        self.extents.sort_by_key(|extent| extent.start);
        for (before, after) in self.extents.iter().zip(self.extents.iter().skip(1)) {
            if before.start + before.len > after.start {
                return Err(overlap(after.start));
            }
        }
        match self.extents.last() {
            Some(last) if last.start + last.len > self.len => {
                Err(ParseError::truncated(last.start, last.len, self.len))
            }
            _ => Ok(()),
        }
    }

    /// The same map, as a source.
    #[must_use]
    pub fn shared(self) -> SharedBytes {
        std::sync::Arc::new(self)
    }

    fn insert(&mut self, extent: Extent) -> Result<(), ParseError> {
        if extent.len == 0 {
            return Ok(());
        }
        let end = extent.start.checked_add(extent.len).filter(|end| *end <= self.len);
        let end = end.ok_or_else(|| ParseError::truncated(extent.start, extent.len, self.len))?;
        let at = self.extents.partition_point(|other| other.start < extent.start);
        let before = at.checked_sub(1).and_then(|index| self.extents.get(index));
        let clear = before.is_none_or(|before| before.start + before.len <= extent.start)
            && self.extents.get(at).is_none_or(|after| end <= after.start);
        if !clear {
            return Err(overlap(extent.start));
        }
        self.extents.insert(at, extent);
        Ok(())
    }
}

fn overlap(start: u64) -> ParseError {
    ParseError::invalid(start, "range", "overlapping another", "ranges apart")
}

impl ReadAt for ExtentMap {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let wanted = buf.len() as u64;
        let Some(end) = offset.checked_add(wanted).filter(|end| *end <= self.len) else {
            return Err(ParseError::truncated(offset, wanted, self.len));
        };
        buf.fill(0);
        let first = self.extents.partition_point(|extent| extent.start + extent.len <= offset);
        for extent in self.extents.iter().skip(first).take_while(|extent| extent.start < end) {
            let from = extent.start.max(offset);
            let to = (extent.start + extent.len).min(end);
            let range = usize::try_from(from - offset).ok().zip(usize::try_from(to - offset).ok());
            let Some(target) = range.and_then(|(a, b)| buf.get_mut(a..b)) else {
                continue;
            };
            match &extent.content {
                Content::Stored { source, offset } => source.read_exact_at(offset + (from - extent.start), target)?,
                Content::Filled(pattern) => {
                    let phase = usize::try_from((from - extent.start) % 4).unwrap_or_default();
                    for (byte, value) in target.iter_mut().zip(pattern.iter().cycle().skip(phase)) {
                        *byte = *value;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn map() -> ExtentMap {
        let mut map = ExtentMap::new(20);
        map.fill(12, 6, *b"wxyz").unwrap();
        map.store(4, Arc::new(b"abcdefgh".to_vec()), 2, 4).unwrap();
        map
    }

    #[test]
    fn stored_filled_and_absent_ranges_read_as_one() {
        let mut buf = [9; 20];
        map().read_exact_at(0, &mut buf).unwrap();
        assert_eq!(&buf, b"\0\0\0\0cdef\0\0\0\0wxyzwx\0\0");
        for start in 0..20 {
            for end in start..=20 {
                let mut part = vec![9; end - start];
                map().read_exact_at(start as u64, &mut part).unwrap();
                assert_eq!(part, buf[start..end]);
            }
        }
        assert!(map().read_exact_at(19, &mut [0; 2]).is_err());
    }

    #[test]
    fn ranges_that_overlap_or_leave_the_map_are_refused() {
        assert!(map().fill(7, 1, [0; 4]).is_err());
        assert!(map().fill(3, 2, [0; 4]).is_err());
        assert!(map().fill(0, 20, [0; 4]).is_err());
        assert!(map().fill(18, 3, [0; 4]).is_err());
        assert!(map().fill(u64::MAX, 2, [0; 4]).is_err());
        assert!(map().store(0, Arc::new(vec![0; 3]), 1, 3).is_err());
        assert!(map().fill(8, 4, [1; 4]).is_ok());
        assert!(map().merge(map()).is_err());
        let mut longer = ExtentMap::new(21);
        longer.fill(20, 1, [1; 4]).unwrap();
        assert!(map().merge(longer).is_err());
    }
}
