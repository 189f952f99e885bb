//! The program itself, with phones behind the real ADB server.

use serde_json::Value;

use crate::support::adb_server::{AdbServer, free_port};
use crate::support::adbd::{Adbd, Auth, Profile};
use crate::support::bench::{Bench, asked};
use crate::support::fiction::{Fiction, MANDATED};
use crate::support::program::{Ran, finish, preloaded, run};

/// The list of apps for phones as of mid-2026.
const CHECK: [&str; 5] = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01"];
const JSON: [&str; 2] = ["--format", "json"];

fn check(bench: &Bench, more: &[&str]) -> Ran {
    run(bench.server.address(), CHECK.iter().chain(more))
}

/// Name, overall verdict (or `unread`) of each target.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let targets = report["targets"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    targets
        .map(|target| {
            let overall = &target["result"]["assessment"]["overall"];
            let verdict = if overall.is_null() { &target["result"]["state"] } else { overall };
            (text(&target["target"]["name"]), text(verdict))
        })
        .collect()
}

fn failing(report: &Value) -> Vec<&str> {
    let findings = report["targets"][0]["result"]["assessment"]["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["verdict"] == "fail").map(|finding| finding["rule"].as_str().unwrap()).collect()
}

fn phone(serial: &'static str) -> Fiction {
    Fiction { serial, ..Fiction::default() }
}

/// A phone that complies and one that lacks an app.
fn two() -> Bench {
    Bench::new([phone("FICTION1").profile(), phone("FICTION2").without("ru.oneme.app").profile()])
}

// Verdicts.

#[test]
fn a_phone_with_every_mandated_app_complies() {
    let bench = Bench::new([Fiction::default().profile()]);
    let ran = check(&bench, &JSON);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let report = ran.json();
    let name = format!("adb:{}", bench.phones[0].serial());
    assert_eq!(verdicts(&report), [(name.clone(), "compliant".to_owned())]);
    let result = &report["targets"][0]["result"];
    // Beside them two rules that are no law: no look-alikes, and what is known of the store.
    assert_eq!(result["assessment"]["counts"]["pass"], MANDATED.len() + 2);
    assert_eq!(result["coverage"]["gaps"], Value::Array(Vec::new()));
    assert_eq!(result["coverage"]["packages"], MANDATED.len() + 2);

    let text = check(&bench, &[]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    assert!(text.stdout.contains(&name) && text.stdout.contains("COMPLIANT"), "{}", text.stdout);
    assert!(!text.stdout.contains('\u{1b}'), "no colour where there is no terminal");
}

#[test]
fn each_mandated_app_is_missed_by_its_own_rule() {
    let mut rules = Vec::new();
    for app in MANDATED {
        let bench = Bench::new([Fiction::default().without(app).profile()]);
        let ran = check(&bench, &JSON);
        assert_eq!(ran.code, 1, "without {app}");
        let report = ran.json();
        let [rule] = failing(&report).try_into().unwrap_or_else(|all| panic!("without {app}: {all:?}"));
        assert_eq!(rule == "RU-MAX", app == "ru.oneme.app", "{rule} for {app}");
        rules.push(rule.to_owned());
    }
    rules.sort();
    rules.dedup();
    assert_eq!(rules.len(), MANDATED.len());
}

#[test]
fn an_app_that_somebody_installed_later_is_no_preinstalled_one() {
    let packages = preloaded::adb::commands::packages(34);
    let honest = Fiction::default();
    let mut script = honest.script(packages.line());
    let dump = String::from_utf8(script.stdout.to_vec()).unwrap();
    let (start, entry) = dump.split_once("  Package [ru.oneme.app]").unwrap();
    let (entry, rest) = entry.split_once("  Package [").unwrap();
    let entry = entry
        .replace("/system/app/ru.oneme.app", "/data/app/~~a==/ru.oneme.app-b==")
        .replace("SYSTEM ", "")
        .replace("installerPackageName=null", "installerPackageName=ru.vk.store");
    script.stdout = format!("{start}  Package [ru.oneme.app]{entry}  Package [{rest}").into_bytes().into();
    let bench = Bench::new([honest.answering(script).profile()]);
    let ran = check(&bench, &JSON);
    let report = ran.json();
    assert_ne!(verdicts(&report)[0].1, "compliant");
    let findings = report["targets"][0]["result"]["assessment"]["findings"].as_array().unwrap();
    let max = findings.iter().find(|finding| finding["rule"] == "RU-MAX").unwrap();
    assert_eq!((max["verdict"].as_str(), max["reason"].as_str()), (Some("inconclusive"), Some("provenance-unclear")));
}

// Which phones.

#[test]
fn every_attached_phone_gets_its_own_verdict_and_the_worst_decides_the_exit_code() {
    let bench = two();
    let name = |number: usize| format!("adb:{}", bench.phones[number].serial());
    let mut expected = [(name(0), "compliant".to_owned()), (name(1), "not_compliant".to_owned())];
    expected.sort();
    for target in [&["adb"][..], &[], &["adb", "--jobs", "1"]] {
        let ran = check(&bench, &[target, &JSON].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{target:?}");
        let report = ran.json();
        assert_eq!(verdicts(&report), expected, "{target:?}");
        assert_eq!(report["exit_code"], 1);
    }
    let text = check(&bench, &["adb"]);
    assert_eq!(text.code, 1);
    for (name, _) in expected {
        assert!(text.stdout.contains(&name), "{}", text.stdout);
    }
}

#[test]
fn a_phone_is_selected_by_its_serial_number_and_no_other_is_asked() {
    let bench = two();
    let serial = bench.phones[0].serial();
    let named = format!("adb:{serial}");
    for select in [vec!["--device", &serial], vec!["-s", &serial], vec![&named]] {
        let ran = check(&bench, &[&select[..], &JSON].concat());
        assert_eq!(ran.code, 0, "{select:?}");
        assert_eq!(verdicts(&ran.json()), [(named.clone(), "compliant".to_owned())]);
    }
    assert_eq!(bench.phones[1].services(), Vec::<String>::new());
}

#[test]
fn a_serial_number_that_is_not_attached_may_be_later() {
    let bench = two();
    for select in [["--device", "NONE"], ["adb:NONE", "--jobs=1"]] {
        let ran = check(&bench, &[&select[..], &JSON].concat());
        assert_eq!(ran.code, 75, "{select:?}");
        let report = ran.json();
        assert_eq!(verdicts(&report), [("adb:NONE".to_owned(), "unread".to_owned())]);
        let error = report["targets"][0]["result"]["error"].as_str().unwrap();
        assert!(error.contains("no phone with this serial number is attached"), "{error}");
    }
    // Beside a phone that complies, the one that is missing decides.
    let serial = bench.phones[0].serial();
    assert_eq!(check(&bench, &["-s", &serial, "-s", "NONE"]).code, 75);
    let scan = run(bench.server.address(), ["scan", "adb:NONE"]);
    assert_eq!((scan.code, scan.stdout.as_str()), (75, ""));
    assert!(bench.phones[1].services().is_empty());
}

#[test]
fn an_unauthorised_phone_is_unread_and_does_not_hide_another() {
    let never = Adbd::start(Profile { auth: Auth::Never, ..phone("FICTION2").profile() });
    let bench = Bench::new([phone("FICTION1").profile()]);
    bench.server.adb(&["connect", &never.serial()]);
    bench.server.wait_for(&never, "unauthorized");
    let ran = check(&bench, &JSON);
    assert_eq!(ran.code, 75);
    let report = ran.json();
    let found = verdicts(&report);
    let of = |phone: &Adbd| {
        let name = format!("adb:{}", phone.serial());
        found.iter().position(|(found, _)| *found == name).unwrap_or_else(|| panic!("{name} in {found:?}"))
    };
    assert_eq!(
        (found.len(), found[of(&never)].1.as_str(), found[of(&bench.phones[0])].1.as_str()),
        (2, "unread", "compliant")
    );
    let error = report["targets"][of(&never)]["result"]["error"].as_str().unwrap();
    assert!(error.contains("device unauthorized"), "{error}");

    let devices = run(bench.server.address(), ["devices"]);
    assert_eq!(devices.code, 0);
    let line = format!("adb:{}\tunauthorized", never.serial());
    assert!(devices.stdout.lines().any(|found| found == line), "{}", devices.stdout);
}

// `devices`, and servers.

/// Known by name: nothing more is asked.
#[test]
fn installer_agents_of_a_phone_are_listed_from_what_it_tells_anyway() {
    let agent = "com.aura.oobe.samsung.gl";
    let firmware = [agent, "com.example.other"].map(|name| (name.to_owned(), format!("/system/app/{name}/{name}.apk")));
    let bench = Bench::new([Fiction { firmware: firmware.into(), ..Fiction::default() }.profile()]);
    let target = format!("adb:{}", bench.phones[0].serial());
    let listed = |more: &[&str]| -> Vec<String> {
        let fixed = ["list", &target, "--format", "tsv"];
        let ran = run(bench.server.address(), fixed.iter().chain(more));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.lines().skip(1).map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(&["--installer-agents"]), [agent]);
    let first = asked(&bench.phones[0]);
    assert!(listed(&[]).contains(&"com.example.other".to_owned()));
    assert_eq!(asked(&bench.phones[0]).split_off(first.len()), first);
}

#[test]
fn devices_are_listed_by_name_with_state_and_model() {
    let bench = two();
    let ran = run(bench.server.address(), ["devices"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let mut expected: Vec<String> =
        bench.phones.iter().map(|phone| format!("adb:{}\tdevice\tSim_Phone\n", phone.serial())).collect();
    expected.sort();
    assert_eq!(ran.stdout, expected.concat());
    assert!(bench.phones.iter().all(|phone| phone.services().is_empty()), "a list asks no phone");
}

#[test]
fn a_server_without_phones_is_told_from_no_server() {
    let server = AdbServer::start();
    let nobody = (std::net::Ipv4Addr::LOCALHOST, free_port()).into();
    for command in [&["devices"][..], &CHECK, &["scan", "adb"], &["list", "adb"]] {
        let ran = run(server.address(), command);
        let words = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code == 75 && words.contains("no phone is attached"), "{command:?}: {ran:#?}");
        let ran = run(nobody, command);
        let words = format!("{}{}", ran.stdout, ran.stderr).replace('\n', " ");
        assert_eq!(ran.code, 75, "{command:?}");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("start one with `adb start-server` or with --start-server"), "{command:?}: {words}");
    }
}

#[test]
fn a_wrong_address_of_the_server_is_wrong_usage() {
    let port = (std::net::Ipv4Addr::LOCALHOST, free_port()).into();
    for command in [&["devices"][..], &CHECK, &["scan", "adb:X"]] {
        let ran = finish(preloaded(port).env("ANDROID_ADB_SERVER_PORT", "usb").args(command));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}");
        assert!(ran.stderr.contains("ANDROID_ADB_SERVER_PORT is `usb`, expected a port number"), "{}", ran.stderr);
    }
}

#[test]
fn a_patience_of_nothing_is_wrong_usage() {
    let port = (std::net::Ipv4Addr::LOCALHOST, free_port()).into();
    for wrong in ["0", "soon"] {
        assert_eq!(run(port, ["devices", "--patience", wrong]).code, 2, "{wrong}");
    }
}
