//! A package file that is read in many small pieces: each page of it is fetched once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{ParseError, ReadAt, SharedBytes, read_vec_at};

/// What systems read from a disk at least.
const PAGE: usize = 4096;
/// Files up to here are read at once, which costs less than their pages.
const SMALL: u64 = 32 << 10;
/// Pages that are fetched at once where the one before was wanted too: chunks of a resource table are found one behind the
/// other.
const AHEAD: usize = 4;
/// Pages that are kept: 1 MiB. Facts of a package of some hundred MiB touch some thirty.
const MAX_PAGES: usize = 256;

/// A source behind its pages.
pub(super) struct Paged {
    source: SharedBytes,
    pages: Mutex<BTreeMap<u64, Box<[u8]>>>,
}

impl Paged {
    /// The source behind its pages; one that is small is read at once.
    pub(super) fn open(source: &SharedBytes) -> SharedBytes {
        let whole = || read_vec_at(source.as_ref(), 0, source.len(), "bytes of a small package file", SMALL).ok();
        // Of one that can't be read in whole, parts may be.
        match Some(source.len()).filter(|&length| length <= SMALL).and_then(|_| whole()) {
            Some(bytes) => Arc::new(bytes),
            None => Arc::new(Self { source: source.clone(), pages: Mutex::default() }),
        }
    }

    fn fetch(&self, number: u64, pages: &mut BTreeMap<u64, Box<[u8]>>) -> Result<(), ParseError> {
        let follows = number.checked_sub(1).is_some_and(|before| pages.contains_key(&before));
        if pages.len() + AHEAD > MAX_PAGES {
            pages.clear();
        }
        let start = number * PAGE as u64;
        let read = |count: usize| {
            let length = self.source.len().saturating_sub(start).min((count * PAGE) as u64);
            read_vec_at(self.source.as_ref(), start, length, "bytes of pages", (AHEAD * PAGE) as u64)
        };
        if let Some(Ok(fetched)) = follows.then(|| read(AHEAD)) {
            pages.extend((number..).zip(fetched.chunks(PAGE).map(Box::from)));
        } else {
            pages.insert(number, read(1)?.into_boxed_slice());
        }
        Ok(())
    }
}

impl ReadAt for Paged {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let end = offset.checked_add(buf.len() as u64).filter(|&end| end <= self.len());
        let Some(end) = end.filter(|_| buf.len() <= PAGE) else { return self.source.read_exact_at(offset, buf) };
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut at, mut rest) = (offset, buf);
        while at < end {
            let number = at / PAGE as u64;
            // Of a page that can't be read in whole, what is asked for may be.
            if !pages.contains_key(&number) && self.fetch(number, &mut pages).is_err() {
                return self.source.read_exact_at(at, rest);
            }
            let page = pages.get(&number).map(Box::as_ref).unwrap_or_default();
            let within = usize::try_from(at % PAGE as u64).unwrap_or_default();
            let part = page.get(within..).unwrap_or_default();
            if part.is_empty() {
                return self.source.read_exact_at(at, rest);
            }
            let (now, later) = rest.split_at_mut(part.len().min(rest.len()));
            now.copy_from_slice(part.get(..now.len()).unwrap_or_default());
            at += now.len() as u64;
            rest = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_reads_as_from_the_source_and_none_past_the_end() {
        for pages in [3, 9, 300] {
            reads_as_its_source(PAGE * pages + 100);
        }
    }

    fn reads_as_its_source(length: usize) {
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(length).collect();
        let source: SharedBytes = Arc::new(bytes.clone());
        let paged = Paged::open(&source);
        let pages = (0..length / PAGE).map(|number| number * PAGE);
        for start in [0, 1, PAGE - 1, PAGE, PAGE * 2 + 7, PAGE * 3 + 99].into_iter().chain(pages) {
            for length in [0, 1, 2, 100, PAGE, PAGE + 1, bytes.len()] {
                let mut buf = vec![0; length];
                let expected = bytes.get(start..start + length);
                let read = paged.read_exact_at(start as u64, &mut buf);
                assert_eq!(read.is_ok(), expected.is_some(), "{start} {length}");
                assert!(expected.is_none_or(|expected| expected == buf), "{start} {length}");
            }
        }
        assert!(paged.read_exact_at(u64::MAX, &mut [0; 2]).is_err());
    }
}
