//! Commands and their answers, and everything that can cut them.

use std::fs;
use std::time::{Duration, Instant};

use preloaded::adb::commands::{self, LINE_LIMIT};
use preloaded::adb::{Answer, Direct, Failure, Keys, Patience, Phone, Server, Shell, State};

use crate::support::adb_server::{AdbServer, free_port};
use crate::support::adbd::{Adbd, Auth, Fault, Profile, Script};
use crate::support::bench::Bench;
use crate::support::bytes;
use crate::support::fake_server::{FakeServer, Reply};

const ANDROID_16: u32 = 36;

fn silence(milliseconds: u64) -> Patience {
    Patience { silence: Duration::from_millis(milliseconds), ..Patience::default() }
}

// Answers.

#[test]
fn an_answer_has_output_error_text_and_the_commands_own_status() {
    let bench = Bench::answering([Script::new("pm list users", "hi\n").stderr("e\n").status(7)]);
    let answer = bench.phone().run(&commands::users()).unwrap();
    assert_eq!(answer, Answer { stdout: b"hi\n".to_vec(), stderr: b"e\n".to_vec(), status: 7 });
}

#[test]
fn a_command_that_the_phone_does_not_know_is_an_answer() {
    let bench = Bench::answering([]);
    let answer = bench.phone().run(&commands::launcher(10)).unwrap();
    assert_eq!((answer.status, answer.stdout), (127, Vec::new()));
    assert!(answer.stderr.starts_with(b"/system/bin/sh: cmd:"));
}

#[test]
fn a_command_that_reads_its_input_gets_none_and_ends() {
    let bench = Bench::answering([Script::new("getprop", "").reads_input()]);
    let answer = bench.impatient(silence(5_000)).run(&commands::properties()).unwrap();
    assert_eq!((answer.status, answer.stdout.len()), (0, 0));
}

#[test]
fn a_long_answer_arrives_whole_in_packets_of_any_size() {
    let expected = bytes(10 << 20);
    for max_data in [1 << 20, 65_547, 4096] {
        let bench =
            Bench::new([Profile { max_data, ..Profile::answering([Script::new("dumpsys -t 60 package", &expected)]) }]);
        let answer = bench.phone().run(&commands::everything(ANDROID_16)).unwrap();
        assert!(answer.stdout == expected && answer.status == 0, "max data {max_data}");
    }
}

#[test]
fn an_answer_of_an_old_phone_has_its_status_and_no_carriage_returns() {
    let script = Script::new("getprop", "[a]: [1]\n[b]: [2]\n").stderr("warning\n").status(3);
    let bench = Bench::new([Profile::answering([script]).legacy()]);
    let answer = bench.phone().run(&commands::properties()).unwrap();
    let stdout = b"warning\n[a]: [1]\n[b]: [2]\n".to_vec();
    assert_eq!(answer, Answer { stdout, stderr: Vec::new(), status: 3 });
}

#[test]
fn an_answer_of_an_old_phone_that_ends_early_is_truncated() {
    let script = Script::new("getprop", bytes(9000)).fault(5000, Fault::Close);
    let bench = Bench::new([Profile::answering([script]).legacy()]);
    let failure = bench.phone().run(&commands::properties()).unwrap_err();
    assert!(matches!(failure, Failure::Truncated { received: 5000.. }), "{failure}");
}

#[test]
fn an_answer_that_quotes_an_end_mark_is_not_ended_by_it() {
    let quoted = "( x\n)</dev/null;echo \"__end_00000000000000000000000000000000:$?\"\n__end_0123:0\n";
    let bench = Bench::answering([Script::new("getprop", quoted)]);
    assert_eq!(bench.phone().run(&commands::properties()).unwrap().stdout, quoted.as_bytes());
}

#[test]
fn the_longest_request_arrives() {
    let bench = Bench::answering([Script::starting_with("dumpsys -t 60 package permission ", "found\n")]);
    let names: Vec<String> = (0..3000).map(|n| format!("com.example.permission.NUMBER_{n:04}")).collect();
    let requested = commands::requested(ANDROID_16, names.iter().map(String::as_str), commands::LINE_LIMIT);
    assert!(requested.commands.iter().any(|command| command.line().len() > LINE_LIMIT - 64));
    let phone = bench.phone();
    for command in &requested.commands {
        assert_eq!(phone.run(command).unwrap().stdout, b"found\n");
    }
}

/// It takes packets of 4096 bytes, and Debian's server ends itself (`Check failed: p->msg.data_length <= ...`) when it is
/// given more for it.
#[test]
fn no_request_to_a_phone_before_android_7_is_longer_than_its_packets_which_would_end_the_server() {
    let found = Script::starting_with("dumpsys package permission ", "found\n");
    let users = Script::starting_with("pm list users", "users\n");
    let profile = Profile { max_data: 4096, ..Profile::answering([found, users]).legacy() };
    let bench = Bench::new([profile]);
    let phone = bench.phone();
    let names: Vec<String> = (0..1000).map(|n| format!("com.example.permission.NUMBER_{n:04}")).collect();
    let requested = commands::requested(23, names.iter().map(String::as_str), phone.line_limit());
    assert!(requested.commands.iter().any(|command| command.line().len() > phone.line_limit() - 64));
    for command in &requested.commands {
        assert_eq!(phone.run(command).unwrap().stdout, b"found\n");
    }
    let batches = commands::Batch::of(std::iter::repeat_n(commands::users(), 300), phone.line_limit());
    assert!(batches.len() > 1 && batches[0].line().len() > phone.line_limit() - 64);
    assert!(phone.run_batch(&batches[0]).iter().all(|answer| answer.is_ok()));
    let direct = Direct::open(bench.phones[0].serial().parse().unwrap(), Patience::default(), Keys::default()).unwrap();
    assert!(direct.run(&requested.commands[0]).is_ok());
    // And what would happen: the reason for all this.
    let long = commands::requested(23, names.iter().map(String::as_str), commands::LINE_LIMIT);
    let failure = direct.run(&long.commands[0]).unwrap_err().to_string();
    assert!(failure.contains("the phone takes 4096"), "{failure}");
    assert!(bench.server().version().is_ok());
    assert!(phone.run(&long.commands[0]).is_err());
    let is_over = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        bench.server().version().is_err()
    });
    assert!(is_over, "a server that survives: the limit may go");
}

#[test]
fn two_phones_answer_at_once_and_each_its_own() {
    let profile = |name: &str| Profile::answering([Script::new("getprop", name.repeat(300_000))]);
    let bench = Bench::new([profile("first "), profile("second ")]);
    let open = |number| Phone::open(&bench.server(), &bench.attached(number)).unwrap();
    let (first, second) = (open(0), open(1));
    std::thread::scope(|scope| {
        for (phone, word) in [(&first, "first "), (&second, "second "), (&first, "first "), (&second, "second ")] {
            scope.spawn(move || {
                for _ in 0..5 {
                    let answer = phone.run(&commands::properties()).unwrap();
                    assert!(answer.stdout == word.repeat(300_000).as_bytes());
                }
            });
        }
    });
}

#[test]
fn a_phone_in_recovery_is_asked_too() {
    let phone = Adbd::start(Profile { state: "recovery", ..Profile::answering([Script::new("getprop", "x")]) });
    let server = AdbServer::start();
    server.adb(&["connect", &phone.serial()]);
    server.wait_for(&phone, "recovery");
    let bench = Bench { server, phones: vec![phone] };
    assert_eq!(bench.attached(0).state, State::Recovery);
    assert_eq!(bench.phone().run(&commands::properties()).unwrap().stdout, b"x");
}

// Answers that are not whole.

#[test]
fn an_answer_above_its_cap_is_too_large() {
    let bench = Bench::answering([Script::new("dumpsys -t 60 package", bytes(10 << 20))]);
    let capped = |bytes| bench.impatient(Patience { bytes, ..Patience::default() });
    let failure = capped(1_000_000).run(&commands::everything(ANDROID_16)).unwrap_err();
    assert_eq!(failure, Failure::TooLarge { cap: 1_000_000 });
    let failure = capped((10 << 20) - 1).run(&commands::everything(ANDROID_16)).unwrap_err();
    assert_eq!(failure, Failure::TooLarge { cap: (10 << 20) - 1 });
    assert!(capped(10 << 20).run(&commands::everything(ANDROID_16)).is_ok());
}

#[test]
fn error_text_without_end_is_too_large() {
    let bench = Bench::answering([Script::new("getprop", "").stderr(&"e".repeat(2 << 20))]);
    let failure = bench.phone().run(&commands::properties()).unwrap_err();
    assert_eq!(failure, Failure::TooLarge { cap: 1 << 20 });
}

#[test]
fn a_stream_that_ends_early_is_truncated() {
    let bench = Bench::answering([
        Script::new("getprop", bytes(9000)).fault(5000, Fault::Close),
        Script::new("pm list users", "").fault(0, Fault::Close),
    ]);
    let phone = bench.phone();
    assert_eq!(phone.run(&commands::properties()), Err(Failure::Truncated { received: 5000 }));
    assert_eq!(phone.run(&commands::users()), Err(Failure::Truncated { received: 0 }));
}

#[test]
fn a_phone_that_drops_amid_its_answer_truncates_it() {
    let bench = Bench::answering([
        Script::new("dumpsys -t 60 package packages", bytes(755_562)).fault(300_000, Fault::Drop),
        Script::new("getprop", "back\n"),
    ]);
    let before = bench.attached(0);
    let phone = bench.phone();
    let failure = phone.run(&commands::packages(ANDROID_16)).unwrap_err();
    assert!(matches!(failure, Failure::Truncated { received: ..=300_000 }), "{failure}");
    // The server connects again by itself and keeps its number: only the identity tells that somebody was away.
    bench.phones[0].wait_for_links(2);
    bench.server.wait_for(&bench.phones[0], "device");
    assert_eq!(bench.attached(0).transport_id, before.transport_id);
    assert_eq!(phone.run(&commands::properties()).unwrap().stdout, b"back\n");
}

#[test]
fn a_phone_that_was_disconnected_and_connected_is_another_connection() {
    let bench = Bench::answering([Script::new("getprop", "back\n")]);
    let before = bench.attached(0);
    let phone = bench.phone();
    bench.server.adb(&["disconnect", &bench.phones[0].serial()]);
    bench.server.connect(&bench.phones[0]);
    let failure = phone.run(&commands::properties()).unwrap_err();
    assert!(
        matches!(&failure, Failure::Disconnected(words) if words.contains("no device with transport id")),
        "{failure}"
    );
    let after = bench.attached(0);
    assert_eq!(after.serial, before.serial);
    assert_ne!(after.transport_id, before.transport_id);
    assert_eq!(bench.phone().run(&commands::properties()).unwrap().stdout, b"back\n");
}

#[test]
fn a_server_that_is_killed_amid_an_answer_truncates_it() {
    let mut bench = Bench::answering([Script::new("getprop", bytes(9000)).fault(5000, Fault::Hang)]);
    let phone = bench.phone();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| phone.run(&commands::properties()));
        while bench.phones[0].services().is_empty() {
            std::thread::yield_now();
        }
        bench.server.kill();
        let failure = asking.join().unwrap().unwrap_err();
        assert!(matches!(failure, Failure::Truncated { .. } | Failure::Disconnected(_)), "{failure}");
    });
    assert!(matches!(phone.run(&commands::properties()), Err(Failure::NoServer { .. })));
}

#[test]
fn a_silent_phone_is_given_up() {
    let bench = Bench::answering([
        Script::new("getprop", bytes(9000)).fault(5000, Fault::Hang),
        Script::new("pm list users", "").fault(0, Fault::Hang),
    ]);
    let phone = bench.impatient(silence(150));
    let begun = Instant::now();
    assert_eq!(phone.run(&commands::properties()), Err(Failure::TimedOut { seconds: 0, received: 5000 }));
    assert_eq!(phone.run(&commands::users()), Err(Failure::TimedOut { seconds: 0, received: 0 }));
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_phone_that_never_stops_talking_is_given_up_too() {
    // A byte every 50 ms: never silent for long, and a minute in all.
    let bench = Bench::answering([Script::new("getprop", bytes(1200)).rate(20)]);
    let patience = Patience { total: Duration::from_millis(400), ..silence(5_000) };
    let failure = bench.impatient(patience).run(&commands::properties()).unwrap_err();
    assert!(matches!(failure, Failure::TimedOut { received: 1..1200, .. }), "{failure:?}");
}

#[test]
fn a_slow_phone_is_waited_for() {
    let bench = Bench::answering([Script::new("getprop", "late\n").delay(Duration::from_millis(200))]);
    assert_eq!(bench.impatient(silence(10_000)).run(&commands::properties()).unwrap().stdout, b"late\n");
}

#[test]
#[cfg(target_os = "linux")]
fn hung_calls_leave_no_thread_and_no_connection_behind() {
    let bench = Bench::answering([Script::new("getprop", "x").fault(1, Fault::Hang)]);
    let phone = bench.impatient(silence(50));
    // A thread without a name of its own inherits its maker's, so those of other tests are told apart.
    let counted = std::thread::Builder::new().name("twenty-hung".to_owned()).spawn(move || {
        let address = format!(":{:04X} ", bench.server.address().port());
        let threads = || {
            let tasks = fs::read_dir("/proc/self/task").unwrap();
            tasks
                .filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok())
                .filter(|name| name.trim() == "twenty-hung")
                .count()
        };
        let connections = || {
            let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
            // Columns: number, local, remote, state; 01 is an open connection.
            table.lines().filter(|line| line.contains(&format!("{address}01 "))).count()
        };
        let before = (threads(), connections());
        for _ in 0..20 {
            assert!(matches!(phone.run(&commands::properties()), Err(Failure::TimedOut { .. })));
        }
        (before, (threads(), connections()))
    });
    let (before, after) = counted.unwrap().join().unwrap();
    assert_eq!(before, after);
    assert_eq!(before.0, 1);
}

// Phones that can't be asked.

#[test]
fn an_unauthorised_phone_is_refused_in_the_servers_words_until_its_dialog_is_accepted() {
    let phone = Adbd::start(Profile { auth: Auth::Prompt, ..Profile::answering([Script::new("getprop", "x")]) });
    let server = AdbServer::start();
    server.adb(&["connect", &phone.serial()]);
    server.wait_for(&phone, "unauthorized");
    let bench = Bench { server, phones: vec![phone] };
    let attached = bench.attached(0);
    assert_eq!(attached.state, State::Unauthorized);
    let failure = Phone::open(&bench.server(), &attached).unwrap_err();
    assert!(matches!(&failure, Failure::Disconnected(words) if words.starts_with("device unauthorized")), "{failure}");
    bench.phones[0].accept();
    bench.server.wait_for(&bench.phones[0], "device");
    assert_eq!(bench.phone().run(&commands::properties()).unwrap().stdout, b"x");
}

#[test]
fn a_phone_that_knows_the_computer_asks_nobody_and_one_that_nobody_accepts_stays_unauthorised() {
    let known = Adbd::start(Profile { auth: Auth::Known, ..Profile::default() });
    let never = Adbd::start(Profile { auth: Auth::Never, ..Profile::default() });
    let server = AdbServer::with(&[&known]);
    server.adb(&["connect", &never.serial()]);
    server.wait_for(&never, "unauthorized");
    let listing = Server::new(server.address()).devices().unwrap();
    let mut states: Vec<String> = listing.attached.iter().map(|attached| attached.state.to_string()).collect();
    states.sort();
    assert_eq!(states, ["device", "unauthorized"]);
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_says_how_to_start_one() {
    let address = ([127, 0, 0, 1], free_port()).into();
    let failure = Server::new(address).devices().unwrap_err();
    assert_eq!(failure, Failure::NoServer { address });
    assert_eq!(failure.to_string(), format!("no ADB server answers at {address}: start one with `adb start-server`"));
}

// What the server says, as a double of it can.

#[test]
fn one_phone_that_cannot_be_used_does_not_hide_the_others() {
    let text = "0123456789ABCDEF       no permissions (user in plugdev group; are your udev rules wrong?); see \
                [http://developer.android.com/tools/device.html] usb:1-1 transport_id:1\n\
                (no serial number)     offline usb:1-2 transport_id:2\n\
                good                   device usb:1-3 product:p model:m device:d transport_id:3\n\
                something else entirely\n";
    let fake = FakeServer::start(vec![
        ("host:devices-l", Reply::Text(text.to_owned())),
        ("host:version", Reply::Text("0029".to_owned())),
    ]);
    let server = Server::new(fake.address());
    let listing = server.devices().unwrap();
    let usable: Vec<bool> = listing.attached.iter().map(|attached| attached.state.may_answer()).collect();
    assert_eq!(usable, [false, false, true]);
    assert_eq!(listing.unknown, ["something else entirely"]);
    assert_eq!(server.version(), Ok(41));
}

#[test]
fn the_real_servers_version_and_empty_list_are_read() {
    let real = AdbServer::start();
    let server = Server::new(real.address());
    assert_eq!(server.version(), Ok(41));
    assert_eq!(server.devices().unwrap().attached, []);
}

#[test]
fn a_server_that_is_silent_or_talks_nonsense_is_an_error_in_time() {
    let patience = silence(100);
    let ask = |reply| {
        let fake = FakeServer::start(vec![("host:devices-l", reply)]);
        Server::new(fake.address()).with_patience(patience).devices().unwrap_err()
    };
    assert!(matches!(ask(Reply::Silence), Failure::TimedOut { received: 0, .. }));
    for nonsense in [&b"HTTP/1.1 400"[..], b"OKAYzzzz", b"OKAY+0ff", b"OKAYffffshort", b"OKAY", b"", b"FAIL00"] {
        let failure = ask(Reply::Bytes(nonsense.to_vec()));
        assert!(matches!(failure, Failure::Disconnected(_)), "{nonsense:?}: {failure:?}");
    }
    let failure = ask(Reply::Fail("unknown host service\x1b[2J".to_owned()));
    assert_eq!(failure, Failure::Disconnected("unknown host service\u{fffd}[2J".to_owned()));
}

#[test]
fn shell_packets_that_lie_about_their_length_or_kind_are_errors() {
    let ask = |packets: &[u8]| {
        let fake = FakeServer::start(vec![
            ("host-transport-id:1:features", Reply::Text("shell_v2,cmd".to_owned())),
            ("host:transport-id:1", Reply::Okay),
            ("shell,v2", Reply::Bytes([b"OKAY", packets].concat())),
        ]);
        let server = Server::new(fake.address());
        let listing = preloaded::adb::attached::parse_listing("s device transport_id:1");
        Phone::open(&server, &listing.attached[0]).unwrap().run(&commands::properties()).unwrap_err()
    };
    assert_eq!(ask(&[1, 0xFF, 0xFF, 0xFF, 0xFF, b'a']), Failure::Truncated { received: 1 });
    assert_eq!(ask(&[1, 1, 0]), Failure::Truncated { received: 0 });
    assert_eq!(ask(&[3, 1, 0, 0, 0, 0]), Failure::Truncated { received: 0 });
    assert!(matches!(ask(&[9, 0, 0, 0, 0]), Failure::Disconnected(_)));
}
