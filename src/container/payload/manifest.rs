//! What a payload says of itself.
//!
//! The protobuf `DeltaArchiveManifest`: 3 `block_size`, 12 `minor_version`, 13 `partitions`. A partition: 1 `partition_name`,
//! 7 `new_partition_info` (1 size), 8 `operations`, 11 `hash_tree_extent`, 15 `fec_extent`. An operation: 1 type, 2 `data_offset`, 3 `data_length`,
//! 4 `src_extents`, 5 `src_length`, 6 `dst_extents`, 8 `data_sha256_hash`, 9 `src_sha256_hash`. An extent: 1 `start_block`, 2 `num_blocks`.

use crate::bytes::ParseError;
use crate::bytes::protobuf::Fields;

/// Operations of one payload, and extents of them: 16 GiB in the smallest operations known, 512 KiB, are 32,768.
pub(super) const OPERATIONS: usize = 1 << 20;

pub(super) struct Manifest {
    pub(super) block_size: u64,
    pub(super) incremental: bool,
    pub(super) partitions: Vec<Partition>,
}

pub(super) struct Partition {
    pub(super) name: String,
    pub(super) size: Option<u64>,
    pub(super) operations: Vec<Operation>,
    /// Blocks that the device computes: hash tree and error correction.
    pub(super) computed: Vec<Extent>,
}

#[derive(Default)]
pub(super) struct Operation {
    /// As in `InstallOperation.Type`.
    pub(super) kind: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) sources: Vec<Extent>,
    /// Bytes of the sources that count, where that is not all.
    pub(super) source_length: Option<u64>,
    pub(super) extents: Vec<Extent>,
    pub(super) sha256: Option<Vec<u8>>,
    pub(super) source_sha256: Option<Vec<u8>>,
}

/// A run of blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) blocks: u64,
}

impl Manifest {
    pub(super) fn parse(raw: &[u8]) -> Result<Self, ParseError> {
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
        let mut partition = Self { name: String::new(), size: None, operations: Vec::new(), computed: Vec::new() };
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
                11 | 15 => {
                    partition.computed.push(Extent::parse(bytes)?);
                    *count += 1;
                }
                _ => {}
            }
            within(*count)?;
        }
        Ok(partition)
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
                4 => {
                    operation.sources.push(Extent::parse(bytes)?);
                    *count += 1;
                }
                5 => operation.source_length = Some(number).filter(|length| *length > 0),
                6 => {
                    operation.extents.push(Extent::parse(bytes)?);
                    *count += 1;
                }
                8 if !bytes.is_empty() => operation.sha256 = Some(bytes.to_vec()),
                9 if !bytes.is_empty() => operation.source_sha256 = Some(bytes.to_vec()),
                _ => {}
            }
            within(*count)?;
        }
        Ok(operation)
    }

    /// The name of its type, where it has one.
    pub(super) fn name(&self) -> String {
        const NAMES: [&str; 15] = [
            "REPLACE",
            "REPLACE_BZ",
            "MOVE",
            "BSDIFF",
            "SOURCE_COPY",
            "SOURCE_BSDIFF",
            "ZERO",
            "DISCARD",
            "REPLACE_XZ",
            "PUFFDIFF",
            "BROTLI_BSDIFF",
            "ZUCCHINI",
            "LZ4DIFF_BSDIFF",
            "LZ4DIFF_PUFFDIFF",
            "REPLACE_ZSTD",
        ];
        let name = usize::try_from(self.kind).ok().and_then(|kind| NAMES.get(kind));
        name.map_or_else(|| format!("operation type {}", self.kind), |name| (*name).to_owned())
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

    /// First byte and length.
    pub(super) fn bytes(self, block: u64) -> Result<(u64, u64), ParseError> {
        let range = self.start.checked_mul(block).zip(self.blocks.checked_mul(block));
        let range = range.filter(|(start, len)| start.checked_add(*len).is_some());
        range.ok_or_else(|| ParseError::invalid(0, "start_block", self.start, "blocks of the partition"))
    }
}

/// Bytes of all extents; `u64::MAX` for more than there can be.
pub(super) fn total(extents: &[Extent], block: u64) -> u64 {
    let blocks = extents.iter().try_fold(0_u64, |sum, extent| sum.checked_add(extent.blocks));
    blocks.and_then(|blocks| blocks.checked_mul(block)).unwrap_or(u64::MAX)
}

fn within(count: usize) -> Result<(), ParseError> {
    if count > OPERATIONS {
        return Err(ParseError::limit(0, "operations and extents", count as u64, OPERATIONS as u64));
    }
    Ok(())
}
