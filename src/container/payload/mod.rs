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
//! Read: REPLACE, and REPLACE_BZ, _XZ, _ZSTD, decoded where they are read and held against their SHA-256; ZERO and DISCARD. A plain
//! REPLACE is not hashed, since that would read all of it. A partition is a part named as it, with `.img`. The verity data that a device
//! computes reads as zeros.
//!
//! An incremental update makes blocks from those of a former build. Where that build is at hand ([`Budget::base`]), SOURCE_COPY,
//! SOURCE_BSDIFF and BROTLI_BSDIFF are read too, after the blocks they are made from were held against `src_sha256_hash`. All
//! else of an incremental update fails where it is read, and says by what; the rest of its partition can be read.
//! Not supported: major version 1 (ChromeOS); MOVE, BSDIFF, PUFFDIFF, ZUCCHINI, LZ4DIFF_BSDIFF, LZ4DIFF_PUFFDIFF.

mod bsdiff;
mod manifest;
mod operation;
mod partition;

use std::collections::BTreeSet;
use std::sync::Arc;

use manifest::Manifest;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, DecodedCache, ParseError, SharedBytes, Window, read_vec_at};

const HEADER_BYTES: u64 = 24;
/// Real ones have up to 2 MiB.
const MANIFEST_BYTES: u64 = 64 << 20;
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
            let bytes = partition::assemble(partition, &manifest, &store, first);
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

/// What the operations of a payload share.
struct Store {
    data: SharedBytes,
    cache: DecodedCache,
    budget: Arc<Budget>,
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use sha2::{Digest, Sha256};

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
        assert!(error(0, 512, &[(1, b"x", &[(0, u64::MAX / 512)])]).contains("bytes are needed here"), "a huge one");
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
    fn what_an_incremental_update_takes_from_a_former_build_is_named_and_the_rest_is_read() {
        let copy: &[Written<'_>] = &[(4, b"", &[(0, 1)]), (0, b"new", &[(1, 1)])];
        let parts: &[(&str, u64, &[Written<'_>])] = &[
            ("system", 1024, copy),
            ("product", 1024, &[(0, b"half", &[(1, 1)])]),
            ("vendor", 512, &[(11, b"", &[(0, 1)])]),
            ("odm", 512, &[(0, b"whole", &[(0, 1)])]),
        ];
        let part = Part { name: "payload.bin".to_owned(), bytes: Arc::new(payload(5, parts)) };
        let parts = Payload.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(Limits::default())).unwrap();
        let read = |index: usize, at| parts[index].bytes.read_exact_at(at, &mut [0; 512]).map_err(|e| e.to_string());
        let message = read(0, 0).unwrap_err();
        let expected = "operation 0: byte 0: an incremental update (SOURCE_COPY), made from the build before it, which is not here \
                        (--base), is not supported";
        assert_eq!(message, expected);
        let message = read(1, 0).unwrap_err();
        assert!(message.contains("an incremental update that keeps blocks of the device"), "{message}");
        let message = read(2, 0).unwrap_err();
        assert!(message.contains("operation 3: byte 0: ZUCCHINI of an incremental update"), "{message}");
        assert_eq!([read(0, 512), read(1, 512), read(3, 0)], [Ok(()), Ok(()), Ok(())]);
    }

    #[test]
    fn gigantic_counts_end_at_their_limits() {
        let operations = message(13, &[0x42, 0].repeat(manifest::OPERATIONS + 1));
        let head = [b"CrAU".as_slice(), &2_u64.to_be_bytes(), &(operations.len() as u64).to_be_bytes(), &[0; 4]];
        let message = open([head.concat(), operations].concat()).unwrap_err().to_string();
        assert!(message.contains("operations and extents"), "{message}");
        let mut sample = sample();
        sample[12..20].fill(0xff);
        assert!(open(sample).is_err());
    }
}
