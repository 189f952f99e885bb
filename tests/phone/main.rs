//! Phones, simulated, behind the real ADB server.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "measurements, and data that is not here, are told")]

#[cfg(test)]
#[allow(dead_code, reason = "each test binary uses a part")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod bundles;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod deep;
#[cfg(test)]
mod direct;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod double;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod many;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod twins;
#[cfg(test)]
mod watch;
