//! Allwinner's firmware image, header versions 0x100 and 0x300 (`imagefile.h` of Allwinner's boot card; `OpenixIMG`).
//!
//! Little endian:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 8 | magic | `IMAGEWTY` |
//! | 8 | 4 | header version | 0x100, else as 0x300 |
//! | 28 | 4 | image header size | where the file headers begin, 1024 |
//! | 56 or 60 | 4 | number of files | at 60 since 0x300 |
//!
//! A file header: length of the name (4), of this header (4), main type (8), sub type (16), then four unused bytes and
//!
//! | in 0x100 | in 0x300 | field |
//! |---|---|---|
//! | 52, 256 | 36, 256 | file name |
//! | 36, 4 | 292, 8 | stored length, padded |
//! | 40, 4 | 300, 8 | length |
//! | 44, 4 | 308, 8 | offset in the image |
//!
//! Names end with `.fex`, which is replaced by `.img`. Old images are encrypted as a whole: they have another beginning.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name, stored, text};
use crate::bytes::{Budget, ParseError, le, read_vec_at};

const MAGIC: &[u8] = b"IMAGEWTY";
/// Real file headers have 1024 bytes.
const FILE_HEADER: std::ops::RangeInclusive<u64> = 320..=65536;
/// Real images have some dozens.
const FILES: u64 = 4096;

/// The format.
pub(super) struct ImageWty;

impl ContainerFormat for ImageWty {
    fn name(&self) -> &'static str {
        "imagewty"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(MAGIC)
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut header = [0; 64];
        source.read_exact_at(0, &mut header)?;
        let word = |at| le::u32(&header, at).map_or(0, u64::from);
        let old = word(8) == 0x100;
        let count = word(if old { 56 } else { 60 });
        if count > FILES {
            return Err(ParseError::limit(if old { 56 } else { 60 }, "number of files", count, FILES));
        }
        let mut at = word(28);
        if at < 64 {
            return Err(ParseError::invalid(28, "image header size", at, "64 or more"));
        }
        let mut parts = Vec::new();
        for _ in 0..count {
            let file = read_vec_at(source.as_ref(), at, *FILE_HEADER.start(), "file header", 320)?;
            let word = |at| le::u32(&file, at).map_or(0, u64::from);
            let size = word(4);
            if !FILE_HEADER.contains(&size) {
                return Err(ParseError::invalid(at + 4, "length of the file header", size, "320 to 65536"));
            }
            let long = |at| le::u64(&file, at).unwrap_or_default();
            let (name, len, offset) = if old { (52, word(40), word(44)) } else { (36, long(300), long(308)) };
            let name = text(file.get(name..320.min(name + 256)).unwrap_or_default());
            if len > 0 {
                let stem = inner_name(&name, &[".fex"]);
                let name = if stem == name { name } else { format!("{stem}.img") };
                parts.push(Part { name, bytes: stored(source, offset, len) });
            }
            at += size;
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::image(0x300, &[("super.fex", b"super"), ("Vsuper.fex", b"sum!")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    pub(super) fn image(version: u32, files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for field in [version, 80, 0x0400_0000, 0x0010_0234, 0, 128] {
            out.extend(field.to_le_bytes());
        }
        out.resize(if version == 0x100 { 56 } else { 60 }, 7);
        out.extend(u32::try_from(files.len()).unwrap().to_le_bytes());
        out.resize(128, 0);
        let mut body = Vec::new();
        let data = 128 + files.len() * 352;
        for (name, bytes) in files {
            let offset = u32::try_from(data + body.len()).unwrap().to_le_bytes();
            let len = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            let mut header = [256_u32.to_le_bytes(), 352_u32.to_le_bytes()].concat();
            header.extend(b"RFSFAT16SYSTEM_FEX000000");
            let mut name = name.as_bytes().to_vec();
            name.resize(256, 0);
            if version == 0x100 {
                header.extend([[0; 4], [16, 0, 0, 0], len, offset, [0; 4]].concat());
                header.extend(name);
            } else {
                header.extend([0; 4]);
                header.extend(name);
                header.extend([[16, 0, 0, 0], [0; 4], len, [0; 4], offset, [0; 4]].concat());
            }
            header.resize(352, 0);
            out.extend(header);
            body.extend_from_slice(bytes);
        }
        [out, body].concat()
    }

    fn open(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "firmware.img".to_owned(), bytes: Arc::new(bytes) };
        let parts = ImageWty.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 100)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn both_versions_have_their_files_at_their_places() {
        let expected = [("vendor.img".to_owned(), b"vend".to_vec()), ("sys_config.bin".to_owned(), b"c".to_vec())];
        for version in [0x100, 0x300] {
            let files: [(&str, &[u8]); 3] = [("vendor.fex", b"vend"), ("empty.fex", b""), ("sys_config.bin", b"c")];
            assert_eq!(open(image(version, &files)).unwrap(), expected, "{version:x}");
        }
    }

    #[test]
    fn headers_that_lead_nowhere_are_errors() {
        let changed = |at: usize, bytes: &[u8]| {
            let mut image = ImageWty.sample();
            image[at..at + bytes.len()].copy_from_slice(bytes);
            open(image).unwrap_err().to_string()
        };
        assert!(changed(28, &[0; 4]).contains("image header size is 0"));
        assert!(changed(63, &[1]).contains("number of files"));
        assert!(changed(132, &[0; 4]).contains("length of the file header is 0"));
        assert!(changed(128 + 315, &[0xff]).contains("bytes are needed here"));
    }
}
