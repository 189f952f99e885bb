//! A source as a stream, for parsers that want one.

use std::io::{self, Read, Seek, SeekFrom};

use super::{ErrorKind, ParseError, SharedBytes};

/// A position in a source, with the standard library's `Read` and `Seek`.
pub struct Cursor {
    source: SharedBytes,
    position: u64,
}

impl Cursor {
    /// The beginning of `source`.
    #[must_use]
    pub fn new(source: SharedBytes) -> Self {
        Self { source, position: 0 }
    }
}

impl Read for Cursor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let rest = self.source.len().saturating_sub(self.position);
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        let target = buf.get_mut(..count).unwrap_or_default();
        self.source.read_exact_at(self.position, target).map_err(io::Error::other)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => self.source.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// The error of a stream made by [`Cursor`], with the source's own error where it was one.
#[must_use]
pub fn stream_error(error: io::Error) -> ParseError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ParseError>()) {
        Some(inner) => inner.clone(),
        None => ParseError::new(0, ErrorKind::Io(std::sync::Arc::new(error))),
    }
}
