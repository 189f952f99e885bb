//! A part of a source.

use super::{ParseError, ReadAt, SharedBytes, within};

/// The bytes `start..start + len` of another source.
#[derive(Clone)]
pub struct Window {
    source: SharedBytes,
    start: u64,
    len: u64,
}

impl Window {
    /// A window that lies within `source`.
    ///
    /// # Errors
    /// [`super::ErrorKind::Truncated`] when it does not.
    pub fn new(source: SharedBytes, start: u64, len: u64) -> Result<Self, ParseError> {
        within(source.len(), start, len)?;
        Ok(Self { source, start, len })
    }
}

impl ReadAt for Window {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        self.source.read_exact_at(self.start + offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_window_ends_where_it_was_told_to() {
        let source: SharedBytes = Arc::new(vec![0_u8, 1, 2, 3, 4]);
        let window = Window::new(source, 1, 3).unwrap();
        let mut buf = [0; 3];
        window.read_exact_at(0, &mut buf).unwrap();
        assert_eq!(buf, [1, 2, 3]);
        assert!(window.read_exact_at(1, &mut buf).is_err());
    }

    #[test]
    fn a_window_outside_its_source_is_refused() {
        let source: SharedBytes = Arc::new(vec![0_u8; 4]);
        assert!(Window::new(source.clone(), 2, 3).is_err());
        assert!(Window::new(source, u64::MAX, 2).is_err());
    }
}
