//! Binary XML (`ResXMLTree`, AOSP `ResourceTypes.cpp`), read forwards with Android's rules.
//!
//! | chunk | type | contents behind the header |
//! |---|---|---|
//! | document | any: Android does not look | the chunks below |
//! | string pool | 0x0001 | see [`super::strings`] |
//! | resource map | 0x0180 | 32-bit attribute ids; entry n belongs to string n |
//! | start element | 0x0102 | namespace 4, name 4, attributeStart 2, attributeSize 2, attributeCount 2, ... |
//! | end element | 0x0103 | not looked at: only the depth counts |
//! | text | 0x0104 | string 4, a typed value 8; read only where it is asked for |
//! | other nodes | 0x0100 to 0x017f | skipped |
//!
//! An attribute has a namespace, a name, a raw value (string indices) and a typed value (size 2, 0, type 1, data 4). One
//! of the platform is known by the id that the resource map gives its name, never by the name's text, which may be
//! anything.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::chunk::{self, Chunk, u16_at, u32_at};
use super::strings::{NONE, StringPool};
use super::value::{Raw, Value};
use crate::bytes::{ParseError, ReadAt};

/// Namespace of the platform's attributes.
pub(super) const ANDROID: &str = "http://schemas.android.com/apk/res/android";

const FIRST_NODE: u16 = 0x0100;
const LAST_NODE: u16 = 0x017f;
const START_ELEMENT: u16 = 0x0102;
const END_ELEMENT: u16 = 0x0103;
const TEXT: u16 = 0x0104;
const RESOURCE_MAP: u16 = 0x0180;
const NODE_HEADER: u64 = 16;
const ELEMENT: u64 = 20;
const ATTRIBUTE: u64 = 20;
/// Attributes of an element that are read at once; few have more.
const MAX_FIRST: usize = 8;

/// A document and its strings.
pub(super) struct Document {
    source: Vec<u8>,
    strings: StringPool,
    /// Offset and number of the resource map's ids.
    ids: (u64, u64),
    first_node: u64,
    end: u64,
    /// Strings that stood for names, which come again and again.
    names: RefCell<BTreeMap<u32, Rc<str>>>,
    /// Where the next of them is decoded.
    scratch: Cell<String>,
}

/// The start of an element.
#[derive(Debug)]
pub(super) struct Element {
    name: u32,
    attributes: u64,
    stride: u64,
    count: u64,
    /// Where the next node begins.
    end: u64,
    /// Line of the source that it was compiled from.
    line: u32,
    /// The first of its attributes; those behind them are read when they are asked for.
    first: [Option<Attribute>; MAX_FIRST],
}

impl Element {
    /// Line of the source that it was compiled from.
    pub(super) fn line(&self) -> u32 {
        self.line
    }
}

/// One step through a document.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, and to allocate it costs more than to move it")]
pub(super) enum Event {
    /// An element begins.
    Start(Element),
    /// The innermost element ends.
    End,
}

/// An attribute of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    /// 0 for none.
    pub(super) id: u32,
    namespace: u32,
    name: u32,
    raw_value: u32,
    pub(super) value: Raw,
}

impl Document {
    /// Reads everything before the first node.
    pub(super) fn open(source: Vec<u8>) -> Result<Self, ParseError> {
        let root = Chunk::read(&source, 0, ReadAt::len(&source), 8)?;
        let mut strings = None;
        let mut ids = (0, 0);
        let mut at = root.body;
        while at + 8 < root.end {
            let part = Chunk::read(&source, at, root.end, 8)?;
            match part.kind {
                chunk::STRING_POOL => {
                    let pool = StringPool::open(&source, &part).map_err(|error| error.within("string pool"))?;
                    strings = Some(pool);
                }
                RESOURCE_MAP => ids = (part.body, (part.end - part.body) / 4),
                FIRST_NODE..=LAST_NODE => {
                    let strings = strings
                        .ok_or_else(|| ParseError::invalid(at, "string pool", "absent", "one before the first node"))?;
                    let (names, scratch) = (RefCell::default(), Cell::default());
                    return Ok(Self { source, strings, ids, first_node: at, end: root.end, names, scratch });
                }
                _ => {}
            }
            at = part.end;
        }
        Err(ParseError::invalid(at, "first node", "absent", "at least one"))
    }

    /// The nodes from the first.
    pub(super) fn events(&self) -> Events<'_> {
        Events { document: self, at: self.first_node }
    }

    /// The element's name; empty where it has none.
    pub(super) fn name(&self, element: &Element) -> Result<Rc<str>, ParseError> {
        Ok(self.kept(element.name)?.unwrap_or_default())
    }

    /// The value of the platform's attribute `id`.
    ///
    /// Android walks an element's attributes once, in the ascending order of the ids that it wants: one behind a
    /// greater id is not seen.
    pub(super) fn by_id(&self, element: &Element, id: u32) -> Result<Option<Raw>, ParseError> {
        for index in 0..element.count {
            let attribute = self.attribute(element, index)?;
            if attribute.id >= id {
                return Ok((attribute.id == id).then_some(attribute.value).filter(|value| !value.is_null()));
            }
        }
        Ok(None)
    }

    /// The text of an attribute, by namespace and name. Typed values are written out, references are `None`.
    pub(super) fn by_name(
        &self,
        element: &Element,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<String>, ParseError> {
        for index in 0..element.count {
            let attribute = self.attribute(element, index)?;
            if namespace.is_some() == (attribute.namespace < self.strings.len())
                && self.is(attribute.name, name)?
                && namespace.map_or(Ok(true), |namespace| self.is(attribute.namespace, namespace))?
            {
                if let Some(text) = self.string(attribute.raw_value)? {
                    return Ok(Some(text));
                }
                return Ok(match attribute.value.string() {
                    Some(index) => self.string(index)?,
                    None => Value::Plain(attribute.value).into_text(),
                });
            }
        }
        Ok(None)
    }

    /// The text right behind the element's start.
    pub(super) fn text_after(&self, element: &Element) -> Result<Option<String>, ParseError> {
        if element.end >= self.end {
            return Ok(None);
        }
        let node = Chunk::read(&self.source, element.end, self.end, NODE_HEADER)?;
        if node.kind != TEXT || node.end - node.body < 4 {
            return Ok(None);
        }
        self.string(u32_at(&self.source, node.body)?)
    }

    /// Every attribute.
    pub(super) fn attributes(&self, element: &Element) -> impl Iterator<Item = Result<Attribute, ParseError>> {
        (0..element.count).map(|index| self.attribute(element, index))
    }

    /// The attribute's name; empty where it has none.
    pub(super) fn attribute_name(&self, attribute: &Attribute) -> Result<Rc<str>, ParseError> {
        Ok(self.kept(attribute.name)?.unwrap_or_default())
    }

    /// String `index` of the document's pool.
    pub(super) fn string(&self, index: u32) -> Result<Option<String>, ParseError> {
        if index == NONE {
            return Ok(None);
        }
        self.strings.get(&self.source, index).map_err(|error| error.within("string pool"))
    }

    /// A string that is looked at and not given away, decoded once.
    fn kept(&self, index: u32) -> Result<Option<Rc<str>>, ParseError> {
        if let Some(name) = self.names.borrow().get(&index) {
            return Ok(Some(name.clone()));
        }
        if index >= self.strings.len() {
            return Ok(None);
        }
        let mut text = self.scratch.take();
        text.clear();
        let read = self.strings.append(&self.source, index, &mut text);
        let name: Rc<str> = Rc::from(text.as_str());
        self.scratch.set(text);
        read.map_err(|error| error.within("string pool"))?;
        self.names.borrow_mut().insert(index, name.clone());
        Ok(Some(name))
    }

    /// Whether a string is this one, which is ASCII.
    fn is(&self, index: u32, text: &str) -> Result<bool, ParseError> {
        self.strings.is(&self.source, index, text).map_err(|error| error.within("string pool"))
    }

    fn attribute_id(&self, name: u32) -> Result<u32, ParseError> {
        let (at, count) = self.ids;
        if u64::from(name) < count { u32_at(&self.source, at + u64::from(name) * 4) } else { Ok(0) }
    }

    fn attribute(&self, element: &Element, index: u64) -> Result<Attribute, ParseError> {
        match usize::try_from(index).ok().and_then(|index| element.first.get(index)) {
            Some(Some(attribute)) => Ok(*attribute),
            _ => self.read_attribute(element, index),
        }
    }

    fn read_attribute(&self, element: &Element, index: u64) -> Result<Attribute, ParseError> {
        let at = element.attributes + index * element.stride;
        if at + ATTRIBUTE > self.end {
            return Err(ParseError::truncated(at, ATTRIBUTE, self.end));
        }
        let mut raw = [0_u8; 20];
        self.source.read_exact_at(at, &mut raw)?;
        let field = |at| crate::bytes::le::u32(&raw, at).unwrap_or_default();
        Ok(Attribute {
            id: self.attribute_id(field(4))?,
            namespace: field(0),
            name: field(4),
            raw_value: field(8),
            value: Raw { kind: field(12).to_le_bytes()[3], data: field(16) },
        })
    }
}

/// Steps through a document.
pub(super) struct Events<'a> {
    document: &'a Document,
    at: u64,
}

impl Events<'_> {
    /// The next start or end of an element; `None` at the end of the document, wherever its elements stand.
    pub(super) fn step(&mut self) -> Result<Option<Event>, ParseError> {
        let source = &self.document.source;
        while self.at < self.document.end {
            let node = Chunk::read(source, self.at, self.document.end, NODE_HEADER)?;
            self.at = node.end;
            match node.kind {
                START_ELEMENT => {
                    let mut element = start(source, &node)?;
                    // One that can't be read is an error for whoever asks for it.
                    let mut first = [None; MAX_FIRST];
                    for (index, attribute) in (0..element.count).zip(&mut first) {
                        *attribute = self.document.read_attribute(&element, index).ok();
                    }
                    element.first = first;
                    return Ok(Some(Event::Start(element)));
                }
                END_ELEMENT => return Ok(Some(Event::End)),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn start(source: &[u8], node: &Chunk) -> Result<Element, ParseError> {
    let size = node.end - node.body;
    if size < ELEMENT {
        return Err(ParseError::truncated(node.body, ELEMENT, node.end));
    }
    let name = u32_at(source, node.body + 4)?;
    let first = u64::from(u16_at(source, node.body + 8)?);
    let stride = u64::from(u16_at(source, node.body + 10)?);
    let count = u64::from(u16_at(source, node.body + 12)?);
    // Android reads overlapping attributes; no tool writes them, and they would let a small file ask for endless work.
    if count > 1 && stride < ATTRIBUTE {
        return Err(ParseError::invalid(node.body + 10, "attributeSize", stride, "at least 20"));
    }
    if first + stride * count > size {
        return Err(ParseError::invalid(node.body + 12, "attributeCount", count, "attributes within the element"));
    }
    let line = u32_at(source, node.start + 8)?;
    let attributes = node.body + first;
    Ok(Element { name, attributes, stride, count, end: node.end, line, first: [None; MAX_FIRST] })
}
