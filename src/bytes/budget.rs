//! What one target may cost, and what it has cost so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Limits, ParseError, ReadAt, SharedBytes};

/// The [`Limits`] of one target with its counters. Shared by everything that reads the target.
#[derive(Debug, Default)]
pub struct Budget {
    /// The limits that hold.
    pub limits: Limits,
    read: AtomicU64,
    decompressed: AtomicU64,
}

impl Budget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, ..Self::default() })
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

    /// Counts `bytes` that a decoder put out.
    ///
    /// # Errors
    /// [`super::ErrorKind::LimitExceeded`] when the target has used up [`Limits::decompressed`].
    pub fn spend_decompressed(&self, bytes: u64) -> Result<(), ParseError> {
        let spent = self.decompressed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if spent > self.limits.decompressed {
            return Err(ParseError::limit(0, "decompressed bytes", spent, self.limits.decompressed));
        }
        Ok(())
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
        let budget = Budget::new(Limits { decompressed: 10, ..Limits::default() });
        budget.spend_decompressed(10).unwrap();
        let error = budget.spend_decompressed(1).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: decompressed bytes is 11, the limit is 10");
    }
}
