//! Rockchip's firmware images: `RKFW`, which has a loader and an image, and `RKAF`, the image with its partitions (`rkafp.h` and `rkrom.h`
//! of `rockchip-mkbootimg`, `afptool`).
//!
//! Little endian. `RKFW`:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `head_code` | `RKFW` |
//! | 4 | 2 | `head_len` | 102 |
//! | 25 | 4 + 4 | loader | offset, length |
//! | 33 | 4 + 4 | image | offset, length modulo 2^32 |
//!
//! `RKAF`: the number of parts stands at 136, the parts at 140, 112 bytes each:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 32 | `name` | the partition |
//! | 32 | 60 | `filename` | `RESERVED` or `SELF` for one without data |
//! | 92 | 4 | `nand_size` | sectors of the partition, all ones for the rest of the disk |
//! | 96 | 4 | `pos` | offset in the image, modulo 2^32 |
//! | 104 | 4 | `padded_size` | length with padding, modulo 2^32 |
//! | 108 | 4 | `size` | length, modulo 2^32 |
//!
//! Numbers that 32 bits can't hold have lost their upper half. Parts stand in the order of their entries, so that a lower offset than
//! the one before has wrapped. What the file is longer than its parts by belongs to the largest partition that has room for it; a length is
//! the largest that ends where the next part begins or before. Checksums are not looked at.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, le, read_vec_at};

const WRAP: u64 = 1 << 32;
const TABLE: u64 = 140;
const STRIDE: u64 = 112;
/// Headers of 2 KiB have room for 16, those of 4 KiB for 35.
const PARTS: u64 = 512;

/// The outer format.
pub(super) struct Rkfw;

impl ContainerFormat for Rkfw {
    fn name(&self) -> &'static str {
        "rkfw"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"RKFW")
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut header = [0; 41];
        source.read_exact_at(0, &mut header)?;
        let word = |at| le::u32(&header, at).map_or(0, u64::from);
        let (start, len) = (word(33), word(37));
        if start < 41 {
            return Err(ParseError::invalid(33, "image_offset", start, "a place behind the header"));
        }
        let image = stored(source, start, recovered(len, source.len().saturating_sub(start)));
        let mut parts = vec![Part { name: "update.img".to_owned(), bytes: image }];
        if word(29) > 0 {
            parts.push(Part { name: "loader.bin".to_owned(), bytes: stored(source, word(25), word(29)) });
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::outer(b"BOOT", &Rkaf.sample())
    }
}

/// The inner format.
pub(super) struct Rkaf;

impl ContainerFormat for Rkaf {
    fn name(&self) -> &'static str {
        "rkaf"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"RKAF")
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut count = [0; 4];
        source.read_exact_at(136, &mut count)?;
        let count = u64::from(u32::from_le_bytes(count));
        if count > PARTS {
            return Err(ParseError::limit(136, "num_parts", count, PARTS));
        }
        let table = read_vec_at(source.as_ref(), TABLE, count * STRIDE, "parts", PARTS * STRIDE)?;
        let mut found: Vec<Entry> = Vec::new();
        for entry in table.chunks(usize::try_from(STRIDE).unwrap_or(1)) {
            let word = |at| le::u32(entry, at).map_or(0, u64::from);
            let file = text(entry.get(32..92).unwrap_or_default());
            if ["RESERVED", "SELF"].contains(&file.as_str()) || (word(104), word(108)) == (0, 0) {
                continue;
            }
            let before = found.last().map_or(0, |other| other.start);
            let mut start = before / WRAP * WRAP + word(96);
            // A file that two partitions share stands where it stood.
            if start < before && !found.iter().any(|other| other.start == start) {
                start += WRAP;
            }
            let name = text(entry.get(..32).unwrap_or_default());
            found.push(Entry { name, start, len: word(108), sectors: word(92) });
        }
        place(&mut found, source.len());
        let mut parts = Vec::new();
        for Entry { name, start, len, .. } in &found {
            let end = found.iter().map(|other| other.start).filter(|other| other > start).min();
            let room = end.unwrap_or(source.len()).saturating_sub(*start);
            parts.push(Part { name: format!("{name}.img"), bytes: stored(source, *start, recovered(*len, room)) });
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::inner(&[("package-file", "package-file", b"text"), ("system", "Image/system.img", b"system")])
    }
}

struct Entry {
    name: String,
    start: u64,
    len: u64,
    sectors: u64,
}

/// Moves the parts behind the one that is longer than 32 bits can say.
fn place(found: &mut [Entry], len: u64) {
    let end = found.iter().map(|entry| entry.start + entry.len).max().unwrap_or(len);
    let extra = len.saturating_sub(end) / WRAP * WRAP;
    let fits = |entry: &Entry| entry.sectors < u64::from(u32::MAX) && entry.sectors * 512 >= entry.len + extra;
    let longest = found.iter().filter(|entry| fits(entry)).max_by_key(|entry| entry.sectors);
    let Some(start) = longest.map(|entry| entry.start).filter(|_| extra > 0) else {
        return;
    };
    found.iter_mut().filter(|entry| entry.start > start).for_each(|entry| entry.start += extra);
}

/// The largest length with these lower 32 bits that is no more than `room`; the bits themselves where there is none.
fn recovered(stored: u64, room: u64) -> u64 {
    stored + room.saturating_sub(stored) / WRAP * WRAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{ExtentMap, Limits, SharedBytes};

    pub(super) fn outer(loader: &[u8], image: &[u8]) -> Vec<u8> {
        let mut out = b"RKFW\x66\0".to_vec();
        out.resize(25, 1);
        let start = 102 + loader.len();
        for value in [102, loader.len(), start, image.len()] {
            out.extend(u32::try_from(value).unwrap().to_le_bytes());
        }
        out.resize(102, 0);
        [out, loader.to_vec(), image.to_vec()].concat()
    }

    fn header(count: usize) -> Vec<u8> {
        let mut out = b"RKAF".to_vec();
        out.resize(136, 0);
        out.extend(u32::try_from(count).unwrap().to_le_bytes());
        out
    }

    /// Position and length as they are, with more than 32 bits.
    fn entry(name: &str, file: &str, start: u64, len: u64) -> Vec<u8> {
        let mut out = name.as_bytes().to_vec();
        out.resize(32, 0);
        out.extend(file.as_bytes());
        out.resize(92, 0);
        for value in [len.div_ceil(512), start, 0, len.next_multiple_of(2048), len] {
            out.extend(u32::try_from(value & 0xffff_ffff).unwrap().to_le_bytes());
        }
        out
    }

    pub(super) fn inner(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
        let (mut out, mut body) = (header(parts.len()), Vec::new());
        for (name, file, data) in parts {
            out.extend(entry(name, file, (512 + body.len()) as u64, data.len() as u64));
            body.extend_from_slice(data);
        }
        out.resize(512, 0);
        [out, body].concat()
    }

    fn open(bytes: SharedBytes) -> Result<Vec<(String, u64)>, ParseError> {
        let part = Part { name: "update.img".to_owned(), bytes };
        let parts = Rkaf.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        Ok(parts.into_iter().map(|part| (part.name, part.bytes.len())).collect())
    }

    #[test]
    fn partitions_without_data_are_none() {
        let parts: [(&str, &str, &[u8]); 3] =
            [("vendor", "Image/vendor.img", b"v"), ("backup", "RESERVED", b"x"), ("misc", "Image/misc.img", b"")];
        assert_eq!(open(Arc::new(inner(&parts))).unwrap(), [("vendor.img".to_owned(), 1)]);
    }

    #[test]
    fn offsets_and_lengths_that_wrapped_are_recovered() {
        // The next offset is lower than the one before it, or it is not.
        for len in [WRAP - 5000, WRAP + 100, 2 * WRAP + 100] {
            let second = 2048 + len.next_multiple_of(2048);
            let mut start = header(3);
            start.extend(entry("super", "super.img", 2048, len));
            start.extend(entry("vendor", "vendor.img", second, 300));
            start.extend(entry("odm", "odm.img", second + 2048, 5));
            let mut map = ExtentMap::new(second + 2048 + 5);
            map.store(0, Arc::new(start.clone()), 0, start.len() as u64).unwrap();
            map.fill(second + 2048, 5, *b"odm!").unwrap();
            let part = Part { name: "update.img".to_owned(), bytes: map.shared() };
            let parts = Rkaf.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
            let found: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.bytes.len())).collect();
            assert_eq!(found, [("super.img", len), ("vendor.img", 300), ("odm.img", 5)]);
            let mut odm = [0; 4];
            parts[2].bytes.read_exact_at(0, &mut odm).unwrap();
            assert_eq!(&odm, b"odm!");
        }
    }

    #[test]
    fn a_part_outside_of_the_file_can_not_be_read_and_too_many_are_an_error() {
        let mut many = Rkaf.sample();
        many[137] = 0xff;
        assert!(open(Arc::new(many)).unwrap_err().to_string().contains("num_parts"));
        let mut outside = Rkaf.sample();
        outside[140 + 112 + 98] = 1;
        let part = Part { name: "a".to_owned(), bytes: Arc::new(outside) };
        let parts = Rkaf.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
        assert!(parts[0].bytes.read_exact_at(0, &mut [0; 4]).is_ok());
        assert!(parts[1].bytes.read_exact_at(0, &mut [0; 4]).is_err());
    }

    #[test]
    fn the_outer_image_has_the_inner_one_and_the_loader() {
        let part = Part { name: "a".to_owned(), bytes: Arc::new(Rkfw.sample()) };
        let parts = Rkfw.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
        let found: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.bytes.len())).collect();
        assert_eq!(found, [("update.img", 522), ("loader.bin", 4)]);
    }
}
