//! Examples: small devices with the verdict that a rule must give on each. `preloaded profile test` asks them.
//!
//! ```toml
//! examples = [
//!     { verdict = "pass", packages = ["ru.oneme.app"] },
//!     { verdict = "fail", reason = "look-alike", packages = [{ id = "ru.oneme.app", code = false }] },
//!     { verdict = "inconclusive", hidden = "product" },          # a partition that could not be read
//!     { verdict = "not_applicable", device = { kind = "tablet" } },
//!     { verdict = "fail", made = 2025-08-01, sold = 2025-10-01, governing = "sold", as-of = 2026-01-01 },
//!     { verdict = "pass", inventory = "beside/this-profile.json" },
//! ]
//! ```
//!
//! What an example leaves out is as on a clean, completely read image of an Android phone; see `specimen` for the keys
//! of `device` and `packages`.

use std::ops::Range;

use jiff::civil::Date;

use super::parse;
use super::rule::Basis;
use super::settings::Settings;
use super::{ProfileError, specimen};
use crate::inventory::Inventory;

/// Verdicts that an example may expect. Their codes are public and never change.
const VERDICTS: [(&str, &str); 7] = [
    ("pass", "pass"),
    ("fail", "fail"),
    ("inconclusive", "inconclusive"),
    ("error", "error"),
    ("not_checked", "not_checked"),
    ("informational", "informational"),
    ("not_applicable", "not_applicable"),
];

/// A small device, and what the rule must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The verdict expected: the rule's worst.
    pub verdict: String,
    /// The reason expected, where the example says one.
    pub reason: Option<String>,
    /// The dates assumed.
    pub days: ExampleDays,
    /// The date that governs, if chosen.
    pub governing: Option<Basis>,
    /// The market, if said.
    pub market: Option<String>,
    /// Whether any lawful method of presence counts.
    pub any_method: bool,
    /// The device.
    pub specimen: Specimen,
    pub(super) span: Range<usize>,
}

/// Dates of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExampleDays {
    /// The day judged on; left out: the rule's first day, else its last, else 2026-01-01.
    pub as_of: Option<Date>,
    /// The day on which the device was made.
    pub made: Option<Date>,
    /// The day on which it was sold.
    pub sold: Option<Date>,
}

/// The device of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Specimen {
    /// Written in the profile.
    Inline(Box<Inventory>),
    /// A saved inventory, by its path from the profile's folder.
    Beside(String),
}

pub(super) fn examples(table: &Settings<'_>) -> Result<Vec<Example>, ProfileError> {
    table.tables("examples")?.unwrap_or_default().iter().map(example).collect()
}

fn example(table: &Settings<'_>) -> Result<Example, ProfileError> {
    table.only(&[
        "verdict",
        "reason",
        "as-of",
        "made",
        "sold",
        "governing",
        "market",
        "any-method",
        "inventory",
        "device",
        "packages",
        "hidden",
        "unknown",
    ])?;
    let Some(verdict) = table.choice("verdict", &VERDICTS)? else {
        return Err(table.missing("verdict", "pass, fail, inconclusive, not_applicable, not_checked or informational"));
    };
    let specimen = match table.text("inventory")? {
        Some(path) => {
            if let Some(key) = ["device", "packages", "hidden", "unknown"].into_iter().find(|key| table.has(key)) {
                return Err(table.error(key, format!("`{key}` beside `inventory`, expected one of the two")));
            }
            Specimen::Beside(path.text.to_owned())
        }
        None => Specimen::Inline(Box::new(specimen::inventory(table)?)),
    };
    let market = table.text("market")?;
    if let Some(word) = market.filter(|word| !parse::is_market(word.text)) {
        return Err(word.error("a market is an ISO 3166-1 code, expected one like `RU`"));
    }
    Ok(Example {
        verdict: verdict.to_owned(),
        reason: table.text("reason")?.map(|word| word.text.to_owned()),
        days: ExampleDays { as_of: table.date("as-of")?, made: table.date("made")?, sold: table.date("sold")? },
        governing: table.choice("governing", &[("made", Basis::Made), ("sold", Basis::Sold)])?,
        market: market.map(|word| word.text.to_owned()),
        any_method: table.flag("any-method")?,
        specimen,
        span: table.span(),
    })
}
