//! Values of `resources.arsc` by id (`ResTable_*`, AOSP `ResourceTypes.h` and `LoadedArsc.cpp`), read where they lie.
//!
//! | chunk | type | fields behind type, header size and size |
//! |---|---|---|
//! | table | 0x0002 | packageCount 4 |
//! | string pool | 0x0001 | the first of the table holds the values |
//! | package | 0x0200 | id 4, name 256, ... |
//! | type | 0x0201 | id 1, flags 1, 0, entryCount 4, entriesStart 4, configuration (its size first), then offsets |
//!
//! Opening reads the headers of chunks; a look-up reads the offset and the entry in each configuration of one type, and
//! the one string. Offsets of entries are 32-bit, 16-bit in units of 4 (flag 2), or sorted pairs of index and offset
//! (flag 1); an entry is a key with a value, or both in 8 bytes (flag 8). Maps (flag 1: styles, plurals, arrays) have no
//! single value; arrays are read as lists of texts. Overlays of other packages are not applied.

use std::cell::Cell;

use super::chunk::{self, Chunk, u16_at, u32_at};
use super::strings::StringPool;
use super::value::{Raw, Value};
use crate::bytes::{ParseError, ReadAt, SharedBytes, le, read_vec_at};

const TABLE: u16 = 0x0002;
const PACKAGE: u16 = 0x0200;
const TYPE: u16 = 0x0201;
const PACKAGE_HEADER: u64 = 284;
const TYPE_HEADER: u64 = 24;
/// Bytes of a pair in a map.
const MAP_ENTRY: u64 = 12;
/// Android follows as many.
const MAX_REFERENCES: u32 = 20;
/// Types in all configurations. Android's own table, the largest there is, has 5,000 in 30 MB.
const MAX_TYPES: usize = 1 << 17;
/// Configurations that look-ups into one table may inspect: a manifest could refer to a type of many configurations from
/// each of its elements. A real one asks some hundred times for types in some hundred configurations.
const MAX_INSPECTED: u64 = 1 << 21;
/// Bytes of a configuration that mean something today; more is read as zero.
const MAX_CONFIG: u64 = 64;

/// What a value is wanted for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Config {
    /// Language as two letters; `None` for the default values.
    pub(super) language: Option<[u8; 2]>,
}

/// An opened table.
pub(super) struct Resources {
    source: SharedBytes,
    strings: Option<StringPool>,
    /// By package and id, else in the order of the file.
    types: Vec<Type>,
    inspected: Cell<u64>,
    /// Id of the first package: what package 0 of a dynamic reference stands for.
    own_package: u8,
}

#[derive(Debug, Clone, Copy)]
struct Type {
    package: u8,
    id: u8,
    start: u64,
    end: u64,
}

/// What stands for a resource in one configuration.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Value(Raw),
    /// Pairs of a name (4 bytes) and a value (8).
    Map {
        at: u64,
        count: u32,
    },
}

impl Resources {
    /// Reads the headers of all chunks.
    pub(super) fn open(source: SharedBytes) -> Result<Self, ParseError> {
        let table = Chunk::read(source.as_ref(), 0, source.len(), 12)?;
        if table.kind != TABLE {
            return Err(ParseError::invalid(0, "type", table.kind, "2"));
        }
        let mut resources = Self { source, strings: None, types: Vec::new(), inspected: Cell::new(0), own_package: 0 };
        let mut packages = 0_u64;
        let mut at = table.body;
        while at < table.end {
            let part = Chunk::read(resources.source.as_ref(), at, table.end, 8)?;
            match part.kind {
                chunk::STRING_POOL if resources.strings.is_none() => {
                    let pool = StringPool::open(resources.source.as_ref(), &part);
                    resources.strings = Some(pool.map_err(|error| error.within("string pool"))?);
                }
                PACKAGE => {
                    resources
                        .package(&part, packages == 0)
                        .map_err(|error| error.within(format!("package {packages}")))?;
                    packages += 1;
                }
                _ => {}
            }
            at = part.end;
        }
        resources.types.sort_by_key(|part| (part.package, part.id));
        Ok(resources)
    }

    fn package(&mut self, package: &Chunk, first: bool) -> Result<(), ParseError> {
        if package.body - package.start < PACKAGE_HEADER {
            let found = package.body - package.start;
            return Err(ParseError::invalid(package.start + 2, "headerSize", found, "at least 284"));
        }
        let id = u32_at(self.source.as_ref(), package.start + 8)?;
        let id = u8::try_from(id).map_err(|_| ParseError::invalid(package.start + 8, "id", id, "at most 255"))?;
        if first {
            self.own_package = id;
        }
        let mut at = package.body;
        while at < package.end {
            let part = Chunk::read(self.source.as_ref(), at, package.end, 8)?;
            if part.kind == TYPE {
                let mut raw = [0_u8; 1];
                self.source.read_exact_at(part.start + 8, &mut raw)?;
                if part.body - part.start < TYPE_HEADER {
                    let found = part.body - part.start;
                    return Err(ParseError::invalid(part.start + 2, "headerSize", found, "at least 24"));
                }
                if self.types.len() >= MAX_TYPES {
                    return Err(ParseError::limit(
                        part.start,
                        "number of types",
                        MAX_TYPES as u64 + 1,
                        MAX_TYPES as u64,
                    ));
                }
                self.types.push(Type { package: id, id: raw[0], start: part.start, end: part.end });
            }
            at = part.end;
        }
        Ok(())
    }

    /// The value of resource `id`, references followed; `None` where the table has none, or one that is no single value.
    pub(super) fn value(&self, id: u32, config: Config) -> Result<Option<Value>, ParseError> {
        let mut id = id;
        for _ in 0..MAX_REFERENCES {
            let Some(raw) = self.raw(id, config).map_err(|error| error.within(format!("resource 0x{id:08x}")))? else {
                return Ok(None);
            };
            if let Some(next) = raw.reference() {
                id = next;
                continue;
            }
            return Ok(match (raw.string(), &self.strings) {
                (Some(index), Some(pool)) => {
                    pool.get(self.source.as_ref(), index).map_err(|error| error.within("string pool"))?.map(Value::Text)
                }
                (Some(_), None) => None,
                _ => Some(raw).filter(|raw| !raw.is_null()).map(Value::Plain),
            });
        }
        Ok(None)
    }

    /// The texts of an array, in its order; empty where `id` is none. References within it are not followed.
    pub(super) fn texts(&self, id: u32) -> Result<Vec<String>, ParseError> {
        let read = || {
            let map = |entry| if let Entry::Map { at, count } = entry { Some((at, count)) } else { None };
            let Some((at, count)) = self.best(id, Config::default(), map)? else { return Ok(Vec::new()) };
            let mut texts = Vec::new();
            for number in 0..u64::from(count) {
                let value = at + number * MAP_ENTRY + 4;
                let kind = u32_at(self.source.as_ref(), value)?.to_le_bytes()[3];
                let raw = Raw { kind, data: u32_at(self.source.as_ref(), value + 4)? };
                if let (Some(index), Some(pool)) = (raw.string(), &self.strings) {
                    let text = pool.get(self.source.as_ref(), index).map_err(|error| error.within("string pool"))?;
                    texts.extend(text);
                }
            }
            Ok(texts)
        };
        read().map_err(|error: ParseError| error.within(format!("resource 0x{id:08x}")))
    }

    fn raw(&self, id: u32, config: Config) -> Result<Option<Raw>, ParseError> {
        self.best(id, config, |entry| if let Entry::Value(raw) = entry { Some(raw) } else { None })
    }

    /// What fits best of the entries that `pick` wants.
    fn best<T: Copy>(
        &self,
        id: u32,
        config: Config,
        pick: impl Fn(Entry) -> Option<T>,
    ) -> Result<Option<T>, ParseError> {
        let [package, kind, ..] = id.to_be_bytes();
        let index = id & 0xffff;
        let package = if package == 0 { self.own_package } else { package };
        let mut best: Option<(u32, T)> = None;
        let first = self.types.partition_point(|part| (part.package, part.id) < (package, kind));
        let candidates = self.types.get(first..).unwrap_or_default().iter();
        for part in candidates.take_while(|part| (part.package, part.id) == (package, kind)) {
            let inspected = self.inspected.get() + 1;
            if inspected > MAX_INSPECTED {
                return Err(ParseError::limit(part.start, "inspected configurations", inspected, MAX_INSPECTED));
            }
            self.inspected.set(inspected);
            let Some(rank) = self.rank(part, config)? else { continue };
            if best.is_some_and(|(other, _)| other >= rank) {
                continue;
            }
            if let Some(found) = self.entry(part, index)?.and_then(&pick) {
                best = Some((rank, found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }

    /// How well a type's configuration fits; `None` where it is for another device: a car, a screen, an operator.
    ///
    /// With a language, its own value comes first (in no country or the language's own), then the default. Without one,
    /// the default comes first, then English, then any. Of equals the highest platform version wins, as on a device that
    /// is newer than all of them.
    fn rank(&self, part: &Type, config: Config) -> Result<Option<u32>, ParseError> {
        let at = part.start + 20;
        let size = u64::from(u32_at(self.source.as_ref(), at)?).min(MAX_CONFIG).min(part.end - at);
        let mut raw = read_vec_at(self.source.as_ref(), at, size, "bytes of a configuration", MAX_CONFIG)?;
        let version = u32::from(le::u16(&raw, 24).unwrap_or_default());
        let language = [raw.get(8).copied().unwrap_or_default(), raw.get(9).copied().unwrap_or_default()];
        let region = le::u16(&raw, 10).unwrap_or_default();
        // Size, locale, version, the locale's script and variant: all else must say "any".
        for range in [0..4, 8..12, 24..28, 36..48] {
            let end = range.end.min(raw.len());
            raw.get_mut(range.start..end).unwrap_or_default().fill(0);
        }
        if raw.iter().any(|&byte| byte != 0) {
            return Ok(None);
        }
        let region_name = region.to_le_bytes();
        let pseudo = matches!(&region_name, b"XA" | b"XB");
        let locale = match (language, config.language) {
            ([0, 0], _) => 4,
            (language, Some(wanted)) => {
                // Another country's wording is not what a device of the language's own country shows.
                let own = if wanted == *b"en" { *b"US" } else { wanted.map(|letter| letter.to_ascii_uppercase()) };
                if language != wanted || (region != 0 && region_name != own) {
                    return Ok(None);
                }
                5
            }
            // Made by tools to test layouts.
            (_, None) if pseudo => 1,
            (language, None) if language == *b"en" => 3,
            _ => 2,
        };
        Ok(Some(locale << 17 | u32::from(region == 0) << 16 | version))
    }

    fn entry(&self, part: &Type, index: u32) -> Result<Option<Entry>, ParseError> {
        let source = self.source.as_ref();
        let body = part.start + u64::from(u16_at(source, part.start + 2)?);
        let [_, flags] = u16_at(source, part.start + 8)?.to_le_bytes();
        let count = u32_at(source, part.start + 12)?;
        let entries = u64::from(u32_at(source, part.start + 16)?);
        let (sparse, short) = (flags & 1 != 0, flags & 2 != 0);
        let width = if short && !sparse { 2 } else { 4 };
        if u64::from(count) * width > part.end.saturating_sub(body) {
            return Err(ParseError::invalid(
                part.start + 12,
                "entryCount",
                count,
                "no more than the type has room for",
            ));
        }
        let offset = if sparse {
            self.sparse_offset(body, count, index)?
        } else if index >= count {
            None
        } else if short {
            Some(u16_at(source, body + u64::from(index) * 2)?).filter(|&at| at != u16::MAX).map(|at| u64::from(at) * 4)
        } else {
            Some(u32_at(source, body + u64::from(index) * 4)?).filter(|&at| at != u32::MAX).map(u64::from)
        };
        let Some(offset) = offset else { return Ok(None) };
        let at = part.start + entries + offset;
        if at + 8 > part.end {
            return Err(ParseError::truncated(at, 8, part.end));
        }
        let (size, flags, data) = (u16_at(source, at)?, u16_at(source, at + 2)?, u32_at(source, at + 4)?);
        if flags & 8 != 0 {
            return Ok(Some(Entry::Value(Raw { kind: flags.to_le_bytes()[1], data })));
        }
        let values = at + u64::from(size);
        if flags & 1 != 0 {
            let count = u32_at(source, at + 12)?;
            let length = u64::from(count) * MAP_ENTRY;
            if values > part.end || length > part.end - values {
                return Err(ParseError::invalid(at + 12, "count", count, "no more than the type has room for"));
            }
            return Ok(Some(Entry::Map { at: values, count }));
        }
        if values + 8 > part.end {
            return Err(ParseError::truncated(values, 8, part.end));
        }
        let raw = Raw { kind: u32_at(source, values)?.to_le_bytes()[3], data: u32_at(source, values + 4)? };
        Ok(Some(Entry::Value(raw)))
    }

    fn sparse_offset(&self, body: u64, count: u32, index: u32) -> Result<Option<u64>, ParseError> {
        let (mut low, mut high) = (0, u64::from(count));
        while low < high {
            let middle = low + (high - low) / 2;
            let pair = u32_at(self.source.as_ref(), body + middle * 4)?;
            match (pair & 0xffff).cmp(&index) {
                std::cmp::Ordering::Equal => return Ok(Some(u64::from(pair >> 16) * 4)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}
