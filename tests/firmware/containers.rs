//! Containers of partitions against the tools that make and read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use preloaded::bytes::{Budget, FileBytes, Limits, SharedBytes, read_vec_at};
use preloaded::container::{Part, PartSet, Probe, read_head, recognize};
use sha2::{Digest, Sha256};

const SHARED: &str = "../shared";

fn run(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

fn file(path: &Path) -> Part {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    Part { name, bytes: Arc::new(FileBytes::open(path).unwrap()) }
}

fn open(part: &Part, siblings: &[Part], format: &str, budget: &Arc<Budget>) -> Vec<Part> {
    let head = read_head(&part.bytes).unwrap();
    let found = recognize(&Probe { name: &part.name, head: &head, len: part.bytes.len() }).unwrap();
    assert_eq!(found.name(), format, "{}", part.name);
    found.open(&PartSet { part, siblings }, budget).unwrap_or_else(|error| panic!("{}: {error}", part.name))
}

fn open_file(path: &Path, format: &str) -> Vec<Part> {
    open(&file(path), &[], format, &Budget::new(Limits::default()))
}

fn read(bytes: &SharedBytes) -> Vec<u8> {
    read_vec_at(bytes.as_ref(), 0, bytes.len(), "part", 1 << 30).unwrap()
}

fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file of the shared data, unless there is none.
fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(path);
    if !path.exists() {
        super::note(&format!("NOT RUN: {} is not there", path.display()));
        return None;
    }
    Some(path.canonicalize().unwrap())
}

/// Rows of the truth for one container: part, length, SHA-256.
fn truth(container: &str) -> Vec<(String, u64, String)> {
    let text = fs::read(Path::new(SHARED).join("data/truth/container-files.tsv")).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [name, part, len, sum] if name == container => Some((part.to_owned(), len.parse().ok()?, sum.to_owned())),
        _ => None,
    };
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    assert!(!rows.is_empty(), "no rows of {container}");
    rows
}

/// Three images with holes, text and bytes that don't compress: `system.img`, `vendor.img`, `odm.img`.
fn images(folder: &Path) {
    let mut state = 1_u32;
    for (name, blocks) in [("system", 1300_u32), ("vendor", 257), ("odm", 1)] {
        let mut data = Vec::new();
        for block in 0..blocks {
            for at in 0..4096_u32 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                data.push(match block / 100 % 3 {
                    0 => u8::try_from(at % 61).unwrap(),
                    1 => state.to_le_bytes()[1],
                    _ => 0,
                });
            }
        }
        fs::write(folder.join(format!("{name}.img")), data).unwrap();
    }
}

/// Python that has the independent maker of firmware at hand.
fn maker(folder: &Path, script: &str) -> bool {
    let Some(tools) = shared("tools/fwgen.py") else {
        return false;
    };
    let tools = tools.parent().unwrap().display().to_string();
    let names = "[(n, n + '.img') for n in ('system', 'vendor', 'odm')]";
    let whole = format!(
        "import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, {tools:?})\nfrom fwgen import *\nI = {names}\n{script}\n"
    );
    fs::write(folder.join("make.py"), whole).unwrap();
    run(folder, "python3 make.py");
    true
}

fn compare(folder: &Path, parts: &[Part], suffix: &str) -> u64 {
    let mut compared = 0;
    for name in ["system", "vendor", "odm"] {
        let part = parts.iter().find(|part| part.name == format!("{name}{suffix}.img")).unwrap();
        let expected = fs::read(folder.join(format!("{name}.img"))).unwrap();
        assert!(read(&part.bytes) == expected, "{name} of {} bytes", part.bytes.len());
        compared += expected.len() as u64;
    }
    compared
}

#[test]
fn the_super_image_of_aosp_has_the_partitions_that_lpunpack_writes() {
    let Some(image) = shared("data/containers/aosp-system-core/fastboot-testdata/super.img") else {
        return;
    };
    let parts = open_file(&image, "super");
    let rows = truth("containers/aosp-system-core/fastboot-testdata/super.img");
    for (name, len, sum) in &rows {
        let part = parts.iter().find(|part| part.name == *name).unwrap();
        assert_eq!((part.bytes.len(), sha256(&read(&part.bytes))), (*len, sum.clone()), "{name}");
    }
    super::note(&format!("super.img of AOSP: {} row compared with lpunpack, {} parts", rows.len(), parts.len()));
}

#[test]
fn super_images_of_an_independent_maker_read_as_what_went_in() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    images(at);
    let script = "make_super('ab.img', I, 32 << 20, split_first=True)\nmake_super('one.img', I, 32 << 20, slots=1, ab=False, minor=0)\n\
        make_super('three.img', I, 32 << 20, slots=3, suffix='_b', flags=1)\nmake_super_empty('super_empty.img', ['system_a'], 32 << 20)";
    if !maker(at, script) {
        return;
    }
    let mut compared = 0;
    for (name, suffix) in [("ab", "_a"), ("one", ""), ("three", "_b")] {
        let parts = open_file(&at.join(format!("{name}.img")), "super");
        compared += compare(at, &parts, suffix);
        assert!(parts.iter().filter(|part| part.bytes.is_empty()).count() == if name == "one" { 0 } else { 3 });
    }
    let empty = file(&at.join("super_empty.img"));
    let head = read_head(&empty.bytes).unwrap();
    assert!(recognize(&Probe { name: &empty.name, head: &head, len: empty.bytes.len() }).is_none());
    let empty = preloaded::firmware::open(&at.join("super_empty.img"), &Budget::new(Limits::default()), &()).unwrap();
    assert!(!empty.problems[0].hides_packages);
    super::note(&format!("super: 3 images, 9 partitions, {compared} bytes compared"));
}

#[test]
fn payloads_of_aosp_have_the_partitions_that_payload_dumper_writes() {
    let Some(archive) = shared("data/containers/aosp-update-engine/sample_payloads.tar.xz") else {
        return;
    };
    // The archive is a test of xz and tar at the same time.
    let budget = Budget::new(Limits::default());
    let tar = open(&file(&archive), &[], "xz", &budget).remove(0);
    let mut compared = 0;
    for payload in open(&tar, &[], "tar", &budget) {
        let name = payload.name.rsplit('/').next().unwrap().to_owned();
        if !["full_payload.bin", "delta_payload.bin"].contains(&name.as_str()) {
            continue;
        }
        let head = read_head(&payload.bytes).unwrap();
        let format = recognize(&Probe { name: &name, head: &head, len: payload.bytes.len() }).unwrap();
        match format.open(&PartSet { part: &payload, siblings: &[] }, &budget) {
            Err(error) => super::note(&format!("{name}: {error}")),
            Ok(parts) => {
                for (part, len, sum) in truth(&format!("containers/aosp-update-engine/sample_payloads.tar.xz!{name}")) {
                    let found = parts.iter().find(|found| found.name == part).unwrap();
                    match read_vec_at(found.bytes.as_ref(), 0, found.bytes.len(), "part", 1 << 30) {
                        Ok(data) => {
                            assert_eq!((data.len() as u64, sha256(&data)), (len, sum), "{name} {part}");
                            compared += 1;
                        }
                        Err(error) => {
                            super::note(&format!("{name} {part}: {error}"));
                            assert_eq!(name, "delta_payload.bin");
                        }
                    }
                }
            }
        }
    }
    super::note(&format!("payloads of AOSP: {compared} rows compared with payload_dumper"));
    assert!(compared >= 2);
}

#[test]
fn payloads_of_an_independent_maker_read_as_what_went_in() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    images(at);
    let script = "for c in ('best', 'REPLACE', 'REPLACE_XZ', 'REPLACE_BZ', 'REPLACE_ZSTD'):\n  make_payload(c + '.bin', I, chunk=1 << 19, codec=c, sigsize=267)\n\
        make_ota_zip('ota.zip', 'best.bin')";
    if !maker(at, script) {
        return;
    }
    let mut compared = 0;
    for codec in ["best", "REPLACE", "REPLACE_XZ", "REPLACE_BZ", "REPLACE_ZSTD"] {
        let budget = Budget::new(Limits::default());
        let parts = open(&file(&at.join(format!("{codec}.bin"))), &[], "payload", &budget);
        assert_eq!(budget.decompressed(), 0);
        compared += compare(at, &parts, "");
    }
    let zip = open_file(&at.join("ota.zip"), "zip");
    let payload = zip.iter().find(|part| part.name == "payload.bin").unwrap();
    compared += compare(at, &open(payload, &zip, "payload", &Budget::new(Limits::default())), "");
    super::note(&format!("payload: 6 files, {compared} bytes compared"));
}

#[test]
fn streams_of_the_command_line_tools_read_as_what_went_in() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    images(at);
    let expected = fs::read(at.join("system.img")).unwrap();
    let commands = [
        ("lz4", "lz4 -q -B6 --content-size -1 system.img a.lz4"),
        ("lz4", "lz4 -q -B4 -BX --no-frame-crc system.img b.lz4"),
        ("lz4", "lz4 -q -BD -B5 system.img c.lz4"),
        ("lz4", "lz4 -q -l system.img d.lz4"),
        ("lz4", "lz4 -q -c vendor.img > e.lz4; lz4 -q -c odm.img >> e.lz4"),
        ("xz", "xz -c -0 system.img > a.xz"),
        ("xz", "xz -c -0 --check=sha256 --block-size=300000 system.img > b.xz"),
        ("xz", "xz -c -0 --x86 --lzma2=preset=0 --check=none system.img > c.xz"),
        ("zstd", "zstd -q -c -3 system.img > a.zst"),
        ("zstd", "zstd -q -c --no-check vendor.img > b.zst; zstd -q -c odm.img >> b.zst"),
        ("zstd", "zstd -q -c --long=27 -19 system.img > c.zst"),
        ("bzip2", "bzip2 -c -1 system.img > a.bz2"),
    ];
    let (vendor, odm) = (fs::read(at.join("vendor.img")).unwrap(), fs::read(at.join("odm.img")).unwrap());
    let two = [vendor, odm].concat();
    for (format, command) in commands {
        run(at, command);
        let output = command.split_whitespace().last().unwrap();
        let expected = if command.contains(">>") { &two } else { &expected };
        for memory in [1 << 20, 128 << 20] {
            // The window of `--long=27` is 128 MiB.
            let memory = if command.contains("long") { 128 << 20 } else { memory };
            let budget = Budget::new(Limits { memory, ..Limits::default() });
            let parts = open(&file(&at.join(output)), &[], format, &budget);
            assert!(read(&parts[0].bytes) == *expected, "{command} with {memory}");
        }
    }
    // Samsung's form is read block by block.
    let budget = Budget::new(Limits::default());
    let parts = open(&file(&at.join("a.lz4")), &[], "lz4", &budget);
    let before = budget.decompressed();
    assert!(before <= 1 << 20);
    parts[0].bytes.read_exact_at(2 << 20, &mut [0; 4096]).unwrap();
    assert_eq!(budget.decompressed() - before, 1 << 20);
    super::note(&format!("{} streams compared", commands.len()));
}

#[test]
fn block_based_updates_of_an_independent_maker_read_as_what_went_in() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    images(at);
    let script = "import os\nfor v in (1, 2, 3, 4):\n  os.mkdir('v%d' % v)\n  for n, p in I: make_sdat('v%d' % v, n, p, version=v, br=False)";
    if !maker(at, script) {
        return;
    }
    run(
        at,
        "mkdir split xz br; for d in split xz br; do cp v4/* $d; done; brotli -q 6 -w 22 --rm br/*.new.dat; cd split; for n in system vendor odm; do split -b 1000000 -d -a 1 $n.new.dat \
        $n.new.dat.; rm $n.new.dat; done; cd ../xz; xz -0 *.new.dat",
    );
    let budget = Budget::new(Limits::default());
    let mut compared = 0;
    for folder in ["v1", "v2", "v3", "v4", "split", "xz", "br"] {
        let mut files: Vec<_> =
            fs::read_dir(at.join(folder)).unwrap().map(|entry| file(&entry.unwrap().path())).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let parts: Vec<_> = files.iter().flat_map(|part| open(part, &files, "block update", &budget)).collect();
        assert_eq!(parts.len(), 3, "{folder}");
        compared += compare(at, &parts, "");
    }
    super::note(&format!("block-based updates: 7 sets, {compared} bytes compared"));
}

#[test]
fn disks_that_sfdisk_partitions_have_its_partitions() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    images(at);
    let table = |kind: &str, lines: &str, extra: &str| {
        run(
            at,
            &format!("truncate -s 24M {kind}.img; printf 'label: {kind}\\n{lines}' | sfdisk -q {extra} {kind}.img"),
        );
    };
    table(
        "gpt",
        "start=2048, size=10400, name=system_a\\nstart=16384, size=2056, name=vendor_a\\nstart=22528, size=8, name=odm_a\\n",
        "",
    );
    table(
        "dos",
        "start=2048, size=10400, type=83\\nstart=14336, size=20000, type=5\\nstart=16384, size=2056, type=83\\nstart=22528, size=8, type=83\\n",
        "",
    );
    let places = [("system", 2048), ("vendor", 16384), ("odm", 22528)];
    for kind in ["gpt", "dos"] {
        for (name, sector) in places {
            run(at, &format!("dd status=none conv=notrunc bs=512 seek={sector} if={name}.img of={kind}.img"));
        }
    }
    let gpt = open_file(&at.join("gpt.img"), "gpt");
    let mut compared = compare(at, &gpt, "_a");
    let mbr = open_file(&at.join("dos.img"), "mbr");
    let names: Vec<_> = mbr.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["partition1.img", "partition5.img", "partition6.img"]);
    for (part, (name, _)) in mbr.iter().zip(places) {
        assert!(read(&part.bytes) == fs::read(at.join(format!("{name}.img"))).unwrap(), "{name}");
        compared += part.bytes.len();
    }
    super::note(&format!("disks: 2 tables, {compared} bytes compared"));
}

#[test]
fn files_with_holes_in_every_form_of_gnu_tar_read_as_they_were() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    // More ranges than a header has room for, a hole at the end, a file that is one hole, and one without any behind them.
    let script = "import os\nwith open('many.img', 'wb') as out:\n  for n in range(40): out.seek(n * 262144); out.write(b'%04d' % n * 1024)\n  out.truncate(20 << 20)\n\
        with open('empty.img', 'wb') as out: out.truncate(3 << 20)\nopen('last.img', 'wb').write(b'last' * 999)\n";
    fs::write(at.join("make.py"), script).unwrap();
    run(at, "python3 make.py");
    let names = ["many.img", "empty.img", "last.img"];
    for form in ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax --sparse-version=1.0"] {
        run(at, &format!("tar -S --format={form} -cf a.tar {}", names.join(" ")));
        assert!(fs::metadata(at.join("a.tar")).unwrap().len() < 1 << 20, "{form}: tar saw no holes");
        let parts = open_file(&at.join("a.tar"), "tar");
        for name in names {
            let part = parts.iter().find(|part| part.name == name).unwrap();
            assert!(read(&part.bytes) == fs::read(at.join(name)).unwrap(), "{form}: {name}");
        }
    }
}
