//! A bench: phones that come and go, one job each, every result in a journal before it is shown.
//!
//! [`Slots`] turns listings of the ADB server into what is to be done; [`Job`] does it in a process of its own, which may
//! die without taking the bench along; [`Journal`] keeps what came of it.

mod job;
mod journal;
mod slots;

pub use job::{Ended, Job, Limits, MEMORY};
pub use journal::{Chain, Journal, read, verify};
pub use slots::{Change, Phase, Slot, Slots};
