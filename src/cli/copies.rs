//! Whether two targets of this host are the same bytes: then what can't be read of them is the same too.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::serverless;
use crate::remote;

/// Bytes that are compared at once.
const CHUNK: usize = 1 << 20;

/// Whether two targets are one, or copies of each other byte for byte. What can't be told is not the same: phones, whatever
/// is on a network, what can't be opened, anything but files, folders and links.
pub(super) fn are_copies(a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (local(a), local(b)) else { return false };
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(one), Ok(other)) if one == other => true,
        (Ok(one), Ok(other)) => alike(one, other).unwrap_or(false),
        _ => false,
    }
}

/// The path of a target that is a file or folder here.
fn local(name: &str) -> Option<&Path> {
    (!serverless::is_phone(name) && !remote::is_url(name)).then(|| Path::new(name))
}

fn alike(a: PathBuf, b: PathBuf) -> io::Result<bool> {
    let mut open = vec![(a, b)];
    while let Some((a, b)) = open.pop() {
        let (one, other) = (fs::symlink_metadata(&a)?, fs::symlink_metadata(&b)?);
        let kinds = (one.file_type(), other.file_type());
        let same = match kinds {
            (a_kind, b_kind) if a_kind.is_symlink() && b_kind.is_symlink() => fs::read_link(&a)? == fs::read_link(&b)?,
            (a_kind, b_kind) if a_kind.is_file() && b_kind.is_file() => one.len() == other.len() && contents(&a, &b)?,
            (a_kind, b_kind) if a_kind.is_dir() && b_kind.is_dir() => {
                let (names, others) = (names(&a)?, names(&b)?);
                let same = names == others;
                open.extend(names.into_iter().map(|name| (a.join(&name), b.join(name))));
                same
            }
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn names(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn contents(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut one, mut other) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
    loop {
        for (file, chunk) in [(&mut a, &mut one), (&mut b, &mut other)] {
            chunk.clear();
            file.take(CHUNK as u64).read_to_end(chunk)?;
        }
        if one != other || one.is_empty() {
            return Ok(one == other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_from_what_differs_in_a_byte_a_name_or_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, change: &dyn Fn(&Path)| {
            let root = folder.path().join(name);
            fs::create_dir_all(root.join("a/b")).unwrap();
            fs::write(root.join("a/b/large"), vec![7; CHUNK + 3]).unwrap();
            fs::write(root.join("empty"), "").unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink("a", root.join("link")).unwrap();
            change(&root);
            root.to_str().unwrap().to_owned()
        };
        let first = made("first", &|_| ());
        assert!(are_copies(&first, &first));
        assert!(are_copies(&first, &made("copy", &|_| ())));
        let mut large = vec![7; CHUNK + 3];
        large[CHUNK + 1] = 8;
        let byte = made("byte", &|root| fs::write(root.join("a/b/large"), &large).unwrap());
        let longer = made("longer", &|root| fs::write(root.join("empty"), "x").unwrap());
        let more = made("more", &|root| fs::write(root.join("a/more"), "").unwrap());
        let renamed = made("renamed", &|root| fs::rename(root.join("empty"), root.join("Empty")).unwrap());
        let kind = made("kind", &|root| {
            fs::remove_file(root.join("empty")).unwrap();
            fs::create_dir(root.join("empty")).unwrap();
        });
        for other in [&byte, &longer, &more, &renamed, &kind] {
            assert!(!are_copies(&first, other), "{other}");
        }
        #[cfg(unix)]
        {
            let link = made("link", &|root| {
                fs::remove_file(root.join("link")).unwrap();
                std::os::unix::fs::symlink("b", root.join("link")).unwrap();
            });
            assert!(!are_copies(&first, &link));
        }
        assert!(are_copies(&format!("{first}/a/b/large"), &format!("{first}/a/../a/b/large")));
    }

    #[test]
    fn what_is_no_file_of_this_host_is_never_a_copy() {
        for name in ["adb", "adb:1", "tcp:127.0.0.1:5555", "usb:1-1", "https://example.com/a.zip", "no-such-file"] {
            assert!(!are_copies(name, name), "{name}");
        }
    }
}
