//! What reading costs in time. A program of its own: `cargo test` runs no other beside it, and within it one test runs after the
//! other, since what else keeps the processor busy costs the side that works more than the side that waits.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "measurements, and data that is not here, are told")]

#[cfg(test)]
#[allow(dead_code, unused_imports, reason = "each test binary uses a part")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod phones;
