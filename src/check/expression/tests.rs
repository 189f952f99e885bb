use std::fmt::Write;
use std::time::{Duration, Instant};

use jiff::civil::date;

use super::super::sample::{
    app, copy, evidence, grants, image, known, phone, phone_app, predicted, signer, unknown, with,
    with_hidden_partition,
};
use super::super::tests::{ask, expect, refusal};
use super::super::{Presence, configure};
use super::samples::{Random, evaluate, roots};
use super::tree::Type;
use super::value::Exhausted;
use super::view::{Read, Record};
use super::*;
use crate::inventory::{ClassCounts, DeclaredPermission, ExportedComponent, LibraryFacts, Placement};
use crate::inventory::{CopyRole, Fact, ManifestFacts, MetaDataFacts, Outcome as Grant, SdkCount, SystemHook};
use crate::profile::{Profile, Specimen};

const KIND: &str = "expression";

fn holds(text: &str, inventory: &Inventory, verdict: Verdict, reason: Option<Reason>) -> Outcome {
    expect(KIND, &format!("expression = '{text}'"), inventory, verdict, reason)
}

fn passes(text: &str, inventory: &Inventory) -> Outcome {
    holds(text, inventory, Verdict::Pass, None)
}

fn fails(text: &str, inventory: &Inventory) -> Outcome {
    holds(text, inventory, Verdict::Fail, Some(Reason::ExpressionFalse))
}

fn stays_open(text: &str, inventory: &Inventory) -> Outcome {
    holds(text, inventory, Verdict::Inconclusive, Some(Reason::UnknownFact))
}

#[test]
fn a_failure_names_the_part_that_decided_the_facts_and_where_they_were_read() {
    let mut old = app("com.old");
    old.copies[0].target_sdk = known(22);
    let inventory = with(image(), [app("com.new"), old]);
    let found = fails("pkg.has_code && (pkg.target_sdk >= 29 || pkg.label == \"x\") && device.sdk > 1", &inventory);
    assert_eq!(found.subject.as_deref(), Some("com.old"));
    let observed = "com.old: `pkg.target_sdk >= 29` is false; `pkg.label == \"x\"` is false";
    assert_eq!(found.observed, observed);
    let says: Vec<&str> = found.proof.iter().map(|proof| &*proof.says).collect();
    assert_eq!(says, ["target_sdk of com.old: 22", "label of com.old: \"\""]);
    assert_eq!(found.proof[0].evidence, evidence().at("a place"));

    let found = fails("packages.all(p, p.name == \"com.x\" ? false : p.target_sdk >= 29)", &inventory);
    let observed =
        "`p.name == \"com.x\"` is false, where p is com.old; `p.target_sdk >= 29` is false, where p is com.old";
    assert_eq!(found.observed, observed);
    assert_eq!(found.proof[1].says, "target_sdk of com.old: 22");
    let found = passes("!packages.exists(p, p.label == \"x\")", &inventory);
    assert_eq!(found.observed, "`packages.exists(p, p.label == \"x\")` is false");
}

#[test]
fn a_fact_that_is_a_gap_is_named_and_passes_nothing_unless_the_rest_decides() {
    let mut package = app("com.a");
    package.copies[0].target_sdk = unknown();
    let inventory = with(image(), [package]);
    let found = stays_open("pkg.target_sdk >= 29", &inventory);
    assert_eq!(found.observed, "not settled: com.a (`target_sdk` of com.a is unknown)");
    assert!(found.notes[0].starts_with("not read: "), "{:?}", found.notes);
    stays_open("!(pkg.target_sdk >= 29)", &inventory);
    stays_open("pkg.target_sdk == pkg.target_sdk", &inventory);
    stays_open("has(pkg.target_sdk)", &inventory);
    stays_open("!has(pkg.target_sdk)", &inventory);
    stays_open("pkg.target_sdk in [1, 2]", &inventory);
    stays_open("[pkg.target_sdk].size() == 1", &inventory);
    stays_open("packages.all(p, p.target_sdk > 0)", &inventory);
    stays_open("packages.filter(p, p.target_sdk > 0).size() == 1", &inventory);
    stays_open("pkg.target_sdk / 0 == 1", &inventory);
    passes("pkg.target_sdk >= 29 || pkg.has_code", &inventory);
    fails("pkg.target_sdk >= 29 && !pkg.has_code", &inventory);
}

#[test]
fn what_a_device_does_not_tell_is_unknown_and_not_empty() {
    let inventory = with(image(), [app("com.a")]);
    // Users are none of an image's facts; classes were not counted.
    stays_open("pkg.enabled", &inventory);
    stays_open("pkg.sdks.size() == 0", &inventory);
    let mut numbered = signer('a');
    numbered.sha256 = None;
    let mut package = app("com.a");
    package.copies[0].signers = known(vec![numbered]);
    let inventory = with(image(), [package]);
    let found = stays_open("pkg.signers.size() == 1", &inventory);
    assert!(found.observed.contains("the device tells the signer's number, not the digest"), "{:?}", found.observed);
    stays_open("pkg.published_keys.size() == 0", &inventory);
    let mut package = app("com.a");
    package.copies[0].version_code = known(u64::MAX);
    stays_open("pkg.version_code > 0", &with(image(), [package]));
}

#[test]
fn permissions_that_cant_be_foretold_decide_only_where_it_does_not_matter() {
    let mut package = app("com.a");
    package.predicted_grants = known(vec![
        predicted("android.permission.CAMERA", Grant::Granted, false),
        predicted("android.permission.READ_SMS", Grant::Unknown, false),
    ]);
    let inventory = with(image(), [package]);
    let found = passes("\"android.permission.CAMERA\" in pkg.granted", &inventory);
    assert!(found.notes.iter().any(|note| *note == Words::from(PREDICTED)), "{found:#?}");
    passes("!(\"android.permission.RECORD_AUDIO\" in pkg.granted)", &inventory);
    stays_open("!(\"android.permission.READ_SMS\" in pkg.granted)", &inventory);
    passes("pkg.granted.all(g, g.startsWith(\"android.\"))", &inventory);
    let found = fails("pkg.granted.all(g, !g.endsWith(\"CAMERA\"))", &inventory);
    assert!(found.notes.iter().any(|note| *note == Words::from(PREDICTED)), "{found:#?}");
    stays_open("pkg.granted.size() == 1", &inventory);
    stays_open("pkg.granted.all(g, !g.endsWith(\"SMS\"))", &inventory);

    let mut package = phone_app("com.a");
    package.grants = grants(&["android.permission.CAMERA"]);
    passes("pkg.granted == [\"android.permission.CAMERA\"]", &with(phone(), [package]));
    stays_open("pkg.granted.size() == 0", &with(phone(), [phone_app("com.a")]));
}

#[test]
fn packages_behind_a_gap_are_ones_of_which_nothing_is_known() {
    let hidden = with_hidden_partition(with(image(), [app("com.a")]));
    let incomplete = Some(Reason::IncompleteEvidence);
    holds("packages.all(p, p.has_code)", &hidden, Verdict::Inconclusive, incomplete);
    holds("!packages.exists(p, p.name == \"com.b\")", &hidden, Verdict::Inconclusive, incomplete);
    holds("packages.size() == 1", &hidden, Verdict::Inconclusive, incomplete);
    passes("packages.exists(p, p.name == \"com.a\")", &hidden);
    fails("packages.all(p, p.name == \"com.b\")", &hidden);
    holds("pkg.has_code", &hidden, Verdict::Inconclusive, incomplete);
    // The packages that are named are all found: nothing that is hidden is meant.
    let named = "select = { packages = [\"com.a\"] }, expression = 'selected.size() == 1'";
    expect(KIND, named, &hidden, Verdict::Pass, None);
    let mut nothing = image();
    nothing.packages = unknown();
    holds("packages.size() == 0", &nothing, Verdict::Inconclusive, incomplete);
}

#[test]
fn packages_of_which_it_is_not_known_whether_they_are_meant_may_be_selected() {
    let select = |text: &str| format!("select = {{ privileged = true }}, expression = '{text}'");
    let mut privileged = app("com.a");
    privileged.copies[0].placement = known(Placement::Privileged);
    let mut open = app("com.b");
    open.copies[0].placement = unknown();
    let inventory = with(image(), [privileged, open, app("com.c")]);
    let ask = |text: &str, verdict, reason| expect(KIND, &select(text), &inventory, verdict, reason);
    let unsettled = Some(Reason::UnknownFact);
    ask("selected.exists(p, p.name == \"com.a\")", Verdict::Pass, None);
    ask("selected.exists(p, p.name == \"com.b\")", Verdict::Inconclusive, unsettled);
    ask("selected.exists(p, p.name == \"com.c\")", Verdict::Fail, Some(Reason::ExpressionFalse));
    ask("selected.all(p, p.has_code)", Verdict::Pass, None);
    ask("selected.size() == 1", Verdict::Inconclusive, unsettled);
    ask("pkg.name != \"com.c\"", Verdict::Inconclusive, unsettled);
    ask("pkg.name != \"com.a\"", Verdict::Fail, Some(Reason::ExpressionFalse));
}

#[test]
fn nothing_that_the_rule_is_about_is_no_pass() {
    let nothing = Some(Reason::NothingMatched);
    holds("packages.all(p, p.has_code)", &image(), Verdict::NotApplicable, nothing);
    holds("pkg.has_code", &image(), Verdict::NotApplicable, nothing);
    let select = "select = { packages = [\"com.x\"] }, expression = 'selected.all(p, p.has_code)'";
    expect(KIND, select, &with(image(), [app("com.a")]), Verdict::NotApplicable, nothing);
    fails("packages.exists(p, p.has_code)", &image());
    passes("device.sdk == 34 && as_of == \"2026-06-01\"", &image());
}

#[test]
fn a_copy_that_breaks_the_rule_is_not_covered_by_another() {
    let mut package = app("com.a");
    package.copies.push(copy("com.a", CopyRole::Updated));
    package.copies[1].target_sdk = known(20);
    let inventory = with(image(), [package]);
    let found = fails("pkg.target_sdk > 28", &inventory);
    assert_eq!(found.observed.matches("is false").count(), 1, "{:?}", found.observed);
    fails("packages.all(p, p.copies.all(c, c.target_sdk > 28))", &inventory);
    passes("packages.all(p, p.copies.size() == 2)", &inventory);
}

#[test]
fn an_error_is_neither_pass_nor_fail_and_hides_no_failure() {
    let broken = Some(Reason::ExpressionError);
    let inventory = with(image(), [app("com.a"), app("com.b")]);
    let found = holds("10 / packages.filter(p, p.version_code == 0).size() > 1", &inventory, Verdict::Error, broken);
    assert_eq!(found.observed, "a division by zero in `10 / packages.filter(p, p.version_code == 0).size()`");
    let found = holds("pkg.flags[0] == \"x\"", &inventory, Verdict::Error, broken);
    let each = "there is no place 0 in a list of 0 in `pkg.flags[0]`";
    assert_eq!(found.observed, format!("not judged: com.a ({each}); com.b ({each})"));
    holds("{\"x\": 1}[pkg.name] == 1", &inventory, Verdict::Error, broken);
    holds("pkg.target_sdk * 9223372036854775807 > 1", &inventory, Verdict::Error, broken);
    // One package fails, one has no value: both are told.
    let text = "pkg.name == \"com.a\" ? false : 1 / pkg.flags.size() > 0";
    let outcomes = ask(KIND, &format!("expression = '{text}'"), &inventory, Presence::Installed);
    let verdicts: Vec<Verdict> = outcomes.iter().map(|outcome| outcome.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Error]);
    // One holds, one has no value: that is no pass.
    let text = "pkg.name == \"com.a\" || 1 / pkg.flags.size() > 0";
    let outcomes = ask(KIND, &format!("expression = '{text}'"), &inventory, Presence::Installed);
    assert_eq!(outcomes.iter().map(|outcome| outcome.verdict).collect::<Vec<_>>(), [Verdict::Error]);
}

#[test]
fn too_many_steps_are_an_error_and_the_number_does_not_depend_on_the_machine() {
    let many: Vec<Package> = (0..400).map(|index| app(&format!("com.a{index}"))).collect();
    let inventory = with(image(), many);
    let cubic =
        "packages.all(a, packages.all(b, packages.all(c, a.version_code == b.version_code || c.version_code > 0)))";
    let found = holds(cubic, &inventory, Verdict::Error, Some(Reason::ExpressionError));
    assert_eq!(found.observed, "it takes more than 2000000 steps");
    holds(
        "pkg.name != \"com.a0\" ? packages.all(a, packages.all(b, a.version_code + b.version_code > 0)) : true",
        &inventory,
        Verdict::Error,
        Some(Reason::ExpressionError),
    );
    passes("packages.all(a, packages.all(b, a.name <= b.name || a.name > b.name))", &inventory);
    // Nothing absorbs it.
    holds(&format!("true && ({cubic} || true)"), &inventory, Verdict::Error, Some(Reason::ExpressionError));
}

/// What a bare expression without facts comes to within so many steps, and how many it left.
fn run(text: &str, steps: u64) -> (Result<String, Exhausted>, u64) {
    let (node, _) =
        parser::expression(text, &roots(&[("n", Type::Number)])).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    evaluate(&node, vec![Value::Number(1)], steps, |value, left| (value.map(|value| value.show().en), left))
}

#[test]
fn bombs_of_macros_texts_and_lists_end_within_the_budget_and_take_its_memory_at_most() {
    let list = format!("[{}n]", "1,".repeat(500));
    let nested = |depth: usize| {
        let mut text = "n > 0".to_owned();
        for level in 0..depth {
            text = format!("{list}.all(x{level}, {text})");
        }
        text
    };
    let doubled = |start: &str, count: usize| {
        format!("{start}{}", (0..count).map(|at| format!(".map(x{at}, x{at} + x{at})")).collect::<String>())
    };
    let bombs = [
        nested(3),
        nested(4),
        doubled("[n].map(z, \"0123456789abcdef\")", 30),
        doubled("[[n, n]]", 30),
        format!("{list}.map(a, {list}.map(b, {list}.map(c, a + b + c)))"),
        format!("{list}.filter(a, {list}.exists_one(b, {list}.all(c, a in {list})))"),
    ];
    for bomb in bombs {
        let started = Instant::now();
        let (result, left) = run(&bomb, STEPS);
        assert_eq!((result, left), (Err(Exhausted), 0), "{bomb:.80}");
        // A debug build takes some tens of nanoseconds for a step; this is a bound for a loaded machine.
        assert!(started.elapsed() < Duration::from_secs(20), "{:?} {bomb:.80}", started.elapsed());
    }
    // The same steps each time.
    let once = run(&nested(2), STEPS);
    assert_eq!(once.0, Ok("true".to_owned()));
    assert_eq!(once, run(&nested(2), STEPS));
}

#[test]
fn long_chains_are_read_and_what_is_too_long_or_too_deep_is_refused() {
    let chain = |sign: &str, count: usize| vec!["n"; count].join(sign);
    assert_eq!(run(&chain(" + ", 4_000), STEPS).0, Ok("4000".to_owned()));
    assert_eq!(run(&vec!["n == 1"; 1_600].join(" && "), STEPS).0, Ok("true".to_owned()));
    assert_eq!(run(&vec!["n == 2"; 1_600].join(" || "), STEPS).0, Ok("false".to_owned()));
    assert_eq!(run(&format!("{}7", "n == 2 ? 1 : ".repeat(1_200)), STEPS).0, Ok("7".to_owned()));
    let refused = |text: &str| parser::expression(text, &roots(&[("n", Type::Number)])).unwrap_err().message;
    assert_eq!(refused(&chain(" + ", 10_000)), "the expression has 39997 bytes, expected at most 16384");
    let deep = |open: &str, close: &str, count: usize| format!("{}n{}", open.repeat(count), close.repeat(count));
    assert_eq!(run(&deep("(", ")", 32), STEPS).0, Ok("1".to_owned()));
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("size([", "])"), ("{1:", "}"), ("[n].map(n, ", ")")] {
        let message = refused(&deep(open, close, 5_000 / (open.len() + close.len())));
        assert!(
            message.starts_with("nested more than 32 deep") || message.contains("stands for something"),
            "{open}: {message}"
        );
    }
    let message = refused(&deep("!", "", 5_000));
    assert!(message.starts_with("nested more than 32 deep"), "{message}");
    let members = format!("[n]{}", ".map(x, x)".repeat(200));
    assert_eq!(refused(&members), "nested more than 64 deep, members included");
    let lists = format!("[n]{}", ".map(x, [x])".repeat(10));
    assert!(refused(&lists.replace(".map(x, [x])", ".map(x, [[x]])")).contains("nested more than 4 deep"));
}

#[test]
fn no_text_makes_the_parser_or_the_evaluator_panic() {
    const PIECES: [&str; 46] = [
        "n",
        "x",
        "1",
        "0",
        "9223372036854775808",
        "\"a\"",
        "'",
        "\"",
        "\"\"\"",
        "r'",
        "\\",
        "true",
        "null",
        "in",
        "has",
        "size",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        "?",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        ".all(x, ",
        ".map(x, ",
        ".size()",
        ".matches(\"(a+)+$\")",
        " ",
        "\n",
        "//",
        "é",
        "\u{0}",
        "u",
    ];
    let names = roots(&[("n", Type::Number)]);
    let mut random = Random::new(0xbad);
    let mut read = 0;
    for _ in 0..60_000 {
        let mut text = String::new();
        for _ in 0..1 + random.below(14) {
            write!(text, "{}", random.pick(&PIECES)).unwrap();
        }
        if let Ok((node, _)) = parser::expression(&text, &names) {
            read += 1;
            evaluate(&node, vec![Value::Number(3)], 10_000, |value, _| value.map(|value| value.show().en).ok());
        }
    }
    assert!(read > 500, "only {read} could be read");
    let whole = include_str!("../../../tests/data/expressions/expressions.txt");
    for line in whole.lines() {
        for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
            let _ = parser::expression(&line[..end], &names);
            let _ = parser::expression(&line[end..], &names);
        }
    }
}

/// A profile with one rule.
fn rule(settings: &str) -> String {
    format!(
        "schema = 1\nid = \"test\"\nversion = \"1\"\ntitle = \"Test\"\nsources = {{ S = \"a source\" }}\n[[rule]]\nid = \"T-1\"\n\
         title = \"Test\"\ncheck = \"expression\"\nstatus = \"policy\"\nlegal = {{ instrument = \"test\", sources = [\"S\"], \
         confidence = \"A\" }}\n{settings}\n"
    )
}

fn place(settings: &str) -> String {
    let text = rule(settings);
    let profile = Profile::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let error = configure(&profile).map(|_| ()).unwrap_err();
    let help = error.help().map_or(String::new(), |help| format!(" = {help}"));
    format!("{}:{}: {}{help}", error.line().unwrap(), error.column().unwrap(), error.message())
}

#[test]
fn what_is_wrong_is_shown_at_its_place_in_the_file() {
    assert_eq!(
        place("settings = { expression = 'pkg.targetsdk >= 30' }"),
        "12:32: unknown field of a package `targetsdk` = did you mean `target_sdk`?"
    );
    assert_eq!(
        place("[rule.settings]\nexpression = '''\npkg.has_code\n  && device.skd >= 30\n'''"),
        "15:13: unknown field of the device `skd` = did you mean `sdk`?"
    );
    assert_eq!(
        place("settings = { expression = \"pkg.label == \\\"x\\\" && pgk.has_code\" }"),
        "12:27: unknown name `pgk`, at its character 21 = did you mean `pkg`?"
    );
    assert_eq!(
        place("settings = { expression = 'package.name == 1' }"),
        "12:28: `package` is a word of CEL, expected a value = the package is `pkg`"
    );
    assert_eq!(
        place("settings = { expression = 'pkg.target_sdk >= \"30\"' }"),
        "12:43: a number is compared with text, expected the same of both"
    );
}

#[test]
fn wrong_settings_are_refused() {
    let refused = |text: &str| refusal(KIND, &format!("expression = '{text}'"));
    assert_eq!(refusal(KIND, ""), "settings lacks `expression`, expected text");
    assert_eq!(refused("pkg.label"), "the expression comes to text, expected true or false");
    assert_eq!(refused("pkg"), "the expression comes to a package, expected true or false");
    assert_eq!(
        refused("1 == 1"),
        "the expression asks nothing of the device, expected `pkg`, `packages`, `device` ..."
    );
    assert_eq!(refused("pkg.label.matches(pkg.name)"), "a pattern is a text as it stands, expected quotes around it");
    assert_eq!(refused("pkg.label.matches(\"(\")"), "the pattern can't be used: unclosed group");
    assert_eq!(
        refused("pkg.label.matches(\"(x{1000}){1000}\")"),
        "the pattern can't be used: Compiled regex exceeds size limit of 65536 bytes."
    );
    assert_eq!(refused("pkg == pkg"), "a package can't be compared, expected a member of it, as in `.name`");
    assert_eq!(refused("packages.all(pkg, true)"), "`pkg` stands for something already, expected another name");
    assert_eq!(
        refused("pkg.label.size() > 1.5"),
        "a number with a point is CEL, and not of the part that rules may use"
    );
    let select = "select = { privileged = true }, expression = 'device.sdk > 1'";
    assert_eq!(refusal(KIND, select), "`select` has no effect: the expression uses neither `pkg` nor `selected`");
}

/// A phone with a package of which every field has a value.
fn told() -> Inventory {
    let examples = "examples = [{ verdict = \"pass\", device = { source = \"phone\" }, packages = [\"com.full\"] }]";
    let text = rule(&format!("settings = {{ expression = 'pkg.has_code' }}\n{examples}"));
    let profile = Profile::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let Specimen::Inline(inventory) = &profile.rules[0].examples[0].specimen else { panic!("it stands there") };
    let mut inventory = (**inventory).clone();
    if let Fact::Known { value, .. } = &mut inventory.packages {
        fill(&mut value[0]);
    }
    inventory
}

fn fill(package: &mut Package) {
    let text = |text: &str| text.to_owned();
    package.grants = grants(&["a.B"]);
    package.uid = known(10_001);
    let copy = &mut package.copies[0];
    copy.signers = known(vec![signer('a')]);
    copy.declared_permissions = known(vec![DeclaredPermission {
        name: text("a.P"),
        package: text("com.full"),
        protection: Some(text("normal")),
        group: None,
        known_certificates: Vec::new(),
    }]);
    copy.manifest = known(ManifestFacts {
        cleartext: Some(true),
        user_authorities: Some(false),
        hooks: vec![SystemHook { kind: text("device-admin"), component: text("a.B") }],
        exported: vec![ExportedComponent {
            kind: text("service"),
            name: text("a.S"),
            permission: None,
            write_permission: None,
            authorities: Vec::new(),
        }],
        libraries: vec![LibraryFacts { kind: text("library"), name: text("l"), version: None }],
        meta_data: vec![
            MetaDataFacts { name: text("a"), value: Some(text("1")) },
            MetaDataFacts { name: text("a"), value: Some(text("2")) },
            MetaDataFacts { name: text("b"), value: None },
        ],
        ..Default::default()
    });
    if let Fact::Known { value: code, .. } = &mut copy.code {
        (code.file_bytes, code.dex_bytes) = (Some(1), Some(2));
        let sdk = SdkCount { prefix: text("a.b"), name: text("Kit"), kind: text("ads"), classes: 3 };
        code.class_counts = Some(known(ClassCounts { prefixes: Vec::new(), sdks: vec![sdk] }));
    }
}

#[test]
fn every_field_holds_what_the_page_says_and_is_unknown_where_its_fact_is() {
    let inventory = told();
    let context = Context::on(date(2026, 6, 1));
    let world = World::new(&inventory, &context);
    let package = inventory.package("com.full").unwrap();
    let copy = &package.copies[0];
    let facts = copy.manifest.known().unwrap();
    let mut records = vec![
        (Kind::Package, Record::Package(Subject { package, copy })),
        (Kind::Device, Record::Device),
        (Kind::Component, Record::Component(&facts.exported[0])),
        (Kind::Hook, Record::Hook(&facts.hooks[0])),
        (Kind::Library, Record::Library(&facts.libraries[0])),
        (Kind::Declared, Record::Declared(&copy.declared_permissions.known().unwrap()[0])),
    ];
    let counts = copy.code.known().unwrap().class_counts.as_ref().unwrap().known().unwrap();
    records.push((Kind::Sdk, Record::Sdk(&counts.sdks[0])));
    assert_eq!(records.len(), Kind::ALL.len());
    let mut unknown = Vec::new();
    for (kind, record) in records {
        for field in kind.fields() {
            match field.read(record, &world) {
                Read::Known(value, _) => assert!(is_of(&value, &field.of.of()), "{} {value:?}", field.name),
                Read::Unknown(_) => unknown.push(field.name),
            }
        }
    }
    // What a phone does not tell.
    assert_eq!(unknown, ["vendor_fingerprint", "generic_system", "for_sale", "partitions"]);
    passes("packages[0].meta_data == {\"a\": \"2\", \"b\": \"\"}", &inventory);
}

fn is_of(value: &Value<'_>, of: &Type) -> bool {
    match (value, of) {
        (Value::Flag(_), Type::Flag) | (Value::Number(_), Type::Number) | (Value::Text(_), Type::Text) => true,
        (Value::List(list), Type::List(item)) => list.items.iter().all(|value| is_of(value, item)),
        (Value::Map(map), Type::Map(key, value)) => map.iter().all(|pair| is_of(&pair.0, key) && is_of(&pair.1, value)),
        (Value::Record(Record::Package(_)), Type::Record(Kind::Package)) => true,
        (Value::Record(record), Type::Record(kind)) => {
            let names = kind.fields().iter().map(|field| field.name);
            !record.name().is_empty() && names.count() > 1
        }
        _ => false,
    }
}

#[test]
fn of_a_device_of_which_nothing_is_known_every_field_is_unknown() {
    let gap = crate::inventory::Gap::new("all", crate::inventory::GapReason::Failed, "not read");
    let inventory = Inventory::unknown(image().target, &gap);
    let context = Context::on(date(2026, 6, 1));
    let world = World::new(&inventory, &context);
    for field in Kind::Device.fields() {
        let known = matches!(field.read(Record::Device, &world), Read::Known(..));
        assert_eq!(known, field.name == "source", "{}", field.name);
    }
}

#[test]
fn fields_have_names_of_cel_and_stand_once() {
    for kind in Kind::ALL {
        let names: std::collections::BTreeSet<&str> = kind.fields().iter().map(|field| field.name).collect();
        assert_eq!(names.len(), kind.fields().len());
        for field in kind.fields() {
            let fits = field.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(fits && !field.meaning.is_empty(), "{}", field.name);
            assert!(page().contains(&format!("| `{}` | {} |", field.name, field.of.of())), "{}", field.name);
        }
    }
}
