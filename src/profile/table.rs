//! The tables of a TOML file, owned, with their places in it.

use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ProfileError;

/// A file's text, to show places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) file: String,
    pub(super) text: String,
}

/// A table of the file, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) span: Range<usize>,
    /// In the order of the file.
    pub(super) entries: Vec<Entry>,
}

impl Table {
    /// All of it in one line, keys sorted: equal for equal tables, wherever they stand.
    pub(super) fn words(&self) -> String {
        let mut entries: Vec<String> =
            self.entries.iter().map(|entry| format!("{} = {}", entry.key, entry.node.value.words())).collect();
        entries.sort();
        format!("{{ {} }}", entries.join(", "))
    }

    /// A table that was left out; `span` is where it should stand.
    pub(super) fn empty(span: Range<usize>) -> Self {
        Self { span, entries: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    /// As it stands in the file.
    Float(String),
    Flag(bool),
    Date(Date),
    Array(Vec<Node>),
    Table(Table),
    /// A type that profiles do not use, by name.
    Other(&'static str),
}

impl Document {
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> ProfileError {
        ProfileError::at(&self.file, &self.text, span, message)
    }

    /// The whole file as a table.
    pub(super) fn parse(&self) -> Result<Table, ProfileError> {
        let root = DeTable::parse(&self.text).map_err(|error| {
            let mut message = error.message().lines().collect::<Vec<_>>().join(", ");
            if message == "duplicate key" {
                message.push_str(", expected each once");
            }
            match error.span() {
                Some(span) => self.error(span, format!("not TOML: {message}")),
                None => ProfileError::whole(&self.file, format!("not TOML: {message}")),
            }
        })?;
        self.table(root.get_ref(), 0..0)
    }

    // Depth is bounded by the parser's own limit on nesting.
    fn table(&self, table: &DeTable<'_>, span: Range<usize>) -> Result<Table, ProfileError> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let node = self.node(value)?;
            entries.push(Entry { key: key.get_ref().to_string(), key_span: key.span(), node });
        }
        entries.sort_by_key(|entry| entry.key_span.start);
        Ok(Table { span, entries })
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Result<Node, ProfileError> {
        let span = value.span();
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => return Err(self.error(span, "expected an integer of at most 64 bits")),
            },
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(moment) => match (moment.date, moment.time, moment.offset) {
                (Some(date), None, None) => Value::Date(self.date(date, &span)?),
                _ => Value::Other("a time of day"),
            },
            DeValue::Array(items) => {
                Value::Array(items.iter().map(|item| self.node(item)).collect::<Result<Vec<_>, _>>()?)
            }
            DeValue::Table(table) => Value::Table(self.table(table, span.clone())?),
            DeValue::Float(number) => Value::Float(number.as_str().to_owned()),
        };
        Ok(Node { span, value })
    }

    fn date(&self, date: toml::value::Date, span: &Range<usize>) -> Result<Date, ProfileError> {
        let number = |part: u8| i8::try_from(part).unwrap_or(-1);
        i16::try_from(date.year)
            .ok()
            .and_then(|year| Date::new(year, number(date.month), number(date.day)).ok())
            .ok_or_else(|| self.error(span.clone(), "there is no such day in the calendar"))
    }
}

impl Value {
    fn words(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Array(items) => {
                format!("[{}]", items.iter().map(|item| item.value.words()).collect::<Vec<_>>().join(", "))
            }
            Self::Table(table) => table.words(),
            Self::Other(name) => (*name).to_owned(),
        }
    }

    /// What it is, for a message.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }
}
