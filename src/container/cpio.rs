//! cpio archives of ramdisks: "newc" and its form with checksums (Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
//!
//! A header of 110 bytes of text: magic `070701` or `070702`, then 13 fields of eight hexadecimal digits:
//!
//! | field | meaning |
//! |---|---|
//! | 1 | mode; the file type in its upper bits |
//! | 6 | length of the content |
//! | 11 | length of the name with its NUL |
//!
//! Name and content stand on multiples of four. `TRAILER!!!` ends an archive; others may follow behind zeros (ramdisks of several parts).
//! Only regular files are parts; the content of hard links stands with one of them. Archives with another magic are not read.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, read_vec_at};

const HEADER: u64 = 110;
/// What Linux takes, `PATH_MAX`.
const NAME_BYTES: u64 = 4096;
/// `S_IFMT` and `S_IFREG`
const TYPE: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;

/// The format.
pub(super) struct Cpio;

impl ContainerFormat for Cpio {
    fn name(&self) -> &'static str {
        "cpio"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        is_magic(probe.head)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut parts = Vec::new();
        let (mut at, mut headers) = (0_u64, 0_u64);
        // Zeros to the end, or other data than an archive (a signature), end it.
        while let Some(start) = next_header(input, at)? {
            headers += 1;
            // Directories and links count as well: a header costs a read whatever it is.
            if headers > budget.limits.parts.saturating_mul(4) || parts.len() as u64 > budget.limits.parts {
                return Err(ParseError::limit(start, "cpio entries", headers, budget.limits.parts));
            }
            let header = read_vec_at(source.as_ref(), start, HEADER, "header", HEADER)?;
            let field = |number: usize| {
                let digits = header.get(6 + 8 * number..14 + 8 * number).and_then(|raw| std::str::from_utf8(raw).ok());
                let value = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
                let place = start + 6 + 8 * number as u64;
                value.ok_or_else(|| ParseError::invalid(place, "field", "no number", "eight hexadecimal digits"))
            };
            let (mode, len, name_len) = (field(1)?, field(6)?, field(11)?);
            if name_len > NAME_BYTES {
                return Err(ParseError::limit(start, "length of a name", name_len, NAME_BYTES));
            }
            let name = text(&read_vec_at(source.as_ref(), start + HEADER, name_len, "name", NAME_BYTES)?);
            let data = (start + HEADER + name_len).next_multiple_of(4);
            at = (data + len).next_multiple_of(4);
            if mode & TYPE == REGULAR && len > 0 {
                parts.push(Part { name, bytes: stored(source, data, len) });
            }
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        let entries = [("etc", 0o40755, &b""[..]), ("etc/fstab.x", 0o100_644, b"fstab"), ("link", 0o120_777, b"etc")];
        let mut out: Vec<u8> = entries.iter().flat_map(|(name, mode, data)| tests::entry(name, *mode, data)).collect();
        out.extend(tests::entry("TRAILER!!!", 0, b""));
        out
    }
}

fn is_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(b"070701") || bytes.starts_with(b"070702")
}

/// The next header at or behind `at`, behind zeros only.
fn next_header(input: &PartSet<'_>, mut at: u64) -> Result<Option<u64>, ParseError> {
    let source = input.part.bytes.as_ref();
    loop {
        let left = source.len().saturating_sub(at).min(4096);
        if left < HEADER {
            return Ok(None);
        }
        let chunk = read_vec_at(source, at, left, "header", 4096)?;
        match chunk.iter().position(|byte| *byte != 0) {
            None => at += left,
            Some(zeros) => {
                let zeros = zeros - zeros % 4;
                let found = chunk.get(zeros..).unwrap_or_default();
                if found.len() < 6 && zeros > 0 {
                    at += zeros as u64;
                    continue;
                }
                return Ok(is_magic(found).then_some(at + zeros as u64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    pub(super) fn entry(name: &str, mode: u32, data: &[u8]) -> Vec<u8> {
        let mode = usize::try_from(mode).unwrap();
        let fields =
            [1, mode, 0, 0, 1, 0, data.len(), 0, 0, 0, 0, name.len() + 1, 0].map(|field| format!("{field:08x}"));
        let mut out = format!("070701{}{name}\0", fields.concat()).into_bytes();
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn open(bytes: Vec<u8>, limits: Limits) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "ramdisk".to_owned(), bytes: Arc::new(bytes) };
        let parts = Cpio.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(limits))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 25)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn regular_files_of_all_archives_are_parts() {
        let mut two = Cpio.sample();
        two.resize(two.len().next_multiple_of(512) + 8192, 0);
        two.extend(entry("prop.default", 0o100_600, b"a=b\n"));
        two.extend(b"\0\0\0\0signature");
        let expected = [("etc/fstab.x".to_owned(), b"fstab".to_vec()), ("prop.default".to_owned(), b"a=b\n".to_vec())];
        assert_eq!(open(two, Limits::default()).unwrap(), expected);
    }

    #[test]
    fn lengths_beyond_the_archive_and_letters_for_digits_are_errors() {
        let changed = |at: usize, value: &[u8]| {
            let mut bytes = Cpio.sample();
            bytes[at..at + value.len()].copy_from_slice(value);
            open(bytes, Limits::default()).unwrap_err().to_string()
        };
        assert!(changed(6 + 8 * 11, b"ffffffff").contains("length of a name"));
        assert!(changed(6 + 8, b"wxyz").contains("no number"));
        let second = entry("etc", 0o40755, b"").len();
        assert!(changed(second + 6 + 8 * 6, b"00ffffff").contains("bytes are needed here"));
    }

    #[test]
    fn too_many_entries_are_an_error() {
        let bytes: Vec<u8> = (0..6).flat_map(|_| entry("a", 0o100_644, b"x")).collect();
        assert!(open(bytes.clone(), Limits { parts: 6, ..Limits::default() }).is_ok());
        assert!(open(bytes, Limits { parts: 4, ..Limits::default() }).is_err());
    }
}
