//! An inode: a block of its own.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | `i_mode` |
//! | 2 | 1 | `i_advise`: 4 encrypted |
//! | 3 | 1 | `i_inline`: 1 extended attributes, 2 data, 4 a directory's entries, 0x20 the extra part |
//! | 16 | 8 | `i_size` |
//! | 80 | 4 | `i_flags`: 4 compressed |
//! | 360 | 2 | `i_extra_isize`: length of the extra part, if it is there |
//! | 362 | 2 | `i_inline_xattr_size`: addresses that give way to extended attributes, if the superblock says so |
//! | 392 | 1 | `i_compress_algorithm` |
//! | 393 | 1 | `i_log_cluster_size`: blocks of a cluster are 1 << it |
//! | 360 + extra part | | `i_addr`: addresses, or content after 4 bytes |
//! | footer - 20 | 5 * 4 | `i_nid`: 2 direct nodes, 2 indirect ones, 1 double indirect one |

use std::sync::Arc;

use super::superblock::Superblock;
use crate::bytes::{ParseError, le};
use crate::filesystem::NodeKind;

const ADDRESSES: usize = 360;
const ADVISE_ENCRYPTED: u8 = 0x4;
const INLINE_XATTR: u8 = 0x1;
const INLINE_DATA: u8 = 0x2;
const INLINE_DENTRY: u8 = 0x4;
const EXTRA_ATTR: u8 = 0x20;
const FLAG_COMPRESSED: u32 = 0x4;
/// The extra part that tells how a file is compressed.
const EXTRA_COMPRESS: usize = 36;
/// Addresses that extended attributes, and inline directories, take where the superblock says nothing else.
const XATTR_ADDRESSES: usize = 50;
/// 16 TiB as for ext4; the format ends at 4 TiB for blocks of 4 KiB.
const FILE_BYTES: u64 = 1 << 44;

/// How the clusters of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compression {
    pub(super) algorithm: u8,
    /// Blocks of a cluster are 1 << it.
    pub(super) cluster_bits: u32,
}

/// A used inode.
pub(super) struct Inode {
    pub(super) number: u32,
    /// Byte offset in the volume.
    pub(super) offset: u64,
    pub(super) kind: NodeKind,
    pub(super) mode: u16,
    pub(super) len: u64,
    pub(super) encrypted: bool,
    /// A directory's entries stand in the inode.
    pub(super) inline_entries: bool,
    inline_data: bool,
    pub(super) compression: Option<Compression>,
    block: Arc<Vec<u8>>,
    addresses_at: usize,
    /// Addresses in the inode, as they are left by everything else.
    room: usize,
    nodes_at: usize,
}

impl Inode {
    pub(super) fn parse(
        block: Arc<Vec<u8>>,
        number: u32,
        offset: u64,
        superblock: &Superblock,
    ) -> Result<Self, ParseError> {
        let byte = |at: usize| block.get(at).copied().unwrap_or_default();
        let short = |at: usize| le::u16(&block, at).unwrap_or_default();
        let mode = short(0);
        let kind = match mode >> 12 {
            8 => NodeKind::File,
            4 => NodeKind::Directory,
            10 => NodeKind::Symlink,
            1 | 2 | 6 | 12 => NodeKind::Special,
            _ => return Err(ParseError::invalid(offset, "i_mode", format!("{mode:#o}"), "a kind of file")),
        };
        let len = le::u64(&block, 16).unwrap_or_default();
        if len > FILE_BYTES {
            return Err(ParseError::limit(offset + 16, "i_size", len, FILE_BYTES));
        }
        let inline = byte(3);
        let extra = if inline & EXTRA_ATTR != 0 { usize::from(short(360)) } else { 0 };
        let xattr = if superblock.flexible_xattr && inline & EXTRA_ATTR != 0 {
            usize::from(short(362))
        } else if inline & (INLINE_XATTR | INLINE_DENTRY) != 0 {
            // Even without attributes an inline directory leaves the room for them.
            XATTR_ADDRESSES.min(superblock.inode_addresses() / 2)
        } else {
            0
        };
        let room = superblock.inode_addresses().checked_sub(extra / 4).and_then(|room| room.checked_sub(xattr));
        let Some(room) = room.filter(|room| *room > 1 && extra % 4 == 0) else {
            let found = format!("{extra} and {xattr} addresses");
            return Err(ParseError::invalid(offset + 360, "i_extra_isize", found, "what an inode has room for"));
        };
        let compressed = le::u32(&block, 80).unwrap_or_default() & FLAG_COMPRESSED != 0;
        let compression = (compressed && superblock.compression && extra >= EXTRA_COMPRESS && kind == NodeKind::File)
            .then(|| Compression { algorithm: byte(392), cluster_bits: u32::from(byte(393)) });
        if let Some(Compression { cluster_bits, .. }) = compression
            && !(2..=8).contains(&cluster_bits)
        {
            return Err(ParseError::invalid(offset + 393, "i_log_cluster_size", cluster_bits, "2 to 8"));
        }
        Ok(Self {
            number,
            offset,
            kind,
            mode: mode & 0o7777,
            len,
            encrypted: byte(2) & ADVISE_ENCRYPTED != 0,
            inline_entries: inline & INLINE_DENTRY != 0,
            inline_data: inline & INLINE_DATA != 0,
            compression,
            block,
            addresses_at: ADDRESSES + extra,
            room,
            nodes_at: superblock.footer() - 20,
        })
    }

    /// What stands in the inode in the place of addresses.
    pub(super) fn inline(&self) -> &[u8] {
        let start = self.addresses_at + 4;
        self.block.get(start..start + (self.room - 1) * 4).unwrap_or_default()
    }

    /// A file's content, if it stands in the inode.
    pub(super) fn inline_content(&self) -> Option<Result<&[u8], ParseError>> {
        let content = usize::try_from(self.len).ok().and_then(|len| self.inline().get(..len));
        let expected = "what an inode has room for";
        self.inline_data
            .then(|| content.ok_or_else(|| ParseError::invalid(self.offset + 16, "i_size", self.len, expected)))
    }

    /// Blocks that addresses come in: those of a cluster stand together.
    pub(super) fn cluster_blocks(&self) -> usize {
        self.compression.map_or(1, |compression| 1 << compression.cluster_bits)
    }

    /// Addresses in the inode, whole clusters of them.
    pub(super) fn addresses(&self) -> usize {
        self.room / self.cluster_blocks() * self.cluster_blocks()
    }

    pub(super) fn address(&self, index: usize) -> u32 {
        le::u32(&self.block, self.addresses_at + index * 4).unwrap_or_default()
    }

    /// The number of a node of addresses: 0 and 1 direct, 2 and 3 indirect, 4 double indirect.
    pub(super) fn node(&self, index: usize) -> u32 {
        le::u32(&self.block, self.nodes_at + index * 4).unwrap_or_default()
    }
}
