//! Huawei's and Honor's `UPDATE.APP` (the field list of `splituapp` and of `update-extractor`; no public specification).
//!
//! Zeros, 92 bytes of them, then records on multiples of four. Little endian:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | magic | 55 AA 5A A5 |
//! | 4 | 4 | header length | of this header with the checksums at its end, 98 or more |
//! | 12 | 8 | hardware | text |
//! | 24 | 4 | data length | of what follows the header, modulo 2^32 |
//! | 60 | 16 | type | the partition's name: `SUPER`, `HW_PRODUCT` |
//!
//! A length of 4 GiB or more has lost its upper bits: the first one that leads to another record or to the end is taken. A sparse image that
//! is cut into several records of one name becomes parts of one split set. The checksums are not looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, text};
use crate::bytes::{Budget, ParseError, ReadAt, le};

const MAGIC: [u8; 4] = [0x55, 0xaa, 0x5a, 0xa5];
/// Real files have 92 bytes of zeros before the first record.
const LEADING: usize = 512;
/// Up to the data's checksums, of which there are two bytes per block.
const HEADER: u64 = 98;
const WRAP: u64 = 1 << 32;

/// The format.
pub(super) struct UpdateApp;

impl ContainerFormat for UpdateApp {
    fn name(&self) -> &'static str {
        "update.app"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        first_record(probe.head).is_some()
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let head = super::read_head_of(source, LEADING as u64 + 4)?;
        let found = || ParseError::invalid(0, "magic", "none", "55aa5aa5 behind zeros");
        let mut at = first_record(&head).ok_or_else(found)?;
        let mut parts: Vec<Part> = Vec::new();
        let mut pieces: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut records = 0_u64;
        while is_record(source.as_ref(), at) {
            records += 1;
            if records > budget.limits.parts {
                return Err(ParseError::limit(at, "records", records, budget.limits.parts));
            }
            let mut raw = [0; 98];
            source.read_exact_at(at, &mut raw)?;
            let header = le::u32(&raw, 4).map_or(0, u64::from);
            if header < HEADER {
                return Err(ParseError::invalid(at + 4, "header length", header, "98 or more"));
            }
            let data = at + header;
            let declared = le::u32(&raw, 24).map_or(0, u64::from);
            let len = unwrapped(source.as_ref(), data, declared);
            let name = text(raw.get(60..76).unwrap_or_default()).trim().to_ascii_lowercase();
            if len > 0 {
                pieces.entry(name.clone()).or_default().push(parts.len());
                parts.push(Part { name: format!("{name}.img"), bytes: stored(source, data, len) });
            }
            at = (data + len).next_multiple_of(4);
        }
        for (name, places) in pieces.iter().filter(|(_, places)| places.len() > 1) {
            for (number, place) in places.iter().enumerate() {
                if let Some(part) = parts.get_mut(*place) {
                    part.name = format!("{name}.img_sparsechunk.{number}");
                }
            }
        }
        if at < source.len() {
            // Whatever it is, it is not lost: a large rest of no known format is reported by those who ask for parts.
            parts.push(Part { name: "behind the records".to_owned(), bytes: stored(source, at, source.len() - at) });
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        let records = [tests::record("VERLIST", b"text!"), tests::record("SUPER", &[b's'; 40])];
        [vec![0; 92], records.concat()].concat()
    }
}

/// Where the zeros end, if they end with a record.
fn first_record(head: &[u8]) -> Option<u64> {
    let zeros = head.iter().take(LEADING).take_while(|byte| **byte == 0).count();
    // A boot sector's or a filesystem's bytes could be these; zeros before them are the format's own.
    let start = zeros - zeros % 4;
    (start >= 4 && head.get(start..)?.starts_with(&MAGIC)).then_some(start as u64)
}

fn is_record(source: &dyn ReadAt, at: u64) -> bool {
    let mut magic = [0; 4];
    source.read_exact_at(at, &mut magic).is_ok() && magic == MAGIC
}

/// The length with the bits that 32 can't hold; the declared one where none makes sense.
fn unwrapped(source: &dyn ReadAt, data: u64, declared: u64) -> u64 {
    let mut len = declared;
    while let Some(end) = data.checked_add(len).filter(|end| *end <= source.len()) {
        let next = end.next_multiple_of(4);
        if next >= source.len() || is_record(source, next) {
            return len;
        }
        len += WRAP;
    }
    declared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{ExtentMap, Limits, SharedBytes};

    pub(super) fn record(name: &str, data: &[u8]) -> Vec<u8> {
        let mut out = header(name, u32::try_from(data.len()).unwrap());
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn header(name: &str, len: u32) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(100_u32.to_le_bytes());
        out.extend([1, 0, 0, 0]);
        out.extend(b"HW7x27\xff\xff");
        out.extend(7_u32.to_le_bytes());
        out.extend(len.to_le_bytes());
        out.resize(60, b'.');
        out.extend(name.as_bytes());
        out.resize(100, 0);
        out
    }

    fn open(bytes: SharedBytes) -> Result<Vec<(String, u64)>, ParseError> {
        let part = Part { name: "UPDATE.APP".to_owned(), bytes };
        let parts = UpdateApp.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        Ok(parts.into_iter().map(|part| (part.name, part.bytes.len())).collect())
    }

    fn file(records: &[Vec<u8>]) -> SharedBytes {
        Arc::new([vec![0; 92], records.concat()].concat())
    }

    fn named(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(name, len)| ((*name).to_owned(), *len)).collect()
    }

    #[test]
    fn records_of_one_name_are_pieces_of_one_image_and_empty_ones_are_none() {
        let records = [record("SUPER", b"first"), record("CRC", b""), record("VENDOR", b"v"), record("SUPER", b"2")];
        let expected = [("super.img_sparsechunk.0", 5), ("vendor.img", 1), ("super.img_sparsechunk.1", 1)];
        assert_eq!(open(file(&records)).unwrap(), named(&expected));
    }

    #[test]
    fn a_length_that_lost_its_upper_bits_reaches_the_next_record() {
        let tail = record("VENDOR", b"v");
        let len = 92 + 100 + WRAP + 8 + tail.len() as u64;
        let start = [vec![0; 92], header("SUPER", 8)].concat();
        let mut map = ExtentMap::new(len);
        map.store(0, Arc::new(start), 0, 192).unwrap();
        map.store(192 + WRAP + 8, Arc::new(tail.clone()), 0, tail.len() as u64).unwrap();
        assert_eq!(open(map.shared()).unwrap(), named(&[("super.img", WRAP + 8), ("vendor.img", 1)]));
    }

    #[test]
    fn what_is_cut_off_fails_alone_and_what_is_behind_stays() {
        let cut = file(&[record("VENDOR", b"v"), header("SUPER", 1000)]);
        assert_eq!(open(cut).unwrap(), named(&[("vendor.img", 1), ("super.img", 1000)]));
        let behind = file(&[record("VENDOR", b"v"), b"rest".to_vec()]);
        assert_eq!(open(behind).unwrap(), named(&[("vendor.img", 1), ("behind the records", 4)]));
        let mut short = header("SUPER", 0);
        short[4] = 97;
        assert!(open(file(&[short])).unwrap_err().to_string().contains("header length is 97"));
    }
}
