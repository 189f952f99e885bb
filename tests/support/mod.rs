//! What integration tests share. Include it with
//! `#[cfg(test)] #[allow(dead_code, reason = "each test binary uses a part")] #[path = "../support/mod.rs"] mod support;`

pub(crate) mod adb_server;
pub(crate) mod adbd;
pub(crate) mod fake_server;
