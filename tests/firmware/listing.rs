//! What volumes hold, by this program and by others, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::bytes::{FileBytes, ParseError, SharedBytes};
use preloaded::filesystem::{Filesystem, NodeId, NodeKind, recognize};
use sha2::{Digest, Sha256};

/// Path to kind or size, and target or SHA-256.
pub(super) type Rows = BTreeMap<String, (String, String)>;

pub(super) fn truth(text: &str, image: &str) -> Rows {
    let mut rows = Rows::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        if let [name, path, kind, value] = fields[..]
            && name == image
        {
            rows.insert(path.to_owned(), (kind.to_owned(), value.to_owned()));
        }
    }
    assert!(!rows.is_empty(), "no rows of {image}");
    rows
}

fn mount(image: &Path, name: &str) -> Result<Box<dyn Filesystem>, ParseError> {
    let volume: SharedBytes = Arc::new(FileBytes::open(image).unwrap());
    let mut head = vec![0; usize::try_from(volume.len().min(8192)).unwrap()];
    volume.read_exact_at(0, &mut head).unwrap();
    let format = recognize(&head).unwrap();
    assert_eq!(format.name(), name);
    format.mount(volume, &Arc::default())
}

/// Everything that the image holds, as the truth would say it; what can't be read says why.
fn listing(filesystem: &dyn Filesystem, dir: NodeId, prefix: &str, rows: &mut Rows) {
    let entries = match filesystem.read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            rows.insert(prefix.to_owned(), ("error".to_owned(), error.to_string()));
            return;
        }
    };
    for entry in entries {
        let path = format!("{prefix}{}", entry.name);
        let row = match filesystem.metadata(entry.node) {
            Err(error) => ("error".to_owned(), error.to_string()),
            Ok(metadata) => match metadata.kind {
                NodeKind::Directory => {
                    listing(filesystem, entry.node, &format!("{path}/"), rows);
                    ("dir".to_owned(), String::new())
                }
                NodeKind::File => {
                    let content = filesystem.open(entry.node).and_then(|content| sha256(&content));
                    (metadata.len.to_string(), content.unwrap_or_else(|error| error.to_string()))
                }
                NodeKind::Symlink => {
                    let target = filesystem.open(entry.node).unwrap();
                    let mut bytes = vec![0; usize::try_from(target.len()).unwrap()];
                    target.read_exact_at(0, &mut bytes).unwrap();
                    ("link".to_owned(), String::from_utf8(bytes).unwrap())
                }
                NodeKind::Special => ("special".to_owned(), String::new()),
            },
        };
        rows.insert(path, row);
    }
}

/// The hash of the content, after parts of it were read from its end to its beginning and were the same.
fn sha256(content: &SharedBytes) -> Result<String, ParseError> {
    let mut whole = vec![0; usize::try_from(content.len()).unwrap()];
    let mut part = [0; 700];
    for start in (0..whole.len().saturating_sub(part.len())).rev().step_by(5003) {
        content.read_exact_at(start as u64, &mut part)?;
        whole[start..start + part.len()].copy_from_slice(&part);
    }
    let parts = whole.clone();
    for (index, piece) in whole.chunks_mut(1 << 20).enumerate() {
        content.read_exact_at((index << 20) as u64, piece)?;
    }
    for start in (0..whole.len().saturating_sub(part.len())).rev().step_by(5003) {
        assert!(parts[start..start + part.len()] == whole[start..start + part.len()], "read at {start}");
    }
    Ok(hex(Sha256::new_with_prefix(&whole)))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; install it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What is different between an image and its rows. The truth leaves out some folders, and devices.
pub(super) fn differences(format: &str, image: &Path, expected: &Rows) -> Vec<String> {
    let filesystem = match mount(image, format) {
        Ok(filesystem) => filesystem,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = Rows::new();
    listing(filesystem.as_ref(), filesystem.root(), "", &mut found);
    let names: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let (expected, found) = (expected.get(name), found.get(name));
        let unlisted = expected.is_none() && found.is_some_and(|(kind, _)| kind == "dir" || kind == "special");
        if expected != found && !unlisted {
            differences.push(format!("{name}: expected {expected:?}, found {found:?}"));
        }
    }
    differences
}

/// Bytes that repeat at many distances, so that clusters of all lengths come about.
pub(super) fn data(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(len);
    while out.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let run = usize::try_from(state >> 20).unwrap() % 900;
        match state >> 8 & 3 {
            0 => out.extend((0..run).map(|index| (u32::try_from(index).unwrap().wrapping_mul(state) >> 24) as u8)),
            1 => out.extend(std::iter::repeat_n((state >> 16) as u8, run)),
            _ => {
                let start = out.len().saturating_sub(run * 31);
                out.extend_from_within(start..(start + run).min(out.len()));
            }
        }
    }
    out.truncate(len);
    out
}

pub(super) fn tree(root: &Path) {
    std::fs::create_dir_all(root.join("app/Deep/lib/arm64")).unwrap();
    std::fs::create_dir(root.join("etc")).unwrap();
    std::fs::create_dir(root.join("empty")).unwrap();
    for (seed, len) in [0, 1, 4095, 4096, 4097, 12_288, 65_536, 70_001, 1 << 20, 2_000_001].into_iter().enumerate() {
        let seed = u32::try_from(seed).unwrap() + 1;
        std::fs::write(root.join(format!("app/{len}.apk")), data(len, seed)).unwrap();
    }
    // The same again, in part and in whole, for what is stored only once.
    std::fs::write(root.join("app/Deep/lib/arm64/again.so"), data(2_000_001, 10)).unwrap();
    std::fs::write(root.join("app/Deep/zeros"), vec![0; 2_000_000]).unwrap();
    std::fs::write(
        root.join("app/Deep/noise"),
        data(400_000, 77).iter().map(|b| b.wrapping_mul(13)).collect::<Vec<_>>(),
    )
    .unwrap();
    for index in 0..700 {
        std::fs::write(root.join(format!("etc/a name of some length {index}.xml")), format!("<x>{index}</x>")).unwrap();
    }
    std::os::unix::fs::symlink("../app/4096.apk", root.join("etc/link")).unwrap();
    std::os::unix::fs::symlink("x".repeat(3000), root.join("etc/long")).unwrap();
    // Around what stands in an inode of F2FS, what it has addresses for, and what its direct nodes have.
    for (seed, len) in
        [3487, 3488, 3489, 3687, 3688, 3689, 923 * 4096, 923 * 4096 + 1, 13_000_001].into_iter().enumerate()
    {
        std::fs::write(root.join(format!("app/Deep/{len}")), data(len, u32::try_from(seed).unwrap() + 90)).unwrap();
    }
    std::fs::write(root.join("etc/имя 名前.xml"), "unicode").unwrap();
    std::fs::write(root.join("etc").join("n".repeat(255)), "long").unwrap();
}

/// The tree below `root` as the host sees it.
pub(super) fn host(root: &Path, folder: &Path, rows: &mut Rows) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let row = if metadata.is_symlink() {
            ("link".to_owned(), std::fs::read_link(&path).unwrap().to_string_lossy().into_owned())
        } else if metadata.is_dir() {
            host(root, &path, rows);
            ("dir".to_owned(), String::new())
        } else {
            let hash = Sha256::new_with_prefix(std::fs::read(&path).unwrap());
            (metadata.len().to_string(), hex(hash))
        };
        rows.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), row);
    }
}
