//! Results as lines of JSON, each on the disk before anybody sees it.
//!
//! A line is written with its line feed in one call and synced. A power cut may leave the beginning of one line, which was
//! never shown: [`read`] leaves it out, and the next writer begins on a line of its own.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value;

/// An open journal. No other process writes to it meanwhile.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens a journal to append to it, or makes one.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::WouldBlock`] where another process has it open.
    pub fn open(path: &Path) -> io::Result<Self> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process writes to this journal"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if is_new {
            sync_folder(path)?;
        }
        if ends_within_a_line(&mut file)? {
            file.write_all(b"\n")?;
            file.sync_data()?;
        }
        Ok(Self { file })
    }

    /// Appends an entry. When this returns, it is on the disk.
    ///
    /// # Errors
    /// What the system says: then the entry may not be shown as kept.
    pub fn append(&mut self, entry: &Value) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

/// A new file's name is on the disk only when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// The entries of a journal, in their order, and the number of lines that are none: what a power cut left.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<(Vec<Value>, usize)> {
    let text = fs::read(path)?;
    let mut entries = Vec::new();
    let mut broken = 0;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(_) => broken += 1,
        }
    }
    Ok((entries, broken))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_appended_is_read_and_a_cut_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&json!({"n": 1})).unwrap();
        journal.append(&json!({"n": "a\nb"})).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            journal.append(&json!({"n": 3})).unwrap();
            drop(journal);
            let (entries, broken) = read(&path).unwrap();
            assert_eq!(entries.last(), Some(&json!({"n": 3})), "cut at {cut}");
            assert!(broken <= 1 && entries.len() <= 3);
        }
    }

    #[test]
    fn two_processes_do_not_write_one_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let _first = Journal::open(&path).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
