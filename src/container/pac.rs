//! UNISOC's (Spreadtrum's) firmware package, `BP_R1.0.0` and `BP_R2.0.1` (`BinPack.h` of UNISOC's tool, `pacextractor`).
//!
//! Little endian, text as UTF-16. The header has 2124 bytes:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 44 | `szVersion` | `BP_R1.0.0` or `BP_R2.0.1` |
//! | 44 | 4 + 4 | `dwHiSize`, `dwLoSize` | of the whole file |
//! | 1076 | 4 | `nFileCount` | file headers |
//! | 1080 | 4 | `dwFileOffset` | where they begin |
//! | 2116 | 4 | `dwMagic` | 0xFFFAFFFA |
//!
//! A file header: its length, 2580 (4), `szFileID` (512), `szFileName` (512), reserved (504), then at 1532 the upper half of size and of
//! offset, the lower half of size, flag, check flag, lower half of offset (4 bytes each). Parts are named by the file's identifier. Files
//! without data (erased partitions, flag 0) have the size zero. The checksums are not looked at.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, utf16};
use crate::bytes::{Budget, ParseError, le, read_vec_at};

const HEADER: u64 = 2124;
const MAGIC: u32 = 0xFFFA_FFFA;
const FILE_HEADER: u64 = 2580;
/// Real packages have below 100.
const FILES: u64 = 4096;

/// The format.
pub(super) struct Pac;

impl ContainerFormat for Pac {
    fn name(&self) -> &'static str {
        "pac"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        ["BP_R1.", "BP_R2."].iter().any(|version| {
            let version: Vec<u8> = version.encode_utf16().flat_map(u16::to_le_bytes).collect();
            probe.head.starts_with(&version)
        })
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let header = read_vec_at(source.as_ref(), 0, HEADER, "header", HEADER)?;
        let word = |at| le::u32(&header, at).unwrap_or_default();
        if word(2116) != MAGIC {
            return Err(ParseError::invalid(2116, "dwMagic", format!("{:08x}", word(2116)), "fffafffa"));
        }
        let (count, mut at) = (u64::from(word(1076)), u64::from(word(1080)));
        if count > FILES {
            return Err(ParseError::limit(1076, "nFileCount", count, FILES));
        }
        let mut parts = Vec::new();
        for _ in 0..count {
            let file = read_vec_at(source.as_ref(), at, FILE_HEADER, "file header", FILE_HEADER)?;
            let word = |at| le::u32(&file, at).map_or(0, u64::from);
            // The format has room for more in a header, no room for less.
            if word(0) < FILE_HEADER {
                return Err(ParseError::invalid(at, "dwSize", word(0), "2580 or more"));
            }
            let (len, offset) = (word(1532) << 32 | word(1540), word(1536) << 32 | word(1552));
            let name = |at: usize| utf16(file.get(at..at + 512).unwrap_or_default());
            if len > 0 {
                let name = match (name(4), name(516)) {
                    (id, file) if id.is_empty() => file,
                    (id, _) => format!("{id}.img"),
                };
                parts.push(Part { name, bytes: stored(source, offset, len) });
            }
            at += word(0);
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::package(&[("Super", "super.img", b"super")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{ExtentMap, Limits, SharedBytes};

    fn wide(text: &str, len: usize) -> Vec<u8> {
        let mut out: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        out.resize(len, 0);
        out
    }

    fn file(id: &str, name: &str, len: u64, offset: u64) -> Vec<u8> {
        let mut out = 2580_u32.to_le_bytes().to_vec();
        out.extend([wide(id, 512), wide(name, 512), vec![0; 504]].concat());
        let half = |value: u64, shift: u32| u32::try_from(value >> shift & 0xffff_ffff).unwrap().to_le_bytes();
        let flag = 1_u32.to_le_bytes();
        out.extend([half(len, 32), half(offset, 32), half(len, 0), flag, flag, half(offset, 0)].concat());
        out.resize(2580, 0);
        out
    }

    fn header(files: usize) -> Vec<u8> {
        let mut out = wide("BP_R2.0.1", 52);
        out.extend([wide("product", 512), wide("firmware", 512)].concat());
        out.extend([u32::try_from(files).unwrap().to_le_bytes(), 2124_u32.to_le_bytes()].concat());
        out.resize(2116, 0);
        out.extend([0xfa, 0xff, 0xfa, 0xff, 0, 0, 0, 0]);
        out
    }

    pub(super) fn package(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
        let mut out = header(files.len());
        let mut body = Vec::new();
        for (id, name, data) in files {
            let offset = 2124 + 2580 * files.len() + body.len();
            out.extend(file(id, name, data.len() as u64, offset as u64));
            body.extend_from_slice(data);
        }
        [out, body].concat()
    }

    fn open(bytes: SharedBytes) -> Result<Vec<(String, u64)>, ParseError> {
        let part = Part { name: "firmware.pac".to_owned(), bytes };
        let parts = Pac.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        Ok(parts.into_iter().map(|part| (part.name, part.bytes.len())).collect())
    }

    #[test]
    fn parts_are_named_by_identifier_and_files_without_data_are_none() {
        let files: [(&str, &str, &[u8]); 3] =
            [("Vendor", "v.img", b"vv"), ("EraseUD", "", b""), ("", "a.xml", b"<a/>")];
        let expected = [("Vendor.img".to_owned(), 2), ("a.xml".to_owned(), 4)];
        assert_eq!(open(Arc::new(package(&files))).unwrap(), expected);
    }

    #[test]
    fn sizes_and_offsets_have_64_bits() {
        let start = [header(1), file("Super", "super.img", (5 << 32) + 3, (1 << 32) + 4704)].concat();
        let mut map = ExtentMap::new((6 << 32) + 4707);
        map.store(0, Arc::new(start), 0, 4704).unwrap();
        map.fill((6 << 32) + 4704, 3, *b"endE").unwrap();
        let part = Part { name: "a".to_owned(), bytes: map.shared() };
        let parts = Pac.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
        let mut end = [0; 3];
        parts[0].bytes.read_exact_at(5 << 32, &mut end).unwrap();
        assert_eq!((parts[0].bytes.len(), &end), ((5 << 32) + 3, b"end"));
    }

    #[test]
    fn a_damaged_header_is_an_error() {
        let changed = |at: usize, value: u8| {
            let mut bytes = Pac.sample();
            bytes[at] = value;
            open(Arc::new(bytes)).unwrap_err().to_string()
        };
        assert!(changed(2116, 0).contains("dwMagic"));
        assert!(changed(1079, 1).contains("nFileCount"));
        assert!(changed(2124 + 1, 0).contains("dwSize is 20"));
        assert!(changed(1083, 1).contains("bytes are needed here"));
    }
}
