//! Zstandard (RFC 8878): one part, named after the file.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name};
use crate::bytes::{Budget, Codec, ParseError};

/// The format.
pub(super) struct Zstd;

impl ContainerFormat for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let bytes = Codec::Zstd.spool(input.part.bytes.clone(), &input.part.name, budget)?;
        Ok(vec![Part { name: inner_name(&input.part.name, &[".zst", ".zstd"]), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        // The command line tool's own, of 300 letters a.
        [
            0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x4d, 0x00, 0x00, 0x10, 0x61, 0x61, 0x01, 0x00, 0x27, 0x2a, 0xc0, 0x02,
            0xc7, 0xcf, 0xcf, 0xb9,
        ]
        .to_vec()
    }
}
