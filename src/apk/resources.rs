//! Values of `resources.arsc` by id (`ResTable_*`, AOSP `ResourceTypes.h` and `LoadedArsc.cpp`), read where they lie.
//!
//! | chunk | type | fields behind type, header size and size |
//! |---|---|---|
//! | table | 0x0002 | packageCount 4 |
//! | string pool | 0x0001 | the first of the table holds the values |
//! | package | 0x0200 | id 4, name 256, ... |
//! | type | 0x0201 | id 1, flags 1, 0, entryCount 4, entriesStart 4, configuration (its size first), then offsets |
//! | staged aliases | 0x0206 | count 4, then pairs of the id in a preview of the platform and the final id |
//! | library, overlayable, policy | 0x0203 to 0x0205 | names of packages and rights of overlays; not read |
//!
//! Opening reads the headers of chunks and configurations; a look-up reads the offset and the entry in those of one type
//! that fit, and the one string. Offsets of entries are 32-bit, 16-bit in units of 4 (flag 2), or sorted pairs of index and offset
//! (flag 1); an entry is a key with a value, or both in 8 bytes (flag 8). Maps (flag 1: styles, plurals, arrays) have no
//! single value; arrays are read as lists of texts. A reference to a package that is not in the table is given back.
//! Overlays of other packages are not applied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chunk::{self, Chunk, u16_at, u32_at};
use super::locale::Locale;
use super::strings::StringPool;
use super::value::{Raw, Value};
use crate::bytes::{ParseError, ReadAt, SharedBytes, le};

const TABLE: u16 = 0x0002;
const PACKAGE: u16 = 0x0200;
const TYPE: u16 = 0x0201;
const STAGED_ALIASES: u16 = 0x0206;
const PACKAGE_HEADER: u64 = 284;
const TYPE_HEADER: u64 = 24;
/// Aliases of one table; Android's own has some hundred.
const MAX_ALIASES: u64 = 1 << 16;
/// Bytes of a pair in a map.
const MAP_ENTRY: u64 = 12;
/// Types in all configurations. Android's own table, the largest there is, has 5,000 in 30 MB.
const MAX_TYPES: usize = 1 << 17;
/// Configurations that look-ups into one table may inspect: a manifest could refer to a type of many configurations from
/// each of its elements. A real one asks some hundred times for types in some hundred configurations.
const MAX_INSPECTED: u64 = 1 << 21;
/// Bytes of a configuration that mean something today; more is read as zero.
const MAX_CONFIG: usize = 64;
/// Bytes of a type's header and its configuration.
const HEAD: usize = 20 + MAX_CONFIG;

/// What a look-up ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A value.
    Value(Value),
    /// Another resource, by its id.
    Reference(u32),
}

/// An opened table.
pub(super) struct Resources {
    source: SharedBytes,
    strings: Option<StringPool>,
    index: Arc<Index>,
    inspected: AtomicU64,
}

/// Where things are in a table.
#[derive(Debug, Default)]
struct Index {
    /// By package and id, else in the order of the file.
    types: Vec<Type>,
    /// Final ids by staged ones.
    aliases: BTreeMap<u32, u32>,
    /// Ids of the packages; the first is what package 0 of a dynamic reference stands for.
    packages: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Type {
    package: u8,
    id: u8,
    flags: u8,
    start: u64,
    body: u64,
    end: u64,
    count: u32,
    /// Offset of the entries from the start.
    entries: u32,
    /// Locale and platform version; `None` where it is for another device: a car, a screen, an operator.
    fits: Option<(Locale, u16)>,
}

impl Index {
    fn package(&mut self, source: &dyn ReadAt, package: &Chunk) -> Result<(), ParseError> {
        if package.body - package.start < PACKAGE_HEADER {
            let found = package.body - package.start;
            return Err(ParseError::invalid(package.start + 2, "headerSize", found, "at least 284"));
        }
        let id = u32_at(source, package.start + 8)?;
        let id = u8::try_from(id).map_err(|_| ParseError::invalid(package.start + 8, "id", id, "at most 255"))?;
        if !self.packages.contains(&id) {
            self.packages.push(id);
        }
        let mut at = package.body;
        while at < package.end {
            let part = Chunk::read(source, at, package.end, 8)?;
            match part.kind {
                TYPE => self.add_type(source, &part, id)?,
                STAGED_ALIASES => self.add_aliases(source, &part)?,
                _ => {}
            }
            at = part.end;
        }
        Ok(())
    }

    fn add_type(&mut self, source: &dyn ReadAt, part: &Chunk, package: u8) -> Result<(), ParseError> {
        if part.body - part.start < TYPE_HEADER {
            let found = part.body - part.start;
            return Err(ParseError::invalid(part.start + 2, "headerSize", found, "at least 24"));
        }
        if self.types.len() >= MAX_TYPES {
            return Err(ParseError::limit(part.start, "number of types", MAX_TYPES as u64 + 1, MAX_TYPES as u64));
        }
        // The configuration begins with its size, at 20.
        let mut raw = [0_u8; HEAD];
        let length = usize::try_from(part.end - part.start).unwrap_or(HEAD).min(HEAD);
        source.read_exact_at(part.start, raw.get_mut(..length).unwrap_or_default())?;
        let field = |at| le::u32(&raw, at).unwrap_or_default();
        let size = usize::try_from(field(20)).unwrap_or(HEAD).min(length - 20);
        let [id, flags, ..] = field(8).to_le_bytes();
        self.types.push(Type {
            package,
            id,
            flags,
            start: part.start,
            body: part.body,
            end: part.end,
            count: field(12),
            entries: field(16),
            fits: raw.get(20..20 + size).and_then(fits),
        });
        Ok(())
    }

    fn add_aliases(&mut self, source: &dyn ReadAt, part: &Chunk) -> Result<(), ParseError> {
        if part.body - part.start < 12 {
            return Err(ParseError::invalid(part.start + 2, "headerSize", part.body - part.start, "at least 12"));
        }
        let count = u64::from(u32_at(source, part.start + 8)?);
        if count * 8 > part.end - part.body {
            let expected = "no more than the chunk has room for";
            return Err(ParseError::invalid(part.start + 8, "count of aliases", count, expected));
        }
        if self.aliases.len() as u64 + count > MAX_ALIASES {
            return Err(ParseError::limit(part.start + 8, "count of aliases", count, MAX_ALIASES));
        }
        for number in 0..count {
            let at = part.body + number * 8;
            let staged = u32_at(source, at)?;
            if self.aliases.insert(staged, u32_at(source, at + 4)?).is_some() {
                return Err(ParseError::invalid(at, "staged id", format!("0x{staged:08x} twice"), "each id once"));
            }
        }
        Ok(())
    }
}

impl Type {
    /// How well the configuration fits; `None` where it is for another device.
    ///
    /// With a locale, see [`Locale::fit`]. Without one, the values for every locale come first, then English, then any.
    /// Of equals the highest platform version wins, as on a device that is newer than all of them.
    fn rank(&self, wanted: Option<&Locale>) -> Option<u32> {
        let (locale, version) = self.fits?;
        let fit = match wanted {
            Some(wanted) => wanted.fit(&locale),
            None if locale.is_any() => Some(8),
            None if locale.is_pseudo() => Some(0),
            None => Some(2 + 4 * u32::from(locale.is_english()) + u32::from(locale.is_regionless())),
        };
        fit.map(|fit| fit << 16 | u32::from(version))
    }
}

/// Locale and platform version of a configuration that says nothing else.
fn fits(raw: &[u8]) -> Option<(Locale, u16)> {
    // Behind size, locale, version, and the locale's script and variant: all of it must say "any".
    let others = [4..8, 12..24, 28..36, 48..raw.len()];
    let any = |range: std::ops::Range<usize>| {
        let end = range.end.min(raw.len());
        raw.get(range.start..end).unwrap_or_default().iter().all(|&byte| byte == 0)
    };
    others.into_iter().all(any).then(|| (Locale::of_config(raw), le::u16(raw, 24).unwrap_or_default()))
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
        let (mut strings, mut index) = (None, Index::default());
        let mut at = table.body;
        while at < table.end {
            let part = Chunk::read(source.as_ref(), at, table.end, 8)?;
            match part.kind {
                chunk::STRING_POOL if strings.is_none() => {
                    let pool = StringPool::open(source.as_ref(), &part);
                    strings = Some(pool.map_err(|error| error.within("string pool"))?);
                }
                PACKAGE => {
                    let number = index.packages.len();
                    let package = index.package(source.as_ref(), &part);
                    package.map_err(|error| error.within(format!("package {number}")))?;
                }
                _ => {}
            }
            at = part.end;
        }
        let key = |part: &Type| (part.package, part.id);
        if !index.types.is_sorted_by_key(key) {
            index.types.sort_by_key(key);
        }
        Ok(Self { source, strings, index: Arc::new(index), inspected: AtomicU64::new(0) })
    }

    /// The same table for another file that refers into it: its look-ups count anew.
    pub(super) fn shared(&self) -> Self {
        Self {
            source: self.source.clone(),
            strings: self.strings.as_ref().map(StringPool::shared),
            index: self.index.clone(),
            inspected: AtomicU64::new(0),
        }
    }

    /// Whether the resource belongs to a package of the table.
    pub(super) fn covers(&self, id: u32) -> bool {
        let [package, ..] = id.to_be_bytes();
        package == 0 || self.index.packages.contains(&package)
    }

    /// Ids of its packages.
    pub(super) fn packages(&self) -> &[u8] {
        &self.index.packages
    }

    /// What resource `id` is, one step far; `None` where the table has none, or one that is no single value.
    pub(super) fn look_up(&self, id: u32, locale: Option<&Locale>) -> Result<Option<Found>, ParseError> {
        let id = self.index.aliases.get(&id).copied().unwrap_or(id);
        let Some(raw) = self.raw(id, locale).map_err(|error| error.within(format!("resource 0x{id:08x}")))? else {
            return Ok(None);
        };
        if let Some(next) = raw.reference() {
            return Ok(Some(Found::Reference(next)));
        }
        Ok(match (raw.string(), &self.strings) {
            (Some(index), Some(pool)) => {
                let text = pool.get(self.source.as_ref(), index).map_err(|error| error.within("string pool"))?;
                text.map(Value::Text)
            }
            (Some(_), None) => None,
            _ => Some(raw).filter(|raw| !raw.is_null()).map(Value::Plain),
        }
        .map(Found::Value))
    }

    /// The texts of an array, in its order; empty where `id` is none. References within it are not followed.
    pub(super) fn texts(&self, id: u32) -> Result<Vec<String>, ParseError> {
        let id = self.index.aliases.get(&id).copied().unwrap_or(id);
        let read = || {
            let map = |entry| if let Entry::Map { at, count } = entry { Some((at, count)) } else { None };
            let Some((at, count)) = self.best(id, None, map)? else { return Ok(Vec::new()) };
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

    fn raw(&self, id: u32, locale: Option<&Locale>) -> Result<Option<Raw>, ParseError> {
        self.best(id, locale, |entry| if let Entry::Value(raw) = entry { Some(raw) } else { None })
    }

    /// What fits best of the entries that `pick` wants.
    fn best<T: Copy>(
        &self,
        id: u32,
        locale: Option<&Locale>,
        pick: impl Fn(Entry) -> Option<T>,
    ) -> Result<Option<T>, ParseError> {
        let [package, kind, ..] = id.to_be_bytes();
        let index = id & 0xffff;
        let own = self.index.packages.first().copied().unwrap_or_default();
        let package = if package == 0 { own } else { package };
        let mut best: Option<(u32, T)> = None;
        let types = &self.index.types;
        let first = types.partition_point(|part| (part.package, part.id) < (package, kind));
        let candidates = types.get(first..).unwrap_or_default().iter();
        for part in candidates.take_while(|part| (part.package, part.id) == (package, kind)) {
            let inspected = self.inspected.fetch_add(1, Ordering::Relaxed) + 1;
            if inspected > MAX_INSPECTED {
                return Err(ParseError::limit(part.start, "inspected configurations", inspected, MAX_INSPECTED));
            }
            let Some(rank) = part.rank(locale) else { continue };
            if best.is_some_and(|(other, _)| other >= rank) {
                continue;
            }
            if let Some(found) = self.entry(part, index)?.and_then(&pick) {
                best = Some((rank, found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }

    fn entry(&self, part: &Type, index: u32) -> Result<Option<Entry>, ParseError> {
        let source = self.source.as_ref();
        let Type { body, count, flags, .. } = *part;
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
        let at = part.start + u64::from(part.entries) + offset;
        if at + 8 > part.end {
            return Err(ParseError::truncated(at, 8, part.end));
        }
        let mut raw = [0_u8; 8];
        source.read_exact_at(at, &mut raw)?;
        let [size, flags] = [0, 2].map(|at| le::u16(&raw, at).unwrap_or_default());
        let data = le::u32(&raw, 4).unwrap_or_default();
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
