//! Disks with a GUID partition table (UEFI 2.10, chapter 5), as raw dumps of a device's storage have one.
//!
//! The header stands in sector 1, sectors being 512 or 4096 bytes, and again in the last one. Little endian:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 8 | `Signature` | `EFI PART` |
//! | 12 | 4 | `HeaderSize` | 92 or more |
//! | 16 | 4 | `HeaderCRC32` | CRC-32 of the header with this field zero |
//! | 72 | 8 | `PartitionEntryLBA` | sector of the entries |
//! | 80 | 4 + 4 | `NumberOfPartitionEntries`, `SizeOfPartitionEntry` | entries, bytes of one |
//! | 88 | 4 | `PartitionEntryArrayCRC32` | CRC-32 of all entries |
//!
//! An entry: type (16 bytes, zero for an unused one), first and last sector (8 bytes each at 32 and 40), name (72 bytes of UTF-16 at 56).
//! The part is named as the partition, with `.img`.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, stored, utf16};
use crate::bytes::{Budget, ParseError, SharedBytes, le, read_vec_at};

const SIGNATURE: &[u8] = b"EFI PART";
const SECTORS: [u64; 2] = [512, 4096];
/// 128 entries of 128 bytes are usual.
const ENTRIES_BYTES: u64 = 1 << 20;

/// The format.
pub(super) struct Gpt;

impl ContainerFormat for Gpt {
    fn name(&self) -> &'static str {
        "gpt"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        let at = |offset: usize| probe.head.get(offset..).is_some_and(|rest| rest.starts_with(SIGNATURE));
        at(512) || at(4096)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut signature = [0; 8];
        source.read_exact_at(512, &mut signature)?;
        let [small, large] = SECTORS;
        let sector = if signature == *SIGNATURE { small } else { large };
        let backup = (source.len() / sector).saturating_sub(1) * sector;
        read_table(source, sector, sector, budget)
            .or_else(|error| read_table(source, sector, backup, budget).map_err(|_| error))
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::disk(&[("super", 3, 3), ("cust", 4, 5)])
    }
}

fn crc(data: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    crc.sum()
}

/// The partitions of the table whose header is at `at`.
fn read_table(source: &SharedBytes, sector: u64, at: u64, budget: &Budget) -> Result<Vec<Part>, ParseError> {
    let mut fixed = [0; 92];
    source.read_exact_at(at, &mut fixed)?;
    let (word, long) = (|at| le::u32(&fixed, at).unwrap_or_default(), |at| le::u64(&fixed, at).unwrap_or_default());
    if !fixed.starts_with(SIGNATURE) {
        return Err(ParseError::invalid(at, "Signature", format!("{:016x}", long(0)), "EFI PART"));
    }
    let size = u64::from(word(12));
    if !(92..=sector).contains(&size) {
        return Err(ParseError::invalid(at + 12, "HeaderSize", size, "92 to a sector"));
    }
    let mut header = read_vec_at(source.as_ref(), at, size, "HeaderSize", sector)?;
    if let Some(field) = header.get_mut(16..20) {
        field.fill(0);
    }
    if crc(&header) != word(16) && !cfg!(fuzzing) {
        return Err(ParseError::invalid(at + 16, "HeaderCRC32", format!("{:08x}", word(16)), "that of the header"));
    }
    let (count, stride) = (u64::from(word(80)), u64::from(word(84)));
    if stride < 128 || stride % 8 != 0 {
        return Err(ParseError::invalid(at + 84, "SizeOfPartitionEntry", stride, "128 or more"));
    }
    let start = long(72).saturating_mul(sector);
    let entries = read_vec_at(source.as_ref(), start, count * stride, "partition entries", ENTRIES_BYTES)?;
    if crc(&entries) != word(88) && !cfg!(fuzzing) {
        let found = format!("{:08x}", word(88));
        return Err(ParseError::invalid(at + 88, "PartitionEntryArrayCRC32", found, "that of the entries"));
    }
    let (mut parts, mut used) = (Vec::new(), Vec::new());
    for (number, entry) in (1..).zip(entries.chunks(usize::try_from(stride).unwrap_or(128))) {
        if entry.iter().take(16).all(|byte| *byte == 0) {
            continue;
        }
        let place = start + (number - 1) * stride;
        let field = |at| le::u64(entry, at).unwrap_or_default();
        let (first, last) = (field(32), field(40));
        let len = last.checked_sub(first).and_then(|sectors| sectors.checked_add(1)?.checked_mul(sector));
        let range = first.checked_mul(sector).zip(len).filter(|(start, len)| start.checked_add(*len).is_some());
        let Some((start, len)) = range else {
            return Err(ParseError::invalid(place + 40, "EndingLBA", last, "StartingLBA or more"));
        };
        used.push((first, last, place));
        parts.push(Part { name: format!("{}.img", name(entry, number)), bytes: stored(source, start, len) });
        if parts.len() as u64 > budget.limits.parts {
            return Err(ParseError::limit(place, "partitions", parts.len() as u64, budget.limits.parts));
        }
    }
    used.sort_unstable();
    for (before, after) in used.iter().zip(used.iter().skip(1)) {
        if before.1 >= after.0 {
            return Err(ParseError::invalid(after.2 + 32, "StartingLBA", after.0, "sectors of one partition"));
        }
    }
    Ok(parts)
}

fn name(entry: &[u8], number: u64) -> String {
    let raw = entry.get(56..128).unwrap_or_default();
    let name = utf16(raw);
    if name.is_empty() { format!("partition{number}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    /// Six sectors of 512 bytes; name, first and last sector of each partition.
    pub(super) fn disk(partitions: &[(&str, u64, u64)]) -> Vec<u8> {
        let mut entries = Vec::new();
        for (name, first, last) in partitions {
            let mut entry = vec![1; 32];
            entry.extend([first.to_le_bytes(), last.to_le_bytes(), [0; 8]].concat());
            entry.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            entry.resize(128, 0);
            entries.extend(entry);
        }
        let mut header = SIGNATURE.to_vec();
        header.extend([0_u32.to_le_bytes(), 92_u32.to_le_bytes()].concat());
        header.resize(72, 0);
        header.extend(2_u64.to_le_bytes());
        for value in [u32::try_from(partitions.len()).unwrap(), 128, crc(&entries)] {
            header.extend(value.to_le_bytes());
        }
        let sum = crc(&header);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        let mut disk = vec![0; 512];
        disk.extend(header);
        disk.resize(1024, 0);
        disk.extend(entries);
        disk.resize(1536, 0);
        for letter in [b'a', b'b', b'c'] {
            disk.extend([letter; 512]);
        }
        disk
    }

    fn open(bytes: Vec<u8>) -> Result<Vec<Part>, ParseError> {
        let part = Part { name: "mmcblk0".to_owned(), bytes: Arc::new(bytes) };
        Gpt.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))
    }

    #[test]
    fn partitions_are_the_sectors_from_the_first_to_the_last() {
        let parts = open(disk(&[("cust", 4, 5), ("super", 3, 3)])).unwrap();
        let read = |part: &Part| read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 20).unwrap();
        let found: Vec<_> = parts.iter().map(|part| (part.name.as_str(), read(part))).collect();
        assert_eq!(found, [("cust.img", [[b'b'; 512], [b'c'; 512]].concat()), ("super.img", vec![b'a'; 512])]);
    }

    #[test]
    fn a_damaged_table_is_read_from_its_backup() {
        let mut disk = disk(&[("super", 3, 3)]);
        disk.extend_from_within(512..1024);
        disk[600] ^= 1;
        assert_eq!(open(disk.clone()).unwrap().len(), 1);
        disk.truncate(3072);
        assert!(open(disk).err().unwrap().to_string().contains("HeaderCRC32"));
    }

    #[test]
    fn ranges_that_can_not_be_are_errors_and_what_is_cut_off_fails_alone() {
        let error = |partitions: &[_]| open(disk(partitions)).err().unwrap().to_string();
        assert!(error(&[("a", 3, 4), ("b", 4, 5)]).contains("StartingLBA is 4, expected sectors of one partition"));
        assert!(error(&[("a", 4, 3)]).contains("EndingLBA is 3"));
        assert!(error(&[("a", 0, u64::MAX)]).contains("EndingLBA"));
        let parts = open(disk(&[("a", 3, 3), ("userdata", 4, 1000)])).unwrap();
        assert!(parts[0].bytes.read_exact_at(0, &mut [0; 512]).is_ok());
        assert!(parts[1].bytes.read_exact_at(0, &mut [0; 1]).is_err());
        let mut many = disk(&[("a", 3, 3)]);
        many[592..596].fill(0xff);
        assert!(open(many).is_err());
    }
}
