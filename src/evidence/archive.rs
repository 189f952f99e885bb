//! The container of a bundle: a ZIP file of which no byte is free to be anything else.
//!
//! Written and read in one form only: entries stored (method 0), sorted by name, unique, named in printable ASCII
//! without `..`; no timestamps (1980-01-01), no extra fields, no comments, no data descriptors, nothing before, between or
//! behind the records (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16). Every unzip reads it. The reader builds the file
//! again from what it found and compares: whatever differs is an error with its place. Nothing is compressed, so nothing
//! can swell.

use std::collections::BTreeMap;

/// Most that a bundle may hold, in bytes: a phone's raw answers and inventory have some 20 MiB.
pub const LIMIT: u64 = 1 << 30;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// 2.0: the oldest that knows folders.
const VERSION: u16 = 20;
/// 1980-01-01 in DOS's form: the least day there is.
const DAY: u16 = 0x21;
const LOCAL_BYTES: usize = 30;
/// Longest name.
const NAME: usize = 200;
/// Entries of an archive without ZIP64.
const ENTRIES: usize = 0xfffe;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why bytes are no such archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes at that place are not what this form has there.
    #[error("byte {at}: {what}")]
    Damaged {
        /// Offset.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// A name that is not allowed.
    #[error("byte {at}: the name {name:?} is not allowed in a bundle: {why}")]
    Name {
        /// Offset of the name.
        at: usize,
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// More than fits.
    #[error("a bundle holds at most {LIMIT} bytes in {ENTRIES} files")]
    TooLarge,
}

fn damaged(at: usize, what: impl Into<String>) -> ArchiveError {
    ArchiveError::Damaged { at, what: what.into() }
}

/// The archive of these files: the same files give the same bytes.
///
/// # Errors
/// A name that is not allowed, or too much.
pub fn write(files: &Files) -> Result<Vec<u8>, ArchiveError> {
    let total: u64 = files.iter().map(|(name, bytes)| (bytes.len() + name.len() * 2 + 128) as u64).sum();
    if total > LIMIT || files.len() > ENTRIES {
        return Err(ArchiveError::TooLarge);
    }
    let mut out = Vec::with_capacity(usize::try_from(total).map_err(|_| ArchiveError::TooLarge)?);
    let mut directory = Vec::new();
    for (name, bytes) in files {
        check_name(name).map_err(|why| ArchiveError::Name { at: out.len(), name: name.clone(), why })?;
        let too_large = |_| ArchiveError::TooLarge;
        let offset = u32::try_from(out.len()).map_err(too_large)?;
        let length = u32::try_from(bytes.len()).map_err(too_large)?;
        let mut common = Vec::new();
        for word in [VERSION, 0, 0, 0, DAY] {
            common.extend(word.to_le_bytes());
        }
        common.extend(crc32fast::hash(bytes).to_le_bytes());
        common.extend(length.to_le_bytes());
        common.extend(length.to_le_bytes());
        common.extend(u16::try_from(name.len()).map_err(too_large)?.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(LOCAL.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // Comment, disk, attributes: none.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let too_large = |_| ArchiveError::TooLarge;
    let (start, length) = (u32::try_from(out.len()), u32::try_from(directory.len()));
    let count = u16::try_from(files.len()).map_err(too_large)?;
    out.extend(directory);
    out.extend(END.to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.map_err(too_large)?.to_le_bytes());
    out.extend(start.map_err(too_large)?.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    Ok(out)
}

/// The files of an archive.
///
/// # Errors
/// The first place at which it is not exactly what [`write()`] makes of its files.
pub fn read(bytes: &[u8]) -> Result<Files, ArchiveError> {
    let mut files = Files::new();
    let mut at = 0;
    while number(bytes, at) == Some(LOCAL) {
        let header = bytes.get(at..at + LOCAL_BYTES).ok_or_else(|| damaged(at, "the entry's header is cut off"))?;
        let short = |from: usize| match header.get(from..from + 2) {
            Some([low, high]) => usize::from(u16::from_le_bytes([*low, *high])),
            _ => 0,
        };
        let length = number(bytes, at + 18).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        let (name_at, name_length) = (at + LOCAL_BYTES, short(26));
        let name = bytes.get(name_at..name_at + name_length).ok_or_else(|| damaged(name_at, "the name is cut off"))?;
        let name = String::from_utf8_lossy(name).into_owned();
        check_name(&name).map_err(|why| ArchiveError::Name { at: name_at, name: name.clone(), why })?;
        if files.keys().next_back().is_some_and(|last| *last >= name) {
            let what = format!("{name} is there twice, or out of order");
            return Err(damaged(name_at, what));
        }
        let content_at = name_at + name_length;
        let end = content_at.checked_add(length).filter(|end| *end <= bytes.len());
        let content = end.and_then(|end| bytes.get(content_at..end));
        let content = content.ok_or_else(|| damaged(content_at, format!("{name} is cut off")))?;
        if number(bytes, at + 14) != Some(crc32fast::hash(content)) {
            return Err(damaged(content_at, format!("{name}: the checksum of its bytes is another")));
        }
        at = content_at + content.len();
        files.insert(name, content.to_vec());
        if files.len() > ENTRIES {
            return Err(ArchiveError::TooLarge);
        }
    }
    if files.is_empty() {
        return Err(damaged(0, "no bundle: it does not begin with an entry of a ZIP file"));
    }
    let again = write(&files)?;
    let differs = again.iter().zip(bytes).position(|(expected, found)| expected != found);
    match differs.or((again.len() != bytes.len()).then(|| again.len().min(bytes.len()))) {
        Some(at) => Err(damaged(at, format!("not what a bundle of these files has there{}", entry_at(&files, at)))),
        None => Ok(files),
    }
}

/// The entry whose header or bytes lie at that place.
fn entry_at(files: &Files, at: usize) -> String {
    let mut start = 0;
    for (name, bytes) in files {
        let end = start + LOCAL_BYTES + name.len() + bytes.len();
        if (start..end).contains(&at) {
            return format!(" (entry {name})");
        }
        start = end;
    }
    " (directory)".to_owned()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// A relative path of plain characters that leads nowhere else.
fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | '/');
    if name.is_empty() || name.len() > NAME {
        return Err("empty or too long");
    }
    if !name.chars().all(plain) {
        return Err("characters other than a-z, 0-9, `.`, `-`, `_` and `/`");
    }
    match name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        true => Err("a part that is empty or begins with a dot"),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), format!("content of {name}").into_bytes())).collect()
    }

    #[test]
    fn files_come_back_and_every_changed_missing_or_added_byte_is_an_error() {
        let files = files(&["a.json", "b/c.txt", "b/d"]);
        let bytes = write(&files).unwrap();
        assert_eq!(read(&bytes).unwrap(), files);
        for at in 0..bytes.len() {
            for flip in [1, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                // A changed name may be another archive, but never the same.
                assert_ne!(read(&changed).ok(), Some(files.clone()), "byte {at}");
            }
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[&bytes[..], b"\n"].concat()).is_err());
        assert!(read(&[b"x", &bytes[..]].concat()).is_err());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../a", "/a", "a//b", "a/../b", ".a", "A", "a b", "ä", "a\\b", ""] {
            let files = Files::from([(name.to_owned(), Vec::new())]);
            assert!(matches!(write(&files), Err(ArchiveError::Name { .. })), "{name}");
        }
        let mut bytes = write(&files(&["aa/a"])).unwrap();
        bytes[LOCAL_BYTES..LOCAL_BYTES + 4].copy_from_slice(b"../a");
        assert!(matches!(read(&bytes), Err(ArchiveError::Name { .. })));
    }

    #[test]
    fn duplicates_and_compressed_entries_are_refused() {
        let mut bytes = write(&files(&["a", "b"])).unwrap();
        let second = LOCAL_BYTES + 1 + "content of a".len();
        bytes[second + LOCAL_BYTES] = b'a';
        assert!(read(&bytes).unwrap_err().to_string().contains("a is there twice"));
        let mut deflated = write(&files(&["a"])).unwrap();
        deflated[8] = 8;
        assert_eq!(
            read(&deflated).unwrap_err().to_string(),
            "byte 8: not what a bundle of these files has there (entry a)"
        );
    }

    #[test]
    fn a_length_beyond_the_file_allocates_nothing() {
        let mut bytes = write(&files(&["a"])).unwrap();
        bytes[18..22].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(&bytes).unwrap_err().to_string().contains("a is cut off"));
    }
}
