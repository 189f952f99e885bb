//! F2FS images against a listing of what went into them, and images of `sload.f2fs` against their tree.

use std::path::Path;
use std::process::Command;

use super::listing::{Rows, differences, host, run, tree, truth};

#[test]
fn every_f2fs_image_of_the_shared_data_has_the_files_that_went_into_it() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let text = String::from_utf8_lossy(&std::fs::read(data.join("truth/image-files.tsv")).unwrap()).into_owned();
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("f2fs.img");
    let (mut images, mut rows, mut wrong) = (0, 0, Vec::new());
    let mut names: Vec<_> =
        std::fs::read_dir(data.join("images")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("f2fs_")) {
        run(Command::new("zstd").args(["-dqf", "-o"]).arg(&image).arg(data.join("images").join(name)));
        let label = name.trim_end_matches(".zst");
        let expected = truth(&text, label);
        let differences = differences("f2fs", &image, &expected);
        let count = differences.len();
        wrong.extend(differences.into_iter().take(3).map(|line| format!("{label}: {count} wrong: {line}")));
        (images, rows) = (images + 1, rows + expected.len());
    }
    super::note(&format!("{images} F2FS images, {rows} rows compared"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(images >= 6);
}

#[test]
fn images_of_sload_have_the_files_of_the_tree() {
    let temp = tempfile::tempdir().unwrap();
    let source = temp.path().join("source");
    tree(&source);
    let mut expected = Rows::new();
    host(&source, &source, &mut expected);
    let variants: &[&[&str]] = &[
        &[],
        &["-g", "android"],
        &["-O", "extra_attr,inode_checksum,inode_crtime,verity"],
        &["-O", "casefold", "-C", "utf8"],
        &["-O", "encrypt,extra_attr,quota"],
    ];
    let (mut rows, mut wrong) = (0, Vec::new());
    for (index, options) in variants.iter().enumerate() {
        let image = temp.path().join(format!("{index}.img"));
        std::fs::File::create(&image).unwrap().set_len(128 << 20).unwrap();
        run(Command::new("mkfs.f2fs").args(["-q", "-f"]).args(*options).arg(&image));
        run(Command::new("sload.f2fs").arg("-f").arg(&source).args(["-t", "/"]).arg(&image));
        rows += expected.len();
        let differences = differences("f2fs", &image, &expected);
        let count = differences.len();
        wrong.extend(differences.into_iter().take(3).map(|line| format!("{options:?}: {count} wrong: {line}")));
        std::fs::remove_file(&image).unwrap();
    }
    super::note(&format!("{} images of sload.f2fs, {rows} rows compared", variants.len()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
