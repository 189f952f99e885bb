//! Odd ZIP structures against aapt, which reads them with Android's own `libziparchive` and `AssetManager`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::crafted::{self, document, end, start};
use super::open_bytes;

const NAME: &str = "AndroidManifest.xml";

/// A manifest of this package, with one byte more than another package of the same length would need.
fn manifest(package: &str) -> Vec<u8> {
    let strings = [crafted::ANDROID, "manifest", "package", package];
    document(&strings, &[], &[start(1, &[(2, false, 3, 3)]), end(1)])
}

/// The package that aapt reads; `None` where it refuses the file.
fn aapt(bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.apk");
    fs::write(&path, bytes).unwrap();
    let output = Command::new("aapt").args(["dump", "xmltree"]).arg(&path).arg(NAME).output();
    let output = output.unwrap_or_else(|error| panic!("aapt can't be started: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("A: package="))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// A whole file of two entries and where its parts are.
struct Whole {
    bytes: Vec<u8>,
    /// Offset of the central directory.
    directory: usize,
    /// Offset of the end record.
    end: usize,
}

fn whole(deflate: bool) -> Whole {
    let bytes = crafted::zip(&[(NAME, &manifest("a.real"), deflate, None), ("assets/x", b"other", false, None)]);
    let end = bytes.len() - 22;
    let directory = u32::from_le_bytes(*bytes[end + 16..].first_chunk().unwrap()) as usize;
    Whole { bytes, directory, end }
}

impl Whole {
    /// The same bytes at a place in the local and in the central header of the manifest.
    fn both(mut self, local: usize, central: usize, bytes: &[u8]) -> Vec<u8> {
        self.bytes[local..local + bytes.len()].copy_from_slice(bytes);
        self.central(central, bytes)
    }

    fn local(mut self, at: usize, bytes: &[u8]) -> Vec<u8> {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.bytes
    }

    fn central(mut self, at: usize, bytes: &[u8]) -> Vec<u8> {
        let at = self.directory + at;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.bytes
    }

    fn comment(mut self, comment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
        self.bytes[self.end + 20..].copy_from_slice(&length);
        self.bytes.extend(comment);
        self.bytes
    }

    fn field(mut self, at: usize, bytes: &[u8]) -> Vec<u8> {
        let at = self.end + at;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.bytes
    }
}

/// Another file's entries, directory and end record, with offsets counted from where they will stand.
fn decoy(at: usize) -> Vec<u8> {
    let mut bytes = crafted::zip(&[(NAME, &manifest("b.decoy"), false, None)]);
    let end = bytes.len() - 22;
    let directory = u32::from_le_bytes(*bytes[end + 16..].first_chunk().unwrap()) as usize;
    let shifted = |offset: usize| u32::try_from(offset + at).unwrap().to_le_bytes();
    bytes[end + 16..end + 20].copy_from_slice(&shifted(directory));
    bytes[directory + 42..directory + 46].copy_from_slice(&shifted(0));
    bytes
}

/// An end record that names nothing that is there, with the length of the comment behind it.
fn fake_end(comment: u16) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\xff\xff\0\0".to_vec();
    bytes.extend(comment.to_le_bytes());
    bytes
}

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let (stored, deflated) = (|| whole(false), || whole(true));
    let with_prefix = |adjust: bool| {
        let mut whole = stored();
        if adjust {
            let shift = |bytes: &mut [u8]| {
                let offset = u32::from_le_bytes(*bytes.first_chunk().unwrap()) + 16;
                bytes[..4].copy_from_slice(&offset.to_le_bytes());
            };
            shift(&mut whole.bytes[whole.end + 16..]);
            let second = whole.directory + 46 + NAME.len();
            shift(&mut whole.bytes[whole.directory + 42..]);
            shift(&mut whole.bytes[second + 42..]);
        }
        [vec![b'#'; 16], whole.bytes].concat()
    };
    let twice = || crafted::zip(&[(NAME, &manifest("a.real"), false, None), (NAME, &manifest("b.decoy"), false, None)]);
    let named = |name: &str| crafted::zip(&[(NAME, &manifest("a.real"), false, None), (name, b"other", false, None)]);
    let mut latin = named("assets/?");
    for at in 0..latin.len() {
        if latin[at] == b'?' {
            latin[at] = 0xe9;
        }
    }
    let mut more = stored();
    let count = [1, 0, 1, 0];
    more.bytes[more.end + 8..more.end + 12].copy_from_slice(&count);
    let one_of_two = more.bytes;
    let end = stored().bytes.len();
    vec![
        ("as it should be, stored", stored().bytes),
        ("as it should be, deflated", deflated().bytes),
        ("bytes before, offsets as they were", with_prefix(false)),
        ("bytes before, offsets moved", with_prefix(true)),
        ("a comment", stored().comment(b"no more than a comment")),
        ("a comment of the greatest length", stored().comment(&[b'x'; 65_535])),
        ("a fake end record in the comment", stored().comment(&[fake_end(0), b"rest".to_vec()].concat())),
        ("a fake end record that ends with the file", stored().comment(&[b"rest".to_vec(), fake_end(0)].concat())),
        ("a fake end record with a comment of its own", stored().comment(&[fake_end(4), b"rest".to_vec()].concat())),
        ("another file in the comment", stored().comment(&decoy(end))),
        ("a byte behind", [stored().bytes, vec![0]].concat()),
        ("the end record's disk number", stored().field(4, &[9, 0])),
        ("no entries", stored().field(8, &[0, 0, 0, 0])),
        ("another number of entries on this disk", stored().field(8, &[7, 0])),
        ("fewer entries than there are", one_of_two),
        ("more entries than there are", stored().field(8, &[3, 0, 3, 0])),
        ("a directory that is longer", stored().field(12, &[0xff, 0xff, 0, 0])),
        ("a directory that begins elsewhere", stored().field(16, &[1, 0, 0, 0])),
        ("encrypted by both headers", stored().both(6, 8, &[1, 0])),
        ("encrypted by the directory", stored().central(8, &[1, 0])),
        ("strongly encrypted", stored().both(6, 8, &[0x41, 0])),
        ("a method that nobody knows, contents as they are", stored().both(8, 10, &[99, 0])),
        ("a method that nobody knows, deflated contents", deflated().both(8, 10, &[99, 0])),
        ("stored by the local header alone", deflated().local(8, &[0, 0])),
        ("deflated by the local header alone", stored().local(8, &[8, 0])),
        ("a version that nobody has", stored().both(4, 6, &[0xff, 0])),
        ("other sizes in the local header", stored().local(18, &[1, 0, 0, 0, 1, 0, 0, 0])),
        ("no sizes in the local header, a descriptor behind", {
            let mut whole = stored();
            whole.bytes[6] = 8;
            whole.bytes[18..26].fill(0);
            whole.central(8, &[8, 0])
        }),
        ("no sizes in the local header, no descriptor", stored().local(18, &[0; 8])),
        ("a descriptor by the local header alone, other sizes", {
            let mut whole = stored();
            whole.bytes[6] = 8;
            whole.local(18, &[1, 0, 0, 0, 1, 0, 0, 0])
        }),
        ("another checksum in the local header", stored().local(14, b"abcd")),
        ("a checksum that is wrong in both", deflated().both(14, 16, b"abcd")),
        ("another name in the local header", stored().local(30, b"B")),
        ("a longer name in the local header", stored().local(26, &[20, 0])),
        ("no local header", stored().local(0, b"PK\x03\x05")),
        ("a local header elsewhere", stored().central(42, &[4, 0, 0, 0])),
        ("a local header behind the directory", stored().central(42, &[0xff, 0xff, 0, 0])),
        ("a size beyond the file", stored().both(18, 20, &[0xff, 0xff, 0xff, 0x0f])),
        ("one name twice", twice()),
        ("a name that is no UTF-8", latin),
        ("a name with NUL", named("assets/\0")),
        ("a name with steps upwards", named("../../x")),
        ("a folder and a file of one name", named("AndroidManifest.xml/x")),
    ]
}

/// Cases in which aapt is not a device: it links the first `AssetManager`, which inflates whatever is not stored. Since Android 9
/// packages are opened by `AssetManager2` (AOSP `ApkAssets.cpp`, later `AssetsProvider.cpp`), which inflates what is deflated and
/// takes all else as it stands.
const NEWER: [(&str, Option<&str>); 2] = [
    ("a method that nobody knows, contents as they are", Some("a.real")),
    ("a method that nobody knows, deflated contents", None),
];

#[test]
fn every_odd_structure_reads_as_androids_own_library_reads_it() {
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for (case, bytes) in cases() {
        let newer = NEWER.iter().find(|(name, ..)| *name == case);
        let theirs = newer.map_or_else(|| aapt(&bytes), |(_, package)| package.map(str::to_owned));
        let ours = open_bytes(bytes);
        match &ours {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
        if ours.as_ref().ok().map(|apk| &apk.manifest.package) != theirs.as_ref() {
            wrong.push(format!("{case}: {:?}, Android {theirs:?}", ours.map(|apk| apk.manifest.package)));
        }
    }
    eprintln!("{read} structures read, {refused} refused, as by Android's own library");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 10 && refused > 10);
}

/// Python's `zipfile` writes the records of ZIP64 where there are more than 65,535 entries, and the extra fields where it is
/// told that an entry may be large.
const SCRIPT: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    with archive.open('AndroidManifest.xml', 'w', force_zip64=True) as entry:
        entry.write(open(sys.argv[2], 'rb').read())
    for number in range(int(sys.argv[3])):
        archive.writestr('assets/%d' % number, b'')
";

#[test]
fn zip64_as_another_library_writes_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (path, entry) = (folder.path().join("a.apk"), folder.path().join("manifest"));
    fs::write(&entry, manifest("a.real")).unwrap();
    for count in ["10", "70000"] {
        let arguments: [&Path; 4] = [Path::new("-c"), Path::new(SCRIPT), &path, &entry];
        let status = Command::new("python3").args(arguments).arg(count).status();
        assert!(status.unwrap_or_else(|error| panic!("python3 can't be started: {error}")).success());
        let bytes = fs::read(&path).unwrap();
        let has_end64 = bytes.windows(4).any(|window| window == b"PK\x06\x06");
        assert_eq!(has_end64, count == "70000");
        assert_eq!(open_bytes(bytes).unwrap().manifest.package, "a.real");
    }
}
