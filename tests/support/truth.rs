//! What independent tools say of images that others made, beside what the program lists of them. Shared by the tests and by
//! `cargo xtask oracle`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Path to kind or size, and target or SHA-256.
pub(crate) type Rows = BTreeMap<String, (String, String)>;

/// An image of the truth and how the program is asked for it.
pub(crate) struct Case {
    /// The image's name in the truth.
    pub(crate) label: String,
    pub(crate) rows: Rows,
    /// The file to open.
    pub(crate) file: PathBuf,
    /// Options of `image ls`.
    options: Vec<String>,
    /// The partition, or with `--images` a piece of the way, whose rows are meant.
    only: Option<String>,
    /// Who said so.
    pub(crate) oracle: &'static str,
}

/// What a comparison came to.
#[derive(Default)]
pub(crate) struct Compared {
    /// Rows of the truth.
    pub(crate) rows: usize,
    /// Rows where the truth is a tool's failure, and the program says that it can't read it.
    pub(crate) unread: usize,
    /// Each difference in words.
    pub(crate) differences: Vec<String>,
}

/// The images of a table: path of the image, path in it, size or `dir` or `link`, SHA-256 or target.
pub(crate) fn table(file: &Path) -> Result<BTreeMap<String, Rows>, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut images: BTreeMap<String, Rows> = BTreeMap::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if let [image, path, kind, value] = fields[..]
            && image != "image"
        {
            images.entry(image.to_owned()).or_default().insert(path.to_owned(), (kind.to_owned(), value.to_owned()));
        }
    }
    Ok(images)
}

/// Every image of the shared data's two tables.
pub(crate) fn cases(data: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for (label, rows) in table(&data.join("truth/image-files.tsv"))? {
        let file = data.join(format!("images/{label}.zst"));
        let oracle = if label.starts_with("f2fs") { "f2fs_ref.py" } else { "kernel mount" };
        cases.push(Case { label, rows, file, options: Vec::new(), only: None, oracle });
    }
    for (label, rows) in table(&data.join("truth/container-files.tsv"))? {
        let (file, inner) = label.split_once('!').unwrap_or((label.trim_end_matches("#fs"), ""));
        let images = || vec!["--images".to_owned()];
        let stem = inner.trim_end_matches(".img").to_owned();
        let (options, only, oracle) = match inner {
            "apex_payload.img" => (Vec::new(), None, "debugfs"),
            "full_payload.bin" => (images(), Some(format!("!{inner}!")), "payload_dumper"),
            "delta_payload.bin" => {
                // What it was made from lies beside it.
                let base = data.join(file);
                let options = ["--images".to_owned(), "--base".to_owned(), base.display().to_string()];
                (options.to_vec(), Some(format!("!{inner}!")), "payload_dumper")
            }
            "" if file.ends_with("super.img") => (images(), None, "lpunpack"),
            "" if file.ends_with("squashfs.bin") => (Vec::new(), None, "unsquashfs"),
            "" => (Vec::new(), None, "debugfs"),
            _ if inner.contains("sqfs") => (Vec::new(), Some(stem), "unsquashfs"),
            _ => (Vec::new(), Some(stem), "debugfs"),
        };
        cases.push(Case { file: data.join(file), label: label.clone(), rows, options, only, oracle });
    }
    Ok(cases)
}

/// What the program lists, by partition; with `--images` by the way to each image.
pub(crate) fn listing(program: &Path, file: &Path, options: &[String]) -> Result<BTreeMap<String, Rows>, String> {
    let mut command = Command::new(program);
    command.args(["image", "ls"]).arg(file).args(["--hash", "--format", "json"]).args(options);
    let output = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
    // 3: a part could not be read; its row says so.
    if !matches!(output.status.code(), Some(0 | 3)) {
        return Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{command:?}: {error}"))?;
    let images = options.iter().any(|option| option == "--images");
    let mut partitions: BTreeMap<String, Rows> = BTreeMap::new();
    for entry in answer.get("entries").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let size = entry.get("size").and_then(Value::as_u64).map(|size| size.to_string()).unwrap_or_default();
        let row = match text("kind").as_str() {
            _ if entry.get("error").is_some_and(Value::is_string) => (size, format!("not read: {}", text("error"))),
            "folder" => ("dir".to_owned(), String::new()),
            "link" => ("link".to_owned(), text("target")),
            "special" => ("special".to_owned(), String::new()),
            _ => (size, text("sha256")),
        };
        let (partition, path) = if images {
            let place = text("path");
            let name = place.rsplit('!').next().unwrap_or_default().to_owned();
            (place, name)
        } else {
            (text("partition"), text("path"))
        };
        partitions.entry(partition).or_default().insert(path, row);
    }
    Ok(partitions)
}

/// Holds what the program lists against the truth.
pub(crate) fn compare(program: &Path, case: &Case) -> Compared {
    let mut compared = Compared { rows: case.rows.len(), ..Compared::default() };
    let found = match listing(program, &case.file, &case.options) {
        Ok(found) => found,
        Err(error) => {
            compared.differences.push(error);
            return compared;
        }
    };
    let images = case.options.iter().any(|option| option == "--images");
    let mut ours = Rows::new();
    for (partition, rows) in found {
        let meant =
            case.only.as_ref().is_none_or(|only| if images { partition.contains(only) } else { partition == *only });
        if meant {
            ours.extend(rows);
        }
    }
    let names: std::collections::BTreeSet<&String> = case.rows.keys().chain(ours.keys()).collect();
    for name in names {
        match (case.rows.get(name), ours.get(name)) {
            (expected, found) if expected == found => {}
            // The tables leave out folders of some images, devices, and parts that a tool did not write.
            (None, Some((kind, _))) if kind == "dir" || kind == "special" => {}
            (None, Some(_)) if images => {}
            // mke2fs writes it in a way that kernels refuse.
            (None, Some(_)) if case.label == "ext4_inline_data.img" && name == "lib64/hole" => {}
            // payload_dumper could not make it and left an empty file; debugfs writes out what is encrypted as it is.
            (Some((size, _)), Some((_, error))) if size == "0" && error.starts_with("not read: ") => {
                compared.unread += 1
            }
            (Some(_), None) if name.starts_with("encrypted_dir/") && ours.contains_key("encrypted_dir") => {
                compared.unread += 1;
            }
            (expected, found) => compared.differences.push(format!("{name}: expected {expected:?}, found {found:?}")),
        }
    }
    compared
}
