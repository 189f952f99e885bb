//! Phones over TCP without an ADB server.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use preloaded::adb::{Direct, Failure, Patience, Shell, commands};
use preloaded::inventory::Inventory;

use crate::support::adb_server::free_port;
use crate::support::adbd::{Adbd, Auth, Fault, Profile, Script};
use crate::support::bench::{Bench, asked};
use crate::support::fiction::Fiction;
use crate::support::program::run;

fn open(phone: &Adbd, silence: u64) -> Result<Direct, Failure> {
    let patience = Patience { silence: Duration::from_millis(silence), ..Patience::default() };
    Direct::open(phone.serial().parse().unwrap(), patience)
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
    let failure = Direct::open(address, Patience::default()).unwrap_err();
    assert!(matches!(&failure, Failure::Disconnected(words) if words.contains("another protocol")), "{failure:?}");
    let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
    let failure = Direct::open(nobody, Patience::default()).unwrap_err().to_string();
    assert!(failure.starts_with("no phone answers at"), "{failure}");
}
