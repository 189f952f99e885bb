//! Filesystems: one tree in every variant that Debian's makers have, taken out again by each format's own reader.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Line, Workplace, fresh, host, line, listed, peers, script};
use crate::tools;

/// A tree with real packages, edge sizes, folders of several blocks, links, holes and files that are alike.
const TREE: &str = r#"
import os, random
random.seed(11)
words = [bytes(random.randrange(97, 123) for _ in range(random.randrange(2, 9))) for _ in range(400)]
def text(n):
    out = bytearray()
    while len(out) < n: out += random.choice(words) + b' '
    return bytes(out[:n])
def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out: out.write(data)
for n in (0, 1, 4095, 4096, 4097, 65536, 300001): put(f'tree/sizes/{n}', random.randbytes(n))
put('tree/lib64/text', text(1_500_001)); put('tree/lib64/again', open('tree/lib64/text', 'rb').read())
put('tree/lib64/zeros', bytes(700_000))
with open('tree/lib64/hole', 'wb') as out: out.truncate(4 << 20); out.seek(3 << 20); out.write(b'end')
for n in range(1200): put(f'tree/etc/many/a name of some length {n:04}.xml', b'<x>%d</x>' % n)
put('tree/build.prop', b'ro.build.version.sdk=34\nro.product.system.brand=a\n')
put('tree/etc/\xd0\xb8\xd0\xbc\xd1\x8f.xml'.encode('latin1').decode('utf8'), b'unicode')
put('tree/etc/' + 'n' * 200, b'long')
os.makedirs('tree/empty')
os.symlink('/system/etc', 'tree/etc_link'); os.symlink('x' * 200, 'tree/long_link')
"#;

/// Maker's options of each ext4, ext3 and ext2.
const EXT: &[(&str, &str)] = &[
    (
        "ext4 as AOSP",
        "-t ext4 -b 4096 -I 256 -m 0 -O none,sparse_super,large_file,filetype,dir_index,ext_attr,extent,huge_file,dir_nlink,extra_isize,uninit_bg",
    ),
    ("ext4 modern", "-t ext4 -O ^has_journal,metadata_csum,64bit,flex_bg"),
    ("ext4 blocks of 1 KiB", "-t ext4 -b 1024"),
    ("ext4 bigalloc", "-t ext4 -O bigalloc -C 65536"),
    ("ext4 meta_bg", "-t ext4 -b 1024 -O meta_bg,^resize_inode"),
    ("ext4 without extents", "-t ext4 -O ^extent,^64bit"),
    ("ext3", "-t ext3"),
    ("ext2", "-t ext2"),
];

const EROFS: &[&str] = &[
    "",
    "-Enoinline_data",
    "-Eforce-inode-extended",
    "--chunksize=4096",
    "--chunksize=65536 -Eforce-chunk-indexes",
    "-zlz4",
    "-zlz4hc,9",
    "-zlz4hc -C65536",
    "-zlz4hc -C262144",
    "-zlz4hc -C1048576",
    "-zlz4hc -Elegacy-compress",
    "-zlz4hc -Eztailpacking",
    "-zlz4hc -Efragments -C65536",
    "-zlz4 -Eall-fragments",
];

const F2FS: &[&str] = &["", "-g android", "-O extra_attr,inode_checksum,inode_crtime,verity", "-O casefold -C utf8"];

const SQUASHFS: &[&str] =
    &["-comp gzip", "-comp lzo", "-comp lz4", "-comp xz", "-comp zstd", "-comp gzip -b 4096 -no-fragments"];

pub(super) fn run(place: &Workplace) -> Result<Vec<Line>> {
    let at = fresh(place, "volumes")?;
    fs::write(at.join("tree.py"), TREE)?;
    let apks = tools::root().join("samples/apks").display().to_string();
    script(&at, &format!("python3 tree.py; mkdir -p tree/app; cp {apks}/*.apk tree/app"))?;
    let mut lines = Vec::new();
    for (variant, options) in EXT {
        let make = format!("mke2fs -q -F {options} -d tree image 96M");
        lines.push(of(place, &at, variant, "debugfs", &make, "debugfs -R 'rdump / out' image")?);
    }
    for options in EROFS {
        let make = format!("mkfs.erofs --quiet -T1700000000 {options} image tree");
        lines.push(of(place, &at, &format!("erofs {options}"), "fsck.erofs", &make, "fsck.erofs --extract=out image")?);
    }
    // A second device for what is in chunks.
    let make =
        "mkdir set; touch set/blob; mkfs.erofs --quiet -T1700000000 --blobdev=set/blob --chunksize=4096 set/image tree";
    script(&at, &format!("rm -rf out; {make}; fsck.erofs --device=set/blob --extract=out set/image"))?;
    let found = listed(place, &at.join("set"), &[]);
    lines.push(line("erofs --blobdev", "fsck.erofs", &host(&at.join("out"))?, &found));
    for options in SQUASHFS {
        let make = format!("mksquashfs tree image -quiet -no-progress -noappend {options}");
        lines.push(of(
            place,
            &at,
            &format!("squashfs {options}"),
            "unsquashfs",
            &make,
            "unsquashfs -q -n -d out image",
        )?);
    }
    lines.extend(f2fs(place, &at)?);
    script(&at, "rm -rf image out set tree")?;
    Ok(lines)
}

fn of(place: &Workplace, at: &Path, variant: &str, oracle: &str, make: &str, extract: &str) -> Result<Line> {
    let fresh = if extract.contains("rdump") { "rm -rf image out; mkdir out" } else { "rm -rf image out" };
    script(at, &format!("{fresh}; {make} > /dev/null; {extract} > /dev/null 2>&1"))?;
    Ok(line(variant.trim_end(), oracle, &host(&at.join("out"))?, &listed(place, &at.join("image"), &[])))
}

/// Debian has no program that takes files out of F2FS: the tree that went in stands for it, and a reader in Python where that is
/// at hand.
fn f2fs(place: &Workplace, at: &Path) -> Result<Vec<Line>> {
    let tree = host(&at.join("tree"))?;
    let reader = place.shared.join("tools/f2fs_ref.py");
    let python: Option<PathBuf> = if reader.exists() { Some(peers::python(place)?) } else { None };
    let mut lines = Vec::new();
    for options in F2FS {
        script(
            at,
            &format!(
                "rm -f image; truncate -s 128M image; mkfs.f2fs -q -f {options} image > /dev/null; sload.f2fs -f tree -t / image > /dev/null"
            ),
        )?;
        let found = listed(place, &at.join("image"), &[]);
        let variant = format!("f2fs {options}");
        lines.push(line(variant.trim_end(), "the tree of sload.f2fs", &tree, &found));
        if let Some(python) = &python {
            let sums: String = tree
                .iter()
                .filter(|(_, (kind, _))| kind != "dir" && kind != "link")
                .map(|(path, (_, sum))| format!("{sum}  ./{path}\n"))
                .collect();
            fs::write(at.join("sums"), sums)?;
            let call = format!(
                "{} {} sums image > said; grep -q ' OK$' said || {{ cat said >&2; false; }}",
                python.display(),
                reader.display()
            );
            script(at, &call)?;
        }
    }
    Ok(lines)
}
