//! Volumes and containers of real makers with some bytes changed at random, the same on every run: whatever comes of it, nothing
//! panics, and nothing takes long. `MUTATIONS=5000` tries so many of each.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use preloaded::bytes::{Budget, Limits, ParseError, ReadAt, SharedBytes};
use preloaded::container::Part;
use preloaded::firmware;

/// Changes of each image in an ordinary run.
const ORDINARY: u64 = 40;
/// A single change must not cost more, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(10);

/// An image with changes laid over it.
struct Changed {
    image: Arc<Vec<u8>>,
    changes: Vec<(u64, Vec<u8>)>,
}

impl ReadAt for Changed {
    fn len(&self) -> u64 {
        self.image.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.image.read_exact_at(offset, buf)?;
        for (at, bytes) in &self.changes {
            for (place, byte) in (*at..).zip(bytes) {
                let index = place.checked_sub(offset).and_then(|index| usize::try_from(index).ok());
                if let Some(target) = index.and_then(|index| buf.get_mut(index)) {
                    *target = *byte;
                }
            }
        }
        Ok(())
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

fn run(folder: &Path, script: &str) {
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

/// Blocks of 512 bytes that are not empty: where a change can matter.
fn used(image: &[u8]) -> Vec<u64> {
    let blocks = image.chunks(512).enumerate().filter(|(_, block)| block.iter().any(|byte| *byte != 0));
    blocks.map(|(index, _)| index as u64 * 512).collect()
}

fn changes(random: &mut Random, used: &[u64]) -> Vec<(u64, Vec<u8>)> {
    let count = 1 + random.below(6);
    (0..count)
        .map(|_| {
            // What says where everything else is stands in front.
            let among = if random.below(3) > 0 { used.len().min(40) } else { used.len() };
            let at = used[usize::try_from(random.below(among as u64)).unwrap()] + random.below(512);
            let bytes = match random.below(6) {
                0 => vec![0xff; 1 << random.below(4)],
                1 => vec![0; 1 << random.below(4)],
                2 => u32::try_from(random.below(1 << 32)).unwrap().to_le_bytes().to_vec(),
                3 => (random.below(64) << random.below(58)).to_le_bytes().to_vec(),
                4 => vec![1 << random.below(8)],
                _ => vec![u8::try_from(random.below(256)).unwrap()],
            };
            (at, bytes)
        })
        .collect()
}

/// Opens everything, and reads the beginning, the middle and the end of some files and parts.
fn exercise(name: &str, bytes: SharedBytes) {
    let limits = Limits {
        files: 20_000,
        parts: 4096,
        decompressed: 64 << 20,
        memory: 16 << 20,
        spill: 16 << 20,
        ..Limits::default()
    };
    let image = firmware::open_part(&Part { name: name.to_owned(), bytes }, &Budget::new(limits), &());
    let read = |bytes: &SharedBytes| {
        let mut buf = [0; 700];
        for at in [0, bytes.len() / 2, bytes.len().saturating_sub(700)] {
            let len = usize::try_from((bytes.len() - at).min(700)).unwrap();
            let _ = bytes.read_exact_at(at, &mut buf[..len]);
        }
        assert!(bytes.read_exact_at(bytes.len(), &mut buf[..1]).is_err());
    };
    for mounted in image.volumes() {
        let _ = mounted.filesystem.features();
        for file in mounted.files.iter().take(60) {
            if let Ok(content) = mounted.filesystem.open(file.node) {
                read(&content);
            }
        }
    }
    for part in image.parts.iter().take(60) {
        read(&part.bytes);
    }
}

#[test]
fn images_of_real_makers_survive_changes_at_random_places() {
    let count = std::env::var("MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(ORDINARY);
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(
        at,
        "mkdir -p tree/app/A tree/etc made; seq 1 30000 > tree/app/A/text; seq 1 60000 | gzip -n > tree/app/A/noise; for n in $(seq 1 150); do echo $n > \"tree/etc/a name of some length $n\"; done
        ln -s ../app tree/etc/link; cd made
        mke2fs -q -F -t ext4 -b 4096 -d ../tree a.ext4 4M 2>/dev/null; mke2fs -q -F -t ext2 -b 1024 -d ../tree a.ext2 4M
        mkfs.erofs --quiet a.erofs ../tree; mkfs.erofs --quiet -zlz4hc -C65536 lz4.erofs ../tree; mkfs.erofs --quiet --chunksize=4096 -Eforce-chunk-indexes chunks.erofs ../tree
        mkfs.erofs --quiet -zlz4hc -Elegacy-compress full.erofs ../tree
        for c in gzip lzo lz4 xz zstd; do mksquashfs ../tree $c.sqfs -quiet -no-progress -comp $c > /dev/null; done
        truncate -s 64M a.f2fs; mkfs.f2fs -q -f a.f2fs > /dev/null; sload.f2fs -f ../tree -t / a.f2fs > /dev/null
        img2simg a.ext4 a.simg; zip -q a.zip a.erofs lz4.erofs; tar cf a.tar a.erofs; tar czf a.tgz a.erofs; lz4 -q -B4 a.erofs a.lz4; xz -0 -c a.erofs > a.xz; zstd -q a.erofs -o a.zst; bzip2 -c a.erofs > a.bz2
        brotli -q 3 a.erofs -o a.br; truncate -s 8M gpt.img; printf 'label: gpt\\nstart=2048, size=2048, name=system\\n' | sfdisk -q gpt.img; dd status=none conv=notrunc bs=1M seek=1 if=a.erofs of=gpt.img",
    );
    if let Ok(tools) = Path::new("../shared/tools").canonicalize() {
        let script = format!(
            "import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, {:?})\nfrom fwgen import *\nI = [('system', 'a.erofs'), ('vendor', 'lz4.erofs')]\n\
             make_super('super.img', I, 8 << 20)\nmake_payload('payload.bin', I, chunk=1 << 18)\n",
            tools.display().to_string()
        );
        std::fs::write(at.join("made/make.py"), script).unwrap();
        run(&at.join("made"), "for n in *.erofs; do truncate -s %4096 $n; done; python3 make.py; rm make.py");
    }
    let mut files: Vec<_> = std::fs::read_dir(at.join("made")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut slowest = (Duration::ZERO, String::new());
    for file in &files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let image = Arc::new(std::fs::read(file).unwrap());
        let used = used(&image);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ name.len() as u64);
        for number in 0..count {
            let changes = changes(&mut random, &used);
            let bytes: SharedBytes = Arc::new(Changed { image: image.clone(), changes: changes.clone() });
            let start = Instant::now();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| exercise(name, bytes)));
            let took = start.elapsed();
            assert!(result.is_ok(), "{name}, number {number}: {changes:x?}");
            assert!(took < LONGEST, "{name}, number {number}: {took:?}: {changes:x?}");
            if took > slowest.0 {
                slowest = (took, format!("{name}, number {number}"));
            }
        }
    }
    super::note(&format!(
        "{} images, {count} changes of each; the slowest took {:?}: {}",
        files.len(),
        slowest.0,
        slowest.1
    ));
}
