//! EROFS, by the kernel's `fs/erofs/erofs_fs.h` (6.18) and `Documentation/filesystems/erofs.rst`.
//!
//! Read: plain, inline and chunked files, compressed files with full and compact indexes and with extents, big physical
//! clusters, packed tails, fragments, deduplicated and interlaced clusters; LZ4 (also as before Linux 5.3), MicroLZMA,
//! DEFLATE and zstd; blocks of 512 bytes to 64 KiB, block addresses of 48 bits, the metabox, compressed directories.
//! Volumes on several devices are read with the devices that lie beside them. Extended attributes are skipped and checksums
//! not verified.
//!
//! Only the clusters that hold an answer are decoded; the ones used last are kept.

mod chunks;
mod compact;
mod compressed;
mod decode;
mod devices;
mod directory;
mod extents;
mod flat;
mod full;
mod index;
mod inode;
mod kept;
mod lclusters;
mod lz4;
mod superblock;
mod volume;

#[cfg(test)]
pub(super) mod sample;

use std::sync::Arc;

use super::{Beside, DirEntry, Filesystem, FilesystemFormat, Metadata, NodeId, NodeKind};
use crate::bytes::{Budget, ParseError, SharedBytes};
use inode::Inode;
use volume::Volume;

/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;

/// The format.
pub(super) struct ErofsFormat;

impl FilesystemFormat for ErofsFormat {
    fn name(&self) -> &'static str {
        "erofs"
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        head.get(1024..1028) == Some(&[0xe2, 0xe1, 0xf5, 0xe0])
    }

    fn mount(&self, volume: SharedBytes, budget: &Arc<Budget>) -> Result<Box<dyn Filesystem>, ParseError> {
        self.mount_among(volume, &[], budget)
    }

    fn mount_among(
        &self,
        volume: SharedBytes,
        beside: &[Beside],
        budget: &Arc<Budget>,
    ) -> Result<Box<dyn Filesystem>, ParseError> {
        let erofs = Erofs { volume: Volume::open(volume, beside, budget)? };
        // Without its root nothing can be found.
        match erofs.metadata(erofs.root())?.kind {
            NodeKind::Directory => Ok(Box::new(erofs)),
            kind => Err(ParseError::invalid(0, "root", format!("{kind:?}"), "a directory")),
        }
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        sample::volume()
    }
}

struct Erofs {
    volume: Arc<Volume>,
}

impl Erofs {
    fn inode(&self, node: NodeId) -> Result<Inode, ParseError> {
        Inode::read(&self.volume, node.0).map_err(|error| error.within(format!("inode {}", node.0)))
    }
}

impl Filesystem for Erofs {
    fn format(&self) -> &'static str {
        "erofs"
    }

    fn root(&self) -> NodeId {
        NodeId(self.volume.superblock.root)
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
        let content = self.volume.content(&inode);
        let entries = content.and_then(|content| directory::read(&content, self.volume.superblock.block_size()));
        entries.map_err(|error| error.within(format!("inode {}", dir.0)))
    }

    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError> {
        let inode = self.inode(node)?;
        let content = match inode.kind {
            NodeKind::Symlink if inode.len > LINK_BYTES => {
                Err(ParseError::limit(inode.offset, "length of a symbolic link", inode.len, LINK_BYTES))
            }
            NodeKind::File | NodeKind::Symlink => self.volume.content(&inode),
            NodeKind::Directory | NodeKind::Special => {
                let found = format!("{:?}", inode.kind);
                Err(ParseError::invalid(inode.offset, "i_mode", found, "a file or symbolic link"))
            }
        };
        content.map_err(|error| error.within(format!("inode {}", node.0)))
    }

    fn features(&self) -> Vec<String> {
        self.volume.superblock.features()
    }
}
