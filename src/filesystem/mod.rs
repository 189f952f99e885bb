//! Trees of files in one volume. One format, one file or folder.

use crate::bytes::{ParseError, SharedBytes};

/// A file or directory of one filesystem: its inode number, or whatever the format counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; its target is its content.
    Symlink,
    /// A device, pipe or socket.
    Special,
}

/// What the filesystem says of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: NodeKind,
    /// Length of its content in bytes.
    pub len: u64,
    /// Unix permission bits, `0o7777` at most.
    pub mode: u16,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name, without `.` and `..`. Bytes that are not UTF-8 are replaced; untrusted, never a path of the host.
    pub name: String,
    /// The node that it names.
    pub node: NodeId,
}

/// A mounted filesystem, read-only. Shared between threads.
pub trait Filesystem: Send + Sync {
    /// Short name of the format.
    fn format(&self) -> &'static str;

    /// The root directory.
    fn root(&self) -> NodeId;

    /// What the filesystem says of `node`.
    ///
    /// # Errors
    /// A damaged or missing inode.
    fn metadata(&self, node: NodeId) -> Result<Metadata, ParseError>;

    /// Entries of a directory in the order stored, without `.` and `..`.
    ///
    /// # Errors
    /// A damaged directory, or a node that is none.
    fn read_dir(&self, dir: NodeId) -> Result<Vec<DirEntry>, ParseError>;

    /// Content of a file, or the target of a symbolic link. Cheap: blocks are read when they are asked for.
    ///
    /// # Errors
    /// A damaged inode, or a node that has no content.
    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError>;
}

/// A format of filesystem.
pub trait FilesystemFormat: Sync {
    /// Short name: `ext4`.
    fn name(&self) -> &'static str;

    /// Whether the first [`crate::bytes`] are of this format, by its magic number.
    fn recognizes(&self, head: &[u8]) -> bool;

    /// Reads what is needed to find files; nothing else.
    ///
    /// # Errors
    /// A superblock that is damaged or asks for features that are not read.
    fn mount(&self, volume: SharedBytes) -> Result<Box<dyn Filesystem>, ParseError>;

    /// A small valid volume, for tests that damage it.
    #[cfg(test)]
    fn sample(&self) -> Vec<u8>;
}

/// Every format, in the order of probing.
pub static FORMATS: &[&dyn FilesystemFormat] = &[];
