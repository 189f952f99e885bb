//! Phones, simulated, behind the real ADB server.

#[cfg(test)]
#[allow(dead_code, reason = "each test binary uses a part")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod cli;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod double;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod transport;
