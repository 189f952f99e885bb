//! Phones: files and command output, guarded. Nothing here writes to a phone.

pub mod attached;
pub mod commands;
mod conversation;
mod direct;
mod key;
mod link;
mod phone;
mod runner;
pub mod server;
pub mod starter;
mod sync;
#[cfg(feature = "usb")]
pub mod usb;
pub mod wrapper;

use std::net::SocketAddr;

pub use attached::{Attached, Listing, State};
pub use commands::{Batch, Command, Pull};
pub use conversation::Patience;
pub use direct::Direct;
pub use key::Keys;
pub use phone::Phone;
pub use server::Server;

/// A shell on one phone that answers read-only commands.
///
/// The seam between transport and collection: a phone behind an ADB server, or a test's folder of captured answers.
pub trait Shell {
    /// Runs one command of the table and returns its whole answer.
    ///
    /// # Errors
    /// [`Failure`] when the answer is missing, cut, too long or late. A command that ran and failed is an [`Answer`] with
    /// its exit status.
    fn run(&self, command: &Command) -> Result<Answer, Failure>;

    /// Runs several commands as one request where the shell can; one after the other otherwise. Output and error text of
    /// each come merged.
    ///
    /// As many results as commands, in their order; where the request as a whole fails, its failure is that of each.
    fn run_batch(&self, batch: &Batch) -> Vec<Result<Answer, Failure>> {
        batch.commands().iter().map(|command| self.run(command)).collect()
    }

    /// Reads a whole file by the phone's file service and hands it on in pieces; its length, or the phone's words where it
    /// refuses.
    ///
    /// # Errors
    /// [`Failure`] when the file came cut, too long or late, or this shell has no such service; that of `each`.
    fn pull(
        &self,
        pull: &Pull,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Result<u64, String>, Failure> {
        let _ = (pull, each);
        Err(Failure::NotCaptured("there is no file service".to_owned()))
    }

    /// Longest line that can be sent, in bytes, without the wrapper.
    fn line_limit(&self) -> usize {
        commands::LINE_LIMIT
    }

    /// Whether a capture answers in place of a phone: it can't be asked for more than it holds.
    fn is_capture(&self) -> bool {
        false
    }

    /// What stands in place of a phone: the name of the file that holds the answer. `None` for a phone itself.
    fn file(&self, command: &Command) -> Option<String> {
        let _ = command;
        None
    }
}

/// The whole answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Standard output, with CR LF of old devices made LF.
    pub stdout: Vec<u8>,
    /// Standard error; empty where the device merges it into the output.
    pub stderr: Vec<u8>,
    /// Exit status.
    pub status: i32,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The answer ended before its end marker.
    #[error("the answer ended after {received} bytes, before its end marker")]
    Truncated {
        /// Bytes received.
        received: u64,
    },
    /// Nothing came for too long, or the whole took too long.
    #[error("no complete answer within {seconds} s ({received} bytes received)")]
    TimedOut {
        /// Seconds waited.
        seconds: u64,
        /// Bytes received.
        received: u64,
    },
    /// The answer is longer than the command's cap.
    #[error("the answer is longer than {cap} bytes")]
    TooLarge {
        /// The cap.
        cap: u64,
    },
    /// Nothing listens at the ADB server's address.
    #[error("no ADB server answers at {address}: start one with `adb start-server`")]
    NoServer {
        /// Where it was expected.
        address: SocketAddr,
    },
    /// A capture that another program made does not hold the answer.
    #[error("{0}")]
    NotCaptured(String),
    /// This computer can't keep what came.
    #[error("{0}")]
    Unkept(String),
    /// The phone is gone, or was never there: offline, unauthorised, not found.
    #[error("{0}")]
    Disconnected(String),
}
