//! An expression, read: every name resolved, every type settled.
//!
//! Operators of one level are kept as one node however many there are, so that only what is nested makes the tree deep.

use std::fmt;
use std::ops::Range;

use regex::Regex;

use super::value::Value;
use super::view::{Field, Kind};

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// What an empty list or map holds: it fits everything.
    Any,
    Null,
    Flag,
    Number,
    Text,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Record(Kind),
}

impl Type {
    pub(super) fn list(of: Type) -> Self {
        Self::List(Box::new(of))
    }

    /// The type that both are, if there is one.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, fits) | (fits, Self::Any) => Some(fits.clone()),
            (Self::List(one), Self::List(other)) => Some(Self::list(one.meet(other)?)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Some(Self::Map(Box::new(key.meet(other_key)?), Box::new(value.meet(other_value)?)))
            }
            _ => (self == other).then(|| self.clone()),
        }
    }

    /// Whether a value of it can be of the other type.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.meet(other).is_some()
    }

    /// Lists and maps within each other.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::List(of) => of.depth() + 1,
            Self::Map(key, value) => key.depth().max(value.depth()) + 1,
            _ => 0,
        }
    }

    /// Whether records are among it: they can't be compared.
    pub(super) fn has_records(&self) -> bool {
        match self {
            Self::Record(_) => true,
            Self::List(of) => of.has_records(),
            Self::Map(key, value) => key.has_records() || value.has_records(),
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Null => f.write_str("null"),
            Self::Flag => f.write_str("true or false"),
            Self::Number => f.write_str("a number"),
            Self::Text => f.write_str("text"),
            Self::List(of) => match **of {
                Self::Any => f.write_str("an empty list"),
                Self::Text => f.write_str("a list of texts"),
                Self::Number => f.write_str("a list of numbers"),
                Self::Record(kind) => write!(f, "a list of {}", kind.plural()),
                _ => f.write_str("a list"),
            },
            Self::Map(..) => f.write_str("a map"),
            Self::Record(kind) => f.write_str(kind.words()),
        }
    }
}

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    /// Bytes of the text.
    pub(super) span: Range<usize>,
    pub(super) step: Step,
    /// Nodes below each other, itself included.
    pub(super) height: usize,
}

/// What a part does.
#[derive(Debug)]
pub(super) enum Step {
    Constant(Value<'static>),
    /// A name that the view gives, by its place among them.
    Root(usize),
    /// A name that a macro gives, by its place among those around it.
    Local(usize),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `&&`
    Every(Vec<Node>),
    /// `||`
    Some(Vec<Node>),
    /// `a ? b : c ? d : e`
    Choose(Vec<(Node, Node)>, Box<Node>),
    /// `a + b - c`
    Arithmetic(Box<Node>, Vec<(Arithmetic, Node)>),
    /// `a == b`, `a < b == c`
    Relate(Box<Node>, Vec<(Relation, Node)>),
    Field(Box<Node>, &'static Field),
    /// `map.key`
    Key(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// `has(record.field)`
    HasField(Box<Node>, &'static Field),
    /// `has(map.key)`
    HasKey(Box<Node>, String),
    Size(Box<Node>),
    Ask(Box<Node>, Question, Box<Node>),
    /// `text.matches('pattern')`, with the length of the pattern.
    Matches(Box<Node>, Box<Regex>, usize),
    Macro(Macro, Box<Node>, Loop),
}

/// Of each item of a list or key of a map.
#[derive(Debug)]
pub(super) struct Loop {
    /// The item's name.
    pub(super) name: String,
    /// The middle part of `map(x, filter, body)`.
    pub(super) filter: Option<Box<Node>>,
    pub(super) body: Box<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}

/// What is asked of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Macro {
    pub(super) const NAMES: [(&'static str, Self); 5] = [
        ("all", Self::All),
        ("exists", Self::Exists),
        ("exists_one", Self::ExistsOne),
        ("filter", Self::Filter),
        ("map", Self::Map),
    ];
}

impl Node {
    /// Parts that it has.
    pub(super) fn parts(&self) -> Vec<&Node> {
        match &self.step {
            Step::Constant(_) | Step::Root(_) | Step::Local(_) => Vec::new(),
            Step::List(items) | Step::Every(items) | Step::Some(items) => items.iter().collect(),
            Step::Map(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Step::Not(of) | Step::Negate(of) | Step::Field(of, _) | Step::Key(of, _) => vec![of],
            Step::HasField(of, _) | Step::HasKey(of, _) | Step::Size(of) | Step::Matches(of, ..) => vec![of],
            Step::Index(one, other) | Step::Ask(one, _, other) => vec![one, other],
            Step::Choose(pairs, last) => pairs.iter().flat_map(|(one, other)| [one, other]).chain([&**last]).collect(),
            Step::Arithmetic(first, more) => [&**first].into_iter().chain(more.iter().map(|(_, node)| node)).collect(),
            Step::Relate(first, more) => [&**first].into_iter().chain(more.iter().map(|(_, node)| node)).collect(),
            Step::Macro(_, range, of) => {
                [&**range].into_iter().chain(of.filter.as_deref()).chain([&*of.body]).collect()
            }
        }
    }

    /// Whether it or a part of it is a name that the view gives.
    pub(super) fn uses(&self, root: impl Fn(usize) -> bool + Copy) -> bool {
        match &self.step {
            Step::Root(place) => root(*place),
            _ => self.parts().into_iter().any(|part| part.uses(root)),
        }
    }
}
