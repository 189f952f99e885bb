//! A file by its path on the running device, through symbolic links and from volume to volume.

use std::collections::VecDeque;

use super::{Image, Mounted};
use crate::bytes::{ParseError, read_vec_at};
use crate::filesystem::{DirEntry, Metadata, NodeId, NodeKind};

/// Symbolic links on one way; the kernel's MAXSYMLINKS.
const LINKS: u32 = 40;
/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;
/// Names of one path with all links in it. A path of 4096 bytes has 2048.
const NAMES: usize = 4096;

/// What a path leads to.
pub enum Place<'a> {
    /// A node of a volume.
    Node {
        /// The volume.
        mounted: &'a Mounted,
        /// The node.
        node: NodeId,
        /// What the filesystem says of it.
        metadata: Metadata,
        /// Its path on the device without links, with a leading slash; `/` for the root.
        path: String,
    },
    /// A folder that is in no volume: one that only holds places where volumes are mounted, as `/` may be.
    Above(String),
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Missing {
    /// No such name. Which part of the path, with the links before it followed.
    #[error("{0}: there is no such file or folder in what was read of the image")]
    NotThere(String),
    /// A name behind something that is no folder.
    #[error("{0} is not a folder")]
    NoFolder(String),
    /// Links that lead to each other, or too many.
    #[error("{0}: more than 40 symbolic links on the way")]
    TooManyLinks(String),
    /// Damage on the way.
    #[error("{0}: {1}")]
    Unreadable(String, ParseError),
}

impl Image {
    /// What a path of the running device leads to: `/system/etc/x`, or `product:etc/x` for a path in the partition of that
    /// name. Symbolic links are followed within the image, never on the host; the last one too, if `through` says so.
    ///
    /// # Errors
    /// A name that is not there, a folder that can't be read, links without end.
    pub fn find(&self, path: &str, through: bool) -> Result<Place<'_>, Missing> {
        let mut names: VecDeque<String> = VecDeque::new();
        match path.split_once(':') {
            Some((partition, inside)) if self.volumes().any(|mounted| mounted.name == partition) => {
                let mount_point = self.volumes().find(|mounted| mounted.name == partition).map(|m| &m.mount_point);
                push_front(&mut names, inside);
                push_front(&mut names, mount_point.map_or("", String::as_str));
            }
            _ => push_front(&mut names, path),
        }
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(name) = names.pop_front() {
            match name.as_str() {
                "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(name),
            }
            let here = format!("/{}", done.join("/"));
            let unreadable = |error| Missing::Unreadable(here.clone(), error);
            let Some((mounted, node)) = self.node(&done).map_err(unreadable)? else {
                if self.is_above(&done) {
                    continue;
                }
                return Err(Missing::NotThere(here));
            };
            let metadata = mounted.filesystem.metadata(node).map_err(unreadable)?;
            match metadata.kind {
                NodeKind::Symlink if through || !names.is_empty() => {
                    links += 1;
                    let bytes = mounted.filesystem.open(node).map_err(unreadable)?;
                    let target = read_vec_at(bytes.as_ref(), 0, bytes.len(), "symbolic link", LINK_BYTES);
                    let target = String::from_utf8_lossy(&target.map_err(unreadable)?).into_owned();
                    if links > LINKS || names.len() > NAMES {
                        return Err(Missing::TooManyLinks(here));
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    push_front(&mut names, &target);
                }
                NodeKind::Directory => {}
                _ if !names.is_empty() => return Err(Missing::NoFolder(here)),
                _ => {}
            }
        }
        let path = format!("/{}", done.join("/"));
        let unreadable = |error| Missing::Unreadable(path.clone(), error);
        match self.node(&done).map_err(unreadable)? {
            Some((mounted, node)) => {
                let metadata = mounted.filesystem.metadata(node).map_err(unreadable)?;
                Ok(Place::Node { mounted, node, metadata, path })
            }
            None => Ok(Place::Above(path)),
        }
    }

    /// The node with these names, in the volume that is mounted nearest above it.
    fn node(&self, names: &[String]) -> Result<Option<(&Mounted, NodeId)>, ParseError> {
        let depth = |mounted: &Mounted| split(&mounted.mount_point).count();
        let holds = |mounted: &&Mounted| {
            names
                .get(..depth(mounted))
                .is_some_and(|start| split(&mounted.mount_point).eq(start.iter().map(String::as_str)))
        };
        let Some(mounted) = self.volumes().filter(holds).max_by_key(|mounted| depth(mounted)) else {
            return Ok(None);
        };
        let inside = names.get(depth(mounted)..).unwrap_or_default();
        let mut node = mounted.root;
        for name in inside {
            if mounted.filesystem.metadata(node)?.kind != NodeKind::Directory {
                return Ok(None);
            }
            match mounted.filesystem.read_dir(node)?.into_iter().find(|entry: &DirEntry| entry.name == *name) {
                Some(entry) => node = entry.node,
                None => return Ok(None),
            }
        }
        Ok(Some((mounted, node)))
    }

    /// Whether a volume is mounted below the folder with these names.
    fn is_above(&self, names: &[String]) -> bool {
        self.volumes().any(|mounted| {
            let mut place = split(&mounted.mount_point);
            names.iter().all(|name| place.next() == Some(name.as_str()))
        })
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

fn push_front(names: &mut VecDeque<String>, path: &str) {
    for name in path.split('/').rev().filter(|name| !name.is_empty()) {
        names.push_front(name.to_owned());
    }
}
