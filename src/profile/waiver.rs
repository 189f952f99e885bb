//! Waivers: failures that somebody accepts for a time, `waivers.toml`.
//!
//! ```toml
//! schema = 1
//!
//! [[waiver]]
//! id = "W-2026-004"
//! rule = "RU-MAX"
//! profile = "ru/smartphone"                    # left out: whichever profile has the rule
//! scope = { model = "Orion P1" }               # or fingerprint, or package with signer; `*` stands for any characters
//! reason = "the operator's build adds it at first start, contract 17/4"
//! owner = "a.ivanova"
//! approved-by = "legal"
//! created = 2026-02-01
//! expires = 2026-06-30                         # counts to the end of this day in UTC
//! ticket = "QA-1182"                           # optional
//! evidence-sha256 = "..."                      # optional: digest of a document that supports it
//! ```

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::settings::{Settings, is_sha256};
use super::table::Document;
use super::{ProfileError, SCHEMA, parse};

/// Days for which a waiver is given at most without a remark: half a year.
pub const MAX_WAIVER_DAYS: i32 = 180;

/// A file of waivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waivers {
    /// The file's name.
    pub file: String,
    /// In the order of the file; ids are unique.
    pub list: Vec<Waiver>,
}

/// One waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its id, unique in the file.
    pub id: String,
    /// The rule whose failures it covers.
    pub rule: String,
    /// The profile that the rule belongs to; `None` for any.
    pub profile: Option<String>,
    /// The devices and packages that it covers.
    pub scope: WaiverScope,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it.
    pub approved_by: String,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// First day.
    pub created: Date,
    /// Last day.
    pub expires: Date,
    /// SHA-256 of a document that supports it, lower-case hex.
    pub evidence_sha256: Option<String>,
    /// Line of the file, from 1.
    pub line: usize,
}

/// What a waiver covers. Everything that is set must fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WaiverScope {
    /// `ro.product.model`, with `*`.
    pub model: Option<String>,
    /// `ro.build.fingerprint`, with `*`.
    pub fingerprint: Option<String>,
    /// The package that a finding is about.
    pub package: Option<String>,
    /// SHA-256 of the package's signer, lower-case hex.
    pub signer: Option<String>,
}

impl WaiverScope {
    /// Whether the text has the form of the pattern, in which `*` stands for any characters.
    #[must_use]
    pub fn fits(pattern: &str, text: &str) -> bool {
        super::pattern::fits(pattern, text)
    }
}

impl Waivers {
    /// Waivers from their text; `file` is its name in errors.
    ///
    /// # Errors
    /// What is not TOML or no file of waivers, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document { file: file.to_owned(), text: text.to_owned() };
        let table = document.parse()?;
        let root = Settings::new(&table, &document, "the file of waivers");
        root.only(&["schema", "waiver"])?;
        match root.number("schema")? {
            Some(SCHEMA) => {}
            Some(other) => return Err(root.error("schema", format!("`schema` is {other}, expected {SCHEMA}"))),
            None => return Err(root.missing("schema", &SCHEMA.to_string())),
        }
        let Some(tables) = root.tables("waiver")? else {
            return Err(ProfileError::whole(file, "no waivers in it, expected at least one [[waiver]]"));
        };
        let mut list: Vec<Waiver> = Vec::new();
        let mut seen = BTreeSet::new();
        for table in tables {
            let waiver = waiver(&table)?;
            if !seen.insert(waiver.id.clone()) {
                return Err(table.error("id", format!("the id `{}` stands twice", waiver.id)));
            }
            list.push(waiver);
        }
        Ok(Self { file: file.to_owned(), list })
    }
}

/// Keys of a waiver.
pub const KEYS: &[&str] = &[
    "id",
    "rule",
    "profile",
    "scope",
    "reason",
    "owner",
    "approved-by",
    "created",
    "expires",
    "ticket",
    "evidence-sha256",
];

fn waiver(table: &Settings<'_>) -> Result<Waiver, ProfileError> {
    table.only(KEYS)?;
    let text = |key: &str| table.need_text(key).map(|word| word.text.to_owned());
    let day = |key: &str| match table.date(key)? {
        Some(date) => Ok(date),
        None => Err(table.missing(key, "a day, 2026-06-30")),
    };
    let (created, expires) = (day("created")?, day("expires")?);
    if expires < created {
        return Err(table.error("expires", format!("`expires` is {expires}, expected a day not before {created}")));
    }
    let evidence = table.text("evidence-sha256")?;
    if let Some(word) = evidence.filter(|word| !is_sha256(word.text)) {
        return Err(word.error("a SHA-256 digest is expected, 64 hexadecimal digits"));
    }
    Ok(Waiver {
        id: text("id")?,
        rule: parse::rule_id(&table.need_text("rule")?)?,
        profile: table.text("profile")?.map(|word| word.text.to_owned()),
        scope: scope(table)?,
        reason: text("reason")?,
        owner: text("owner")?,
        approved_by: text("approved-by")?,
        ticket: table.text("ticket")?.map(|word| word.text.to_owned()),
        created,
        expires,
        evidence_sha256: evidence.map(|word| word.text.to_ascii_lowercase()),
        line: table.error("id", "").line().unwrap_or(0),
    })
}

fn scope(table: &Settings<'_>) -> Result<WaiverScope, ProfileError> {
    let Some(scope) = table.table("scope")? else {
        return Err(table.missing("scope", "what it covers: model, fingerprint, or package with signer"));
    };
    scope.only(&["model", "fingerprint", "package", "signer"])?;
    let pattern = |key: &str| match scope.text(key)? {
        // A pattern of wildcards alone would waive the rule everywhere, and for what nobody has looked at.
        Some(word) if !word.text.contains(|c: char| c.is_alphanumeric()) => {
            Err(word.error(format!("`{}` covers everything, expected a {key}", word.text)))
        }
        word => Ok(word.map(|word| word.text.to_owned())),
    };
    let found = WaiverScope {
        model: pattern("model")?,
        fingerprint: pattern("fingerprint")?,
        package: scope.maybe_package("package")?,
        signer: match scope.text("signer")? {
            Some(word) if !is_sha256(word.text) => {
                return Err(word.error("a signer is a SHA-256 digest, expected 64 hexadecimal digits"));
            }
            word => word.map(|word| word.text.to_ascii_lowercase()),
        },
    };
    let device = found.model.is_some() || found.fingerprint.is_some();
    match (device, &found.package, &found.signer) {
        (false, None, _) => {
            Err(table.error("scope", "`scope` covers everything, expected model, fingerprint, or package"))
        }
        (_, None, Some(_)) => Err(scope.missing("package", "the application id that the signer is for")),
        // Without it another app of the same id would be waived too.
        (false, Some(_), None) => Err(scope.missing("signer", "the SHA-256 digest of the package's signer")),
        _ => Ok(found),
    }
}
