//! A folder of the host, seen as a filesystem.
//!
//! A symbolic link is a node of its own and is never followed, so nothing outside of the folder is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use super::{DirEntry, Filesystem, Metadata, NodeId, NodeKind};
use crate::bytes::{Budget, FileBytes, Metered, ParseError, SharedBytes};

/// A folder of the host.
pub struct Folder {
    budget: Arc<Budget>,
    /// The path of each node that was named so far; the root is the first.
    paths: Mutex<Vec<PathBuf>>,
}

impl Folder {
    /// The folder at `path`; what is read counts in `budget`.
    ///
    /// # Errors
    /// The host's refusal, also when `path` is not a folder. A link to one is followed here and nowhere else.
    pub fn open(path: &Path, budget: Arc<Budget>) -> Result<Self, ParseError> {
        let path = path.canonicalize().and_then(|path| fs::read_dir(&path).map(|_| path));
        let path = path.map_err(|error| ParseError::io(0, error))?;
        Ok(Self { budget, paths: Mutex::new(vec![path]) })
    }

    fn path(&self, node: NodeId) -> Result<PathBuf, ParseError> {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let path = usize::try_from(node.0).ok().and_then(|index| paths.get(index));
        path.cloned().ok_or_else(|| ParseError::invalid(0, "node", node.0, "a node of this folder"))
    }
}

impl Filesystem for Folder {
    fn format(&self) -> &'static str {
        "folder"
    }

    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, ParseError> {
        let metadata = fs::symlink_metadata(self.path(node)?).map_err(|error| ParseError::io(0, error))?;
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => NodeKind::Directory,
            kind if kind.is_file() => NodeKind::File,
            kind if kind.is_symlink() => NodeKind::Symlink,
            _ => NodeKind::Special,
        };
        Ok(Metadata { kind, len: metadata.len(), mode: mode(&metadata) })
    }

    fn read_dir(&self, dir: NodeId) -> Result<Vec<DirEntry>, ParseError> {
        let path = self.path(dir)?;
        let list = || -> io::Result<Vec<_>> {
            if !fs::symlink_metadata(&path)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            fs::read_dir(&path)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
        };
        let mut names = list().map_err(|error| ParseError::io(0, error))?;
        names.sort();
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.budget.limits.files;
        let mut entries = Vec::new();
        for name in names {
            let count = paths.len() as u64;
            if count > limit {
                return Err(ParseError::limit(0, "files of the folder", count, limit));
            }
            paths.push(path.join(&name));
            entries.push(DirEntry { name: name.to_string_lossy().into_owned(), node: NodeId(count) });
        }
        Ok(entries)
    }

    fn open(&self, node: NodeId) -> Result<SharedBytes, ParseError> {
        let path = self.path(node)?;
        match self.metadata(node)?.kind {
            NodeKind::Symlink => {
                let target = fs::read_link(&path).map_err(|error| ParseError::io(0, error))?;
                Ok(Arc::new(target.to_string_lossy().into_owned().into_bytes()))
            }
            NodeKind::File => {
                let file: SharedBytes = Arc::new(FileBytes::open(&path)?);
                Ok(Arc::new(Metered::new(file, self.budget.clone())))
            }
            NodeKind::Directory | NodeKind::Special => {
                Err(ParseError::io(0, io::Error::new(io::ErrorKind::InvalidInput, "not a file or symbolic link")))
            }
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u16 {
    use std::os::unix::fs::MetadataExt;
    u16::try_from(metadata.mode() & 0o7777).unwrap_or_default()
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u16 {
    0o644
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::bytes::{Limits, read_vec_at};

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.apk"), "secret").unwrap();
        let inside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
        fs::write(inside.path().join("file"), "content").unwrap();
        let folder = Folder::open(inside.path(), Budget::new(Limits::default())).unwrap();
        let entries = folder.read_dir(folder.root()).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["file", "link"]);
        let file = folder.open(entries[0].node).unwrap();
        assert_eq!(read_vec_at(file.as_ref(), 0, 7, "file", 7).unwrap(), b"content");
        assert_eq!(folder.metadata(entries[1].node).unwrap().kind, NodeKind::Symlink);
        assert!(folder.read_dir(entries[1].node).is_err());
    }

    #[test]
    fn a_folder_that_went_away_is_an_error_and_not_empty() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("app")).unwrap();
        let folder = Folder::open(root.path(), Budget::new(Limits::default())).unwrap();
        let app = folder.read_dir(folder.root()).unwrap()[0].node;
        fs::remove_dir(root.path().join("app")).unwrap();
        assert!(folder.read_dir(app).is_err());
        assert!(Folder::open(&root.path().join("none"), Budget::new(Limits::default())).is_err());
    }
}
