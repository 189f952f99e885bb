//! Every file of a filesystem, and the file at a path.

use std::collections::BTreeSet;

use super::{Filesystem, Metadata, NodeId, NodeKind};
use crate::bytes::{Limits, ParseError};

/// Folders within each other. Android's deepest path has 12; a path of 4096 bytes could have 2048.
const PATH_DEPTH: usize = 64;

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the folder that was walked, without a leading slash.
    pub path: String,
    /// The file.
    pub node: NodeId,
    /// Its length in bytes.
    pub len: u64,
}

/// A place that a walk could not look into.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Path below the folder that was walked; empty for the folder itself.
    pub path: String,
    /// Why.
    pub error: ParseError,
}

/// Anything below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path below the folder that was walked, without a leading slash.
    pub path: String,
    /// The node.
    pub node: NodeId,
    /// What the filesystem says of it.
    pub metadata: Metadata,
}

/// All regular files below `root`, sorted by path, and the places that could not be read. Symbolic links are not followed.
#[must_use]
pub fn walk(filesystem: &dyn Filesystem, root: NodeId, limits: &Limits) -> (Vec<File>, Vec<Unreadable>) {
    let (entries, unreadable) = list(filesystem, root, limits);
    let files = entries.into_iter().filter(|entry| entry.metadata.kind == NodeKind::File);
    (files.map(|Entry { path, node, metadata }| File { path, node, len: metadata.len }).collect(), unreadable)
}

/// Everything below `root`, sorted by path, and the places that could not be read. Symbolic links are not followed.
#[must_use]
pub fn list(filesystem: &dyn Filesystem, root: NodeId, limits: &Limits) -> (Vec<Entry>, Vec<Unreadable>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::from([root]);
    let mut folders = vec![(String::new(), root, 0)];
    let mut count = 0_u64;
    while let Some((folder, node, depth)) = folders.pop() {
        let entries = match filesystem.read_dir(node) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable.push(Unreadable { path: folder, error });
                continue;
            }
        };
        for entry in entries {
            let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
            count += 1;
            if count > limits.files {
                let error = ParseError::limit(0, "files", count, limits.files);
                unreadable.push(Unreadable { path, error });
                return sorted(found, unreadable);
            }
            let metadata = match filesystem.metadata(entry.node) {
                Ok(metadata) => metadata,
                Err(error) => {
                    unreadable.push(Unreadable { path, error });
                    continue;
                }
            };
            if metadata.kind == NodeKind::Directory {
                if depth >= PATH_DEPTH {
                    let error = ParseError::limit(0, "depth of folders", depth as u64 + 1, PATH_DEPTH as u64);
                    unreadable.push(Unreadable { path, error });
                    continue;
                }
                if !seen.insert(entry.node) {
                    let error = ParseError::invalid(0, "folder", "named twice", "one name for each folder");
                    unreadable.push(Unreadable { path, error });
                    continue;
                }
                folders.push((path.clone(), entry.node, depth + 1));
            }
            found.push(Entry { path, node: entry.node, metadata });
        }
    }
    sorted(found, unreadable)
}

fn sorted(mut found: Vec<Entry>, mut unreadable: Vec<Unreadable>) -> (Vec<Entry>, Vec<Unreadable>) {
    found.sort_by(|a, b| a.path.cmp(&b.path));
    unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    (found, unreadable)
}

/// The node at `path` (names with `/` between) below `root`; `None` where a name is not there. Symbolic links are not
/// followed: a path through one ends at it with `None`.
///
/// # Errors
/// A folder on the way that can't be read.
pub fn find(filesystem: &dyn Filesystem, root: NodeId, path: &str) -> Result<Option<NodeId>, ParseError> {
    let mut node = root;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        if filesystem.metadata(node)?.kind != NodeKind::Directory {
            return Ok(None);
        }
        match filesystem.read_dir(node)?.into_iter().find(|entry| entry.name == name) {
            Some(entry) => node = entry.node,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}
