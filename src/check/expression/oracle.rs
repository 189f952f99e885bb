//! What expressions come to, held against Google's own implementation of CEL (`tests/support/expressions.py`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::parser;
use super::samples::{Maker, Names, evaluate, roots};
use super::tree::Type;
use super::value::{Text, Value};

const EXPECTED: &str = include_str!("../../../tests/data/expressions/expected.tsv");
/// Expressions made at random.
const MADE: usize = 3_000;
const STEPS: u64 = 100_000;

/// The names of the script, in its order.
fn bound() -> Vec<(&'static str, Type, Value<'static>)> {
    let text = |text: &'static str| Value::Text(Text::Lent(text));
    let numbers = |list: &[i64]| Value::list(list.iter().map(|number| Value::Number(*number)).collect());
    let map = vec![(text("one"), Value::Number(1)), (text("two"), Value::Number(2))];
    vec![
        ("p", Type::Number, Value::Number(7)),
        ("q", Type::Number, Value::Number(-3)),
        ("s", Type::Text, text("abc")),
        ("b", Type::Flag, Value::Flag(true)),
        ("w", Type::list(Type::Number), numbers(&[1, 2, 3])),
        ("t", Type::Map(Box::new(Type::Text), Box::new(Type::Number)), Value::Map(Arc::new(map))),
    ]
}

/// The result in the script's words.
fn result(expression: &str) -> String {
    let names: Vec<(&'static str, Type)> = bound().into_iter().map(|(name, of, _)| (name, of)).collect();
    let values = bound().into_iter().map(|(_, _, value)| value).collect();
    match parser::expression(expression, &roots(&names)) {
        Err(_) => "refused".to_owned(),
        Ok((node, _)) => evaluate(&node, values, STEPS, |value, _| match value {
            Ok(Value::Error(_)) => "error".to_owned(),
            Ok(value) => format!("={}", json(&value)),
            Err(_) => "exhausted".to_owned(),
        }),
    }
}

fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(list) => list.items.iter().map(json).collect(),
        Value::Map(map) => {
            let pairs: Vec<_> = map.iter().map(|(key, value)| serde_json::json!([json(key), json(value)])).collect();
            serde_json::json!({ "map": pairs })
        }
        other => panic!("{other:?}"),
    }
}

/// Whether two results say the same; what has no value may be refused before.
fn agree(ours: &str, theirs: &str) -> bool {
    match (ours.strip_prefix('='), theirs.strip_prefix('=')) {
        (Some(ours), Some(theirs)) => {
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            read(ours) == read(theirs)
        }
        _ => ours == theirs || (ours, theirs) == ("refused", "error"),
    }
}

#[test]
fn expressions_come_to_what_an_independent_implementation_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in EXPECTED.lines() {
        let (theirs, expression) = line.split_once('\t').unwrap();
        let ours = result(expression.trim_start_matches('~'));
        let fits = match expression.starts_with('~') {
            true => ours == "refused",
            false => agree(&ours, theirs),
        };
        if !fits {
            wrong.push(format!("{expression}: {ours}, expected {theirs}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 350, "{count} expressions");
}

#[test]
fn the_expected_results_are_those_of_the_implementation_that_is_installed() {
    let listed: Vec<(&str, &str)> = EXPECTED.lines().map(|line| line.split_once('\t').unwrap()).collect();
    let expressions: Vec<String> = listed.iter().map(|(_, text)| text.trim_start_matches('~').to_owned()).collect();
    let theirs = ask(&expressions);
    for ((expected, expression), theirs) in listed.iter().zip(&theirs) {
        assert_eq!(theirs, expected, "{expression}");
    }
}

#[test]
fn expressions_made_at_random_come_to_what_the_implementation_that_is_installed_says() {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let names = Names {
        flags: names(&["b"]),
        numbers: names(&["p", "q", "t.one"]),
        texts: names(&["s"]),
        lists: names(&["w"]),
    };
    let mut maker = Maker::new(0x5eed, names);
    let made: Vec<String> = (0..MADE)
        .map(|index| match index % 4 {
            0 => maker.number(3),
            1 => maker.list(2),
            _ => maker.flag(4),
        })
        .collect();
    let theirs = ask(&made);
    let mut wrong = Vec::new();
    let mut kinds = [0_usize; 3];
    for (expression, theirs) in made.iter().zip(&theirs) {
        let ours = result(expression);
        kinds[usize::from(theirs == "error") + 2 * usize::from(theirs == "refused")] += 1;
        if !agree(&ours, theirs) {
            wrong.push(format!("{expression}: {ours}, expected {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {MADE}:\n{}", wrong.len(), wrong.join("\n"));
    // They are worth comparing: most have a value, and many an error that something had to absorb or pass on.
    assert!(kinds[0] > MADE / 2 && kinds[1] > MADE / 20, "{kinds:?}");
}

/// What the independent implementation says of each.
fn ask(expressions: &[String]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python: PathBuf = root.join("target/report-tools/venv/bin/python");
    assert!(python.exists(), "{} is missing: cargo xtask test installs it", python.display());
    let mut child = Command::new(python)
        .arg(root.join("tests/support/expressions.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String =
        expressions.iter().map(|text| format!("{}\n", serde_json::Value::from(text.as_str()))).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let written = writer.join().unwrap();
    assert!(output.status.success(), "cel-expr-python is missing: cargo xtask test installs it");
    written.unwrap();
    let results: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(results.len(), expressions.len());
    results
}
