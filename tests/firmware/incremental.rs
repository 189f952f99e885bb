//! Incremental payloads, with the former build and without, against patches of the tool `bsdiff` and the samples of AOSP.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::bytes::{Budget, FileBytes, Limits, SharedBytes, read_vec_at};
use preloaded::collect::firmware::{FirmwareSource, Place};
use preloaded::collect::{Request, Silent, Source};
use preloaded::container::{Part, PartSet, Probe, read_head, recognize};
use preloaded::firmware;
use sha2::{Digest, Sha256};

const CHUNK: usize = 128 << 10;
const BLOCK: u64 = 4096;

fn run(folder: &Path, script: &str) -> Vec<u8> {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn message(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

fn extent(field: u64, chunk: usize, len: usize) -> Vec<u8> {
    let start = (chunk * CHUNK) as u64 / BLOCK;
    message(field, &[number(1, start), number(2, len as u64 / BLOCK)].concat())
}

/// The same patch with its streams packed by brotli, as AOSP has them.
fn with_brotli(folder: &Path, patch: &[u8]) -> Vec<u8> {
    let length = |at: usize| usize::try_from(u64::from_le_bytes(patch[at..at + 8].try_into().unwrap())).unwrap();
    let (control, difference) = (length(8), length(16));
    let bounds = [32, 32 + control, 32 + control + difference, patch.len()];
    let streams: Vec<Vec<u8>> = bounds
        .windows(2)
        .map(|range| {
            fs::write(folder.join("stream.bz2"), &patch[range[0]..range[1]]).unwrap();
            run(folder, "bzip2 -dc stream.bz2 | brotli -c")
        })
        .collect();
    let lengths = [streams[0].len() as u64, streams[1].len() as u64].map(u64::to_le_bytes).concat();
    [b"BSDF2\x02\x02\x02".as_slice(), &lengths, &patch[24..32], &streams.concat()].concat()
}

/// Numbers of operations by type.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kinds {
    copied: u32,
    zero: u32,
    bsdiff: u32,
    brotli: u32,
}

/// An incremental payload that makes `new` of `old`, chunk by chunk.
fn delta(folder: &Path, name: &str, old: &[u8], new: &[u8]) -> (Vec<u8>, Kinds) {
    let (mut partition, mut data, mut kinds) = (message(1, name.as_bytes()), Vec::new(), Kinds::default());
    partition.extend(message(7, &number(1, new.len() as u64)));
    for (index, (old, new)) in old.chunks(CHUNK).zip(new.chunks(CHUNK)).enumerate() {
        let (kind, blob) = if new.iter().all(|byte| *byte == 0) {
            kinds.zero += 1;
            (6, Vec::new())
        } else if old == new {
            kinds.copied += 1;
            (4, Vec::new())
        } else {
            fs::write(folder.join("old"), old).unwrap();
            fs::write(folder.join("new"), new).unwrap();
            run(folder, "bsdiff old new patch");
            let patch = fs::read(folder.join("patch")).unwrap();
            if kinds.bsdiff <= kinds.brotli {
                kinds.bsdiff += 1;
                (5, patch)
            } else {
                kinds.brotli += 1;
                (10, with_brotli(folder, &patch))
            }
        };
        let mut operation = [number(1, kind), number(2, data.len() as u64), number(3, blob.len() as u64)].concat();
        operation.extend(extent(6, index, new.len()));
        if kind != 6 {
            operation.extend(extent(4, index, old.len()));
            operation.extend(message(9, &Sha256::digest(old)));
        }
        if !blob.is_empty() {
            operation.extend(message(8, &Sha256::digest(&blob)));
        }
        data.extend(blob);
        partition.extend(message(8, &operation));
    }
    let manifest = [number(3, BLOCK), number(12, 6), message(13, &partition)].concat();
    let head = [b"CrAU".as_slice(), &2_u64.to_be_bytes(), &(manifest.len() as u64).to_be_bytes(), &[0; 4]].concat();
    ([head, manifest, data].concat(), kinds)
}

/// `old.img` and `new.img`: one system before and after an app came and another changed.
fn systems(folder: &Path) {
    let apk = |name: &str| format!("{}/tests/data/apks/{name}", env!("CARGO_MANIFEST_DIR"));
    let (one, two) = (apk("apk-info--anomalies--clean.apk"), apk("npm--unlock_apk-debug.apk"));
    run(
        folder,
        &format!(
            "mkdir -p tree/app/Clean tree/app/Unlock; cp '{one}' tree/app/Clean/Clean.apk; seq 1 200000 > tree/numbers
            printf 'ro.build.version.sdk=28\nro.build.version.release=9\n' > tree/build.prop
            printf 'ro.build.version.sdk=28\nro.build.version.release=9.1\n' > build.prop
            mke2fs -q -F -t ext4 -b 4096 -d tree old.img 8M; cp old.img new.img; cp '{two}' two.apk
            printf 'rm build.prop\nwrite build.prop build.prop\ncd app/Unlock\nwrite two.apk Unlock.apk\n' > commands
            debugfs -w -f commands new.img"
        ),
    );
}

fn collect(path: &Path, base: Option<&Path>) -> Result<serde_json::Value, String> {
    let base = base.map(|base| Place::Path(base.to_owned()));
    let mut source = FirmwareSource::new(path, Limits::default()).on(base);
    let inventory = source.collect(&Request::default(), &Silent).map_err(|error| error.to_string())?;
    let mut value = serde_json::to_value(inventory).unwrap();
    value["target"].take();
    value["sources"][0].take();
    Ok(value)
}

#[test]
fn an_incremental_payload_with_its_former_build_is_the_new_build() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    systems(at);
    let (old, new) = (fs::read(at.join("old.img")).unwrap(), fs::read(at.join("new.img")).unwrap());
    let (payload, kinds) = delta(at, "system", &old, &new);
    assert!(kinds.copied > 0 && kinds.zero > 0 && kinds.bsdiff > 0 && kinds.brotli > 0, "{kinds:?}");
    fs::write(at.join("delta.bin"), &payload).unwrap();
    fs::rename(at.join("old.img"), at.join("system_a.img")).unwrap();
    run(at, "mkdir base; mv system_a.img base; cd base; zip -q ../base.zip system_a.img");

    // Byte for byte.
    let former = Budget::new(Limits::default());
    let base = firmware::partitions(&at.join("base.zip"), &former).unwrap();
    assert_eq!(base.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["system"]);
    for memory in [128 << 20, 256 << 10] {
        let limits = Limits { memory, ..Limits::default() };
        let budget = Budget::with_base(limits, base.clone(), &former);
        let part = Part { name: "payload.bin".to_owned(), bytes: Arc::new(payload.clone()) };
        let parts = open(&part, &budget);
        assert!(read_vec_at(parts[0].bytes.as_ref(), 0, parts[0].bytes.len(), "all", 1 << 30).unwrap() == new);
        // With little memory the patched chunks went to temporary files.
        assert_eq!(budget.spooled() > 0, memory < 1 << 20);
    }

    // As a whole, from each kind of base.
    fs::rename(at.join("new.img"), at.join("system.img")).unwrap();
    let expected = collect(&at.join("system.img"), None).unwrap();
    for base in ["base.zip", "base", "base/system_a.img"] {
        assert_eq!(collect(&at.join("delta.bin"), Some(&at.join(base))).unwrap(), expected, "{base}");
    }

    // The new build is not the former one, and its blocks are not taken for it.
    let wrong = collect(&at.join("delta.bin"), Some(&at.join("system.img")));
    let text = wrong.map_or_else(|error| error, |inventory| inventory["gaps"].to_string());
    assert!(text.contains("it is another build"), "{text}");
    let without = collect(&at.join("delta.bin"), None);
    let text = without.map_or_else(|error| error, |inventory| inventory["gaps"].to_string());
    assert!(text.contains("an incremental update (") && text.contains("which is not here (--base)"), "{text}");
    super::note(&format!("incremental payload: {kinds:?}, {} bytes compared twice", new.len()));
}

fn open(part: &Part, budget: &Arc<Budget>) -> Vec<Part> {
    let head = read_head(&part.bytes).unwrap();
    let format = recognize(&Probe { name: &part.name, head: &head, len: part.bytes.len() }).unwrap();
    format.open(&PartSet { part, siblings: &[] }, budget).unwrap()
}

#[test]
fn the_delta_of_aosp_reads_upon_the_full_payload_of_aosp_as_payload_dumper_says() {
    let archive = Path::new("../shared/data/containers/aosp-update-engine/sample_payloads.tar.xz");
    if !archive.exists() {
        return super::note(&format!("NOT RUN: {} is not there", archive.display()));
    }
    let budget = Budget::new(Limits::default());
    let bytes: SharedBytes = Arc::new(FileBytes::open(archive).unwrap());
    let tar = open(&Part { name: "sample_payloads.tar.xz".to_owned(), bytes }, &budget).remove(0);
    let payloads = open(&tar, &budget);
    let named = |name: &str| payloads.iter().find(|part| part.name.ends_with(name)).unwrap();
    let base = firmware::partitions_of(named("full_payload.bin"), &budget);
    assert_eq!(base.len(), 2);
    let upon = Budget::with_base(Limits::default(), base, &budget);
    let parts = open(named("delta_payload.bin"), &upon);
    let read = |name: &str| {
        let part = parts.iter().find(|part| part.name == name).unwrap();
        read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 30)
    };
    let sum: String = Sha256::digest(read("root.img").unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum, "5610597d03d3e29f01d722bd743296ef68d076f623c1dca2eb135347c6b8efba");
    // It was made from another kernel, which payload_dumper can't do either.
    let error = read("kernel.img").unwrap_err().to_string();
    assert!(error.contains("operation 0: ") && error.contains("it is another build"), "{error}");
}
