//! What a check kind says of itself: what it asks, its settings, its verdicts. From it come its page of the
//! documentation, the JSON Schema for editors, and the refusal of keys that it does not have.

use serde_json::{Value, json};

use super::{Reason, Verdict};

/// A check kind, described.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// What it asks, in English: a sentence or two.
    pub en: &'static str,
    /// The same in Russian.
    pub ru: &'static str,
    /// Its settings.
    pub settings: &'static [Setting],
    /// When it comes to which verdict. Every verdict and reason that it gives stands here.
    pub verdicts: &'static [Row],
    /// What else a reader must know, in Markdown; may be empty.
    pub remarks: &'static str,
    /// Rules of this kind, in TOML, with an example device for each row of `verdicts`: `examples/<name>.toml`. A profile
    /// takes them as they stand behind [`EXAMPLE_HEAD`].
    pub example: &'static str,
}

/// The head of a profile of which the [`About::example`]s are the rules.
pub const EXAMPLE_HEAD: &str = r#"schema = 1
id = "shop/example"
version = "1"
title = "Example"
sources = { H1 = "house rules" }

[defaults]
status = "policy"
legal = { instrument = "House rules", sources = ["H1"], confidence = "A" }

"#;

/// A key of a rule's `settings`.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// A verdict, its reason, and when it is given.
#[derive(Debug, Clone, Copy)]
pub struct Row(pub Verdict, pub Option<Reason>, pub &'static str);

/// What may stand at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// Text, in English or in both languages.
    Wording,
    /// A condition in CEL.
    Expression,
    /// Texts.
    Texts,
    /// An application id.
    Package,
    /// Application ids.
    Packages,
    /// An application id, or several.
    OneOrMorePackages,
    /// Names with `*`.
    Names,
    /// SHA-256 digests.
    Digests,
    /// True or false.
    Flag,
    /// A number from 0.
    Number,
    /// A number from 0 to 10 with at most two decimals.
    Score,
    /// `{ from = 1, until = 9 }`.
    Range,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Some of these words.
    SomeOf(&'static [&'static str]),
    /// A selector of packages, see [`super::selector`].
    Select,
}

/// A setting that may be left out.
pub(super) const fn may(key: &'static str, shape: Shape, meaning: &'static str) -> Setting {
    Setting { key, shape, required: false, meaning }
}

/// A setting that must be there.
pub(super) const fn must(key: &'static str, shape: Shape, meaning: &'static str) -> Setting {
    Setting { key, shape, required: true, meaning }
}

/// The setting of every kind that is about many packages.
pub(super) const SELECT: Setting =
    may("select", Shape::Select, "the packages that the rule is about, see below; left out: every pre-installed one");

/// When most kinds that judge packages one by one are inconclusive or have nothing to say.
pub(super) const UNKNOWN: Row = Row(
    Verdict::Inconclusive,
    Some(Reason::UnknownFact),
    "a fact that decides about a package, or whether it is meant, is unknown",
);
pub(super) const HIDDEN: Row = Row(
    Verdict::Inconclusive,
    Some(Reason::IncompleteEvidence),
    "none fails, and a gap may hide packages that the rule is about",
);
pub(super) const NOTHING: Row =
    Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "no package is what the rule is about");

impl About {
    /// Keys of its settings.
    #[must_use]
    pub fn keys(&self) -> Vec<&'static str> {
        self.settings.iter().map(|setting| setting.key).collect()
    }

    /// Its page, in Markdown.
    #[must_use]
    pub fn page(&self, name: &str) -> String {
        let mut page = format!("# `{name}`\n\n{}\n\n## Settings\n\n", self.en);
        if self.settings.is_empty() {
            page.push_str("None.\n");
        } else {
            page.push_str("| key | what stands there | meaning |\n|---|---|---|\n");
            for setting in self.settings {
                let required = if setting.required { "; required" } else { "" };
                page.push_str(&format!(
                    "| `{}` | {} | {}{required} |\n",
                    setting.key,
                    setting.shape.words(),
                    setting.meaning
                ));
            }
        }
        page.push_str("\n## Verdicts\n\n| verdict | reason | when |\n|---|---|---|\n");
        for Row(verdict, reason, when) in self.verdicts {
            let reason = reason.map(|reason| format!("`{}`", reason.as_str())).unwrap_or_default();
            page.push_str(&format!("| `{}` | {reason} | {when} |\n", verdict.as_str()));
        }
        if !self.remarks.is_empty() {
            page.push_str(&format!("\n{}\n", self.remarks));
        }
        page.push_str(&format!("\n## Example\n\n```toml\n{}```\n", self.example));
        page
    }

    /// JSON Schema of its settings.
    #[must_use]
    pub fn schema(&self) -> Value {
        let properties: serde_json::Map<String, Value> = self
            .settings
            .iter()
            .map(|setting| {
                let mut schema = setting.shape.schema();
                if let Value::Object(fields) = &mut schema {
                    fields.insert("description".to_owned(), json!(setting.meaning));
                }
                (setting.key.to_owned(), schema)
            })
            .collect();
        let required: Vec<&str> =
            self.settings.iter().filter(|setting| setting.required).map(|setting| setting.key).collect();
        let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
        if let (Value::Object(fields), false) = (&mut schema, required.is_empty()) {
            fields.insert("required".to_owned(), json!(required));
        }
        schema
    }
}

impl Shape {
    /// What may stand there, in words.
    #[must_use]
    pub fn words(self) -> String {
        let quoted = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text => "text".to_owned(),
            Self::Wording => "text, or `{ en = ..., ru = ... }`".to_owned(),
            Self::Expression => "CEL expression".to_owned(),
            Self::Texts => "texts".to_owned(),
            Self::Package => "application id".to_owned(),
            Self::Packages => "application ids".to_owned(),
            Self::OneOrMorePackages => "application id, or several".to_owned(),
            Self::Names => "names, `*` for any characters".to_owned(),
            Self::Digests => "SHA-256 digests".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Score => "number from 0 to 10, at most two decimals".to_owned(),
            Self::Range => "`{ from = 1, until = 9 }`".to_owned(),
            Self::OneOf(words) => format!("one of {}", quoted(words)),
            Self::SomeOf(words) => format!("some of {}", quoted(words)),
            Self::Select => "selector".to_owned(),
        }
    }

    fn schema(self) -> Value {
        let list = |item: Value| json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": item });
        let id = json!({ "type": "string", "pattern": "^(android|[A-Za-z][A-Za-z0-9_]*(\\.[A-Za-z][A-Za-z0-9_]*)+)$" });
        let digest = json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" });
        let text = json!({ "type": "string", "pattern": "\\S" });
        match self {
            Self::Text => text,
            Self::Expression => json!({ "type": "string", "pattern": "\\S", "maxLength": 16384 }),
            Self::Wording => json!({ "anyOf": [text, {
                "type": "object", "additionalProperties": false, "required": ["en"],
                "properties": { "en": { "type": "string" }, "ru": { "type": "string" } },
            }] }),
            Self::Texts => list(text),
            Self::Package => id,
            Self::Packages => list(id),
            Self::OneOrMorePackages => json!({ "anyOf": [id.clone(), list(id)] }),
            Self::Names => list(json!({ "type": "string", "pattern": "^[A-Za-z0-9._*]*[A-Za-z][A-Za-z0-9._*]*$" })),
            Self::Digests => list(digest),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Score => json!({ "type": "number", "minimum": 0, "maximum": 10 }),
            Self::Range => json!({
                "type": "object", "additionalProperties": false, "minProperties": 1,
                "properties": {
                    "from": { "type": "integer", "minimum": 0 }, "until": { "type": "integer", "minimum": 0 },
                },
            }),
            Self::OneOf(words) => json!({ "enum": words }),
            Self::SomeOf(words) => list(json!({ "enum": words })),
            Self::Select => {
                let properties: serde_json::Map<String, Value> = super::selector::SETTINGS
                    .iter()
                    .map(|setting| (setting.key.to_owned(), setting.shape.schema()))
                    .collect();
                json!({ "type": "object", "additionalProperties": false, "minProperties": 1, "properties": properties })
            }
        }
    }
}
