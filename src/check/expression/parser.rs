//! Text to tree: CEL's grammar, with names and types settled on the way.
//!
//! Stricter than CEL where a rule would be wrong on every device: lists and maps hold one type, only equal types are
//! compared, a name stands for one thing.

use std::ops::Range;
use std::sync::Arc;

use super::lexer::{Refusal, Token, absent, tokens};
use super::settled::{
    Typed, around, chained, constant, field, fixed, grown, indexed, leaf, met, needs, pattern, related, shallow, sized,
    too_large, unknown,
};
use super::tree::{Arithmetic, Loop, Macro, Node, Question, Relation, Step, Type};
use super::value::{Text, Value, sorted};
use super::view::Root;
use super::{Meter, STEPS};

/// Bytes of the longest expression: a list of some hundred application ids.
pub(super) const MAX_BYTES: usize = 16 << 10;
/// Brackets, calls and signs within each other. What people can still read needs a quarter of it.
pub(super) const MAX_NESTING: usize = 32;

/// CEL's words that are no names (`in` and the constants are looked at before).
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Methods, with those of macros.
const METHODS: [&str; 10] =
    ["all", "contains", "endsWith", "exists", "exists_one", "filter", "map", "matches", "size", "startsWith"];
const FUNCTIONS: [&str; 2] = ["has", "size"];
/// Functions of CEL that are not among them.
const ABSENT: [&str; 17] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "getDate",
    "getDayOfMonth",
    "getFullYear",
    "getHours",
    "getMonth",
    "int",
    "lowerAscii",
    "string",
    "timestamp",
    "type",
    "uint",
    "upperAscii",
];

/// The tree of an expression that comes to true or false.
///
/// # Errors
/// What is no CEL, no name, or of another type than is needed, with its place.
pub(super) fn condition(text: &str, roots: &[Root]) -> Result<Node, Refusal> {
    let (node, of) = expression(text, roots)?;
    if of.fits(&Type::Flag) {
        return Ok(node);
    }
    Err(Refusal::new(node.span, format!("the expression comes to {of}, expected true or false")))
}

/// The tree of an expression, and what it comes to.
///
/// # Errors
/// As [`condition`], but for the type.
pub(super) fn expression(text: &str, roots: &[Root]) -> Result<Typed, Refusal> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression has {} bytes, expected at most {MAX_BYTES}", text.len());
        return Err(Refusal::new(0..0, message));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, roots, locals: Vec::new(), nesting: 0 };
    let typed = parser.choice()?;
    match parser.peek() {
        Token::End => Ok(typed),
        token => {
            Err(Refusal::new(parser.span(), format!("expected an operator or the end, found {}", token.describe())))
        }
    }
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, Range<usize>)>,
    at: usize,
    roots: &'t [Root],
    /// Names that macros give, outermost first.
    locals: Vec<(String, Type)>,
    nesting: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &Token<'t> {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(0..0, |(_, span)| span.clone())
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Token::Mark(found) if *found == mark)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Result<(), Refusal> {
        if self.take(mark) {
            return Ok(());
        }
        Err(Refusal::new(self.span(), format!("expected `{mark}`, found {}", self.peek().describe())))
    }

    /// Something within brackets or behind a sign.
    fn within<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        if self.nesting == MAX_NESTING {
            return Err(Refusal::new(self.span(), format!("nested more than {MAX_NESTING} deep")));
        }
        self.nesting += 1;
        let result = part(self);
        self.nesting -= 1;
        result
    }

    /// `a ? b : c`
    fn choice(&mut self) -> Result<Typed, Refusal> {
        let start = self.span().start;
        let mut pairs = Vec::new();
        let mut of = Type::Any;
        loop {
            let (node, found) = self.either()?;
            if !self.take("?") {
                let of = met(&of, &found, &node, "both ways of `? :`")?;
                if pairs.is_empty() {
                    return Ok((node, of));
                }
                let span = start..node.span.end;
                return Ok((grown(span, Step::Choose(pairs, Box::new(node)))?, of));
            }
            needs(&Type::Flag, &found, &node, "before `?`")?;
            let (then, other) = self.within(Self::either)?;
            of = met(&of, &other, &then, "both ways of `? :`")?;
            self.expect(":")?;
            pairs.push((node, then));
        }
    }

    /// `a || b`
    fn either(&mut self) -> Result<Typed, Refusal> {
        self.logic("||", Self::both, Step::Some)
    }

    /// `a && b`
    fn both(&mut self) -> Result<Typed, Refusal> {
        self.logic("&&", Self::relation, Step::Every)
    }

    fn logic(
        &mut self,
        mark: &str,
        operand: fn(&mut Self) -> Result<Typed, Refusal>,
        step: fn(Vec<Node>) -> Step,
    ) -> Result<Typed, Refusal> {
        let (first, of) = operand(self)?;
        if !self.is(mark) {
            return Ok((first, of));
        }
        needs(&Type::Flag, &of, &first, &format!("beside `{mark}`"))?;
        let mut nodes = vec![first];
        while self.take(mark) {
            let (node, of) = operand(self)?;
            needs(&Type::Flag, &of, &node, &format!("beside `{mark}`"))?;
            nodes.push(node);
        }
        Ok((grown(around(&nodes), step(nodes))?, Type::Flag))
    }

    fn relation(&mut self) -> Result<Typed, Refusal> {
        let (first, mut of) = self.sum()?;
        let mut more: Vec<(Relation, Node)> = Vec::new();
        loop {
            let relation = match self.peek() {
                Token::Mark("==") => Relation::Equal,
                Token::Mark("!=") => Relation::NotEqual,
                Token::Mark("<") => Relation::Less,
                Token::Mark("<=") => Relation::AtMost,
                Token::Mark(">") => Relation::Greater,
                Token::Mark(">=") => Relation::AtLeast,
                Token::Name("in") => Relation::In,
                _ => break,
            };
            let mark = self.span();
            self.at += 1;
            let (node, right) = self.sum()?;
            related(relation, &of, &right, mark.start..node.span.end)?;
            of = Type::Flag;
            more.push((relation, node));
        }
        chained(first, more, of, Step::Relate)
    }

    fn sum(&mut self) -> Result<Typed, Refusal> {
        let (first, mut of) = self.product()?;
        let mut more = Vec::new();
        loop {
            let (word, sign) = match self.peek() {
                Token::Mark("+") => ("+", Arithmetic::Add),
                Token::Mark("-") => ("-", Arithmetic::Subtract),
                _ => break,
            };
            let mark = self.span();
            self.at += 1;
            let (node, right) = self.product()?;
            let added = of.meet(&right).filter(|of| match of {
                Type::Text | Type::List(_) => sign == Arithmetic::Add,
                of => of.fits(&Type::Number),
            });
            of = added.ok_or_else(|| {
                Refusal::new(mark.start..node.span.end, format!("`{word}` stands between {of} and {right}"))
                    .with_help("numbers are added and subtracted, texts and lists of one type put together by `+`")
            })?;
            more.push((sign, node));
        }
        chained(first, more, of, Step::Arithmetic)
    }

    fn product(&mut self) -> Result<Typed, Refusal> {
        let (first, of) = self.sign()?;
        let mut more = Vec::new();
        loop {
            let (word, sign) = match self.peek() {
                Token::Mark("*") => ("beside `*`", Arithmetic::Multiply),
                Token::Mark("/") => ("beside `/`", Arithmetic::Divide),
                Token::Mark("%") => ("beside `%`", Arithmetic::Remainder),
                _ => break,
            };
            if more.is_empty() {
                needs(&Type::Number, &of, &first, word)?;
            }
            self.at += 1;
            let (node, right) = self.sign()?;
            needs(&Type::Number, &right, &node, word)?;
            more.push((sign, node));
        }
        let of = if more.is_empty() { of } else { Type::Number };
        chained(first, more, of, Step::Arithmetic)
    }

    fn sign(&mut self) -> Result<Typed, Refusal> {
        let start = self.span().start;
        if self.take("!") {
            let (node, of) = self.within(Self::sign)?;
            needs(&Type::Flag, &of, &node, "behind `!`")?;
            return Ok((grown(start..node.span.end, Step::Not(Box::new(node)))?, Type::Flag));
        }
        if !self.is("-") {
            return self.member();
        }
        self.at += 1;
        // The sign belongs to the number: the least one has no positive form.
        if let Token::Number(number) = *self.peek() {
            let span = start..self.span().end;
            self.at += 1;
            let number = 0_i64.checked_sub_unsigned(number).ok_or_else(|| too_large(span.clone()))?;
            return self.members((constant(span, Value::Number(number)), Type::Number));
        }
        let (node, of) = self.within(Self::sign)?;
        needs(&Type::Number, &of, &node, "behind `-`")?;
        Ok((grown(start..node.span.end, Step::Negate(Box::new(node)))?, Type::Number))
    }

    fn member(&mut self) -> Result<Typed, Refusal> {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// `.name`, `.name(...)` and `[...]` behind something.
    fn members(&mut self, mut of: Typed) -> Result<Typed, Refusal> {
        loop {
            let dot = self.span().start;
            if self.take(".") {
                let place = self.span();
                let Token::Name(name) = *self.peek() else {
                    let found = self.peek().describe();
                    return Err(Refusal::new(place, format!("expected a name behind `.`, found {found}")));
                };
                self.at += 1;
                of = if self.is("(") { self.method(of, name, place)? } else { field(of, name, place)? };
            } else if self.take("[") {
                let (index, of_index) = self.within(Self::choice)?;
                self.expect("]")?;
                of = indexed(of, index, &of_index, self.behind(dot))?;
            } else {
                return Ok(of);
            }
        }
    }

    /// From there to the end of the last token.
    fn behind(&self, start: usize) -> Range<usize> {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        start..last.map_or(start, |(_, span)| span.end)
    }

    fn method(&mut self, (of, found): Typed, name: &str, place: Range<usize>) -> Result<Typed, Refusal> {
        if let Some((_, kind)) = Macro::NAMES.iter().find(|(word, _)| *word == name) {
            return self.looped(*kind, name, (of, found), place);
        }
        let question = match name {
            "contains" => Some(Question::Contains),
            "startsWith" => Some(Question::StartsWith),
            "endsWith" => Some(Question::EndsWith),
            "size" | "matches" => None,
            _ if ABSENT.contains(&name) => {
                return Err(absent(place, &format!("`{name}`"), &format!("methods: {}", METHODS.join(", "))));
            }
            _ => return Err(unknown(place, "method", name, &METHODS)),
        };
        let start = of.span.start;
        self.expect("(")?;
        if name == "size" {
            self.expect(")")?;
            return sized(of, &found, self.behind(start));
        }
        needs(&Type::Text, &found, &of, &format!("before `.{name}`"))?;
        let (argument, found) = self.within(Self::choice)?;
        needs(&Type::Text, &found, &argument, &format!("within `{name}`"))?;
        self.expect(")")?;
        let span = self.behind(start);
        let step = match question {
            Some(question) => Step::Ask(Box::new(of), question, Box::new(argument)),
            None => pattern(of, &argument)?,
        };
        Ok((grown(span, step)?, Type::Flag))
    }

    /// A macro over a list or the keys of a map.
    fn looped(&mut self, kind: Macro, word: &str, (of, found): Typed, place: Range<usize>) -> Result<Typed, Refusal> {
        let item = match found {
            Type::List(item) => *item,
            Type::Map(key, _) => *key,
            Type::Any => Type::Any,
            found => {
                return Err(Refusal::new(place, format!("`{word}` is asked of {found}, expected a list or a map")));
            }
        };
        let start = of.span.start;
        self.expect("(")?;
        let at = self.span();
        let Token::Name(name) = *self.peek() else {
            let found = self.peek().describe();
            return Err(Refusal::new(
                at,
                format!("expected a name for the items, as in `{word}(x, ...)`, found {found}"),
            ));
        };
        self.at += 1;
        self.free(name, at)?;
        self.expect(",")?;
        self.locals.push((name.to_owned(), item.clone()));
        let result = self.within(|parser| {
            let first = parser.choice()?;
            let second = if kind == Macro::Map && parser.take(",") { Some(parser.choice()?) } else { None };
            Ok((first, second))
        });
        self.locals.pop();
        let (first, second) = result?;
        self.expect(")")?;
        let (filter, (body, found)) = match second {
            Some(second) => {
                needs(&Type::Flag, &first.1, &first.0, "as the condition of `map`")?;
                (Some(Box::new(first.0)), second)
            }
            None => (None, first),
        };
        if kind != Macro::Map {
            needs(&Type::Flag, &found, &body, &format!("within `{word}`"))?;
        }
        let of_result = match kind {
            Macro::All | Macro::Exists | Macro::ExistsOne => Type::Flag,
            Macro::Filter => Type::list(item),
            Macro::Map => Type::list(found),
        };
        let each = Loop { name: name.to_owned(), filter, body: Box::new(body) };
        shallow(grown(self.behind(start), Step::Macro(kind, Box::new(of), each))?, of_result)
    }

    /// Refuses a name that stands for something already.
    fn free(&self, name: &str, place: Range<usize>) -> Result<(), Refusal> {
        let taken =
            self.locals.iter().any(|(local, _)| local == name) || self.roots.iter().any(|root| root.name == name);
        if taken {
            return Err(Refusal::new(place, format!("`{name}` stands for something already, expected another name")));
        }
        if ["in", "true", "false", "null"].contains(&name) || RESERVED.contains(&name) {
            return Err(Refusal::new(place, format!("`{name}` is a word of CEL, expected a name")));
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<Typed, Refusal> {
        let span = self.span();
        let token = self.peek().clone();
        self.at += 1;
        match token {
            Token::Number(number) => {
                let number = i64::try_from(number).map_err(|_| too_large(span.clone()))?;
                Ok((constant(span, Value::Number(number)), Type::Number))
            }
            Token::Text(text) => Ok((constant(span, Value::Text(Text::Made(Arc::from(text)))), Type::Text)),
            Token::Name("true") => Ok((constant(span, Value::Flag(true)), Type::Flag)),
            Token::Name("false") => Ok((constant(span, Value::Flag(false)), Type::Flag)),
            Token::Name("null") => Ok((constant(span, Value::Null), Type::Null)),
            Token::Name(name) if self.is("(") => self.function(name, span),
            Token::Name(name) => self.name(name, span),
            Token::Mark("(") => {
                let (mut node, of) = self.within(Self::choice)?;
                self.expect(")")?;
                node.span = self.behind(span.start);
                Ok((node, of))
            }
            Token::Mark("[") => self.list(span.start),
            Token::Mark("{") => self.map(span.start),
            token => Err(Refusal::new(span, format!("expected a value, found {}", token.describe()))),
        }
    }

    fn name(&mut self, name: &str, span: Range<usize>) -> Result<Typed, Refusal> {
        if let Some(slot) = self.locals.iter().rposition(|(local, _)| local == name) {
            let of = self.locals.get(slot).map_or(Type::Any, |(_, of)| of.clone());
            return Ok((leaf(span, Step::Local(slot)), of));
        }
        if let Some(place) = self.roots.iter().position(|root| root.name == name) {
            let of = self.roots.get(place).map_or(Type::Any, Root::of);
            return Ok((leaf(span, Step::Root(place)), of));
        }
        if RESERVED.contains(&name) || name == "in" {
            let refusal = Refusal::new(span, format!("`{name}` is a word of CEL, expected a value"));
            return Err(if name == "package" { refusal.with_help("the package is `pkg`") } else { refusal });
        }
        let known: Vec<&str> = self
            .locals
            .iter()
            .map(|(local, _)| local.as_str())
            .chain(self.roots.iter().map(|root| root.name))
            .collect();
        Err(unknown(span, "name", name, &known))
    }

    fn function(&mut self, name: &str, span: Range<usize>) -> Result<Typed, Refusal> {
        match name {
            "size" => {
                self.expect("(")?;
                let (of, found) = self.within(Self::choice)?;
                self.expect(")")?;
                sized(of, &found, self.behind(span.start))
            }
            "has" => {
                self.expect("(")?;
                let (of, _) = self.within(Self::choice)?;
                self.expect(")")?;
                let step = match of.step {
                    Step::Field(of, field) => Step::HasField(of, field),
                    Step::Key(of, key) => Step::HasKey(of, key),
                    _ => return Err(Refusal::new(of.span, "`has` takes a member, as in `has(pkg.label)`")),
                };
                Ok((grown(self.behind(span.start), step)?, Type::Flag))
            }
            _ if ABSENT.contains(&name) => {
                Err(absent(span, &format!("`{name}`"), &format!("functions: {}", FUNCTIONS.join(", "))))
            }
            _ if METHODS.contains(&name) => {
                let message = format!("`{name}` stands behind what it is asked of");
                Err(Refusal::new(span, message).with_help(format!("x.{name}(...)")))
            }
            _ => Err(unknown(span, "function", name, &FUNCTIONS)),
        }
    }

    fn list(&mut self, start: usize) -> Result<Typed, Refusal> {
        let (mut items, mut of) = (Vec::new(), Type::Any);
        while !self.is("]") {
            let (node, found) = self.within(Self::choice)?;
            of = met(&of, &found, &node, "all items of a list")?;
            items.push(node);
            if !self.take(",") {
                break;
            }
        }
        self.expect("]")?;
        let span = self.behind(start);
        let values: Option<Vec<Value<'static>>> = items.iter().map(fixed).collect();
        let node = match values {
            Some(values) => constant(span, Value::list(values)),
            None => grown(span, Step::List(items))?,
        };
        shallow(node, Type::list(of))
    }

    fn map(&mut self, start: usize) -> Result<Typed, Refusal> {
        let (mut pairs, mut of_key, mut of_value) = (Vec::new(), Type::Any, Type::Any);
        while !self.is("}") {
            let (key, found) = self.within(Self::choice)?;
            if !matches!(found, Type::Text | Type::Number | Type::Flag) {
                return Err(Refusal::new(
                    key.span,
                    format!("a key is {found}, expected text, a number, or true or false"),
                ));
            }
            of_key = met(&of_key, &found, &key, "all keys of a map")?;
            self.expect(":")?;
            let (value, found) = self.within(Self::choice)?;
            of_value = met(&of_value, &found, &value, "all values of a map")?;
            pairs.push((key, value));
            if !self.take(",") {
                break;
            }
        }
        self.expect("}")?;
        let span = self.behind(start);
        let values: Option<Vec<_>> = pairs.iter().map(|(key, value)| Some((fixed(key)?, fixed(value)?))).collect();
        let node = match values {
            Some(values) => {
                let map = sorted(values, &span, &mut Meter::new(STEPS));
                match map {
                    Ok(Value::Error(error)) => return Err(Refusal::new(span, error.what.en.clone())),
                    Ok(map) => constant(span, map),
                    Err(_) => return Err(Refusal::new(span, "the map is too large")),
                }
            }
            None => grown(span, Step::Map(pairs))?,
        };
        shallow(node, Type::Map(Box::new(of_key), Box::new(of_value)))
    }
}
