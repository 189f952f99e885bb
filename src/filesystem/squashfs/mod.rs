//! SquashFS 4.0, by the kernel's `fs/squashfs/squashfs_fs.h` (6.18) and `Documentation/filesystems/squashfs.rst`.
//!
//! Read: files in blocks, fragments and holes, directories, links; zlib, LZO, xz, LZ4 and zstd, metadata and blocks stored as
//! they are. Extended attributes are skipped. Not read: lzma, big-endian volumes and versions before 4.
//!
//! Only the blocks that hold an answer are decoded; the ones used last are kept.

mod decode;
mod directory;
mod file;
mod inode;
mod superblock;
mod volume;

#[cfg(test)]
pub(super) mod sample;

use std::sync::Arc;

use super::{DirEntry, Filesystem, FilesystemFormat, Metadata, NodeId, NodeKind};
use crate::bytes::{Budget, ParseError, SharedBytes, zeroed};
use inode::{Content, Inode};
use volume::{Place, Volume};

/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;

/// The format.
pub(super) struct SquashfsFormat;

impl FilesystemFormat for SquashfsFormat {
    fn name(&self) -> &'static str {
        "squashfs"
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        head.starts_with(b"hsqs")
    }

    fn mount(&self, volume: SharedBytes, budget: &Arc<Budget>) -> Result<Box<dyn Filesystem>, ParseError> {
        let squashfs = Squashfs { volume: Arc::new(Volume::open(volume, budget)?) };
        // Without its root nothing can be found.
        match squashfs.metadata(squashfs.root())?.kind {
            NodeKind::Directory => Ok(Box::new(squashfs)),
            kind => Err(ParseError::invalid(32, "root_inode", format!("{kind:?}"), "a directory")),
        }
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        sample::volume()
    }
}

struct Squashfs {
    volume: Arc<Volume>,
}

impl Filesystem for Squashfs {
    fn format(&self) -> &'static str {
        "squashfs"
    }

    fn root(&self) -> NodeId {
        NodeId(self.volume.superblock.root)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, ParseError> {
        let inode = Inode::read(&self.volume, node.0)?;
        Ok(Metadata { kind: inode.kind, len: inode.len, mode: inode.mode })
    }

    fn read_dir(&self, dir: NodeId) -> Result<Vec<DirEntry>, ParseError> {
        let inode = Inode::read(&self.volume, dir.0)?;
        let entries = match inode.content {
            Content::Directory { block, within } => {
                let place = Place::new(self.volume.superblock.directories, u64::from(block), within);
                place.and_then(|place| directory::read(&self.volume, place, inode.len))
            }
            _ => Err(ParseError::invalid(inode.offset, "inode_type", format!("{:?}", inode.kind), "a directory")),
        };
        entries.map_err(|error| error.within(format!("inode {:#x}", dir.0)))
    }

    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError> {
        let inode = Inode::read(&self.volume, node.0)?;
        let content = match inode.content {
            Content::File { start, fragment } => file::open(&self.volume, node.0, &inode, start, fragment),
            Content::Link => link(&self.volume, &inode),
            Content::Directory { .. } | Content::None => {
                let found = format!("{:?}", inode.kind);
                Err(ParseError::invalid(inode.offset, "inode_type", found, "a file or symbolic link"))
            }
        };
        content.map_err(|error| error.within(format!("inode {:#x}", node.0)))
    }

    fn features(&self) -> Vec<String> {
        let superblock = &self.volume.superblock;
        vec![format!("blocks of {} bytes", superblock.block_size()), superblock.codec.name().to_owned()]
    }
}

fn link(volume: &Volume, inode: &Inode) -> Result<SharedBytes, ParseError> {
    let mut target = zeroed(inode.offset, inode.len, "length of a symbolic link", LINK_BYTES)?;
    let mut place = inode.behind;
    volume.read_metadata(&mut place, &mut target)?;
    Ok(Arc::new(target))
}
