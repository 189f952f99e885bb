//! Reports: every format on every sample, held by goldens, by independent validators and by a browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and figures are for whoever runs it"
)]

#[path = "reports/browser.rs"]
mod browser;
#[path = "reports/formats.rs"]
mod formats;
#[path = "reports/made.rs"]
mod made;
#[path = "reports/outputs.rs"]
mod outputs;
#[path = "reports/schemas.rs"]
mod schemas;
#[path = "reports/validators.rs"]
mod validators;
