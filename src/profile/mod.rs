//! Profiles: rules that people write as TOML, with line and column in every error.
//!
//! ```toml
//! schema = 1
//! id = "shop/minimum"
//! version = "2026.1"
//! title = { en = "What our shop asks of a phone", ru = "Что наш магазин требует от телефона" }
//!
//! [sources]                       # what `legal.sources` names
//! H1 = "house rules of 2026-02-01"
//!
//! [defaults]                      # what a rule may leave out; its own value replaces the default
//! status = "policy"               # mandatory, contractual, policy, advisory
//! device-kinds = ["phone"]        # left out: all
//! os-flavours = ["android"]       # left out: all
//! legal = { instrument = "House rules" }
//!
//! [[rule]]
//! id = "SHOP-STORE"               # never reused
//! title = "The shop's store is installed"
//! check = "required-package"      # a check kind
//! settings = { any-of = ["com.example.store"] }
//! made-from = 2021-04-01          # devices made earlier are outside the rule
//! effective = [                   # one window for each date that may govern; left out: always in force
//!     { basis = "made", from = 2025-09-01, held-by = "the ministry" },
//!     { basis = "sold", from = 2025-09-01, until = 2026-12-31 },
//! ]
//! legal = { sources = ["H1"], confidence = "A" }
//! remedy = { en = "Install it before the sale." }
//! caveats = [{ text = "Inferred for 2027.", confidence = "B", from = 2027-01-01, os-flavours = ["android"] }]
//! ```
//!
//! More keys of a rule: `markets` (ISO codes), `sdk = { from = 29, until = 34 }`, `selected = false` (off unless a
//! tailoring selects it), `superseded-by` (ids are for ever: a rule that ends stays), `history = [{ date, text }]`,
//! `examples` (see [`Example`]). `extends` and tailorings: see [`Tailoring`].
//!
//! Unknown keys are errors. A rule's `settings` are read by its check kind.

mod attestation;
mod compare;
mod error;
mod example;
mod parse;
mod pattern;
mod rule;
mod settings;
mod specimen;
mod table;
mod tailoring;
mod waiver;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use table::Document;

pub use attestation::{Answer, Attestation, Attestations};
pub use compare::differences;
pub use error::ProfileError;
pub use example::{Example, ExampleDays, Specimen};
pub use pattern::Pattern;
pub use rule::{Basis, Caveat, Change, Confidence, Language, Legal, Rule, Status, Text, Window};
pub use settings::{Settings, Word};
pub use tailoring::{Base, TailoredRule, Tailoring};
pub use waiver::{MAX_WAIVER_DAYS, Waiver, WaiverScope, Waivers};

/// Keys of the tables of profiles, for schemas.
pub mod keys {
    pub use super::parse::{DEFAULTS_KEYS as DEFAULTS, LEGAL_KEYS as LEGAL, RULE_KEYS as RULE};
    pub use super::specimen::device::{FACTS as DEVICE_FACTS, MORE as DEVICE_MORE};
    pub use super::specimen::package::{FACTS as PACKAGE_FACTS, KEYS as PACKAGE};
    pub use super::tailoring::REFINABLE;
    pub use super::waiver::KEYS as WAIVER;
}

/// Every key of a profile, in an example that can be used.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Whether a text can be a profile's id: `ru/smartphone`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    parse::is_profile_id(text)
}

/// The word of `known` that `word` was probably meant to be.
#[must_use]
pub fn nearest_word<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    error::nearest(word, known)
}

/// Bytes of the largest profile that is read: a thousand times the largest that is built in.
pub const MAX_PROFILE_BYTES: u64 = 16 << 20;

/// The version of the profile language.
pub const SCHEMA: u64 = 1;

/// A profile that is part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Its id, which is its path below `profiles/` without the extension.
    pub name: &'static str,
    /// Its TOML text.
    pub text: &'static str,
}

static BUILTIN: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// A set of rules, ready to be applied. It has at least one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id, `ru/smartphone`.
    pub id: String,
    /// Its version, `2026.1`.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// What it covers and what not.
    pub description: Option<Text>,
    /// SHA-256 of its TOML text, lower-case hex.
    pub sha256: String,
    /// Profiles that it extends, and those that they extend, innermost first.
    pub extends: Vec<Base>,
    /// What was changed of their rules.
    pub changes: Vec<TailoredRule>,
    /// Its rules: those of extended profiles first, then its own in the order of the file.
    pub rules: Vec<Rule>,
    /// Rules that are not applied: off by themselves, or deselected.
    pub off: Vec<Rule>,
    document: Arc<Document>,
    /// The files of the profiles that it extends: one may change rules without having any.
    bases: Vec<tailoring::BaseDocument>,
}

/// Finds a profile that another one extends: asked with the file that extends and the name as written there, without a
/// version, it answers with file and text.
pub type FindText<'a> = dyn Fn(&str, &str) -> Option<(String, String)> + 'a;

/// A file that a profile extends, or one that such a file extends in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended<'a> {
    /// The file that extends it, as named in errors.
    pub from: &'a str,
    /// Its name as written there, without a version.
    pub name: &'a str,
    /// The file, as named in errors.
    pub file: &'a str,
    /// Its TOML text.
    pub text: &'a str,
}

impl Profile {
    /// A profile from its text; `file` is its name in errors.
    ///
    /// # Errors
    /// What is not TOML or not a profile, with its place. Settings of rules are read by their check kinds, not here.
    ///
    /// It may extend built-in profiles; [`load`] finds those in files too.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document { file: file.to_owned(), text: text.to_owned() };
        parse::profile(document, &|_, name| built_in(name).ok_or_else(|| NOT_FOUND.to_owned()), &mut Vec::new())
    }

    /// A profile whose extended profiles are texts at hand.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(file: &str, text: &str, find: &FindText<'_>) -> Result<Self, ProfileError> {
        let document = Document { file: file.to_owned(), text: text.to_owned() };
        let find = |from: &str, name: &str| match find(from, name) {
            Some((file, text)) => Ok(Document { file, text }),
            None => Err("not among the files at hand".to_owned()),
        };
        parse::profile(document, &find, &mut Vec::new())
    }

    /// Every file that it extends, those of extended profiles first.
    #[must_use]
    pub fn extended(&self) -> Vec<Extended<'_>> {
        fn of(base: &tailoring::BaseDocument) -> Extended<'_> {
            Extended { from: &base.from, name: &base.name, file: &base.document.file, text: &base.document.text }
        }
        self.bases.iter().map(of).collect()
    }

    /// The file that it was read from, as named in errors.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.document.file
    }

    /// Its TOML text, as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.document.text
    }

    /// The settings of a rule of this profile.
    #[must_use]
    pub fn settings<'a>(&self, rule: &'a Rule) -> Settings<'a> {
        Settings::new(&rule.settings, &rule.settings_document, "settings")
    }

    /// The error of a rule whose check kind is none of `known`.
    pub fn unknown_check<'k>(&self, rule: &Rule, known: impl IntoIterator<Item = &'k str> + Clone) -> ProfileError {
        let word = Word::new(&rule.check, &rule.check_span, &rule.document);
        word.unknown("check kind", known)
    }

    /// An error at the check kind of a rule.
    #[must_use]
    pub fn check_error(&self, rule: &Rule, message: impl Into<String>) -> ProfileError {
        rule.document.error(rule.check_span.clone(), message)
    }

    /// Files that it was read from, with their texts, its own first: without those that are part of the program.
    #[must_use]
    pub fn files(&self) -> Vec<(&str, &str)> {
        let mut files: Vec<(&str, &str)> = Vec::new();
        let of_rules = self.rules.iter().chain(&self.off).flat_map(|rule| [&rule.document, &rule.settings_document]);
        let bases = self.bases.iter().map(|base| &base.document);
        for document in std::iter::once(&self.document).chain(bases).chain(of_rules) {
            let is_built_in = document.file.ends_with(BUILT_IN);
            if !is_built_in && !files.iter().any(|(file, _)| *file == document.file) {
                files.push((&document.file, &document.text));
            }
        }
        files
    }

    /// Whether a rule stands in this profile's own file, not in one that it extends.
    #[must_use]
    pub fn owns(&self, rule: &Rule) -> bool {
        rule.document.file == self.document.file
    }

    /// An error at an example of a rule.
    #[must_use]
    pub fn example_error(&self, rule: &Rule, example: &Example, message: impl Into<String>) -> ProfileError {
        // An example that a tailoring replaced stands in the same file as what it is an example of.
        rule.examples_document.error(example.span.clone(), message)
    }

    /// An error at a rule of this profile.
    #[must_use]
    pub fn error(&self, rule: &Rule, message: impl Into<String>) -> ProfileError {
        rule.document.error(rule.id_span.clone(), message)
    }
}

/// Profiles that are part of the program, by name.
#[must_use]
pub fn builtin() -> &'static [Builtin] {
    BUILTIN
}

/// The built-in profile of that name, else the profile in the file of that path.
///
/// # Errors
/// A name that is neither, with the nearest built-in one; a file that can't be read; what [`Profile::parse`] refuses.
pub fn load(name_or_path: &str) -> Result<Profile, ProfileError> {
    let parse = |document| parse::profile(document, &find, &mut Vec::new());
    if let Some(document) = built_in(name_or_path) {
        return parse(document);
    }
    let path = Path::new(name_or_path);
    let is_path = path.is_file() || path.extension().is_some_and(|extension| extension == "toml");
    if is_path {
        return parse(Document { file: name_or_path.to_owned(), text: read(path, name_or_path)? });
    }
    let names = || builtin().iter().map(|builtin| builtin.name);
    let error = ProfileError::whole(name_or_path, "no such profile: neither built in nor a file");
    Err(match error::nearest(name_or_path, names()) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help(format!("built in: {}", names().collect::<Vec<_>>().join(", "))),
    })
}

/// Behind the name of a file that is part of the program. No path of the host ends so and is taken for a profile: a file's
/// name ends with `.toml` or is that of a file, which is looked for after the built-in ones.
const BUILT_IN: &str = " (built in)";

const NOT_FOUND: &str = "neither built in nor a file beside this one";

fn built_in(name: &str) -> Option<Document> {
    let found = builtin().iter().find(|builtin| builtin.name == name)?;
    Some(Document { file: format!("{}.toml{BUILT_IN}", found.name), text: found.text.to_owned() })
}

/// What `extends` names: built in, else a path beside the file that extends.
fn find(from: &str, name: &str) -> Result<Document, String> {
    if let Some(document) = built_in(name) {
        return Ok(document);
    }
    let path = Path::new(from).parent().unwrap_or(Path::new("")).join(name);
    if !path.is_file() {
        return Err(NOT_FOUND.to_owned());
    }
    // The same file under two spellings is still a cycle.
    let path = path.canonicalize().unwrap_or(path);
    let file = path.display().to_string();
    let text = read(&path, &file).map_err(|error| error.message().to_owned())?;
    Ok(Document { file, text })
}

/// SHA-256 of a file's bytes, lower-case hex, as reports name files.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    parse::hex(&sha2::Sha256::digest(bytes))
}

/// The waivers in a file.
///
/// # Errors
/// A file that can't be read, and what [`Waivers::parse`] refuses.
pub fn load_waivers(path: &Path) -> Result<Waivers, ProfileError> {
    let name = path.display().to_string();
    Waivers::parse(&name, &read(path, &name)?)
}

/// The attestations in a file.
///
/// # Errors
/// A file that can't be read, and what [`Attestations::parse`] refuses.
pub fn load_attestations(path: &Path) -> Result<Attestations, ProfileError> {
    let name = path.display().to_string();
    Attestations::parse(&name, &read(path, &name)?)
}

fn read(path: &Path, name: &str) -> Result<String, ProfileError> {
    let io = |error: std::io::Error| ProfileError::whole(name, format!("can't be read: {error}"));
    let mut bytes = Vec::new();
    // Read through a limit instead of asking for the length first: a pipe has none.
    File::open(path).map_err(io)?.take(MAX_PROFILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_PROFILE_BYTES {
        return Err(ProfileError::whole(name, format!("larger than {MAX_PROFILE_BYTES} bytes")));
    }
    String::from_utf8(bytes)
        .map_err(|error| ProfileError::whole(name, format!("not UTF-8 from byte {}", error.utf8_error().valid_up_to())))
}
