//! The program itself, run with an environment of its own.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The report on standard output: nothing but JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The program with an ADB server's port, to be given arguments. Nothing of the tester's own environment leads to phones.
pub(crate) fn preloaded(server: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_preloaded"));
    for name in ["ADB_SERVER_SOCKET", "ADB_VENDOR_KEYS", "ANDROID_SERIAL", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    // The phones are simulated: their serial numbers are what tests tell them apart by.
    command.env("PRELOADED_ID", "plain").env("LC_ALL", "C");
    command.env("ANDROID_ADB_SERVER_PORT", server.port().to_string()).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
#[track_caller]
pub(crate) fn run(server: SocketAddr, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
    finish(preloaded(server).args(arguments))
}

#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ran { code: status.code().expect("an exit code"), stdout: text(stdout), stderr: text(stderr) }
}
