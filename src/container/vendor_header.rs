//! Images of old Motorola and ASUS phones with a header of the vendor's before the filesystem (the rules of AndroidDumps' `extractor.sh`; no
//! public specification).
//!
//! The header begins with `MOTO` or `ASUS`; its length is not known from it: the filesystem is found by its superblock. Motorola's has 131072
//! bytes, which is tried first; then each multiple of 512 up to 1 MiB.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, ParseError, Window, read_vec_at};

const SECTOR: usize = 512;
const LONGEST: u64 = 1 << 20;
const MOTOROLA: usize = 131_072;

/// The format.
pub(super) struct VendorHeader;

impl ContainerFormat for VendorHeader {
    fn name(&self) -> &'static str {
        "vendor header"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"MOTO") || probe.head.starts_with(b"ASUS")
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let head = read_vec_at(source.as_ref(), 0, source.len().min(LONGEST + 2048), "header", LONGEST + 2048)?;
        let mut places = [MOTOROLA].into_iter().chain((SECTOR..head.len()).step_by(SECTOR));
        let start = places.find(|start| is_volume(head.get(*start..).unwrap_or_default()));
        let start =
            start.ok_or_else(|| ParseError::unsupported(0, "a vendor's header without a filesystem behind it"))?;
        let len = source.len() - start as u64;
        let bytes = Arc::new(Window::new(source.clone(), start as u64, len)?);
        Ok(vec![Part { name: input.part.name.clone(), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::image(b"ASUS", 512)
    }
}

/// Magic and block size of ext4's superblock, or EROFS's magic and block size.
fn is_volume(bytes: &[u8]) -> bool {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let small = |offset: usize, limit: u8| bytes.get(offset).is_some_and(|value| *value <= limit);
    (at(1080, &[0x53, 0xef]) && at(1049, &[0; 3]) && small(1048, 6))
        || (at(1024, &[0xe2, 0xe1, 0xf5, 0xe0]) && small(1036, 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    pub(super) fn image(magic: &[u8], start: usize) -> Vec<u8> {
        let mut out = magic.to_vec();
        out.resize(start + 1048, 0);
        out[start..start + 4].copy_from_slice(b"here");
        out.extend([2, 0, 0, 0]);
        out.resize(start + 1080, 0);
        out.extend([0x53, 0xef, 0, 0]);
        out
    }

    #[test]
    fn the_filesystem_behind_the_header_is_the_part() {
        for (magic, start) in [(b"MOTO", MOTOROLA), (b"ASUS", 4096), (b"MOTO", 1 << 20)] {
            let part = Part { name: "system.img".to_owned(), bytes: Arc::new(image(magic, start)) };
            let set = PartSet { part: &part, siblings: &[] };
            let parts = VendorHeader.open(&set, &Budget::new(Limits::default())).unwrap();
            let mut found = [0; 4];
            parts[0].bytes.read_exact_at(0, &mut found).unwrap();
            assert_eq!((&found, parts[0].bytes.len()), (b"here", 1084));
        }
        let part = Part { name: "a".to_owned(), bytes: Arc::new(image(b"MOTO", 600)) };
        let error = VendorHeader.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()));
        assert!(error.err().unwrap().to_string().contains("without a filesystem"));
    }
}
