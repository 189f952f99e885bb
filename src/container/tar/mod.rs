//! tar: POSIX ustar and pax (IEEE 1003.1-2001), GNU long names and base-256 sizes. Samsung's `.tar.md5` is one with a
//! line of text behind its end, which is not looked at.
//!
//! Header of 512 bytes, read one by one; the data stay where they are.
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 100 | `name` | ends with NUL or at 100 |
//! | 124 | 12 | `size` | octal text, or base-256 when bit 7 of the first byte is set |
//! | 148 | 8 | `chksum` | octal sum of the header's bytes with this field as spaces |
//! | 156 | 1 | `typeflag` | `0`, NUL, `7` file; `L` GNU long name; `x` pax header; others are skipped |
//! | 257 | 5 | `magic` | `ustar` |
//! | 345 | 155 | `prefix` | before `name`, in ustar only |
//!
//! Files with holes are read in each form of GNU tar. Not supported: headers without `ustar` (before 1988).

mod holes;

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, read_vec_at};
use holes::Ranges;

/// Header and unit of length.
const BLOCK: u64 = 512;
/// A long name or a pax header; names end at 4096 on Linux, pax headers hold a few.
const EXTENSION_BYTES: u64 = 64 << 10;

/// The format.
pub(super) struct Tar;

impl ContainerFormat for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.get(257..262) == Some(b"ustar".as_slice())
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let limit = budget.limits.parts;
        let mut parts = Vec::new();
        let mut pending = Extension::default();
        let (mut at, mut headers) = (0_u64, 0_u64);
        while at < source.len() {
            let mut raw = [0; 512];
            source.read_exact_at(at, &mut raw)?;
            if raw.iter().all(|byte| *byte == 0) {
                break;
            }
            headers += 1;
            // Directories and extensions count as well: a header costs a read whatever it is.
            if headers > limit.saturating_mul(4) || parts.len() as u64 >= limit {
                return Err(ParseError::limit(at, "tar entries", headers, limit));
            }
            let header = Header::parse(&raw, at)?;
            let data = at + BLOCK;
            let size = match header.kind {
                b'x' | b'g' | b'L' | b'K' => header.size,
                _ => pending.size.unwrap_or(header.size),
            };
            let padded = size.checked_next_multiple_of(BLOCK).and_then(|padded| data.checked_add(padded));
            let mut next = padded.ok_or_else(|| ParseError::invalid(at, "size", size, "less than 8 EiB"))?;
            match header.kind {
                b'L' => {
                    pending.name = Some(text(&read_vec_at(source.as_ref(), data, size, "long name", EXTENSION_BYTES)?))
                }
                b'x' => pending.apply(&read_vec_at(source.as_ref(), data, size, "pax header", EXTENSION_BYTES)?),
                b'g' | b'K' => {}
                kind => {
                    let name = pending.name.take().unwrap_or(header.name);
                    match kind {
                        b'0' | 0 | b'7' if pending.sparse.is_some() => {
                            let sparse = pending.sparse.take().unwrap_or_default();
                            let (ranges, map) =
                                if sparse.lines { holes::lines(source, data, size)? } else { (sparse.ranges, 0) };
                            let (start, stored) = (data + map, size.saturating_sub(map));
                            let bytes = holes::file(source, ranges, sparse.len, start, stored);
                            parts.push(Part { name: sparse.name.unwrap_or(name), bytes });
                        }
                        b'0' | 0 | b'7' if !name.ends_with('/') => {
                            parts.push(Part { name, bytes: stored(source, data, size) });
                        }
                        b'S' => {
                            let (ranges, len, behind) = holes::old(source, &raw, data)?;
                            next += behind;
                            parts.push(Part { name, bytes: holes::file(source, ranges, len, data + behind, size) });
                        }
                        _ => {}
                    }
                    pending = Extension::default();
                }
            }
            at = next;
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        let mut out = tests::entry(b"././@LongLink", b'L', b"dir/long.txt\0");
        out.extend(tests::entry(b"short", b'0', b"content"));
        out.extend(tests::entry(b"pax", b'x', b"16 path=renamed\n"));
        out.extend(tests::entry(b"b", b'0', &[b'b'; 600]));
        out.extend([0; 1024]);
        out
    }
}

struct Header {
    name: String,
    size: u64,
    kind: u8,
}

impl Header {
    fn parse(raw: &[u8; 512], at: u64) -> Result<Self, ParseError> {
        let field = |start: usize, len: usize| raw.get(start..start + len).unwrap_or_default();
        if field(257, 5) != b"ustar" {
            let found = String::from_utf8_lossy(field(257, 5)).escape_debug().to_string();
            return Err(ParseError::invalid(at + 257, "magic", found, "ustar"));
        }
        let sum = raw.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        let chksum = field(148, 8);
        let sum = sum - chksum.iter().map(|byte| u64::from(*byte)).sum::<u64>() + 8 * u64::from(b' ');
        if octal(chksum) != Some(sum) {
            return Err(ParseError::invalid(at + 148, "chksum", text(chksum), "the sum of the header's bytes"));
        }
        let size = number(field(124, 12))
            .ok_or_else(|| ParseError::invalid(at + 124, "size", "no number", "octal or base-256"))?;
        let name = text(field(0, 100));
        let prefix = if field(257, 8) == b"ustar\x0000" { text(field(345, 155)) } else { String::new() };
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        Ok(Self { name, size, kind: raw.get(156).copied().unwrap_or_default() })
    }
}

/// What a pax or GNU header says of the entry that follows it.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    size: Option<u64>,
    /// What is said of holes.
    sparse: Option<Sparse>,
}

#[derive(Default)]
struct Sparse {
    name: Option<String>,
    len: u64,
    ranges: Ranges,
    /// The ranges stand in lines before the data.
    lines: bool,
}

impl Sparse {
    fn apply(&mut self, key: &str, value: &str) {
        let number = || value.parse().unwrap_or(u64::MAX);
        match key {
            "name" => self.name = Some(value.to_owned()),
            "size" | "realsize" => self.len = number(),
            "major" => self.lines = value == "1",
            "offset" => self.ranges.push((number(), 0)),
            "numbytes" => {
                if let Some(range) = self.ranges.last_mut() {
                    range.1 = number();
                }
            }
            "map" => {
                let numbers: Vec<u64> = value.split(',').map(|number| number.parse().unwrap_or(u64::MAX)).collect();
                let range = |pair: &[u64]| Some((*pair.first()?, *pair.get(1)?));
                self.ranges = numbers.chunks(2).filter_map(range).collect();
            }
            _ => {}
        }
    }
}

impl Extension {
    /// Records `LENGTH KEY=VALUE\n`.
    fn apply(&mut self, mut records: &[u8]) {
        while let Some(space) = records.iter().position(|byte| *byte == b' ') {
            let length = records.get(..space).and_then(|digits| std::str::from_utf8(digits).ok());
            let Some(length) = length.and_then(|digits| digits.parse::<usize>().ok()).filter(|length| *length > space)
            else {
                return;
            };
            let Some((record, rest)) = records.split_at_checked(length) else {
                return;
            };
            let record = text(record.get(space + 1..).unwrap_or_default());
            match record.trim_end_matches('\n').split_once('=') {
                Some(("path", value)) => self.name = Some(value.to_owned()),
                Some(("size", value)) => self.size = value.parse().ok(),
                Some((key, value)) if key.starts_with("GNU.sparse.") => {
                    self.sparse.get_or_insert_default().apply(key.trim_start_matches("GNU.sparse."), value);
                }
                _ => {}
            }
            records = rest;
        }
    }
}

/// A number as `size` is written.
fn number(bytes: &[u8]) -> Option<u64> {
    match bytes.first() {
        Some(first) if first & 0x80 != 0 => base_256(bytes),
        _ => octal(bytes),
    }
}

fn octal(bytes: &[u8]) -> Option<u64> {
    let digits = text(bytes);
    let digits = digits.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

fn base_256(bytes: &[u8]) -> Option<u64> {
    bytes.iter().enumerate().try_fold(0_u64, |value, (index, byte)| {
        let byte = if index == 0 { byte & 0x7f } else { *byte };
        value.checked_mul(256)?.checked_add(u64::from(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    pub(super) fn entry(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
        let mut out = header(name, kind, format!("{:011o}\0", content.len()).as_bytes());
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    fn header(name: &[u8], kind: u8, size: &[u8]) -> Vec<u8> {
        let mut raw = vec![0; 512];
        raw[..name.len()].copy_from_slice(name);
        raw[124..136].copy_from_slice(size);
        raw[148..156].fill(b' ');
        raw[156] = kind;
        raw[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = raw.iter().map(|byte| u32::from(*byte)).sum();
        raw[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        raw
    }

    fn open(bytes: Vec<u8>, limits: Limits) -> Result<Vec<Part>, ParseError> {
        let part = Part { name: "a.tar".to_owned(), bytes: Arc::new(bytes) };
        Tar.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(limits))
    }

    #[test]
    fn names_come_from_the_extension_before_the_entry() {
        let parts = open(Tar.sample(), Limits::default()).unwrap();
        let names: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.bytes.len())).collect();
        assert_eq!(names, [("dir/long.txt", 7), ("renamed", 600)]);
    }

    #[test]
    fn a_size_that_overflows_is_an_error() {
        let mut size = [0xff_u8; 12];
        size[0] = 0x80;
        assert!(open(header(b"a", b'0', &size), Limits::default()).is_err());
        let mut size = [0_u8; 12];
        size[0] = 0x80;
        size[4..].fill(0xff);
        let error = open(header(b"a", b'0', &size), Limits::default()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("size is 18446744073709551615"), "{error}");
    }

    #[test]
    fn a_file_that_is_cut_off_fails_alone() {
        let mut bytes = entry(b"whole", b'0', b"1234");
        bytes.extend(entry(b"cut", b'0', &[7; 1000]));
        bytes.truncate(bytes.len() - 512);
        let parts = open(bytes, Limits::default()).unwrap();
        assert!(parts[0].bytes.read_exact_at(0, &mut [0; 4]).is_ok());
        assert_eq!(parts[1].bytes.len(), 1000);
        assert!(parts[1].bytes.read_exact_at(0, &mut [0; 4]).is_err());
    }

    #[test]
    fn too_many_entries_are_an_error() {
        let bytes: Vec<u8> = (0..5).flat_map(|_| entry(b"a", b'0', b"")).collect();
        assert!(open(bytes.clone(), Limits { parts: 5, ..Limits::default() }).is_ok());
        assert!(open(bytes, Limits { parts: 4, ..Limits::default() }).is_err());
    }
}
