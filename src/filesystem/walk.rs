//! Every file of a filesystem, and the file at a path.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::{DirEntry, Filesystem, Metadata, NodeId, NodeKind};
use crate::bytes::{Limits, ParseError, parallel};

/// Folders within each other. Android's deepest path has 12; a path of 4096 bytes could have 2048.
const PATH_DEPTH: u64 = 64;
/// Threads that read folders at most. There is one more than cores: one often waits for the block that another decodes.
const THREADS: usize = 8;

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
    let (entries, unreadable) = list(filesystem, root, limits, &|_| ());
    (files(&entries), unreadable)
}

/// The regular files of a list.
#[must_use]
pub fn files(entries: &[Entry]) -> Vec<File> {
    let files = entries.iter().filter(|entry| entry.metadata.kind == NodeKind::File);
    files.map(|entry| File { path: entry.path.clone(), node: entry.node, len: entry.metadata.len }).collect()
}

/// Everything below `root`, sorted by path, and the places that could not be read. Symbolic links are not followed.
///
/// Folders of one depth are read by all cores: each may lie in a block that must be decoded first. `visit` is called for each
/// regular file as soon as its folder was read, by the thread that read it: in no order, and also for files behind a limit,
/// which are not listed.
#[must_use]
pub fn list(
    filesystem: &dyn Filesystem,
    root: NodeId,
    limits: &Limits,
    visit: &(dyn Fn(&File) + Sync),
) -> (Vec<Entry>, Vec<Unreadable>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::from([root]);
    let mut level = vec![(String::new(), root)];
    let (mut count, mut depth) = (0_u64, 0_u64);
    while !level.is_empty() {
        let contents = read_all(filesystem, &level, limits.files.saturating_sub(count), visit);
        let mut below = Vec::new();
        for ((folder, _), content) in level.into_iter().zip(contents) {
            let entries = match content {
                Ok(entries) => entries,
                Err(error) => {
                    unreadable.push(Unreadable { path: folder, error });
                    continue;
                }
            };
            for (entry, metadata) in entries {
                let path = within(&folder, &entry.name);
                count += 1;
                if count > limits.files {
                    let error = ParseError::limit(0, "files", count, limits.files);
                    unreadable.push(Unreadable { path, error });
                    return sorted(found, unreadable);
                }
                let metadata = match metadata {
                    Ok(metadata) => metadata,
                    Err(error) => {
                        unreadable.push(Unreadable { path, error });
                        continue;
                    }
                };
                if metadata.kind == NodeKind::Directory {
                    if depth >= PATH_DEPTH {
                        let error = ParseError::limit(0, "depth of folders", depth + 1, PATH_DEPTH);
                        unreadable.push(Unreadable { path, error });
                        continue;
                    }
                    if !seen.insert(entry.node) {
                        let error = ParseError::invalid(0, "folder", "named twice", "one name for each folder");
                        unreadable.push(Unreadable { path, error });
                        continue;
                    }
                    below.push((path.clone(), entry.node));
                }
                found.push(Entry { path, node: entry.node, metadata });
            }
        }
        level = below;
        depth += 1;
    }
    sorted(found, unreadable)
}

/// What a folder holds, with what the filesystem says of each.
type Content = Result<Vec<(DirEntry, Result<Metadata, ParseError>)>, ParseError>;

/// The folders' contents, in their order. Those behind the first `most` entries may be missing: nobody takes them.
fn read_all(
    filesystem: &dyn Filesystem,
    folders: &[(String, NodeId)],
    most: u64,
    visit: &(dyn Fn(&File) + Sync),
) -> Vec<Content> {
    let read = |(folder, node): &(String, NodeId)| -> Content {
        let entries = filesystem.read_dir(*node)?;
        let told = entries.into_iter().map(|entry| {
            let metadata = filesystem.metadata(entry.node);
            (entry, metadata)
        });
        let content: Vec<_> = told.collect();
        for (entry, metadata) in &content {
            if let Ok(Metadata { kind: NodeKind::File, len, .. }) = metadata {
                visit(&File { path: within(folder, &entry.name), node: entry.node, len: *len });
            }
        }
        Ok(content)
    };
    let threads = (parallel::cores() + 1).min(THREADS).min(folders.len());
    if threads == 1 {
        return folders.iter().map(read).collect();
    }
    let (next, entries) = (AtomicUsize::new(0), AtomicU64::new(0));
    let contents: Vec<OnceLock<Content>> = folders.iter().map(|_| OnceLock::new()).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // Folders are taken in their order, so that whatever lies behind a full one is behind the limit.
                while entries.load(Ordering::Relaxed) <= most {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(folder), Some(place)) = (folders.get(index), contents.get(index)) else { return };
                    let content = read(folder);
                    entries.fetch_add(content.as_ref().map_or(0, |list| list.len() as u64), Ordering::Relaxed);
                    let _ = place.set(content);
                }
            });
        }
    });
    contents.into_iter().map_while(OnceLock::into_inner).collect()
}

fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
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
