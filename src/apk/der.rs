//! Elements of DER and of BER with definite lengths (X.690): tag 1, length 1 to 5, contents.

use crate::bytes::ParseError;

/// A run of elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a> {
    rest: &'a [u8],
    at: u64,
}

impl<'a> Der<'a> {
    /// The elements of `raw`.
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw, at: 0 }
    }

    /// What is not yet read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Where [`Der::rest`] begins in the outermost run.
    pub(super) fn offset(&self) -> u64 {
        self.at
    }

    /// Tag of the next element.
    pub(super) fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads the next element, which must have `tag`, and gives its contents. `what` names it in errors.
    pub(super) fn enter(&mut self, tag: u8, what: &'static str) -> Result<Self, ParseError> {
        if self.tag() != Some(tag) {
            let found = self.tag().map_or_else(|| "absent".into(), |tag| format!("0x{tag:02x}"));
            return Err(ParseError::invalid(self.at, "tag", found, "that of its type").within(what));
        }
        let start = self.at;
        let whole = self.element(what)?;
        let (header, _) = lengths(whole).unwrap_or_default();
        Ok(Self { rest: whole.get(header..).unwrap_or_default(), at: start + header as u64 })
    }

    /// Reads the next element and gives its bytes with tag and length.
    pub(super) fn element(&mut self, what: &'static str) -> Result<&'a [u8], ParseError> {
        let short = |wanted: usize| {
            ParseError::truncated(self.at, wanted as u64, self.at + self.rest.len() as u64).within(what)
        };
        if self.rest.get(1) == Some(&0x80) {
            return Err(ParseError::unsupported(self.at, "BER of indefinite length").within(what));
        }
        let (header, length) = lengths(self.rest).ok_or_else(|| short(2))?;
        let whole = header.checked_add(length).ok_or_else(|| short(length))?;
        let (element, rest) = self.rest.split_at_checked(whole).ok_or_else(|| short(whole))?;
        self.rest = rest;
        self.at += whole as u64;
        Ok(element)
    }
}

/// Lengths of header and contents.
fn lengths(raw: &[u8]) -> Option<(usize, usize)> {
    let first = *raw.get(1)?;
    if first & 0x80 == 0 {
        return Some((2, first.into()));
    }
    let size = usize::from(first & 0x7f);
    let length = raw.get(2..)?.get(..size).filter(|bytes| bytes.len() <= 4)?;
    let length = length.iter().fold(0_u32, |length, &byte| length << 8 | u32::from(byte));
    Some((2 + size, usize::try_from(length).ok()?))
}
