//! The ZIP directory of a package file, read as Android's `libziparchive` reads it.
//!
//! | record | signature | read here |
//! |---|---|---|
//! | end of central directory | `PK\5\6` | found backwards in the last 65,557 bytes; its comment must end with the file |
//! | ZIP64 locator and end | `PK\6\7`, `PK\6\6` | where a field of the end record is all ones |
//! | central directory | `PK\1\2` | exactly as many records as the end record says; what follows them is ignored |
//! | local header | `PK\3\4` | see [`super::entry`] |
//!
//! As Android, this refuses the whole file for: two entries of one name, a name that holds NUL or is not UTF-8, a record
//! that points behind the directory, anything before the first local header, anything after the comment. Flags
//! (encryption too), versions and checksums are not looked at.

use crate::bytes::{ParseError, ReadAt, SharedBytes, le, read_at, read_vec_at};

/// Bytes of the end record without its comment.
const END: u64 = 22;
/// Android looks no further back: the end record and the longest comment.
const END_SEARCH: u64 = END + 65_535;
/// Read first; nearly every file ends without a comment.
const END_FIRST_READ: u64 = 512;
const RECORD: usize = 46;
/// A directory of 65,535 entries with names of 200 bytes has 16 MiB; the largest measured has 0.5 MiB.
const MAX_DIRECTORY: u64 = 32 << 20;
/// "See the ZIP64 field".
const IN_ZIP64: u32 = u32::MAX;

/// The directory of one file.
pub(super) struct Directory {
    /// The package file.
    pub(super) source: SharedBytes,
    /// Offset of the first central record.
    pub(super) start: u64,
    /// Offset of the end record.
    pub(super) end: u64,
    raw: Vec<u8>,
    /// Offsets of the records in `raw`, by name.
    by_name: Vec<u32>,
}

/// A central record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    /// `file name`; structurally UTF-8.
    pub(super) name: &'a [u8],
    /// `compression method`.
    pub(super) method: u16,
    /// `compressed size`.
    pub(super) compressed: u64,
    /// `uncompressed size`.
    pub(super) uncompressed: u64,
    /// `relative offset of local header`.
    pub(super) local_header: u64,
    /// `crc-32`; only compared with the local header's.
    pub(super) crc: u32,
}

impl Directory {
    /// Reads the end and the directory.
    pub(super) fn open(source: &SharedBytes) -> Result<Self, ParseError> {
        let end = find_end(source.as_ref()).map_err(|error| error.within("ZIP end record"))?;
        let raw = read_vec_at(source.as_ref(), end.start, end.size, "bytes of the directory", MAX_DIRECTORY)
            .map_err(|error| error.within("ZIP directory"))?;
        let directory = Self::index(source, &end, raw);
        let directory = directory.map_err(|error| error.within("ZIP directory"))?;
        let mut first = [0_u8; 4];
        source.read_exact_at(0, &mut first)?;
        if first != *b"PK\x03\x04" {
            return Err(ParseError::invalid(0, "first signature", first.escape_ascii(), "PK\\x03\\x04"));
        }
        Ok(directory)
    }

    fn index(source: &SharedBytes, end: &End, raw: Vec<u8>) -> Result<Self, ParseError> {
        let (start, records) = (end.start, end.records);
        let most = raw.len() / RECORD;
        let mut by_name = Vec::with_capacity(usize::try_from(records).unwrap_or(most).min(most));
        let mut at = 0_usize;
        for _ in 0..records {
            let (record, next) = parse_record(&raw, at).map_err(|mut error| {
                error.offset += start;
                error
            })?;
            let offset = start + at as u64;
            if record.local_header >= start {
                let expected = "an offset before the directory";
                return Err(ParseError::invalid(offset, "local header offset", record.local_header, expected));
            }
            if !is_valid_name(record.name) {
                let found = format!("'{}'", record.name.escape_ascii());
                return Err(ParseError::invalid(offset, "file name", found, "UTF-8 without NUL"));
            }
            by_name.push(
                u32::try_from(at)
                    .map_err(|_| ParseError::limit(offset, "bytes of the directory", at as u64, MAX_DIRECTORY))?,
            );
            at = next;
        }
        let name = |at: &u32| record_name(&raw, *at);
        by_name.sort_by(|a, b| name(a).cmp(name(b)));
        if let Some([double, _]) = by_name.array_windows().find(|[a, b]| name(a) == name(b)) {
            let found = format!("'{}' twice", name(double).escape_ascii());
            return Err(ParseError::invalid(start + u64::from(*double), "file name", found, "each name once"));
        }
        Ok(Self { source: source.clone(), start, end: end.at, raw, by_name })
    }

    /// Bytes of the directory.
    pub(super) fn size(&self) -> u64 {
        self.raw.len() as u64
    }

    /// The record of `name`.
    pub(super) fn find(&self, name: &[u8]) -> Option<Record<'_>> {
        let index = self.by_name.binary_search_by(|at| record_name(&self.raw, *at).cmp(name)).ok()?;
        self.record(*self.by_name.get(index)?)
    }

    /// Records whose names begin with `prefix`, by name.
    pub(super) fn with_prefix(&self, prefix: &'static [u8]) -> impl Iterator<Item = Record<'_>> {
        let first = self.by_name.partition_point(|at| record_name(&self.raw, *at) < prefix);
        let rest = self.by_name.get(first..).unwrap_or_default().iter();
        rest.filter_map(|at| self.record(*at)).take_while(move |record| record.name.starts_with(prefix))
    }

    fn record(&self, at: u32) -> Option<Record<'_>> {
        parse_record(&self.raw, usize::try_from(at).ok()?).ok().map(|(record, _)| record)
    }
}

struct End {
    at: u64,
    start: u64,
    size: u64,
    records: u64,
}

fn find_end(source: &dyn ReadAt) -> Result<End, ParseError> {
    let length = source.len();
    for tail in [END_FIRST_READ, END_SEARCH] {
        let start = length.saturating_sub(tail);
        let raw = read_at(source, start, length - start, "bytes at the end", END_SEARCH)?;
        let Some(room) = raw.len().checked_sub(22) else { break };
        let found = (0..=room).rev().find(|&at| raw.get(at..).is_some_and(|rest| rest.starts_with(b"PK\x05\x06")));
        if let Some(record) = found.and_then(|at| raw.get(at..).map(|rest| (start + at as u64, rest))) {
            return parse_end(source, record.0, record.1);
        }
    }
    Err(ParseError::invalid(length.saturating_sub(END), "signature", "absent", "PK\\x05\\x06 in the last 65,557 bytes"))
}

fn parse_end(source: &dyn ReadAt, at: u64, raw: &[u8]) -> Result<End, ParseError> {
    let fields =
        || Some((le::u16(raw, 8)?, le::u16(raw, 10)?, le::u32(raw, 12)?, le::u32(raw, 16)?, le::u16(raw, 20)?));
    let Some((on_disk, records, size, start, comment)) = fields() else {
        return Err(ParseError::truncated(at, END, source.len()));
    };
    if at + END + u64::from(comment) != source.len() {
        return Err(ParseError::invalid(at + 20, "comment length", comment, "the rest of the file"));
    }
    let zip64 = on_disk == u16::MAX || records == u16::MAX || size == IN_ZIP64 || start == IN_ZIP64;
    let end = if zip64 {
        parse_end64(source, at)?
    } else {
        if u64::from(start) + u64::from(size) > at {
            return Err(ParseError::invalid(at + 16, "directory offset", start, "a directory before the end record"));
        }
        End { at, start: start.into(), size: size.into(), records: records.into() }
    };
    if end.records == 0 {
        return Err(ParseError::invalid(at + 10, "number of entries", 0, "at least 1"));
    }
    Ok(end)
}

fn parse_end64(source: &dyn ReadAt, end: u64) -> Result<End, ParseError> {
    let locator_at = end.checked_sub(20).ok_or_else(|| ParseError::truncated(0, 20, end))?;
    let locator = read_at(source, locator_at, 20, "bytes of the ZIP64 locator", 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Err(ParseError::invalid(locator_at, "ZIP64 locator signature", "another", "PK\\x06\\x07"));
    }
    let at = le::u64(&locator, 8).unwrap_or_default();
    if at.checked_add(56).is_none_or(|behind| behind > locator_at) {
        return Err(ParseError::invalid(locator_at + 8, "ZIP64 end offset", at, "a record before its locator"));
    }
    let raw = read_at(source, at, 56, "bytes of the ZIP64 end record", 56)?;
    if !raw.starts_with(b"PK\x06\x06") {
        return Err(ParseError::invalid(at, "ZIP64 end signature", "another", "PK\\x06\\x06"));
    }
    let (Some(records), Some(size), Some(start)) = (le::u64(&raw, 32), le::u64(&raw, 40), le::u64(&raw, 48)) else {
        return Err(ParseError::truncated(at, 56, source.len()));
    };
    if start.checked_add(size).is_none_or(|behind| behind > at) {
        return Err(ParseError::invalid(at + 48, "directory offset", start, "a directory before the end record"));
    }
    Ok(End { at: end, start, size, records })
}

/// The record at `at`, and where the next begins; offsets of errors are relative to the directory.
fn parse_record(raw: &[u8], at: usize) -> Result<(Record<'_>, usize), ParseError> {
    let short = |wanted: usize| ParseError::truncated(at as u64, wanted as u64, raw.len() as u64);
    let fixed = raw.get(at..).and_then(|rest| rest.get(..RECORD)).ok_or_else(|| short(RECORD))?;
    if !fixed.starts_with(b"PK\x01\x02") {
        return Err(ParseError::invalid(at as u64, "record signature", "another", "PK\\x01\\x02"));
    }
    let short_field = |at| le::u16(fixed, at).unwrap_or_default();
    let long_field = |at| le::u32(fixed, at).unwrap_or_default();
    let name_end = RECORD + usize::from(short_field(28));
    let extra_end = name_end + usize::from(short_field(30));
    let length = extra_end + usize::from(short_field(32));
    let whole = raw.get(at..).and_then(|rest| rest.get(..length)).ok_or_else(|| short(length))?;
    let mut record = Record {
        name: whole.get(RECORD..name_end).unwrap_or_default(),
        method: short_field(10),
        crc: long_field(16),
        compressed: long_field(20).into(),
        uncompressed: long_field(24).into(),
        local_header: long_field(42).into(),
    };
    let marked = [record.uncompressed, record.compressed, record.local_header].map(|size| size == u64::from(IN_ZIP64));
    if marked.contains(&true) {
        let extra = whole.get(name_end..extra_end).unwrap_or_default();
        let [uncompressed, compressed, local_header] = zip64_fields(extra, marked).ok_or_else(|| {
            ParseError::invalid(
                (at + name_end) as u64,
                "ZIP64 extra field",
                "absent or short",
                "a size for each field of all ones",
            )
        })?;
        record.uncompressed = uncompressed.unwrap_or(record.uncompressed);
        record.compressed = compressed.unwrap_or(record.compressed);
        record.local_header = local_header.unwrap_or(record.local_header);
    }
    Ok((record, at + length))
}

/// Uncompressed size, compressed size and local header offset of a ZIP64 extra field: those that are `marked`, or all
/// three where it has room for all.
pub(super) fn zip64_fields(mut extra: &[u8], marked: [bool; 3]) -> Option<[Option<u64>; 3]> {
    loop {
        let (id, size) = (le::u16(extra, 0)?, usize::from(le::u16(extra, 2)?));
        let body = extra.get(4..)?.get(..size)?;
        if id == 1 {
            let complete = matches!(size, 24 | 28);
            let mut at = 0;
            let mut fields = [None; 3];
            for (field, marked) in fields.iter_mut().zip(marked) {
                if marked || complete {
                    *field = Some(le::u64(body, at)?);
                    at += 8;
                }
            }
            return Some(fields);
        }
        extra = extra.get(4 + size..)?;
    }
}

fn record_name(raw: &[u8], at: u32) -> &[u8] {
    let record = usize::try_from(at).ok().and_then(|at| raw.get(at..)).unwrap_or_default();
    let length = usize::from(le::u16(record, 28).unwrap_or_default());
    record.get(RECORD..RECORD + length).unwrap_or_default()
}

/// Android's `IsValidEntryName`: lead and continuation bytes must fit, lengths up to six; no NUL.
fn is_valid_name(name: &[u8]) -> bool {
    if name.is_ascii() {
        return !name.contains(&0);
    }
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        let follow = match byte.leading_ones() {
            0 if byte != 0 => 0,
            ones @ 2..=6 => ones - 1,
            _ => return false,
        };
        for _ in 0..follow {
            if bytes.next().is_none_or(|byte| byte & 0xc0 != 0x80) {
                return false;
            }
        }
    }
    true
}
