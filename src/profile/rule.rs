//! Rules as a profile states them.

use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::example::Example;
use super::table::{Document, Table};
use crate::inventory::{DeviceKind, OsFlavour};

/// Languages that profiles carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// English: every text has it.
    #[default]
    En,
    /// Russian.
    Ru,
}

/// Text for people in the languages that profiles carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Russian; `null` where the profile has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ru: Option<String>,
}

impl Text {
    /// The text in that language, else in English.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match (language, &self.ru) {
            (Language::Ru, Some(ru)) => ru,
            _ => &self.en,
        }
    }
}

/// A rule: a question, whom and when it concerns, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule's id, unique in its profile and never reused.
    pub id: String,
    /// What it wants, short.
    pub title: Text,
    /// What a breach means.
    pub status: Status,
    /// Kinds of device that it concerns; `None` for all.
    pub device_kinds: Option<Vec<DeviceKind>>,
    /// Operating systems that it concerns; `None` for all.
    pub os_flavours: Option<Vec<OsFlavour>>,
    /// Markets that it concerns, ISO 3166-1 codes of two capital letters; `None` for all.
    pub markets: Option<Vec<String>>,
    /// API levels that it concerns, first and last; `None` for all.
    pub sdk: Option<(u32, u32)>,
    /// Devices made before this day are outside the rule, whichever date governs it.
    pub made_from: Option<Date>,
    /// When it is in force, one window for each date that may govern it. Empty: always.
    pub effective: Vec<Window>,
    /// Where it comes from.
    pub legal: Legal,
    /// What to do about a breach.
    pub remedy: Option<Text>,
    /// What a reader must know to weigh its findings.
    pub caveats: Vec<Caveat>,
    /// The rule that took its place, where it ended so.
    pub superseded_by: Option<String>,
    /// What became of it, oldest first.
    pub history: Vec<Change>,
    /// Small devices with the verdict that the rule must give on each.
    pub examples: Vec<Example>,
    /// Name of the check kind that answers.
    pub check: String,
    pub(super) check_span: std::ops::Range<usize>,
    pub(super) id_span: std::ops::Range<usize>,
    pub(super) settings: Table,
    /// The file that check and settings stand in; a profile that extends others has rules of several.
    pub(super) document: Arc<Document>,
    pub(super) settings_document: Arc<Document>,
    pub(super) examples_document: Arc<Document>,
}

/// One step in a rule's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub date: Date,
    /// What happened.
    pub text: Text,
}

/// What a breach of a rule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Against the law.
    Mandatory,
    /// Against a contract.
    Contractual,
    /// Against a house rule.
    Policy,
    /// Worth knowing: it fails no device.
    Advisory,
}

impl Status {
    /// All of them, with their names in profiles and reports.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("mandatory", Self::Mandatory),
        ("contractual", Self::Contractual),
        ("policy", Self::Policy),
        ("advisory", Self::Advisory),
    ];

    /// The name in profiles and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Contractual => "contractual",
            Self::Policy => "policy",
            Self::Advisory => "advisory",
        }
    }

    /// Whether a breach makes a device not compliant.
    #[must_use]
    pub fn is_binding(self) -> bool {
        self != Self::Advisory
    }
}

/// The date that decides whether a rule is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The day on which the device was made.
    Made,
    /// The day on which it is or was sold.
    Sold,
    /// The day judged on.
    AsOf,
}

impl Basis {
    /// All of them, with their names in profiles and reports.
    pub const NAMES: [(&'static str, Self); 3] = [("made", Self::Made), ("sold", Self::Sold), ("as-of", Self::AsOf)];

    /// The name in profiles and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Sold => "sold",
            Self::AsOf => "as-of",
        }
    }
}

/// Days on which a rule is in force, as one reading of the law has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The date that the window is about.
    pub basis: Basis,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// Who reads the law so, where readings differ.
    pub held_by: Option<String>,
}

impl Window {
    /// Whether the day is in the window.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    /// The instrument: law, decree, order, contract.
    pub instrument: Text,
    /// The place in it, where known.
    pub article: Option<Text>,
    /// Sources that were read, in the order of the profile.
    pub sources: Vec<String>,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// How a B was inferred, or what an A does not cover.
    pub confidence_note: Option<Text>,
}

/// How sure a rule is. What is less sure than these is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Read in a source.
    A,
    /// Inferred from what was read.
    B,
}

impl Confidence {
    /// The mark as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// A remark that a rule's findings carry, on some devices or days only where it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caveat {
    /// The remark.
    pub text: Text,
    /// The most that a finding which carries it may claim.
    pub confidence: Option<Confidence>,
    /// Operating systems that it is about; `None` for all.
    pub os_flavours: Option<Vec<OsFlavour>>,
    /// First governing day that it is about.
    pub from: Option<Date>,
    /// Last governing day that it is about.
    pub until: Option<Date>,
}
