//! An inode.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | `i_format`: bit 0 an extended inode of 64 bytes, else 32; bits 1 to 3 the layout; bit 4 see `i_nb` |
//! | 2 | 2 | `i_xattr_icount`: extended attributes behind the inode, 12 bytes and 4 for each above the first |
//! | 4 | 2 | `i_mode` |
//! | 6 | 2 | `i_nb`: links, or with 48BIT the high bits of the start block (extended inodes, or bit 4 of `i_format`) |
//! | 8 | 4 or 8 | `i_size` |
//! | 16 | 4 | `i_u`: start block, or format of chunks |

use super::volume::{Metadata, Volume};
use crate::bytes::{ParseError, le};
use crate::filesystem::NodeKind;

/// Extended inodes carry 64 bits; the kernel's limit is far below. 16 TiB as for ext4.
const FILE_BYTES: u64 = 1 << 44;

/// How the content is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// In one piece.
    Plain,
    /// Compressed, with 8 bytes of index for each logical cluster, or extents.
    Full,
    /// In one piece but for the last block, which stands behind the inode.
    Inline,
    /// Compressed, with 2 or 4 bytes of index for each logical cluster.
    Compact,
    /// In chunks of equal size.
    Chunks,
}

/// A used inode.
pub(super) struct Inode {
    pub(super) number: u64,
    /// Byte offset in `metadata`.
    pub(super) offset: u64,
    /// Byte offset of what follows inode and extended attributes.
    pub(super) end: u64,
    /// What `offset` and `end` count in: the volume or the metabox.
    pub(super) metadata: Metadata,
    pub(super) kind: NodeKind,
    pub(super) mode: u16,
    pub(super) len: u64,
    pub(super) layout: Layout,
    /// First block of the content; `None` if the content is a hole.
    pub(super) start: Option<u64>,
    /// The low half of `i_u`.
    pub(super) chunk_format: u16,
}

impl Inode {
    pub(super) fn read(volume: &Volume, number: u64) -> Result<Self, ParseError> {
        let (metadata, offset) = volume.place(number)?;
        let mut raw = [0; 64];
        let (compact, rest) = raw.split_at_mut(32);
        metadata.bytes().read_exact_at(offset, compact)?;
        let format = le::u16(compact, 0).unwrap_or_default();
        let extended = format & 1 != 0;
        if extended {
            metadata.bytes().read_exact_at(offset.saturating_add(32), rest)?;
        }
        let short = |at| le::u16(&raw, at).unwrap_or_default();
        let mode = short(4);
        let kind = match mode >> 12 {
            8 => NodeKind::File,
            4 => NodeKind::Directory,
            10 => NodeKind::Symlink,
            1 | 2 | 6 | 12 => NodeKind::Special,
            _ => return Err(ParseError::invalid(offset, "i_mode", format!("{mode:#o}"), "a kind of file")),
        };
        let layout = match format >> 1 & 7 {
            0 => Layout::Plain,
            1 => Layout::Full,
            2 => Layout::Inline,
            3 => Layout::Compact,
            4 => Layout::Chunks,
            found => return Err(ParseError::invalid(offset, "i_format", found, "a layout from 0 to 4")),
        };
        let low = le::u32(&raw, 8).map_or(0, u64::from);
        let len = if extended { le::u64(&raw, 8).unwrap_or_default() } else { low };
        if len > FILE_BYTES {
            return Err(ParseError::limit(offset + 8, "i_size", len, FILE_BYTES));
        }
        let wide = volume.superblock.wide && (extended || (format & 0x10 != 0 && kind != NodeKind::Directory));
        let mask = if wide { (1 << 48) - 1 } else { u64::from(u32::MAX) };
        let start = (u64::from(short(6)) << 32 | le::u32(&raw, 16).map_or(0, u64::from)) & mask;
        let attributes = match u64::from(short(2)) {
            0 => 0,
            count => 12 + 4 * (count - 1),
        };
        Ok(Self {
            number,
            offset,
            end: offset.saturating_add(if extended { 64 } else { 32 } + attributes),
            metadata,
            kind,
            mode: mode & 0o7777,
            len,
            layout,
            start: (start != mask).then_some(start),
            chunk_format: short(16),
        })
    }
}
