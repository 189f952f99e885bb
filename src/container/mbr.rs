//! Disks with a master boot record: raw dumps of old devices and of boxes.
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 446 | 4 × 16 | entries | status (0 or 0x80), 3 bytes, type, 3 bytes, first sector (4), sectors (4) |
//! | 510 | 2 | signature | 55 AA |
//!
//! Sectors have 512 bytes. An extended partition (types 5, 15, 133) holds a chain of such records: the first entry of each is a
//! partition, counted from the record; the second is the next record, counted from the extended partition. Partitions have no names:
//! they are parts `partition1.img` ..., logical ones from 5.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, Failed, ParseError, SharedBytes, Window, le, read_vec_at};

const SECTOR: u64 = 512;
const EXTENDED: [u8; 3] = [5, 15, 133];
/// Linux gives no more numbers for one disk.
const LOGICAL: u64 = 256;

/// The format.
pub(super) struct Mbr;

impl ContainerFormat for Mbr {
    fn name(&self) -> &'static str {
        "mbr"
    }

    /// Boot sectors of filesystems end with the same signature: the entries have to make sense, too.
    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        let Ok(entries) = entries(probe.head) else {
            return false;
        };
        let mut used = entries.iter().filter(|entry| !entry.is_unused()).peekable();
        let table_of_guids =
            [512, 4096].iter().any(|at| probe.head.get(*at..).is_some_and(|r| r.starts_with(b"EFI PART")));
        used.peek().is_some() && used.all(|entry| entry.is_sound(probe.len)) && !table_of_guids
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let mut found = Vec::new();
        for (number, entry) in (1..).zip(record(source, 0)?) {
            if EXTENDED.contains(&entry.kind) {
                logical(source, entry.first, &mut found)?;
            } else if !entry.is_unused() {
                found.push((number, entry));
            }
        }
        found.sort_by_key(|(_, entry)| entry.first);
        for ((_, before), (_, after)) in found.iter().zip(found.iter().skip(1)) {
            if before.first + before.sectors > after.first {
                return Err(ParseError::invalid(446, "first sector", after.first, "sectors of one partition"));
            }
        }
        found.sort_by_key(|(number, _)| *number);
        let part = |(number, entry): &(u64, Entry)| {
            let (start, len) = (entry.first * SECTOR, entry.sectors * SECTOR);
            let bytes: SharedBytes = match Window::new(source.clone(), start, len) {
                Ok(window) => Arc::new(window),
                // A dump may end early; what is before its end can be read.
                Err(error) => Arc::new(Failed::new(len, error)),
            };
            Part { name: format!("partition{number}.img"), bytes }
        };
        Ok(found.iter().map(part).collect())
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::disk(&[(0, 131, 1, 1), (0, 5, 2, 3)])
    }
}

#[derive(Clone, Copy)]
struct Entry {
    status: u8,
    kind: u8,
    /// Sectors, within 32 bits each.
    first: u64,
    sectors: u64,
}

impl Entry {
    fn is_unused(&self) -> bool {
        self.kind == 0 && self.sectors == 0
    }

    fn is_sound(&self, len: u64) -> bool {
        let status = self.status == 0 || self.status == 0x80;
        status && self.kind != 0 && self.first > 0 && self.sectors > 0 && self.first < len / SECTOR
    }
}

fn entries(record: &[u8]) -> Result<Vec<Entry>, ParseError> {
    if record.get(510..512) != Some(&[0x55, 0xaa]) {
        return Err(ParseError::invalid(510, "signature", "another", "55aa"));
    }
    let entry = |raw: &[u8]| {
        let word = |at| le::u32(raw, at).map_or(0, u64::from);
        let byte = |at: usize| raw.get(at).copied().unwrap_or_default();
        Entry { status: byte(0), kind: byte(4), first: word(8), sectors: word(12) }
    };
    Ok(record.get(446..510).unwrap_or_default().chunks_exact(16).map(entry).collect())
}

fn record(source: &SharedBytes, sector: u64) -> Result<Vec<Entry>, ParseError> {
    let at = sector.saturating_mul(SECTOR);
    let raw = read_vec_at(source.as_ref(), at, SECTOR, "record", SECTOR)?;
    entries(&raw).map_err(|error| error.within(format!("record at {at}")))
}

/// Adds the partitions of the chain that starts at `extended`.
fn logical(source: &SharedBytes, extended: u64, found: &mut Vec<(u64, Entry)>) -> Result<(), ParseError> {
    let mut at = extended;
    for number in 5..LOGICAL {
        let list = record(source, at)?;
        if let Some(entry) = list.first().filter(|entry| !entry.is_unused()) {
            found.push((number, Entry { first: at + entry.first, ..*entry }));
        }
        match list.get(1).filter(|next| !next.is_unused()) {
            None => return Ok(()),
            // Records follow one another: going back would never end.
            Some(next) if extended + next.first > at => at = extended + next.first,
            Some(next) => {
                return Err(ParseError::invalid(at * SECTOR + 470, "next record", next.first, "one further on"));
            }
        }
    }
    Err(ParseError::limit(extended * SECTOR, "logical partitions", LOGICAL, LOGICAL - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    type Raw = (u8, u8, u32, u32);

    fn record(entries: &[Raw]) -> Vec<u8> {
        let mut record = vec![0; 446];
        for (status, kind, first, sectors) in entries {
            record.extend([*status, 0, 0, 0, *kind, 0, 0, 0]);
            record.extend([first.to_le_bytes(), sectors.to_le_bytes()].concat());
        }
        record.resize(510, 0);
        [record, vec![0x55, 0xaa]].concat()
    }

    /// Five sectors: the record, letters a, a record of one logical partition, letters b, letters c.
    pub(super) fn disk(entries: &[Raw]) -> Vec<u8> {
        [record(entries), vec![b'a'; 512], record(&[(0, 131, 1, 2)]), vec![b'b'; 512], vec![b'c'; 512]].concat()
    }

    fn open(disk: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "mmcblk0".to_owned(), bytes: Arc::new(disk) };
        let parts = Mbr.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 20)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn primary_and_logical_partitions_are_read() {
        let logical = [[b'b'; 512], [b'c'; 512]].concat();
        let expected = [("partition1.img".to_owned(), vec![b'a'; 512]), ("partition5.img".to_owned(), logical)];
        assert_eq!(open(Mbr.sample()).unwrap(), expected);
    }

    #[test]
    fn chains_that_go_back_and_partitions_that_overlap_are_errors() {
        let mut cycle = Mbr.sample();
        cycle[1024..1536].copy_from_slice(&record(&[(0, 131, 1, 1), (0, 5, 0, 3)]));
        assert!(open(cycle).unwrap_err().to_string().contains("next record is 0"));
        let overlapping = disk(&[(0, 131, 1, 3), (0, 131, 3, 1)]);
        assert!(open(overlapping).unwrap_err().to_string().contains("first sector is 3"));
        assert!(open(disk(&[(0, 131, 1, 9)])).is_err());
    }

    #[test]
    fn boot_sectors_of_filesystems_are_no_disks() {
        let recognizes = |head: &[u8]| Mbr.recognizes(&Probe { name: "x", head, len: 2560 });
        assert!(recognizes(&Mbr.sample()));
        assert!(!recognizes(&record(&[])), "no partition");
        assert!(!recognizes(&disk(&[(0x20, 131, 1, 1)])), "text of a boot loader");
        assert!(!recognizes(&disk(&[(0, 131, 0, 1)])), "a partition over the record");
        assert!(!recognizes(&disk(&[(0, 131, 5, 1)])), "a partition behind the end");
    }
}
