//! Content in compressed clusters.
//!
//! Behind the inode, aligned to 8, stands a header; where clusters begin and lie follows it in one of three forms.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `h_fragmentoff`, or 2 unused and `h_idata_size` (2), or the count of extents |
//! | 4 | 2 | `h_advise` |
//! | 6 | 1 | `h_algorithmtype`: low half of HEAD1, high half of HEAD2 (of extents: the count's high bits) |
//! | 7 | 1 | `h_clusterbits`: low half a logical cluster's size as a power of two above the block's; bit 7 see below |
//!
//! With bit 63 of the header's 8 bytes set, the whole file is a fragment at the offset that the rest says.

use std::sync::Arc;

use super::decode::{self, Codec, DECODED_BYTES};
use super::extents::Extents;
use super::index::Index;
use super::inode::{Inode, Layout};
use super::lclusters::Lclusters;
use super::volume::Volume;
use crate::bytes::{ParseError, ReadAt, SharedBytes, Window, le, read_vec_at};

const ADVISE_EXTENTS: u16 = 0x1;
const ADVISE_FRAGMENT: u16 = 0x20;
const WHOLE_FRAGMENT: u64 = 1 << 63;
/// The kernel's Z_EROFS_PCLUSTER_MAX_SIZE.
const CLUSTER_BYTES: u64 = 1 << 20;

/// The header and where it stands.
pub(super) struct Header {
    pub(super) index: Index,
    /// Byte offset in `index`.
    pub(super) offset: u64,
    /// All 8 bytes.
    pub(super) value: u64,
    pub(super) advise: u16,
    pub(super) algorithms: u8,
    pub(super) lcluster_bits: u32,
    pub(super) block_bits: u32,
    /// Length of the file.
    pub(super) len: u64,
}

impl Header {
    /// The last cluster is a fragment.
    pub(super) fn has_fragment(&self) -> bool {
        self.advise & ADVISE_FRAGMENT != 0
    }

    /// Logical clusters of the file.
    pub(super) fn lclusters(&self) -> u64 {
        self.len.div_ceil(1 << self.lcluster_bits)
    }
}

/// Where a cluster's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the volume.
    Volume { offset: u64, len: u64 },
    /// Behind the index, in what holds it.
    Inline { offset: u64, len: u64 },
    /// Nowhere: zeros.
    Hole,
    /// At that byte of the packed inode.
    Fragment(u64),
}

/// A run of the file that is stored as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cluster {
    /// First byte of the file.
    pub(super) start: u64,
    /// Bytes of the file, 1 or more.
    pub(super) len: u64,
    pub(super) place: Place,
    pub(super) codec: Codec,
}

enum Map {
    Lclusters(Lclusters),
    Extents(Extents),
}

struct Compressed {
    volume: Arc<Volume>,
    inode: u64,
    header: Header,
    map: Map,
    packed: Option<SharedBytes>,
}

/// `packed` is the inode that fragments are in; `None` where there must be none.
pub(super) fn open(volume: &Arc<Volume>, inode: &Inode, packed: Option<u64>) -> Result<SharedBytes, ParseError> {
    if inode.len == 0 {
        return Ok(Arc::new(Vec::new()));
    }
    let offset = inode.end.next_multiple_of(8);
    let index = Index::new(volume.clone(), inode.metadata.clone());
    let raw: [u8; 8] = index.read(offset)?;
    let [.., algorithms, cluster_bits] = raw;
    let block_bits = volume.superblock.block_bits;
    let header = Header {
        index,
        offset,
        value: u64::from_le_bytes(raw),
        advise: le::u16(&raw, 4).unwrap_or_default(),
        algorithms,
        lcluster_bits: block_bits + u32::from(cluster_bits & 15),
        block_bits,
        len: inode.len,
    };
    let whole = header.value & WHOLE_FRAGMENT != 0;
    let packed = match packed {
        Some(number) if whole || header.has_fragment() => {
            Some(volume.special(number).map_err(|error| error.within("packed inode"))?)
        }
        None if whole || header.has_fragment() => {
            return Err(ParseError::invalid(offset, "h_advise", "a fragment", "none, for nothing holds fragments"));
        }
        _ => None,
    };
    if let (true, Some(packed)) = (whole, &packed) {
        return Ok(Arc::new(Window::new(packed.clone(), header.value & !WHOLE_FRAGMENT, inode.len)?));
    }
    let map = match inode.layout {
        Layout::Full if header.advise & ADVISE_EXTENTS != 0 => Map::Extents(Extents::open(&header)?),
        layout => Map::Lclusters(Lclusters::open(&header, layout == Layout::Compact)?),
    };
    Ok(Arc::new(Compressed { volume: volume.clone(), inode: inode.number, header, map, packed }))
}

impl Compressed {
    /// Fills `buf` from the byte `within` of the cluster.
    fn read(&self, cluster: &Cluster, within: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let (source, offset, len) = match cluster.place {
            Place::Hole => {
                buf.fill(0);
                return Ok(());
            }
            Place::Fragment(offset) => {
                let Some(packed) = &self.packed else {
                    return Err(ParseError::invalid(self.header.offset, "fragment", "here", "none"));
                };
                return packed.read_exact_at(offset.saturating_add(within), buf);
            }
            Place::Volume { offset, len } => (&self.volume.bytes, offset, len),
            Place::Inline { offset, len } => (self.header.index.bytes(), offset, len),
        };
        if cluster.codec == Codec::Stored {
            if cluster.len > len {
                return Err(ParseError::invalid(offset, "stored cluster", cluster.len, "no more bytes than it has"));
            }
            return source.read_exact_at(offset.saturating_add(within), buf);
        }
        let key = (self.inode, cluster.start);
        let decoded = self.volume.clusters.get(key, || {
            let raw = read_vec_at(source.as_ref(), offset, len, "compressed cluster", CLUSTER_BYTES)?;
            if cluster.len > DECODED_BYTES {
                return Err(ParseError::limit(offset, "decoded cluster", cluster.len, DECODED_BYTES));
            }
            self.volume.budget.spend_decompressed(cluster.len)?;
            let turned = cluster.start % self.volume.superblock.block_size();
            let padded = self.volume.superblock.padded_in_front;
            let decoded = decode::decode(cluster.codec, &raw, cluster.len, turned, padded);
            decoded.map_err(|_| ParseError::invalid(offset, "compressed cluster", "damaged", cluster.codec.data()))
        })?;
        decoded.read_exact_at(within, buf)
    }
}

impl ReadAt for Compressed {
    fn len(&self) -> u64 {
        self.header.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let wanted = buf.len() as u64;
        let Some(end) = offset.checked_add(wanted).filter(|end| *end <= self.header.len) else {
            return Err(ParseError::truncated(offset, wanted, self.header.len));
        };
        let (mut rest, mut at) = (buf, offset);
        while at < end {
            let cluster = match &self.map {
                Map::Lclusters(map) => map.find(&self.header, at),
                Map::Extents(map) => map.find(&self.header, at),
            };
            let cluster = cluster.map_err(|error| error.within(format!("inode {}", self.inode)))?;
            let within = at.saturating_sub(cluster.start);
            let take = cluster.len.saturating_sub(within).min(end - at);
            let split = usize::try_from(take).ok().filter(|take| *take > 0);
            let Some((target, behind)) = split.and_then(|take| std::mem::take(&mut rest).split_at_mut_checked(take))
            else {
                return Err(ParseError::invalid(at, "cluster", "elsewhere", "one that holds this byte"));
            };
            let read = self.read(&cluster, within, target);
            read.map_err(|error| error.within(format!("inode {}", self.inode)))?;
            (rest, at) = (behind, at + take);
        }
        Ok(())
    }
}
