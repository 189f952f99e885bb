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
//! Unknown keys are errors. A rule's `settings` are read by its check kind.

mod error;
mod parse;
mod pattern;
mod rule;
mod settings;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use settings::Document;

pub use error::ProfileError;
pub use pattern::Pattern;
pub use rule::{Basis, Caveat, Confidence, Legal, Rule, Status, Text, Window};
pub use settings::{Settings, Word};

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
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
    document: Document,
}

impl Profile {
    /// A profile from its text; `file` is its name in errors.
    ///
    /// # Errors
    /// What is not TOML or not a profile, with its place. Settings of rules are read by their check kinds, not here.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(Document { file: file.to_owned(), text: text.to_owned() })
    }

    /// Its TOML text, as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.document.text
    }

    /// The settings of a rule of this profile.
    #[must_use]
    pub fn settings<'a>(&'a self, rule: &'a Rule) -> Settings<'a> {
        Settings::new(&rule.settings, &self.document, "settings")
    }

    /// The error of a rule whose check kind is none of `known`.
    pub fn unknown_check<'k>(&self, rule: &Rule, known: impl IntoIterator<Item = &'k str> + Clone) -> ProfileError {
        let word = Word::new(&rule.check, &rule.check_span, &self.document);
        word.unknown("check kind", known)
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
    if let Some(found) = builtin().iter().find(|builtin| builtin.name == name_or_path) {
        return Profile::parse(&format!("{}.toml (built in)", found.name), found.text);
    }
    let path = Path::new(name_or_path);
    let is_path = path.is_file() || path.extension().is_some_and(|extension| extension == "toml");
    if is_path {
        return Profile::parse(name_or_path, &read(path, name_or_path)?);
    }
    let names = || builtin().iter().map(|builtin| builtin.name);
    let error = ProfileError::whole(name_or_path, "no such profile: neither built in nor a file");
    Err(match error::nearest(name_or_path, names()) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help(format!("built in: {}", names().collect::<Vec<_>>().join(", "))),
    })
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
