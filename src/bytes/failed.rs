//! A source that is known to exist and can't be read.

use super::{ParseError, ReadAt};

/// Every read fails with the same error: a part whose container is cut off, encrypted or compressed in an unknown way.
pub struct Failed {
    len: u64,
    error: ParseError,
}

impl Failed {
    /// A source of `len` bytes that fails with `error`.
    #[must_use]
    pub fn new(len: u64, error: ParseError) -> Self {
        Self { len, error }
    }
}

impl ReadAt for Failed {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, _offset: u64, _buf: &mut [u8]) -> Result<(), ParseError> {
        Err(self.error.clone())
    }
}
