//! What an expression comes to: values, what is unknown, what is an error; and the steps that are counted.
//!
//! Unknown and error are values: they pass through whatever needs them, and CEL's logic decides without them where what is
//! known decides. Where both meet, the unknown one stays: with the fact known there might be no error.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::super::words::{Phrase, Words, words};
use super::view::Record;
use crate::inventory::Gap;

/// Unknown facts of one answer that are named; the rest is counted.
const NAMED_LACKS: usize = 16;
/// Items of a list, and characters of a text, that are shown to people.
const SHOWN_ITEMS: usize = 6;
const SHOWN_CHARS: usize = 80;
/// Bytes of text that are looked at or copied for one step.
const BYTES_OF_STEP: usize = 16;

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Steps that are left. They are counted, not timed: the same inventory and profile give the same answer on every machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    left: u64,
}

impl Meter {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    #[cfg(test)]
    pub(super) fn left(self) -> u64 {
        self.left
    }

    /// Takes steps: one for each value that is looked at or made.
    pub(super) fn charge(&mut self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.left = match self.left.checked_sub(steps) {
            Some(left) => left,
            None => {
                self.left = 0;
                return Err(Exhausted);
            }
        };
        Ok(())
    }

    /// Takes the steps for a text of that many bytes.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.charge(bytes / BYTES_OF_STEP)
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Flag(bool),
    Number(i64),
    Text(Text<'a>),
    List(Arc<List<'a>>),
    /// Sorted by key, each once.
    Map(Arc<Vec<(Value<'a>, Value<'a>)>>),
    Record(Record<'a>),
    Unknown(Arc<Unknown<'a>>),
    Error(Arc<Error>),
}

/// A text of the inventory or of the expression, or one that was made.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Lent(&'a str),
    Made(Arc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// A list, which may not be known as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct List<'a> {
    /// What it has.
    pub(super) items: Vec<Value<'a>>,
    /// What it may have, each with what is not known of it.
    pub(super) perhaps: Vec<(Value<'a>, Arc<Unknown<'a>>)>,
    /// Why it may have more.
    pub(super) rest: Option<Arc<Unknown<'a>>>,
}

impl<'a> List<'a> {
    /// What is not known of it.
    pub(super) fn unknown(&self) -> Option<Arc<Unknown<'a>>> {
        let lacks = self.perhaps.iter().map(|(_, unknown)| unknown).chain(&self.rest);
        lacks.cloned().reduce(|one, other| one.and(&other))
    }
}

/// What is not known, at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown<'a> {
    pub(super) lacks: Vec<Lack<'a>>,
    /// Whether there are others.
    pub(super) more: bool,
}

/// A fact that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lack<'a> {
    /// The field: `target_sdk`.
    pub(super) field: &'static str,
    /// What it is a field of; empty for a list of packages that may have more.
    pub(super) of: &'a str,
    pub(super) why: Why<'a>,
}

/// Why a fact is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why<'a> {
    Gap(&'a Gap),
    /// It was read, and does not say it.
    Untold(Phrase),
}

impl<'a> Unknown<'a> {
    pub(super) fn one(field: &'static str, of: &'a str, why: Why<'a>) -> Arc<Self> {
        Arc::new(Self { lacks: vec![Lack { field, of, why }], more: false })
    }

    /// Both.
    pub(super) fn and(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        let is_full = self.more && self.lacks.len() == NAMED_LACKS;
        if Arc::ptr_eq(self, other) || is_full || self == other {
            return Arc::clone(self);
        }
        let mut both = Self::clone(self);
        both.more |= other.more;
        for lack in &other.lacks {
            if both.lacks.contains(lack) {
                continue;
            }
            if both.lacks.len() < NAMED_LACKS {
                both.lacks.push(*lack);
            } else {
                both.more = true;
            }
        }
        Arc::new(both)
    }
}

impl Lack<'_> {
    pub(super) fn describe(&self) -> Words {
        let Self { field, of, why } = self;
        match why {
            Why::Gap(_) if of.is_empty() => {
                words!("`{field}` may lack some", "`{field}`: список может быть неполон", field)
            }
            Why::Gap(_) => words!("`{field}` of {of} is unknown", "неизвестно: `{field}`, {of}", field, of),
            Why::Untold(why) => {
                words!("`{field}` of {of} is unknown: {why}", "неизвестно: `{field}`, {of}: {why}", field, of, why)
            }
        }
    }
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error {
    /// The part of the expression.
    pub(super) span: Range<usize>,
    pub(super) what: Words,
}

impl<'a> Value<'a> {
    pub(super) fn error(span: &Range<usize>, what: impl Into<Words>) -> Self {
        Self::Error(Arc::new(Error { span: span.clone(), what: what.into() }))
    }

    pub(super) fn list(items: Vec<Value<'a>>) -> Self {
        Self::List(Arc::new(List { items, ..List::default() }))
    }

    /// An item that may be there or not.
    pub(super) fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_) | Self::Error(_))
    }

    /// The truth value, if it is one.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// In words, shortened.
    pub(super) fn show(&self) -> Words {
        match self {
            Self::Null => Words::plain("null"),
            Self::Flag(flag) => Words::plain(flag.to_string()),
            Self::Number(number) => Words::plain(number.to_string()),
            Self::Text(text) => Words::plain(quote(text.as_str())),
            Self::List(list) => {
                let mut parts: Vec<Words> = list.items.iter().take(SHOWN_ITEMS).map(Value::show).collect();
                parts.extend(beyond_shown(list.items.len()));
                if !list.perhaps.is_empty() {
                    let more = list.perhaps.len();
                    parts.push(words!("perhaps {more} more", "возможно, ещё {more}", more));
                }
                if list.rest.is_some() {
                    parts.push(words!("and what is not known", "и то, что неизвестно"));
                }
                let parts = Words::joined(parts, ", ");
                words!("[{parts}]", "[{parts}]", parts)
            }
            Self::Map(map) => {
                let pair = |(key, value): &(Value<'_>, Value<'_>)| {
                    let (key, value) = (key.show(), value.show());
                    words!("{key}: {value}", "{key}: {value}", key, value)
                };
                let mut parts: Vec<Words> = map.iter().take(SHOWN_ITEMS).map(pair).collect();
                parts.extend(beyond_shown(map.len()));
                let parts = Words::joined(parts, ", ");
                words!("{{{parts}}}", "{{{parts}}}", parts)
            }
            Self::Record(record) => Words::plain(record.name()),
            Self::Unknown(_) => words!("unknown", "неизвестно"),
            Self::Error(error) => words!("an error: {what}", "ошибка: {what}", what = error.what),
        }
    }
}

fn beyond_shown(items: usize) -> Option<Words> {
    let more = items.checked_sub(SHOWN_ITEMS).filter(|more| *more > 0)?;
    Some(words!("{more} more", "ещё {more}", more))
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{:?}...", text.get(..at).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The value that stands for operands of which one is unknown or an error, if one is: unknown ones first.
pub(super) fn strict<'a>(operands: &[&Value<'a>]) -> Option<Value<'a>> {
    let unknown = operands.iter().filter_map(|operand| match operand {
        Value::Unknown(unknown) => Some(Arc::clone(unknown)),
        _ => None,
    });
    if let Some(unknown) = unknown.reduce(|one, other| one.and(&other)) {
        return Some(Value::Unknown(unknown));
    }
    operands.iter().find(|operand| matches!(operand, Value::Error(_))).map(|error| (*error).clone())
}

/// Whether two values are equal; unknown for lists that are not known as a whole and do not differ in what is.
pub(super) fn equal<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Exhausted> {
    meter.charge(1)?;
    if let Some(value) = strict(&[one, other]) {
        return Ok(value);
    }
    Ok(Value::Flag(match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Flag(one), Value::Flag(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => {
            let (one, other) = (one.as_str(), other.as_str());
            meter.text(one.len().min(other.len()))?;
            one == other
        }
        (Value::List(one), Value::List(other)) => {
            let open = one.unknown().into_iter().chain(other.unknown()).reduce(|one, other| one.and(&other));
            if let Some(open) = open {
                return Ok(Value::Unknown(open));
            }
            if one.items.len() != other.items.len() {
                return Ok(Value::Flag(false));
            }
            return all_equal(one.items.iter().zip(&other.items), meter);
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.len() != other.len() {
                return Ok(Value::Flag(false));
            }
            let keys = all_equal(one.iter().zip(other.iter()).map(|(one, other)| (&one.0, &other.0)), meter)?;
            if keys.flag() != Some(true) {
                return Ok(keys);
            }
            return all_equal(one.iter().zip(other.iter()).map(|(one, other)| (&one.1, &other.1)), meter);
        }
        _ => false,
    }))
}

fn all_equal<'a: 'v, 'v>(
    pairs: impl Iterator<Item = (&'v Value<'a>, &'v Value<'a>)>,
    meter: &mut Meter,
) -> Result<Value<'a>, Exhausted> {
    for (one, other) in pairs {
        let same = equal(one, other, meter)?;
        if same.flag() != Some(true) {
            return Ok(same);
        }
    }
    Ok(Value::Flag(true))
}

/// The order of two values that have one.
pub(super) fn order(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Flag(one), Value::Flag(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
        (Value::Text(one), Value::Text(other)) => Some(one.as_str().cmp(other.as_str())),
        _ => None,
    }
}

/// A map of its pairs; an error where a key stands twice.
pub(super) fn sorted<'a>(
    mut pairs: Vec<(Value<'a>, Value<'a>)>,
    span: &Range<usize>,
    meter: &mut Meter,
) -> Result<Value<'a>, Exhausted> {
    meter.charge(pairs.len())?;
    pairs.sort_by(|one, other| order(&one.0, &other.0).unwrap_or(Ordering::Equal));
    for pair in pairs.windows(2) {
        if let [(one, _), (other, _)] = pair
            && equal(one, other, meter)?.flag() == Some(true)
        {
            return Ok(Value::error(
                span,
                words!("the key {key} stands twice", "ключ {key} стоит дважды", key = one.show()),
            ));
        }
    }
    Ok(Value::Map(Arc::new(pairs)))
}
