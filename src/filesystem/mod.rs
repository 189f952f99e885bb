//! Trees of files in one volume. One format, one file or folder.

mod erofs;
mod ext4;
mod f2fs;
mod folder;
mod squashfs;
mod walk;

use std::cell::Cell;
use std::sync::Arc;

use crate::bytes::{Budget, ParseError, SharedBytes};

pub use folder::Folder;
pub use walk::{Entry, File, Unreadable, files, find, list, walk};

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

    /// What the volume says of itself: the size of its blocks, then its features, by the names that the format's own tools
    /// print. For people, not for decisions.
    fn features(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Something that lies beside a volume: a file of the same folder or container.
pub struct Beside {
    /// Its name, with the folders before it. Untrusted.
    pub name: String,
    /// Its content.
    pub bytes: SharedBytes,
    /// Set by the volume that it is a part of.
    pub taken: Cell<bool>,
}

/// Names of the bits that are set, in the order of `names`; a set bit without a name is its number.
fn names_of(bits: u32, names: &[(u32, &str)]) -> Vec<String> {
    let known = names.iter().fold(0, |known, (bit, _)| known | bit);
    let mut found: Vec<String> =
        names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| (*name).to_owned()).collect();
    if bits & !known != 0 {
        found.push(format!("{:#x}", bits & !known));
    }
    found
}

/// A format of filesystem.
pub trait FilesystemFormat: Sync {
    /// Short name: `ext4`.
    fn name(&self) -> &'static str;

    /// Whether a volume that begins with `head` is of this format, by its magic number.
    fn recognizes(&self, head: &[u8]) -> bool;

    /// Reads what is needed to find files; nothing else. What is decompressed later counts in `budget`.
    ///
    /// # Errors
    /// A superblock that is damaged or asks for features that are not read.
    fn mount(&self, volume: SharedBytes, budget: &Arc<Budget>) -> Result<Box<dyn Filesystem>, ParseError>;

    /// As [`Self::mount`], for a volume that may have parts of its content in what lies beside it. What is not there is an
    /// error of the reads that need it.
    ///
    /// # Errors
    /// As [`Self::mount`].
    fn mount_among(
        &self,
        volume: SharedBytes,
        _beside: &[Beside],
        budget: &Arc<Budget>,
    ) -> Result<Box<dyn Filesystem>, ParseError> {
        self.mount(volume, budget)
    }

    /// A small valid volume, for tests that damage it.
    #[cfg(test)]
    fn sample(&self) -> Vec<u8>;
}

/// Every format, in the order of probing.
pub static FORMATS: &[&dyn FilesystemFormat] =
    &[&ext4::Ext4Format, &erofs::ErofsFormat, &f2fs::F2fsFormat, &squashfs::SquashfsFormat];

/// The supported format of a volume that begins with `head`.
#[must_use]
pub fn recognize(head: &[u8]) -> Option<&'static dyn FilesystemFormat> {
    FORMATS.iter().copied().find(|format| format.recognizes(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Limits, read_vec_at};

    /// Mounts, walks and reads the beginning and end of everything, whatever comes of it.
    fn exercise(format: &dyn FilesystemFormat, bytes: Vec<u8>) -> Vec<String> {
        let Ok(filesystem) = format.mount(Arc::new(bytes), &Arc::default()) else {
            return Vec::new();
        };
        let (files, _) = walk(filesystem.as_ref(), filesystem.root(), &Limits { files: 1000, ..Limits::default() });
        for file in &files {
            let Ok(content) = filesystem.open(file.node) else {
                continue;
            };
            let mut buf = [0; 256];
            let len = usize::try_from(content.len()).unwrap_or(256).min(256);
            let _ = content.read_exact_at(0, &mut buf[..len]);
            let _ = content.read_exact_at(content.len().saturating_sub(1), &mut buf[..1]);
            assert!(content.read_exact_at(content.len(), &mut buf[..1]).is_err());
        }
        files.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn every_sample_is_recognised_by_its_format_and_holds_files() {
        for format in FORMATS {
            let sample = format.sample();
            let names: Vec<_> = FORMATS.iter().filter(|other| other.recognizes(&sample)).map(|f| f.name()).collect();
            assert_eq!(names, [format.name()]);
            assert!(!exercise(*format, sample).is_empty());
        }
    }

    #[test]
    #[ignore = "writes the samples into the folder that SEEDS names: cargo xtask fuzz"]
    fn samples_become_the_seeds_of_the_fuzz_target() {
        let folder = std::path::PathBuf::from(std::env::var_os("SEEDS").unwrap()).join("filesystems");
        std::fs::create_dir_all(&folder).unwrap();
        for format in FORMATS {
            std::fs::write(folder.join(format.name()), format.sample()).unwrap();
        }
    }

    #[test]
    fn a_sample_cut_or_changed_at_any_byte_does_no_harm() {
        for format in FORMATS {
            let sample = format.sample();
            for at in 0..sample.len() {
                exercise(*format, sample[..at].to_vec());
                for value in [0, 0xff, sample[at] ^ 1, sample[at] ^ 0x80] {
                    if value != sample[at] {
                        let mut changed = sample.clone();
                        changed[at] = value;
                        exercise(*format, changed);
                    }
                }
            }
        }
    }

    #[test]
    fn files_of_the_ext4_sample_have_their_content() {
        let filesystem = ext4::Ext4Format.mount(Arc::new(ext4::sample::volume()), &Arc::default()).unwrap();
        let content = |path: &str| {
            let node = find(filesystem.as_ref(), filesystem.root(), path).unwrap().unwrap();
            let bytes = filesystem.open(node).unwrap();
            read_vec_at(bytes.as_ref(), 0, bytes.len(), "file", 1 << 20).unwrap()
        };
        assert_eq!(content("tree"), b"content");
        let mapped = content("mapped");
        assert_eq!(mapped.len(), 13 * 1024);
        assert_eq!((&mapped[..1024], &mapped[1024..1031]), (&[0; 1024][..], &b"content"[..]));
        assert_eq!(&mapped[12 * 1024..12 * 1024 + 7], b"content");
        assert_eq!(content("unwritten"), [0; 1000]);
        assert_eq!(content("link"), b"target");
        assert_eq!(content("slow"), [b'x'; 60]);
    }

    /// The error of a file of the sample after a change.
    fn damaged(path: &str, at: usize, bytes: &[u8]) -> String {
        let mut volume = ext4::sample::volume();
        volume[at..at + bytes.len()].copy_from_slice(bytes);
        let open = || {
            let filesystem = ext4::Ext4Format.mount(Arc::new(volume), &Arc::default())?;
            let node = find(filesystem.as_ref(), filesystem.root(), path)?.unwrap();
            filesystem.open(node).map(|_| ())
        };
        open().unwrap_err().to_string()
    }

    #[test]
    fn an_extent_tree_that_leads_back_into_itself_ends() {
        // The leaf becomes an index node of the same depth as the root that points to itself.
        let error = damaged("tree", 9 * 1024 + 6, &[1, 0]);
        assert!(error.contains("eh_depth is 1"), "{error}");
        // Two entries of the root point to the same leaf.
        let entry = ext4::sample::inode_at(11) + 0x28;
        let error = damaged("tree", entry + 2, &[2, 0]);
        assert!(error.contains("ee_block is 0, expected ascending"), "{error}");
    }

    #[test]
    fn a_block_map_that_points_to_itself_ends() {
        let size = ext4::sample::inode_at(12) + 4;
        let mut volume = ext4::sample::volume();
        volume[size..size + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        // The triple indirect block is a block of pointers to itself.
        volume[size + 0x24 + 56..size + 0x24 + 60].copy_from_slice(&10_u32.to_le_bytes());
        for pointer in volume[10 * 1024..11 * 1024].chunks_exact_mut(4) {
            pointer.copy_from_slice(&10_u32.to_le_bytes());
        }
        let filesystem = ext4::Ext4Format.mount(Arc::new(volume), &Arc::default()).unwrap();
        let error = filesystem.open(NodeId(12)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("blocks that map a file is 13, the limit is 12"), "{error}");
    }

    #[test]
    fn counts_of_a_hostile_superblock_are_errors_and_cost_no_memory() {
        let error = damaged("tree", 1024 + 4, &[0xff; 4]);
        assert!(error.contains("s_blocks_count"), "{error}");
        let error = damaged("tree", 1024 + 0x20, &1_u32.to_le_bytes());
        assert!(error.contains("s_blocks_per_group is 1, expected 8 or more"), "{error}");
        let error = damaged("tree", 1024 + 0x18, &31_u32.to_le_bytes());
        assert!(error.contains("superblock: byte 1048: s_log_block_size is 31, expected 0 to 6"), "{error}");
    }

    #[test]
    fn an_encrypted_inode_is_named() {
        let error = damaged("tree", ext4::sample::inode_at(11) + 0x21, &[0x08]);
        assert_eq!(error, "inode 11: byte 6432: an encrypted inode is not supported");
    }

    #[test]
    fn a_journal_that_waits_and_is_not_there_is_an_error_of_the_journal() {
        let error = damaged("tree", 1024 + 0x60, &[0x46]);
        assert_eq!(error, "journal: byte 1024: inode number is 0, expected 1 to s_inodes_count");
    }

    #[test]
    fn a_directory_that_contains_itself_is_reported_once_and_the_walk_ends() {
        let mut volume = ext4::sample::volume();
        // The entry `tree` names the root.
        volume[7 * 1024 + 24] = 2;
        let filesystem = ext4::Ext4Format.mount(Arc::new(volume), &Arc::default()).unwrap();
        let (files, unreadable) = walk(filesystem.as_ref(), filesystem.root(), &Limits::default());
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["mapped", "unwritten"]);
        assert_eq!(unreadable.len(), 1);
        assert_eq!(unreadable[0].path, "tree");
    }
}
