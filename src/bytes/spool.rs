//! Temporary files of the host.

use std::sync::Arc;

use super::{Budget, FileBytes, ParseError, ReadAt, SharedBytes};

/// Runs of zeros of this length are not written.
const HOLE: usize = 4096;

/// A temporary file without a name: it is gone with the program, whatever ends that. What is written counts against
/// [`super::Limits::spill`].
pub struct Spool {
    file: FileBytes,
    budget: Arc<Budget>,
}

impl Spool {
    /// An empty file in the host's folder for temporary files.
    ///
    /// # Errors
    /// [`super::ErrorKind::Io`] when the host refuses it.
    pub fn new(budget: &Arc<Budget>) -> Result<Self, ParseError> {
        let file = tempfile::tempfile().map_err(|error| refused(0, error))?;
        Ok(Self { file: FileBytes::new(file, u64::MAX), budget: budget.clone() })
    }

    /// Writes bytes to a place where nothing was written before.
    ///
    /// # Errors
    /// [`super::ErrorKind::LimitExceeded`] when the target's files are too long, [`super::ErrorKind::Io`] when the host refuses.
    pub fn write_at(&self, mut offset: u64, bytes: &[u8]) -> Result<(), ParseError> {
        for piece in bytes.chunks(HOLE) {
            if piece.iter().any(|byte| *byte != 0) {
                self.budget.spend_spooled(piece.len() as u64)?;
                self.file.write_all_at(offset, piece).map_err(|error| refused(offset, error))?;
            }
            offset = offset.saturating_add(piece.len() as u64);
        }
        Ok(())
    }

    /// Fills `buf` with what was written; zeros where nothing was.
    ///
    /// # Errors
    /// What the host reports.
    pub fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.file.read_exact_at(offset, buf)
    }

    /// The first `len` bytes of the file can be read from now on, written or not.
    ///
    /// # Errors
    /// [`super::ErrorKind::Io`] when the host refuses.
    pub fn extend(&self, len: u64) -> Result<(), ParseError> {
        self.file.set_len(len).map_err(|error| refused(len, error))
    }

    /// The file as a source of `len` bytes.
    ///
    /// # Errors
    /// [`super::ErrorKind::Io`] when the host refuses.
    pub fn finish(self, len: u64) -> Result<SharedBytes, ParseError> {
        self.extend(len)?;
        Ok(Arc::new(self.file.cut(len)))
    }
}

fn refused(offset: u64, error: std::io::Error) -> ParseError {
    ParseError::io(offset, error).within("temporary file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    #[test]
    fn zeros_cost_nothing_and_the_rest_counts_against_the_limit() {
        let budget = Budget::new(Limits { spill: 3 * 4096, ..Limits::default() });
        let spool = Spool::new(&budget).unwrap();
        spool.write_at(1 << 30, &[7; 4096]).unwrap();
        spool.write_at(0, &vec![0; 1 << 20]).unwrap();
        spool.write_at(1 << 20, &[8; 4097]).unwrap();
        assert_eq!(budget.spooled(), 2 * 4096 + 1);
        let error = spool.write_at(2 << 20, &[9; 4096]).unwrap_err().to_string();
        assert!(error.contains("bytes in temporary files is 12289, the limit is 12288"), "{error}");
        let source = spool.finish(2 << 30).unwrap();
        let mut buf = [1; 3];
        for (at, expected) in [((1 << 30) - 1, [0, 7, 7]), ((1 << 20) - 1, [0, 8, 8]), ((2 << 30) - 3, [0; 3])] {
            source.read_exact_at(at, &mut buf).unwrap();
            assert_eq!(buf, expected, "{at}");
        }
        assert!(source.read_exact_at(2 << 30, &mut [0]).is_err());
    }
}
