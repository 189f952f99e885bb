//! EROFS images against a kernel's listing of them, and against what `fsck.erofs` extracts from them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::bytes::{FileBytes, ParseError, SharedBytes};
use preloaded::filesystem::{Filesystem, NodeId, NodeKind, recognize};
use sha2::{Digest, Sha256};

/// Path to kind or size, and target or SHA-256.
type Rows = BTreeMap<String, (String, String)>;

fn truth(text: &str, image: &str) -> Rows {
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

fn mount(image: &Path) -> Result<Box<dyn Filesystem>, ParseError> {
    let volume: SharedBytes = Arc::new(FileBytes::open(image).unwrap());
    let mut head = vec![0; 8192];
    volume.read_exact_at(0, &mut head).unwrap();
    let format = recognize(&head).unwrap();
    assert_eq!(format.name(), "erofs");
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

fn sha256(content: &SharedBytes) -> Result<String, ParseError> {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < content.len() {
        let mut buf = vec![0; usize::try_from((content.len() - at).min(1 << 20)).unwrap()];
        content.read_exact_at(at, &mut buf)?;
        hash.update(&buf);
        at += buf.len() as u64;
    }
    Ok(hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; install it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What is different between an image and its rows. The truth leaves out some folders, and devices.
fn differences(image: &Path, expected: &Rows) -> Vec<String> {
    let filesystem = match mount(image) {
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

#[test]
fn every_erofs_image_of_the_shared_data_has_the_files_that_went_into_it() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let text = String::from_utf8_lossy(&std::fs::read(data.join("truth/image-files.tsv")).unwrap()).into_owned();
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("erofs.img");
    let (mut images, mut rows, mut wrong) = (0, 0, Vec::new());
    let mut names: Vec<_> =
        std::fs::read_dir(data.join("images")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("erofs_")) {
        run(Command::new("zstd").args(["-dqf", "-o"]).arg(&image).arg(data.join("images").join(name)));
        let label = name.trim_end_matches(".zst");
        let expected = truth(&text, label);
        let differences = differences(&image, &expected);
        let count = differences.len();
        wrong.extend(differences.into_iter().take(3).map(|line| format!("{label}: {count} wrong: {line}")));
        (images, rows) = (images + 1, rows + expected.len());
    }
    super::note(&format!("{images} EROFS images, {rows} rows compared"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(images >= 27);
}
