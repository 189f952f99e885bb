//! `expression`: a condition in the Common Expression Language (CEL, cel.dev), a part of it.
//!
//! Profiles come from other people: the length and nesting of an expression are bounded where it is read, names and types
//! settled there, and every step of its evaluation is counted. A fact that is a gap is a value of its own, so that what is
//! known decides where it can, and nothing else does.

mod device_view;
mod evaluator;
mod explain;
mod lexer;
mod loops;
#[cfg(test)]
mod oracle;
mod package_view;
mod parser;
#[cfg(test)]
mod samples;
mod settled;
#[cfg(test)]
mod soundness;
mod tree;
mod value;
mod view;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::holding::PREDICTED;
use super::outcome::describe;
use super::selector::Selector;
use super::setting::{About, HIDDEN, Row, SELECT, Shape, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{MORE_PACKAGES, Words, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};
use evaluator::Evaluator;
use explain::{Decision, Explainer, shown};
use tree::Node;
use value::{Meter, Unknown, Value, Why};
use view::{Kind, Subject, World};

/// Steps that a rule may take on one device. To hold each of 400 packages against each other takes one and a half million.
const STEPS: u64 = 2_000_000;
/// Packages and facts that are named in one finding about many; the rest is counted.
const NAMED: usize = 12;

static ABOUT: About = About {
    en: "A condition in CEL (cel.dev) holds: of each package that the rule is about, or of the device.",
    ru: "Выполняется условие на языке CEL (cel.dev): для каждого пакета, о котором правило, или для устройства.",
    settings: &[
        must(
            "expression",
            Shape::Expression,
            "what must be true: `pkg.target_sdk >= 30`. With `pkg` it is asked of each copy of each package that `select` picks, else once of the device",
        ),
        SELECT,
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "it is true; of every package, where it is about packages"),
        Row(
            Verdict::Fail,
            Some(Reason::ExpressionFalse),
            "it is false; the parts that decided and the facts that they read are listed",
        ),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "facts are unknown, and what is known does not decide; or whether a package is meant is unknown",
        ),
        HIDDEN,
        Row(
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
            "no package is what the rule is about; or it is true of `packages` or `selected`, and there are none",
        ),
        Row(
            Verdict::Error,
            Some(Reason::ExpressionError),
            "it has no value on this device (a division by zero, a place that a list does not have), or takes too many steps",
        ),
    ],
    remarks: "Of CEL there are numbers (64 bits, without a point), texts, `true`, `false`, `null`, lists and maps of one type; `? :`, `||`, \
         `&&`, `== != < <= > >=`, `in`, `+ - * / %`, `!`, `-`; members (`pkg.label`), places and keys (`list[0]`, `map[\"key\"]`); \
         `size`, `contains`, `startsWith`, `endsWith`, `matches` (a pattern in quotes, in the syntax of RE2); `has`, `all`, `exists`, \
         `exists_one`, `filter`, `map`. Names and types are checked when the profile is read: values of different types are not \
         compared. An expression has at most 16 KiB and 32 levels; on one device a rule takes at most 2,000,000 steps, counted, not \
         timed.\n\n\
         A fact that is not known makes unknown whatever needs it: `a && b` is false where one is false, `a || b` true where one is \
         true, `all` and `exists` likewise, and everything else stays unknown. A package behind a gap is one of which nothing is \
         known. `has(x.field)` asks whether the field is other than empty, zero or false, not whether it is known.\n\n\
         `package` is a reserved word of CEL: the package is `pkg`. The kind is part of builds with the cargo feature `expression`, \
         which is on unless it is turned off.",
    example: include_str!("../examples/expression.toml"),
};

/// The kind.
pub(super) struct ExpressionKind;

struct Expression {
    text: String,
    node: Node,
    select: Selector,
    /// Whether it is asked of each package.
    of_packages: bool,
    expected: Words,
    holds: Words,
}

impl CheckKind for ExpressionKind {
    fn name(&self) -> &'static str {
        "expression"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn more(&self) -> String {
        page()
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let word = settings.need_text("expression")?;
        let node = parser::condition(word.text, &view::roots()).map_err(|refusal| {
            let error = word.error_within(&refusal.span, refusal.message);
            match refusal.help {
                Some(help) => error.with_help(help),
                None => error,
            }
        })?;
        if !node.uses(|_| true) {
            return Err(
                word.error("the expression asks nothing of the device, expected `pkg`, `packages`, `device` ...")
            );
        }
        let of_packages = node.uses(|root| root == view::PKG);
        if settings.has("select") && !of_packages && !node.uses(|root| root == view::SELECTED) {
            let message = "`select` has no effect: the expression uses neither `pkg` nor `selected`";
            return Err(settings.error("select", message));
        }
        let line = shown(word.text);
        let expected = match of_packages {
            true => {
                words!("of {select} `{line}` is true", "{select}: верно `{line}`", select = select.words(), line)
            }
            false => words!("`{line}` is true", "верно `{line}`", line),
        };
        let holds = words!("`{line}` is true", "верно `{line}`", line);
        Ok(Box::new(Expression { text: word.text.to_owned(), node, select, of_packages, expected, holds }))
    }
}

impl Check for Expression {
    fn evaluate(&self, inventory: &Inventory, context: &Context) -> Vec<Outcome> {
        let world = World::new(inventory, context);
        if self.node.uses(|root| root == view::SELECTED) {
            let aim = self.select.on(inventory);
            let selected = world.pick(self.select.may_miss(inventory), |package| aim.pick(package));
            // Set once: this is the only place.
            let _ = world.selected.set(selected);
        }
        let asking = Asking {
            expression: self,
            world: &world,
            meter: Cell::new(Meter::new(STEPS)),
            meter_of_reasons: Cell::new(Meter::new(STEPS)),
        };
        if self.of_packages { asking.of_packages() } else { vec![asking.of_device()] }
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

/// One expression, asked of one inventory.
struct Asking<'a, 'w> {
    expression: &'a Expression,
    world: &'w World<'a>,
    meter: Cell<Meter>,
    meter_of_reasons: Cell<Meter>,
}

/// What it comes to.
enum Answer<'a> {
    Known(bool),
    Unknown(Arc<Unknown<'a>>),
    /// Why it has no value, in words.
    Broken(Words),
    /// The steps are used up.
    Exhausted,
}

impl<'a> Asking<'a, '_> {
    fn ask(&self, subject: Option<Subject<'a>>) -> Answer<'a> {
        let mut meter = self.meter.get();
        let value = Evaluator::new(self.world, subject, &mut meter).value(&self.expression.node);
        self.meter.set(meter);
        match value {
            Ok(Value::Flag(flag)) => Answer::Known(flag),
            Ok(Value::Unknown(unknown)) => Answer::Unknown(unknown),
            Ok(Value::Error(error)) => {
                let part = self.expression.text.get(error.span.clone()).unwrap_or_default();
                Answer::Broken(words!("{what} in `{part}`", "{what} в `{part}`", what = error.what, part = shown(part)))
            }
            Ok(other) => Answer::Broken(words!("it comes to {value}", "получается {value}", value = other.show())),
            Err(value::Exhausted) => Answer::Exhausted,
        }
    }

    fn why(&self, subject: Option<Subject<'a>>, value: bool) -> Decision<'a> {
        let mut meter = self.meter_of_reasons.get();
        let mut evaluator = Evaluator::new(self.world, subject, &mut meter);
        let Expression { text, node, .. } = self.expression;
        let decision = Explainer::explain(text, node, value, &mut evaluator);
        self.meter_of_reasons.set(meter);
        decision
    }

    fn of_packages(&self) -> Vec<Outcome> {
        let Expression { select, expected, holds, .. } = self.expression;
        let question = Question { expected, none: holds.clone() };
        let broken = RefCell::new(Vec::new());
        let mut outcomes = sweep(self.world.inventory, select, &question, |package, copies, sheet| {
            for copy in copies {
                if let Err(why) = self.judge(package, copy, copies.len() > 1, sheet) {
                    broken.borrow_mut().push((package.name.as_str(), why));
                }
            }
            if self.world.predicted.take() {
                sheet.note(PREDICTED);
            }
        });
        let broken = broken.into_inner();
        if !broken.is_empty() {
            // Of the others it may hold: of all that the rule is about it was not shown.
            outcomes.retain(|outcome| !matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable));
            outcomes.push(self.not_judged(&broken));
        }
        outcomes
    }

    /// # Errors
    /// Why it was not judged, in words.
    fn judge(
        &self,
        package: &'a Package,
        copy: &'a PackageCopy,
        several: bool,
        sheet: &mut Sheet,
    ) -> Result<(), Words> {
        let subject = Some(Subject { package, copy });
        match self.ask(subject) {
            Answer::Known(true) => {
                sheet.judged = true;
                // What speaks for a pass is shown where a rule is about one package.
                if self.expression.select.names().len() == 1 {
                    add(sheet, self.why(subject, true));
                }
            }
            Answer::Known(false) => {
                let decision = self.why(subject, false);
                let parts = Words::joined(&decision.parts, "; ");
                let parts = match several {
                    true => words!("of {path}: {parts}", "{path}: {parts}", path = copy.path, parts),
                    false => parts,
                };
                sheet.breach(Reason::ExpressionFalse, parts);
                add(sheet, decision);
            }
            Answer::Unknown(unknown) => {
                for lack in unknown.lacks.iter().take(NAMED) {
                    match lack.why {
                        Why::Gap(gap) => sheet.unknown(lack.describe(), gap),
                        Why::Untold(_) => sheet.unsettled(lack.describe()),
                    }
                }
                if let Some(more) = more_than_named(&unknown) {
                    sheet.unsettled(more);
                }
            }
            Answer::Broken(why) => return Err(why),
            Answer::Exhausted => return Err(too_long()),
        }
        Ok(())
    }

    fn not_judged(&self, broken: &[(&str, Words)]) -> Outcome {
        let each = broken.iter().take(NAMED).map(|(name, why)| words!("{name} ({why})", "{name} ({why})", name, why));
        let mut each: Vec<Words> = each.collect();
        if let Some(more) = broken.len().checked_sub(NAMED).filter(|more| *more > 0) {
            each.push(words!("and {more}", "и ещё {more}", more = MORE_PACKAGES.count(more)));
        }
        let each = Words::joined(each, "; ");
        let observed = words!("not judged: {each}", "не оценено: {each}", each);
        let mut outcome = Outcome::new(Verdict::Error, Reason::ExpressionError, &self.expression.expected, observed);
        outcome.subject = broken.first().filter(|_| broken.len() == 1).map(|(name, _)| (*name).to_owned());
        outcome
    }

    fn of_device(&self) -> Outcome {
        let expected = &self.expression.expected;
        let new = |verdict, reason: Option<Reason>, observed: Words| Outcome::new(verdict, reason, expected, observed);
        let mut outcome = match self.ask(None) {
            Answer::Known(true) if self.is_of_nothing() => {
                let observed = words!("there is no package that it is about", "нет пакета, о котором оно");
                new(Verdict::NotApplicable, Some(Reason::NothingMatched), observed)
                    .proven(Proof::of_list(self.world.inventory))
            }
            Answer::Known(value) => {
                let decision = self.why(None, value);
                let (verdict, reason) =
                    if value { (Verdict::Pass, None) } else { (Verdict::Fail, Some(Reason::ExpressionFalse)) };
                let mut outcome = new(verdict, reason, Words::joined(&decision.parts, "; "));
                if self.asks_packages() {
                    outcome.proof = Proof::of_list(self.world.inventory);
                }
                outcome.proven(decision.seen.into_iter().map(|fact| Proof::new(fact.evidence, fact.says)))
            }
            Answer::Unknown(unknown) => self.open(&unknown),
            Answer::Broken(why) => new(Verdict::Error, Some(Reason::ExpressionError), why),
            Answer::Exhausted => new(Verdict::Error, Some(Reason::ExpressionError), too_long()),
        };
        if self.world.predicted.take() {
            outcome.notes.push(PREDICTED.into());
        }
        outcome
    }

    fn asks_packages(&self) -> bool {
        self.expression.node.uses(|root| matches!(root, view::PACKAGES | view::SELECTED))
    }

    /// Whether it is about packages of which there are none: then that it is true says nothing.
    fn is_of_nothing(&self) -> bool {
        let node = &self.expression.node;
        let lists =
            [(view::SELECTED, self.world.selected.get().cloned()), (view::PACKAGES, Some(self.world.packages()))];
        lists.into_iter().any(|(root, list)| {
            let empty = matches!(list, Some(Value::List(list)) if list.items.is_empty() && list.unknown().is_none());
            empty && node.uses(|used| used == root)
        })
    }

    fn open(&self, unknown: &Unknown<'a>) -> Outcome {
        let expected = &self.expression.expected;
        let hidden = unknown.lacks.iter().all(|lack| lack.of.is_empty()) && !unknown.more;
        let words = |gaps: &Words| {
            words!(
                "what is found does not decide, and {gaps} may hide packages that do",
                "найденного недостаточно, а прочитано не всё ({gaps})",
                gaps
            )
        };
        if let Some(outcome) = hidden.then(|| Outcome::incomplete(self.world.inventory, expected, words)).flatten() {
            return outcome;
        }
        let mut lacks: Vec<Words> = Vec::new();
        let mut notes: Vec<Words> = Vec::new();
        for lack in unknown.lacks.iter().take(NAMED) {
            let says = lack.describe();
            if !lacks.contains(&says) {
                lacks.push(says);
            }
            if let Why::Gap(gap) = lack.why
                && !notes.contains(&describe(gap))
            {
                notes.push(describe(gap));
            }
        }
        lacks.extend(more_than_named(unknown));
        let lacks = Words::joined(lacks, ", ");
        let observed = words!("not settled: {lacks}", "не установлено: {lacks}", lacks);
        let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, expected, observed);
        if self.asks_packages() {
            outcome.proof = Proof::of_list(self.world.inventory);
        }
        outcome.notes = notes;
        outcome
    }
}

fn add(sheet: &mut Sheet, decision: Decision<'_>) {
    for fact in decision.seen {
        sheet.proof(fact.evidence, fact.says);
    }
}

fn more_than_named(unknown: &Unknown<'_>) -> Option<Words> {
    (unknown.lacks.len() > NAMED || unknown.more).then(|| words!("and others", "и другое"))
}

fn too_long() -> Words {
    words!("it takes more than {steps} steps", "нужно больше {steps} шагов", steps = STEPS)
}

/// Names and fields, in Markdown.
fn page() -> String {
    let mut page = "## What an expression sees\n\n| name | type | meaning |\n|---|---|---|\n".to_owned();
    for root in view::roots() {
        page.push_str(&format!("| `{}` | {} | {} |\n", root.name, root.of(), root.meaning));
    }
    for kind in Kind::ALL {
        page.push_str(&format!("\n### Fields of {}\n\n| field | type | meaning |\n|---|---|---|\n", kind.words()));
        for field in kind.fields() {
            page.push_str(&format!("| `{}` | {} | {} |\n", field.name, field.of.of(), field.meaning));
        }
    }
    page
}

#[cfg(test)]
mod tests;
