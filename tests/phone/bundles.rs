//! Signed evidence of phones: what is kept of their answers, and what is nobody's business.

use std::collections::BTreeMap;
use std::path::Path;

use preloaded::adb::commands;
use preloaded::evidence::archive::{self, Files};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::adbd::Script;
use crate::support::bench::Bench;
use crate::support::fiction::Fiction;
use crate::support::program::{Ran, finish, preloaded, run};

/// A bundle of the bench's phones, judged with these arguments, and the folder with its key.
fn bundle(bench: &Bench, more: &[&str]) -> (TempDir, Files) {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = run(bench.server.address(), ["key", "new", &path("a.key"), "--name", "a"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    std::fs::write(path("keys.toml"), made.stdout).unwrap();
    let (key, file) = (path("a.key"), path("b.zip"));
    let evidence = ["--bundle", file.as_str(), "--sign-key", key.as_str()];
    let mut command = preloaded(bench.server.address());
    command.args(["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01"]).args(evidence).args(more);
    let ran = finish(&mut command);
    assert!(ran.code < 2, "{ran:#?}");
    let files = archive::read(&std::fs::read(path("b.zip")).unwrap()).unwrap();
    (folder, files)
}

fn verify(bench: &Bench, folder: &Path) -> Ran {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    run(bench.server.address(), ["verify", &path("b.zip"), "--key", &path("keys.toml")])
}

/// What is kept, by command, and why others are not.
fn raw(files: &Files) -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, String>) {
    let raw: Value = serde_json::from_slice(&files["targets/0001/raw.json"]).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pieces = raw["pieces"].as_array().unwrap().iter();
    let left_out = raw["left_out"].as_array().unwrap().iter();
    (
        pieces.map(|piece| (text(&piece["origin"]), files[piece["file"].as_str().unwrap()].clone())).collect(),
        left_out.map(|left| (text(&left["origin"]), text(&left["why"]))).collect(),
    )
}

#[test]
fn the_answers_of_a_phone_are_kept_word_for_word_and_verify() {
    let phone = Fiction::default();
    let dump = phone.script(commands::packages(34).line());
    let bench = Bench::new([phone.profile()]);
    let (folder, files) = bundle(&bench, &["--id", "plain"]);
    let (kept, left_out) = raw(&files);
    assert_eq!(kept[commands::packages(34).line()], dump.stdout.to_vec());
    assert!(kept.contains_key("getprop") && kept.contains_key("pm list users"), "{:?}", kept.keys());
    assert_eq!(left_out, BTreeMap::new());
    let verified = verify(&bench, folder.path());
    assert_eq!(verified.code, 0, "{verified:#?}");
    assert!(verified.stdout.contains("compliant is reproduced, every finding of it"), "{}", verified.stdout);
}

#[test]
fn what_leads_to_a_person_is_left_out_and_named_unless_somebody_asks() {
    let bench = Bench::new([Fiction::default().profile()]);
    let (folder, files) = bundle(&bench, &["--id", "none"]);
    let (kept, left_out) = raw(&files);
    assert!(kept.contains_key(commands::packages(34).line()), "{:?}", kept.keys());
    for (command, why) in [
        ("getprop", "it holds a serial number"),
        ("pm list users", "it holds what the phone's owner wrote or set"),
        (commands::settings(0).line(), "it holds what the phone's owner wrote or set"),
    ] {
        assert_eq!(left_out.get(command).map(String::as_str), Some(why), "{left_out:#?}");
        assert!(!kept.contains_key(command));
    }
    let serial = bench.phones[0].serial();
    let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(&serial);
    assert_eq!(files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(verify(&bench, folder.path()).code, 0);
}

#[test]
fn an_app_that_somebody_installed_is_in_no_bundle() {
    let honest = Fiction::default();
    let line = commands::packages(34).line().to_owned();
    let dump = String::from_utf8(honest.script(&line).stdout.to_vec()).unwrap();
    let (_, entry) = dump.split_once("  Package [ru.oneme.app]").unwrap();
    let entry = entry.split("  Package [").next().unwrap().replace("ru.oneme.app", "com.dating");
    let entry = entry
        .replace("/system/app/com.dating", "/data/app/~~a==/com.dating-b==")
        .replace("SYSTEM ", "")
        .replace("installerPackageName=null", "installerPackageName=ru.vk.store");
    let script = Script::new(&line, format!("{dump}  Package [com.dating]{entry}"));
    let bench = Bench::new([honest.answering(script).profile()]);
    for id in ["none", "plain"] {
        let (folder, files) = bundle(&bench, &["--id", id]);
        let (kept, left_out) = raw(&files);
        assert_eq!(left_out.get(&line).map(String::as_str), Some("it names an app that somebody installed"), "{id}");
        assert!(!kept.is_empty());
        let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains("com.dating");
        assert_eq!(files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(verify(&bench, folder.path()).code, 0, "{id}");
    }
}
