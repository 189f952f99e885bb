//! What an Android device ships with, and whether it complies.
//!
//! A *source* (a phone over ADB, a firmware image, a saved file) becomes an [`inventory::Inventory`]; a *profile*
//! holds dated rules; assessing one under the other gives findings with evidence; reports render them. The layers
//! are the modules below, lowest first; `docs/architecture.md` says what each may use.

// The samples of `tests/support` are shared by unit and integration tests, which name this crate alike.
#[cfg(test)]
extern crate self as preloaded;

pub mod bytes;

pub mod remote;

pub mod container;

pub mod filesystem;

pub mod firmware;

pub mod apk;

pub mod adb;

pub mod dump;

pub mod inventory;

pub mod platform;

pub mod collect;

pub mod profile;

pub mod check;

pub mod assess;

pub mod diff;

pub mod report;

pub mod evidence;

pub mod store;

pub mod station;

pub mod cli;
