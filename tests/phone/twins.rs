//! Phones with one serial number, told apart by USB port and the server's number: behind a double of the ADB server that
//! lists them so, since over TCP a serial number is an address. Everything but the list goes to the real server.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::bench::Bench;
use crate::support::fiction::Fiction;
use crate::support::program::run;

const SERIAL: &str = "0123456789ABCDEF";

/// A double that gives every phone the same serial number and a port of its own.
struct Twins {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Twins {
    fn before(real: SocketAddr, serials: &[String]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&stopped);
        let serials: Arc<[String]> = serials.into();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let serials = Arc::clone(&serials);
                thread::spawn(move || serve(stream, real, &serials));
            }
        });
        Self { address, stopped }
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut client: TcpStream, real: SocketAddr, serials: &[String]) -> Option<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let mut request = vec![0; usize::from_str_radix(std::str::from_utf8(&length).ok()?, 16).ok()?];
    client.read_exact(&mut request).ok()?;
    let mut server = TcpStream::connect(real).ok()?;
    server.write_all(&[&length[..], &request].concat()).ok()?;
    if request == b"host:devices-l" {
        let mut answer = String::new();
        server.read_to_string(&mut answer).ok()?;
        let mut text = String::new();
        for line in answer.get(8..)?.lines() {
            let port = serials.iter().position(|serial| line.starts_with(serial.as_str()))? + 1;
            let rest = line.trim_start_matches(serials[port - 1].as_str()).trim_start();
            let (state, rest) = rest.split_once(' ')?;
            text.push_str(&format!("{SERIAL:<22} {state} usb:1-{port} {rest}\n"));
        }
        return client.write_all(format!("OKAY{:04x}{text}", text.len()).as_bytes()).ok();
    }
    let (mut up, mut down) = (client.try_clone().ok()?, server.try_clone().ok()?);
    let upward = thread::spawn(move || {
        let _ = std::io::copy(&mut up, &mut down);
        let _ = down.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upward.join();
    Some(())
}

#[test]
fn phones_of_one_serial_number_get_each_its_own_verdict_by_their_port() {
    let whole = Fiction { serial: SERIAL, users: vec![0], ..Fiction::default() };
    let lacking = whole.clone().without("ru.oneme.app");
    let bench = Bench::new([whole.profile(), lacking.profile()]);
    let serials: Vec<String> = bench.phones.iter().map(|phone| phone.serial()).collect();
    let twins = Twins::before(bench.server.address(), &serials);
    let check = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--format", "json"];
    let checked = |target: &str| run(twins.address, check.iter().chain(&[target]));
    let verdicts = |report: &Value| -> BTreeSet<(String, String)> {
        let targets = report["targets"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or("unread").to_owned();
        targets
            .map(|target| (text(&target["target"]["name"]), text(&target["result"]["assessment"]["overall"])))
            .collect()
    };
    let of = |pairs: &[(&str, &str)]| -> BTreeSet<(String, String)> {
        pairs.iter().map(|(name, verdict)| ((*name).to_owned(), (*verdict).to_owned())).collect()
    };
    let all = checked("adb");
    assert_eq!(all.code, 1);
    let named = [(format!("adb:{SERIAL}@usb:1-1"), "compliant"), (format!("adb:{SERIAL}@usb:1-2"), "not_compliant")];
    assert_eq!(verdicts(&all.json()), of(&named.each_ref().map(|(name, verdict)| (name.as_str(), *verdict))));
    for (target, code) in [("adb:usb:1-1", 0), ("adb:usb:1-2", 1), (named[0].0.as_str(), 0), (named[1].0.as_str(), 1)] {
        assert_eq!(checked(target).code, code, "{target}");
    }
    // The number alone names neither, and says how to name one.
    let both = checked(&format!("adb:{SERIAL}"));
    assert_eq!(both.code, 75);
    let words = both.json()["targets"][0]["result"]["error"].as_str().unwrap().to_owned();
    assert!(words.starts_with("2 phones") && words.contains("@usb:1-1") && words.contains("@usb:1-2"), "{words}");

    let doctor = run(twins.address, ["doctor", "--format", "json", "--lang", "en"]).json();
    let codes: Vec<_> = doctor["findings"].as_array().unwrap().iter().map(|finding| finding["code"].clone()).collect();
    assert!(
        codes.contains(&"phone-duplicate-serial".into()) && codes.contains(&"phone-without-serial".into()),
        "{codes:?}"
    );
}

#[test]
fn a_phone_on_the_network_that_the_server_does_not_know_is_connected_when_it_is_named() {
    let bench = Bench::new([Fiction::default().profile()]);
    let other = crate::support::adbd::Adbd::start(Fiction { serial: "NET", ..Fiction::default() }.profile());
    let target = format!("adb:{}", other.serial());
    let check = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--format", "json"];
    let ran = run(bench.server.address(), check.iter().chain(&[target.as_str()]));
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(ran.json()["targets"][0]["target"]["name"], target.as_str());
    let nobody = crate::support::adb_server::free_port();
    let ran = run(bench.server.address(), check.iter().chain(&[format!("adb:127.0.0.1:{nobody}").as_str()]));
    assert_eq!(ran.code, 75);
    assert!(ran.stdout.contains("did not connect to it"), "{}", ran.stdout);
}
