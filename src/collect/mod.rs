//! From a phone, firmware or a saved file to an [`Inventory`].
//!
//! Collecting knows no rules: it reads what is there and says what it could not read. A source fails only when nothing
//! at all was read; everything less is a gap in the inventory.

pub mod capture;
pub mod firmware;
pub mod phone;
pub mod record;
pub mod saved;

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::thread;

use crate::bytes::{Budget, Notice};
use crate::inventory::Inventory;

/// Something that an inventory can be taken of.
pub trait Source {
    /// Reads everything that can be read.
    ///
    /// # Errors
    /// Only if nothing was read. A partly read target is an inventory with gaps.
    fn collect(&mut self, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError>;
}

/// What the caller asks of a source beyond the pre-installed packages.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Packages to look up even where somebody installed them later. All others that a store or a person installed are
    /// counted and not named.
    pub also: BTreeSet<String>,
    /// Whether package files of a phone are read too.
    pub deep: Deep,
    /// Whether each of them is pulled and its signature verified.
    pub verify: bool,
    /// Where raw material is kept, word for word, for whoever wants to check the inventory.
    pub record: Option<Arc<record::Record>>,
}

/// What is read of the package files of a phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Deep {
    /// Nothing: Android's services tell.
    #[default]
    No,
    /// Certificates: of one file for each number that the phone tells of a signer, and of each package of
    /// [`Request::also`]. The others are linked by number.
    Signers,
    /// Manifest, resources and signatures of each.
    All,
}

/// Hears how far a collection is. Called from any thread; must not block.
pub trait Progress: Send + Sync {
    /// A step began: `users`, `system: 120 packages`.
    fn step(&self, text: &str);

    /// Something that is to be known although nothing is wrong: it costs time, disk or network.
    fn notice(&self, text: &str) {
        self.step(text);
    }
}

/// Does some work, during which `progress` hears what the budget tells.
pub fn telling<T>(budget: &Budget, progress: &dyn Progress, work: impl FnOnce() -> T) -> T {
    /// Ends the telling however the work ends: the thread that listens waits for it.
    struct Telling<'a>(&'a Budget);
    impl Drop for Telling<'_> {
        fn drop(&mut self) {
            self.0.listen(None);
        }
    }
    let (tells, hears) = mpsc::channel();
    thread::scope(|scope| {
        budget.listen(Some(tells));
        let _telling = Telling(budget);
        scope.spawn(move || {
            for notice in hears {
                match notice {
                    Notice::Lasting(text) => progress.notice(&text),
                    Notice::Passing(text) => progress.step(&text),
                }
            }
        });
        work()
    })
}

/// No one listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _text: &str) {}
}

/// Nothing was read of a target.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It may work later: offline, unauthorised, connection lost, replaced while reading.
    #[error("{0}")]
    Temporary(String),
    /// It won't work by trying again: no such file, not firmware, not a saved inventory.
    #[error("{0}")]
    Unreadable(String),
}
