//! The superblock at byte 1024; a copy stands one block further.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `magic`, 0xF2F52010 |
//! | 16 | 4 | `log_blocksize`: block size is 1 << it |
//! | 20 | 4 | `log_blocks_per_seg`: blocks of a segment are 1 << it |
//! | 76 | 4 | `cp_blkaddr`, where the checkpoint packs begin |
//! | 84 | 4 | `nat_blkaddr`, where the node address table begins |
//! | 92 | 4 | `main_blkaddr`, where nodes and data begin |
//! | 96 | 4 | `root_ino` |
//! | 1664 | 4 | `cp_payload`: blocks that follow a pack's first one |
//! | 2180 | 4 | `feature` |
//! | 2201 | 8 * 68 | `devs`: a path of 64 bytes and a count of segments each |

use crate::bytes::{ParseError, SharedBytes, le};
use crate::filesystem::names_of;

const START: u64 = 1024;
const MAGIC: u32 = 0xF2F5_2010;
const FEATURE_FLEXIBLE_INLINE_XATTR: u32 = 0x40;
const FEATURE_COMPRESSION: u32 = 0x2000;
const FEATURE_READ_ONLY: u32 = 0x4000;
/// Bytes of an inode that are neither addresses nor the footer: 360 before, five node numbers behind.
const INODE_FIXED: usize = 360 + 20;
/// Every node ends with its number, its inode's number, flags, the checkpoint's version and the next address.
const FOOTER: usize = 24;

/// Names of features, as `mkfs.f2fs -O` takes them.
const FEATURES: &[(u32, &str)] = &[
    (0x1, "encrypt"),
    (0x2, "blkzoned"),
    (0x8, "extra_attr"),
    (0x10, "project_quota"),
    (0x20, "inode_checksum"),
    (FEATURE_FLEXIBLE_INLINE_XATTR, "flexible_inline_xattr"),
    (0x80, "quota"),
    (0x100, "inode_crtime"),
    (0x200, "lost_found"),
    (0x400, "verity"),
    (0x800, "sb_checksum"),
    (0x1000, "casefold"),
    (FEATURE_COMPRESSION, "compression"),
    (FEATURE_READ_ONLY, "ro"),
];

/// Where the parts of the volume are.
pub(super) struct Superblock {
    pub(super) block_bits: u32,
    pub(super) segment_bits: u32,
    pub(super) checkpoint: u32,
    pub(super) nat: u32,
    pub(super) main: u32,
    pub(super) root: u32,
    pub(super) checkpoint_payload: u32,
    /// Inodes say themselves how much room extended attributes take in them.
    pub(super) flexible_xattr: bool,
    pub(super) compression: bool,
    pub(super) read_only: bool,
    feature: u32,
}

impl Superblock {
    pub(super) fn read(volume: &SharedBytes) -> Result<Self, ParseError> {
        let first = Self::read_at(volume, START);
        match first {
            Ok(superblock) => Ok(superblock),
            // The copy's place depends on the size of blocks, which the first may not tell any more.
            Err(error) => Self::read_at(volume, START + 4096).map_err(|_| error),
        }
    }

    fn read_at(volume: &SharedBytes, start: u64) -> Result<Self, ParseError> {
        let mut raw = [0; 3072];
        volume.read_exact_at(start, &mut raw)?;
        let long = |at: usize| le::u32(&raw, at).unwrap_or_default();

        if long(0) != MAGIC {
            return Err(ParseError::invalid(start, "magic", format!("{:#x}", long(0)), "0xf2f52010"));
        }
        if !(9..=16).contains(&long(16)) {
            return Err(ParseError::invalid(start + 16, "log_blocksize", long(16), "9 to 16"));
        }
        if !(2..=12).contains(&long(20)) {
            return Err(ParseError::invalid(start + 20, "log_blocks_per_seg", long(20), "2 to 12"));
        }
        if long(1664) >= 1 << long(20) {
            return Err(ParseError::invalid(start + 1664, "cp_payload", long(1664), "less than a segment"));
        }
        // The first device is the volume itself, which may be named.
        if raw.get(2201 + 68).is_some_and(|byte| *byte != 0) {
            return Err(ParseError::unsupported(start + 2201 + 68, "a volume on several devices"));
        }
        for (at, field) in [(76, "cp_blkaddr"), (84, "nat_blkaddr"), (92, "main_blkaddr"), (96, "root_ino")] {
            if long(at) == 0 {
                return Err(ParseError::invalid(start + at as u64, field, 0, "more than 0"));
            }
        }
        let feature = long(2180);
        Ok(Self {
            block_bits: long(16),
            segment_bits: long(20),
            checkpoint: long(76),
            nat: long(84),
            main: long(92),
            root: long(96),
            checkpoint_payload: long(1664),
            flexible_xattr: feature & FEATURE_FLEXIBLE_INLINE_XATTR != 0,
            compression: feature & FEATURE_COMPRESSION != 0,
            read_only: feature & FEATURE_READ_ONLY != 0,
            feature,
        })
    }

    pub(super) fn features(&self) -> Vec<String> {
        let size = format!("blocks of {} bytes", self.block_size());
        std::iter::once(size).chain(names_of(self.feature, FEATURES)).collect()
    }

    pub(super) fn block_size(&self) -> usize {
        1 << self.block_bits
    }

    /// Byte offset of a block.
    pub(super) fn block(&self, address: u64) -> u64 {
        address << self.block_bits
    }

    /// Byte offset of a node's footer in its block.
    pub(super) fn footer(&self) -> usize {
        self.block_size() - FOOTER
    }

    /// Addresses that an inode has room for before anything else takes some of it.
    pub(super) fn inode_addresses(&self) -> usize {
        (self.footer() - INODE_FIXED) / 4
    }

    /// Addresses, or numbers of nodes, in a node that is no inode.
    pub(super) fn node_addresses(&self) -> usize {
        self.footer() / 4
    }
}
