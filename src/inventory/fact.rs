//! Facts, the evidence for them, and the gaps where there is none.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Something that was looked for: found, with evidence, or not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Fact<T> {
    /// It was read. `null` or an empty list says that the thing itself is absent.
    Known {
        /// The value.
        value: T,
        /// Where it was read.
        evidence: Evidence,
    },
    /// It was not. Never the same as absent.
    #[serde(with = "unknown")]
    #[schemars(with = "unknown::Wrapped<Gap>")]
    Unknown(Gap),
}

/// By hand: the derived form would hold every fact in a buffer to try it twice, and inventories hold little else.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Fact<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fact: `value` with `evidence`, or `unknown`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fact<T>, A::Error> {
                const FIELDS: &[&str] = &["value", "evidence", "unknown"];
                let (mut value, mut evidence, mut gap) = (None, None, None);
                while let Some(key) = map.next_key::<Key>()? {
                    match key {
                        Key::Value if value.is_none() => value = Some(map.next_value()?),
                        Key::Evidence if evidence.is_none() => evidence = Some(map.next_value()?),
                        Key::Unknown if gap.is_none() => gap = Some(map.next_value()?),
                        Key::Value => return Err(A::Error::duplicate_field("value")),
                        Key::Evidence => return Err(A::Error::duplicate_field("evidence")),
                        Key::Unknown => return Err(A::Error::duplicate_field("unknown")),
                    }
                }
                match (value, evidence, gap) {
                    (Some(value), Some(evidence), None) => Ok(Fact::Known { value, evidence }),
                    (None, None, Some(gap)) => Ok(Fact::Unknown(gap)),
                    (Some(_), None, None) => Err(A::Error::missing_field("evidence")),
                    (None, Some(_), None) => Err(A::Error::missing_field("value")),
                    (None, None, None) => Err(A::Error::missing_field("unknown")),
                    (_, _, Some(_)) => Err(A::Error::unknown_field("value or evidence beside unknown", FIELDS)),
                }
            }
        }

        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "kebab-case")]
        enum Key {
            Value,
            Evidence,
            Unknown,
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// `{"unknown": gap}`, so that both forms of a fact can be told apart by their keys.
mod unknown {
    use schemars::JsonSchema;
    use serde::{Serialize, Serializer};

    use super::Gap;

    /// Why the fact is not known.
    #[derive(Serialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[schemars(rename = "Unknown")]
    pub(super) struct Wrapped<T> {
        unknown: T,
    }

    pub(super) fn serialize<S: Serializer>(gap: &Gap, serializer: S) -> Result<S::Ok, S::Error> {
        Wrapped { unknown: gap }.serialize(serializer)
    }
}

/// Place of the gap of a fact that an older version of this program did not save.
const SAVED_EARLIER: &str = "saved inventory";

/// For inventories that were saved before there was such a fact.
impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unknown(Gap::new(SAVED_EARLIER, GapReason::NotObserved, "the version that saved it did not ask"))
    }
}

impl<T> Fact<T> {
    /// A fact that was not looked for, and may still be concluded from others.
    #[must_use]
    pub fn not_asked() -> Self {
        Self::default()
    }

    /// Whether it is unknown only because nobody asked: the version that saved it, or the collector so far.
    #[must_use]
    pub fn was_not_asked(&self) -> bool {
        self.gap().is_some_and(|gap| gap.place == SAVED_EARLIER && gap.reason == GapReason::NotObserved)
    }

    /// A fact read from the place that `evidence` names.
    pub fn new(value: T, evidence: &Evidence) -> Self {
        Self::Known { value, evidence: evidence.clone() }
    }

    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Where the value was read, if it is known.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Known { evidence, .. } => Some(evidence),
            Self::Unknown(_) => None,
        }
    }

    /// Why the value is not known, if it is not.
    #[must_use]
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Known { .. } => None,
            Self::Unknown(gap) => Some(gap),
        }
    }

    /// The same fact with its value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known { value, evidence } => Fact::Known { value: change(value), evidence },
            Self::Unknown(gap) => Fact::Unknown(gap),
        }
    }
}

/// Where a fact was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Index into the inventory's `sources`.
    pub source: SourceId,
    /// The place within the source: `line 6190`, `AndroidManifest.xml`, `byte 4096`. Absent where the whole source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Index of an [`Origin`] in the inventory's `sources`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SourceId(pub u32);

/// Something that was read: one command's answer, or one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What it is.
    pub kind: OriginKind,
    /// The command line as sent, or the file's path as on the device (an APK in a container: `outer!inner`).
    pub name: String,
    /// Bytes that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// SHA-256 of all its bytes, lower-case hex; absent where not all were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Kind of an [`Origin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// The answer of a command that was sent to a phone.
    Command,
    /// A file of a partition.
    File,
    /// A folder, a partition or an image as a whole: what its listing says.
    Listing,
}

/// Collects the sources of one inventory and hands out evidence. The same origin is entered once.
#[derive(Debug, Default)]
pub struct Origins {
    list: Vec<Origin>,
    ids: HashMap<Origin, SourceId>,
}

impl Origins {
    /// Evidence that points to the whole of `origin`.
    pub fn evidence(&mut self, origin: Origin) -> Evidence {
        let next = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let source = *self.ids.entry(origin).or_insert_with_key(|origin| {
            self.list.push(origin.clone());
            next
        });
        Evidence { source, at: None }
    }

    /// All of them, in the order of their first use.
    #[must_use]
    pub fn into_list(self) -> Vec<Origin> {
        self.list
    }
}

impl Evidence {
    /// The same source, at a place within it.
    #[must_use]
    pub fn at(&self, place: impl Into<String>) -> Self {
        Self { source: self.source, at: Some(place.into()) }
    }
}

/// Something that could not be read, where and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// What was being read: `partition system_ext`, `/system/app/X/X.apk`, `dumpsys -t 60 package packages`.
    pub place: String,
    /// Why it was not, as a code.
    pub reason: GapReason,
    /// Why, in words: the error with its place, or the device's own text.
    pub detail: String,
    /// What may be missing from the inventory because of it.
    pub hides: Hides,
}

impl Gap {
    /// A gap that hides single facts.
    pub fn new(place: impl Into<String>, reason: GapReason, detail: impl Into<String>) -> Self {
        Self { place: place.into(), reason, detail: detail.into(), hides: Hides::Facts }
    }

    /// The same gap, hiding something else.
    #[must_use]
    pub fn hiding(self, hides: Hides) -> Self {
        Self { hides, ..self }
    }
}

/// Why something could not be read. Public codes: they stay, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// This kind of source never tells it, or this version of the tool does not ask.
    NotObserved,
    /// It should be there, and is not: a file that the tree lists, a section of a dump.
    Missing,
    /// The device or the host refused.
    Refused,
    /// The answer ended early.
    Truncated,
    /// No answer within the deadline.
    TimedOut,
    /// The answer is larger than the limit.
    TooLarge,
    /// The bytes are not what they should be.
    Damaged,
    /// Recognised, but not read by this version of the tool.
    Unsupported,
    /// The command does not exist on this device, or failed.
    Failed,
    /// The connection was lost.
    Disconnected,
    /// Two sources disagree.
    Contradiction,
}

impl GapReason {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotObserved => "not-observed",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Truncated => "truncated",
            Self::TimedOut => "timed-out",
            Self::TooLarge => "too-large",
            Self::Damaged => "damaged",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
            Self::Disconnected => "disconnected",
            Self::Contradiction => "contradiction",
        }
    }
}

/// What a gap may hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hides {
    /// Whole packages: while such a gap is open, an absent package is not proven absent.
    Packages,
    /// The state of packages for one or more users.
    Users,
    /// Facts about packages or the device that are otherwise listed.
    Facts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_form_of_a_fact_is_refused() {
        let evidence = r#""evidence":{"source":0}"#;
        let gap = r#""unknown":{"place":"p","reason":"missing","detail":"d","hides":"facts"}"#;
        for text in [
            "{}".to_owned(),
            r#"{"value":1}"#.to_owned(),
            format!("{{{evidence}}}"),
            format!(r#"{{"value":1,{evidence},{gap}}}"#),
            format!(r#"{{"value":1,"value":2,{evidence}}}"#),
            format!(r#"{{"value":1,{evidence},"more":1}}"#),
            "7".to_owned(),
        ] {
            assert!(serde_json::from_str::<Fact<u32>>(&text).is_err(), "{text}");
        }
        // The order of fields is free.
        assert!(serde_json::from_str::<Fact<u32>>(&format!(r#"{{{evidence},"value":1}}"#)).is_ok());
    }

    #[test]
    fn both_forms_of_a_fact_survive_json_and_are_told_apart() {
        let evidence = Evidence { source: SourceId(3), at: Some("line 7".to_owned()) };
        let known: Fact<Option<String>> = Fact::new(None, &evidence);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(text, r#"{"value":null,"evidence":{"source":3,"at":"line 7"}}"#);
        assert_eq!(serde_json::from_str::<Fact<Option<String>>>(&text).unwrap(), known);

        let unknown: Fact<Option<String>> = Fact::Unknown(Gap::new("getprop", GapReason::TimedOut, "30 s"));
        let text = serde_json::to_string(&unknown).unwrap();
        assert_eq!(serde_json::from_str::<Fact<Option<String>>>(&text).unwrap(), unknown);
    }

    #[test]
    fn an_origin_is_entered_once() {
        let mut origins = Origins::default();
        let file = |name: &str| Origin { kind: OriginKind::File, name: name.to_owned(), length: None, sha256: None };
        let first = origins.evidence(file("a"));
        let second = origins.evidence(file("b"));
        assert_eq!(origins.evidence(file("a")), first);
        assert_ne!(first, second);
        assert_eq!(origins.into_list().len(), 2);
    }
}
