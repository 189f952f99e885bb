//! Containers: three images in every wrapping, unwrapped again by each format's own tool.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{Line, Workplace, fresh, line, listed, peers, script, sha256};
use crate::oracle::truth::Rows;
use crate::tools;

/// `system.img` (ext4), `vendor.img` (EROFS) and `odm.img` (ext4), real packages in them, and the sparse form of the first.
const IMAGES: &str = "mkdir -p s/app/A v/app/B o/app/C; cp APKS/*.apk s/app/A; cp APKS/unlock_apk-debug.apk v/app/B; cp APKS/unlock_apk-debug.apk o/app/C
seq 1 300000 > s/numbers; head -c 3000000 /dev/zero > s/zeros; seq 1 100000 > v/numbers
mke2fs -q -F -t ext4 -b 4096 -d s system.img 32M; mkfs.erofs --quiet -T1700000000 -zlz4hc vendor.img v; mke2fs -q -F -t ext4 -b 4096 -d o odm.img 8M
truncate -s %4096 vendor.img; img2simg system.img system.simg";

/// A wrapping: how it is made, what is opened, how another tool unwraps it into `out`, and our name for each of the files there.
struct Wrapping<'a> {
    variant: &'a str,
    oracle: &'a str,
    make: &'a str,
    target: &'a str,
    unwrap: &'a str,
    files: Files<'a>,
}

/// Our name of each, and its name among what the tool wrote.
type Files<'a> = &'a [(&'a str, &'a str)];

const SAME: &[(&str, &str)] = &[("system.img", "system.img"), ("vendor.img", "vendor.img")];
const ALL: &[(&str, &str)] = &[("system.img", "system.img"), ("vendor.img", "vendor.img"), ("odm.img", "odm.img")];
const SLOT_A: &[(&str, &str)] =
    &[("system_a.img", "system_a.img"), ("vendor_a.img", "vendor_a.img"), ("odm_a.img", "odm_a.img")];
const SLOT_B: &[(&str, &str)] =
    &[("system_b.img", "system_b.img"), ("vendor_b.img", "vendor_b.img"), ("odm_b.img", "odm_b.img")];
const ONE: &[(&str, &str)] = &[("system.img", "system.img")];

/// What went in is copied: for formats that no tool at hand takes apart.
const WENT_IN: &str = "cp system.img vendor.img odm.img out";

const STREAMS: &[(&str, &str, &str, &str)] = &[
    ("gzip", "gzip", "gzip -c system.img > system.img.gz", "gzip -dc system.img.gz"),
    ("xz, one block", "xz", "xz -0 -c system.img > system.img.xz", "xz -dc system.img.xz"),
    ("xz, blocks", "xz", "xz -0 --block-size=1MiB -c system.img > system.img.xz", "xz -dc system.img.xz"),
    ("zstd", "zstd", "zstd -qf -3 system.img -o system.img.zst", "zstd -dqc system.img.zst"),
    ("bzip2", "bzip2", "bzip2 -c -1 system.img > system.img.bz2", "bzip2 -dc system.img.bz2"),
    ("brotli", "brotli", "brotli -f -q 5 system.img -o system.img.br", "brotli -dc system.img.br"),
    (
        "lz4, independent blocks",
        "lz4",
        "lz4 -qf -B6 --content-size system.img system.img.lz4",
        "lz4 -dqc system.img.lz4",
    ),
    ("lz4, linked blocks", "lz4", "lz4 -qf -BD -B5 system.img system.img.lz4", "lz4 -dqc system.img.lz4"),
    ("lz4, legacy", "lz4", "lz4 -qf -l system.img system.img.lz4", "lz4 -dqc system.img.lz4"),
];

const ARCHIVES: &[Wrapping<'_>] = &[
    Wrapping {
        variant: "zip, stored",
        oracle: "unzip",
        make: "zip -q -0 a.zip system.img vendor.img",
        target: "a.zip",
        unwrap: "unzip -q -o a.zip -d out",
        files: SAME,
    },
    Wrapping {
        variant: "zip, deflated",
        oracle: "unzip",
        make: "rm -f a.zip; zip -q -6 a.zip system.img vendor.img",
        target: "a.zip",
        unwrap: "unzip -q -o a.zip -d out",
        files: SAME,
    },
    Wrapping {
        variant: "zip64",
        oracle: "unzip",
        make: "python3 -c \"
import zipfile
with zipfile.ZipFile('b.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    for p in ('system.img', 'vendor.img'):
        with z.open(p, 'w', force_zip64=True) as out: out.write(open(p, 'rb').read())\"",
        target: "b.zip",
        unwrap: "unzip -q -o b.zip -d out",
        files: SAME,
    },
    Wrapping {
        variant: "zip in zip",
        oracle: "unzip",
        make: "rm -f outer.zip; zip -q -9 outer.zip a.zip",
        target: "outer.zip",
        unwrap: "unzip -q -o outer.zip -d out; cd out; unzip -q -o a.zip",
        files: SAME,
    },
    Wrapping {
        variant: "tar, ustar, with its MD5 behind it",
        oracle: "tar",
        make: "tar --format=ustar -cf AP.tar.md5 system.img vendor.img; md5sum -t AP.tar.md5 >> AP.tar.md5",
        target: "AP.tar.md5",
        unwrap: "tar -xf AP.tar.md5 -C out",
        files: SAME,
    },
    Wrapping {
        variant: "tar, GNU, gzip",
        oracle: "tar",
        make: "tar --format=gnu -czf a.tgz system.img vendor.img",
        target: "a.tgz",
        unwrap: "tar -xzf a.tgz -C out",
        files: SAME,
    },
    Wrapping {
        variant: "tar, pax",
        oracle: "tar",
        make: "tar --format=pax -cf pax.tar system.img vendor.img",
        target: "pax.tar",
        unwrap: "tar -xf pax.tar -C out",
        files: SAME,
    },
    Wrapping {
        variant: "tar, holes, gnu",
        oracle: "tar",
        make: "tar -S --format=gnu -cf holes.tar system.img vendor.img",
        target: "holes.tar",
        unwrap: "tar -xf holes.tar -C out",
        files: SAME,
    },
    Wrapping {
        variant: "tar, holes, pax 0.1",
        oracle: "tar",
        make: "tar -S --format=pax --sparse-version=0.1 -cf holes.tar system.img vendor.img",
        target: "holes.tar",
        unwrap: "tar -xf holes.tar -C out",
        files: SAME,
    },
    Wrapping {
        variant: "tar, holes, pax 1.0",
        oracle: "tar",
        make: "tar -S --format=pax --sparse-version=1.0 -cf holes.tar system.img vendor.img",
        target: "holes.tar",
        unwrap: "tar -xf holes.tar -C out",
        files: SAME,
    },
    Wrapping {
        variant: "sparse",
        oracle: "simg2img",
        make: "true",
        target: "system.simg",
        unwrap: "simg2img system.simg out/system.simg",
        files: &[("system.simg", "system.simg")],
    },
    Wrapping {
        variant: "sparse, split set",
        oracle: "simg2img",
        make: "rm -rf split; mkdir split; simg2simg system.simg split/system.img_sparsechunk 400000; cd split; for f in *; do mv $f ${f/sparsechunk./sparsechunk}; done",
        target: "split",
        unwrap: "simg2img $(ls split/* | sort -V) out/system.img",
        files: &[("system.img_sparsechunk0", "system.img")],
    },
    Wrapping {
        variant: "pieces of a raw image",
        oracle: "cat",
        make: "rm -rf pieces; mkdir pieces; split -b 10M -d -a 3 --numeric-suffixes=1 system.img pieces/system.img.",
        target: "pieces",
        unwrap: "cat pieces/* > out/system.img",
        files: ONE,
    },
    Wrapping {
        variant: "gpt",
        oracle: "sfdisk, dd",
        make: "truncate -s 48M gpt.img; printf 'label: gpt\\nstart=2048, size=65536, name=system_a\\n' | sfdisk -q gpt.img; dd status=none conv=notrunc bs=1M seek=1 if=system.img of=gpt.img",
        target: "gpt.img",
        unwrap: "set -- $(sfdisk -d gpt.img | sed -n 's/.*start= *\\([0-9]*\\), size= *\\([0-9]*\\).*/\\1 \\2/p'); dd status=none bs=512 skip=$1 count=$2 if=gpt.img of=out/system_a.img",
        files: &[("system_a.img", "system_a.img")],
    },
    Wrapping {
        variant: "mbr",
        oracle: "sfdisk, dd",
        make: "truncate -s 48M mbr.img; printf 'label: dos\\nstart=2048, size=65536, type=83\\n' | sfdisk -q mbr.img; dd status=none conv=notrunc bs=1M seek=1 if=system.img of=mbr.img",
        target: "mbr.img",
        unwrap: "set -- $(sfdisk -d mbr.img | sed -n 's/.*start= *\\([0-9]*\\), size= *\\([0-9]*\\).*/\\1 \\2/p'); dd status=none bs=512 skip=$1 count=$2 if=mbr.img of=out/system",
        files: &[("partition1.img", "system")],
    },
];

pub(super) fn run(place: &Workplace) -> Result<Vec<Line>> {
    let at = fresh(place, "wrappings")?;
    script(&at, &IMAGES.replace("APKS", &tools::root().join("samples/apks").display().to_string()))?;
    let mut lines = Vec::new();
    for (variant, oracle, make, unwrap) in STREAMS {
        let target = unwrap.rsplit(' ').next().unwrap_or_default();
        let unwrap = format!("{unwrap} > out/system.img");
        lines.push(of(place, &at, &Wrapping { variant, oracle, make, target, unwrap: &unwrap, files: ONE })?);
        script(&at, &format!("rm {target}"))?;
    }
    for wrapping in ARCHIVES {
        lines.push(of(place, &at, wrapping)?);
    }
    lines.extend(vendors(place, &at)?);
    lines.extend(made(place, &at)?);
    script(&at, "cd ..; rm -rf wrappings")?;
    Ok(lines)
}

fn of(place: &Workplace, at: &Path, wrapping: &Wrapping<'_>) -> Result<Line> {
    script(at, &format!("rm -rf out; mkdir out; ({}); {}", wrapping.make, wrapping.unwrap))?;
    let mut expected = Rows::new();
    for (name, file) in wrapping.files {
        let path = at.join("out").join(file);
        expected.insert(plain(name), (fs::metadata(&path)?.len().to_string(), sha256(&path)?));
    }
    let found = listed(place, &at.join(wrapping.target), &["--images"]);
    let mut found: Rows = found.into_iter().map(|(place, row)| (plain(&place), row)).collect();
    // Other parts: tables, texts, checksums, the slot that is empty.
    let is_image = |size: &str| size.parse::<u64>().is_ok_and(|size| size >= 4096);
    found.retain(|name, (size, _)| expected.contains_key(name) || (name.ends_with(".img") && is_image(size)));
    Ok(line(wrapping.variant, wrapping.oracle, &expected, &found))
}

/// The name of a part: without the way to it and the ending of a stream that is the whole file, in lower case, since formats
/// write names as they like.
fn plain(place: &str) -> String {
    let name = place.rsplit(['!', '/']).next().unwrap_or_default().to_lowercase();
    let endings = [".gz", ".xz", ".zst", ".bz2", ".br", ".lz4"];
    endings.iter().find_map(|end| name.strip_suffix(end)).map_or(name.clone(), str::to_owned)
}

/// Packages of vendors, packed by Python from each format's description.
fn vendors(place: &Workplace, at: &Path) -> Result<Vec<Line>> {
    script(
        at,
        &format!(
            "mkdir packages; cp system.img vendor.img system.simg packages; cd packages; python3 {}",
            tools::root().join("tests/support/vendor_packages.py").display()
        ),
    )?;
    let mut lines = Vec::new();
    let upper: &[(&str, &str)] = &[("SYSTEM.img", "system.img"), ("VENDOR.img", "vendor.img")];
    let packages: &[(&str, &str, Files<'_>)] = &[
        ("Huawei UPDATE.APP", "UPDATE.APP", upper),
        ("UNISOC pac", "firmware.pac", SAME),
        ("Rockchip RKFW, RKAF", "update.img", SAME),
        ("Amlogic 1", "aml1.img", SAME),
        ("Amlogic 2", "aml2.img", SAME),
        ("Allwinner IMAGEWTY 0x100", "wty100.img", SAME),
        ("Allwinner IMAGEWTY 0x300", "wty300.img", SAME),
        ("Motorola bundle", "star.img", SAME),
        ("MediaTek signed", "mediatek", &[("system-sign.img", "system.img"), ("vendor-sign.img", "vendor.img")]),
        ("vendor headers", "motorola", SAME),
        ("Qualcomm rawprogram", "qualcomm", &[("system_a.img", "system.img"), ("vendor_a.img", "vendor.img")]),
        ("MediaTek scatter", "scatter", SAME),
    ];
    for (variant, target, files) in packages {
        let target = format!("packages/{target}");
        let wrapping =
            Wrapping { variant, oracle: "what went in", make: "true", target: &target, unwrap: WENT_IN, files };
        lines.push(of(place, at, &wrapping)?);
    }
    Ok(lines)
}

/// What an independent maker of firmware makes, where that is at hand.
fn made(place: &Workplace, at: &Path) -> Result<Vec<Line>> {
    let maker = place.shared.join("tools");
    if !maker.join("fwgen.py").exists() {
        tools::say(&format!("NOT RUN: {}/fwgen.py is not there: super, payload, block updates", maker.display()));
        return Ok(Vec::new());
    }
    fs::write(
        at.join("make.py"),
        format!(
            "import sys, os\nsys.path.insert(0, {:?})\nfrom fwgen import *\nI = [(n, n + '.img') for n in ('system', 'vendor', 'odm')]\n\
             make_super('ab.img', I, 64 << 20, split_first=True)\nmake_super('one.img', I, 64 << 20, slots=1, ab=False, minor=0)\n\
             make_super('three.img', I, 64 << 20, slots=3, suffix='_b', flags=1)\n\
             for c in ('best', 'REPLACE', 'REPLACE_XZ', 'REPLACE_BZ', 'REPLACE_ZSTD'): make_payload(c + '.bin', I, codec=c, sigsize=267)\n\
             make_ota_zip('ota.zip', 'best.bin')\n\
             for v in (1, 2, 3, 4):\n  os.mkdir('v%d' % v)\n  for n, p in I: make_sdat('v%d' % v, n, p, version=v, br=v == 3)\n",
            maker.canonicalize()?.display().to_string()
        ),
    )?;
    script(at, "python3 make.py; img2simg ab.img ab.simg; lz4 -qf -B6 --content-size ab.simg super.img.lz4")?;
    let lpunpack = format!(
        "{} -c \"from pathlib import Path; from liblp.partition_tools.lpunpack import lpunpack; lpunpack(Path('FILE'), Path('out'))\" > /dev/null",
        peers::python(place)?.display()
    );
    let dump = format!("{} FILE --out out > /dev/null", peers::payload_dumper(place)?.display());
    let mut lines = Vec::new();
    for (variant, file, files) in [
        ("super, A/B, two extents", "ab.img", SLOT_A),
        ("super, one slot, 10.0", "one.img", ALL),
        ("super, three slots, _b", "three.img", SLOT_B),
    ] {
        let unwrap = lpunpack.replace("FILE", file);
        lines.push(of(
            place,
            at,
            &Wrapping { variant, oracle: "liblp lpunpack", make: "true", target: file, unwrap: &unwrap, files },
        )?);
    }
    let unwrap = format!(
        "lz4 -dqf super.img.lz4 back.simg; simg2img back.simg back.img; {}",
        lpunpack.replace("FILE", "back.img")
    );
    let wrapping = Wrapping {
        variant: "super in sparse in lz4",
        oracle: "lz4, simg2img, liblp lpunpack",
        make: "true",
        target: "super.img.lz4",
        unwrap: &unwrap,
        files: SLOT_A,
    };
    lines.push(of(place, at, &wrapping)?);
    for codec in ["best", "REPLACE", "REPLACE_XZ", "REPLACE_BZ", "REPLACE_ZSTD"] {
        let (variant, target) = (format!("payload, {codec}"), format!("{codec}.bin"));
        let unwrap = dump.replace("FILE", &target);
        let wrapping = Wrapping {
            variant: &variant,
            oracle: "payload_dumper",
            make: "true",
            target: &target,
            unwrap: &unwrap,
            files: ALL,
        };
        lines.push(of(place, at, &wrapping)?);
    }
    let unwrap = format!("unzip -q -o ota.zip payload.bin -d out; {}", dump.replace("FILE", "out/payload.bin"));
    lines.push(of(
        place,
        at,
        &Wrapping {
            variant: "payload in zip",
            oracle: "unzip, payload_dumper",
            make: "true",
            target: "ota.zip",
            unwrap: &unwrap,
            files: ALL,
        },
    )?);
    for version in 1..=4 {
        let target = format!("v{version}");
        let variant = format!("block update {version}{}", if version == 3 { ", brotli" } else { "" });
        lines.push(of(
            place,
            at,
            &Wrapping {
                variant: &variant,
                oracle: "what went in",
                make: "true",
                target: &target,
                unwrap: WENT_IN,
                files: ALL,
            },
        )?);
    }
    Ok(lines)
}
