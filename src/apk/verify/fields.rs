//! Little-endian fields and elements with a 32-bit length before them, as in the signature schemes.

use crate::bytes::le;

/// What is not yet read; `None` of a read is "too short".
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let value = le::u32(self.0, 0)?;
        self.0 = self.0.get(4..)?;
        Some(value)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.u32().map(u32::cast_signed)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        let value = le::u64(self.0, 0)?;
        self.0 = self.0.get(8..)?;
        Some(value.cast_signed())
    }

    /// The next element with a length.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let mut rest = *self;
        let length = usize::try_from(rest.u32()?).ok()?;
        let (element, behind) = rest.0.split_at_checked(length)?;
        self.0 = behind;
        Some(element)
    }

    /// The next element with a length, to read from.
    pub(super) fn prefixed(&mut self) -> Option<Self> {
        self.bytes().map(Self)
    }
}
