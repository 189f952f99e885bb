//! Every command of the table, and everything that can go wrong with its answer: what was not read is named, and where a
//! rule needs it, there is no compliance.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use preloaded::adb::commands;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::adbd::{Adbd, Fault, Profile, Script};
use crate::support::bench::{Bench, asked};
use crate::support::fiction::{Fiction, REFUSED};
use crate::support::program::{Ran, run};

/// Answers that are only held against others: the dump tells the state of every user, and the serial number the phone.
/// Without them a verdict may stand, with the gap beside it.
const CROSS_CHECKS: [&str; 4] = ["boot-id", "users", "list", "list-old"];

/// Answers that no rule of the demanding profile needs: a phone that refuses them by its own word keeps its verdict, with
/// the gap beside it.
const STATE: [&str; 6] = ["service", "service-old", "settings", "home", "features", "modules"];

/// Rows that no reading of a phone sends where every answer comes: those of `--deep` have tests of their own, and packages
/// are asked for one by one only where a phone does not tell what all of them request.
const NEVER_SENT: [&str; 7] = ["package", "package-old", "read", "read-piped", "size", "size-listed", "pull"];

/// A profile with a rule for each kind of fact that such a phone tells.
fn demanding(folder: &TempDir, sdk: u32) -> String {
    let text = include_str!("demanding.toml");
    let (without_icons, _) = text.split_once("\n# Last:").unwrap();
    let path = folder.path().join(format!("{sdk}.toml"));
    fs::write(&path, if sdk < 24 { without_icons } else { text }).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Judges every phone.
fn judge(bench: &Bench, profile: &str, more: &[&str]) -> Ran {
    let fixed = ["check", "adb", "--as-of", "2026-06-01", "--format", "json", "--profile", profile];
    run(bench.server.address(), fixed.iter().chain(more))
}

/// Reason and place of each gap of the first target.
fn gaps(report: &Value) -> BTreeSet<(String, String)> {
    let gaps = report["targets"][0]["result"]["coverage"]["gaps"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    gaps.iter().map(|gap| (text(&gap["reason"]), text(&gap["place"]))).collect()
}

fn overall(report: &Value) -> &str {
    report["targets"][0]["result"]["assessment"]["overall"].as_str().unwrap_or("unread")
}

/// What goes wrong with an answer, and the reason that must be told.
fn faults(honest: &Script, is_dump: bool) -> BTreeMap<&'static str, (Script, &'static str)> {
    let half = honest.stdout.len() / 2;
    let says = |text: &[u8]| Script { stdout: text.into(), ..honest.clone() };
    let start = &honest.stdout[..half];
    let mut faults = BTreeMap::from([
        ("the stream ends", (honest.clone().fault(half, Fault::Close), "truncated")),
        ("the cable is pulled", (honest.clone().fault(half, Fault::Drop), "truncated")),
        ("the phone falls silent", (honest.clone().fault(half, Fault::Hang), "timed-out")),
        ("the phone refuses", (says(b"").stderr("java.lang.SecurityException: no\n").status(1), "refused")),
        ("the answer is empty", (says(b""), "missing")),
    ]);
    if is_dump {
        let stopped = [start, b"\n*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n"].concat();
        faults.insert("the phone stops its dump", (says(&stopped), "truncated"));
        faults.insert("the dump ends within an entry", (says(start), "truncated"));
    }
    faults
}

/// The row that a line was made from: that with the longest fixed start.
fn row(line: &str) -> &'static str {
    let start = |template: &'static str| template.split('{').next().unwrap_or_default();
    let made = commands::table().iter().filter(|row| line.starts_with(start(row.template)));
    made.max_by_key(|row| start(row.template).len()).unwrap_or_else(|| panic!("{line}")).name
}

/// Spoils every answer that the phone gives, one at a time and in every way. Names of the rows that were spoiled.
fn spoil(fiction: &Fiction) -> BTreeSet<&'static str> {
    let folder = TempDir::new().unwrap();
    let profile = demanding(&folder, fiction.sdk);
    let honest = Bench::new([fiction.profile()]);
    let ran = judge(&honest, &profile, &[]);
    assert_eq!(ran.code, 0, "unspoiled: {ran:#?}");
    let lines: BTreeSet<String> = asked(&honest.phones[0]).into_iter().collect();
    let answers = lines.iter().map(|line| (line, fiction.script(line))).filter(|(_, script)| script.status == 0);
    let mut spoiled = BTreeSet::new();
    for (line, script) in answers {
        let row = row(line);
        spoiled.insert(row);
        // The place of a question about thousands of permissions is their number.
        let place = match line.split_once(" permission ") {
            Some((start, names)) => format!("{start} permission ({} names)", names.split(' ').count()),
            None => line.clone(),
        };
        for (what, (script, reason)) in faults(&script, line.starts_with("dumpsys")) {
            let bench = Bench::new([fiction.clone().answering(script).profile()]);
            let impatience: &[&str] = if reason == "timed-out" { &["--patience", "0.4"] } else { &[] };
            let ran = judge(&bench, &profile, impatience);
            let report = ran.json();
            let found = gaps(&report);
            let told = [&place, line].into_iter().any(|place| found.contains(&(reason.to_owned(), place.clone())));
            let gone = what == "the cable is pulled" && ran.code == 75 && overall(&report) == "unread";
            assert!(told || gone, "{line}: {what}: `{reason}` is not told: {ran:#?}");
            assert_eq!(ran.code == 0, overall(&report) == "compliant", "{line}: {what}: {ran:#?}");
            // A command that failed by its own word, and whose answer only checks another, leaves the verdict as it is.
            // Some phones tell no shell the number of their start.
            let dispensable = match row {
                "boot-id" => ["failed", "refused", "missing"].contains(&reason),
                row if STATE.contains(&row) => ["failed", "refused", "missing"].contains(&reason),
                row => reason == "failed" && CROSS_CHECKS.contains(&row),
            };
            assert!(ran.code != 0 || dispensable, "{line}: {what}: {ran:#?}");
        }
    }
    spoiled
}

/// One user, so that no other's answer fills in.
fn single(sdk: u32) -> Fiction {
    Fiction { sdk, users: vec![0], ..Fiction::default() }
}

/// A phone that does not know the names of sections, and prints all of them when asked for none.
fn without_sections(sdk: u32) -> Fiction {
    let phone = single(sdk);
    let parts = [commands::permissions(sdk), commands::packages(sdk), commands::shared_users(sdk)];
    let said = |line: &str| String::from_utf8(phone.script(line).stdout.to_vec()).unwrap();
    let everything = parts.each_ref().map(|part| said(part.line())).join("\n");
    let mut spoiled = phone.answering(Script::new(commands::everything(sdk).line(), everything));
    for command in parts.into_iter().chain([commands::packages(21)]) {
        spoiled = spoiled.answering(Script::new(command.line(), "").stderr("Bad argument: packages\n").status(255));
    }
    spoiled
}

#[test]
fn whatever_goes_wrong_with_whatever_answer_is_told_and_never_passes_for_compliance() {
    let phones = [single(34), single(28), single(23), without_sections(34), without_sections(23)];
    let spoiled: BTreeSet<&str> = std::thread::scope(|scope| {
        let spoiling = phones.each_ref().map(|phone| scope.spawn(|| spoil(phone)));
        spoiling.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut untried: BTreeSet<&str> = commands::table().iter().map(|row| row.name).collect();
    untried.retain(|name| !spoiled.contains(name));
    assert_eq!(untried, BTreeSet::from(NEVER_SENT));
}

#[test]
fn a_phone_that_is_unplugged_amid_its_dump_does_not_take_the_others_along() {
    let line = commands::packages(34);
    let honest = Fiction::default();
    let pulled = honest.script(line.line()).fault(5_000, Fault::Drop);
    let bench = Bench::new([honest.clone().answering(pulled).profile(), honest.profile()]);
    let arguments = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--format", "json"];
    let ran = run(bench.server.address(), arguments);
    let report = ran.json();
    let result = |phone: &Adbd| {
        let name = format!("adb:{}", phone.serial());
        let targets = report["targets"].as_array().unwrap();
        targets.iter().find(|target| target["target"]["name"] == name.as_str()).unwrap()["result"].clone()
    };
    assert_eq!(result(&bench.phones[1])["assessment"]["overall"], "compliant");
    let pulled = result(&bench.phones[0]);
    match ran.code {
        // Still away when the phone's identity was asked for again.
        75 => assert_eq!((&pulled["state"], &pulled["temporary"]), (&"unread".into(), &true.into())),
        // Back by then.
        3 => assert_eq!(pulled["assessment"]["overall"], "inconclusive"),
        code => panic!("{code}: {ran:#?}"),
    }
}

#[test]
fn a_user_whose_list_is_refused_is_a_gap_with_the_phones_words_and_its_state_is_known_from_the_dump() {
    let line = commands::list(34, 10);
    let refusals = [
        Script::new(line.line(), REFUSED).status(255),
        Script::new(line.line(), "").stderr(REFUSED).status(255),
        // Some versions exit with 0.
        Script::new(line.line(), REFUSED),
    ];
    for script in refusals {
        let bench = Bench::new([Fiction::default().answering(script).profile()]);
        let ran = judge(&bench, "ru/smartphone", &[]);
        assert_eq!(gaps(&ran.json()), BTreeSet::from([("refused".to_owned(), line.line().to_owned())]));
        assert!(ran.stdout.contains("Shell does not have permission to access user 10"), "{}", ran.stdout);
        let target = format!("adb:{}", bench.phones[0].serial());
        let inventory = run(bench.server.address(), ["scan", &target]).json();
        let packages = inventory["packages"]["value"].as_array().unwrap_or_else(|| panic!("{inventory:#}"));
        for package in packages {
            let states = package["users"]["value"].as_array().unwrap();
            let users: Vec<u64> = states.iter().map(|state| state["user"].as_u64().unwrap()).collect();
            assert_eq!(users, [0, 10], "{}", package["name"]);
        }
    }
}

#[test]
fn a_list_that_is_refused_after_its_first_lines_is_a_refusal() {
    let honest = Fiction::default();
    let line = commands::list(34, 10);
    for (words, reason) in
        [(REFUSED, "refused"), ("*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n", "timed-out")]
    {
        let mut script = honest.script(line.line());
        script.stdout = [&script.stdout, words.as_bytes()].concat().into();
        let bench = Bench::new([honest.clone().answering(script).profile()]);
        let ran = judge(&bench, "ru/smartphone", &[]);
        assert_eq!(gaps(&ran.json()), BTreeSet::from([(reason.to_owned(), line.line().to_owned())]));
    }
}

#[test]
fn a_phone_that_answers_nothing_is_no_inventory() {
    let silent = Script::starting_with("", "").fault(0, Fault::Hang);
    let broken = Script::starting_with("", "").fault(0, Fault::Close);
    for script in [silent, broken] {
        let bench = Bench::new([Profile::answering([script])]);
        let ran = judge(&bench, "ru/smartphone", &["--patience", "0.1"]);
        assert_eq!((ran.code, overall(&ran.json())), (75, "unread"), "{ran:#?}");
        assert!(ran.stdout.contains("the phone answered no command"), "{}", ran.stdout);
        let target = format!("adb:{}", bench.phones[0].serial());
        let scan = run(bench.server.address(), ["scan", &target, "--patience", "0.1"]);
        assert_eq!((scan.code, scan.stdout.as_str()), (75, ""), "{}", scan.stderr);
    }
}

#[test]
fn a_phone_that_falls_silent_for_good_costs_two_waits_and_not_one_for_each_command() {
    let silent = |start: &str| Script::starting_with(start, "").fault(0, Fault::Hang);
    // Android's services hang; what needs none of them goes on.
    let phone = Fiction::default().answering(silent("dumpsys")).answering(silent("pm ")).answering(silent("cmd "));
    let bench = Bench::new([phone.profile()]);
    let ran = judge(&bench, "ru/smartphone", &["--patience", "0.3"]);
    assert_eq!((ran.code, overall(&ran.json())), (3, "inconclusive"));
    let identity = [commands::boot_id(), commands::properties()];
    let asked = asked(&bench.phones[0]);
    let expected = [&identity[..], &[commands::users(), commands::packages(34)], &identity].concat();
    assert_eq!(asked, expected.iter().map(|command| command.line().to_owned()).collect::<Vec<_>>());
    let found = gaps(&ran.json());
    for command in [commands::users(), commands::packages(34), commands::list(34, 0)] {
        assert!(found.contains(&("timed-out".to_owned(), command.line().to_owned())), "{found:?}");
    }
}

#[test]
fn a_phone_that_refuses_everything_is_inconclusive() {
    let refuses = Script::starting_with("", "").stderr("java.lang.SecurityException: no\n").status(1);
    let bench = Bench::new([Profile::answering([refuses])]);
    let ran = judge(&bench, "ru/smartphone", &[]);
    assert_eq!((ran.code, overall(&ran.json())), (3, "inconclusive"));
}

#[test]
fn an_app_that_stands_in_the_part_of_a_dump_that_was_cut_is_not_absent() {
    let honest = Fiction::default();
    let line = commands::packages(34);
    let mut script = honest.script(line.line());
    let whole = String::from_utf8(script.stdout.to_vec()).unwrap();
    let (start, _) = whole.split_once("  Package [ru.oneme.app]").unwrap();
    script.stdout = format!("{start}*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n").into_bytes().into();
    let cut = honest.answering(script);
    // The lists show that something is missing; without them the cut alone has to.
    let refusal = Script::starting_with("pm list packages", "").stderr("java.lang.SecurityException: no\n").status(1);
    for phone in [cut.clone(), cut.answering(refusal)] {
        let bench = Bench::new([phone.profile()]);
        let ran = judge(&bench, "ru/smartphone", &[]);
        assert_eq!((ran.code, overall(&ran.json())), (3, "inconclusive"));
        let found = gaps(&ran.json());
        assert!(found.contains(&("truncated".to_owned(), line.line().to_owned())), "{found:?}");
    }
}
