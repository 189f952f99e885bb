//! What reading costs: requests of one phone, several at once. What it costs in time is in `tests/speed`.

use std::fs;
use std::time::{Duration, Instant};

use preloaded::adb::commands;
use tempfile::TempDir;

use crate::support::bench::{Bench, requests};
use crate::support::fiction::Fiction;
use crate::support::program::{Ran, run};

fn check(bench: &Bench, more: &[&str]) -> Ran {
    let fixed = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01"];
    run(bench.server.address(), fixed.iter().chain(more))
}

#[test]
fn a_phone_costs_at_most_15_requests_and_3_more_for_each_further_user() {
    for sdk in [21, 23, 28, 34, 36] {
        let mut counts = Vec::new();
        for users in [vec![0], vec![0, 10], vec![0, 10, 150]] {
            let bench = Bench::new([Fiction { sdk, users, ..Fiction::of(400) }.profile()]);
            let ran = check(&bench, &["--format", "json"]);
            // Before Android 7 no launcher can be asked, so that a rule stays open.
            assert_eq!(ran.code, if sdk < 24 { 3 } else { 0 }, "{sdk}: {ran:#?}");
            counts.push(requests(&bench.phones[0]).len());
        }
        println!("API level {sdk}: {counts:?} requests for one, two and three users");
        assert!(counts[0] <= 15, "{sdk}: {counts:?}");
        assert!(counts.windows(2).all(|pair| pair[1] - pair[0] <= 3), "{sdk}: {counts:?}");
    }
}

#[test]
fn one_slow_phone_delays_no_others_result() {
    let slow = Fiction { serial: "SLOW", users: vec![0], ..Fiction::default() };
    let dump = slow.script(commands::packages(34).line()).delay(Duration::from_secs(4));
    let quick = Fiction { serial: "QUICK", users: vec![0], ..Fiction::default() };
    let bench = Bench::new([slow.answering(dump).profile(), quick.profile()]);
    let folder = TempDir::new().unwrap();
    let mut command = crate::support::program::preloaded(bench.server.address());
    let arguments = ["check", "adb", "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--save"];
    let mut process = command.args(arguments).arg(folder.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while fs::read_dir(folder.path()).unwrap().count() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was saved");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(process.try_wait().unwrap().is_none(), "the quick phone's result is there before the slow one's");
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn several_inventories_go_into_a_folder_and_into_one_file_they_do_not() {
    let bench = Bench::new(["A", "B"].map(|serial| Fiction { serial, ..Fiction::default() }.profile()));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("phones/");
    let ran = run(bench.server.address(), ["scan", "adb", "-o", &format!("{}/", path.display())]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
    let ran = run(bench.server.address(), ["scan", "adb", "-o", folder.path().join("one.json").to_str().unwrap()]);
    assert!(ran.code == 2 && ran.stderr.contains("-o FOLDER/ for a file each"), "{ran:#?}");
}
