//! The simulated phone, seen by clients that are not ours: what it says must be what phones say.

use std::fs;

use adb_client::ADBDeviceExt;
use adb_client::server_device::ADBServerDevice;
use preloaded::adb::{Phone, Server, Shell, commands, wrapper};

use crate::support::adb_server::AdbServer;
use crate::support::adbd::{Adbd, Profile, Script};
use crate::support::bytes;

#[test]
fn the_real_client_lists_the_simulated_phone_as_it_lists_real_ones() {
    let phone = Adbd::start(Profile::default());
    let server = AdbServer::with(&[&phone]);
    let listed = server.adb(&["devices", "-l"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let line = listed.lines().find(|line| line.starts_with(&phone.serial())).unwrap();
    let end = " device product:sim model:Sim_Phone device:simulator transport_id:1";
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn the_real_client_sees_output_error_text_and_status_apart() {
    let phone = Adbd::start(Profile::answering([Script::new("fail", "partial\n").stderr("boom\n").status(3)]));
    let server = AdbServer::with(&[&phone]);
    let output = server.adb(&["-s", &phone.serial(), "shell", "fail"]);
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"partial\n"[..], &b"boom\n"[..]));
    assert_eq!(output.status.code(), Some(3));
    let output = server.adb(&["shell", "nonsense"]);
    assert_eq!(output.stderr, b"/system/bin/sh: nonsense: inaccessible or not found\n");
    assert_eq!(output.status.code(), Some(127));
}

#[test]
fn the_real_client_reads_the_simulated_phones_files_and_can_write_none() {
    let file = bytes(3_000_000);
    // 65547 splits the headers of the file service across packets.
    for max_data in [1 << 20, 65_547, 4096] {
        let mut profile = Profile { max_data, ..Profile::answering([Script::new("cat big", bytes(10 << 20))]) };
        profile.files.insert("/system/app/A/A.apk".to_owned(), file.clone().into());
        let phone = Adbd::start(profile);
        let server = AdbServer::with(&[&phone]);
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("A.apk").to_str().unwrap().to_owned();
        assert!(server.adb(&["pull", "/system/app/A/A.apk", &local]).status.success());
        assert!(fs::read(&local).unwrap() == file, "max data {max_data}");
        assert!(server.adb(&["exec-out", "cat big"]).stdout == bytes(10 << 20), "max data {max_data}");
        let missing = server.adb(&["pull", "/system/app/B/B.apk", &local]);
        let words = String::from_utf8([missing.stdout, missing.stderr].concat()).unwrap();
        assert!(!missing.status.success() && words.contains("does not exist"), "{words}");
        let listed = String::from_utf8(server.adb(&["shell", "ls"]).stdout).unwrap();
        assert_eq!(listed, "");
        let listed = String::from_utf8(server.adb(&["ls", "/system/app"]).stdout).unwrap();
        assert!(listed.lines().all(|line| line.ends_with(" A")) && !listed.is_empty(), "{listed}");
        assert!(!server.adb(&["push", &local, "/system/app/A/A.apk"]).status.success());
    }
}

#[test]
fn another_client_reads_the_same_output_and_files() {
    let mut profile = Profile::answering([Script::new("getprop", bytes(300_000)).stderr("warning\n").status(5)]);
    profile.files.insert("/system/etc/a.xml".to_owned(), bytes(100_000).into());
    let phone = Adbd::start(profile);
    let server = AdbServer::with(&[&phone]);
    let std::net::SocketAddr::V4(address) = server.address() else { panic!("not an address of version 4") };
    let ours = Server::new(server.address());
    let attached = ours.devices().unwrap().attached.remove(0);
    let mut theirs = ADBServerDevice::new_with_transport_id(attached.transport_id.unwrap(), Some(address));

    let answer = Phone::open(&ours, &attached).unwrap().run(&commands::properties()).unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    theirs.shell_command(&"getprop", Some(&mut stdout), Some(&mut stderr)).unwrap();
    assert!(answer.stdout == stdout && answer.stderr == stderr);
    assert_eq!(answer.status, 5);

    let mut file = Vec::new();
    theirs.pull(&"/system/etc/a.xml", &mut file).unwrap();
    assert!(file == bytes(100_000));
    assert_eq!(theirs.stat("/system/etc/a.xml").unwrap().file_size, 100_000);
}

/// Android's own shell and tools: mksh and toybox, of which Debian's build has no `dd`.
#[test]
fn the_lines_that_read_files_do_in_androids_shell_what_the_simulated_phone_does() {
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("bin");
    fs::create_dir(&tools).unwrap();
    let place = |program: &str| {
        let found = ["/usr/bin", "/bin"].map(|folder| std::path::Path::new(folder).join(program));
        found.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("the program {program} is missing"))
    };
    for (tool, program) in [("stat", "toybox"), ("ls", "toybox"), ("tail", "toybox"), ("head", "toybox"), ("dd", "dd")]
    {
        std::os::unix::fs::symlink(place(program), tools.join(tool)).unwrap();
    }
    let file = folder.path().join("base.apk");
    fs::write(&file, bytes(300_000)).unwrap();
    let path = file.to_str().unwrap();
    let mut profile = Profile::default();
    profile.files.insert(path.to_owned(), bytes(300_000).into());
    let phone = Adbd::start(profile);
    let server = AdbServer::with(&[&phone]);
    let ours = Server::new(server.address());
    let shell = Phone::open(&ours, &ours.devices().unwrap().attached[0]).unwrap();
    let in_mksh = |line: &str| {
        let nonce = wrapper::nonce();
        let request = wrapper::wrap(line, &nonce);
        let ran = std::process::Command::new(place("mksh")).args(["-c", &request]).env("PATH", &tools).output();
        let mut stdout = ran.unwrap().stdout;
        let status = wrapper::take_status(&mut stdout, &nonce).unwrap();
        (stdout, status)
    };
    for command in [
        commands::size(path),
        commands::read(path, 0, 4),
        commands::read(path, 292, 8),
        commands::read(path, 400, 1),
        commands::read_piped(path, 0, 4),
        commands::read_piped(path, 292, 8),
        commands::read_piped(path, 400, 1),
    ] {
        let command = command.unwrap();
        let simulated = shell.run(&command).unwrap();
        assert_eq!(in_mksh(command.line()), (simulated.stdout, simulated.status), "{}", command.line());
    }
    let listing = commands::size_listed(path).unwrap();
    let told = |stdout: Vec<u8>| commands::listed_size(&String::from_utf8(stdout).unwrap());
    assert_eq!(told(in_mksh(listing.line()).0), Some(300_000));
    assert_eq!(told(shell.run(&listing).unwrap().stdout), Some(300_000));
    // What is missing: no `dd` by its status, no `tail` by an empty answer of `head`.
    fs::remove_file(tools.join("dd")).unwrap();
    fs::remove_file(tools.join("tail")).unwrap();
    assert_eq!(in_mksh(commands::read(path, 0, 1).unwrap().line()), (Vec::new(), 127));
    assert_eq!(in_mksh(commands::read_piped(path, 0, 1).unwrap().line()), (Vec::new(), 0));
}
