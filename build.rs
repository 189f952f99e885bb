//! Writes the table of profiles that are built in: every `profiles/**/*.toml`, so that a profile needs no edit of code.

#![allow(clippy::print_stdout, reason = "Cargo reads what a build script prints")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("profiles");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();

    let mut table = String::from("&[\n");
    for file in &files {
        let inner = file.strip_prefix(&root)?.with_extension("");
        let name: Vec<&str> =
            inner.iter().map(|part| part.to_str().ok_or("a profile's name is not UTF-8")).collect::<Result<_, _>>()?;
        let path = file.to_str().ok_or("the folder's name is not UTF-8")?;
        writeln!(table, "    Builtin {{ name: {:?}, text: include_str!({path:?}) }},", name.join("/"))?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("profiles.rs"), table)?;
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
