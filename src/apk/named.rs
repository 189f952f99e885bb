//! Resources by name: texts and numbers, and XML files.
//!
//! Names stand in two string pools of each package of the table (`ResTable_package`, AOSP `ResourceTypes.h`), read beside
//! [`super::resources`], which knows ids:
//!
//! | offset | size | name | meaning |
//! |---|---|---|---|
//! | 8 | 4 | id | number of the package |
//! | 268 | 4 | typeStrings | offset of the pool with the names of types, id 1 first |
//! | 276 | 4 | keyStrings | offset of the pool with the names of entries |

use std::collections::{BTreeMap, BTreeSet};

use super::axml::{Document, Event};
use super::chunk::{Chunk, STRING_POOL, u16_at, u32_at};
use super::directory::Directory;
use super::entry::Reader;
use super::resources::{Found, Resources};
use super::strings::StringPool;
use super::value::{Raw, Value};
use super::{MAX_REFERENCES, RESOURCES, open_resources};
use crate::bytes::{ParseError, ReadAt, SharedBytes};

const PACKAGE: u16 = 0x0200;
const TYPE: u16 = 0x0201;
const PACKAGE_HEADER: u64 = 284;
const TYPE_HEADER: u64 = 24;
/// Entries of all configurations that one search looks at. The framework's texts in all languages are 600,000.
const MAX_ENTRIES: u64 = 1 << 22;
/// Bytes of one XML file. Layouts of home screens have below 64 KiB.
const MAX_XML: u64 = 1 << 20;
/// Elements of one XML file.
const MAX_ELEMENTS: usize = 1 << 14;
/// Elements within each other.
const MAX_DEPTH: u32 = 64;
/// XML files that one search reads.
const MAX_FILES: usize = 256;

/// An XML file of a package's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlFile {
    /// Name of the resource, `default_layout_5x5`.
    pub name: String,
    /// Path in the package file.
    pub path: String,
    /// Its elements in the file's order, or why they can't be read.
    pub elements: Result<Vec<XmlElement>, ParseError>,
}

/// An element of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlElement {
    /// Elements around it: 0 for the outermost.
    pub depth: u32,
    /// Its name.
    pub name: String,
    /// Attributes with a value, by name without namespace. A reference is what it refers to: a text, or the path of a file.
    pub attributes: Vec<(String, String)>,
    /// Line of the source that it was compiled from.
    pub line: u32,
}

/// Texts, numbers and booleans (`string`, `integer`, `bool`) that `wanted` names, as texts, by name.
///
/// # Errors
/// The place in the ZIP structure or the resource table that can't be read; a package without a table has none.
pub fn values(source: &SharedBytes, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<(String, String)>, ParseError> {
    let directory = Directory::open(source)?;
    let Some(table) = Named::open(&directory)? else { return Ok(Vec::new()) };
    let mut found = BTreeMap::new();
    for kind in ["string", "integer", "bool"] {
        for (name, id) in table.ids(kind, wanted)? {
            if let Some(text) = table.text(id)? {
                found.entry(name).or_insert(text);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// XML files (`xml`) that `wanted` names, by name.
///
/// # Errors
/// As [`values`]. A file that can't be read is an error of [`XmlFile::elements`] alone.
pub fn xml_files(source: &SharedBytes, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<XmlFile>, ParseError> {
    let directory = Directory::open(source)?;
    let Some(table) = Named::open(&directory)? else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for (name, id) in table.ids("xml", wanted)?.into_iter().take(MAX_FILES) {
        let Some(path) = table.text(id)? else { continue };
        let elements = table.elements(&path).map_err(|error| error.within(path.escape_debug().to_string()));
        files.push(XmlFile { name, path, elements });
    }
    Ok(files)
}

struct Named<'a> {
    directory: &'a Directory,
    source: SharedBytes,
    resources: Resources,
}

impl<'a> Named<'a> {
    fn open(directory: &'a Directory) -> Result<Option<Self>, ParseError> {
        if directory.find(RESOURCES.as_bytes()).is_none() {
            return Ok(None);
        }
        let source = open_resources(directory)?;
        let resources = Resources::open(source.clone()).map_err(|error| error.within(RESOURCES))?;
        Ok(Some(Self { directory, source, resources }))
    }

    fn text(&self, id: u32) -> Result<Option<String>, ParseError> {
        let mut id = id;
        for _ in 0..MAX_REFERENCES {
            match self.resources.look_up(id, None).map_err(|error| error.within(RESOURCES))? {
                Some(Found::Reference(next)) => id = next,
                Some(Found::Value(value)) => return Ok(value.into_text()),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Names and ids of the entries of a type that `wanted` names, by name.
    fn ids(&self, kind: &str, wanted: &dyn Fn(&str) -> bool) -> Result<BTreeMap<String, u32>, ParseError> {
        self.search(kind, wanted).map_err(|error| error.within(RESOURCES))
    }

    fn search(&self, kind: &str, wanted: &dyn Fn(&str) -> bool) -> Result<BTreeMap<String, u32>, ParseError> {
        let source = self.source.as_ref();
        let table = Chunk::read(source, 0, source.len(), 12)?;
        let mut found = BTreeMap::new();
        let mut looked_at = 0;
        let mut at = table.body;
        while at < table.end {
            let part = Chunk::read(source, at, table.end, 8)?;
            if part.kind == PACKAGE && part.body - part.start >= PACKAGE_HEADER {
                self.search_package(&part, kind, wanted, &mut looked_at, &mut found)?;
            }
            at = part.end;
        }
        Ok(found)
    }

    fn search_package(
        &self,
        package: &Chunk,
        kind: &str,
        wanted: &dyn Fn(&str) -> bool,
        looked_at: &mut u64,
        found: &mut BTreeMap<String, u32>,
    ) -> Result<(), ParseError> {
        let source = self.source.as_ref();
        let id = u32_at(source, package.start + 8)?;
        let types = self.pool(package, 268)?;
        let keys = self.pool(package, 276)?;
        let mut names: BTreeMap<u32, String> = BTreeMap::new();
        let mut kinds = BTreeSet::new();
        for index in 0..types.len().min(255) {
            if types.get(source, index)?.as_deref() == Some(kind) {
                kinds.insert(index + 1);
            }
        }
        if kinds.is_empty() {
            return Ok(());
        }
        for index in 0..keys.len() {
            if let Some(name) = keys.get(source, index)?.filter(|name| wanted(name)) {
                names.insert(index, name);
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        let mut at = package.body;
        while at < package.end {
            let part = Chunk::read(source, at, package.end, 8)?;
            if part.kind == TYPE && part.body - part.start >= TYPE_HEADER {
                let [kind, ..] = u32_at(source, part.start + 8)?.to_le_bytes();
                if kinds.contains(&u32::from(kind)) {
                    for (index, key) in entries(source, &part, looked_at)? {
                        if let Some(name) = names.get(&key) {
                            let id = (id & 0xff) << 24 | u32::from(kind) << 16 | index & 0xffff;
                            found.entry(name.clone()).or_insert(id);
                        }
                    }
                }
            }
            at = part.end;
        }
        Ok(())
    }

    fn pool(&self, package: &Chunk, field: u64) -> Result<StringPool, ParseError> {
        let source = self.source.as_ref();
        let offset = u64::from(u32_at(source, package.start + field)?);
        let chunk = Chunk::read(source, package.start + offset, package.end, 8)?;
        if chunk.kind != STRING_POOL {
            return Err(ParseError::invalid(chunk.start, "type", chunk.kind, "1"));
        }
        StringPool::open(source, &chunk).map_err(|error| error.within("string pool"))
    }

    fn elements(&self, path: &str) -> Result<Vec<XmlElement>, ParseError> {
        let record = self.directory.find(path.as_bytes());
        let record = record.ok_or_else(|| ParseError::invalid(self.directory.start, "entry", "absent", "one"))?;
        let document = Document::open(self.directory.read_entry(&record, Reader::Assets, MAX_XML)?)?;
        let mut elements = Vec::new();
        let mut depth = 0_u32;
        let mut events = document.events();
        while let Some(event) = events.step()? {
            let Event::Start(element) = event else {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
                continue;
            };
            if depth >= MAX_DEPTH {
                return Err(ParseError::limit(0, "depth of elements", u64::from(depth) + 1, u64::from(MAX_DEPTH)));
            }
            if elements.len() >= MAX_ELEMENTS {
                return Err(ParseError::limit(0, "elements", MAX_ELEMENTS as u64 + 1, MAX_ELEMENTS as u64));
            }
            let mut attributes = Vec::new();
            for attribute in document.attributes(&element) {
                let attribute = attribute?;
                if let Some(text) = self.attribute(&document, attribute.value)? {
                    attributes.push((document.attribute_name(&attribute)?.to_string(), text));
                }
            }
            elements.push(XmlElement {
                depth,
                name: document.name(&element)?.to_string(),
                attributes,
                line: element.line(),
            });
            depth += 1;
        }
        Ok(elements)
    }

    fn attribute(&self, document: &Document, raw: Raw) -> Result<Option<String>, ParseError> {
        if let Some(index) = raw.string() {
            return document.string(index);
        }
        match raw.reference() {
            // Package 1 is the platform's: not in this table.
            Some(id) if id >> 24 == 1 => Ok(None),
            Some(id) => self.text(id),
            None => Ok(Value::Plain(raw).into_text()),
        }
    }
}

/// Index and key of every entry that a type has in one configuration.
fn entries(source: &dyn ReadAt, part: &Chunk, looked_at: &mut u64) -> Result<Vec<(u32, u32)>, ParseError> {
    let [_, flags, ..] = u32_at(source, part.start + 8)?.to_le_bytes();
    let count = u32_at(source, part.start + 12)?;
    let start = u64::from(u32_at(source, part.start + 16)?);
    let (sparse, short) = (flags & 1 != 0, flags & 2 != 0);
    let width = if short && !sparse { 2 } else { 4 };
    if u64::from(count) * width > part.end - part.body {
        return Err(ParseError::invalid(part.start + 12, "entryCount", count, "no more than the type has room for"));
    }
    *looked_at += u64::from(count);
    if *looked_at > MAX_ENTRIES {
        return Err(ParseError::limit(part.start, "entries looked at", *looked_at, MAX_ENTRIES));
    }
    let mut found = Vec::new();
    for row in 0..count {
        let at = part.body + u64::from(row) * width;
        let (index, offset) = if sparse {
            let pair = u32_at(source, at)?;
            (pair & 0xffff, Some(u64::from(pair >> 16) * 4))
        } else if short {
            (row, Some(u16_at(source, at)?).filter(|&offset| offset != u16::MAX).map(|offset| u64::from(offset) * 4))
        } else {
            (row, Some(u32_at(source, at)?).filter(|&offset| offset != u32::MAX).map(u64::from))
        };
        let Some(entry) = offset.map(|offset| part.start + start + offset) else { continue };
        if entry + 8 > part.end {
            return Err(ParseError::truncated(entry, 8, part.end));
        }
        let flags = u16_at(source, entry + 2)?;
        // A compact entry has its key where the others have their size.
        let key = if flags & 8 != 0 { u32::from(u16_at(source, entry)?) } else { u32_at(source, entry + 4)? };
        found.push((index, key));
    }
    Ok(found)
}
