//! A report in several files, where those who read it take no large ones.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::output::temporary;
use super::terminal;
use crate::report::Run;

/// Writes the parts of a report: the first into `file`, the others into files beside it, which are returned with the names
/// that they will bear. The run is as before afterwards. Names in `taken` are those of other reports.
///
/// # Errors
/// What the file system reports.
pub(super) fn write(
    parts: &[Range<usize>],
    run: &mut Run,
    path: &Path,
    file: &mut NamedTempFile,
    taken: &[PathBuf],
    write: impl Fn(&Run, &mut NamedTempFile) -> io::Result<()>,
) -> io::Result<Vec<(PathBuf, NamedTempFile)>> {
    let mut further = Vec::new();
    let mut names = (2..).map(|number| numbered(path, number)).filter(|name| !taken.contains(name));
    let mut left = std::mem::take(&mut run.targets);
    let mut done = Vec::with_capacity(left.len());
    let mut written = Ok(());
    for (index, part) in parts.iter().enumerate() {
        let rest = left.split_off(part.len().min(left.len()));
        run.targets = std::mem::replace(&mut left, rest);
        written = written.and_then(|()| {
            if index == 0 {
                return write(run, file);
            }
            let name = names.next().unwrap_or_default();
            let mut file = temporary(&name)?;
            write(run, &mut file)?;
            further.push((name, file));
            Ok(())
        });
        done.append(&mut run.targets);
    }
    done.append(&mut left);
    run.targets = done;
    written?;
    if let Some((last, _)) = further.last() {
        let (path, count) = (path.display(), parts.len());
        terminal::complain(&format!("{path}: goes on to {}, {count} files in all", last.display()));
    }
    if let Some(stale) = names.next().filter(|name| parts.len() > 1 && name.exists()) {
        terminal::complain(&format!("{}: was there before and is no part of this report", stale.display()));
    }
    Ok(further)
}

/// `report.xml` as `report-2.xml`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_before_the_extension() {
        for (path, second) in [("a/b.xml", "a/b-2.xml"), ("b", "b-2"), ("./x.y.xml", "./x.y-2.xml")] {
            assert_eq!(numbered(Path::new(path), 2), Path::new(second));
        }
    }
}
