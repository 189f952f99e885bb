//! Macros: of each item of a list or key of a map.

use std::ops::Range;
use std::sync::Arc;

use super::evaluator::{Evaluator, Open, Result, passed};
use super::tree::{Loop, Macro, Node};
use super::value::{List, Value};

impl<'a> Evaluator<'a, '_> {
    /// A macro. What may be in the list counts where it would decide.
    pub(super) fn looped(&mut self, kind: Macro, range: Value<'a>, of: &'a Loop, span: &Range<usize>) -> Result<'a> {
        let range = match range {
            Value::List(list) => list,
            Value::Map(map) => {
                self.meter.charge(map.len())?;
                Arc::new(List { items: map.iter().map(|(key, _)| key.clone()).collect(), ..List::default() })
            }
            other => return Ok(passed(other, span)),
        };
        match kind {
            Macro::All => self.decided(&range, of, false),
            Macro::Exists => self.decided(&range, of, true),
            Macro::ExistsOne => self.one(&range, of),
            Macro::Filter | Macro::Map => self.made(kind, &range, of),
        }
    }

    /// What the body comes to for one item.
    pub(super) fn bound_to(&mut self, item: &Value<'a>, body: &'a Node) -> Result<'a> {
        self.locals.push(item.clone());
        let value = self.value(body);
        self.locals.pop();
        value
    }

    fn decided(&mut self, range: &List<'a>, of: &'a Loop, decides: bool) -> Result<'a> {
        let mut open = Open::default();
        for item in &range.items {
            let value = self.bound_to(item, &of.body)?;
            if value.flag() == Some(decides) {
                return Ok(value);
            }
            open.add(value, &of.body.span);
        }
        for (item, unknown) in &range.perhaps {
            let value = self.bound_to(item, &of.body)?;
            if value.flag() != Some(!decides) {
                open.unknown(unknown);
            }
        }
        range.rest.iter().for_each(|rest| open.unknown(rest));
        Ok(open.or(Value::Flag(!decides)))
    }

    fn one(&mut self, range: &List<'a>, of: &'a Loop) -> Result<'a> {
        let (mut open, mut count) = (Open::default(), 0_usize);
        for item in &range.items {
            match self.bound_to(item, &of.body)? {
                Value::Flag(flag) => count += usize::from(flag),
                other => open.add(other, &of.body.span),
            }
        }
        for (item, unknown) in &range.perhaps {
            if self.bound_to(item, &of.body)?.flag() != Some(false) {
                open.unknown(unknown);
            }
        }
        range.rest.iter().for_each(|rest| open.unknown(rest));
        Ok(open.or(Value::Flag(count == 1)))
    }

    fn made(&mut self, kind: Macro, range: &List<'a>, of: &'a Loop) -> Result<'a> {
        let condition = if kind == Macro::Filter { Some(&*of.body) } else { of.filter.as_deref() };
        let mut open = Open::default();
        let mut list = List { rest: range.rest.clone(), ..List::default() };
        let certain = range.items.iter().map(|item| (item, None));
        let perhaps = range.perhaps.iter().map(|(item, unknown)| (item, Some(unknown)));
        for (item, mut doubt) in certain.chain(perhaps) {
            self.meter.charge(1)?;
            let doubted;
            match condition.map(|condition| self.bound_to(item, condition)).transpose()? {
                None | Some(Value::Flag(true)) => {}
                Some(Value::Flag(false)) => continue,
                // An item of which it is not known whether it belongs may be in the list.
                Some(Value::Unknown(unknown)) => {
                    doubted = doubt.map_or_else(|| Arc::clone(&unknown), |doubt| doubt.and(&unknown));
                    doubt = Some(&doubted);
                }
                Some(other) => {
                    match doubt {
                        Some(doubt) => open.unknown(doubt),
                        None => open.add(other, &of.body.span),
                    }
                    continue;
                }
            }
            let value = if kind == Macro::Filter { item.clone() } else { self.bound_to(item, &of.body)? };
            match (doubt, value.is_certain()) {
                (None, true) => list.items.push(value),
                (Some(doubt), true) => list.perhaps.push((value, Arc::clone(doubt))),
                (Some(doubt), false) => open.unknown(doubt),
                (None, false) => open.add(value, &of.body.span),
            }
        }
        Ok(open.or(Value::List(Arc::new(list))))
    }
}
