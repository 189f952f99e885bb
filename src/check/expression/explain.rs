//! Why an expression came to its value: the parts of it that decided, and the facts that they read.

use std::sync::Arc;

use super::super::words::{Words, words};
use super::evaluator::{Evaluator, Seen};
use super::tree::{Loop, Macro, Node, Step};
use super::value::{Exhausted, List, Value};

/// Parts that are named.
const MAX_PARTS: usize = 8;
/// Characters of a part that are shown.
const MAX_CHARS: usize = 160;

/// What decided.
#[derive(Debug, Default)]
pub(super) struct Decision<'a> {
    /// `` `pkg.target_sdk >= 30` is false ``
    pub(super) parts: Vec<Words>,
    pub(super) seen: Vec<Seen<'a>>,
}

/// Finds what decided that an expression is true or false.
pub(super) struct Explainer<'a, 'w, 'e> {
    text: &'a str,
    evaluator: &'e mut Evaluator<'a, 'w>,
    decision: Decision<'a>,
    /// Items of macros that are being looked at: `p is com.example`.
    items: Vec<Words>,
}

type Result = std::result::Result<(), Exhausted>;

impl<'a, 'w, 'e> Explainer<'a, 'w, 'e> {
    /// Of an expression that came to that value. Where the steps do not suffice, what was found so far.
    pub(super) fn explain(
        text: &'a str,
        node: &'a Node,
        value: bool,
        evaluator: &'e mut Evaluator<'a, 'w>,
    ) -> Decision<'a> {
        let mut explainer = Self { text, evaluator, decision: Decision::default(), items: Vec::new() };
        let complete = explainer.part(node, value).is_ok();
        if !complete || explainer.decision.parts.is_empty() {
            explainer.decision.parts = vec![holds(&shown(text), value)];
        }
        explainer.decision
    }

    fn part(&mut self, node: &'a Node, value: bool) -> Result {
        if self.decision.parts.len() >= MAX_PARTS {
            return Ok(());
        }
        match &node.step {
            Step::Not(of) => self.part(of, !value),
            Step::Every(nodes) => self.operands(nodes, value, false),
            Step::Some(nodes) => self.operands(nodes, value, true),
            Step::Choose(pairs, last) => {
                for (condition, then) in pairs {
                    let holds = self.evaluator.value(condition)?.flag() == Some(true);
                    self.part(condition, holds)?;
                    if holds {
                        return self.part(then, value);
                    }
                }
                self.part(last, value)
            }
            Step::Macro(Macro::All, range, of) if !value => self.item(range, of, value),
            Step::Macro(Macro::Exists, range, of) if value => self.item(range, of, value),
            _ => self.leaf(node, value),
        }
    }

    /// Of operands of which one decides, the first that does; else all of them.
    fn operands(&mut self, nodes: &'a [Node], value: bool, decides: bool) -> Result {
        for node in nodes {
            if value != decides {
                self.part(node, value)?;
            } else if self.evaluator.value(node)?.flag() == Some(decides) {
                return self.part(node, value);
            }
        }
        Ok(())
    }

    /// The first item for which the body comes to the value.
    fn item(&mut self, range: &'a Node, of: &'a Loop, value: bool) -> Result {
        let items = match self.evaluator.value(range)? {
            Value::List(list) => list,
            Value::Map(map) => {
                Arc::new(List { items: map.iter().map(|(key, _)| key.clone()).collect(), ..List::default() })
            }
            _ => return Ok(()),
        };
        for item in &items.items {
            if self.evaluator.bound_to(item, &of.body)?.flag() != Some(value) {
                continue;
            }
            self.facts(range)?;
            self.items.push(words!("{name} is {item}", "{name} = {item}", name = of.name, item = item.show()));
            self.evaluator.locals.push(item.clone());
            let result = self.part(&of.body, value);
            self.evaluator.locals.pop();
            self.items.pop();
            return result;
        }
        Ok(())
    }

    fn leaf(&mut self, node: &'a Node, value: bool) -> Result {
        self.facts(node)?;
        let text = shown(self.text.get(node.span.clone()).unwrap_or_default());
        let mut part = holds(&text, value);
        if !self.items.is_empty() {
            let items = Words::joined(&self.items, ", ");
            part = words!("{part}, where {items}", "{part}, где {items}", part, items);
        }
        if !self.decision.parts.contains(&part) {
            self.decision.parts.push(part);
        }
        Ok(())
    }

    /// Keeps the facts that a part reads.
    fn facts(&mut self, node: &'a Node) -> Result {
        self.evaluator.seen = Some(Vec::new());
        let result = self.evaluator.value(node);
        for fact in self.evaluator.seen.take().unwrap_or_default() {
            if !self.decision.seen.contains(&fact) {
                self.decision.seen.push(fact);
            }
        }
        result.map(|_| ())
    }
}

/// That a part of the expression is true, or false.
fn holds(text: &str, value: bool) -> Words {
    match value {
        true => words!("`{text}` is true", "`{text}`: верно", text),
        false => words!("`{text}` is false", "`{text}`: неверно", text),
    }
}

/// Text in one line, shortened.
pub(super) fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}...", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
