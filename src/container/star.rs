//! Motorola's bundles of images, `SINGLE_N_LONELY` (the description of `star`, a "single image tar", and of `bfforge`).
//!
//! Behind 256 bytes that begin with the magic, each file: name (248 bytes), length (8 bytes, little endian), content, zeros up to a multiple of
//! 4096 bytes of content. A file named `LONELY_N_SINGLE` ends the bundle.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, le};

const MAGIC: &[u8] = b"SINGLE_N_LONELY\0";
const HEADER: u64 = 256;
const PADDING: u64 = 4096;

/// The format.
pub(super) struct Star;

impl ContainerFormat for Star {
    fn name(&self) -> &'static str {
        "star"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(MAGIC)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut parts = Vec::new();
        let mut at = HEADER;
        loop {
            let mut header = [0; 256];
            source.read_exact_at(at, &mut header)?;
            let name = text(header.get(..248).unwrap_or_default());
            if name == "LONELY_N_SINGLE" {
                return Ok(parts);
            }
            if parts.len() as u64 >= budget.limits.parts {
                return Err(ParseError::limit(at, "files", parts.len() as u64 + 1, budget.limits.parts));
            }
            let len = le::u64(&header, 248).unwrap_or_default();
            let data = at + HEADER;
            let end = len.checked_next_multiple_of(PADDING).and_then(|padded| data.checked_add(padded));
            let end = end.ok_or_else(|| ParseError::invalid(at + 248, "size", len, "less than 16 EiB"))?;
            parts.push(Part { name, bytes: stored(source, data, len) });
            at = end;
        }
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::bundle(&[("fsg.mbn", b"fsg"), ("NON-HLOS.bin", b"modem")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    pub(super) fn bundle(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (name, data) in files.iter().chain([&("LONELY_N_SINGLE", &b""[..])]) {
            out.resize(out.len().next_multiple_of(256), 0);
            let header = out.len();
            out.extend(name.as_bytes());
            out.resize(header + 248, 0);
            out.extend((data.len() as u64).to_le_bytes());
            out.extend(*data);
            out.resize(header + 256 + data.len().next_multiple_of(4096), 0);
        }
        out
    }

    #[test]
    fn a_length_that_leads_past_the_end_is_an_error() {
        let open = |bytes: Vec<u8>| {
            let part = Part { name: "radio.img".to_owned(), bytes: Arc::new(bytes) };
            Star.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))
        };
        let names: Vec<_> = open(Star.sample()).unwrap().into_iter().map(|part| part.name).collect();
        assert_eq!(names, ["fsg.mbn", "NON-HLOS.bin"]);
        let mut long = Star.sample();
        long[256 + 248 + 3] = 1;
        assert!(open(long.clone()).err().unwrap().to_string().contains("bytes are needed here"));
        long[256 + 248..512].fill(0xff);
        assert!(open(long).err().unwrap().to_string().contains("size is 18446744073709551615"));
    }
}
