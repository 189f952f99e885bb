//! Typed access to an element's attributes, references followed.

use super::super::axml::{Document, Element};
use super::super::value::{Raw, Value};
use crate::bytes::ParseError;

/// API level that Android gives to a version under development: `minSdkVersion="Baklava"` and the like.
const CURRENT_DEVELOPMENT: u32 = 10_000;

/// Finds the value of a resource of the same file.
pub(in super::super) trait Resolve {
    /// `None` where there is no such resource, or no single value of it. `language`: two letters, `None` for the default.
    fn resolve(&mut self, id: u32, language: Option<[u8; 2]>) -> Option<Value>;

    /// The texts of an array of the same file; empty where there is no such array.
    fn resolve_texts(&mut self, id: u32) -> Vec<String>;
}

/// A document and what its references lead to.
pub(super) struct Attributes<'a> {
    pub(super) document: &'a Document,
    pub(super) resolve: &'a mut dyn Resolve,
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

    /// The text in a language: the default where it has none of its own.
    pub(super) fn text_in(
        &mut self,
        element: &Element,
        id: u32,
        language: [u8; 2],
    ) -> Result<Option<String>, ParseError> {
        let Some(reference) = self.document.by_id(element, id)?.and_then(Raw::reference) else {
            return self.text(element, id);
        };
        Ok(self.resolve.resolve(reference, Some(language)).and_then(Value::into_text))
    }

    /// The texts of an attribute that may be one text or an array of them. Known by its name: it is younger than the
    /// platforms whose tools give names their ids.
    pub(super) fn texts(&mut self, element: &Element, name: &str) -> Result<Vec<String>, ParseError> {
        for (_, found, raw) in self.document.attributes(element)? {
            if found != name {
                continue;
            }
            if let Some(id) = raw.reference() {
                let texts = self.resolve.resolve_texts(id);
                if !texts.is_empty() {
                    return Ok(texts);
                }
            }
            return Ok(self.value(raw)?.and_then(Value::into_text).into_iter().collect());
        }
        Ok(Vec::new())
    }

    pub(super) fn attribute(&mut self, element: &Element, id: u32) -> Result<Option<Value>, ParseError> {
        match self.document.by_id(element, id)? {
            Some(raw) => self.value(raw),
            None => Ok(None),
        }
    }

    pub(super) fn value(&mut self, raw: Raw) -> Result<Option<Value>, ParseError> {
        if let Some(id) = raw.reference() {
            return Ok(self.resolve.resolve(id, None));
        }
        match raw.string() {
            Some(index) => Ok(self.document.string(index)?.map(Value::Text)),
            None => Ok(Some(Value::Plain(raw)).filter(|_| !raw.is_null())),
        }
    }
}
