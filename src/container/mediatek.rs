//! MediaTek's signed images, `*-sign.img` (the rules of AndroidDumps' `extractor.sh`; no public specification).
//!
//! | magic | payload |
//! |---|---|
//! | `SSSS` | at 64, its length in four bytes, little endian, at 60 |
//! | `BFBF` | from 0x4040 to the end |
//!
//! The signature is not looked at.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, ParseError, Window};

/// The format.
pub(super) struct MediaTek;

impl ContainerFormat for MediaTek {
    fn name(&self) -> &'static str {
        "mediatek signed image"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"SSSS") || probe.head.starts_with(b"BFBF")
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut magic = [0; 4];
        source.read_exact_at(0, &mut magic)?;
        let (start, len) = if magic == *b"SSSS" {
            let mut len = [0; 4];
            source.read_exact_at(60, &mut len)?;
            (64, u64::from(u32::from_le_bytes(len)))
        } else {
            (0x4040, source.len().saturating_sub(0x4040))
        };
        if len == 0 {
            return Err(ParseError::invalid(0, "length of the payload", 0, "one or more"));
        }
        let bytes = Arc::new(Window::new(source.clone(), start, len)?);
        Ok(vec![Part { name: input.part.name.clone(), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        let mut out = b"SSSS".to_vec();
        out.resize(60, 9);
        out.extend(7_u32.to_le_bytes());
        out.extend(b"payload and signature");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Limits, read_vec_at};

    fn open(bytes: Vec<u8>) -> Result<Vec<u8>, ParseError> {
        let part = Part { name: "system-sign.img".to_owned(), bytes: Arc::new(bytes) };
        let parts = MediaTek.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        assert_eq!(parts[0].name, "system-sign.img");
        read_vec_at(parts[0].bytes.as_ref(), 0, parts[0].bytes.len(), "all", 100)
    }

    #[test]
    fn the_payload_ends_where_its_length_says_or_with_the_file() {
        assert_eq!(open(MediaTek.sample()).unwrap(), b"payload");
        let mut other = b"BFBF".to_vec();
        other.resize(0x4040, 1);
        assert!(open(other.clone()).is_err());
        other.extend(b"payload");
        assert_eq!(open(other).unwrap(), b"payload");
        let mut long = MediaTek.sample();
        long[61] = 1;
        assert!(open(long).unwrap_err().to_string().contains("263 bytes are needed here"));
    }
}
