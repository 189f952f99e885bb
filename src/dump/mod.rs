//! Text that Android prints (`dumpsys`, `pm`, `getprop` ...), from a phone or a capture alike, as facts.
//!
//! Every parser is a pure function on text and takes any text: what does not fit its grammar is counted and kept
//! ([`Leftover`]), what is cut is said to be cut. Lines count from 1, for evidence.

pub mod accessibility;
pub mod activities;
pub mod app_ops;
pub mod device_policy;
pub mod features;
pub mod getprop;
mod leftover;
pub mod overlay;
pub mod package;
pub mod package_list;
pub mod preinstall;
pub mod refusal;
pub mod role;
pub mod settings;
pub mod users;

pub use leftover::Leftover;

/// A value and the line that it stands on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: u32,
}

/// The lines of `text` with their numbers.
fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1_u32..).zip(text.lines())
}
