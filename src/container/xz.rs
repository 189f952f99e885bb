//! xz (`xz-file-format.txt` 1.2.1): one part, named after the file. Several blocks are read block by block, a single one from the front.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name};
use crate::bytes::{Budget, Codec, ParseError};

/// The format.
pub(super) struct Xz;

impl ContainerFormat for Xz {
    fn name(&self) -> &'static str {
        "xz"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"\xfd7zXZ\0")
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let bytes = Codec::Xz.spool(input.part.bytes.clone(), &input.part.name, budget)?;
        Ok(vec![Part { name: inner_name(&input.part.name, &[".xz"]), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        // The command line tool's own, of 300 letters a.
        [
            0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
            0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x01, 0x2b, 0x00, 0x08, 0x5d, 0x00, 0x30, 0xef, 0xfb, 0xb7, 0xbf,
            0xee, 0x00, 0x00, 0x00, 0x09, 0x19, 0x97, 0x89, 0x00, 0x01, 0x20, 0xac, 0x02, 0x00, 0x00, 0x00, 0xf7, 0x6b,
            0x27, 0xdb, 0x3e, 0x30, 0x0d, 0x8b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
        ]
        .to_vec()
    }
}
