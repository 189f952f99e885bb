//! `preloaded doctor`: causes and fixes, in two languages, of what the real server and a double of it show.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::adb_server::{AdbServer, free_port};
use crate::support::adbd::{Adbd, Auth, Profile};
use crate::support::fake_server::{FakeServer, Reply};
use crate::support::fiction::Fiction;
use crate::support::program::{Ran, finish, preloaded, run};

fn doctor(address: std::net::SocketAddr, more: &[&str]) -> Ran {
    run(address, ["doctor", "--format", "json", "--lang", "en"].iter().chain(more))
}

fn finding<'a>(report: &'a Value, code: &str) -> &'a Value {
    let all = report["findings"].as_array().unwrap();
    all.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code} in {report:#}"))
}

#[test]
fn a_server_that_is_missing_or_none_is_named_with_its_cause_and_fix() {
    let nobody = (std::net::Ipv4Addr::LOCALHOST, free_port()).into();
    let ran = doctor(nobody, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    let report = ran.json();
    let missing = finding(&report, "adb-server-missing");
    assert_eq!(missing["level"], "problem");
    assert!(missing["fix"].as_str().unwrap().contains("adb start-server"));

    let fake = FakeServer::start(vec![("host:version", Reply::Bytes(b"HTTP/1.1 400".to_vec()))]);
    let report = doctor(fake.address(), &[]).json();
    assert!(finding(&report, "adb-server-silent")["cause"].as_str().unwrap().contains("no ADB server"));
}

#[test]
fn phones_are_told_by_their_state() {
    let good = Adbd::start(Fiction::default().profile());
    let never = Adbd::start(Profile { auth: Auth::Never, ..Fiction::default().profile() });
    let server = AdbServer::with(&[&good]);
    let report = doctor(server.address(), &[]).json();
    assert_eq!(finding(&report, "phone-ready")["about"], format!("adb:{}", good.serial()));
    assert_eq!(finding(&report, "adb-server")["level"], "fine");
    server.adb(&["connect", &never.serial()]);
    server.wait_for(&never, "unauthorized");
    let ran = doctor(server.address(), &[]);
    assert_eq!(ran.code, 3);
    let report = ran.json();
    let unauthorized = finding(&report, "phone-unauthorized");
    assert_eq!(unauthorized["about"], format!("adb:{}", never.serial()));
    assert!(good.services().is_empty(), "no phone is asked anything");

    let text = run(server.address(), ["doctor", "--lang", "ru"]);
    assert!(
        text.stdout.contains("не доверяет этому компьютеру") && text.stdout.contains("что делать: "),
        "{}",
        text.stdout
    );
    let by_environment = finish(preloaded(server.address()).env("LC_ALL", "ru_RU.UTF-8").arg("doctor"));
    assert_eq!(by_environment.stdout, text.stdout);
}

#[test]
fn an_empty_list_and_rights_that_are_missing_are_told() {
    let empty = AdbServer::start();
    finding(&doctor(empty.address(), &[]).json(), "no-phones");
    let text = "0123456789ABCDEF       no permissions (user alice is not in the plugdev group); see [http://x] usb:1-1 transport_id:1\n";
    let fake = FakeServer::start(vec![
        ("host:version", Reply::Text("0028".to_owned())),
        ("host:devices-l", Reply::Text(text.to_owned())),
    ]);
    let report = doctor(fake.address(), &[]).json();
    let rights = finding(&report, "phone-no-permissions");
    assert!(rights["cause"].as_str().unwrap().contains("user alice is not in the plugdev group"));
    assert!(rights["fix"].as_str().unwrap().contains("usermod -aG plugdev"));
    // The double speaks version 40, and Debian's program 41.
    finding(&report, "adb-version-clash");
}

#[test]
fn files_are_told_apart_before_they_are_read() {
    let server = AdbServer::start();
    let folder = TempDir::new().unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let capture = path("getprop.txt", b"[ro.build.version.sdk]: [34]\n");
    let nothing = path("nothing.bin", &crate::support::bytes(5000));
    let sample = format!("{}/samples/orion-p1-firmware.zip", env!("CARGO_MANIFEST_DIR"));
    let report = doctor(server.address(), &[&capture, &nothing, &sample, "/nowhere/at/all"]).json();
    let of = |about: &str, code: &str| {
        let all = report["findings"].as_array().unwrap();
        all.iter().any(|finding| finding["about"] == about && finding["code"] == code)
    };
    assert!(of(&capture, "file-readable"), "{report:#}");
    assert!(of(&sample, "file-readable"), "{report:#}");
    assert!(of(&nothing, "file-unreadable"), "{report:#}");
    assert!(of("/nowhere/at/all", "file-missing"), "{report:#}");
}
