//! Tables of a profile, read with their places in the file.
//!
//! [`Settings`] is a view of one table. Reading is strict: [`Settings::only`] refuses keys that nobody reads, and each
//! getter refuses other types than its own.

use std::ops::Range;

use jiff::civil::Date;

use super::error::nearest;
use super::table::{Document, Entry, Node, Table, Value};
use super::{Pattern, ProfileError, Text};

/// A text with its place.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// The text.
    pub text: &'a str,
    span: &'a Range<usize>,
    document: &'a Document,
}

impl<'a> Word<'a> {
    pub(super) fn new(text: &'a str, span: &'a Range<usize>, document: &'a Document) -> Self {
        Self { text, span, document }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> ProfileError {
        self.document.error(self.span.clone(), message)
    }

    /// An error at those bytes of the text: at their place in the file where the text stands there as it is, else at the
    /// whole text, with the place in it.
    #[must_use]
    pub fn error_within(&self, bytes: &Range<usize>, message: impl Into<String>) -> ProfileError {
        let written = self.document.text.get(self.span.clone()).unwrap_or_default();
        match written.find(self.text) {
            Some(at) => {
                let from = self.span.start + at;
                self.document.error(from + bytes.start..from + bytes.end, message)
            }
            None => {
                let before = self.text.get(..bytes.start).unwrap_or_default();
                self.error(format!("{}, at its character {}", message.into(), before.chars().count() + 1))
            }
        }
    }

    /// The error of a word that is none of `known`, with the nearest of them.
    pub fn unknown<'k>(&self, what: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> ProfileError {
        let list: Vec<&str> = known.clone().into_iter().collect();
        let error = self.error(format!("unknown {what} `{}`", self.text));
        match nearest(self.text, known) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!("expected one of: {}", list.join(", "))),
        }
    }
}

/// An item of a mixed array.
pub(super) enum Item<'a> {
    Word(Word<'a>),
    Table(Settings<'a>),
}

/// A table of settings, with its place in the file.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    table: &'a Table,
    document: &'a Document,
    name: &'a str,
}

impl<'a> Settings<'a> {
    pub(super) fn new(table: &'a Table, document: &'a Document, name: &'a str) -> Self {
        Self { table, document, name }
    }

    /// Refuses keys other than `known`.
    ///
    /// # Errors
    /// The first unknown key of the file, with the nearest known one.
    pub fn only(&self, known: &[&str]) -> Result<(), ProfileError> {
        let Some(entry) = self.table.entries.iter().find(|entry| !known.contains(&entry.key.as_str())) else {
            return Ok(());
        };
        let message = format!("unknown key `{}` in {}", entry.key, self.name);
        let error = self.document.error(entry.key_span.clone(), message);
        Err(match nearest(&entry.key, known.iter().copied()) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!("known keys: {}", known.join(", "))),
        })
    }

    /// An error at the value of `key`, or at the table where the key is not there.
    #[must_use]
    pub fn error(&self, key: &str, message: impl Into<String>) -> ProfileError {
        let span = self.entry(key).map_or(&self.table.span, |entry| &entry.node.span);
        self.document.error(span.clone(), message)
    }

    /// The error of a key that must be there.
    #[must_use]
    pub fn missing(&self, key: &str, expected: &str) -> ProfileError {
        self.document.error(self.table.span.clone(), format!("{} lacks `{key}`, expected {expected}", self.name))
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    pub(super) fn is_table(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| matches!(entry.node.value, Value::Table(_)))
    }

    /// Keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = Word<'a>> {
        let document = self.document;
        self.table.entries.iter().map(move |entry| Word { text: &entry.key, span: &entry.key_span, document })
    }

    /// A text that is not blank.
    ///
    /// # Errors
    /// Another type, or a blank text.
    pub fn text(&self, key: &str) -> Result<Option<Word<'a>>, ProfileError> {
        self.entry(key).map(|entry| self.word(key, &entry.node)).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// As [`Settings::text`], and a missing key.
    pub fn need_text(&self, key: &str) -> Result<Word<'a>, ProfileError> {
        self.text(key)?.ok_or_else(|| self.missing(key, "text"))
    }

    /// Texts of an array, at least one, none twice.
    ///
    /// # Errors
    /// Another type, an empty array, a text that stands twice.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<Word<'a>>>, ProfileError> {
        let Some(items) = self.array(key, "an array of texts")? else { return Ok(None) };
        let mut words: Vec<Word<'a>> = Vec::with_capacity(items.len());
        let mut seen = std::collections::BTreeSet::new();
        for item in items {
            let word = self.word(key, item)?;
            if !seen.insert(word.text) {
                return Err(word.error(format!("`{}` stands twice in `{key}`, expected each once", word.text)));
            }
            words.push(word);
        }
        Ok(Some(words))
    }

    /// A truth value; `false` where the key is not there.
    ///
    /// # Errors
    /// Another type.
    pub fn flag(&self, key: &str) -> Result<bool, ProfileError> {
        match self.entry(key).map(|entry| &entry.node) {
            None => Ok(false),
            Some(Node { value: Value::Flag(flag), .. }) => Ok(*flag),
            Some(node) => Err(self.wrong(key, node, "true or false")),
        }
    }

    /// A truth value, or `None` where the key is not there.
    ///
    /// # Errors
    /// Another type.
    pub fn maybe_flag(&self, key: &str) -> Result<Option<bool>, ProfileError> {
        if self.has(key) { self.flag(key).map(Some) } else { Ok(None) }
    }

    /// A number from 0.
    ///
    /// # Errors
    /// Another type, or a negative number.
    pub fn number(&self, key: &str) -> Result<Option<u64>, ProfileError> {
        match self.entry(key).map(|entry| &entry.node) {
            None => Ok(None),
            Some(Node { value: Value::Integer(number), span }) => match u64::try_from(*number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => {
                    Err(self.document.error(span.clone(), format!("`{key}` is {number}, expected a number from 0")))
                }
            },
            Some(node) => Err(self.wrong(key, node, "a number from 0")),
        }
    }

    /// A number from 0 with at most two decimals, in hundredths.
    ///
    /// # Errors
    /// Another type, a negative number, more decimals, an exponent.
    pub fn hundredths(&self, key: &str) -> Result<Option<u64>, ProfileError> {
        const EXPECTED: &str = "a number from 0 with at most two decimals";
        let Some(node) = self.entry(key).map(|entry| &entry.node) else { return Ok(None) };
        let text = match &node.value {
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.clone(),
            _ => return Err(self.wrong(key, node, EXPECTED)),
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let number = (digits(whole) && digits(decimals) && decimals.len() <= 2)
            .then(|| format!("{whole}{decimals:0<2}").parse().ok())
            .flatten();
        let error = || self.document.error(node.span.clone(), format!("`{key}` is {text}, expected {EXPECTED}"));
        number.ok_or_else(error).map(Some)
    }

    /// A number from 0 that fits 32 bits.
    ///
    /// # Errors
    /// As [`Settings::number`], and a larger one.
    pub fn small_number(&self, key: &str) -> Result<Option<u32>, ProfileError> {
        let Some(number) = self.number(key)? else { return Ok(None) };
        match u32::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(self.error(key, format!("`{key}` is {number}, expected at most {}", u32::MAX))),
        }
    }

    /// A range of numbers, `{ from = 1, until = 9 }`, both included and either left out.
    ///
    /// # Errors
    /// Another type, an unknown key, neither bound, an end before its beginning.
    pub fn range(&self, key: &str) -> Result<Option<(u64, u64)>, ProfileError> {
        let Some(table) = self.table(key)? else { return Ok(None) };
        table.only(&["from", "until"])?;
        let (from, until) = (table.number("from")?, table.number("until")?);
        if from.is_none() && until.is_none() {
            return Err(table.missing("from", "a lowest (`from`), a highest (`until`) or both"));
        }
        let (from, until) = (from.unwrap_or(0), until.unwrap_or(u64::MAX));
        if until < from {
            return Err(table.error("until", format!("`until` is {until}, expected a number not below {from}")));
        }
        Ok(Some((from, until)))
    }

    /// A day.
    ///
    /// # Errors
    /// Another type; a date in quotes is text.
    pub fn date(&self, key: &str) -> Result<Option<Date>, ProfileError> {
        match self.entry(key).map(|entry| &entry.node) {
            None => Ok(None),
            Some(Node { value: Value::Date(date), .. }) => Ok(Some(*date)),
            Some(node) => Err(self.wrong(key, node, "a date without quotes, 2025-09-01")),
        }
    }

    /// One of `known`, by its name.
    ///
    /// # Errors
    /// Another type, or another word, with the nearest known one.
    pub fn choice<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Result<Option<T>, ProfileError> {
        self.text(key)?.map(|word| pick(key, word, known)).transpose()
    }

    /// Some of `known`, by their names.
    ///
    /// # Errors
    /// As [`Settings::texts`] and [`Settings::choice`].
    pub fn choices<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Result<Option<Vec<T>>, ProfileError> {
        let Some(words) = self.texts(key)? else { return Ok(None) };
        words.into_iter().map(|word| pick(key, word, known)).collect::<Result<_, _>>().map(Some)
    }

    /// Names in which `*` stands for any characters.
    ///
    /// # Errors
    /// As [`Settings::texts`], and what is no name.
    pub fn patterns(&self, key: &str) -> Result<Option<Vec<Pattern>>, ProfileError> {
        let Some(words) = self.texts(key)? else { return Ok(None) };
        let pattern = |word: Word<'_>| {
            Pattern::new(word.text).ok_or_else(|| {
                word.error(format!("`{}` is no name, expected `com.example.app` or `com.example.*`", word.text))
            })
        };
        words.into_iter().map(pattern).collect::<Result<_, _>>().map(Some)
    }

    /// Application ids.
    ///
    /// # Errors
    /// As [`Settings::texts`], and what Android would not take as an id.
    pub fn packages(&self, key: &str) -> Result<Option<Vec<String>>, ProfileError> {
        let Some(words) = self.texts(key)? else { return Ok(None) };
        words.into_iter().map(|word| package(&word)).collect::<Result<_, _>>().map(Some)
    }

    /// One application id, or an array of them.
    ///
    /// # Errors
    /// As [`Settings::maybe_package`] and [`Settings::packages`].
    pub fn one_or_more_packages(&self, key: &str) -> Result<Option<Vec<String>>, ProfileError> {
        if self.is_text(key) { Ok(self.maybe_package(key)?.map(|id| vec![id])) } else { self.packages(key) }
    }

    /// SHA-256 digests in lower case.
    ///
    /// # Errors
    /// As [`Settings::texts`], and what is no such digest.
    pub fn digests(&self, key: &str) -> Result<Option<Vec<String>>, ProfileError> {
        let Some(words) = self.texts(key)? else { return Ok(None) };
        let digest = |word: Word<'_>| {
            if is_sha256(word.text) {
                Ok(word.text.to_ascii_lowercase())
            } else {
                Err(word.error("a signer is a SHA-256 digest, expected 64 hexadecimal digits"))
            }
        };
        words.into_iter().map(digest).collect::<Result<_, _>>().map(Some)
    }

    /// Text in the languages of profiles: `"..."` is English, `{ en = "...", ru = "..." }` both.
    ///
    /// # Errors
    /// Another type, an unknown language, a table without English.
    pub fn wording(&self, key: &str) -> Result<Option<Text>, ProfileError> {
        if !self.is_table(key) {
            return Ok(self.text(key)?.map(|word| Text { en: word.text.to_owned(), ru: None }));
        }
        let Some(languages) = self.table(key)? else { return Ok(None) };
        languages.only(&["en", "ru"])?;
        let en = languages.need_text("en")?.text.to_owned();
        Ok(Some(Text { en, ru: languages.text("ru")?.map(|word| word.text.to_owned()) }))
    }

    /// One application id.
    ///
    /// # Errors
    /// As [`Settings::text`], and what Android would not take as an id.
    pub fn maybe_package(&self, key: &str) -> Result<Option<String>, ProfileError> {
        self.text(key)?.map(|word| package(&word)).transpose()
    }

    /// One application id that must be there.
    ///
    /// # Errors
    /// As [`Settings::need_text`], and what Android would not take as an id.
    pub fn need_package(&self, key: &str) -> Result<String, ProfileError> {
        package(&self.need_text(key)?)
    }

    /// A table within this one.
    ///
    /// # Errors
    /// Another type.
    pub fn table(&self, key: &str) -> Result<Option<Settings<'a>>, ProfileError> {
        match self.entry(key) {
            None => Ok(None),
            Some(Entry { key, node: Node { value: Value::Table(table), .. }, .. }) => {
                Ok(Some(Settings { table, document: self.document, name: key }))
            }
            Some(entry) => Err(self.wrong(key, &entry.node, "a table")),
        }
    }

    /// Tables of an array, at least one.
    ///
    /// # Errors
    /// Another type, or an empty array.
    pub fn tables(&self, key: &str) -> Result<Option<Vec<Settings<'a>>>, ProfileError> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let Some(items) = self.array(key, "an array of tables")? else { return Ok(None) };
        let table = |item: &'a Node| match &item.value {
            Value::Table(table) => Ok(Settings { table, document: self.document, name: &entry.key }),
            _ => Err(self.wrong(key, item, "a table")),
        };
        items.iter().map(table).collect::<Result<_, _>>().map(Some)
    }

    /// Items of an array that are texts or tables; may be empty.
    ///
    /// # Errors
    /// Another type.
    pub(super) fn items(&self, key: &str) -> Result<Vec<Item<'a>>, ProfileError> {
        let Some(entry) = self.entry(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = &entry.node.value else {
            return Err(self.wrong(key, &entry.node, "an array of texts and tables"));
        };
        let item = |node: &'a Node| match &node.value {
            Value::Table(table) => Ok(Item::Table(Settings { table, document: self.document, name: &entry.key })),
            Value::Text(_) => self.word(key, node).map(Item::Word),
            _ => Err(self.wrong(key, node, "text or a table")),
        };
        items.iter().map(item).collect()
    }

    /// All of it in one line, keys sorted: equal for equal settings, wherever they stand.
    #[must_use]
    pub fn words(&self) -> String {
        self.table.words()
    }

    /// The place of the table itself.
    pub(super) fn span(&self) -> Range<usize> {
        self.table.span.clone()
    }

    pub(super) fn is_text(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| matches!(entry.node.value, Value::Text(_)))
    }

    pub(super) fn owned(&self) -> Table {
        self.table.clone()
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.table.entries.iter().find(|entry| entry.key == key)
    }

    fn array(&self, key: &str, expected: &str) -> Result<Option<&'a [Node]>, ProfileError> {
        match self.entry(key).map(|entry| &entry.node) {
            None => Ok(None),
            Some(Node { value: Value::Array(items), .. }) if !items.is_empty() => Ok(Some(items)),
            Some(Node { value: Value::Array(_), span }) => {
                Err(self.document.error(span.clone(), format!("`{key}` is empty, expected {expected}")))
            }
            Some(node) => Err(self.wrong(key, node, expected)),
        }
    }

    fn word(&self, key: &str, node: &'a Node) -> Result<Word<'a>, ProfileError> {
        match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                Err(self.document.error(node.span.clone(), format!("`{key}` is blank, expected text")))
            }
            Value::Text(text) => Ok(Word { text, span: &node.span, document: self.document }),
            _ => Err(self.wrong(key, node, "text")),
        }
    }

    fn wrong(&self, key: &str, node: &Node, expected: &str) -> ProfileError {
        let found = node.value.type_name();
        self.document.error(node.span.clone(), format!("`{key}` is {found}, expected {expected}"))
    }
}

fn pick<T: Copy>(key: &str, word: Word<'_>, known: &[(&str, T)]) -> Result<T, ProfileError> {
    match known.iter().find(|(name, _)| *name == word.text) {
        Some((_, value)) => Ok(*value),
        None => Err(word.unknown(&format!("word for `{key}`:"), known.iter().map(|(name, _)| *name))),
    }
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn package(word: &Word<'_>) -> Result<String, ProfileError> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    // "android", the platform itself, is the only id without a dot.
    if word.text == "android" || (word.text.contains('.') && word.text.split('.').all(part)) {
        Ok(word.text.to_owned())
    } else {
        Err(word.error(format!("`{}` is no application id, expected one like `com.example.app`", word.text)))
    }
}
