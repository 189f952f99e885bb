//! A brotli stream (RFC 7932) on its own: one part, named after the file. The format has no magic number: only the name says so.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name};
use crate::bytes::{Budget, Codec, ParseError};

const END: &str = ".br";

/// The format.
pub(super) struct Brotli;

impl ContainerFormat for Brotli {
    fn name(&self) -> &'static str {
        "brotli"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.name.to_ascii_lowercase().ends_with(END)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let bytes = Codec::Brotli.spool(input.part.bytes.clone(), &input.part.name, budget)?;
        Ok(vec![Part { name: inner_name(&input.part.name, &[END]), bytes }])
    }

    #[cfg(test)]
    fn sample_name(&self) -> &'static str {
        "sample.br"
    }

    /// A stored meta-block of 11 bytes and an empty last one.
    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        [&[0x0b, 0x05, 0x80][..], b"hello world", &[0x03]].concat()
    }
}
