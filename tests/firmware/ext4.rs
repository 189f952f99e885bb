//! ext4 images against a kernel's and debugfs's listing of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::bytes::{FileBytes, SharedBytes};
use preloaded::filesystem::{Filesystem, NodeId, NodeKind, recognize};
use sha2::{Digest, Sha256};

/// Path to kind or size, and target or SHA-256.
type Rows = BTreeMap<String, (String, String)>;

fn truth(file: &Path, image: &str) -> Rows {
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
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

fn mount(image: &Path) -> Box<dyn Filesystem> {
    let volume: SharedBytes = Arc::new(FileBytes::open(image).unwrap());
    let mut head = vec![0; 8192];
    volume.read_exact_at(0, &mut head).unwrap();
    let format = recognize(&head).unwrap();
    assert_eq!(format.name(), "ext4");
    format.mount(volume, &Arc::default()).unwrap()
}

/// Everything that the image holds, as the truth would say it; what can't be opened says why.
fn listing(filesystem: &dyn Filesystem, dir: NodeId, prefix: &str, rows: &mut Rows) {
    for entry in filesystem.read_dir(dir).unwrap() {
        let path = format!("{prefix}{}", entry.name);
        let row = match filesystem.metadata(entry.node) {
            Err(error) => ("error".to_owned(), error.to_string()),
            Ok(metadata) => match metadata.kind {
                NodeKind::Directory => {
                    listing(filesystem, entry.node, &format!("{path}/"), rows);
                    ("dir".to_owned(), String::new())
                }
                NodeKind::File => (metadata.len.to_string(), sha256(&filesystem.open(entry.node).unwrap())),
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

fn sha256(content: &SharedBytes) -> String {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < content.len() {
        let mut buf = vec![0; usize::try_from((content.len() - at).min(1 << 20)).unwrap()];
        content.read_exact_at(at, &mut buf).unwrap();
        hash.update(&buf);
        at += buf.len() as u64;
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; install it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn unzstd(from: &Path, to: &Path) {
    run(Command::new("zstd").args(["-dqf", "-o"]).arg(to).arg(from));
}

/// Compares an image with its rows and counts them. The truth leaves out some folders, and devices.
fn compare(image: &Path, expected: &Rows) -> usize {
    let filesystem = mount(image);
    let mut found = Rows::new();
    listing(filesystem.as_ref(), filesystem.root(), "", &mut found);
    let names: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let (expected, found) = (expected.get(name), found.get(name));
        let unlisted = expected.is_none() && found.is_some_and(|(kind, _)| kind == "dir" || kind == "special");
        // With inline data, mke2fs writes a sparse file shorter than it is; the truth leaves it out.
        let broken = name == "lib64/hole" && expected.is_none() && found.is_some_and(|(size, _)| size == "400384");
        assert!(expected == found || unlisted || broken, "{name}: expected {expected:?}, found {found:?}");
    }
    expected.len()
}

#[test]
fn images_that_stand_in_the_repository_have_the_files_that_a_kernel_saw() {
    let folder = Path::new("tests/data/images");
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("ext4.img");
    let name = "ext4_android.img";
    unzstd(&folder.join(format!("{name}.zst")), &image);
    let rows = compare(&image, &truth(&folder.join("files.tsv"), name));
    super::note(&format!("{name}: {rows} rows compared"));
}

#[test]
fn every_ext4_image_of_the_shared_data_has_the_files_that_a_kernel_saw() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("ext4.img");
    let (mut images, mut rows) = (0, 0);
    let mut names: Vec<_> =
        std::fs::read_dir(data.join("images")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("ext4_")) {
        unzstd(&data.join("images").join(name), &image);
        rows += compare(&image, &truth(&data.join("truth/image-files.tsv"), name.trim_end_matches(".zst")));
        images += 1;
    }
    super::note(&format!("{images} images, {rows} rows compared"));
    assert!(images >= 13);
}

#[test]
fn ext_images_of_other_projects_have_the_files_that_debugfs_saw() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let truth_file = data.join("truth/container-files.tsv");
    let image = temp.path().join("image");
    let mut total = 0;
    for name in ["test_disk_ext2", "test_disk_ext3"] {
        let path = format!("containers/ext4-view/{name}.bin.zst");
        unzstd(&data.join(&path), &image);
        total += compare(&image, &truth(&truth_file, &path));
    }
    let tar = "containers/aosp-update-engine/sample_images.tar.bz2";
    run(Command::new("tar").arg("-xjf").arg(data.join(tar)).arg("-C").arg(temp.path()));
    for name in ["disk_ext2_1k", "disk_ext2_4k", "disk_ext2_4k_empty", "disk_ext2_unittest"] {
        total += compare(&temp.path().join(format!("{name}.img")), &truth(&truth_file, &format!("{tar}!{name}.img")));
    }
    super::note(&format!("6 images, {total} rows compared"));
}

/// Output of a script; what fails says so.
fn script(folder: &Path, text: &str) -> String {
    let output = Command::new("bash").args(["-euc", text]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Files of a volume, by name.
fn files(volume: SharedBytes) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut head = vec![0; 8192];
    volume.read_exact_at(0, &mut head).unwrap();
    let mounted = recognize(&head).unwrap().mount(volume, &Arc::default()).map_err(|error| error.to_string())?;
    let mut files = BTreeMap::new();
    for entry in mounted.read_dir(mounted.root()).map_err(|error| error.to_string())? {
        if mounted.metadata(entry.node).unwrap().kind == NodeKind::File {
            let content = mounted.open(entry.node).unwrap();
            let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
            content.read_exact_at(0, &mut bytes).unwrap();
            files.insert(entry.name, bytes);
        }
    }
    Ok(files)
}

#[test]
fn a_journal_that_waits_is_replayed_as_e2fsck_replays_it() {
    for (features, open) in [
        ("^metadata_csum,^64bit", "jo"),
        ("^metadata_csum,64bit", "jo"),
        ("metadata_csum,^64bit", "jo -c -v 2"),
        ("metadata_csum,64bit", "jo -c -v 3"),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        std::fs::create_dir(folder.join("tree")).unwrap();
        std::fs::write(folder.join("tree/first"), vec![b'a'; 20_000]).unwrap();
        std::fs::write(folder.join("tree/second"), vec![b'b'; 9_000]).unwrap();
        script(folder, &format!("mke2fs -q -F -t ext4 -b 4096 -O {features} -d tree image 16M"));
        let block = |path: &str, index: u32| -> u64 {
            script(folder, &format!("debugfs -R 'bmap {path} {index}' image 2> /dev/null")).trim().parse().unwrap()
        };
        let [a0, a1, a2, b0, b1] = [("/first", 0), ("/first", 1), ("/first", 2), ("/second", 0), ("/second", 1)]
            .map(|(path, at)| block(path, at));
        let root = block("/", 0);
        // A renamed file, a block that begins like the journal's own, one that a later transaction revokes and one that a later
        // one writes again; and a transaction without its commit.
        let image = std::fs::read(folder.join("image")).unwrap();
        let start = usize::try_from(root).unwrap() * 4096;
        let directory = String::from_utf8_lossy(&image[start..start + 4096]).contains("second");
        assert!(directory);
        let mut renamed = image[start..start + 4096].to_vec();
        let at = renamed.windows(6).position(|name| name == b"second").unwrap();
        renamed[at..at + 6].copy_from_slice(b"other!");
        let magic = [b"\xc0\x3b\x39\x98".to_vec(), vec![b'N'; 4092]].concat();
        std::fs::write(folder.join("one"), [magic, vec![b'M'; 4096], vec![b'O'; 4096]].concat()).unwrap();
        std::fs::write(folder.join("two"), [vec![b'P'; 4096], renamed].concat()).unwrap();
        std::fs::write(folder.join("three"), vec![b'Q'; 4096]).unwrap();
        let commands = format!(
            "{open}\njw -b {a0},{a1},{b0} one\njw -r {a1}\njw -b {a2},{root} two\njw -b {b0} three\njw -b {b1} -c three\njc\n"
        );
        std::fs::write(folder.join("commands"), commands).unwrap();
        script(
            folder,
            "debugfs -w -f commands image > /dev/null 2>&1; dumpe2fs -h image 2> /dev/null | grep -q needs_recovery",
        );
        // The directory's own checksum is of the former name: e2fsck keeps the entry and mends the sum.
        script(
            folder,
            "cp image done; e2fsck -fy done > log 2>&1 || test $? -le 1; mkdir out; debugfs -R 'rdump / out' done 2> /dev/null",
        );
        let mut expected = BTreeMap::new();
        for entry in std::fs::read_dir(folder.join("out")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                expected.insert(name, std::fs::read(path).unwrap());
            }
        }
        assert_eq!(expected.keys().collect::<Vec<_>>(), ["first", "other!"], "{features}, {open}");
        let waiting = std::fs::read(folder.join("image")).unwrap();
        let volume: SharedBytes = Arc::new(waiting.clone());
        let found = files(volume).unwrap();
        assert!(found == expected, "{features}, {open}: a file differs");
        assert!(found["first"].starts_with(b"\xc0\x3b\x39\x98NN") && found["first"][4096..].starts_with(b"aa"));
        assert!(found["other!"].starts_with(b"QQ") && found["other!"][4096..].starts_with(b"bb"));
        // A byte of a block in the log: where there are checksums it is refused, as kernels refuse it.
        if open.contains("-v") {
            let mut damaged = waiting;
            let at = damaged.windows(64).rposition(|bytes| bytes == [b'P'; 64]).unwrap();
            damaged[at] ^= 1;
            let error = files(Arc::new(damaged)).unwrap_err();
            assert!(error.contains("journal") && error.contains("checksum"), "{error}");
        }
    }
}
