//! Samples that are built from a recipe: the same bytes on every machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools;

/// Seconds since 1970 that every timestamp in the sample gets: 2026-01-15 00:00 UTC.
const TIME: &str = "1768435200";

/// A partition of the sample: its files as (path, content), its APKs as (path, file in `samples/apks`).
struct Partition {
    name: &'static str,
    uuid: &'static str,
    blocks: &'static str,
    files: &'static [(&'static str, &'static str)],
    apks: &'static [(&'static str, &'static str)],
}

const SYSTEM_PROPERTIES: &str = "\
ro.build.id=OP1.260115.001
ro.build.display.id=OrionOS 4.2 (OP1.260115.001)
ro.build.version.incremental=260115
ro.build.version.sdk=34
ro.build.version.release=14
ro.build.version.security_patch=2026-01-05
ro.build.date.utc=1768435200
ro.build.type=user
ro.build.tags=release-keys
ro.build.flavor=orion_p1-user
ro.build.characteristics=nosdcard
ro.build.fingerprint=orion/orion_p1_ru/orion_p1:14/OP1.260115.001/260115:user/release-keys
ro.product.locale=ru-RU
ro.product.system.brand=orion
ro.product.system.device=orion_p1
ro.product.system.manufacturer=Orion
ro.product.system.model=Orion P1
ro.product.system.name=orion_p1_ru
";

const SYSTEM_EXT_PROPERTIES: &str = "\
ro.product.system_ext.brand=orion
ro.product.system_ext.device=orion_p1
ro.product.system_ext.manufacturer=Orion
ro.product.system_ext.model=Orion P1
ro.product.system_ext.name=orion_p1_ru
";

const PRODUCT_PROPERTIES: &str = "\
ro.product.product.brand=orion
ro.product.product.device=orion_p1
ro.product.product.manufacturer=Orion
ro.product.product.model=Orion P1
ro.product.product.name=orion_p1_ru
";

const VENDOR_PROPERTIES: &str = "\
ro.product.vendor.brand=orion
ro.product.vendor.device=orion_p1
ro.product.vendor.manufacturer=Orion
ro.product.vendor.model=Orion P1
ro.product.vendor.name=orion_p1_ru
ro.vendor.build.security_patch=2026-01-05
ro.control_privapp_permissions=enforce
";

const PARTITIONS: &[Partition] = &[
    Partition {
        name: "system",
        uuid: "7e3c1f60-0a51-4b7e-9d0f-5a1d5e000001",
        blocks: "512",
        files: &[("system/build.prop", SYSTEM_PROPERTIES), ("system/system_ext/etc/build.prop", SYSTEM_EXT_PROPERTIES)],
        apks: &[
            (
                "system/priv-app/UiAutomatorServer/UiAutomatorServer.apk",
                "appium-uiautomator2-server-debug-androidTest.apk",
            ),
            ("system/app/TinyApp/TinyApp.apk", "golden-aligned-v1v2v3-out.apk"),
        ],
    },
    Partition {
        name: "product",
        uuid: "7e3c1f60-0a51-4b7e-9d0f-5a1d5e000002",
        blocks: "256",
        files: &[("etc/build.prop", PRODUCT_PROPERTIES)],
        apks: &[("app/Unlock/Unlock.apk", "unlock_apk-debug.apk")],
    },
    Partition {
        name: "vendor",
        uuid: "7e3c1f60-0a51-4b7e-9d0f-5a1d5e000003",
        blocks: "256",
        files: &[("build.prop", VENDOR_PROPERTIES)],
        apks: &[],
    },
];

/// Writes the ZIP with Python's own module: a maker that shares no code with the reader under test.
const ZIP_SCRIPT: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as out:
    for path in sys.argv[2:]:
        info = zipfile.ZipInfo(path.rsplit('/', 1)[-1], (2026, 1, 15, 0, 0, 0))
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
        out.writestr(info, open(path, 'rb').read(), compresslevel=9)
";

pub(crate) fn run() -> Result<()> {
    tools::install()?;
    let work = tools::root().join("target/fixtures");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let mut images = Vec::new();
    for partition in PARTITIONS {
        images.push(build(partition, &work)?);
    }
    let zip = tools::root().join("samples/orion-p1-firmware.zip");
    let mut python = Command::new("python3");
    quiet(python.arg("-c").arg(ZIP_SCRIPT).arg(&zip).args(&images), "python3")?;
    tools::say(&format!("{}: {} bytes", zip.display(), fs::metadata(&zip)?.len()));
    Ok(())
}

fn build(partition: &Partition, work: &Path) -> Result<String> {
    let tree = work.join(partition.name);
    for (path, content) in partition.files {
        place(&tree.join(path), content.as_bytes())?;
    }
    for (path, apk) in partition.apks {
        let source = tools::root().join("samples/apks").join(apk);
        place(&tree.join(path), &fs::read(&source).with_context(|| source.display().to_string())?)?;
    }
    let raw = work.join(format!("{}.raw", partition.name));
    let sparse = work.join(format!("{}.img", partition.name));
    let mut mke2fs = Command::new("mke2fs");
    mke2fs
        .args([
            "-q",
            "-t",
            "ext4",
            "-b",
            "4096",
            "-I",
            "256",
            "-m",
            "0",
            "-N",
            "64",
            "-O",
            "^has_journal,^resize_inode",
        ])
        .args(["-E", &format!("hash_seed={0},root_owner=0:0,lazy_itable_init=0", partition.uuid)])
        .args(["-U", partition.uuid, "-L", partition.name, "-d"])
        .args([&tree, &raw])
        .arg(partition.blocks)
        .env("E2FSPROGS_FAKE_TIME", TIME)
        .env("SOURCE_DATE_EPOCH", TIME);
    quiet(&mut mke2fs, "mke2fs")?;
    settle_times(&tree, &raw)?;
    quiet(Command::new("img2simg").args([&raw, &sparse]), "img2simg")?;
    Ok(sparse.to_string_lossy().into_owned())
}

/// `mke2fs -d` copies the times of the tree's files; the sample's shall not depend on the day on which it is built.
fn settle_times(tree: &Path, raw: &Path) -> Result<()> {
    let mut paths = vec![String::from("/")];
    let mut folders = vec![(tree.to_path_buf(), String::new())];
    while let Some((folder, inside)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{inside}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push((entry.path(), path.clone()));
            }
            paths.push(path);
        }
    }
    paths.sort();
    let mut script = String::new();
    for path in &paths {
        for field in ["atime", "ctime", "mtime", "crtime"] {
            script.push_str(&format!("sif {path} {field} @{TIME}\n"));
        }
        for field in ["atime_extra", "ctime_extra", "mtime_extra", "crtime_extra", "uid", "gid"] {
            script.push_str(&format!("sif {path} {field} 0\n"));
        }
    }
    let commands = raw.with_extension("debugfs");
    fs::write(&commands, script)?;
    let mut debugfs = Command::new("debugfs");
    quiet(debugfs.arg("-w").arg("-f").arg(&commands).arg(raw).env("E2FSPROGS_FAKE_TIME", TIME), "debugfs")
}

fn place(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

fn quiet(command: &mut Command, name: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{name} can't be started"))?;
    if !output.status.success() {
        bail!("{name}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
