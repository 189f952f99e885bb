//! Boot images and vendor boot images (AOSP `system/tools/mkbootimg/include/bootimg/bootimg.h`, versions 0 to 4): their ramdisks.
//!
//! Little endian. All that follows the header stands on multiples of the page, in the order kernel, ramdisk; for a vendor boot image: ramdisk,
//! device tree, table.
//!
//! | image | magic | version at | page at | kernel, ramdisk |
//! |---|---|---|---|---|
//! | boot 0 to 2 | `ANDROID!` | 40 | 36 | lengths at 8 and 16 |
//! | boot 3, 4 | `ANDROID!` | 40 | 4096 bytes | lengths at 8 and 12 |
//! | vendor boot 3, 4 | `VNDRBOOT` | 8 | 12 | length of the ramdisk at 24 |
//!
//! Version 4 of a vendor boot image has several ramdisks one after another: length of the header at 2096, of the device tree at 2100, entries
//! of the table at 2116, bytes of one at 2120. An entry: length and offset of the ramdisk (4 each), type (4), name (32). Kernels are no parts.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, SharedBytes, le, read_vec_at};

/// Pages of real images have 2 to 16 KiB.
const PAGE: std::ops::RangeInclusive<u64> = 512..=1 << 20;
/// Real images have below ten.
const RAMDISKS: u64 = 64;
/// The longest fixed header, that of a vendor boot image of version 4.
const HEADER: u64 = 2128;

/// The format.
pub(super) struct Boot;

impl ContainerFormat for Boot {
    fn name(&self) -> &'static str {
        "boot"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"ANDROID!") || probe.head.starts_with(b"VNDRBOOT")
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let header = read_vec_at(source.as_ref(), 0, source.len().min(HEADER), "header", HEADER)?;
        let word = |at| {
            let missing = || ParseError::truncated(at as u64, 4, source.len());
            le::u32(&header, at).map(u64::from).ok_or_else(missing)
        };
        let page = |at| match word(at)? {
            page if page.is_power_of_two() && PAGE.contains(&page) => Ok(page),
            page => Err(ParseError::invalid(at as u64, "page_size", page, "a power of two, 512 to 1048576")),
        };
        if header.starts_with(b"VNDRBOOT") {
            return match word(8)? {
                3 | 4 => vendor(source, &word, page(12)?),
                version => Err(ParseError::invalid(8, "header_version", version, "3 or 4")),
            };
        }
        // Old images have the length of a device tree here.
        let (page, ramdisk) = match word(40)? {
            3 | 4 => (4096, word(12)?),
            _ => (page(36)?, word(16)?),
        };
        let kernel = word(8)?.next_multiple_of(page);
        let bytes = stored(source, page + kernel, ramdisk);
        Ok(if ramdisk == 0 { Vec::new() } else { vec![Part { name: "ramdisk".to_owned(), bytes }] })
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::vendor_boot(&[("", b"first"), ("dlkm", b"second")])
    }
}

fn vendor(
    source: &SharedBytes,
    word: &dyn Fn(usize) -> Result<u64, ParseError>,
    page: u64,
) -> Result<Vec<Part>, ParseError> {
    let ramdisks = word(24)?;
    let start = word(2096)?.next_multiple_of(page);
    let count = if word(8)? == 4 { word(2116)? } else { 0 };
    if count == 0 {
        let bytes = stored(source, start, ramdisks);
        return Ok(if ramdisks == 0 { Vec::new() } else { vec![Part { name: "ramdisk".to_owned(), bytes }] });
    }
    if count > RAMDISKS {
        return Err(ParseError::limit(2116, "vendor_ramdisk_table_entry_num", count, RAMDISKS));
    }
    let stride = word(2120)?;
    if !(44..=4096).contains(&stride) {
        return Err(ParseError::invalid(2120, "vendor_ramdisk_table_entry_size", stride, "44 to 4096"));
    }
    let at = start + ramdisks.next_multiple_of(page) + word(2100)?.next_multiple_of(page);
    let table = read_vec_at(source.as_ref(), at, count * stride, "ramdisk table", RAMDISKS * 4096)?;
    let mut parts = Vec::new();
    for (number, entry) in table.chunks(usize::try_from(stride).unwrap_or(108)).enumerate() {
        let word = |at| le::u32(entry, at).map_or(0, u64::from);
        let (len, offset) = (word(0), word(4));
        if offset + len > ramdisks {
            return Err(ParseError::invalid(at, "ramdisk_offset", offset, "a place within the ramdisks"));
        }
        let name = match text(entry.get(12..44).unwrap_or_default()) {
            name if name.is_empty() => format!("ramdisk{number}"),
            name => format!("ramdisk-{name}"),
        };
        if len > 0 {
            parts.push(Part { name, bytes: stored(source, start + offset, len) });
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    /// Pages of 512 bytes, a device tree of three bytes.
    pub(super) fn vendor_boot(ramdisks: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = b"VNDRBOOT".to_vec();
        let (mut body, mut table) = (Vec::new(), Vec::new());
        for (name, data) in ramdisks {
            for value in [data.len(), body.len(), 1] {
                table.extend(u32::try_from(value).unwrap().to_le_bytes());
            }
            table.extend(name.as_bytes());
            table.resize(table.len().next_multiple_of(108), 0);
            body.extend_from_slice(data);
        }
        let total = u32::try_from(body.len()).unwrap();
        for value in [4, 512, 0, 0, total] {
            out.extend(value.to_le_bytes());
        }
        out.resize(2096, 0);
        let count = u32::try_from(ramdisks.len()).unwrap();
        for value in [2128_u32, 3, 0, 0, count * 108, count, 108, 0] {
            out.extend(value.to_le_bytes());
        }
        for section in [body, b"dtb".to_vec(), table] {
            out.resize(out.len().next_multiple_of(512), 0);
            out.extend(section);
        }
        out
    }

    fn boot(version: u32) -> Vec<u8> {
        let mut out = b"ANDROID!".to_vec();
        let fields =
            if version < 3 { [600, 0, 4, 0, 0, 0, 0, 1024, version] } else { [600, 4, 0, 0, 0, 0, 0, 0, version] };
        out.extend(fields.iter().flat_map(|field: &u32| field.to_le_bytes()));
        let page = if version < 3 { 1024 } else { 4096 };
        out.resize(page, 0);
        out.resize(2 * page, b'k');
        out.extend(b"disk");
        out
    }

    fn open(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "boot.img".to_owned(), bytes: Arc::new(bytes) };
        let parts = Boot.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 100)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn the_ramdisk_stands_behind_the_kernel_in_every_version() {
        for version in 0..=4 {
            assert_eq!(open(boot(version)).unwrap(), [("ramdisk".to_owned(), b"disk".to_vec())], "{version}");
        }
    }

    #[test]
    fn a_vendor_boot_image_has_the_ramdisks_of_its_table() {
        let expected = [("ramdisk0".to_owned(), b"first".to_vec()), ("ramdisk-dlkm".to_owned(), b"second".to_vec())];
        assert_eq!(open(Boot.sample()).unwrap(), expected);
        let mut third = Boot.sample();
        third[8] = 3;
        assert_eq!(open(third).unwrap(), [("ramdisk".to_owned(), b"firstsecond".to_vec())]);
    }

    #[test]
    fn fields_that_can_not_be_are_errors() {
        let changed = |bytes: Vec<u8>, at: usize, value: &[u8]| {
            let mut bytes = bytes;
            bytes[at..at + value.len()].copy_from_slice(value);
            open(bytes).unwrap_err().to_string()
        };
        assert!(changed(boot(0), 36, &[0; 4]).contains("page_size is 0"));
        assert!(changed(Boot.sample(), 8, &[5]).contains("header_version is 5"));
        assert!(changed(Boot.sample(), 2119, &[1]).contains("entry_num"));
        assert!(changed(Boot.sample(), 2120, &[1]).contains("entry_size is 1"));
        assert!(changed(Boot.sample(), 24, &[4]).contains("ramdisk_offset"));
        assert!(changed(boot(4), 12, &[9]).contains("bytes are needed here"));
    }
}
