//! `--start-server`: a server is started where none is, and no other is disturbed.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use preloaded::adb::Server;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::adb_server::{adb, free_port};
use crate::support::adbd::Adbd;
use crate::support::fake_server::{FakeServer, Reply};
use crate::support::fiction::Fiction;
use crate::support::program::{finish, preloaded};

const CHECK: [&str; 6] = ["check", "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--format=json"];

/// A port without a server; one that is started there meanwhile is stopped at the end.
struct Place {
    port: u16,
    home: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { port: free_port(), home: TempDir::new().unwrap() }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn preloaded(&self) -> Command {
        let mut command = preloaded(self.address());
        command.env("HOME", self.home.path()).env("TMPDIR", self.home.path());
        command.env("ADB_LOCAL_TRANSPORT_MAX_PORT", "5553");
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = adb(self.port, &self.home).arg("kill-server").output();
    }
}

/// A folder with a program `adb` that only notes that it was called, and that note.
fn noting_adb() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (program, note) = (folder.path().join("adb"), folder.path().join("called"));
    fs::write(&program, format!("#!/bin/sh\necho \"$@\" >> '{}'\n", note.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, note)
}

#[test]
fn a_server_is_started_where_none_is_and_standard_output_stays_a_report() {
    let place = Place::new();
    assert!(Server::new(place.address()).version().is_err());
    let ran = finish(place.preloaded().args(CHECK).arg("--start-server"));
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    let error = &ran.json()["targets"][0]["result"]["error"];
    assert!(error.as_str().is_some_and(|words| words.contains("no phone is attached")), "{error}");
    assert_eq!(Server::new(place.address()).version(), Ok(41));

    // The same server, with its phone, serves the next call, asked to start one or not.
    let phone = Adbd::start(Fiction::default().profile());
    let connected = adb(place.port, &place.home).args(["connect", &phone.serial()]).output().unwrap();
    assert!(connected.status.success());
    let ready = || Server::new(place.address()).devices().unwrap().attached.iter().any(|it| it.state.may_answer());
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the phone does not come up");
        std::thread::yield_now();
    }
    for more in [&["--start-server"][..], &[]] {
        let ran = finish(place.preloaded().args(CHECK).args(more));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        assert_eq!(ran.json()["targets"][0]["result"]["assessment"]["overall"], "compliant");
    }
    let ran = finish(place.preloaded().args(["devices", "--start-server"]));
    assert_eq!((ran.code, ran.stdout), (0, format!("adb:{}\tdevice\tSim_Phone\n", phone.serial())));
}

#[test]
fn a_server_is_started_at_the_port_of_either_variable() {
    for variable in ["ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT"] {
        let place = Place::new();
        let value = match variable {
            // In numbers, which `adb start-server` itself refuses as another computer's.
            "ADB_SERVER_SOCKET" => format!("tcp:{}", place.address()),
            _ => place.port.to_string(),
        };
        let ran = finish(place.preloaded().env(variable, value).args(["devices", "--start-server"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (75, ""), "{variable}");
        assert!(ran.stderr.contains("no phone is attached"), "{variable}: {}", ran.stderr);
        assert_eq!(Server::new(place.address()).version(), Ok(41), "{variable}");
    }
}

#[test]
fn nothing_is_started_unasked() {
    let place = Place::new();
    let (folder, note) = noting_adb();
    let ran = finish(place.preloaded().env("PATH", folder.path()).args(CHECK));
    assert_eq!((ran.code, note.exists()), (75, false));
}

#[test]
fn a_server_that_answers_is_left_alone_whatever_its_version() {
    // `adb start-server` would stop a server of version 31.
    let fake = FakeServer::start(vec![
        ("host:version", Reply::Text("001f".to_owned())),
        ("host:devices-l", Reply::Text(String::new())),
    ]);
    let silent = FakeServer::start(vec![("host:", Reply::Silence)]);
    for server in [fake.address(), silent.address()] {
        let (folder, note) = noting_adb();
        let mut command = preloaded(server);
        command.env("PATH", folder.path()).args(["devices", "--start-server", "--patience", "0.2"]);
        assert_eq!(finish(&mut command).code, 75);
        assert!(!note.exists(), "{}", fs::read_to_string(&note).unwrap());
    }
}

#[test]
fn where_no_server_comes_up_the_program_that_is_needed_is_named() {
    let (folder, note) = noting_adb();
    let empty = TempDir::new().unwrap();
    for path in [folder.path(), empty.path()] {
        let place = Place::new();
        let ran = finish(place.preloaded().env("PATH", path).args(["devices", "--start-server"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (75, ""));
        assert!(ran.stderr.contains("is the program `adb` installed and on the PATH?"), "{}", ran.stderr);
        let ran = finish(place.preloaded().env("PATH", path).args(CHECK).arg("--start-server"));
        assert_eq!((ran.code, &ran.json()["targets"][0]["result"]["state"]), (75, &Value::from("unread")));
    }
    assert_eq!(fs::read_to_string(note).unwrap(), "start-server\nstart-server\n");
}

#[test]
fn a_server_of_another_computer_is_not_started() {
    let (folder, note) = noting_adb();
    // Nothing listens at this computer's second loopback address, and that is known at once.
    let socket = format!("tcp:127.0.0.2:{}", free_port());
    let mut command = preloaded((Ipv4Addr::LOCALHOST, free_port()).into());
    command.env("PATH", folder.path()).env("ADB_SERVER_SOCKET", socket).args(["devices", "--start-server"]);
    let ran = finish(&mut command);
    assert_eq!((ran.code, ran.stdout.as_str(), note.exists()), (75, "", false));
    assert!(ran.stderr.contains("only one at 127.0.0.1 can be started from here"), "{}", ran.stderr);
}
