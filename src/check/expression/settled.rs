//! Nodes of the tree with their types settled: what a parser must not let through is refused here, with its place.

use std::ops::Range;

use regex::RegexBuilder;

use super::lexer::Refusal;
use super::tree::{Node, Relation, Step, Type};
use super::value::Value;
use crate::profile::nearest_word;

/// Nodes below each other, members of members too. Evaluation calls itself as often.
const MAX_HEIGHT: usize = 64;
/// Lists and maps within each other.
const MAX_TYPE_DEPTH: usize = 4;
/// Bytes that a compiled pattern may take. Matching takes time in the length of the text times it, at worst.
const MAX_PATTERN: usize = 64 << 10;

/// A part, and what it comes to.
pub(super) type Typed = (Node, Type);

pub(super) fn fixed(node: &Node) -> Option<Value<'static>> {
    match &node.step {
        Step::Constant(value) => Some(value.clone()),
        _ => None,
    }
}

pub(super) fn leaf(span: Range<usize>, step: Step) -> Node {
    Node { span, step, height: 1 }
}

pub(super) fn constant(span: Range<usize>, value: Value<'static>) -> Node {
    leaf(span, Step::Constant(value))
}

/// A node above others, if that is not too high.
pub(super) fn grown(span: Range<usize>, step: Step) -> Result<Node, Refusal> {
    let mut node = leaf(span, step);
    let below = node.parts().into_iter().map(|part| part.height).max().unwrap_or(0);
    if below >= MAX_HEIGHT {
        return Err(Refusal::new(node.span, format!("nested more than {MAX_HEIGHT} deep, members included")));
    }
    node.height = below + 1;
    Ok(node)
}

pub(super) fn shallow(node: Node, of: Type) -> Result<Typed, Refusal> {
    if of.depth() > MAX_TYPE_DEPTH {
        let message = format!("lists and maps are nested more than {MAX_TYPE_DEPTH} deep");
        return Err(Refusal::new(node.span, message));
    }
    Ok((node, of))
}

pub(super) fn around(nodes: &[Node]) -> Range<usize> {
    let start = nodes.first().map_or(0, |node| node.span.start);
    start..nodes.last().map_or(start, |node| node.span.end)
}

/// One node for a chain of operators of one level.
pub(super) fn chained<O>(
    first: Node,
    more: Vec<(O, Node)>,
    of: Type,
    step: fn(Box<Node>, Vec<(O, Node)>) -> Step,
) -> Result<Typed, Refusal> {
    let Some((_, last)) = more.last() else { return Ok((first, of)) };
    let span = first.span.start..last.span.end;
    shallow(grown(span, step(Box::new(first), more))?, of)
}

pub(super) fn too_large(span: Range<usize>) -> Refusal {
    Refusal::new(span, format!("expected a number from {} to {}", i64::MIN, i64::MAX))
}

pub(super) fn needs(wanted: &Type, found: &Type, node: &Node, place: &str) -> Result<(), Refusal> {
    if found.fits(wanted) {
        return Ok(());
    }
    Err(Refusal::new(node.span.clone(), format!("{found} stands {place}, expected {wanted}")))
}

pub(super) fn met(one: &Type, other: &Type, node: &Node, what: &str) -> Result<Type, Refusal> {
    one.meet(other).ok_or_else(|| {
        Refusal::new(node.span.clone(), format!("this is {other}, that before it {one}: {what} are of one type"))
    })
}

pub(super) fn unknown(span: Range<usize>, what: &str, name: &str, known: &[&str]) -> Refusal {
    let refusal = Refusal::new(span, format!("unknown {what} `{name}`"));
    match nearest_word(name, known.iter().copied()) {
        Some(near) => refusal.with_help(format!("did you mean `{near}`?")),
        None => refusal.with_help(format!("known: {}", known.join(", "))),
    }
}

pub(super) fn related(relation: Relation, left: &Type, right: &Type, span: Range<usize>) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::new(span.clone(), message));
    let item = match (relation, right) {
        (Relation::In, Type::List(item)) => &**item,
        (Relation::In, Type::Map(key, _)) => &**key,
        (Relation::In, Type::Any) => &Type::Any,
        (Relation::In, _) => return refuse(format!("{right} stands behind `in`, expected a list or a map")),
        _ => right,
    };
    let Some(of) = left.meet(item) else {
        return refuse(format!("{left} is compared with {item}, expected the same of both"));
    };
    if of.has_records() {
        return refuse(format!("{of} can't be compared, expected a member of it, as in `.name`"));
    }
    let ordered = matches!(of, Type::Any | Type::Flag | Type::Number | Type::Text);
    let needs_order = !matches!(relation, Relation::Equal | Relation::NotEqual | Relation::In);
    if needs_order && !ordered {
        return refuse(format!("{of} has no order, expected numbers, texts, or true and false"));
    }
    Ok(())
}

pub(super) fn field((of, found): Typed, name: &str, place: Range<usize>) -> Result<Typed, Refusal> {
    let span = of.span.start..place.end;
    match found {
        Type::Record(kind) => {
            let fields = kind.fields();
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                return Err(unknown(place, &format!("field of {}", kind.words()), name, &names));
            };
            Ok((grown(span, Step::Field(Box::new(of), field))?, field.of.of()))
        }
        Type::Map(key, value) => {
            needs(&Type::Text, &key, &of, "as a map of which a member is asked")?;
            Ok((grown(span, Step::Key(Box::new(of), name.to_owned()))?, *value))
        }
        found => Err(Refusal::new(place, format!("`.{name}` is asked of {found}, which has no fields"))),
    }
}

pub(super) fn indexed((of, found): Typed, index: Node, of_index: &Type, place: Range<usize>) -> Result<Typed, Refusal> {
    let span = of.span.start..place.end;
    let value = match found {
        Type::List(item) => {
            needs(&Type::Number, of_index, &index, "as the place in a list")?;
            *item
        }
        Type::Map(key, value) => {
            needs(&key, of_index, &index, "as the key of a map")?;
            *value
        }
        found => return Err(Refusal::new(place, format!("`[...]` stands behind {found}, expected a list or a map"))),
    };
    Ok((grown(span, Step::Index(Box::new(of), Box::new(index)))?, value))
}

pub(super) fn sized(of: Node, found: &Type, span: Range<usize>) -> Result<Typed, Refusal> {
    if !matches!(found, Type::Text | Type::List(_) | Type::Map(..) | Type::Any) {
        return Err(Refusal::new(of.span, format!("{found} has no size, expected text, a list or a map")));
    }
    Ok((grown(span, Step::Size(Box::new(of)))?, Type::Number))
}

/// A pattern is compiled once, when the profile is read.
pub(super) fn pattern(of: Node, argument: &Node) -> Result<Step, Refusal> {
    let Some(Value::Text(pattern)) = fixed(argument) else {
        return Err(Refusal::new(argument.span.clone(), "a pattern is a text as it stands, expected quotes around it"));
    };
    let pattern = pattern.as_str();
    let compiled =
        RegexBuilder::new(pattern).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).nest_limit(32).build();
    let compiled = compiled.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Refusal::new(argument.span.clone(), format!("the pattern can't be used: {last}"))
    })?;
    Ok(Step::Matches(Box::new(of), Box::new(compiled), pattern.len()))
}
