//! Images on a web server: what is fetched of them, and what a server may do wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

#[cfg(test)]
mod remote {
    mod faults;
    mod scanning;
    mod server;
}
