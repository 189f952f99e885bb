//! The superblock at byte 1024.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `magic`, 0xE0F5E1E2 |
//! | 12 | 1 | `blkszbits`: block size is 1 << it |
//! | 14 | 2 | `root_nid`, or the high bits of `blocks` if 112 has it |
//! | 36 | 4 | `blocks` |
//! | 40 | 4 | `meta_blkaddr`, where inode 0 would stand |
//! | 8 | 4 | `feature_compat` |
//! | 80 | 4 | `feature_incompat` |
//! | 84 | 2 | `available_compr_algs` if there are records of compression, else the distance of LZ4 |
//! | 86 | 2 | `extra_devices` |
//! | 88 | 2 | `devt_slotoff`: where their table begins, in entries of 128 bytes |
//! | 90 | 1 | `dirblkbits` |
//! | 96 | 8 | `packed_nid`: the inode that holds fragments |
//! | 112 | 8 | `root_nid` with 48BIT, 0 if 14 has it |
//! | 128 | 8 | `metabox_nid` with METABOX: the inode that holds inodes |

use crate::bytes::{ParseError, ReadAt, SharedBytes, le};
use crate::filesystem::names_of;

const START: u64 = 1024;
/// Bytes of an entry of the table of devices.
pub(super) const DEVICE_SLOT: u64 = 128;
const MAGIC: u32 = 0xE0F5_E1E2;

const INCOMPAT_ZERO_PADDING: u32 = 0x1;
const INCOMPAT_COMPR_CFGS: u32 = 0x2;
const INCOMPAT_FRAGMENTS: u32 = 0x20;
const INCOMPAT_48BIT: u32 = 0x80;
const INCOMPAT_METABOX: u32 = 0x100;
/// lz4_0padding, compr_cfgs or big_pcluster, chunked_file, device_table or compr_head2, ztailpacking, fragments or
/// dedupe, xattr_prefixes, 48bit, metabox.
const INCOMPAT_READ: u32 = 0x1FF;

/// Names of features, as the kernel's header has them; a bit with two meanings has both.
const COMPAT: &[(u32, &str)] =
    &[(0x1, "sb_chksum"), (0x2, "mtime"), (0x4, "xattr_filter"), (0x10, "plain_xattr_pfx"), (0x20, "ishare_xattrs")];
const INCOMPAT: &[(u32, &str)] = &[
    (INCOMPAT_ZERO_PADDING, "zero_padding"),
    (INCOMPAT_COMPR_CFGS, "compr_cfgs, big_pcluster"),
    (0x4, "chunked_file"),
    (0x8, "device_table, compr_head2"),
    (0x10, "ztailpacking"),
    (INCOMPAT_FRAGMENTS, "fragments, dedupe"),
    (0x40, "xattr_prefixes"),
    (INCOMPAT_48BIT, "48bit"),
    (INCOMPAT_METABOX, "metabox"),
];
const ALGORITHMS: &[(u32, &str)] = &[(0x1, "lz4"), (0x2, "lzma"), (0x4, "deflate"), (0x8, "zstd")];

/// What is needed to find an inode.
#[derive(Clone)]
pub(super) struct Superblock {
    pub(super) block_bits: u32,
    /// Byte offset that inode numbers count from.
    pub(super) inodes: u64,
    pub(super) root: u64,
    /// The inode that holds fragments.
    pub(super) packed: Option<u64>,
    /// The inode that holds the inodes whose number has bit 63 set.
    pub(super) metabox: Option<u64>,
    /// Block addresses have 48 bits.
    pub(super) wide: bool,
    /// LZ4 data stand at the end of their blocks; images before Linux 5.3 have them at the beginning.
    pub(super) padded_in_front: bool,
    /// Devices besides the first.
    pub(super) devices: u16,
    /// Byte offset of their table.
    pub(super) device_table: u64,
    /// Compatible, incompatible.
    feature_bits: [u32; 2],
    algorithms: u16,
}

impl Superblock {
    pub(super) fn read(volume: &SharedBytes) -> Result<Self, ParseError> {
        let mut raw = [0; 144];
        volume.read_exact_at(START, &mut raw)?;
        let byte = |at: usize| raw.get(at).copied().unwrap_or_default();
        let short = |at| le::u16(&raw, at).unwrap_or_default();
        let long = |at| le::u32(&raw, at).unwrap_or_default();
        let quad = |at| le::u64(&raw, at).unwrap_or_default();

        if long(0) != MAGIC {
            return Err(ParseError::invalid(START, "magic", format!("{:#x}", long(0)), "0xe0f5e1e2"));
        }
        let block_bits = u32::from(byte(12));
        if !(9..=16).contains(&block_bits) {
            return Err(ParseError::invalid(START + 12, "blkszbits", block_bits, "9 to 16"));
        }
        let incompat = long(80);
        if incompat & !INCOMPAT_READ != 0 {
            let feature = format!("the feature bit {:#x}", incompat & !INCOMPAT_READ);
            return Err(ParseError::unsupported(START + 80, feature));
        }
        if byte(90) != 0 {
            return Err(ParseError::invalid(START + 90, "dirblkbits", byte(90), "0"));
        }
        let wide = incompat & INCOMPAT_48BIT != 0;
        // With 48BIT too a root that fits into the old field stands there.
        let moved = wide && quad(112) != 0;
        let high = if moved { u64::from(short(14)) << 32 } else { 0 };
        let len = (high | u64::from(long(36))) << block_bits;
        if len > volume.len() {
            return Err(ParseError::truncated(START + 36, len, volume.len()).within("blocks"));
        }
        Ok(Self {
            block_bits,
            inodes: u64::from(long(40)) << block_bits,
            root: if moved { quad(112) } else { u64::from(short(14)) },
            packed: (incompat & INCOMPAT_FRAGMENTS != 0 && quad(96) != 0).then(|| quad(96)),
            metabox: (incompat & INCOMPAT_METABOX != 0).then(|| quad(128)),
            wide,
            padded_in_front: incompat & INCOMPAT_ZERO_PADDING != 0,
            devices: short(86),
            device_table: u64::from(short(88)) * DEVICE_SLOT,
            feature_bits: [long(8), incompat],
            algorithms: short(84),
        })
    }

    pub(super) fn features(&self) -> Vec<String> {
        let [compat, incompat] = self.feature_bits;
        let mut features = vec![format!("blocks of {} bytes", self.block_size())];
        if incompat & INCOMPAT_COMPR_CFGS != 0 {
            features.extend(names_of(u32::from(self.algorithms), ALGORITHMS));
        }
        features.extend(names_of(incompat, INCOMPAT));
        features.extend(names_of(compat, COMPAT));
        if self.devices > 0 {
            features.push(format!("{} more devices", self.devices));
        }
        features
    }

    pub(super) fn block_size(&self) -> u64 {
        1 << self.block_bits
    }

    /// Byte offset of a block.
    pub(super) fn block(&self, address: u64) -> u64 {
        address.saturating_mul(self.block_size())
    }
}
