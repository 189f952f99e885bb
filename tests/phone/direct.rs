//! Phones over TCP without an ADB server.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use preloaded::adb::{Direct, Failure, Keys, Patience, Shell, commands};
use preloaded::inventory::Inventory;

use crate::support::adb_server::free_port;
use crate::support::adbd::{Adbd, Auth, Fault, Profile, Script};
use crate::support::bench::{Bench, asked};
use crate::support::fiction::Fiction;
use crate::support::program::{finish, preloaded, run};

fn open(phone: &Adbd, silence: u64) -> Result<Direct, Failure> {
    let patience = Patience { silence: Duration::from_millis(silence), ..Patience::default() };
    Direct::open(phone.serial().parse().unwrap(), patience, Keys::default())
}

#[test]
fn the_same_phone_with_and_without_a_server_gives_the_same_inventory() {
    for sdk in [34, 23] {
        let bench = Bench::new([Fiction { sdk, ..Fiction::default() }.profile()]);
        let serial = bench.phones[0].serial();
        let inventory = |target: String| -> Inventory {
            let ran = run(bench.server.address(), ["scan", &target]);
            let mut inventory: Inventory =
                serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
            inventory.target.name.clear();
            inventory.target.collected_at = None;
            inventory
        };
        assert_eq!(inventory(format!("tcp:{serial}")), inventory(format!("adb:{serial}")));
        // Without a server nothing but the phone's own port is asked.
        let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
        assert_eq!(run(nobody, ["scan", &format!("tcp:{serial}")]).code, 0);
        assert!(!asked(&bench.phones[0]).is_empty());
    }
}

#[test]
fn packets_of_any_size_and_cuts_of_any_kind_are_seen() {
    for max_data in [1 << 20, 65_547, 4096] {
        let long = crate::support::bytes(3 << 20);
        let profile =
            Profile { max_data, ..Profile::answering([Script::new("getprop", &long).stderr("e\n").status(4)]) };
        let phone = Adbd::start(profile);
        let answer = open(&phone, 10_000).unwrap().run(&commands::properties()).unwrap();
        assert!(answer.stdout == long && answer.stderr == b"e\n" && answer.status == 4, "{max_data}");
    }
    for fault in [Fault::Close, Fault::Drop, Fault::Hang] {
        let phone = Adbd::start(Profile::answering([Script::new("getprop", "x".repeat(9000)).fault(5000, fault)]));
        let begun = Instant::now();
        let failure = open(&phone, 200).unwrap().run(&commands::properties()).unwrap_err();
        let is_expected = match fault {
            Fault::Hang => matches!(failure, Failure::TimedOut { .. }),
            Fault::Close | Fault::Drop => matches!(failure, Failure::Truncated { .. }),
        };
        assert!(is_expected, "{fault:?}: {failure:?}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

/// A key as `adb` makes it.
fn keygen(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new("adb").arg("keygen").arg(path).output();
    assert!(made.expect("this test needs the program `adb` (Debian package `adb`)").status.success());
}

#[test]
fn a_phone_that_knows_a_key_of_this_user_is_read_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (home, vendor) = (folder.path().join("home"), folder.path().join("vendor"));
    let (own, other) = (home.join(".android/adbkey"), vendor.join("shop.adb_key"));
    keygen(&own);
    keygen(&other);
    for (known, shown) in [(&own, 1), (&other, 2)] {
        let scripts = [Script::new("getprop", "[a]: [b]\n")];
        let profile = Profile { auth: Auth::Verifies, key: Some(known.clone()), ..Profile::answering(scripts) };
        let phone = Adbd::start(profile);
        let keys = Keys::at(Some(vendor.as_os_str()), Some(&home));
        let direct = Direct::open(phone.serial().parse().unwrap(), Patience::default(), keys).unwrap();
        assert_eq!(direct.run(&commands::properties()).unwrap().stdout, b"[a]: [b]\n");
        assert_eq!(phone.shown(), vec![2; 2 * shown], "each connection shows keys up to the one that is known");
    }
    let profile = Profile { auth: Auth::Verifies, key: Some(other.clone()), ..Fiction::default().profile() };
    let phone = Adbd::start(profile);
    let before = listing(folder.path());
    let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
    let mut program = preloaded(nobody);
    program.env("HOME", &home).env("ADB_VENDOR_KEYS", &other).args(["scan", &format!("tcp:{}", phone.serial())]);
    let ran = finish(&mut program);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(listing(folder.path()), before, "keys are read, and nothing is made");
}

fn listing(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            found.push((path, None));
        } else {
            found.push((path.clone(), Some(std::fs::read(&path).unwrap())));
        }
    }
    found.sort();
    found
}

#[test]
fn the_public_key_is_offered_to_no_phone() {
    let folder = tempfile::tempdir().unwrap();
    keygen(&folder.path().join(".android/adbkey"));
    for auth in [Auth::Never, Auth::Prompt] {
        let phone = Adbd::start(Profile { auth, ..Profile::default() });
        // Whoever would offer it would be let in.
        phone.accept();
        for (home, words) in
            [(folder.path(), "does not know the one at"), (&folder.path().join("no"), "there is none at")]
        {
            let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
            let mut program = preloaded(nobody);
            program.env("HOME", home).env_remove("ADB_VENDOR_KEYS");
            let ran = finish(program.args(["scan", &format!("tcp:{}", phone.serial())]));
            assert_eq!(ran.code, 75, "{ran:?}");
            assert!(ran.stderr.contains(words) && ran.stderr.contains("connect it once with `adb`"), "{}", ran.stderr);
        }
        assert_eq!(phone.shown(), [2], "one signature by the key that is there, and no more");
        assert!(phone.services().is_empty());
    }
}

#[test]
fn a_phone_that_wants_a_key_and_what_is_no_phone_are_named() {
    let phone = Adbd::start(Profile { auth: Auth::Known, ..Profile::default() });
    let failure = open(&phone, 5000).unwrap_err().to_string();
    assert!(failure.contains("wants a key") && failure.contains("adb:127.0.0.1:"), "{failure}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let failure = Direct::open(address, Patience::default(), Keys::default()).unwrap_err();
    assert!(matches!(&failure, Failure::Disconnected(words) if words.contains("another protocol")), "{failure:?}");
    let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
    let failure = Direct::open(nobody, Patience::default(), Keys::default()).unwrap_err().to_string();
    assert!(failure.starts_with("no phone answers at"), "{failure}");
}
