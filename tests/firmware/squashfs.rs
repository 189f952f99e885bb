//! SquashFS images of others against what `unsquashfs` says of them, and images of `mksquashfs` against their tree.

use std::path::Path;
use std::process::Command;

use super::listing::{Rows, differences, host, run, tree, truth};

#[test]
fn squashfs_images_of_the_shared_data_have_the_files_that_unsquashfs_finds() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let text = String::from_utf8_lossy(&std::fs::read(data.join("truth/container-files.tsv")).unwrap()).into_owned();
    let temp = tempfile::tempdir().unwrap();
    let archive = data.join("containers/aosp-update-engine/sample_images.tar.bz2");
    run(Command::new("tar").arg("-xjf").arg(archive).arg("-C").arg(temp.path()));
    let mut rows = 0;
    for (label, image) in [
        ("aosp-update-engine/sample_images.tar.bz2!disk_sqfs_default.img", temp.path().join("disk_sqfs_default.img")),
        ("aosp-update-engine/sample_images.tar.bz2!disk_sqfs_unittest.img", temp.path().join("disk_sqfs_unittest.img")),
        ("binwalk/squashfs.bin#fs", data.join("containers/binwalk/squashfs.bin")),
    ] {
        let expected = truth(&text, &format!("containers/{label}"));
        let differences = differences("squashfs", &image, &expected);
        assert!(differences.is_empty(), "{label}: {differences:#?}");
        rows += expected.len();
    }
    super::note(&format!("3 SquashFS images, {rows} rows compared"));
}

#[test]
fn images_of_mksquashfs_have_the_files_of_the_tree() {
    let temp = tempfile::tempdir().unwrap();
    let source = temp.path().join("source");
    tree(&source);
    let mut expected = Rows::new();
    host(&source, &source, &mut expected);
    let variants: &[&[&str]] = &[
        &["-comp", "gzip"],
        &["-comp", "gzip", "-b", "4096", "-no-fragments"],
        &["-comp", "gzip", "-Xcompression-level", "1", "-b", "1M"],
        &["-comp", "lzo", "-Xcompression-level", "1"],
        &["-comp", "lzo", "-Xalgorithm", "lzo1x_1", "-always-use-fragments"],
        &["-comp", "lz4"],
        &["-comp", "lz4", "-Xhc", "-b", "64K"],
        &["-comp", "xz", "-Xbcj", "x86,arm", "-b", "1M"],
        &["-comp", "zstd", "-Xcompression-level", "3"],
        &["-comp", "zstd", "-Xcompression-level", "1", "-b", "4096", "-always-use-fragments"],
        &["-noI", "-noD", "-noF", "-noX"],
        &["-no-duplicates", "-nopad", "-no-exports"],
    ];
    let (mut rows, mut wrong) = (0, Vec::new());
    for (index, options) in variants.iter().enumerate() {
        let image = temp.path().join(format!("{index}.img"));
        let quiet = ["-quiet", "-no-progress", "-noappend"];
        run(Command::new("mksquashfs").arg(&source).arg(&image).args(quiet).args(*options));
        rows += expected.len();
        let differences = differences("squashfs", &image, &expected);
        let count = differences.len();
        wrong.extend(differences.into_iter().take(3).map(|line| format!("{options:?}: {count} wrong: {line}")));
        std::fs::remove_file(&image).unwrap();
    }
    super::note(&format!("{} images of mksquashfs, {rows} rows compared", variants.len()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn lzma_is_named_as_what_is_not_read() {
    let temp = tempfile::tempdir().unwrap();
    let (source, image) = (temp.path().join("source"), temp.path().join("lzma.img"));
    std::fs::create_dir(&source).unwrap();
    run(Command::new("mksquashfs").arg(&source).arg(&image).args(["-quiet", "-no-progress", "-comp", "lzma"]));
    let differences = differences("squashfs", &image, &Rows::new());
    assert_eq!(differences, ["superblock: byte 20: compression with lzma is not supported"]);
}
