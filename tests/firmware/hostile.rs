//! Input that was built to cost: each case ends with an error, in little time and memory.
//!
//! A case runs in a process of its own, this test binary once more: [`child`] opens it. Python's `wait4` says what that process
//! took of the processor and of memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use preloaded::bytes::{Budget, Limits};
use preloaded::collect::firmware::gap;
use preloaded::firmware::{self, Cause};

/// What a case may take: seconds of the processor, and KiB of memory with the program itself.
/// A program that is not optimised, as that of a test run, may take three times as many seconds.
const SECONDS: f64 = if cfg!(debug_assertions) { 0.3 } else { 0.1 };
const KIB: u64 = 64 << 10;

/// Runs the arguments three times and prints of the cheapest run: seconds of the processor, KiB, exit code; then what it said.
const MEASURE: &str = r"
import os, sys
best = None
for _ in range(3):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write, 2); os.dup2(os.open(os.devnull, os.O_WRONLY), 1); os.close(read); os.execv(sys.argv[1], sys.argv[1:])
    os.close(write)
    said = b''
    while True:
        piece = os.read(read, 65536)
        if not piece: break
        said += piece
    os.close(read)
    _, status, used = os.wait4(pid, 0)
    cost = (used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status), said)
    best = min(best or cost, cost)
print(best[0], best[1], best[2]); sys.stdout.flush(); sys.stdout.buffer.write(best[3])
";

struct Cost {
    seconds: f64,
    kib: u64,
    said: String,
}

fn run(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

fn python(folder: &Path, script: &str) {
    fs::write(folder.join("make.py"), script).unwrap();
    run(folder, "python3 make.py; rm make.py");
}

/// Opens `path` in a process of its own, of at most `decompressed` bytes that decoders put out.
fn measure(path: &Path, decompressed: u64) -> Cost {
    let output = Command::new("python3")
        .args(["-c", MEASURE])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "firmware::hostile::child", "--ignored", "--nocapture", "--test-threads=1", "-q"])
        .env("HOSTILE", path)
        .env("HOSTILE_DECOMPRESSED", decompressed.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (first, said) = text.split_once('\n').unwrap_or_default();
    let numbers: Vec<&str> = first.split(' ').collect();
    let [seconds, kib, code] = numbers[..] else { panic!("{text}{}", String::from_utf8_lossy(&output.stderr)) };
    assert_eq!(code, "0", "{}: {said}", path.display());
    Cost { seconds: seconds.parse().unwrap(), kib: kib.parse().unwrap(), said: said.to_owned() }
}

/// Holds that opening and reading everything in `path` says `expected`, within the bounds.
#[track_caller]
fn ends(path: &Path, decompressed: u64, expected: &str) {
    let Cost { seconds, kib, said } = measure(path, decompressed);
    let name = path.file_name().unwrap().to_string_lossy();
    super::note(&format!("{name}: {seconds:.3} s, {} MiB: {}", kib >> 10, said.lines().next().unwrap_or_default()));
    assert!(said.contains(expected), "{name}: {said}");
    assert!(seconds <= SECONDS, "{name}: {seconds} s of the processor");
    assert!(kib <= KIB, "{name}: {kib} KiB");
}

#[test]
#[ignore = "run by the other tests of this module, with the path of a case"]
fn child() {
    let path = PathBuf::from(std::env::var_os("HOSTILE").unwrap());
    let decompressed = std::env::var("HOSTILE_DECOMPRESSED").unwrap().parse().unwrap();
    let budget = Budget::new(Limits { decompressed, ..Limits::default() });
    let mut said = Vec::new();
    let image = firmware::open(&path, &budget, &()).unwrap();
    said.extend(
        image.problems.iter().filter(|problem| !matches!(problem.cause, Cause::Missing(_))).map(|p| gap(p).detail),
    );
    for mounted in image.volumes() {
        for file in &mounted.files {
            let read = mounted.filesystem.open(file.node).and_then(|bytes| {
                let mut buf = [0; 4096];
                for at in [0, bytes.len() / 2, bytes.len().saturating_sub(4096)] {
                    let len = usize::try_from((bytes.len() - at).min(4096)).unwrap();
                    bytes.read_exact_at(at, &mut buf[..len])?;
                }
                Ok(())
            });
            said.extend(read.err().map(|error| format!("{}: {error}", file.path)));
        }
    }
    super::note(&said.join("\n"));
}

/// Room for what is read of an image beside the bomb.
const FEW: u64 = 8 << 20;

#[test]
fn a_stream_of_zeros_in_each_compression_ends_at_the_budget() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(
        at,
        "truncate -s 256M system.img
        gzip -1 -c system.img > a.gz; xz -0 -c system.img > a.xz; lz4 -q -c system.img > a.lz4; lz4 -q -l -c system.img > legacy.lz4
        lz4 -q -c -BD system.img > linked.lz4; brotli -q 1 -c system.img > system.img.br; zstd -q -c system.img > a.zst; bzip2 -1 -c system.img > a.bz2
        zip -q a.zip system.img; rm system.img",
    );
    let limit = format!("the limit is {FEW}");
    for name in ["a.gz", "a.xz", "a.lz4", "legacy.lz4", "linked.lz4", "system.img.br", "a.zst", "a.bz2", "a.zip"] {
        let expected = match name {
            // Their blocks can be read one by one: the beginning holds nothing, and no more is decoded.
            "a.lz4" | "a.zip" => "its format, which is not recognised, is not supported",
            _ => limit.as_str(),
        };
        ends(&at.join(name), FEW, expected);
    }
}

#[test]
fn an_ext4_of_8_kib_that_claims_16_tib_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let mut image = vec![0; 8192];
    let mut put = |at: usize, bytes: &[u8]| image[1024 + at..1024 + at + bytes.len()].copy_from_slice(bytes);
    put(0, &16_u32.to_le_bytes());
    put(4, &u32::MAX.to_le_bytes());
    put(0x18, &2_u32.to_le_bytes());
    put(0x20, &1_u32.to_le_bytes());
    put(0x28, &16_u32.to_le_bytes());
    put(0x38, &[0x53, 0xef]);
    put(0x4C, &[1]);
    put(0x58, &[128]);
    let path = temp.path().join("system.img");
    fs::write(&path, &image).unwrap();
    ends(&path, FEW, "s_blocks_count: byte 1028: 17592186040320 bytes are needed here, the source ends at 8192");
    image[1028..1032].copy_from_slice(&2_u32.to_le_bytes());
    fs::write(&path, &image).unwrap();
    ends(&path, FEW, "s_blocks_per_group is 1, expected 8 or more");
}

#[test]
fn tables_of_a_super_image_that_overlap_or_leave_it_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    let script = r"
import hashlib
from struct import pack
def image(path, extents, partitions, count=None):
    pt = b''.join(n.encode().ljust(36, b'\0') + pack('<IIII', 1, first, num, 0) for n, first, num in partitions)
    et = b''.join(pack('<QIQI', sectors, 0, data, 0) for sectors, data in extents)
    gt, bt = b'default'.ljust(36, b'\0') + pack('<IQ', 0, 0), pack('<QIIQ', 256, 1 << 20, 0, 1 << 20) + b'super'.ljust(36, b'\0') + pack('<I', 0)
    tables = pt + et + gt + bt
    where, rows = 0, b''
    for blob, num, size in ((pt, count or len(partitions), 52), (et, len(extents), 24), (gt, 1, 48), (bt, 1, 64)):
        rows += pack('<III', where, num, size); where += len(blob)
    def head(sum): return pack('<IHHI', 0x414C5030, 10, 0, 128) + sum + pack('<I', len(tables)) + hashlib.sha256(tables).digest() + rows
    meta = head(hashlib.sha256(head(bytes(32))).digest()) + tables
    def geometry(sum): return pack('<II', 0x616c4467, 52) + sum + pack('<III', 65536, 1, 4096)
    shape = geometry(hashlib.sha256(geometry(bytes(32))).digest()).ljust(4096, b'\0')
    with open(path, 'wb') as out: out.write(bytes(4096) + shape * 2 + meta.ljust(65536, b'\0') * 2); out.truncate(1 << 20)
image('overlap.img', [(16, 512), (16, 520)], [('system_a', 0, 1), ('vendor_a', 1, 1)])
image('twice.img', [(16, 512)], [('system_a', 0, 1), ('vendor_a', 0, 1)])
image('outside.img', [(1 << 40, 512)], [('system_a', 0, 1)])
image('far.img', [(16, 1 << 60)], [('system_a', 0, 1)])
image('many.img', [(16, 512)], [('system_a', 0, 0xffffffff)])
image('wide.img', [(16, 512)], [('system_a', 0, 1)], 0x0fffffff)
";
    python(at, script);
    for (name, expected) in [
        ("overlap.img", "target_data is 520, expected sectors of one extent"),
        ("twice.img", "target_data is 512, expected sectors of one extent"),
        ("outside.img", "num_sectors * 512 is 562949953421312, the limit is 17592186044416"),
        ("far.img", "8192 bytes are needed here, the source ends at 1048576"),
        ("many.img", "extents is 2, the limit is 1"),
        ("wide.img", "partitions is a table outside, expected one in tables_size"),
    ] {
        ends(&at.join(name), FEW, expected);
    }
}

#[test]
fn chunks_of_a_sparse_image_that_repeat_without_end_cost_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    let script = r"
from struct import pack
def image(path, blocks, chunks, body, size=4096):
    open(path, 'wb').write(pack('<IHHHHIIII', 0xED26FF3A, 1, 0, 28, 12, size, blocks, chunks, 0) + body)
fill = lambda blocks, total=16: pack('<HHII', 0xCAC2, 0, blocks, total) + b'abcd'
image('one.img', 2**32 - 1, 1, fill(2**32 - 1))
image('each.img', 10000, 10000, fill(1) * 10000)
image('claimed.img', 8, 2**32 - 1, fill(1) * 8)
image('still.img', 8, 1000000, pack('<HHII', 0xCAC3, 0, 0, 0) * 4)
image('beyond.img', 8, 3, fill(4) * 3)
image('empty.img', 8, 1000000, pack('<HHII', 0xCAC3, 0, 0, 12) * 4)
";
    python(at, script);
    for (name, expected) in [
        ("one.img", "its format, which is not recognised, is not supported"),
        ("each.img", "its format, which is not recognised, is not supported"),
        ("claimed.img", "total_chunks is 4294967295, the limit is 1048576"),
        ("still.img", "total_sz is 0, expected chunk_hdr_sz or more"),
        ("beyond.img", "16384 bytes are needed here, the source ends at 32768"),
        ("empty.img", "12 bytes are needed here, the source ends at 76"),
    ] {
        let path = at.join("system.img");
        fs::rename(at.join(name), &path).unwrap();
        ends(&path, FEW, expected);
    }
}

#[test]
fn folders_and_files_of_a_volume_that_lead_back_to_themselves_end() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(
        at,
        "mkdir -p tree/a/b; seq 1 3000 > tree/a/b/text; seq 1 900 > tree/a/tail; seq 2 9000 > tree/long
        mke2fs -q -F -t ext4 -b 4096 -d tree loop.img 4M; debugfs -w -R 'link <2> a/b/loop' loop.img
        mkfs.erofs --quiet -T1 -x-1 plain.img tree",
    );
    let script = r"
from struct import pack, unpack_from
def load(path):
    data = bytearray(open(path, 'rb').read())
    meta, = unpack_from('<I', data, 1024 + 40); root, = unpack_from('<H', data, 1024 + 14)
    return data, meta * 4096, root
data, meta, root = load('plain.img')
place = meta + root * 32
form, = unpack_from('<H', data, place)
folder = place + (64 if form & 1 else 32) if form >> 1 & 7 == 2 else unpack_from('<I', data, place + 16)[0] * 4096
count = unpack_from('<H', data, folder + 8)[0] // 12
for entry in range(count):
    nid, start = unpack_from('<QH', data, folder + entry * 12)
    # The folder `a`, whose name stands between two others, is the root.
    if data[folder + start:folder + start + 5] == b'along':
        data[folder + entry * 12:folder + entry * 12 + 8] = pack('<Q', root)
open('cycle.img', 'wb').write(data)
";
    python(at, script);
    ends(&at.join("loop.img"), FEW, "folder is named twice, expected one name for each folder");
    ends(&at.join("cycle.img"), FEW, "folder is named twice, expected one name for each folder");
    // Debian 12's mkfs.erofs makes no fragments.
    let with_fragments = Path::new("../shared/data/images/erofs_fragments.img.zst");
    if !with_fragments.exists() {
        return super::note(&format!("NOT RUN: {} is not there", with_fragments.display()));
    }
    run(at, &format!("zstd -dqf {} -o fragments.img", with_fragments.canonicalize().unwrap().display()));
    let script = r"
from struct import pack, unpack_from
data = bytearray(open('fragments.img', 'rb').read())
meta, = unpack_from('<I', data, 1024 + 40); packed, = unpack_from('<Q', data, 1024 + 96)
assert packed
# The inode that holds fragments becomes one whole fragment: of itself.
place = meta * 4096 + packed * 32
data[place] = (data[place] & 1) | 3 << 1
attributes, = unpack_from('<H', data, place + 2)
behind = place + (64 if data[place] & 1 else 32) + (8 + 4 * attributes if attributes else 0)
behind = (behind + 7) // 8 * 8
data[behind:behind + 8] = pack('<Q', 1 << 63)
open('self.img', 'wb').write(data)
";
    python(at, script);
    ends(&at.join("self.img"), FEW, "nothing holds fragments");
}

#[test]
fn archives_within_archives_end_at_the_depth_that_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(at, "seq 1 9 > 0.zip; for n in 1 2 3 4 5 6 7 8 9 10 11 12; do zip -q -0 $n.zip $((n - 1)).zip; done");
    ends(&at.join("12.zip"), FEW, "depth of containers is 9, the limit is 8");
    // Ten in each of ten, ten levels: 10,000,000,000 files by name.
    run(
        at,
        "rm *.zip; seq 1 9 > 0; for n in 1 2 3 4 5 6 7 8 9 10; do
           python3 -c \"
import sys, zipfile
n = int(sys.argv[1]); data = open(str(n - 1), 'rb').read()
with zipfile.ZipFile(str(n), 'w', zipfile.ZIP_DEFLATED) as z:
    for i in range(10): z.writestr('%d-%d.zip' % (n, i), data)\" $n; done; mv 10 many.zip",
    );
    ends(&at.join("many.zip"), FEW, "the limit is");
}

#[test]
fn links_of_a_host_folder_that_lead_back_are_not_followed() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(
        at,
        "mkdir -p tree/system/app; echo ro.build.version.sdk=30 > tree/system/build.prop; ln -s .. tree/system/app/up; ln -s /proc tree/system/proc",
    );
    let Cost { seconds, kib, .. } = measure(&at.join("tree"), FEW);
    assert!(seconds <= SECONDS && kib <= KIB, "{seconds} s, {kib} KiB");
}
