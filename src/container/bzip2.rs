//! bzip2: one part, named after the file.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name};
use crate::bytes::{Budget, Codec, ParseError};

/// The format.
pub(super) struct Bzip2;

impl ContainerFormat for Bzip2 {
    fn name(&self) -> &'static str {
        "bzip2"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"BZh") && probe.head.get(4..10) == Some(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let bytes = Codec::Bzip2.spool(input.part.bytes.clone(), &input.part.name, budget)?;
        Ok(vec![Part { name: inner_name(&input.part.name, &[".bz2"]), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        // The command line tool's own, of 300 letters a.
        [
            0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xa7, 0x4a, 0xe1, 0x1b, 0x00, 0x00, 0x02, 0x91,
            0x00, 0x80, 0x20, 0x20, 0x00, 0x00, 0x08, 0x20, 0x00, 0x20, 0xaa, 0x6d, 0x41, 0x98, 0xc5, 0x47, 0x8b, 0xb9,
            0x22, 0x9c, 0x28, 0x48, 0x53, 0xa5, 0x70, 0x8d, 0x80,
        ]
        .to_vec()
    }
}
