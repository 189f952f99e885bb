//! A profile applied to an inventory: an [`Assessment`] of [`Finding`]s.
//!
//! The JSON form of both is part of the report's and as stable.

mod finding;

pub use finding::{Assessment, Context, Counts, Finding, FindingEvidence, Governing, Legal, Overall, ProfileRef, Text};
