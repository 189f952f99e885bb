//! gzip (RFC 1952): one part, named after the file.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, Inflate, ParseError};

/// The format.
pub(super) struct Gzip;

impl ContainerFormat for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(&[0x1f, 0x8b, 8])
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let stream = Inflate::gzip(input.part.bytes.clone(), budget.clone())?;
        Ok(vec![Part { name: inner_name(&input.part.name), bytes: Arc::new(stream) }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::GzBuilder::new().filename("a").write(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[b'a'; 300]).unwrap();
        encoder.finish().unwrap()
    }
}

fn inner_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, "gz" | "GZ")) => stem.to_owned(),
        Some((stem, "tgz" | "TGZ")) => format!("{stem}.tar"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_named_without_the_suffix() {
        assert_eq!(inner_name("system.img.gz"), "system.img");
        assert_eq!(inner_name("rom.tgz"), "rom.tar");
        assert_eq!(inner_name("system.img"), "system.img");
    }
}
