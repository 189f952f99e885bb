//! Names of the classes that DEX files define, counted by prefix
//! (<https://source.android.com/docs/core/runtime/dex-format>).
//!
//! | offset | name | meaning |
//! |---|---|---|
//! | 0 | magic | `dex\n`, version, NUL |
//! | 56, 60 | string_ids_size, string_ids_off | 32-bit offsets of strings |
//! | 64, 68 | type_ids_size, type_ids_off | 32-bit indices into string_ids |
//! | 96, 100 | class_defs_size, class_defs_off | 32 bytes each, the first 4 an index into type_ids |
//!
//! A string is its length in UTF-16 units as ULEB128, then modified UTF-8 up to NUL. Only these tables and the names are
//! read, in ascending order of their offsets; a deflated file is decoded piece by piece and not kept.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;

use super::directory::{Directory, Record};
use super::native;
use crate::bytes::{Budget, Limits, ParseError, ReadAt, le, read_vec_at};

const HEADER: u64 = 112;
const CLASS_DEF: u64 = 32;
/// A type index has 16 bits in code, so a file can use no more.
const MAX_TYPES: u64 = 65_536;
/// The largest apps measured have some 40 DEX files.
pub(super) const MAX_FILES: u32 = 128;
/// Bytes of a class name that are looked at: prefixes are short.
const NAME: u64 = 256;
/// Parts of a package name that make a prefix.
const PARTS: usize = 3;
/// Bytes that may be inflated for one package: a hundred files of the usual 8 to 10 MiB.
const MAX_INFLATED: u64 = 1 << 30;
/// Memory for checkpoints while inflating.
const MEMORY: u64 = 8 << 20;

/// Classes of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Dex {
    /// Number of DEX files.
    pub files: u32,
    /// Number of classes that they define.
    pub classes: u64,
    /// Classes by the first three parts of their package, most first.
    pub prefixes: Vec<Prefix>,
    /// Classes of known SDKs, most first.
    pub sdks: Vec<Sdk>,
}

/// Classes with one prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prefix {
    /// `com.example.app`; empty for classes without a package.
    pub prefix: String,
    /// Their number.
    pub classes: u64,
}

/// A known SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sdk {
    /// Name of the product.
    pub name: &'static str,
    /// `ads`, `analytics`, `crash`, `push`, `attribution`, `identity`, `payment`, `store` or `library`.
    pub kind: &'static str,
    /// The package that it lives in.
    pub prefix: &'static str,
    /// Where its maker says so.
    pub source: &'static str,
    /// Number of its classes.
    pub classes: u64,
}

/// Known SDKs: prefix, name, kind, source.
fn known() -> &'static [[&'static str; 4]] {
    static KNOWN: OnceLock<Vec<[&'static str; 4]>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let lines = include_str!("sdk_prefixes.tsv").lines().filter(|line| !line.starts_with('#'));
        let mut known: Vec<[&str; 4]> =
            lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok()).collect();
        known.sort_unstable();
        known
    })
}

#[derive(Default)]
struct Counts {
    dex: Dex,
    prefixes: BTreeMap<String, u64>,
    /// By index into [`known`].
    sdks: BTreeMap<usize, u64>,
}

/// Counts the classes of every DEX file.
pub(super) fn read(directory: &Directory) -> Result<Dex, ParseError> {
    let budget = Budget::new(Limits { decompressed: MAX_INFLATED, memory: MEMORY, ..Limits::default() });
    let mut counts = Counts::default();
    for record in directory.with_prefix(b"classes").filter(|record| native::is_dex(record.name)) {
        counts.dex.files += 1;
        if counts.dex.files > MAX_FILES {
            return Err(ParseError::limit(0, "number of DEX files", counts.dex.files.into(), MAX_FILES.into()));
        }
        let source = directory.open_stream(&record, &budget);
        let result = source.and_then(|source| counts.file(source.as_ref()));
        result.map_err(|error| error.within(String::from_utf8_lossy(record.name)))?;
    }
    Ok(counts.finish())
}

/// Number of classes by a file's header; `None` where that can't be read.
pub(super) fn count(directory: &Directory, record: &Record<'_>) -> Option<u32> {
    let header = directory.entry_start(record, HEADER).ok()?;
    header.starts_with(b"dex\n").then(|| le::u32(&header, 96))?
}

impl Counts {
    fn file(&mut self, source: &dyn ReadAt) -> Result<(), ParseError> {
        let header = read_vec_at(source, 0, HEADER, "bytes of the header", HEADER)?;
        if !header.starts_with(b"dex\n") {
            let found = header.get(..4).unwrap_or_default().escape_ascii();
            return Err(ParseError::invalid(0, "magic", found, "dex\\n"));
        }
        let field = |at| le::u32(&header, at).unwrap_or_default();
        let (strings, strings_at) = (u64::from(field(56)), u64::from(field(60)));
        let types = table(source, field(68), field(64), 4)?;
        let classes = table(source, field(100), field(96), CLASS_DEF)?;
        let mut names = Vec::new();
        for class in classes.as_chunks::<32>().0 {
            let index = le::u32(class, 0).and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
            let string = index.checked_mul(4).and_then(|at| le::u32(&types, at));
            let string = string.filter(|&index| u64::from(index) < strings).ok_or_else(|| {
                ParseError::invalid(field(100).into(), "class_idx", index, "a type whose name is in the file")
            })?;
            names.push(string);
        }
        names.sort_unstable();
        for name in &mut names {
            let mut raw = [0; 4];
            source.read_exact_at(strings_at + u64::from(*name) * 4, &mut raw)?;
            *name = u32::from_le_bytes(raw);
        }
        names.sort_unstable();
        for at in names {
            let at = u64::from(at);
            if at >= source.len() {
                return Err(ParseError::invalid(strings_at, "string_data_off", at, "an offset within the file"));
            }
            let length = NAME.min(source.len() - at);
            let raw = read_vec_at(source, at, length, "bytes of a name", NAME)?;
            if length < NAME && !raw.contains(&0) {
                return Err(ParseError::truncated(at, length + 1, source.len()));
            }
            self.class(&raw);
        }
        Ok(())
    }

    /// `raw` begins with the length, which the terminator makes needless.
    fn class(&mut self, raw: &[u8]) {
        let start = raw.iter().position(|byte| byte & 0x80 == 0).map_or(raw.len(), |last| last + 1);
        let text = raw.get(start..).unwrap_or_default();
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text).replace('/', ".");
        let name = text.strip_prefix('L').unwrap_or(&text).trim_end_matches(';');
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        self.dex.classes += 1;
        let end = package.match_indices('.').nth(PARTS - 1).map_or(package.len(), |(at, _)| at);
        *self.prefixes.entry(package.get(..end).unwrap_or_default().to_owned()).or_default() += 1;
        if let Some(sdk) = sdk(package) {
            *self.sdks.entry(sdk).or_default() += 1;
        }
    }

    fn finish(mut self) -> Dex {
        self.dex.prefixes = self.prefixes.into_iter().map(|(prefix, classes)| Prefix { prefix, classes }).collect();
        // Stable: of equal counts by name.
        self.dex.prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.classes));
        let sdk = |(index, classes): (usize, u64)| {
            let [prefix, name, kind, source] = *known().get(index)?;
            Some(Sdk { name, kind, prefix, source, classes })
        };
        self.dex.sdks = self.sdks.into_iter().filter_map(sdk).collect();
        self.dex.sdks.sort_by_key(|sdk| std::cmp::Reverse(sdk.classes));
        self.dex
    }
}

/// The known SDK with the longest prefix that the package is or lies in.
fn sdk(package: &str) -> Option<usize> {
    let within =
        |prefix: &str| package.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let fitting = known().iter().enumerate().filter(|(_, [prefix, ..])| within(prefix));
    fitting.max_by_key(|(_, [prefix, ..])| prefix.len()).map(|(index, _)| index)
}

fn table(source: &dyn ReadAt, at: u32, count: u32, width: u64) -> Result<Vec<u8>, ParseError> {
    if u64::from(count) > MAX_TYPES {
        return Err(ParseError::limit(at.into(), "number of types or classes", count.into(), MAX_TYPES));
    }
    read_vec_at(source, at.into(), u64::from(count) * width, "bytes of a table", MAX_TYPES * CLASS_DEF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_prefix_has_a_name_a_kind_and_a_source() {
        let lines = include_str!("sdk_prefixes.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(known().len(), lines, "a line has not four columns");
        for [prefix, name, kind, source] in known() {
            assert!(prefix.contains('.') && !name.is_empty() && source.starts_with("https://"), "{prefix}");
            let kinds = ["ads", "analytics", "crash", "push", "attribution", "identity", "payment", "store", "library"];
            assert!(kinds.contains(kind), "{prefix}: {kind}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_part_of_the_name_ends() {
        let found = |package| sdk(package).and_then(|index| known().get(index)).map(|row| row[0]);
        assert_eq!(found("com.google.firebase.analytics"), Some("com.google.firebase.analytics"));
        assert_eq!(found("com.google.firebase.analytics.connector"), Some("com.google.firebase.analytics"));
        assert_eq!(found("com.google.firebase.analyticsx"), None);
    }
}
