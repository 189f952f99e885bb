//! Attestations: what a person saw where no machine can, `attestations.toml`. `preloaded attest` writes them.
//!
//! ```toml
//! schema = 1
//!
//! [[attestation]]
//! rule = "RU-OTHERS-HARMONYOS"
//! profile = "ru/smartphone"
//! answer = "met"                               # or "not-met"
//! operator = "a.ivanova"
//! on = 2026-02-01
//! expires = 2026-05-02                         # counts to the end of this day in UTC
//! scope = { model = "NOH-NX9" }                # or fingerprint, or target (`adb:SERIAL`)
//! note = "compared with the order's annex"     # optional
//! photo-sha256 = "..."                         # optional
//! ```

use std::fmt::Write as _;

use jiff::civil::Date;

use super::settings::{Settings, is_sha256};
use super::table::Document;
use super::{ProfileError, SCHEMA, parse};

/// A file of attestations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attestations {
    /// The file's name.
    pub file: String,
    /// In the order of the file: of several that fit, the last counts.
    pub list: Vec<Attestation>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The rule that was answered.
    pub rule: String,
    /// The profile that it belongs to.
    pub profile: String,
    /// The answer.
    pub answer: Answer,
    /// Who looked.
    pub operator: String,
    /// When.
    pub on: Date,
    /// Last day on which it counts.
    pub expires: Date,
    /// `ro.product.model` of the devices that it holds for.
    pub model: Option<String>,
    /// `ro.build.fingerprint` of the builds that it holds for.
    pub fingerprint: Option<String>,
    /// The one target that it holds for, `adb:SERIAL`.
    pub target: Option<String>,
    /// What was seen, in words.
    pub note: Option<String>,
    /// SHA-256 of a photo, lower-case hex.
    pub photo_sha256: Option<String>,
}

/// What a person found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// The duty is met.
    Met,
    /// It is not.
    NotMet,
}

impl Answer {
    /// Both, with their names.
    pub const NAMES: [(&'static str, Self); 2] = [("met", Self::Met), ("not-met", Self::NotMet)];

    /// The name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not-met",
        }
    }
}

impl Attestations {
    /// Attestations from their text; `file` is its name in errors.
    ///
    /// # Errors
    /// What is not TOML or no file of attestations, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document { file: file.to_owned(), text: text.to_owned() };
        let table = document.parse()?;
        let root = Settings::new(&table, &document, "the file of attestations");
        root.only(&["schema", "attestation"])?;
        match root.number("schema")? {
            Some(SCHEMA) => {}
            Some(other) => return Err(root.error("schema", format!("`schema` is {other}, expected {SCHEMA}"))),
            None => return Err(root.missing("schema", &SCHEMA.to_string())),
        }
        let tables = root.tables("attestation")?.unwrap_or_default();
        let list = tables.iter().map(attestation).collect::<Result<_, _>>()?;
        Ok(Self { file: file.to_owned(), list })
    }
}

fn attestation(table: &Settings<'_>) -> Result<Attestation, ProfileError> {
    table.only(&["rule", "profile", "answer", "operator", "on", "expires", "scope", "note", "photo-sha256"])?;
    let day = |key: &str| match table.date(key)? {
        Some(date) => Ok(date),
        None => Err(table.missing(key, "a day, 2026-06-30")),
    };
    let (on, expires) = (day("on")?, day("expires")?);
    if expires < on {
        return Err(table.error("expires", format!("`expires` is {expires}, expected a day not before {on}")));
    }
    let Some(answer) = table.choice("answer", &Answer::NAMES)? else {
        return Err(table.missing("answer", "met or not-met"));
    };
    let photo = table.text("photo-sha256")?;
    if let Some(word) = photo.filter(|word| !is_sha256(word.text)) {
        return Err(word.error("a SHA-256 digest is expected, 64 hexadecimal digits"));
    }
    let Some(scope) = table.table("scope")? else {
        return Err(table.missing("scope", "what it holds for: model, fingerprint or target"));
    };
    scope.only(&["model", "fingerprint", "target"])?;
    let text = |table: &Settings<'_>, key: &str| table.text(key).map(|word| word.map(|word| word.text.to_owned()));
    let found = Attestation {
        rule: parse::rule_id(&table.need_text("rule")?)?,
        profile: table.need_text("profile")?.text.to_owned(),
        answer,
        operator: table.need_text("operator")?.text.to_owned(),
        on,
        expires,
        model: text(&scope, "model")?,
        fingerprint: text(&scope, "fingerprint")?,
        target: text(&scope, "target")?,
        note: text(table, "note")?,
        photo_sha256: photo.map(|word| word.text.to_ascii_lowercase()),
    };
    if found.model.is_none() && found.fingerprint.is_none() && found.target.is_none() {
        return Err(table.error("scope", "`scope` is empty, expected model, fingerprint or target"));
    }
    Ok(found)
}

impl Attestation {
    /// Its TOML form, to be put behind what a file has.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::from("\n[[attestation]]\n");
        let mut line = |key: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{key} = {value}");
        };
        line("rule", &quoted(&self.rule));
        line("profile", &quoted(&self.profile));
        line("answer", &quoted(self.answer.as_str()));
        line("operator", &quoted(&self.operator));
        line("on", &self.on.to_string());
        line("expires", &self.expires.to_string());
        let scope = [("model", &self.model), ("fingerprint", &self.fingerprint), ("target", &self.target)];
        let scope: Vec<String> =
            scope.iter().filter_map(|(key, value)| Some(format!("{key} = {}", quoted(value.as_ref()?)))).collect();
        line("scope", &format!("{{ {} }}", scope.join(", ")));
        for (key, value) in [("note", &self.note), ("photo-sha256", &self.photo_sha256)] {
            if let Some(value) = value {
                line(key, &quoted(value));
            }
        }
        text
    }
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_whatever_the_words() {
        let attestation = Attestation {
            rule: "T-1".to_owned(),
            profile: "shop/minimum".to_owned(),
            answer: Answer::NotMet,
            operator: "O\"Neill \\ А".to_owned(),
            on: jiff::civil::date(2026, 1, 2),
            expires: jiff::civil::date(2026, 4, 2),
            model: None,
            fingerprint: None,
            target: Some("adb:1\u{7f}\n".to_owned()),
            note: Some("line\nbreak".to_owned()),
            photo_sha256: Some("a".repeat(64)),
        };
        let text = format!("schema = 1\n{}", attestation.to_toml());
        let read = Attestations::parse("a.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.list, [attestation]);
    }
}
