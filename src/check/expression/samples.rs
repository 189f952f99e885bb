//! Expressions made at random, the same ones in each run, and how tests evaluate one.

use super::super::Context;
use super::super::sample::image;
use super::evaluator::Evaluator;
use super::tree::Node;
use super::value::{Exhausted, Meter, Value};
use super::view::{Root, World};

/// Numbers without end, the same for the same seed (xorshift).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }

    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// Names of each type that expressions use.
pub(super) struct Names {
    pub(super) flags: Vec<String>,
    pub(super) numbers: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) lists: Vec<String>,
}

/// Makes expressions of a type.
pub(super) struct Maker {
    pub(super) random: Random,
    pub(super) names: Names,
    items: usize,
}

impl Maker {
    pub(super) fn new(seed: u64, names: Names) -> Self {
        Self { random: Random::new(seed), names, items: 0 }
    }

    fn name(&mut self, of: fn(&Names) -> &Vec<String>) -> Option<String> {
        let count = of(&self.names).len();
        (count > 0).then(|| of(&self.names)[self.random.below(count)].clone())
    }

    pub(super) fn flag(&mut self, depth: usize) -> String {
        if depth == 0 {
            let constant = self.random.pick(&["true", "false"]).to_owned();
            return if self.random.below(4) == 0 {
                constant
            } else {
                self.name(|names| &names.flags).unwrap_or(constant)
            };
        }
        let less = depth - 1;
        match self.random.below(13) {
            0 => format!("!({})", self.flag(less)),
            1 => format!("({}) && ({})", self.flag(less), self.flag(less)),
            2 => format!("({}) || ({})", self.flag(less), self.flag(less)),
            3 => format!("{} && {} || {}", self.flag(0), self.flag(0), self.flag(0)),
            4 => format!("(({}) ? ({}) : ({}))", self.flag(less), self.flag(less), self.flag(less)),
            5 | 6 => {
                let sign = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({}) {sign} ({})", self.number(less), self.number(less))
            }
            7 => {
                let sign = self.random.pick(&["==", "!=", "<", ">="]);
                format!("({}) {sign} ({})", self.text(less), self.text(less))
            }
            8 => {
                let method = self.random.pick(&["contains", "startsWith", "endsWith"]);
                format!("({}).{method}({})", self.text(less), self.text(less))
            }
            9 => format!("({}) in ({})", self.number(less), self.list(less)),
            10 => format!("({}) == ({})", self.list(less), self.list(less)),
            _ => {
                let kind = self.random.pick(&["all", "exists", "exists_one"]);
                self.looped(less, kind, Self::flag)
            }
        }
    }

    /// A macro over a list of numbers.
    fn looped(&mut self, less: usize, kind: &str, body: fn(&mut Self, usize) -> String) -> String {
        let list = self.list(less);
        self.items += 1;
        let item = format!("i{}", self.items);
        self.names.numbers.push(item.clone());
        let body = body(self, less);
        self.names.numbers.retain(|name| *name != item);
        format!("({list}).{kind}({item}, {body})")
    }

    pub(super) fn number(&mut self, depth: usize) -> String {
        if depth == 0 {
            let constant = self.random.pick(&["0", "1", "2", "-1", "7", "9223372036854775807", "-9223372036854775808"]);
            return match self.random.below(3) {
                0 => constant.to_owned(),
                _ => self.name(|names| &names.numbers).unwrap_or(constant.to_owned()),
            };
        }
        let less = depth - 1;
        match self.random.below(6) {
            0 => format!("-({})", self.number(less)),
            1 => format!("size({})", self.list(less)),
            2 => format!("({}).size()", self.text(less)),
            3 => format!("({})[{}]", self.list(less), self.number(less)),
            4 => format!("(({}) ? ({}) : ({}))", self.flag(less), self.number(less), self.number(less)),
            _ => {
                let sign = self.random.pick(&["+", "-", "*", "/", "%"]);
                let other = self.random.pick(&["+", "-", "*", "/", "%"]);
                format!("({}) {sign} {} {other} ({})", self.number(less), self.number(0), self.number(less))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            let constant =
                self.random.pick(&["\"\"", "'a'", "\"abc\"", "r'\\\\'", "\"\\u00e9\"", "\"b\\n\""]).to_owned();
            return if self.random.below(3) == 0 {
                constant
            } else {
                self.name(|names| &names.texts).unwrap_or(constant)
            };
        }
        match self.random.below(3) {
            0 => format!("(({}) ? ({}) : ({}))", self.flag(depth - 1), self.text(0), self.text(0)),
            _ => format!("({}) + ({})", self.text(depth - 1), self.text(depth - 1)),
        }
    }

    pub(super) fn list(&mut self, depth: usize) -> String {
        if depth == 0 {
            let constant = self.random.pick(&["[]", "[1]", "[1, 2]", "[2, 0, 1]"]).to_owned();
            return if self.random.below(3) == 0 {
                constant
            } else {
                self.name(|names| &names.lists).unwrap_or(constant)
            };
        }
        let less = depth - 1;
        match self.random.below(4) {
            0 => format!("[{}, {}]", self.number(less), self.number(less)),
            1 => format!("({}) + ({})", self.list(less), self.list(less)),
            2 => self.looped(less, "filter", Self::flag),
            _ => self.looped(less, "map", Self::number),
        }
    }
}

/// What a tree comes to where its names have these values; `then` is told it, and how many steps are left.
pub(super) fn evaluate<T>(
    node: &Node,
    bound: Vec<Value<'_>>,
    steps: u64,
    then: impl FnOnce(Result<Value<'_>, Exhausted>, u64) -> T,
) -> T {
    let (inventory, context) = (image(), Context::on(jiff::civil::date(2026, 6, 1)));
    let world = World::new(&inventory, &context);
    let mut meter = Meter::new(steps);
    let mut evaluator = Evaluator::new(&world, None, &mut meter);
    evaluator.bound = bound;
    let value = evaluator.value(node);
    drop(evaluator);
    then(value, meter.left())
}

/// Names for the parser.
pub(super) fn roots(names: &[(&'static str, super::tree::Type)]) -> Vec<Root> {
    names.iter().map(|(name, of)| Root::new(name, of.clone(), "")).collect()
}
