//! What integration tests share. Include it with
//! `#[cfg(test)] #[allow(dead_code, reason = "each test binary uses a part")] #[path = "../support/mod.rs"] mod support;`

pub(crate) mod adb_server;
pub(crate) mod adbd;
pub(crate) mod bench;
pub(crate) mod fake_server;
pub(crate) mod fiction;
pub(crate) mod pixel;
pub(crate) mod program;

/// Bytes of all values below 251 in no short period, with line feeds and carriage returns among them.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from((n * n / 7 + n) % 251).expect("below 251")).collect()
}
