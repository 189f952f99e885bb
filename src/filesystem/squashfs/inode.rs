//! An inode, in metadata. Its number here is its reference: the block in the inode table (48 bits) and the byte in that.
//!
//! All begin with `inode_type` (2 bytes: 1 to 7 short, 8 to 14 long), `mode` (2), owners (4), `mtime` (4), `inode_number` (4).
//!
//! | | short | long |
//! |---|---|---|
//! | directory | block (4), links (4), length (2), byte (2), parent (4) | links (4), length (4), block (4), parent (4), indexes (2), byte (2), attributes (4) |
//! | file | start (4), fragment (4), byte (4), length (4) | start (8), length (8), holes (8), links (4), fragment (4), byte (4), attributes (4) |
//! | link | links (4), length (4) | the same |
//!
//! Behind a file follow the stored lengths of its blocks (4 bytes each), behind a link its target.

use super::volume::{Place, Volume};
use crate::bytes::{ParseError, le};
use crate::filesystem::NodeKind;

/// 16 TiB as for ext4.
const FILE_BYTES: u64 = 1 << 44;
const NO_FRAGMENT: u32 = 0xFFFF_FFFF;

/// Where the content is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// First block, and the fragment and byte in it that hold what is left of the last one.
    File {
        start: u64,
        fragment: Option<(u32, u32)>,
    },
    /// Block in the directory table, and byte in it.
    Directory {
        block: u32,
        within: u16,
    },
    Link,
    None,
}

/// A used inode.
pub(super) struct Inode {
    pub(super) kind: NodeKind,
    pub(super) mode: u16,
    pub(super) len: u64,
    pub(super) content: Content,
    /// Byte offset of its block's header in the volume, for messages.
    pub(super) offset: u64,
    /// What follows it in metadata.
    pub(super) behind: Place,
}

impl Inode {
    pub(super) fn read(volume: &Volume, reference: u64) -> Result<Self, ParseError> {
        let read = || {
            let within = u16::try_from(reference & 0xffff).unwrap_or_default();
            Self::read_at(volume, Place::new(volume.superblock.inodes, reference >> 16, within)?)
        };
        read().map_err(|error| error.within(format!("inode {reference:#x}")))
    }

    fn read_at(volume: &Volume, mut place: Place) -> Result<Self, ParseError> {
        let offset = place.block;
        let mut raw = [0; 56];
        let (common, rest) = raw.split_at_mut(16);
        volume.read_metadata(&mut place, common)?;
        let kind_number = le::u16(common, 0).unwrap_or_default();
        let len = match kind_number {
            1 | 2 => 16,
            3 | 10 => 8,
            8 => 24,
            9 => 40,
            4..=7 | 11..=14 => 0,
            found => return Err(ParseError::invalid(offset, "inode_type", found, "1 to 14")),
        };
        volume.read_metadata(&mut place, rest.get_mut(..len).unwrap_or_default())?;
        let short = |at| le::u16(&raw, at).unwrap_or_default();
        let long = |at| le::u32(&raw, at).unwrap_or_default();
        let quad = |at| le::u64(&raw, at).unwrap_or_default();
        let fragment = |at| (long(at) != NO_FRAGMENT).then(|| (long(at), long(at + 4)));
        let (kind, len, content) = match kind_number {
            1 => {
                let content = Content::Directory { block: long(16), within: short(26) };
                (NodeKind::Directory, u64::from(short(24)), content)
            }
            8 => {
                let content = Content::Directory { block: long(24), within: short(34) };
                (NodeKind::Directory, u64::from(long(20)), content)
            }
            2 => {
                let content = Content::File { start: u64::from(long(16)), fragment: fragment(20) };
                (NodeKind::File, u64::from(long(28)), content)
            }
            9 => (NodeKind::File, quad(24), Content::File { start: quad(16), fragment: fragment(44) }),
            3 | 10 => (NodeKind::Symlink, u64::from(long(20)), Content::Link),
            _ => (NodeKind::Special, 0, Content::None),
        };
        if len > FILE_BYTES {
            return Err(ParseError::limit(offset, "file_size", len, FILE_BYTES));
        }
        Ok(Self { kind, mode: short(2) & 0o7777, len, content, offset, behind: place })
    }
}
