//! An inode.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 2 | `i_mode` |
//! | 0x04 | 4 | `i_size_lo` |
//! | 0x20 | 4 | `i_flags` |
//! | 0x28 | 60 | `i_block`: extents, block map, link target or inline data |
//! | 0x6C | 4 | `i_size_high`, of files |
//! | 0x80 | 2 | `i_extra_isize`; extended attributes stand behind it |

use super::superblock::Superblock;
use crate::bytes::{ParseError, ReadAt, SharedBytes, le, read_vec_at};
use crate::filesystem::NodeKind;

const FLAG_ENCRYPTED: u32 = 0x800;
const FLAG_EXTENTS: u32 = 0x8_0000;
const FLAG_INLINE: u32 = 0x1000_0000;
const ATTRIBUTES_MAGIC: u32 = 0xEA02_0000;
/// Name index of `system.`.
const INDEX_SYSTEM: u8 = 7;
/// 16 TiB, what an extent's 32-bit block numbers reach with 4 KiB blocks.
const FILE_BYTES: u64 = 1 << 44;

/// A used inode that this reader can read.
pub(super) struct Inode {
    /// Byte offset in the volume.
    pub(super) offset: u64,
    pub(super) kind: NodeKind,
    pub(super) mode: u16,
    pub(super) len: u64,
    pub(super) block: [u8; 60],
    flags: u32,
    raw: Vec<u8>,
}

impl Inode {
    pub(super) fn read(volume: &SharedBytes, superblock: &Superblock, number: u64) -> Result<Self, ParseError> {
        let offset = superblock.inode_offset(volume, number)?;
        let size = superblock.inode_size;
        let raw = read_vec_at(volume.as_ref(), offset, size, "s_inode_size", superblock.block_size)?;
        let mode = le::u16(&raw, 0).unwrap_or_default();
        let kind = match mode >> 12 {
            8 => NodeKind::File,
            4 => NodeKind::Directory,
            10 => NodeKind::Symlink,
            1 | 2 | 6 | 12 => NodeKind::Special,
            _ => return Err(ParseError::invalid(offset, "i_mode", format!("{mode:#o}"), "a kind of file")),
        };
        let flags = le::u32(&raw, 0x20).unwrap_or_default();
        let high = kind == NodeKind::File || (kind == NodeKind::Directory && superblock.largedir);
        let high = if high { le::u32(&raw, 0x6C).unwrap_or_default() } else { 0 };
        let len = u64::from(high) << 32 | u64::from(le::u32(&raw, 4).unwrap_or_default());
        if len > FILE_BYTES {
            return Err(ParseError::limit(offset + 4, "i_size", len, FILE_BYTES));
        }
        let mut block = [0; 60];
        volume.read_exact_at(offset + 0x28, &mut block)?;
        Ok(Self { offset, kind, mode: mode & 0o7777, len, block, flags, raw })
    }

    /// Whether its content, or the names in it, can be read.
    pub(super) fn is_readable(&self) -> Result<(), ParseError> {
        if self.flags & FLAG_ENCRYPTED != 0 {
            return Err(ParseError::unsupported(self.offset + 0x20, "an encrypted inode"));
        }
        Ok(())
    }

    pub(super) fn has_extents(&self) -> bool {
        self.flags & FLAG_EXTENTS != 0
    }

    pub(super) fn is_inline(&self) -> bool {
        self.flags & FLAG_INLINE != 0
    }

    /// Whether the target of a symbolic link stands in the inode.
    pub(super) fn is_fast_link(&self) -> bool {
        !self.is_inline() && !self.has_extents() && self.len < 60
    }

    /// The rest of inline data, behind the first 60 bytes: the attribute `system.data`.
    pub(super) fn inline_rest(&self) -> Result<&[u8], ParseError> {
        let extra = le::u16(&self.raw, 0x80).map_or(0, usize::from);
        let header = 0x80 + extra;
        if le::u32(&self.raw, header) != Some(ATTRIBUTES_MAGIC) {
            return Ok(&[]);
        }
        let attributes = self.raw.get(header + 4..).unwrap_or_default();
        let mut at = 0;
        // Four zero bytes end the list; each entry has 16 bytes and its name, so the loop advances.
        while let Some([name_len, index, ..]) = attributes.get(at..).filter(|rest| rest.get(..4) != Some(&[0; 4])) {
            let name = attributes.get(at + 16..at + 16 + usize::from(*name_len)).unwrap_or_default();
            if (*index, name) == (INDEX_SYSTEM, b"data".as_slice()) {
                let start = le::u16(attributes, at + 2).map(usize::from);
                let size = le::u32(attributes, at + 8).and_then(|size| usize::try_from(size).ok());
                let value = start.zip(size).and_then(|(start, size)| attributes.get(start..start.checked_add(size)?));
                return value.ok_or_else(|| {
                    let place = self.offset + (header + 4 + at) as u64;
                    ParseError::invalid(place, "e_value_offs", format!("{start:?}"), "a place in the inode")
                });
            }
            at += (16 + usize::from(*name_len)).next_multiple_of(4);
        }
        Ok(&[])
    }
}
