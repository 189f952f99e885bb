//! What is decided though facts are unknown is decided rightly: no value of theirs makes it otherwise.

use std::sync::Arc;

use super::parser;
use super::samples::{Maker, Names, evaluate, roots};
use super::tree::Type;
use super::value::{List, Unknown, Value, Why};

const STEPS: u64 = 100_000;

/// `u` and `v` are true or false, `n` is a number, `l` a list: all unknown, the list in part.
fn names() -> Vec<(&'static str, Type)> {
    vec![
        ("u", Type::Flag),
        ("v", Type::Flag),
        ("n", Type::Number),
        ("l", Type::list(Type::Number)),
        ("k", Type::list(Type::Number)),
    ]
}

fn unknown(name: &'static str) -> Arc<Unknown<'static>> {
    Unknown::one(name, "", Why::Untold(super::super::words::phrase("a test", "проверка")))
}

fn numbers(list: &[i64]) -> Vec<Value<'static>> {
    list.iter().map(|number| Value::Number(*number)).collect()
}

fn nothing_known() -> Vec<Value<'static>> {
    let open = List { items: numbers(&[1]), perhaps: vec![(Value::Number(2), unknown("l"))], rest: None };
    let endless = List { items: numbers(&[0, 2]), perhaps: Vec::new(), rest: Some(unknown("k")) };
    vec![
        Value::Unknown(unknown("u")),
        Value::Unknown(unknown("v")),
        Value::Unknown(unknown("n")),
        Value::List(Arc::new(open)),
        Value::List(Arc::new(endless)),
    ]
}

/// Every way in which it could be.
fn worlds() -> Vec<Vec<Value<'static>>> {
    let mut worlds = Vec::new();
    for u in [false, true] {
        for v in [false, true] {
            for n in [-1, 0, 1, 2] {
                for l in [&[1][..], &[1, 2], &[2, 1]] {
                    for k in [&[0, 2][..], &[0, 2, 1], &[7, 0, 2], &[0, -1, 2, 3]] {
                        let list = |items: &[i64]| Value::list(numbers(items));
                        worlds.push(vec![Value::Flag(u), Value::Flag(v), Value::Number(n), list(l), list(k)]);
                    }
                }
            }
        }
    }
    worlds
}

fn answer(value: &Value<'_>) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Error(_) => "error".to_owned(),
        Value::Unknown(_) => "unknown".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whatever_is_decided_without_a_fact_is_what_every_value_of_the_fact_gives() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let names_used =
        Names { flags: list(&["u", "v"]), numbers: list(&["n"]), texts: Vec::new(), lists: list(&["l", "k"]) };
    let mut maker = Maker::new(0xfac7, names_used);
    let (roots, worlds) = (roots(&names()), worlds());
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..1_500 {
        let expression = maker.flag(3);
        let node = parser::condition(&expression, &roots).unwrap_or_else(|error| panic!("{expression}: {error:?}"));
        let open = evaluate(&node, nothing_known(), STEPS, |value, _| answer(&value.unwrap()));
        *counts.entry(open.clone()).or_insert(0) += 1;
        if open == "unknown" {
            continue;
        }
        for world in &worlds {
            let closed = evaluate(&node, world.clone(), STEPS, |value, _| answer(&value.unwrap()));
            assert_eq!(closed, open, "{expression}\n{world:?}");
        }
    }
    assert!(counts["true"] > 50 && counts["false"] > 50 && counts["unknown"] > 300, "{counts:?}");
}

#[test]
fn what_is_known_decides_where_it_can() {
    let roots = roots(&names());
    for (expression, expected) in [
        ("u && false", "false"),
        ("false && u", "false"),
        ("u || true", "true"),
        ("u && true", "unknown"),
        ("u && v", "unknown"),
        ("!u", "unknown"),
        ("u == u", "unknown"),
        ("u ? true : true", "unknown"),
        ("true ? true : u", "true"),
        ("n > 0 && 1 / 0 == 1", "unknown"),
        ("1 / 0 == 1 && n > 0", "unknown"),
        ("1 / 0 == 1 && false", "false"),
        ("1 / n == 1 || true", "true"),
        // A list in part: what it has decides, what it may have does not.
        ("l.exists(x, x == 1)", "true"),
        ("l.exists(x, x == 2)", "unknown"),
        ("l.exists(x, x == 3)", "false"),
        ("l.all(x, x < 3)", "true"),
        ("l.all(x, x < 2)", "unknown"),
        ("l.all(x, x < 1)", "false"),
        ("1 in l", "true"),
        ("2 in l", "unknown"),
        ("3 in l", "false"),
        ("l.size() > 0", "unknown"),
        ("l[0] == 1", "unknown"),
        ("l.filter(x, x == 1).size() == 1", "true"),
        ("l.filter(x, x == 2).size() == 1", "unknown"),
        ("l.exists_one(x, x == 1)", "true"),
        ("l.map(x, x + 1).exists(x, x == 2)", "true"),
        ("l.map(x, x + 1).exists(x, x == 3)", "unknown"),
        ("l == [1]", "unknown"),
        // One that may have more.
        ("k.exists(x, x == 2)", "true"),
        ("k.exists(x, x == 5)", "unknown"),
        ("k.all(x, x < 2)", "false"),
        ("k.all(x, x < 9)", "unknown"),
        ("0 in k", "true"),
        ("5 in k", "unknown"),
        ("k.filter(x, n > 0).exists(x, x == 2)", "unknown"),
        ("k.filter(x, n > 0).exists(x, x == 5)", "unknown"),
        ("l.filter(x, n > 0).exists(x, x == 5)", "false"),
        ("(l + k).exists(x, x == 0)", "true"),
    ] {
        let node = parser::condition(expression, &roots).unwrap_or_else(|error| panic!("{expression}: {error:?}"));
        let found = evaluate(&node, nothing_known(), STEPS, |value, _| answer(&value.unwrap()));
        assert_eq!(found, expected, "{expression}");
    }
}
