//! ext4, ext3 and ext2, by the kernel's `Documentation/filesystems/ext4/` (6.12).
//!
//! Read: extents and block maps with holes and unwritten ranges, 64bit, flex_bg, meta_bg, bigalloc, inline data, hashed
//! directories (read linearly), fast and slow symbolic links, a journal that waits to be replayed. casefold, verity, shared_blocks and checksums ask nothing
//! of a reader; checksums are not verified. Not read: encrypted inodes, fast commits, compression, dirdata,
//! an external journal's device.
//!
//! Group descriptors and inodes are read where they are needed, so nothing is allocated by a count of the superblock.

mod content;
mod directory;
mod inode;
mod journal;
mod superblock;

#[cfg(test)]
pub(super) mod sample;

use std::sync::Arc;

use super::{DirEntry, Filesystem, FilesystemFormat, Metadata, NodeId, NodeKind};
use crate::bytes::{Budget, ParseError, SharedBytes};
use inode::Inode;
use superblock::Superblock;

/// The root directory's inode.
const ROOT: u64 = 2;
/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;

/// The format.
pub(super) struct Ext4Format;

impl FilesystemFormat for Ext4Format {
    fn name(&self) -> &'static str {
        "ext4"
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        head.get(1080..1082) == Some(&[0x53, 0xef])
    }

    fn mount(&self, volume: SharedBytes, _budget: &Arc<Budget>) -> Result<Box<dyn Filesystem>, ParseError> {
        let read = |volume| Superblock::read(volume).map_err(|error| error.within("superblock"));
        let (mut volume, mut superblock) = (volume.clone(), read(&volume)?);
        if superblock.needs_recovery {
            volume = journal::replayed(&volume, &superblock).map_err(|error| error.within("journal"))?;
            superblock = read(&volume)?;
        }
        let ext4 = Ext4 { volume, superblock };
        // Without its root nothing can be found.
        match ext4.metadata(NodeId(ROOT))?.kind {
            NodeKind::Directory => Ok(Box::new(ext4)),
            kind => Err(ParseError::invalid(0, "root", format!("{kind:?}"), "a directory")),
        }
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        sample::volume()
    }
}

struct Ext4 {
    volume: SharedBytes,
    superblock: Superblock,
}

impl Ext4 {
    fn inode(&self, node: NodeId) -> Result<Inode, ParseError> {
        Inode::read(&self.volume, &self.superblock, node.0).map_err(|error| error.within(format!("inode {}", node.0)))
    }
}

impl Filesystem for Ext4 {
    fn format(&self) -> &'static str {
        "ext4"
    }

    fn root(&self) -> NodeId {
        NodeId(ROOT)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, ParseError> {
        let inode = self.inode(node)?;
        Ok(Metadata { kind: inode.kind, len: inode.len, mode: inode.mode })
    }

    fn read_dir(&self, dir: NodeId) -> Result<Vec<DirEntry>, ParseError> {
        let inode = self.inode(dir)?;
        if inode.kind != NodeKind::Directory {
            return Err(ParseError::invalid(inode.offset, "i_mode", format!("{:?}", inode.kind), "a directory"));
        }
        inode
            .is_readable()
            .and_then(|()| directory::read(&self.volume, &self.superblock, &inode))
            .map_err(|error| error.within(format!("inode {}", dir.0)))
    }

    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError> {
        let inode = self.inode(node)?;
        let content = inode.is_readable().and_then(|()| self.content(&inode));
        content.map_err(|error| error.within(format!("inode {}", node.0)))
    }

    fn features(&self) -> Vec<String> {
        self.superblock.features()
    }
}

impl Ext4 {
    fn content(&self, inode: &Inode) -> Result<SharedBytes, ParseError> {
        match inode.kind {
            NodeKind::Symlink if inode.len > LINK_BYTES => {
                Err(ParseError::limit(inode.offset, "length of a symbolic link", inode.len, LINK_BYTES))
            }
            NodeKind::Symlink if inode.is_fast_link() => {
                let len = usize::try_from(inode.len).unwrap_or_default();
                let target: SharedBytes = Arc::new(inode.block.get(..len).unwrap_or_default().to_vec());
                Ok(target)
            }
            NodeKind::File | NodeKind::Symlink => content::open(&self.volume, &self.superblock, inode),
            NodeKind::Directory | NodeKind::Special => {
                let found = format!("{:?}", inode.kind);
                Err(ParseError::invalid(inode.offset, "i_mode", found, "a file or symbolic link"))
            }
        }
    }
}
