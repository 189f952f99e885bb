//! Results as lines of JSON, each on the disk before anybody sees it, and each bound to all before it.
//!
//! A line is written with its line feed in one call and synced. A power cut may leave the beginning of one line, which was
//! never shown: [`read`] leaves it out, and the next writer begins on a line of its own.
//!
//! Every entry has its `number` (of the line, from 1) and `previous`, the SHA-256 of the line before without its line feed
//! (of nothing for the first). Whoever changes, removes or adds a line breaks the chain at the next one: [`verify`] says
//! where. What was cut off at the end breaks nothing; only a digest that was noted elsewhere shows that it is gone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longest line that is read, in bytes: a report of a phone with its inventory has a few MiB.
const LONGEST: u64 = 256 << 20;

/// Faults that are told one by one.
const TOLD: usize = 20;

/// An open journal. No other process writes to it meanwhile.
#[derive(Debug)]
pub struct Journal {
    file: File,
    lines: u64,
    head: String,
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
        file.seek(SeekFrom::Start(0))?;
        let mut lines = 0;
        let mut head = digest(b"");
        let mut reader = BufReader::new(&file);
        while let Some(line) = next_digest(&mut reader)? {
            lines += 1;
            head = line;
        }
        Ok(Self { file, lines, head })
    }

    /// Appends an entry, which is an object; it gets its number and the digest of the line before. When this returns, it is
    /// on the disk.
    ///
    /// # Errors
    /// What the system says: then the entry may not be shown as kept.
    pub fn append(&mut self, entry: &Value) -> io::Result<()> {
        let mut entry = entry.clone();
        if let Value::Object(fields) = &mut entry {
            fields.insert("number".to_owned(), (self.lines + 1).into());
            fields.insert("previous".to_owned(), self.head.as_str().into());
        }
        let mut line = serde_json::to_vec(&entry)?;
        let head = digest(&line);
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.lines += 1;
        self.head = head;
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of the next line; `None` at the end.
fn next_digest(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut hash = Sha256::new();
    let mut any = false;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(any.then(|| hex(&hash.finalize())));
        }
        any = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, used) = match end {
            Some(at) => (bytes.get(..at).unwrap_or_default(), at + 1),
            None => (bytes, bytes.len()),
        };
        hash.update(line);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(hex(&hash.finalize())));
        }
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

/// What the chain of a journal comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Entries that are bound to the line before them.
    pub entries: u64,
    /// Lines that are no JSON: beginnings of entries that a power cut left, or spoiled ones.
    pub cut: Vec<u64>,
    /// SHA-256 of the last line: to be noted elsewhere. `None` for an empty journal.
    pub head: Option<String>,
    /// What is wrong, by line, from 1: the first so many.
    pub wrong: Vec<(u64, String)>,
    /// The line whose digest was looked for, if it is there.
    pub found: Option<u64>,
}

/// Checks the chain of a journal; `noted` is the digest of a line that must be in it.
///
/// # Errors
/// What the system says, and a line of more than 256 MiB.
pub fn verify(path: &Path, noted: Option<&str>) -> io::Result<Chain> {
    /// What binds an entry.
    #[derive(Deserialize)]
    struct Bound {
        number: Option<u64>,
        previous: Option<String>,
    }

    let mut chain = Chain { entries: 0, cut: Vec::new(), head: None, wrong: Vec::new(), found: None };
    let mut reader = BufReader::new(File::open(path)?);
    let mut before = digest(b"");
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        (&mut reader).take(LONGEST + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(chain);
        }
        number += 1;
        if line.len() as u64 > LONGEST {
            let words = format!("line {number} has more than {LONGEST} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        let own = digest(&line);
        match serde_json::from_slice::<Bound>(&line) {
            Ok(bound) if whole => match fault(bound.number, bound.previous.as_deref(), number, &before) {
                None => chain.entries += 1,
                Some(words) if chain.wrong.len() < TOLD => chain.wrong.push((number, words)),
                Some(_) => {}
            },
            _ => chain.cut.push(number),
        }
        if noted.is_some_and(|noted| noted.eq_ignore_ascii_case(&own)) {
            chain.found = Some(number);
        }
        chain.head = Some(own.clone());
        before = own;
    }
}

fn fault(number: Option<u64>, previous: Option<&str>, line: u64, before: &str) -> Option<String> {
    match (number, previous) {
        (Some(number), _) if number != line => {
            Some(format!("calls itself number {number}: lines before it came or went"))
        }
        (Some(_), Some(previous)) if previous == before => None,
        (Some(_), Some(_)) => Some("the line before it is not the one that it was written behind".to_owned()),
        _ => Some("is not bound to the line before it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn journal(folder: &tempfile::TempDir, entries: u64) -> std::path::PathBuf {
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        for n in 0..entries {
            journal.append(&json!({"n": n, "text": "a\nb"})).unwrap();
        }
        path
    }

    #[test]
    fn what_was_appended_is_read_and_a_cut_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(&folder, 2);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            journal.append(&json!({"n": 3})).unwrap();
            drop(journal);
            let (entries, broken) = read(&path).unwrap();
            assert_eq!(entries.last().unwrap()["n"], json!(3), "cut at {cut}");
            assert!(broken <= 1 && entries.len() <= 3);
            let chain = verify(&path, None).unwrap();
            assert_eq!((chain.wrong.as_slice(), chain.cut.len()), ([].as_slice(), broken), "cut at {cut}");
        }
    }

    #[test]
    fn two_processes_do_not_write_one_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let _first = Journal::open(&path).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_line_that_was_changed_removed_or_added_breaks_the_chain_at_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(&folder, 4);
        assert_eq!(verify(&path, None).unwrap().entries, 4);
        let lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        let wrong = |lines: &[String]| {
            fs::write(&path, lines.join("\n") + "\n").unwrap();
            let chain = verify(&path, None).unwrap();
            chain.wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>()
        };
        let mut changed = lines.clone();
        changed[1] = changed[1].replace("\"n\":1", "\"n\":7");
        assert_eq!(wrong(&changed), [3]);
        let removed = [&lines[..1], &lines[2..]].concat();
        assert_eq!(wrong(&removed), [2, 3]);
        let twice = [&lines[..2], &lines[1..]].concat();
        assert_eq!(wrong(&twice), [3, 4, 5]);
        let unbound = [&lines[..], &["{\"n\": 9}".to_owned()]].concat();
        assert_eq!(wrong(&unbound), [5]);
        assert_eq!(wrong(&lines), [0_u64; 0]);
    }

    #[test]
    fn every_changed_byte_of_a_line_that_another_follows_is_caught() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(&folder, 3);
        let whole = fs::read(&path).unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        for at in 0..last {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            assert!(!verify(&path, None).unwrap().wrong.is_empty(), "byte {at}");
        }
    }

    #[test]
    fn an_end_that_was_cut_off_shows_by_a_digest_that_was_noted() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(&folder, 3);
        let head = verify(&path, None).unwrap().head.unwrap();
        assert_eq!(verify(&path, Some(&head)).unwrap().found, Some(3));
        let lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        fs::write(&path, lines[..2].join("\n") + "\n").unwrap();
        let chain = verify(&path, Some(&head)).unwrap();
        assert_eq!((chain.wrong.len(), chain.found), (0, None));
    }
}
