//! The multi-GB firmware that is measured: 400 packages of real layout in four partitions, in the wrappings of today.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{make, packages, payload, super_image};
use crate::tools;

/// Partition, packages, mean size in MiB.
const PARTITIONS: [(&str, u32, f64); 4] =
    [("system", 140, 8.0), ("system_ext", 60, 6.0), ("product", 160, 10.0), ("vendor", 40, 4.0)];
/// Real package files, all under the Apache Licence.
const BASES: &[&str] = &[
    "samples/apks/appium-uiautomator2-server-debug-androidTest.apk",
    "samples/apks/unlock_apk-debug.apk",
    "samples/apks/golden-aligned-v1v2v3-out.apk",
];

/// One image, and how its packages get out of it without this program.
pub(super) struct Image {
    pub(super) name: &'static str,
    pub(super) file: PathBuf,
    /// Filesystem of its partitions.
    pub(super) filesystem: &'static str,
    pub(super) wrapping: Wrapping,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// `payload.bin` with XZ operations, stored in the ZIP of an update.
    Payload,
    /// `super.img`.
    Super,
    /// `super.img` as an Android sparse image.
    Sparse,
    /// Samsung's `AP_*.tar.md5` with `super.img.lz4`.
    Samsung,
}

pub(super) fn partitions() -> impl Iterator<Item = &'static str> {
    PARTITIONS.iter().map(|(name, ..)| *name)
}

/// Makes what is not there yet. Some minutes, and some 25 GB on the disk.
pub(super) fn build(folder: &Path) -> Result<Vec<Image>> {
    trees(folder)?;
    for (name, ..) in PARTITIONS {
        once(folder, &format!("{name}.ext4"), |out| {
            let tree = format!("{name}.tree");
            // A quarter more than the content, for inodes, and then as small as it gets.
            let script = format!(
                "size=$(du -sm --apparent-size {tree} | cut -f1); truncate -s $((size + size / 8 + 32))M {out}; \
                 mke2fs -q -F -t ext4 -b 4096 -I 256 -m 0 -O ^has_journal,^metadata_csum,^64bit -E lazy_itable_init=0 -L {name} -d {tree} {out}; \
                 e2fsck -fy {out} > /dev/null || true; resize2fs -M {out} 2> /dev/null"
            );
            make(folder, &script)
        })?;
        once(folder, &format!("{name}.erofs"), |out| {
            make(folder, &format!("mkfs.erofs -zlz4hc,9 -C65536 -T1700000000 {out} {name}.tree > /dev/null"))
        })?;
    }
    let mut made = Vec::new();
    for filesystem in ["ext4", "erofs"] {
        let paths: Vec<_> = partitions().map(|name| (name, folder.join(format!("{name}.{filesystem}")))).collect();
        let images: Vec<(&str, &Path)> = paths.iter().map(|(name, path)| (*name, path.as_path())).collect();
        let ota = once(folder, &format!("payload-{filesystem}.zip"), |out| {
            payload::write(&folder.join("payload.bin"), &images)?;
            make(folder, &format!("zip -q -0 {out} payload.bin; rm payload.bin"))
        })?;
        let image =
            once(folder, &format!("super-{filesystem}.img"), |out| super_image::write(&folder.join(out), &images))?;
        let sparse = once(folder, &format!("super-{filesystem}.simg"), |out| {
            make(folder, &format!("img2simg super-{filesystem}.img {out}"))
        })?;
        let names = if filesystem == "ext4" {
            ["XZ payload, ext4", "super, ext4", "sparse super, ext4"]
        } else {
            ["XZ payload, EROFS", "super, EROFS", "sparse super, EROFS"]
        };
        for (name, (file, wrapping)) in
            names.into_iter().zip([(ota, Wrapping::Payload), (image, Wrapping::Super), (sparse, Wrapping::Sparse)])
        {
            made.push(Image { name, file, filesystem, wrapping });
        }
    }
    let samsung = once(folder, "samsung.zip", |out| {
        make(
            folder,
            &format!(
                "lz4 -q -f -B6 --content-size -1 super-ext4.simg super.img.lz4; tar --format=ustar -cf AP_X.tar super.img.lz4; \
                 md5sum -t AP_X.tar >> AP_X.tar; mv AP_X.tar AP_X.tar.md5; zip -q -0 {out} AP_X.tar.md5; rm AP_X.tar.md5 super.img.lz4"
            ),
        )
    })?;
    made.push(Image { name: "Samsung lz4, ext4", file: samsung, filesystem: "ext4", wrapping: Wrapping::Samsung });
    Ok(made)
}

/// The file of this name, made unless it is there; a half-made one does not stay.
fn once(folder: &Path, name: &str, make: impl FnOnce(&str) -> Result<()>) -> Result<PathBuf> {
    let path = folder.join(name);
    if !path.exists() {
        tools::say(&format!("making {name}"));
        let part = format!("part-{name}");
        let _ = fs::remove_file(folder.join(&part));
        make(&part)?;
        fs::rename(folder.join(&part), &path).with_context(|| path.display().to_string())?;
    }
    Ok(path)
}

fn trees(folder: &Path) -> Result<()> {
    let bases: Vec<_> = BASES.iter().map(|base| tools::root().join(base)).collect();
    for (seed, (name, count, mean)) in (1..).zip(PARTITIONS) {
        once(folder, &format!("{name}.tree"), |out| {
            let tree = folder.join(out);
            let content = if name == "system" { tree.join("system") } else { tree.clone() };
            fs::create_dir_all(content.join("etc"))?;
            let properties = format!(
                "ro.product.{name}.brand=Fiction\nro.product.{name}.model=Bench\nro.{name}.build.version.sdk=34\n\
                 ro.build.version.sdk=34\nro.build.version.release=14\nro.product.brand=Fiction\nro.product.model=Bench\n"
            );
            fs::write(content.join("build.prop"), properties)?;
            let bytes = packages::fill(&content, &bases, count, mean, seed)?;
            tools::say(&format!("{name}: {count} packages, {} MiB", bytes >> 20));
            Ok(())
        })?;
    }
    Ok(())
}
