//! Comparisons, notices, signed evidence, redaction, configuration and help: as a user meets them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

#[cfg(test)]
mod evidence {
    mod bundle;
    mod difference;
    mod help;
    mod history;
    mod notice;
    mod redaction;

    use std::ffi::OsStr;
    use std::process::Command;

    /// A saved inventory of a phone without MAX: one rule fails.
    pub(crate) const PHONE: &str = "samples/orion-p1-phone.json";
    /// An image with three packages.
    pub(crate) const FIRMWARE: &str = "samples/orion-p1-firmware.zip";

    /// What a run came to.
    #[derive(Debug)]
    pub(crate) struct Said {
        pub(crate) code: i32,
        pub(crate) out: String,
        pub(crate) err: String,
    }

    /// The program in the project's root, with nobody's configuration and an ADB server's port at which nobody listens.
    pub(crate) fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_preloaded"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("ANDROID_ADB_SERVER_PORT", "1");
        command
    }

    pub(crate) fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
        finish(command().args(arguments))
    }

    pub(crate) fn finish(command: &mut Command) -> Said {
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs another program to its end, or fails by its name.
    pub(crate) fn tool(program: &str, arguments: &[&str], folder: &std::path::Path) -> Said {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(folder).output();
        let output = output.unwrap_or_else(|error| panic!("{program} is needed by this test: {error}"));
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
