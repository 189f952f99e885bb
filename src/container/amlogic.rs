//! Amlogic's upgrade package, versions 1 and 2 (`amlImage_if.h` of U-Boot's burning driver; `aml-imgpack`'s description).
//!
//! Little endian:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `crc` | of all that follows |
//! | 4 | 4 | `version` | 1 or 2: names of 32 or of 256 bytes |
//! | 8 | 4 | `magic` | 0x27B51956 |
//! | 12 | 8 | `imageSz` | of the whole file |
//! | 24 | 4 | `itemNum` | items, which follow at 64 |
//!
//! An item: id and file type (4 each), offset within the item, offset in the file, size (8 each), main type and sub type (names), verify
//! (4), whether it is a second name for another item's data (2), that one's id (2), 24 reserved bytes. Items of the main type `PARTITION`
//! are named by their sub type. The checksum is not looked at: it needs every byte of the file.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, le, read_vec_at};

const MAGIC: [u8; 4] = 0x27B5_1956_u32.to_le_bytes();
const HEADER: u64 = 64;
/// Amlogic's own packer ends at 32 partitions with as many checksums.
const ITEMS: u64 = 1024;

/// The format.
pub(super) struct Amlogic;

impl ContainerFormat for Amlogic {
    fn name(&self) -> &'static str {
        "amlogic"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.get(8..).is_some_and(|rest| rest.starts_with(&MAGIC))
            && matches!(le::u32(probe.head, 4), Some(1 | 2))
            && probe.len >= HEADER
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut header = [0; 64];
        source.read_exact_at(0, &mut header)?;
        let name_bytes = match le::u32(&header, 4) {
            Some(1) => 32,
            Some(2) => 256,
            other => return Err(ParseError::invalid(4, "version", other.unwrap_or_default(), "1 or 2")),
        };
        let count = le::u32(&header, 24).map_or(0, u64::from);
        if count > ITEMS {
            return Err(ParseError::limit(24, "itemNum", count, ITEMS));
        }
        let stride = 64 + 2 * name_bytes;
        let items = read_vec_at(source.as_ref(), HEADER, count * stride as u64, "items", ITEMS * 576)?;
        let mut parts = Vec::new();
        for item in items.chunks(stride) {
            let name = |at: usize| text(item.get(at..at + name_bytes).unwrap_or_default());
            let (offset, size) = (le::u64(item, 16).unwrap_or_default(), le::u64(item, 24).unwrap_or_default());
            let second = le::u16(item, 36 + 2 * name_bytes).is_some_and(|flag| flag != 0);
            if size == 0 || second {
                continue;
            }
            let (main, sub) = (name(32), name(32 + name_bytes));
            let name = if main == "PARTITION" { format!("{sub}.img") } else { format!("{sub}.{main}") };
            parts.push(Part { name, bytes: stored(source, offset, size) });
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::package(1, &[("PARTITION", "system", 0, b"system"), ("VERIFY", "system", 0, b"sha1sum")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    /// Main type, sub type, second name, data of each item.
    pub(super) fn package(version: u32, items: &[(&str, &str, u16, &[u8])]) -> Vec<u8> {
        let width = if version == 1 { 32 } else { 256 };
        let (mut table, mut body) = (Vec::new(), Vec::new());
        let data = 64 + items.len() * (64 + 2 * width);
        for (id, (main, sub, second, bytes)) in (0_u32..).zip(items) {
            table.extend([id.to_le_bytes(), [0; 4]].concat());
            for value in [0, data + body.len(), bytes.len()] {
                table.extend((value as u64).to_le_bytes());
            }
            for name in [main, sub] {
                let mut field = name.as_bytes().to_vec();
                field.resize(width, 0);
                table.extend(field);
            }
            table.extend([0; 4]);
            table.extend(second.to_le_bytes());
            table.extend([0; 26]);
            body.extend_from_slice(bytes);
        }
        let mut out = vec![9; 4];
        out.extend(version.to_le_bytes());
        out.extend(MAGIC);
        out.extend(((data + body.len()) as u64).to_le_bytes());
        out.extend(4_u32.to_le_bytes());
        out.extend(u32::try_from(items.len()).unwrap().to_le_bytes());
        out.resize(64, 0);
        [out, table, body].concat()
    }

    fn open(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "aml.img".to_owned(), bytes: Arc::new(bytes) };
        let parts = Amlogic.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 100)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn both_versions_name_partitions_by_their_sub_type() {
        for version in [1, 2] {
            let items: [(&str, &str, u16, &[u8]); 4] = [
                ("PARTITION", "vendor", 0, b"v"),
                ("USB", "DDR", 0, b"boot"),
                ("USB", "UBOOT", 1, b"x"),
                ("dtb", "m", 0, b""),
            ];
            let expected = [("vendor.img".to_owned(), b"v".to_vec()), ("DDR.USB".to_owned(), b"boot".to_vec())];
            assert_eq!(open(package(version, &items)).unwrap(), expected);
        }
    }

    #[test]
    fn counts_and_places_outside_of_the_file_are_errors() {
        let good = package(2, &[("PARTITION", "vendor", 0, b"v")]);
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            open(bytes).unwrap_err().to_string()
        };
        assert!(changed(4, 3).contains("version is 3"));
        assert!(changed(27, 0xff).contains("itemNum"));
        assert!(changed(24, 9).contains("bytes are needed here"));
        assert!(changed(64 + 16 + 7, 0xff).contains("bytes are needed here"));
    }
}
