//! Typed access to an element's attributes, references followed.

use super::super::axml::{Document, Element};
use super::super::locale::Locale;
use super::super::value::{Raw, Value};
use super::{Unresolved, id};
use crate::bytes::ParseError;

/// API level that Android gives to a version under development: `minSdkVersion="Baklava"` and the like.
const CURRENT_DEVELOPMENT: u32 = 10_000;

/// References that stayed references and are kept by name; more would be an attack.
const MAX_UNRESOLVED: usize = 256;

/// Finds the value of a resource.
pub(in super::super) trait Resolve {
    /// `locale`: `None` for the default.
    fn resolve(&mut self, id: u32, locale: Option<&Locale>) -> Resolved;

    /// The texts of an array of the same file; empty where there is no such array.
    fn resolve_texts(&mut self, id: u32) -> Vec<String>;
}

/// What a reference leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Resolved {
    /// A value.
    Value(Value),
    /// No resource, or none of a single value.
    Nothing,
    /// A resource of a package that is not at hand, by its id.
    Elsewhere(u32),
}

/// A document and what its references lead to.
pub(super) struct Attributes<'a> {
    pub(super) document: &'a Document,
    pub(super) resolve: &'a mut dyn Resolve,
    pub(super) unresolved: Vec<Unresolved>,
}

impl Attributes<'_> {
    /// A text that stands in the manifest itself.
    pub(super) fn literal(&self, element: &Element, id: u32) -> Result<Option<String>, ParseError> {
        match self.document.by_id(element, id)?.and_then(Raw::string) {
            Some(index) => self.document.string(index),
            None => Ok(None),
        }
    }

    pub(super) fn text(&mut self, element: &Element, id: u32) -> Result<Option<String>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(Value::into_text))
    }

    pub(super) fn integer(&mut self, element: &Element, id: u32) -> Result<Option<u32>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(|value| value.integer()))
    }

    pub(super) fn boolean(&mut self, element: &Element, id: u32) -> Result<Option<bool>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(|value| value.boolean()))
    }

    /// An API level. A text that is no number is the codename of a version under development.
    pub(super) fn sdk(&mut self, element: &Element, id: u32) -> Result<Option<u32>, ParseError> {
        Ok(self.attribute(element, id)?.map(|value| value.integer().unwrap_or(CURRENT_DEVELOPMENT)))
    }

    /// The text in a locale: the default where it has none of its own.
    pub(super) fn text_in(
        &mut self,
        element: &Element,
        id: u32,
        locale: &Locale,
    ) -> Result<Option<String>, ParseError> {
        let Some(reference) = self.document.by_id(element, id)?.and_then(Raw::reference) else {
            return self.text(element, id);
        };
        Ok(match self.resolve.resolve(reference, Some(locale)) {
            Resolved::Value(value) => value.into_text(),
            // The default stands among the unresolved already.
            Resolved::Nothing | Resolved::Elsewhere(_) => None,
        })
    }

    /// The texts of an attribute that may be one text or an array of them. Known by its name: it is younger than the
    /// platforms whose tools give names their ids.
    pub(super) fn texts(&mut self, element: &Element, name: &str) -> Result<Vec<String>, ParseError> {
        let document = self.document;
        for attribute in document.attributes(element) {
            let attribute = attribute?;
            let (id, raw) = (attribute.id, attribute.value);
            if &*document.attribute_name(&attribute)? != name {
                continue;
            }
            if let Some(reference) = raw.reference() {
                let texts = self.resolve.resolve_texts(reference);
                if !texts.is_empty() {
                    return Ok(texts);
                }
            }
            return Ok(self.value(element, id, raw)?.and_then(Value::into_text).into_iter().collect());
        }
        Ok(Vec::new())
    }

    pub(super) fn attribute(&mut self, element: &Element, id: u32) -> Result<Option<Value>, ParseError> {
        match self.document.by_id(element, id)? {
            Some(raw) => self.value(element, id, raw),
            None => Ok(None),
        }
    }

    /// The value of attribute `id`; a reference that leads to a package that is not at hand is kept as such.
    pub(super) fn value(&mut self, element: &Element, id: u32, raw: Raw) -> Result<Option<Value>, ParseError> {
        if let Some(reference) = raw.reference() {
            return Ok(match self.resolve.resolve(reference, None) {
                Resolved::Value(value) => Some(value),
                Resolved::Nothing => None,
                Resolved::Elsewhere(reference) => {
                    self.keep(element, id, reference)?;
                    None
                }
            });
        }
        match raw.string() {
            Some(index) => Ok(self.document.string(index)?.map(Value::Text)),
            None => Ok(Some(Value::Plain(raw)).filter(|_| !raw.is_null())),
        }
    }

    fn keep(&mut self, element: &Element, id: u32, reference: u32) -> Result<(), ParseError> {
        let attribute = id::name(id);
        if attribute.is_empty() || self.unresolved.len() >= MAX_UNRESOLVED {
            return Ok(());
        }
        let unresolved = Unresolved {
            element: self.document.name(element)?.to_string(),
            name: self.literal(element, id::NAME)?,
            attribute,
            reference: format!("@0x{reference:08x}"),
        };
        if !self.unresolved.contains(&unresolved) {
            self.unresolved.push(unresolved);
        }
        Ok(())
    }
}
