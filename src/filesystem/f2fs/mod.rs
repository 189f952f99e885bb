//! F2FS, by the kernel's `include/linux/f2fs_fs.h` (6.18) and `Documentation/filesystems/f2fs.rst`.
//!
//! Read: the newest valid checkpoint, nodes by the table and its journal, inline data and directories, extra attributes,
//! room for extended attributes of any size, files in blocks and in clusters of LZO, LZO-RLE, LZ4 and zstd, also where
//! what compression saved was given back; read-only images; blocks of 512 bytes to 64 KiB. Extended attributes are
//! skipped, checksums of nodes and clusters not verified. Not read: encrypted files, volumes on several devices, and
//! what was synced after the last checkpoint of a volume that was not unmounted.
//!
//! Nothing is read but the nodes on the way to an answer, and its blocks; the nodes and clusters used last are kept.

mod addresses;
mod checkpoint;
mod content;
mod decode;
mod directory;
mod inode;
mod superblock;
mod volume;

#[cfg(test)]
pub(super) mod sample;

use std::sync::Arc;

use super::{DirEntry, Filesystem, FilesystemFormat, Metadata, NodeId, NodeKind};
use crate::bytes::{Budget, ParseError, SharedBytes};
use volume::Volume;

/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;

/// The format.
pub(super) struct F2fsFormat;

impl FilesystemFormat for F2fsFormat {
    fn name(&self) -> &'static str {
        "f2fs"
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        head.get(1024..1028) == Some(&[0x10, 0x20, 0xf5, 0xf2])
    }

    fn mount(&self, volume: SharedBytes, budget: &Arc<Budget>) -> Result<Box<dyn Filesystem>, ParseError> {
        let f2fs = F2fs { volume: Arc::new(Volume::open(volume, budget)?) };
        // Without its root nothing can be found.
        match f2fs.metadata(f2fs.root())?.kind {
            NodeKind::Directory => Ok(Box::new(f2fs)),
            kind => Err(ParseError::invalid(0, "root", format!("{kind:?}"), "a directory")),
        }
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        sample::volume()
    }
}

struct F2fs {
    volume: Arc<Volume>,
}

impl Filesystem for F2fs {
    fn format(&self) -> &'static str {
        "f2fs"
    }

    fn root(&self) -> NodeId {
        NodeId(u64::from(self.volume.superblock.root))
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, ParseError> {
        let inode = self.volume.inode(node.0)?;
        Ok(Metadata { kind: inode.kind, len: inode.len, mode: inode.mode })
    }

    fn read_dir(&self, dir: NodeId) -> Result<Vec<DirEntry>, ParseError> {
        let inode = self.volume.inode(dir.0)?;
        let entries = match inode.kind {
            NodeKind::Directory if inode.encrypted => {
                Err(ParseError::unsupported(inode.offset + 2, "an encrypted inode"))
            }
            NodeKind::Directory if inode.inline_entries => directory::inline(&inode),
            NodeKind::Directory => {
                let size = self.volume.superblock.block_size();
                content::open(&self.volume, inode).and_then(|content| directory::read(&content, size))
            }
            kind => Err(ParseError::invalid(inode.offset, "i_mode", format!("{kind:?}"), "a directory")),
        };
        entries.map_err(|error| error.within(format!("inode {}", dir.0)))
    }

    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError> {
        let inode = self.volume.inode(node.0)?;
        let content = match inode.kind {
            NodeKind::Symlink if inode.len > LINK_BYTES => {
                Err(ParseError::limit(inode.offset + 16, "length of a symbolic link", inode.len, LINK_BYTES))
            }
            NodeKind::File | NodeKind::Symlink => content::open(&self.volume, inode),
            kind => {
                let found = format!("{kind:?}");
                Err(ParseError::invalid(inode.offset, "i_mode", found, "a file or symbolic link"))
            }
        };
        content.map_err(|error| error.within(format!("inode {}", node.0)))
    }

    fn features(&self) -> Vec<String> {
        self.volume.superblock.features()
    }
}
