//! Profiles that build on others: `extends`, and what is changed of their rules.
//!
//! ```toml
//! extends = ["ru/smartphone@2026.1"]          # built in, or a path beside this file; a version where it must be that one
//!
//! [[deselect]]                                # out, for a reason
//! rule = "RU-KASPERSKY"
//! reason = "tablets of this line have no calls"
//!
//! [[select]]                                  # in: of a rule that is off by itself (`selected = false`)
//! rule = "RU-EXTRA"
//! reason = "the operator asks for it"
//!
//! [[refine]]                                  # otherwise: what stands here replaces what the rule had
//! rule = "RU-MAX"
//! reason = "a house rule of ours until the date is settled"
//! status = "policy"
//! ```
//!
//! A rule that the extended profiles do not have is an error: a tailoring that misses its rule would else go unnoticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parse;
use super::rule::{Rule, Status};
use super::settings::{Settings, Word};
use super::table::Document;
use super::{Profile, ProfileError, example};

/// Profiles that extend one another: more is a mistake, or a file made to exhaust us.
const MAX_DEPTH: usize = 8;

/// Keys of a rule that a refinement may replace.
pub const REFINABLE: &[&str] = &[
    "title",
    "settings",
    "status",
    "device-kinds",
    "os-flavours",
    "markets",
    "sdk",
    "made-from",
    "effective",
    "remedy",
    "caveats",
    "examples",
];

/// Finds the file that an `extends` names. Arguments: the file that extends, the name as written.
pub(super) type Resolve<'a> = dyn Fn(&str, &str) -> Result<Document, String> + 'a;

/// A profile that another one extends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its TOML text, lower-case hex.
    pub sha256: String,
}

/// A change to a rule of an extended profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TailoredRule {
    /// The rule's id.
    pub rule: String,
    /// What was done.
    pub change: Tailoring,
    /// Why, as the profile says.
    pub reason: String,
    /// What was replaced, by key, of a rule that was refined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What a tailoring does to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tailoring {
    /// Taken out.
    Deselected,
    /// Put in.
    Selected,
    /// Changed.
    Refined,
}

impl Tailoring {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deselected => "deselected",
            Self::Selected => "selected",
            Self::Refined => "refined",
        }
    }
}

/// The rules that a profile has from others.
#[derive(Default)]
pub(super) struct Tailored {
    pub(super) rules: Vec<Rule>,
    pub(super) off: Vec<Rule>,
    pub(super) extends: Vec<Base>,
    pub(super) changes: Vec<TailoredRule>,
    pub(super) bases: Vec<BaseDocument>,
}

/// The file of an extended profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseDocument {
    /// The file that extends it.
    pub(super) from: String,
    /// Its name as written there, without a version.
    pub(super) name: String,
    pub(super) document: Arc<Document>,
}

pub(super) fn apply(
    root: &Settings<'_>,
    document: &Arc<Document>,
    resolve: &Resolve<'_>,
    opened: &mut Vec<String>,
) -> Result<Tailored, ProfileError> {
    let mut tailored = Tailored::default();
    let names = if root.is_text("extends") {
        vec![root.need_text("extends")?]
    } else {
        root.texts("extends")?.unwrap_or_default()
    };
    if names.is_empty() {
        for key in ["deselect", "select", "refine"] {
            if root.has(key) {
                return Err(root.error(key, format!("`{key}` without `extends`, expected a profile to change")));
            }
        }
        return Ok(tailored);
    }
    for name in &names {
        let base = base(name, document, resolve, opened)?;
        for rule in base.rules.iter().chain(&base.off) {
            if tailored.rules.iter().chain(&tailored.off).any(|other| other.id == rule.id) {
                return Err(name.error(format!("the rule `{}` comes from two of the extended profiles", rule.id)));
            }
        }
        tailored.rules.extend(base.rules);
        tailored.off.extend(base.off);
        tailored.bases.extend(base.bases);
        let (written, _) = name_and_version(name.text);
        let (from, name) = (document.file.clone(), written.to_owned());
        tailored.bases.push(BaseDocument { from, name, document: base.document });
        tailored.extends.extend(base.extends);
        tailored.extends.push(Base { id: base.id, version: base.version, sha256: base.sha256 });
        tailored.changes.extend(base.changes);
    }
    let mut touched = BTreeSet::new();
    for entry in root.tables("deselect")?.unwrap_or_default() {
        let (id, reason) = target(&entry, &["rule", "reason"], &tailored, &mut touched)?;
        move_rule(&id, &mut tailored.rules, &mut tailored.off, &entry, "is not selected in the extended profile")?;
        tailored.changes.push(change(id, Tailoring::Deselected, reason));
    }
    for entry in root.tables("select")?.unwrap_or_default() {
        let (id, reason) = target(&entry, &["rule", "reason"], &tailored, &mut touched)?;
        move_rule(
            &id,
            &mut tailored.off,
            &mut tailored.rules,
            &entry,
            "is selected in the extended profile already, expected one that is off",
        )?;
        tailored.changes.push(change(id, Tailoring::Selected, reason));
    }
    let mut refined = BTreeSet::new();
    for entry in root.tables("refine")?.unwrap_or_default() {
        let keys: Vec<&str> = REFINABLE.iter().copied().chain(["rule", "reason"]).collect();
        let (id, reason) = target(&entry, &keys, &tailored, &mut refined)?;
        let rule = tailored.rules.iter_mut().chain(&mut tailored.off).find(|rule| rule.id == id);
        let keys = match rule {
            Some(rule) => refine(rule, &entry, document)?,
            None => Vec::new(),
        };
        tailored.changes.push(TailoredRule { keys, ..change(id, Tailoring::Refined, reason) });
    }
    Ok(tailored)
}

fn change(rule: String, change: Tailoring, reason: String) -> TailoredRule {
    TailoredRule { rule, change, reason, keys: Vec::new() }
}

/// A profile by its name, with `@version` behind it where it must be that one.
fn base(
    name: &Word<'_>,
    document: &Document,
    resolve: &Resolve<'_>,
    opened: &mut Vec<String>,
) -> Result<Profile, ProfileError> {
    let (path, version) = name_and_version(name.text);
    let found = resolve(&document.file, path).map_err(|why| {
        let error = name.error(format!("`{path}` can't be extended: {why}"));
        match super::error::nearest(path, super::builtin().iter().map(|builtin| builtin.name)) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        }
    })?;
    if opened.contains(&found.file) || found.file == document.file {
        return Err(name.error(format!("`{path}` extends this profile in turn")));
    }
    if opened.len() >= MAX_DEPTH {
        return Err(name.error(format!("more than {MAX_DEPTH} profiles extend one another")));
    }
    opened.push(document.file.clone());
    let base = parse::profile(found, resolve, opened)?;
    opened.pop();
    if let Some(version) = version.filter(|version| *version != base.version) {
        return Err(name.error(format!("`{path}` has version {}, expected {version}", base.version)));
    }
    Ok(base)
}

fn name_and_version(written: &str) -> (&str, Option<&str>) {
    match written.rsplit_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (written, None),
    }
}

/// The rule that an entry names, and its reason.
fn target(
    entry: &Settings<'_>,
    keys: &[&str],
    tailored: &Tailored,
    touched: &mut BTreeSet<String>,
) -> Result<(String, String), ProfileError> {
    entry.only(keys)?;
    let word = entry.need_text("rule")?;
    let reason = entry.text("reason")?.ok_or_else(|| entry.missing("reason", "why, as text"))?;
    let known = || tailored.rules.iter().chain(&tailored.off).map(|rule| rule.id.as_str());
    if !known().any(|id| id == word.text) {
        return Err(word.unknown("rule", known().collect::<Vec<_>>()));
    }
    if !touched.insert(word.text.to_owned()) {
        return Err(word.error(format!("the rule `{}` is named twice", word.text)));
    }
    Ok((word.text.to_owned(), reason.text.to_owned()))
}

fn move_rule(
    id: &str,
    from: &mut Vec<Rule>,
    to: &mut Vec<Rule>,
    entry: &Settings<'_>,
    otherwise: &str,
) -> Result<(), ProfileError> {
    match from.iter().position(|rule| rule.id == id) {
        Some(at) => {
            to.push(from.remove(at));
            Ok(())
        }
        None => Err(entry.error("rule", format!("the rule `{id}` {otherwise}"))),
    }
}

/// Replaces what the entry names. The keys that were.
fn refine(rule: &mut Rule, entry: &Settings<'_>, document: &Arc<Document>) -> Result<Vec<String>, ProfileError> {
    let keys: Vec<String> =
        entry.keys().map(|word| word.text.to_owned()).filter(|key| key != "rule" && key != "reason").collect();
    if keys.is_empty() {
        return Err(entry.missing("status", "at least one key of the rule to replace"));
    }
    for key in &keys {
        match key.as_str() {
            "title" => rule.title = entry.wording(key)?.unwrap_or_else(|| rule.title.clone()),
            "settings" => {
                if let Some(settings) = entry.table(key)? {
                    rule.settings = settings.owned();
                    rule.settings_document = Arc::clone(document);
                }
            }
            "status" => rule.status = entry.choice(key, &Status::NAMES)?.unwrap_or(rule.status),
            "device-kinds" => rule.device_kinds = parse::device_kinds(entry)?,
            "os-flavours" => rule.os_flavours = parse::os_flavours(entry)?,
            "markets" => rule.markets = parse::markets(entry)?,
            "sdk" => rule.sdk = parse::sdk(entry)?,
            "made-from" => rule.made_from = entry.date(key)?,
            "effective" => rule.effective = parse::effective(entry)?,
            "remedy" => rule.remedy = entry.wording(key)?,
            "caveats" => {
                let caveats = entry.tables(key)?.unwrap_or_default();
                rule.caveats = caveats.iter().map(parse::caveat).collect::<Result<_, _>>()?;
            }
            _ => {
                rule.examples = example::examples(entry)?;
                rule.examples_document = Arc::clone(document);
            }
        }
    }
    Ok(keys)
}
