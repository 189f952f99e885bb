//! Tree to value, in counted steps.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::super::words::{Words, phrase, words};
use super::tree::{Arithmetic, Node, Question, Relation, Step};
use super::value::{Exhausted, List, Meter, Text, Unknown, Value, equal, order, sorted, strict};
use super::view::{self, Field, Read, Record, Subject, World};
use crate::inventory::Evidence;

/// Facts of one answer that are kept as evidence.
const MAX_SEEN: usize = 24;

pub(super) type Result<'a> = std::result::Result<Value<'a>, Exhausted>;

/// A fact that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) says: Words,
    pub(super) evidence: &'a Evidence,
}

/// Asks one expression of one inventory.
pub(super) struct Evaluator<'a, 'w> {
    world: &'w World<'a>,
    /// What `pkg` is.
    subject: Option<Subject<'a>>,
    /// Values of the names that macros give.
    pub(super) locals: Vec<Value<'a>>,
    pub(super) meter: &'w mut Meter,
    /// Facts that were read, where they are kept.
    pub(super) seen: Option<Vec<Seen<'a>>>,
    /// Values of names that stand for nothing of an inventory, in tests.
    #[cfg(test)]
    pub(super) bound: Vec<Value<'a>>,
}

impl<'a, 'w> Evaluator<'a, 'w> {
    pub(super) fn new(world: &'w World<'a>, subject: Option<Subject<'a>>, meter: &'w mut Meter) -> Self {
        Self {
            world,
            subject,
            locals: Vec::new(),
            meter,
            seen: None,
            #[cfg(test)]
            bound: Vec::new(),
        }
    }

    /// What a part comes to.
    ///
    /// # Errors
    /// The budget is used up.
    pub(super) fn value(&mut self, node: &'a Node) -> Result<'a> {
        self.meter.charge(1)?;
        let span = &node.span;
        match &node.step {
            Step::Constant(value) => Ok(value.clone()),
            Step::Root(place) => Ok(self.root(*place)),
            Step::Local(slot) => Ok(self.locals.get(*slot).cloned().unwrap_or_else(|| mismatch(span))),
            Step::List(items) => self.list(items),
            Step::Map(pairs) => self.map(pairs, span),
            Step::Not(of) => Ok(match self.value(of)? {
                Value::Flag(flag) => Value::Flag(!flag),
                other => passed(other, span),
            }),
            Step::Negate(of) => Ok(match self.value(of)? {
                Value::Number(number) => number.checked_neg().map_or_else(|| overflow(span), Value::Number),
                other => passed(other, span),
            }),
            Step::Every(nodes) => self.logic(nodes, false),
            Step::Some(nodes) => self.logic(nodes, true),
            Step::Choose(pairs, last) => {
                for (condition, then) in pairs {
                    match self.value(condition)? {
                        Value::Flag(true) => return self.value(then),
                        Value::Flag(false) => {}
                        other => return Ok(passed(other, span)),
                    }
                }
                self.value(last)
            }
            Step::Arithmetic(first, more) => {
                let mut value = self.value(first)?;
                for (sign, node) in more {
                    let right = self.value(node)?;
                    value = self.calculate(*sign, &value, &right, span)?;
                }
                Ok(value)
            }
            Step::Relate(first, more) => {
                let mut value = self.value(first)?;
                for (relation, node) in more {
                    let right = self.value(node)?;
                    value = self.relate(*relation, &value, &right, span)?;
                }
                Ok(value)
            }
            Step::Field(of, field) => match self.value(of)? {
                Value::Record(record) => self.field(record, field),
                other => Ok(passed(other, span)),
            },
            Step::Key(of, key) => {
                let of = self.value(of)?;
                self.keyed(of, &Value::Text(Text::Lent(key)), span)
            }
            Step::Index(of, index) => {
                let of = self.value(of)?;
                let index = self.value(index)?;
                self.keyed(of, &index, span)
            }
            Step::HasField(of, field) => match self.value(of)? {
                Value::Record(record) => {
                    let value = self.field(record, field)?;
                    Ok(present(value, span))
                }
                other => Ok(passed(other, span)),
            },
            Step::HasKey(of, key) => {
                let of = self.value(of)?;
                self.member(&Value::Text(Text::Lent(key)), &of, span)
            }
            Step::Size(of) => {
                let of = self.value(of)?;
                self.size(of, span)
            }
            Step::Ask(of, question, argument) => {
                let of = self.value(of)?;
                let argument = self.value(argument)?;
                self.ask(&of, *question, &argument, span)
            }
            Step::Matches(of, pattern, length) => match self.value(of)? {
                Value::Text(text) => {
                    let text = text.as_str();
                    // At worst each of the text's bytes is held against each of the pattern's.
                    self.meter.text(text.len().saturating_mul(length + 1))?;
                    Ok(Value::Flag(pattern.is_match(text)))
                }
                other => Ok(passed(other, span)),
            },
            Step::Macro(kind, range, of) => {
                let range = self.value(range)?;
                self.looped(*kind, range, of, span)
            }
        }
    }

    fn root(&self, place: usize) -> Value<'a> {
        #[cfg(test)]
        if let Some(value) = self.bound.get(place) {
            return value.clone();
        }
        match place {
            view::PKG => self.subject.map_or_else(|| mismatch(&(0..0)), |of| Value::Record(Record::Package(of))),
            view::PACKAGES => self.world.packages(),
            view::SELECTED => self.world.selected.get().cloned().unwrap_or_else(|| mismatch(&(0..0))),
            view::DEVICE => Value::Record(Record::Device),
            view::AS_OF => Value::Text(Text::Made(Arc::from(self.world.context.as_of.to_string()))),
            _ => mismatch(&(0..0)),
        }
    }

    fn list(&mut self, nodes: &'a [Node]) -> Result<'a> {
        let mut items = Vec::new();
        for node in nodes {
            items.push(self.value(node)?);
        }
        Ok(strict(&items.iter().collect::<Vec<_>>()).unwrap_or_else(|| Value::list(items)))
    }

    fn map(&mut self, nodes: &'a [(Node, Node)], span: &Range<usize>) -> Result<'a> {
        let mut pairs = Vec::new();
        for (key, value) in nodes {
            pairs.push((self.value(key)?, self.value(value)?));
        }
        let all: Vec<&Value<'a>> = pairs.iter().flat_map(|(key, value)| [key, value]).collect();
        match strict(&all) {
            Some(value) => Ok(value),
            None => sorted(pairs, span, self.meter),
        }
    }

    /// `&&`, which `false` decides, and `||`, which `true` decides, whatever stands beside it.
    fn logic(&mut self, nodes: &'a [Node], decides: bool) -> Result<'a> {
        let mut open = Open::default();
        for node in nodes {
            let value = self.value(node)?;
            if value.flag() == Some(decides) {
                return Ok(value);
            }
            open.add(value, &node.span);
        }
        Ok(open.or(Value::Flag(!decides)))
    }

    fn calculate(&mut self, sign: Arithmetic, one: &Value<'a>, other: &Value<'a>, span: &Range<usize>) -> Result<'a> {
        if let Some(value) = strict(&[one, other]) {
            return Ok(value);
        }
        Ok(match (sign, one, other) {
            (Arithmetic::Add, Value::Text(one), Value::Text(other)) => {
                let (one, other) = (one.as_str(), other.as_str());
                self.meter.text(one.len() + other.len())?;
                Value::Text(Text::Made(Arc::from([one, other].concat())))
            }
            (Arithmetic::Add, Value::List(one), Value::List(other)) => {
                self.meter.charge(one.items.len() + other.items.len())?;
                self.meter.charge(one.perhaps.len() + other.perhaps.len())?;
                let rest = one.rest.iter().chain(&other.rest).cloned().reduce(|one, other| one.and(&other));
                Value::List(Arc::new(List {
                    items: one.items.iter().chain(&other.items).cloned().collect(),
                    perhaps: one.perhaps.iter().chain(&other.perhaps).cloned().collect(),
                    rest,
                }))
            }
            (_, Value::Number(_), Value::Number(0)) if matches!(sign, Arithmetic::Divide | Arithmetic::Remainder) => {
                Value::error(span, phrase("a division by zero", "деление на ноль"))
            }
            (_, Value::Number(one), Value::Number(other)) => {
                let result = match sign {
                    Arithmetic::Add => one.checked_add(*other),
                    Arithmetic::Subtract => one.checked_sub(*other),
                    Arithmetic::Multiply => one.checked_mul(*other),
                    Arithmetic::Divide => one.checked_div(*other),
                    Arithmetic::Remainder => one.checked_rem(*other),
                };
                result.map_or_else(|| overflow(span), Value::Number)
            }
            _ => mismatch(span),
        })
    }

    fn relate(&mut self, relation: Relation, one: &Value<'a>, other: &Value<'a>, span: &Range<usize>) -> Result<'a> {
        if let Some(value) = strict(&[one, other]) {
            return Ok(value);
        }
        let fits: fn(Ordering) -> bool = match relation {
            Relation::In => return self.member(one, other, span),
            Relation::Equal => return equal(one, other, self.meter),
            Relation::NotEqual => {
                return Ok(match equal(one, other, self.meter)? {
                    Value::Flag(flag) => Value::Flag(!flag),
                    other => other,
                });
            }
            Relation::Less => Ordering::is_lt,
            Relation::AtMost => Ordering::is_le,
            Relation::Greater => Ordering::is_gt,
            Relation::AtLeast => Ordering::is_ge,
        };
        if let (Value::Text(one), Value::Text(other)) = (one, other) {
            self.meter.text(one.as_str().len().min(other.as_str().len()))?;
        }
        Ok(order(one, other).map_or_else(|| mismatch(span), |order| Value::Flag(fits(order))))
    }

    /// Whether a list has an item, or a map a key.
    fn member(&mut self, item: &Value<'a>, of: &Value<'a>, span: &Range<usize>) -> Result<'a> {
        match of {
            Value::List(list) => {
                let mut open = Open::default();
                for other in &list.items {
                    let value = equal(item, other, self.meter)?;
                    if value.flag() == Some(true) {
                        return Ok(value);
                    }
                    open.add(value, span);
                }
                for (other, unknown) in &list.perhaps {
                    if equal(item, other, self.meter)?.flag() != Some(false) {
                        open.unknown(unknown);
                    }
                }
                list.rest.iter().for_each(|rest| open.unknown(rest));
                Ok(open.or(Value::Flag(false)))
            }
            Value::Map(map) => {
                for (key, _) in map.iter() {
                    let value = equal(item, key, self.meter)?;
                    if value.flag() == Some(true) {
                        return Ok(value);
                    }
                }
                Ok(Value::Flag(false))
            }
            other => Ok(passed(other.clone(), span)),
        }
    }

    /// An item of a list by its place, or a value of a map by its key.
    fn keyed(&mut self, of: Value<'a>, key: &Value<'a>, span: &Range<usize>) -> Result<'a> {
        if let Some(value) = strict(&[&of, key]) {
            return Ok(value);
        }
        match (&of, key) {
            (Value::List(list), Value::Number(place)) => {
                // Where more may stand between them, no item has a place.
                if let Some(unknown) = list.unknown() {
                    return Ok(Value::Unknown(unknown));
                }
                let item = usize::try_from(*place).ok().and_then(|place| list.items.get(place));
                Ok(item.cloned().unwrap_or_else(|| {
                    let many = list.items.len();
                    let what = words!(
                        "there is no place {place} in a list of {many}",
                        "в списке из {many} нет места {place}",
                        place,
                        many
                    );
                    Value::error(span, what)
                }))
            }
            (Value::Map(map), _) => {
                for (other, value) in map.iter() {
                    if equal(key, other, self.meter)?.flag() == Some(true) {
                        return Ok(value.clone());
                    }
                }
                Ok(Value::error(span, words!("there is no key {key}", "нет ключа {key}", key = key.show())))
            }
            _ => Ok(mismatch(span)),
        }
    }

    fn field(&mut self, record: Record<'a>, field: &'static Field) -> Result<'a> {
        let (value, evidence) = match field.read(record, self.world) {
            Read::Known(value, evidence) => (value, evidence),
            Read::Unknown(why) => return Ok(Value::Unknown(Unknown::one(field.name, record.name(), why))),
        };
        // What was made for it is paid for.
        match &value {
            Value::List(list) => self.meter.charge(list.items.len() + list.perhaps.len())?,
            Value::Map(map) => self.meter.charge(map.len())?,
            _ => {}
        }
        if let (Some(seen), Some(evidence)) = (&mut self.seen, evidence)
            && seen.len() < MAX_SEEN
        {
            let (field, of, value) = (field.name, record.name(), value.show());
            let fact = Seen {
                says: words!("{field} of {of}: {value}", "{field} ({of}): {value}", field, of, value),
                evidence,
            };
            if !seen.contains(&fact) {
                seen.push(fact);
            }
        }
        Ok(value)
    }

    fn size(&mut self, of: Value<'a>, span: &Range<usize>) -> Result<'a> {
        let size = match &of {
            Value::Text(text) => {
                self.meter.text(text.as_str().len())?;
                text.as_str().chars().count()
            }
            Value::List(list) => match list.unknown() {
                Some(unknown) => return Ok(Value::Unknown(unknown)),
                None => list.items.len(),
            },
            Value::Map(map) => map.len(),
            _ => return Ok(passed(of, span)),
        };
        Ok(i64::try_from(size).map_or_else(|_| overflow(span), Value::Number))
    }

    fn ask(&mut self, of: &Value<'a>, question: Question, argument: &Value<'a>, span: &Range<usize>) -> Result<'a> {
        if let Some(value) = strict(&[of, argument]) {
            return Ok(value);
        }
        let (Value::Text(of), Value::Text(argument)) = (of, argument) else { return Ok(mismatch(span)) };
        let (of, argument) = (of.as_str(), argument.as_str());
        self.meter.text(of.len() + argument.len())?;
        Ok(Value::Flag(match question {
            Question::Contains => of.contains(argument),
            Question::StartsWith => of.starts_with(argument),
            Question::EndsWith => of.ends_with(argument),
        }))
    }
}

/// What keeps something from being decided: unknown facts before errors, of which the first stays.
#[derive(Default)]
pub(super) struct Open<'a> {
    unknown: Option<Arc<Unknown<'a>>>,
    error: Option<Value<'a>>,
}

impl<'a> Open<'a> {
    pub(super) fn add(&mut self, value: Value<'a>, span: &Range<usize>) {
        match value {
            Value::Flag(_) => {}
            Value::Unknown(unknown) => self.unknown(&unknown),
            other => {
                self.error.get_or_insert_with(|| passed(other, span));
            }
        }
    }

    pub(super) fn unknown(&mut self, more: &Arc<Unknown<'a>>) {
        self.unknown = Some(match &self.unknown {
            Some(unknown) => unknown.and(more),
            None => Arc::clone(more),
        });
    }

    /// That, or the value where there is nothing.
    pub(super) fn or(self, value: Value<'a>) -> Value<'a> {
        self.unknown.map(Value::Unknown).or(self.error).unwrap_or(value)
    }
}

/// `has` of a field: whether it is other than empty, zero or false.
fn present<'a>(value: Value<'a>, span: &Range<usize>) -> Value<'a> {
    Value::Flag(match &value {
        Value::Flag(flag) => *flag,
        Value::Number(number) => *number != 0,
        Value::Text(text) => !text.as_str().is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::List(list) if !list.items.is_empty() => true,
        Value::List(list) => match list.unknown() {
            Some(unknown) => return Value::Unknown(unknown),
            None => false,
        },
        _ => return passed(value, span),
    })
}

/// What is unknown or an error goes on; anything else has a type that it should not have.
pub(super) fn passed<'a>(value: Value<'a>, span: &Range<usize>) -> Value<'a> {
    if value.is_certain() { mismatch(span) } else { value }
}

/// Types are settled before: this is the answer should one slip through.
fn mismatch(span: &Range<usize>) -> Value<'static> {
    Value::error(span, phrase("a value of another type than is needed", "значение не того типа, который нужен"))
}

fn overflow(span: &Range<usize>) -> Value<'static> {
    Value::error(span, phrase("a number that does not fit 64 bits", "число, которое не помещается в 64 бита"))
}
