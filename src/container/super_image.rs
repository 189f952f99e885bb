//! The Android `super` partition: LP metadata 10.0 to 10.2 (AOSP `liblp/include/liblp/metadata_format.h`).
//!
//! Little endian, in sectors of 512 bytes. The geometry stands at 4096 and again at 8192:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `magic` | 0x616C4467 |
//! | 4 | 4 | `struct_size` | 52 |
//! | 8 | 32 | `checksum` | SHA-256 of the structure with this field zero |
//! | 40 | 4 | `metadata_max_size` | bytes of one metadata slot |
//! | 44 | 4 | `metadata_slot_count` | slots; 1 to 3 are known |
//!
//! The metadata slots follow at 12288, then as many backups. Slot 0 is what a factory image boots. A header:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `magic` | 0x414C5030 |
//! | 4 | 2 + 2 | `major_version`, `minor_version` | 10, 0 to 2 |
//! | 8 | 4 | `header_size` | 128, or 256 since 10.2 |
//! | 12 | 32 | `header_checksum` | SHA-256 of the header with this field zero |
//! | 44 | 4 | `tables_size` | bytes of the tables after the header |
//! | 48 | 32 | `tables_checksum` | SHA-256 of the tables |
//! | 80 | 4 × 12 | partitions, extents, groups, block devices | offset in the tables, entries, bytes of an entry |
//!
//! A partition is a run of extents, one after another; its part is named as the partition, with `.img`. An extent on another
//! block device (older phones that got dynamic partitions with an update) is a gap that names the device.
//! Not supported: `super_empty.img`, the tables without the reserved space before them, which has no partition's data.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{ContainerFormat, Part, PartSet, Probe, text};
use crate::bytes::{Budget, ExtentMap, Failed, ParseError, ReadAt, SharedBytes, le, read_vec_at};

const SECTOR: u64 = 512;
const GEOMETRY: [u64; 2] = [4096, 8192];
const GEOMETRY_MAGIC: [u8; 4] = 0x616C_4467_u32.to_le_bytes();
const GEOMETRY_BYTES: u64 = 52;
const SLOTS_START: u64 = 12288;
const HEADER_MAGIC: [u8; 4] = 0x414C_5030_u32.to_le_bytes();
/// Real images have 64 KiB.
const METADATA_BYTES: u64 = 16 << 20;
/// `liblp` itself knows of a slot for each of A and B, and one real image has three.
const SLOTS: u32 = 32;
/// As for sparse images.
const IMAGE_BYTES: u64 = 1 << 44;

/// `LP_PARTITION_ATTR_SLOT_SUFFIXED`
const SLOT_SUFFIXED: u32 = 2;
/// `LP_TARGET_TYPE_LINEAR`, `LP_TARGET_TYPE_ZERO`
const LINEAR: u32 = 0;
const ZERO: u32 = 1;

/// The format.
pub(super) struct SuperImage;

impl ContainerFormat for SuperImage {
    fn name(&self) -> &'static str {
        "super"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        // The reserved space is zero: a disk or filesystem with these bytes at 4096 is something else.
        probe.head.get(4096..).is_some_and(|rest| rest.starts_with(&GEOMETRY_MAGIC))
            && probe.head.iter().take(4096).all(|byte| *byte == 0)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let geometry = first_valid(&GEOMETRY, |at| read_geometry(source.as_ref(), at))
            .map_err(|error| error.within("geometry"))?;
        let metadata = first_valid(&geometry.places(), |at| Metadata::read(source.as_ref(), at, &geometry))
            .map_err(|error| error.within("metadata"))?;
        metadata.parts(source, budget)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::image(&tests::Tables::default())
    }
}

/// The first place that reads well; else the first place's error.
fn first_valid<T>(places: &[u64], read: impl Fn(u64) -> Result<T, ParseError>) -> Result<T, ParseError> {
    let mut first = None;
    for place in places {
        match read(*place) {
            Ok(found) => return Ok(found),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| ParseError::invalid(0, "slots", 0, "one or more")))
}

struct Geometry {
    metadata_max_size: u64,
    slots: u64,
}

impl Geometry {
    /// Where metadata stands, by how much it counts: slot 0, its backup, the other slots likewise.
    fn places(&self) -> Vec<u64> {
        let slot = |index: u64| SLOTS_START + index * self.metadata_max_size;
        (0..self.slots).flat_map(|index| [slot(index), slot(self.slots + index)]).collect()
    }
}

fn read_geometry(source: &dyn ReadAt, at: u64) -> Result<Geometry, ParseError> {
    let mut raw = read_vec_at(source, at, GEOMETRY_BYTES, "geometry", GEOMETRY_BYTES)?;
    let field = |offset| le::u32(&raw, offset).unwrap_or_default();
    if !raw.starts_with(&GEOMETRY_MAGIC) {
        return Err(ParseError::invalid(at, "magic", format!("{:08x}", field(0)), "616c4467"));
    }
    if u64::from(field(4)) != GEOMETRY_BYTES {
        return Err(ParseError::invalid(at + 4, "struct_size", field(4), "52"));
    }
    let (metadata_max_size, slots) = (u64::from(field(40)), field(44));
    checksum(&mut raw, 8, at)?;
    if metadata_max_size == 0 || metadata_max_size % SECTOR != 0 {
        return Err(ParseError::invalid(at + 40, "metadata_max_size", metadata_max_size, "a multiple of 512"));
    }
    if metadata_max_size > METADATA_BYTES {
        return Err(ParseError::limit(at + 40, "metadata_max_size", metadata_max_size, METADATA_BYTES));
    }
    if slots == 0 || slots > SLOTS {
        return Err(ParseError::invalid(at + 44, "metadata_slot_count", slots, "1 to 32"));
    }
    Ok(Geometry { metadata_max_size, slots: u64::from(slots) })
}

/// Holds a structure against the SHA-256 at `offset` in it, which counts as zeros.
fn checksum(raw: &mut [u8], offset: usize, at: u64) -> Result<(), ParseError> {
    let Some(field) = raw.get_mut(offset..offset + 32) else {
        return Err(ParseError::truncated(at, 32, 0));
    };
    let expected = field.to_vec();
    field.fill(0);
    compare(raw, &expected, at + offset as u64)
}

fn compare(data: &[u8], expected: &[u8], at: u64) -> Result<(), ParseError> {
    if Sha256::digest(data).as_slice() == expected || cfg!(fuzzing) {
        return Ok(());
    }
    let found: String = expected.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Err(ParseError::invalid(at, "checksum", format!("{found}..."), "the SHA-256 of the structure"))
}

/// Entries of one table, as they are on disk.
struct Table {
    name: &'static str,
    bytes: Vec<u8>,
    stride: usize,
    count: usize,
    at: u64,
}

impl Table {
    fn entry(&self, index: u64) -> Result<&[u8], ParseError> {
        let start = usize::try_from(index).ok().filter(|index| *index < self.count);
        let entry = start.and_then(|index| self.bytes.get(index * self.stride..)?.get(..self.stride));
        entry.ok_or_else(|| ParseError::limit(self.at, self.name, index.saturating_add(1), self.count as u64))
    }
}

struct Metadata {
    partitions: Table,
    extents: Table,
    devices: Table,
}

struct Extent {
    sectors: u64,
    kind: u32,
    data: u64,
    device: u32,
}

impl Metadata {
    fn read(source: &dyn ReadAt, at: u64, geometry: &Geometry) -> Result<Self, ParseError> {
        let mut fixed = [0; 16];
        source.read_exact_at(at, &mut fixed)?;
        if !fixed.starts_with(&HEADER_MAGIC) {
            let found = format!("{:08x}", le::u32(&fixed, 0).unwrap_or_default());
            return Err(ParseError::invalid(at, "magic", found, "414c5030"));
        }
        let major = le::u16(&fixed, 4).unwrap_or_default();
        if major != 10 {
            return Err(ParseError::invalid(at + 4, "major_version", major, "10"));
        }
        let size = le::u32(&fixed, 8).map_or(0, u64::from);
        if !(128..=4096).contains(&size) {
            return Err(ParseError::invalid(at + 8, "header_size", size, "128 to 4096"));
        }
        let mut header = read_vec_at(source, at, size, "header_size", 4096)?;
        checksum(&mut header, 12, at)?;
        let tables_size = le::u32(&header, 44).map_or(0, u64::from);
        let room = geometry.metadata_max_size.saturating_sub(size);
        let tables = read_vec_at(source, at + size, tables_size, "tables_size", room)?;
        compare(&tables, header.get(48..80).unwrap_or_default(), at + 48)?;
        let table = |name, descriptor: usize, least: usize| {
            let place = at + descriptor as u64;
            let field = |offset| le::u32(&header, descriptor + offset).and_then(|value| usize::try_from(value).ok());
            let (start, count, stride) = (field(0)?, field(4)?, field(8)?);
            let len = count.checked_mul(stride).filter(|_| stride >= least)?;
            let bytes = tables.get(start..)?.get(..len)?.to_vec();
            Some(Table { name, bytes, stride, count, at: place })
        };
        let table = |name, descriptor, least| {
            let outside = || ParseError::invalid(at + descriptor as u64, name, "a table outside", "one in tables_size");
            table(name, descriptor, least).ok_or_else(outside)
        };
        Ok(Self {
            partitions: table("partitions", 80, 52)?,
            extents: table("extents", 92, 24)?,
            devices: table("block_devices", 116, 64)?,
        })
    }

    fn parts(&self, source: &SharedBytes, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let count = self.partitions.count as u64;
        if count > budget.limits.parts {
            return Err(ParseError::limit(self.partitions.at, "partitions", count, budget.limits.parts));
        }
        let mut parts = Vec::new();
        let (mut names, mut used) = (BTreeSet::new(), Vec::new());
        for index in 0..count {
            let entry = self.partitions.entry(index)?;
            let field = |offset| le::u32(entry, offset).unwrap_or_default();
            let mut name = text(entry.get(..36).unwrap_or_default());
            if field(36) & SLOT_SUFFIXED != 0 {
                // The metadata of slot 0 is that of slot A.
                name.push_str("_a");
            }
            if !names.insert(name.clone()) {
                return Err(ParseError::invalid(self.partitions.at, "name", name, "a name used once"));
            }
            let extents = self.extents(field(40), field(44)).map_err(|error| error.within(name.clone()))?;
            let own = extents.iter().filter(|extent| extent.kind == LINEAR && extent.device == 0 && extent.sectors > 0);
            used.extend(own.map(|extent| (extent.data, extent.data.saturating_add(extent.sectors))));
            let bytes = self.assemble(&extents, source).map_err(|error| error.within(name.clone()))?;
            parts.push(Part { name: format!("{name}.img"), bytes });
        }
        used.sort_unstable();
        for (before, after) in used.iter().zip(used.iter().skip(1)) {
            if before.1 > after.0 {
                return Err(ParseError::invalid(self.extents.at, "target_data", after.0, "sectors of one extent"));
            }
        }
        Ok(parts)
    }

    fn extents(&self, first: u32, count: u32) -> Result<Vec<Extent>, ParseError> {
        // An index out of the table ends this: no partition has more extents than there are.
        (u64::from(first)..u64::from(first) + u64::from(count))
            .map(|index| {
                let raw = self.extents.entry(index)?;
                let (word, long) =
                    (|at| le::u32(raw, at).unwrap_or_default(), |at| le::u64(raw, at).unwrap_or_default());
                let extent = Extent { sectors: long(0), kind: word(8), data: long(12), device: word(20) };
                if extent.kind != LINEAR && extent.kind != ZERO {
                    return Err(ParseError::invalid(self.extents.at, "target_type", extent.kind, "0 or 1"));
                }
                Ok(extent)
            })
            .collect()
    }

    /// The partition's bytes. What can't be read of it is an error of its reads, since the others can be.
    fn assemble(&self, extents: &[Extent], source: &SharedBytes) -> Result<SharedBytes, ParseError> {
        let sectors = extents.iter().try_fold(0_u64, |sum, extent| sum.checked_add(extent.sectors));
        let len = sectors.and_then(|sectors| sectors.checked_mul(SECTOR)).unwrap_or(u64::MAX);
        if len > IMAGE_BYTES {
            return Err(ParseError::limit(self.extents.at, "num_sectors * 512", len, IMAGE_BYTES));
        }
        let mut map = ExtentMap::new(len);
        let mut at = 0;
        for extent in extents {
            let size = extent.sectors * SECTOR;
            if extent.kind == LINEAR && extent.device > 0 {
                let device = self.devices.entry(u64::from(extent.device))?;
                let device = text(device.get(24..60).unwrap_or_default());
                let feature = format!("a part on another block device, {device}, which is not in this image,");
                return Ok(Arc::new(Failed::new(len, ParseError::unsupported(at, feature))));
            }
            if extent.kind == LINEAR {
                let start = extent.data.saturating_mul(SECTOR);
                if start.checked_add(size).is_none_or(|end| end > source.len()) {
                    return Ok(Arc::new(Failed::new(len, ParseError::truncated(start, size, source.len()))));
                }
                map.store(at, source.clone(), start, size)?;
            }
            at += size;
        }
        Ok(map.shared())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    /// Sectors, type, data, device of each.
    type Extents = Vec<(u64, u32, u64, u32)>;

    /// What the sample is made of: name, attributes and extents of each partition.
    pub(super) struct Tables {
        pub(super) partitions: Vec<(&'static str, u32, Extents)>,
        pub(super) minor: u16,
    }

    impl Default for Tables {
        fn default() -> Self {
            let partitions = vec![
                ("system_a", 1, vec![(1, LINEAR, 29, 0), (1, ZERO, 0, 0), (1, LINEAR, 27, 0)]),
                ("vendor", 1 | SLOT_SUFFIXED, vec![(1, LINEAR, 28, 0)]),
            ];
            Self { partitions, minor: 2 }
        }
    }

    fn name(name: &str) -> Vec<u8> {
        let mut raw = name.as_bytes().to_vec();
        raw.resize(36, 0);
        raw
    }

    fn sealed(mut raw: Vec<u8>, at: usize) -> Vec<u8> {
        let sum = Sha256::digest(&raw);
        raw[at..at + 32].copy_from_slice(&sum);
        raw
    }

    fn metadata(tables: &Tables) -> Vec<u8> {
        let (mut partitions, mut extents, mut count) = (Vec::new(), Vec::new(), 0_u32);
        for (title, attributes, list) in &tables.partitions {
            partitions.extend(name(title));
            for value in [*attributes, count, u32::try_from(list.len()).unwrap(), 0] {
                partitions.extend(value.to_le_bytes());
            }
            for (sectors, kind, data, device) in list {
                extents.extend([sectors.to_le_bytes().as_slice(), &kind.to_le_bytes(), &data.to_le_bytes()].concat());
                extents.extend(device.to_le_bytes());
                count += 1;
            }
        }
        let mut groups = name("default");
        groups.resize(48, 0);
        let device = |title| [vec![0; 24], name(title), vec![0; 4]].concat();
        let devices = [device("super"), device("system_b")].concat();
        let counts = [u32::try_from(tables.partitions.len()).unwrap(), count, 1, 2];
        let size = if tables.minor < 2 { 128 } else { 256 };
        let mut header = HEADER_MAGIC.to_vec();
        header.extend([10_u16.to_le_bytes(), tables.minor.to_le_bytes()].concat());
        header.extend(u32::to_le_bytes(size));
        header.resize(44, 0);
        let all = [partitions.clone(), extents.clone(), groups, devices].concat();
        header.extend(u32::try_from(all.len()).unwrap().to_le_bytes());
        header.extend(Sha256::digest(&all));
        let mut offset = 0;
        for (count, stride) in counts.into_iter().zip([52_u32, 24, 48, 64]) {
            for value in [offset, count, stride] {
                header.extend(value.to_le_bytes());
            }
            offset += count * stride;
        }
        header.resize(size as usize, 0);
        [sealed(header, 12), all].concat()
    }

    fn geometry(slots: u32, metadata_max_size: u32) -> Vec<u8> {
        let mut raw = GEOMETRY_MAGIC.to_vec();
        raw.extend(52_u32.to_le_bytes());
        raw.resize(40, 0);
        for value in [metadata_max_size, slots, 4096] {
            raw.extend(value.to_le_bytes());
        }
        sealed(raw, 8)
    }

    /// One slot and no backups, to be short: damage must not be healed.
    pub(super) fn image(tables: &Tables) -> Vec<u8> {
        let mut image = vec![0; 4096];
        image.extend(geometry(1, 1536));
        image.resize(12288, 0);
        image.extend(metadata(tables));
        image.resize(27 * 512, 0);
        for letter in [b'a', b'b', b'c'] {
            image.extend([letter; 512]);
        }
        image
    }

    fn open(image: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "super.img".to_owned(), bytes: Arc::new(image) };
        let parts = SuperImage.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 20)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn a_partition_is_its_extents_one_after_another() {
        for minor in 0..=2 {
            let parts = open(image(&Tables { minor, ..Tables::default() })).unwrap();
            let system = [[b'c'; 512], [0; 512], [b'a'; 512]].concat();
            assert_eq!(parts, [("system_a.img".to_owned(), system), ("vendor_a.img".to_owned(), vec![b'b'; 512])]);
        }
    }

    #[test]
    fn a_backup_counts_where_the_first_copy_is_damaged() {
        let mut image = image(&Tables::default());
        let expected = open(image.clone()).unwrap();
        image.copy_within(4096..8192, 8192);
        image[4100] ^= 1;
        assert_eq!(open(image.clone()).unwrap(), expected);
        // The backup of slot 0 follows the slots.
        let backup = 12288 + 1536;
        let used = metadata(&Tables::default()).len();
        let mut moved = vec![0; 30 * 512 + 1536];
        moved[..backup].copy_from_slice(&image[..backup]);
        let tables = Tables { partitions: vec![("x", 0, vec![(1, LINEAR, 32, 0)])], minor: 0 };
        moved[backup..backup + metadata(&tables).len()].copy_from_slice(&metadata(&tables));
        assert!(used < 1536);
        moved[12288 + 300] ^= 1;
        assert_eq!(open(moved).unwrap()[0].0, "x.img");
    }

    fn error(extents: Extents) -> String {
        let tables = Tables { partitions: vec![("odm", 0, extents)], minor: 0 };
        open(image(&tables)).unwrap_err().to_string()
    }

    #[test]
    fn extents_that_can_not_be_are_errors() {
        let overlapping = error(vec![(2, LINEAR, 27, 0), (1, LINEAR, 28, 0)]);
        assert!(overlapping.contains("target_data is 28, expected sectors of one extent"), "{overlapping}");
        assert!(error(vec![(1, LINEAR, 30, 0)]).contains("512 bytes are needed here"), "beyond the end");
        assert!(error(vec![(1, LINEAR, u64::MAX, 0)]).contains("bytes are needed here"), "a wrapping offset");
        assert!(error(vec![(u64::MAX, ZERO, 0, 0)]).contains("num_sectors * 512"), "a huge partition");
        assert!(error(vec![(1 << 54, ZERO, 0, 0), (1 << 63, ZERO, 0, 0)]).contains("num_sectors * 512"), "a huge sum");
        assert!(error(vec![(1, 2, 0, 0)]).contains("target_type is 2"), "an unknown type");
        assert!(error(vec![(1, LINEAR, 0, 9)]).contains("block_devices is 10, the limit is 2"), "an unknown device");
    }

    #[test]
    fn data_on_another_device_is_a_gap_that_names_it() {
        let message = error(vec![(1, LINEAR, 27, 0), (1, LINEAR, 0, 1)]);
        assert!(message.contains("another block device, system_b,"), "{message}");
    }

    #[test]
    fn counts_beyond_the_tables_are_errors_at_once() {
        let mut header = metadata(&Tables::default());
        for (at, what) in [(84, "partitions"), (96, "extents"), (120, "block_devices")] {
            header[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            header[12..44].fill(0);
            let mut image = image(&Tables::default());
            image[12288..12288 + 256].copy_from_slice(&sealed(header[..256].to_vec(), 12));
            let message = open(image).unwrap_err().to_string();
            assert!(message.contains(&format!("{what} is a table outside")), "{message}");
            header = metadata(&Tables::default());
        }
    }
}
