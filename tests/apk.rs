//! The reader of package files against independent tools, damaged files and hostile ones.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

#[path = "apk/apex.rs"]
mod apex;
#[path = "apk/crafted.rs"]
mod crafted;
#[path = "apk/facts.rs"]
mod facts;
#[path = "apk/fields.rs"]
mod fields;
#[path = "apk/framework.rs"]
mod framework;
#[path = "apk/hostile.rs"]
mod hostile;
#[path = "apk/native.rs"]
mod native;
#[path = "apk/program.rs"]
mod program;
#[path = "apk/zip.rs"]
mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crafted::{Offsets, chunk, document, end, resource_type, resources, start, zip};
use preloaded::apk::{self, Apk};
use preloaded::bytes::{FileBytes, ParseError, ReadAt, SharedBytes};

/// Files that some tool reads although Android (aapt and aapt2, which use its code) refuses them, and a part of our error.
const REFUSED: [(&str, &str); 8] = [
    ("container-tampered-base.apkm", "AndroidManifest.xml: "), // A bundle: the tool looked into the APK inside.
    ("manifest-xml-node-header-size.apk", "headerSize is 8"),  // Android wants 16 bytes of a node's header.
    ("zip-central-directory-shifted.apk", "record signature"),
    ("zip-duplicate-entry.apk", "'classes.dex' twice"),
    ("zip-eocd-not-at-end.apk", "comment length is 0"),
    ("zip-invalid-utf8-name.apk", "expected UTF-8 without NUL"),
    ("v1-only-with-nul-in-entry-name.apk", "expected UTF-8 without NUL"),
    ("v1v2v3-with-rsa-2048-lineage-3-signers-invalid-zip.apk", "directory offset is 16384"),
];

/// Right differences: file, field, our answer, reason.
const EXPLAINED: [(&str, &str, &str, &str); 2] = [
    ("original-with-versionCodeMajor.apk", "versionCode", "4294967321", "the tools print the lower 32 bits alone"),
    ("zip-stored-size-mismatch.apk", "label", "", "Android refuses the entry of the resource table"),
];

/// Damage that leaves the manifest readable: file, and a part of the error of the signers or the resources.
const DAMAGED: [(&str, &str); 7] = [
    ("resources-type-entries-out-of-bounds.apk", "entryCount is 268435455"),
    ("zip-stored-size-mismatch.apk", "resources.arsc: byte 44: 32767 bytes"),
    ("broken-v3-only-no-certs-in-sig.apk", "v3: signer 0: byte 8276: certificates is empty"),
    ("v3-only-no-certs-in-sig.apk", "v3: signer 0: byte 8276: certificates is empty"),
    ("v3-only-with-rsa-pkcs1-sha512-4096-apk-sig-block-size-mismatch.apk", "signing block: byte 8196: size"),
    ("v3-only-with-rsa-pkcs1-sha512-8192-digest-mismatch.apk", "resources.arsc: byte 26: local file name"),
    ("apks/axml/app.apk", "resources.arsc: byte 2059: entry is absent"),
];

const FIELDS: [&str; 9] = [
    "package",
    "versionCode",
    "minSdk",
    "targetSdk",
    "label",
    "launcher",
    "permissions",
    "permissions_sdk23",
    "signer_sha256",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> PathBuf {
    root().join("tests/data/apks")
}

type Row = BTreeMap<String, String>;

fn table(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let row = |line: &str| header.iter().zip(line.split('\t')).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect();
    lines.map(row).collect()
}

/// What we say, in the words of the table.
fn fields(apk: &Apk) -> BTreeMap<&'static str, String> {
    let manifest = &apk.manifest;
    let newest = apk.signers.as_ref().ok().and_then(|signers| signers.first()).map(|signer| signer.scheme);
    let signers = apk.signers.iter().flatten().filter(|s| Some(s.scheme) == newest).map(apk::Certificate::sha256);
    let permissions = |sdk_23| {
        let of_kind = manifest.requested_permissions.iter().filter(move |permission| permission.sdk_23 == sdk_23);
        sorted(of_kind.map(|permission| permission.name.clone()))
    };
    BTreeMap::from([
        ("package", manifest.package.clone()),
        ("versionCode", manifest.version_code.to_string()),
        ("minSdk", manifest.min_sdk.to_string()),
        ("targetSdk", manifest.target_sdk.to_string()),
        ("label", manifest.label.clone().unwrap_or_default()),
        ("launcher", manifest.launcher.join(",")),
        ("permissions", permissions(false)),
        ("permissions_sdk23", permissions(true)),
        ("signer_sha256", sorted(signers)),
    ])
}

fn sorted(values: impl Iterator<Item = String>) -> String {
    values.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

/// The tools print nothing where we give the value that Android assumes.
fn expected(row: &Row, field: &str) -> String {
    let default = match field {
        "versionCode" => "0".into(),
        "minSdk" => "1".into(),
        "targetSdk" => expected(row, "minSdk"),
        _ => String::new(),
    };
    Some(row[field].clone()).filter(|value| !value.is_empty()).unwrap_or(default)
}

#[derive(Default)]
struct Comparison {
    rows: usize,
    equal: usize,
    refused: usize,
    explained: usize,
    disagreed: usize,
    differences: Vec<String>,
    length: u64,
    read: u64,
}

impl Comparison {
    fn row(&mut self, folder: &Path, row: &Row, disagree: &BTreeSet<String>) {
        let file = row["file"].as_str();
        let name = file.rsplit('/').next().and_then(|name| name.rsplit("--").next()).unwrap_or(file);
        let counted = Arc::new(Counted::open(&folder.join(file)));
        self.rows += 1;
        self.length += counted.len();
        let source: SharedBytes = counted.clone();
        let result = apk::open(&source);
        self.read += counted.read.load(Ordering::Relaxed);
        let apk = match result {
            Ok(apk) => apk,
            Err(error) => {
                let known = REFUSED.iter().any(|(known, part)| name == *known && error.to_string().contains(part));
                if known || row["package"].is_empty() {
                    self.refused += 1;
                } else {
                    self.differences.push(format!("{file}: {error}"));
                }
                return;
            }
        };
        let known = |error: &ParseError| {
            DAMAGED.iter().any(|(known, part)| file.ends_with(known) && error.to_string().contains(part))
        };
        for error in [apk.signers.as_ref().err(), apk.resources.as_ref().err()].into_iter().flatten() {
            if !known(error) {
                self.differences.push(format!("{file}: {error}"));
            }
        }
        let ours = fields(&apk);
        for field in FIELDS {
            let (ours, theirs) = (&ours[field], expected(row, field));
            if *ours == theirs {
                self.equal += 1;
            } else if disagree.contains(field) {
                self.disagreed += 1;
            } else if EXPLAINED.iter().any(|known| (known.0, known.1, known.2) == (name, field, ours)) {
                self.explained += 1;
            } else {
                self.differences.push(format!("{file}: {field}: '{ours}', the tools say '{theirs}'"));
            }
        }
    }

    fn report(&self, what: &str) {
        eprintln!(
            "{what}: {} files, {} refused as by Android, {} fields equal, {} explained, {} where tools disagree, {} of {} bytes read",
            self.rows, self.refused, self.equal, self.explained, self.disagreed, self.read, self.length
        );
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
    }
}

/// A file that counts what is read of it.
struct Counted {
    file: FileBytes,
    read: AtomicU64,
}

impl Counted {
    fn open(path: &Path) -> Self {
        let file = FileBytes::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { file, read: AtomicU64::new(0) }
    }
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        self.file.read_exact_at(offset, buf)
    }
}

#[test]
fn each_committed_file_reads_as_the_independent_tools_read_it() {
    let mut comparison = Comparison::default();
    for row in table(&fixtures().join("expected.tsv")) {
        let disagree = row["disagree"].split(',').map(str::to_owned).collect();
        comparison.row(&fixtures(), &row, &disagree);
    }
    comparison.report("committed files");
    assert!(comparison.rows >= 40);
}

#[test]
fn each_shared_file_reads_as_the_independent_tools_read_it() {
    let shared = root().join("../shared/data");
    if !shared.is_dir() {
        eprintln!("NOT RUN: {} is not there", shared.display());
        return;
    }
    let mut disagree: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table(&shared.join("truth/apks-where-tools-disagree.tsv")) {
        let field = if row["field"] == "cert" { "signer_sha256" } else { row["field"].as_str() };
        disagree.entry(row["file"].clone()).or_default().insert(field.to_owned());
    }
    let (mut free, mut firmware, mut absent) = (Comparison::default(), Comparison::default(), 0);
    for row in table(&shared.join("truth/apks.tsv")) {
        let file = row["file"].as_str();
        if !shared.join(file).is_file() {
            eprintln!("NOT RUN: {file} is not there");
            absent += 1;
            continue;
        }
        let comparison = if file.starts_with("firmware/") { &mut firmware } else { &mut free };
        comparison.row(&shared, &row, disagree.get(file).unwrap_or(&BTreeSet::new()));
    }
    free.report("shared files");
    firmware.report("firmware files");
    assert_eq!(free.rows + firmware.rows + absent, 576);
    // Directories, manifests, certificates and headers, not contents, but in whole pages: 23 KB of files of 66 KB.
    assert!(firmware.read * 2 <= firmware.length, "{} of {} bytes read", firmware.read, firmware.length);
}

#[test]
fn a_directory_is_found_through_the_zip64_records() {
    let mut bytes = zip(&[("AndroidManifest.xml", &manifest(&[]), true, None)]);
    let end = bytes.split_off(bytes.len() - 22);
    let field = |at: usize| u64::from(u32::from_le_bytes(*end[at..].first_chunk().unwrap()));
    let at = bytes.len() as u64;
    bytes.extend(*b"PK\x06\x06");
    bytes.extend([0; 28]);
    for value in [1, field(12), field(16)] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(*b"PK\x06\x07\0\0\0\0");
    bytes.extend(at.to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(*b"PK\x05\x06\0\0\0\0");
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    assert_eq!(open_bytes(bytes.clone()).unwrap().manifest.package, "a.b");
    let start = bytes.len() - 22 - 20 - 8;
    bytes[start..start + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = open_bytes(bytes).unwrap_err().to_string();
    assert!(error.contains("directory offset is 18446744073709551615"), "{error}");
}

const STRINGS: [&str; 8] =
    [crafted::ANDROID, "name", "label", "manifest", "package", "a.b", "application", "uses-permission"];
const NAME: u32 = 0x0101_0003;
const LABEL: u32 = 0x0101_0001;

/// A manifest with `inner` elements.
fn manifest(inner: &[Vec<u8>]) -> Vec<u8> {
    let mut nodes = vec![start(3, &[(4, false, 3, 5)])];
    nodes.extend(inner.iter().cloned());
    nodes.push(end(3));
    document(&STRINGS, &[0, NAME, LABEL], &nodes)
}

fn labelled(kind: u8, data: u32) -> Vec<u8> {
    manifest(&[start(6, &[(2, true, kind, data)]), end(6)])
}

fn open_bytes(bytes: Vec<u8>) -> Result<Apk, ParseError> {
    let source: SharedBytes = Arc::new(bytes);
    apk::open(&source)
}

fn open_entries(manifest: &[u8], resources: &[u8]) -> Result<Apk, ParseError> {
    open_bytes(zip(&[("AndroidManifest.xml", manifest, true, None), ("resources.arsc", resources, false, None)]))
}

#[test]
fn a_manifest_that_claims_or_inflates_to_too_much_is_refused() {
    let small = manifest(&[]);
    let error = open_bytes(zip(&[("AndroidManifest.xml", &small, true, Some(u32::MAX - 1))])).unwrap_err();
    assert!(error.to_string().contains("AndroidManifest.xml: byte 49: uncompressed size is 4294967294"), "{error}");
    let bomb = vec![0; 17 << 20];
    let error = open_bytes(zip(&[("AndroidManifest.xml", &bomb, true, None)])).unwrap_err();
    assert!(error.to_string().ends_with("uncompressed size is 17825792, the limit is 16777216"), "{error}");
    let error =
        open_bytes(zip(&[("AndroidManifest.xml", &small, true, Some(u32::try_from(small.len()).unwrap() + 1))]))
            .unwrap_err();
    assert!(error.to_string().contains("bytes are needed here"), "{error}");
}

#[test]
fn counts_beyond_their_chunk_are_refused_where_they_stand() {
    let mut pool = manifest(&[]);
    pool[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = open_entries(&pool, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "AndroidManifest.xml: string pool: byte 16: stringCount is 4294967295, expected no more than the pool has room for"
    );
    let mut element = start(3, &[(4, false, 3, 5)]);
    element[28..30].copy_from_slice(&u16::MAX.to_le_bytes());
    let error = open_entries(&document(&STRINGS, &[], std::slice::from_ref(&element)), &[]).unwrap_err();
    assert!(error.to_string().contains("attributeCount is 65535"), "{error}");
    element[26..28].copy_from_slice(&0_u16.to_le_bytes());
    let error = open_entries(&document(&STRINGS, &[], &[element]), &[]).unwrap_err();
    assert!(error.to_string().contains("attributeSize is 0"), "{error}");
}

#[test]
fn many_references_into_many_configurations_end() {
    let nothing = resource_type(*b"xx", Offsets::Wide, true, &[(0, 3, 0)]);
    let table = resources(&["x"], &vec![nothing; 5000]);
    let mut inner = Vec::new();
    for _ in 0..5000 {
        inner.extend([start(8, &[(1, true, 1, 0x7f01_0001)]), end(8)]);
    }
    let strings = [&STRINGS[..], &["permission"]].concat();
    let nodes = [vec![start(3, &[(4, false, 3, 5)])], inner].concat();
    let apk = open_entries(&document(&strings, &[0, NAME, LABEL], &nodes), &table).unwrap();
    let error = apk.resources.unwrap_err().to_string();
    assert!(error.ends_with("inspected configurations is 2097153, the limit is 2097152"), "{error}");
}

#[test]
fn one_long_string_named_by_every_element_does_not_multiply() {
    let long = "x".repeat(0x7fff);
    let mut strings = STRINGS.to_vec();
    strings.push(&long);
    let mut nodes = vec![start(3, &[(4, false, 3, 5)])];
    for _ in 0..2000 {
        nodes.extend([start(7, &[(1, true, 3, 8)]), end(7)]);
    }
    let error = open_entries(&document(&strings, &[0, NAME, LABEL], &nodes), &[]).unwrap_err();
    assert!(error.to_string().contains("bytes of decoded strings is 33"), "{error}");
}

#[test]
fn elements_may_nest_as_deep_as_they_like() {
    let inner: Vec<_> = (0..50_000).map(|_| start(6, &[])).collect();
    assert_eq!(open_entries(&manifest(&inner), &[]).unwrap().manifest.package, "a.b");
}

#[test]
fn a_label_is_found_in_every_encoding_of_a_table() {
    for offsets in [Offsets::Wide, Offsets::Short, Offsets::Sparse] {
        for compact in [false, true] {
            let table = resources(
                &["russian", "default", "unused"],
                &[
                    resource_type(*b"ru", offsets, compact, &[(3, 3, 0)]),
                    resource_type([0; 2], offsets, compact, &[(0, 3, 2), (3, 1, 0x7f01_0005), (5, 3, 1)]),
                ],
            );
            let apk = open_entries(&labelled(1, 0x7f01_0003), &table).unwrap();
            assert_eq!(
                (apk.manifest.label.as_deref(), apk.resources),
                (Some("default"), Ok(())),
                "{offsets:?} {compact}"
            );
            let absent = open_entries(&labelled(1, 0x7f01_0004), &table).unwrap();
            assert_eq!((absent.manifest.label, absent.resources), (None, Ok(())), "{offsets:?} {compact}");
        }
    }
}

#[test]
fn references_in_a_circle_end() {
    let table =
        resources(&["x"], &[resource_type([0; 2], Offsets::Wide, false, &[(0, 1, 0x7f01_0001), (1, 1, 0x7f01_0000)])]);
    assert_eq!(open_entries(&labelled(1, 0x7f01_0000), &table).unwrap().manifest.label, None);
}

#[test]
fn a_damaged_table_is_an_error_of_the_resources_and_no_label() {
    let apk = open_entries(&labelled(1, 0x7f01_0000), &chunk(2, &[0; 4], &[1, 0, 8, 0, 255, 0, 0, 0])).unwrap();
    assert_eq!(apk.manifest.label, None);
    assert_eq!(
        apk.resources.unwrap_err().to_string(),
        "resources.arsc: byte 14: headerSize and size is 8, 255, expected multiples of 4"
    );
}

#[test]
fn an_attribute_behind_a_greater_id_is_unseen_as_on_android() {
    let strings = [&STRINGS[..], &["z"]].concat();
    let nodes =
        |attributes: &[crafted::Attribute]| [start(3, &[(4, false, 3, 5)]), start(6, attributes), end(6), end(3)];
    let label = |attributes| {
        let document = document(&strings, &[0, NAME, LABEL], &nodes(attributes));
        open_entries(&document, &[]).unwrap().manifest.label
    };
    assert_eq!(label(&[(2, true, 3, 8), (1, true, 3, 8)]).as_deref(), Some("z"));
    assert_eq!(label(&[(1, true, 3, 8), (2, true, 3, 8)]), None);
}

/// ELF of `machine` with one `PT_LOAD` segment aligned to 16 KiB, 64-bit.
fn library(machine: u16) -> Vec<u8> {
    let mut elf = vec![0; 120];
    elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    elf[16] = 3;
    elf[18..20].copy_from_slice(&machine.to_le_bytes());
    elf[32] = 64;
    elf[52] = 64;
    elf[54] = 56;
    elf[56] = 1;
    elf[64] = 1;
    elf[112..120].copy_from_slice(&16384_u64.to_le_bytes());
    elf
}

#[test]
fn a_library_is_held_against_the_folder_that_it_is_in() {
    let elf = library(183);
    let document = manifest(&[]);
    let bytes = zip(&[
        ("AndroidManifest.xml", &document, true, None),
        ("classes.dex", &[0; 10], true, None),
        ("classes1.dex", &[0; 10], true, None),
        ("classes2.dex", &[0; 30], false, None),
        ("lib/arm64-v8a/liba.so", &elf, true, None),
        ("lib/arm64-v8a/libb.so", &[], false, None),
        ("lib/x86_64/liba.so", &elf, false, None),
        ("lib/x86/liba.so", b"not ELF", false, None),
    ]);
    let code = open_bytes(bytes).unwrap().code;
    assert_eq!((code.dex_files, code.dex_bytes), (2, 40));
    assert_eq!(code.abis, ["arm64-v8a", "x86", "x86_64"]);
    let native: Vec<_> = code.native.iter().map(|n| (n.library.as_str(), n.matches, n.load_alignment)).collect();
    assert_eq!(native, [("liba.so", true, Some(16384)), ("liba.so", false, None), ("liba.so", false, Some(16384))]);
}
