//! ZIP (PKWARE APPNOTE 6.3.10), by its central directory, with ZIP64. The directory is read by the crate `zip`.
//!
//! A stored entry is a window of the archive; a deflated one is decoded where it is read. Other methods and encrypted
//! entries are parts that say so when they are read. Two entries with one name are refused: readers differ in which one they take.

use std::io::BufReader;
use std::sync::{Arc, OnceLock};

use zip::{CompressionMethod, ZipArchive};

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, Cursor, Failed, Inflate, ParseError, ReadAt, SharedBytes, Window, le, stream_error};

/// What is read of the directory at once.
const DIRECTORY_BUFFER: usize = 64 << 10;
/// Length of a local header before its name.
const LOCAL_HEADER: u64 = 30;

/// The format.
pub(super) struct Zip;

impl ContainerFormat for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(b"PK\x03\x04") || (probe.head.starts_with(b"PK\x05\x06") && probe.len >= 22)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let reader = BufReader::with_capacity(DIRECTORY_BUFFER, Cursor::new(source.clone()));
        let archive = ZipArchive::new(reader).map_err(|error| zip_error(error, source.len()))?;
        let count = archive.len() as u64;
        if count > budget.limits.parts {
            return Err(ParseError::limit(0, "zip entries", count, budget.limits.parts));
        }
        if archive.has_duplicate_names() {
            return Err(ParseError::invalid(0, "entry names", "one name twice", "different names"));
        }
        let mut parts = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|error| zip_error(error, source.len()))?;
            if !entry.is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            let size = entry.size();
            let unreadable = match entry.compression() {
                _ if entry.encrypted() => Some("an encrypted zip entry".to_owned()),
                CompressionMethod::Stored | CompressionMethod::Deflated => None,
                other => Some(format!("the zip method {other:?}")),
            };
            let bytes: SharedBytes = match unreadable {
                Some(feature) => Arc::new(Failed::new(size, ParseError::unsupported(entry.header_start(), feature))),
                None => Arc::new(Entry {
                    archive: source.clone(),
                    header: entry.header_start(),
                    compressed: entry.compressed_size(),
                    size,
                    deflated: entry.compression() == CompressionMethod::Deflated,
                    budget: budget.clone(),
                    data: OnceLock::new(),
                }),
            };
            parts.push(Part { name, bytes });
        }
        Ok(parts)
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("stored.txt", options.compression_method(CompressionMethod::Stored)).unwrap();
        writer.write_all(b"stored").unwrap();
        writer.start_file("dir/deflated.txt", options.compression_method(CompressionMethod::Deflated)).unwrap();
        writer.write_all(&[b'a'; 300]).unwrap();
        writer.finish().unwrap().into_inner()
    }
}

fn zip_error(error: zip::result::ZipError, len: u64) -> ParseError {
    match error {
        zip::result::ZipError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ParseError::truncated(len, 1, len)
        }
        zip::result::ZipError::Io(error) => stream_error(error),
        other => ParseError::invalid(0, "directory", other, "a ZIP central directory"),
    }
}

/// An entry whose local header is read when its data is, so that listing an archive touches its directory alone.
struct Entry {
    archive: SharedBytes,
    header: u64,
    compressed: u64,
    size: u64,
    deflated: bool,
    budget: Arc<Budget>,
    data: OnceLock<Result<SharedBytes, ParseError>>,
}

impl Entry {
    fn locate(&self) -> Result<SharedBytes, ParseError> {
        let mut header = [0; 30];
        self.archive.read_exact_at(self.header, &mut header)?;
        if !header.starts_with(b"PK\x03\x04") {
            let found = format!("{:02x?}", header.first_chunk::<4>());
            return Err(ParseError::invalid(self.header, "local header signature", found, "PK\\x03\\x04"));
        }
        let length = |at| le::u16(&header, at).map_or(0, u64::from);
        let start = self.header + LOCAL_HEADER + length(26) + length(28);
        let stored: SharedBytes = Arc::new(Window::new(self.archive.clone(), start, self.compressed)?);
        if self.deflated {
            return Ok(Arc::new(Inflate::raw(stored, self.size, self.budget.clone())));
        }
        if self.compressed != self.size {
            return Err(ParseError::invalid(
                self.header,
                "compressed size",
                self.compressed,
                "the size of a stored entry",
            ));
        }
        Ok(stored)
    }
}

impl ReadAt for Entry {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        match self.data.get_or_init(|| self.locate()) {
            Ok(data) => data.read_exact_at(offset, buf),
            Err(error) => Err(error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    fn open(bytes: Vec<u8>, limits: Limits) -> Result<Vec<Part>, ParseError> {
        let part = Part { name: "a.zip".to_owned(), bytes: Arc::new(bytes) };
        Zip.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(limits))
    }

    #[test]
    fn a_bomb_stops_at_the_budget_and_a_crowd_at_the_limit() {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("bomb", options).unwrap();
        writer.write_all(&vec![0; 4 << 20]).unwrap();
        writer.start_file("other", options).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let parts = open(bytes.clone(), Limits { decompressed: 1 << 20, ..Limits::default() }).unwrap();
        let error = parts[0].bytes.read_exact_at((4 << 20) - 1, &mut [0]).unwrap_err();
        assert!(error.to_string().contains("decompressed bytes"), "{error}");
        assert!(open(bytes, Limits { parts: 1, ..Limits::default() }).is_err());
    }

    #[test]
    fn two_entries_with_one_name_are_refused() {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in ["a", "b"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        }
        let mut bytes = writer.finish().unwrap().into_inner();
        let names: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] == b'b').collect();
        for at in names {
            bytes[at] = b'a';
        }
        let error = open(bytes, Limits::default()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("one name twice"), "{error}");
    }
}
