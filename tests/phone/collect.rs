//! `preloaded scan` through the real ADB server: a real phone's answers against an independent truth, and our simulated
//! phone against one that was written apart from this program.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use preloaded::adb::commands;
use preloaded::inventory::{GapReason, Inventory, TargetKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::adb_server::{AdbServer, free_port};
use crate::support::adbd::{Adbd, Matches, Profile, Script};
use crate::support::bench::{Bench, asked};
use crate::support::fiction::Fiction;
use crate::support::pixel::{self, of_bug_report, packages, real, rows, true_rows};
use crate::support::program::{Ran, run};

const ANDROID_10: u32 = 29;

/// The Pixel, giving its whole dump whatever part is asked for. Lists and icons are not in a bug report.
fn pixel() -> Option<Profile> {
    let properties = fs::read(real("captures/pixel-aosp10/getprop.txt")?).unwrap();
    let dump = of_bug_report("package")?;
    let sections =
        [commands::packages(ANDROID_10), commands::shared_users(ANDROID_10), commands::permissions(ANDROID_10)];
    let mut scripts = vec![
        Script::new(commands::boot_id().line(), "6f1d3c1e-0b8e-4a53-9d2a-3f0f2f9f7a10\n"),
        Script::new(commands::properties().line(), properties),
        Script::new(commands::users().line(), pixel::USERS),
        Script::starting_with("dumpsys -t 60 package permission ", &dump),
    ];
    scripts.extend(sections.iter().map(|section| Script::new(section.line(), &dump)));
    Some(Profile::answering(scripts))
}

/// Saves the inventory of a phone.
fn scan(server: &AdbServer, serial: &str) -> (Ran, Inventory) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("phone.json");
    let target = format!("adb:{serial}");
    let ran = run(server.address(), ["scan", &target, "-o", file.to_str().unwrap()]);
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    (ran, serde_json::from_slice(&text).unwrap())
}

#[test]
fn the_pixel_behind_the_real_server_has_its_134_packages_and_each_of_its_1353_permission_rows() {
    let (Some(profile), Some(expected)) = (pixel(), true_rows()) else { return };
    let bench = Bench::new([profile]);
    let serial = bench.phones[0].serial();
    let (ran, inventory) = scan(&bench.server, &serial);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert_eq!((inventory.target.kind, inventory.target.name.as_str()), (TargetKind::Phone, &*format!("adb:{serial}")));
    assert_eq!(packages(&inventory).len(), 134);
    let found = rows(&inventory);
    let missing: Vec<_> = expected.iter().filter(|(row, count)| found.get(*row) != Some(count)).collect();
    let extra: Vec<_> = found.iter().filter(|(row, count)| expected.get(*row) != Some(count)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}\nextra {extra:#?}");
    let count = |granted: &str| found.iter().filter(|(row, _)| row[4] == granted).map(|(_, count)| count).sum::<i64>();
    assert_eq!((found.values().sum::<i64>(), count("true"), count("false")), (1353, 1227, 126));
    let grants = packages(&inventory).iter().flat_map(|package| package.grants.known().unwrap());
    let users: BTreeSet<Option<u32>> = grants.map(|grant| grant.user).collect();
    assert_eq!(users, BTreeSet::from([None, Some(0), Some(11)]));
    let damaged = [GapReason::Damaged, GapReason::Truncated, GapReason::Disconnected, GapReason::TimedOut];
    assert!(inventory.gaps.iter().all(|gap| !damaged.contains(&gap.reason)), "{:#?}", inventory.gaps);
}

/// What the report has of settings, in the form of `settings list secure`.
fn secure_settings(user: u32) -> Option<String> {
    let dump = of_bug_report("settings")?;
    let (_, section) = dump.split_once(&format!("SECURE SETTINGS (user {user})\n")).unwrap();
    let lines = section.lines().take_while(|line| line.starts_with("_id:"));
    let setting = |line: &str| {
        let (name, rest) = line.split_once(" name:")?.1.split_once(" pkg:")?;
        let value = rest.split_once(" value:")?.1.split(" default:").next()?;
        Some(format!("{name}={value}\n"))
    };
    Some(lines.filter_map(setting).collect())
}

/// Facts without where they were read: `null` for what is not known.
fn facts(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("evidence") && fields.contains_key("value") {
                fields.remove("evidence");
            }
            if fields.contains_key("unknown") {
                *value = Value::Null;
                return;
            }
            fields.values_mut().for_each(facts);
        }
        Value::Array(values) => values.iter_mut().for_each(facts),
        _ => {}
    }
}

#[test]
fn the_bug_report_as_a_file_and_the_same_phone_behind_the_server_give_the_same_inventory_but_for_evidence() {
    let (Some(mut profile), Some(settings)) = (pixel(), secure_settings(0)) else { return };
    let service = |name: &str| commands::service(ANDROID_10, name).unwrap();
    for name in commands::SERVICES {
        profile.scripts.push(Script::new(service(name).line(), of_bug_report(name).unwrap()));
    }
    profile.scripts.push(Script::new(commands::settings(0).line(), settings));
    profile.scripts.push(Script::new(commands::settings(11).line(), secure_settings(11).unwrap()));
    let dump = of_bug_report("package").unwrap();
    let features = dump.split_once("\nFeatures:\n").unwrap().1.lines().take_while(|line| line.starts_with("  "));
    let features: String = features.map(|line| format!("feature:{}\n", line.trim())).collect();
    profile.scripts.push(Script::new(commands::features().line(), features));
    // A phone would know which permissions are requested; a report does not hold it.
    profile.scripts.retain(|script| !script.answers("dumpsys -t 60 package permission x"));
    let bench = Bench::new([profile]);
    let (ran, of_phone) = scan(&bench.server, &bench.phones[0].serial());
    assert_eq!(ran.code, 0, "{ran:#?}");
    let report = real("captures/chkbugreport/bugreport-sailfish-QP1A.191005.007.A3-2020-01-08-15-30-07.zip").unwrap();
    let of_file = run(bench.server.address(), ["scan", report.to_str().unwrap()]);
    assert_eq!(of_file.code, 0, "{}", of_file.stderr);
    let mut of_phone = serde_json::to_value(&of_phone).unwrap();
    let mut of_file = of_file.json();
    for inventory in [&mut of_phone, &mut of_file] {
        facts(inventory);
        for key in ["target", "sources"] {
            inventory.as_object_mut().unwrap().remove(key);
        }
    }
    // The device refuses what the file does not hold; the older form of a list is asked for too. Everything else is equal.
    let places = |inventory: &mut Value| {
        let gaps = inventory.as_object_mut().unwrap().remove("gaps").unwrap();
        let place = |gap: &Value| gap["place"].as_str().unwrap().split(" -i -u").next().unwrap().replace(" -U", "");
        // Where a phone does not tell requested permissions of all packages, it is asked for each: names with dots.
        let one = |place: &String| {
            let rest = place.strip_prefix("dumpsys -t 60 package ").unwrap_or_default();
            !rest.contains(' ') && (rest.contains('.') || rest == "android")
        };
        gaps.as_array().unwrap().iter().map(place).filter(|place| !one(place)).collect::<BTreeSet<String>>()
    };
    assert_eq!(places(&mut of_phone), places(&mut of_file));
    for (key, value) in of_file.as_object().unwrap() {
        assert!(of_phone[key] == *value, "{key}");
    }
}

/// The phone's side of the protocol, written in Python apart from this program.
struct Independent {
    process: Child,
    serial: String,
    _folder: TempDir,
}

impl Independent {
    /// A phone with the same answers. `None`, said plainly, where the program is not here.
    fn start(profile: &Profile) -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tools/adbd_sim.py");
        if !program.exists() {
            eprintln!("NOT RUN: {} is not here", program.display());
            return None;
        }
        let folder = TempDir::new().unwrap();
        let commands: Vec<Value> = (profile.scripts.iter().enumerate())
            .map(|(number, script)| answer(script, &format!("{number}.txt"), folder.path()))
            .collect();
        let commands: Vec<Value> = commands.into_iter().chain(batches(profile, folder.path())).collect();
        let names = json!({"ro.product.name": profile.product, "ro.product.model": profile.model,
            "ro.product.device": profile.device});
        let text = json!({"props": names, "commands": commands, "fallback": "notfound"}).to_string();
        fs::write(folder.path().join("profile.json"), text).unwrap();
        let port = free_port();
        let mut command = Command::new("python3");
        command.arg(&program).args(["--port", &port.to_string(), "--profile"]).arg(folder.path());
        if profile.features.is_empty() {
            command.args(["--no-shell-v2", "--legacy-pty"]);
        }
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = quiet.spawn().expect("this test needs the program `python3`");
        let phone = Self { process, serial: format!("127.0.0.1:{port}"), _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the independent phone does not start");
            std::thread::yield_now();
        }
        Some(phone)
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Requests of several commands as one, since that simulation knows lines only: what a shell makes of each.
fn batches(profile: &Profile, folder: &Path) -> Vec<Value> {
    let ours = Adbd::start(profile.clone());
    let server = AdbServer::with(&[&ours]);
    scan(&server, &ours.serial());
    let mut out = Vec::new();
    for (number, line) in crate::support::bench::requests(&ours).into_iter().enumerate() {
        let Some(parts) = commands::parts(&line) else { continue };
        let mut text = Vec::new();
        let mut status = 0;
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                text.extend(format!("__next:{status}\n").into_bytes());
            }
            match profile.scripts.iter().find(|script| script.answers(part)) {
                Some(script) => {
                    text.extend(&script.stderr);
                    text.extend(&*script.stdout);
                    status = script.status;
                }
                None => {
                    let word = part.split(' ').next().unwrap();
                    text.extend(format!("/system/bin/sh: {word}: inaccessible or not found\n").into_bytes());
                    status = 127;
                }
            }
        }
        let script = Script::new(&line, text).status(status);
        out.push(answer(&script, &format!("batch{number}.txt"), folder));
    }
    out
}

fn answer(script: &Script, file: &str, folder: &Path) -> Value {
    let path: PathBuf = folder.join(file);
    fs::write(path, &script.stdout).unwrap();
    let escaped = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || " _-/".contains(c);
        text.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\{c}") }).collect::<String>()
    };
    let matches = match &script.matches {
        Matches::Exactly(line) => format!("^{}$", escaped(line)),
        Matches::StartingWith(start) => format!("^{}", escaped(start)),
    };
    let stderr = String::from_utf8(script.stderr.clone()).unwrap();
    json!({"match": matches, "stdout": file, "stderr": stderr, "exit": script.status})
}

/// What differs between two readings of the same answers: the serial number and the time.
fn without_name_and_time(mut inventory: Inventory) -> Inventory {
    inventory.target.name.clear();
    assert!(inventory.target.collected_at.take().is_some_and(|time| time.ends_with('Z')));
    inventory
}

/// Reads one phone through both simulations.
#[track_caller]
fn agree(profile: &Profile) {
    let Some(theirs) = Independent::start(profile) else { return };
    let ours = Adbd::start(profile.clone());
    let server = AdbServer::with(&[&ours]);
    server.adb(&["connect", &theirs.serial]);
    let begun = Instant::now();
    while !server.listing("host:devices").contains(&format!("{}\tdevice\n", theirs.serial)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", server.listing("host:devices"));
        std::thread::yield_now();
    }
    let (our_run, our_inventory) = scan(&server, &ours.serial());
    let (their_run, their_inventory) = scan(&server, &theirs.serial);
    assert!(!asked(&ours).is_empty());
    assert_eq!(our_run.code, their_run.code);
    assert!(packages(&our_inventory).len() > 20);
    let sources: Vec<_> = our_inventory.sources.iter().map(|origin| origin.sha256.clone()).collect();
    assert!(!sources.is_empty() && sources.iter().all(Option::is_some));
    assert_eq!(without_name_and_time(our_inventory), without_name_and_time(their_inventory));
}

#[test]
fn the_pixel_is_the_same_through_another_simulation() {
    let Some(profile) = pixel() else { return };
    agree(&profile);
}

#[test]
fn phones_old_and_new_are_the_same_through_another_simulation() {
    for sdk in [34, 23] {
        agree(&Fiction { sdk, ..Fiction::default() }.profile());
    }
}
