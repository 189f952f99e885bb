//! The A/B update payload, `payload.bin` (AOSP `update_engine/update_metadata.proto`, major version 2).
//!
//! The header's numbers are big endian:
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | magic | `CrAU` |
//! | 4 | 8 | `file_format_version` | 2 |
//! | 12 | 8 | `manifest_size` | bytes of the manifest that follows the header |
//! | 20 | 4 | `metadata_signature_size` | bytes after the manifest; then the operations' data |
//!
//! The manifest is a protobuf `DeltaArchiveManifest`: 3 `block_size`, 12 `minor_version`, 13 `partitions`. A partition: 1 `partition_name`,
//! 7 `new_partition_info` (1 size), 8 `operations`, 11 `hash_tree_extent`, 15 `fec_extent`. An operation: 1 type, 2 `data_offset`, 3 `data_length`,
//! 4 `src_extents`, 6 `dst_extents`, 8 `data_sha256_hash`. An extent: 1 `start_block`, 2 `num_blocks`.
//!
//! Read: REPLACE, and REPLACE_BZ, _XZ, _ZSTD, decoded where they are read and held against their SHA-256; ZERO and DISCARD. A plain
//! REPLACE is not hashed, since that would read all of it. A partition is a part named as it, with `.img`; one that is made from
//! the device's former content can't be read, and says so when it is. The verity data that a device computes reads as zeros.
//! Not supported: major version 1 (ChromeOS).

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::protobuf::Fields;
use crate::bytes::{
    Budget, Codec, DecodedCache, ExtentMap, Failed, ParseError, ReadAt, SharedBytes, Window, read_vec_at,
};

const HEADER_BYTES: u64 = 24;
/// Real ones have up to 2 MiB.
const MANIFEST_BYTES: u64 = 64 << 20;
/// Operations of one payload, and extents of them: 16 GiB in the smallest operations known, 512 KiB, are 32,768.
const OPERATIONS: usize = 1 << 20;
/// As for sparse images.
const IMAGE_BYTES: u64 = 1 << 44;

/// The format.
pub(super) struct Payload;

impl ContainerFormat for Payload {
    fn name(&self) -> &'static str {
        "payload"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"CrAU")
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let header = read_vec_at(source.as_ref(), 0, HEADER_BYTES, "header", HEADER_BYTES)?;
        let field = |range: std::ops::Range<usize>| {
            header.get(range).unwrap_or_default().iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let (version, size, signature) = (field(4..12), field(12..20), field(20..24));
        if version != 2 {
            return Err(ParseError::unsupported(4, format!("version {version} of the payload format")));
        }
        let raw = read_vec_at(source.as_ref(), HEADER_BYTES, size, "manifest_size", MANIFEST_BYTES)?;
        let manifest = Manifest::parse(&raw).map_err(|error| error.within("manifest"))?;
        let data = HEADER_BYTES + size + signature;
        let data_len = source.len().checked_sub(data).ok_or_else(|| ParseError::truncated(data, 1, source.len()))?;
        let store = Arc::new(Store {
            data: Arc::new(Window::new(source.clone(), data, data_len)?),
            cache: budget.decoded(),
            budget: budget.clone(),
        });
        let count = manifest.partitions.len() as u64;
        if count > budget.limits.parts {
            return Err(ParseError::limit(0, "partitions", count, budget.limits.parts));
        }
        let mut names = BTreeSet::new();
        let mut first = 0;
        let mut parts = Vec::new();
        for partition in &manifest.partitions {
            if !names.insert(&partition.name) {
                return Err(ParseError::invalid(0, "partition_name", &partition.name, "a name used once"));
            }
            let bytes = partition.assemble(&manifest, &store, first);
            let bytes = bytes.map_err(|error| error.within(partition.name.clone()))?;
            parts.push(Part { name: format!("{}.img", partition.name), bytes });
            first += partition.operations.len() as u64;
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::sample()
    }
}

struct Manifest {
    block_size: u64,
    incremental: bool,
    partitions: Vec<Partition>,
}

struct Partition {
    name: String,
    size: Option<u64>,
    operations: Vec<Operation>,
    /// Blocks that the device computes: hash tree and error correction.
    computed: u64,
}

#[derive(Default)]
struct Operation {
    kind: u64,
    offset: u64,
    length: u64,
    from_source: bool,
    extents: Vec<Extent>,
    sha256: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Default)]
struct Extent {
    start: u64,
    blocks: u64,
}

impl Manifest {
    fn parse(raw: &[u8]) -> Result<Self, ParseError> {
        let mut manifest = Self { block_size: 4096, incremental: false, partitions: Vec::new() };
        let mut count = 0;
        for field in Fields::of(raw) {
            match field? {
                (3, value) => manifest.block_size = value.number().unwrap_or_default(),
                (12, value) => manifest.incremental = value.number() != Some(0),
                (13, value) => {
                    let partition = Partition::parse(value.bytes().unwrap_or_default(), &mut count)?;
                    manifest.partitions.push(partition);
                }
                _ => {}
            }
        }
        if !(512..=1 << 20).contains(&manifest.block_size) || !manifest.block_size.is_power_of_two() {
            return Err(ParseError::invalid(0, "block_size", manifest.block_size, "a power of 2 from 512 to 1048576"));
        }
        Ok(manifest)
    }
}

impl Partition {
    fn parse(raw: &[u8], count: &mut usize) -> Result<Self, ParseError> {
        let mut partition = Self { name: String::new(), size: None, operations: Vec::new(), computed: 0 };
        for field in Fields::of(raw) {
            let (number, value) = field?;
            let bytes = value.bytes().unwrap_or_default();
            match number {
                1 => partition.name = String::from_utf8_lossy(bytes).into_owned(),
                7 => {
                    for field in Fields::of(bytes) {
                        if let (1, size) = field? {
                            partition.size = size.number();
                        }
                    }
                }
                8 => partition.operations.push(Operation::parse(bytes, count)?),
                11 | 15 => partition.computed = partition.computed.saturating_add(Extent::parse(bytes)?.blocks),
                _ => {}
            }
            if *count > OPERATIONS {
                return Err(ParseError::limit(0, "operations and extents", *count as u64, OPERATIONS as u64));
            }
        }
        Ok(partition)
    }

    /// The partition's bytes; `first` is the number of its first operation in the payload.
    fn assemble(&self, manifest: &Manifest, store: &Arc<Store>, first: u64) -> Result<SharedBytes, ParseError> {
        let block = manifest.block_size;
        let extents = || self.operations.iter().flat_map(|operation| &operation.extents);
        let end = extents().map(|extent| extent.start.saturating_add(extent.blocks)).max().unwrap_or_default();
        let size = self.size.unwrap_or_else(|| end.saturating_mul(block));
        if size > IMAGE_BYTES {
            return Err(ParseError::limit(0, "size", size, IMAGE_BYTES));
        }
        // In an incremental update, blocks that no operation writes keep what they held.
        let written = extents().fold(self.computed, |sum, extent| sum.saturating_add(extent.blocks));
        let kept = manifest.incremental && written.saturating_mul(block) < size;
        if kept || self.operations.iter().any(|operation| operation.from_source) {
            let feature = "an incremental update, made from the build before it, which is not here,";
            return Ok(Arc::new(Failed::new(size, ParseError::unsupported(0, feature))));
        }
        let mut pieces = Vec::new();
        for (number, operation) in (first..).zip(&self.operations) {
            let bytes = operation.bytes(number, block, store)?;
            let mut offset = 0_u64;
            for extent in &operation.extents {
                let (start, len) = (extent.start.checked_mul(block), extent.blocks.checked_mul(block));
                let range = start.zip(len).filter(|(start, len)| start.checked_add(*len).is_some());
                let outside = || ParseError::invalid(0, "start_block", extent.start, "blocks of the partition");
                let (start, len) = range.ok_or_else(outside)?;
                pieces.push((start, len, offset, bytes.clone()));
                offset = offset.checked_add(len).ok_or_else(outside)?;
            }
        }
        // In order, so that each is put at the end.
        pieces.sort_by_key(|(start, ..)| *start);
        let mut map = ExtentMap::new(size.next_multiple_of(block));
        for (start, len, offset, bytes) in pieces {
            match bytes {
                None => map.fill(start, len, [0; 4])?,
                Some(bytes) => {
                    // What the data does not fill is zero.
                    let stored = bytes.len().saturating_sub(offset).min(len);
                    map.store(start, bytes, offset, stored)?;
                    map.fill(start + stored, len - stored, [0; 4])?;
                }
            }
        }
        Ok(Arc::new(Window::new(map.shared(), 0, size)?))
    }
}

impl Operation {
    fn parse(raw: &[u8], count: &mut usize) -> Result<Self, ParseError> {
        let mut operation = Self::default();
        *count += 1;
        for field in Fields::of(raw) {
            let (field, value) = field?;
            let (number, bytes) = (value.number().unwrap_or_default(), value.bytes().unwrap_or_default());
            match field {
                1 => operation.kind = number,
                2 => operation.offset = number,
                3 => operation.length = number,
                4 => operation.from_source = true,
                6 => {
                    operation.extents.push(Extent::parse(bytes)?);
                    *count += 1;
                }
                8 if !bytes.is_empty() => operation.sha256 = Some(bytes.to_vec()),
                _ => {}
            }
            if *count > OPERATIONS {
                return Err(ParseError::limit(0, "operations and extents", *count as u64, OPERATIONS as u64));
            }
        }
        // MOVE, BSDIFF, SOURCE_COPY, SOURCE_BSDIFF, PUFFDIFF, BROTLI_BSDIFF, ZUCCHINI, LZ4DIFF_BSDIFF, LZ4DIFF_PUFFDIFF
        operation.from_source |= [2, 3, 4, 5, 9, 10, 11, 12, 13].contains(&operation.kind);
        Ok(operation)
    }

    /// What the operation writes, one extent after another; `None` for zeros.
    fn bytes(&self, number: u64, block: u64, store: &Arc<Store>) -> Result<Option<SharedBytes>, ParseError> {
        let codec = match self.kind {
            6 | 7 => return Ok(None),
            0 => None,
            1 => Some(Codec::Bzip2),
            8 => Some(Codec::Xz),
            14 => Some(Codec::Zstd),
            other => return Err(ParseError::unsupported(0, format!("operation type {other}"))),
        };
        let data: SharedBytes = Arc::new(Window::new(store.data.clone(), self.offset, self.length)?);
        let blocks = self.extents.iter().try_fold(0_u64, |sum, extent| sum.checked_add(extent.blocks));
        let len = blocks.and_then(|blocks| blocks.checked_mul(block)).unwrap_or(u64::MAX);
        let Some(codec) = codec else {
            if self.length > len {
                return Err(ParseError::invalid(self.offset, "data_length", self.length, "what dst_extents hold"));
            }
            return Ok(Some(data));
        };
        // An operation is decoded as a whole.
        let limit = store.budget.limits.memory / 2;
        if len > limit {
            return Err(ParseError::limit(self.offset, "bytes of an operation", len, limit));
        }
        let sha256 = self.sha256.clone();
        Ok(Some(Arc::new(Encoded { number, codec, data, len, sha256, store: store.clone() })))
    }
}

impl Extent {
    fn parse(raw: &[u8]) -> Result<Self, ParseError> {
        let mut extent = Self::default();
        for field in Fields::of(raw) {
            match field? {
                (1, value) => extent.start = value.number().unwrap_or_default(),
                (2, value) => extent.blocks = value.number().unwrap_or_default(),
                _ => {}
            }
        }
        Ok(extent)
    }
}

/// What the operations of a payload share.
struct Store {
    data: SharedBytes,
    cache: DecodedCache,
    budget: Arc<Budget>,
}

/// A compressed operation's output.
struct Encoded {
    number: u64,
    codec: Codec,
    data: SharedBytes,
    len: u64,
    sha256: Option<Vec<u8>>,
    store: Arc<Store>,
}

impl Encoded {
    fn decode(&self) -> Result<Vec<u8>, ParseError> {
        let length = self.data.len();
        let raw = read_vec_at(self.data.as_ref(), 0, length, "data_length", self.store.budget.limits.memory)?;
        if let Some(expected) = &self.sha256
            && Sha256::digest(&raw).as_slice() != expected.as_slice()
            && !cfg!(fuzzing)
        {
            let found: String = expected.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            return Err(ParseError::invalid(0, "data_sha256_hash", format!("{found}..."), "the hash of the data"));
        }
        let mut decoded = self.codec.decode(Arc::new(raw), self.len, &self.store.budget)?;
        // What the data does not fill is zero.
        decoded.resize(usize::try_from(self.len).unwrap_or_default(), 0);
        Ok(decoded)
    }
}

impl ReadAt for Encoded {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            return Err(ParseError::truncated(offset, buf.len() as u64, self.len));
        }
        let decode = || self.decode().map_err(|error| error.within(format!("operation {}", self.number)));
        let decoded = self.store.cache.get((self.number, 0), decode)?;
        decoded.as_ref().read_exact_at(offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::bytes::Limits;

    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value > 0x7f {
            out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        out.push(u8::try_from(value).unwrap());
        out
    }

    fn number(field: u64, value: u64) -> Vec<u8> {
        [varint(field << 3), varint(value)].concat()
    }

    fn message(field: u64, value: &[u8]) -> Vec<u8> {
        [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
    }

    /// An operation: type, data, extents in blocks of 512 bytes.
    type Written<'a> = (u64, &'a [u8], &'a [(u64, u64)]);

    fn payload(minor: u64, partitions: &[(&str, u64, &[Written<'_>])]) -> Vec<u8> {
        let (mut manifest, mut data) = ([number(3, 512), number(12, minor)].concat(), Vec::new());
        for (name, size, operations) in partitions {
            let mut partition = [message(1, name.as_bytes()), message(7, &number(1, *size))].concat();
            for (kind, blob, extents) in *operations {
                let mut operation =
                    [number(1, *kind), number(2, data.len() as u64), number(3, blob.len() as u64)].concat();
                for (start, blocks) in *extents {
                    operation.extend(message(6, &[number(1, *start), number(2, *blocks)].concat()));
                }
                operation.extend(message(8, &Sha256::digest(blob)));
                data.extend_from_slice(blob);
                partition.extend(message(8, &operation));
            }
            manifest.extend(message(13, &partition));
        }
        let head = [b"CrAU".as_slice(), &2_u64.to_be_bytes(), &(manifest.len() as u64).to_be_bytes(), &[0; 4]].concat();
        [head, manifest, data].concat()
    }

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    pub(super) fn sample() -> Vec<u8> {
        let packed = bzip2(&[[b'x'; 512], [b'y'; 512]].concat());
        let system: &[Written<'_>] = &[(1, &packed, &[(3, 1), (0, 1)]), (6, b"", &[(1, 1)]), (0, b"plain", &[(2, 1)])];
        payload(0, &[("system", 2000, system), ("vendor", 512, &[(7, b"", &[(0, 1)])])])
    }

    fn open(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, ParseError> {
        let part = Part { name: "payload.bin".to_owned(), bytes: Arc::new(bytes) };
        let parts = Payload.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default()))?;
        let read = |part: Part| Ok((part.name, read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 20)?));
        parts.into_iter().map(read).collect()
    }

    #[test]
    fn operations_of_any_order_and_several_extents_make_the_partition() {
        let mut plain = b"plain".to_vec();
        plain.resize(512, 0);
        let system = [vec![b'y'; 512], vec![0; 512], plain, vec![b'x'; 2000 - 3 * 512]].concat();
        let expected = [("system.img".to_owned(), system), ("vendor.img".to_owned(), vec![0; 512])];
        assert_eq!(open(sample()).unwrap(), expected);
    }

    #[test]
    fn an_operation_is_decoded_once_for_all_that_read_it() {
        let part = Part { name: "payload.bin".to_owned(), bytes: Arc::new(sample()) };
        let budget = Budget::new(Limits::default());
        let parts = Payload.open(&PartSet { part: &part, siblings: &[] }, &budget).unwrap();
        assert_eq!(budget.decompressed(), 0);
        for _ in 0..3 {
            parts[0].bytes.read_exact_at(0, &mut [0; 2000]).unwrap();
        }
        assert_eq!(budget.decompressed(), 1024);
    }

    fn error(minor: u64, size: u64, operations: &[Written<'_>]) -> String {
        open(payload(minor, &[("odm", size, operations)])).unwrap_err().to_string()
    }

    #[test]
    fn extents_that_can_not_be_are_errors() {
        let message = error(0, 4096, &[(6, b"", &[(0, 2)]), (0, b"x", &[(1, 1)])]);
        assert!(message.contains("odm: byte 512: range is overlapping another"), "{message}");
        assert!(error(0, 512, &[(6, b"", &[(1, 1)])]).contains("512 bytes are needed here"), "beyond the end");
        assert!(error(0, 512, &[(6, b"", &[(u64::MAX, 1)])]).contains("start_block"), "a wrapping start");
        assert!(error(0, 512, &[(1, b"x", &[(0, u64::MAX / 512)])]).contains("bytes of an operation"), "a huge one");
        assert!(error(0, 1 << 60, &[]).contains("size is"), "a huge partition");
        assert!(error(0, 512, &[(0, &[1; 513], &[(0, 1)])]).contains("data_length is 513"), "more data than blocks");
    }

    #[test]
    fn a_bomb_and_a_wrong_hash_are_errors_of_the_read() {
        let bomb = bzip2(&vec![0; 1 << 20]);
        let message = error(0, 512, &[(1, &bomb, &[(0, 1)])]);
        assert!(message.contains("operation 0: bzip2: byte 0: decoded bytes is"), "{message}");
        let mut changed = sample();
        let at = changed.len() - 20;
        changed[at] ^= 1;
        let message = open(changed).unwrap_err().to_string();
        assert!(message.contains("data_sha256_hash"), "{message}");
    }

    #[test]
    fn an_incremental_partition_is_named_and_others_are_read() {
        let parts: &[(&str, u64, &[Written<'_>])] = &[
            ("system", 512, &[(4, b"", &[(0, 1)])]),
            ("product", 1024, &[(0, b"half", &[(0, 1)])]),
            ("vendor", 512, &[(0, b"whole", &[(0, 1)])]),
        ];
        let part = Part { name: "payload.bin".to_owned(), bytes: Arc::new(payload(5, parts)) };
        let parts = Payload.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
        let read: Vec<_> = parts.iter().map(|part| part.bytes.read_exact_at(0, &mut [0; 512])).collect();
        for (part, result) in parts.iter().zip(&read).take(2) {
            let message = result.clone().unwrap_err().to_string();
            assert!(message.contains("an incremental update"), "{}: {message}", part.name);
        }
        assert_eq!(read[2], Ok(()));
    }

    #[test]
    fn gigantic_counts_end_at_their_limits() {
        let operations = message(13, &[0x42, 0].repeat(OPERATIONS + 1));
        let head = [b"CrAU".as_slice(), &2_u64.to_be_bytes(), &(operations.len() as u64).to_be_bytes(), &[0; 4]];
        let message = open([head.concat(), operations].concat()).unwrap_err().to_string();
        assert!(message.contains("operations and extents"), "{message}");
        let mut sample = sample();
        sample[12..20].fill(0xff);
        assert!(open(sample).is_err());
    }
}
