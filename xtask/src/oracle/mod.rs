//! `cargo xtask oracle`: what the program lists of images, beside what independent tools make of the same bytes.

mod peers;
#[path = "../../../tests/support/truth.rs"]
mod truth;
mod volumes;
mod wrappings;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tools::{self, Tool};
use truth::Rows;

/// What the oracles are, beside what the tests call.
const TOOLS: &[Tool] = &[
    Tool { program: "simg2img", package: "android-sdk-libsparse-utils" },
    Tool { program: "tar", package: "tar" },
    Tool { program: "unsquashfs", package: "squashfs-tools" },
];

/// A line of the table.
struct Line {
    variant: String,
    oracle: String,
    files: usize,
    differences: Vec<String>,
}

/// Where everything is.
struct Workplace {
    /// The program under test.
    program: PathBuf,
    /// A folder for what is made.
    folder: PathBuf,
    /// Data and tools that were not made for the project, where they are.
    shared: PathBuf,
}

pub(crate) fn run() -> Result<()> {
    tools::install()?;
    tools::install_all(TOOLS)?;
    tools::run(&mut tools::cargo(&["build", "--quiet", "--bin", "preloaded"]))?;
    let folder = tools::root().join("target/oracle");
    fs::create_dir_all(&folder)?;
    let place = Workplace {
        program: tools::root().join("target/debug/preloaded"),
        folder,
        shared: tools::root().join("../shared"),
    };
    let mut lines = volumes::run(&place)?;
    lines.extend(wrappings::run(&place)?);
    let mut missing = Vec::new();
    lines.extend(data(&place, &mut missing)?);
    print(&lines);
    for text in missing {
        tools::say(&format!("NOT RUN: {text}"));
    }
    let differing: Vec<_> = lines.iter().filter(|line| !line.differences.is_empty()).collect();
    for line in &differing {
        for difference in line.differences.iter().take(5) {
            tools::say(&format!("{}: {difference}", line.variant));
        }
    }
    if differing.is_empty() { Ok(()) } else { bail!("{} variants differ from their oracles", differing.len()) }
}

/// Images that others made, against tables of what independent tools found in them.
fn data(place: &Workplace, missing: &mut Vec<String>) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let folder = tools::root().join("tests/data/erofs");
    for (label, rows) in truth::table(&folder.join("files.tsv")).map_err(anyhow::Error::msg)? {
        let stem = label.trim_end_matches(".img").to_owned();
        let at = fresh(place, "erofs")?;
        for end in ["img", "blob"] {
            let packed = folder.join(format!("{stem}.{end}.zst"));
            if packed.exists() {
                script(&at, &format!("zstd -dqf {} -o {stem}.{end}", packed.display()))?;
            }
        }
        let mut found = Rows::new();
        let listed = truth::listing(&place.program, &at, &[]).map_err(anyhow::Error::msg)?;
        found.extend(listed.into_values().flatten());
        lines.push(line(format!("own erofs {stem}"), "fsck.erofs 1.8.6", &rows, &found));
    }
    let data = place.shared.join("data");
    if !data.join("truth").is_dir() {
        missing.push(format!("{} is not there", data.display()));
        return Ok(lines);
    }
    let (mut rows, mut unread) = (0, 0);
    for case in truth::cases(&data).map_err(anyhow::Error::msg)? {
        let compared = truth::compare(&place.program, &case);
        rows += compared.rows;
        unread += compared.unread;
        let (variant, oracle) = (case.label.clone(), case.oracle.to_owned());
        lines.push(Line { variant, oracle, files: compared.rows, differences: compared.differences });
    }
    tools::say(&format!(
        "{rows} rows of the shared data's tables compared; of {unread} of them the tool could make no more than we"
    ));
    Ok(lines)
}

fn print(lines: &[Line]) {
    let width = |text: fn(&Line) -> &str| lines.iter().map(|line| text(line).len()).max().unwrap_or_default();
    let (variant, oracle) = (width(|line| &line.variant), width(|line| &line.oracle));
    let mut text = format!("\n{:variant$} | {:oracle$} | files | differences\n", "variant", "oracle");
    for line in lines {
        let Line { files, differences, .. } = line;
        text += &format!("{:variant$} | {:oracle$} | {files:5} | {}\n", line.variant, line.oracle, differences.len());
    }
    let files: usize = lines.iter().map(|line| line.files).sum();
    text += &format!("{} variants, {files} files compared", lines.len());
    tools::say(&text);
}

/// Every path of both, each with the same size and content.
fn line(variant: impl Into<String>, oracle: &str, expected: &Rows, found: &Rows) -> Line {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for name in &names {
        let (expected, found) = (expected.get(*name), found.get(*name));
        if expected != found {
            differences.push(format!("{name}: {oracle} has {expected:?}, the program {found:?}"));
        }
    }
    if expected.is_empty() {
        differences.push(format!("{oracle} found nothing"));
    }
    Line { variant: variant.into(), oracle: oracle.to_owned(), files: names.len(), differences }
}

/// An empty folder.
fn fresh(place: &Workplace, name: &str) -> Result<PathBuf> {
    let folder = place.folder.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a script without output; an error has what it said.
fn script(folder: &Path, text: &str) -> Result<()> {
    let mut command = Command::new("bash");
    command.args(["-euc", text]).current_dir(folder).stdin(Stdio::null()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().context("bash")?;
    if !output.status.success() {
        bail!("{text}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A tree of the host as rows, without the folder that ext4 has for what is lost.
fn host(root: &Path) -> Result<Rows> {
    let mut rows = Rows::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            let row = if metadata.is_symlink() {
                ("link".to_owned(), fs::read_link(&path)?.to_string_lossy().into_owned())
            } else if metadata.is_dir() {
                folders.push(path.clone());
                ("dir".to_owned(), String::new())
            } else {
                (metadata.len().to_string(), sha256(&path)?)
            };
            rows.insert(path.strip_prefix(root)?.to_string_lossy().into_owned(), row);
        }
    }
    rows.remove("lost+found");
    Ok(rows)
}

fn sha256(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let len = std::io::Read::read(&mut file, &mut piece)?;
        if len == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(piece.get(..len).unwrap_or_default());
    }
}

/// Whatever the program lists of an image, in one table.
fn listed(place: &Workplace, image: &Path, options: &[&str]) -> Result<Rows> {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    let partitions = truth::listing(&place.program, image, &options).map_err(anyhow::Error::msg)?;
    let mut rows: Rows = partitions.into_values().flatten().collect();
    rows.remove("lost+found");
    Ok(rows)
}
