//! From a document to a profile.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::rule::{Basis, Caveat, Confidence, Legal, Rule, Status, Text, Window};
use super::settings::{Document, Settings, Word};
use super::{Profile, ProfileError, SCHEMA};
use crate::inventory::{DeviceKind, OsFlavour};

const PROFILE_KEYS: &[&str] = &["schema", "id", "version", "title", "description", "sources", "defaults", "rule"];
const DEFAULTS_KEYS: &[&str] =
    &["status", "device-kinds", "os-flavours", "made-from", "effective", "legal", "remedy", "caveats"];
const RULE_KEYS: &[&str] = &[
    "id",
    "title",
    "check",
    "settings",
    "status",
    "device-kinds",
    "os-flavours",
    "made-from",
    "effective",
    "legal",
    "remedy",
    "caveats",
];
const LEGAL_KEYS: &[&str] = &["instrument", "article", "sources", "confidence", "confidence-note"];

pub(super) fn profile(document: Document) -> Result<Profile, ProfileError> {
    let table = document.parse()?;
    let root = Settings::new(&table, &document, "the profile");
    root.only(PROFILE_KEYS)?;
    match root.number("schema")? {
        Some(SCHEMA) => {}
        Some(other) => return Err(root.error("schema", format!("`schema` is {other}, expected {SCHEMA}"))),
        None => return Err(root.missing("schema", &SCHEMA.to_string())),
    }
    let id = identifier(&root.need_text("id")?, "ru/smartphone", is_profile_id)?;
    let version = root.need_text("version")?.text.to_owned();
    let title = need_title(&root)?;
    let description = text(&root, "description")?;
    let sources = sources(&root)?;

    let defaults = root.table("defaults")?;
    if let Some(defaults) = &defaults {
        defaults.only(DEFAULTS_KEYS)?;
    }
    let Some(tables) = root.tables("rule")? else {
        return Err(ProfileError::whole(&document.file, "the profile has no rules, expected at least one [[rule]]"));
    };
    let mut seen = BTreeSet::new();
    let mut rules = Vec::with_capacity(tables.len());
    for table in tables {
        let rule = rule(table, defaults, &sources)?;
        if !seen.insert(rule.id.clone()) {
            return Err(table.error("id", format!("the rule id `{}` stands twice", rule.id)));
        }
        rules.push(rule);
    }
    let sha256 = hex(&Sha256::digest(document.text.as_bytes()));
    Ok(Profile { id, version, title, description, sha256, rules, document })
}

/// Addresses by code.
fn sources<'a>(root: &Settings<'a>) -> Result<BTreeMap<&'a str, &'a str>, ProfileError> {
    let Some(table) = root.table("sources")? else { return Ok(BTreeMap::new()) };
    table.keys().map(|code| Ok((code.text, table.need_text(code.text)?.text))).collect()
}

fn rule(
    table: Settings<'_>,
    defaults: Option<Settings<'_>>,
    sources: &BTreeMap<&str, &str>,
) -> Result<Rule, ProfileError> {
    table.only(RULE_KEYS)?;
    // The table that a value is taken from: the rule's own, else the defaults'.
    let from = |key: &str| if table.has(key) { table } else { defaults.unwrap_or(table) };

    let check = table.need_text("check")?;
    let Some(settings) = table.table("settings")? else {
        return Err(table.missing("settings", "a table of settings for the check"));
    };
    let Some(status) = from("status").choice("status", &Status::NAMES)? else {
        return Err(table.missing("status", "mandatory, contractual, policy or advisory"));
    };
    let caveats = from("caveats").tables("caveats")?.unwrap_or_default();
    let caveats = caveats.iter().map(caveat).collect::<Result<_, _>>()?;
    Ok(Rule {
        id: identifier(&table.need_text("id")?, "RU-MAX-2025", is_rule_id)?,
        title: need_title(&table)?,
        status,
        device_kinds: from("device-kinds")
            .choices("device-kinds", &DeviceKind::ALL.map(|kind| (kind.as_str(), kind)))?,
        os_flavours: os_flavours(&from("os-flavours"))?,
        made_from: from("made-from").date("made-from")?,
        effective: effective(&from("effective"))?,
        legal: legal(&table, defaults, sources)?,
        remedy: text(&from("remedy"), "remedy")?,
        caveats,
        check: check.text.to_owned(),
        check_span: check.span(),
        settings: settings.owned(),
    })
}

fn os_flavours(table: &Settings<'_>) -> Result<Option<Vec<OsFlavour>>, ProfileError> {
    table.choices("os-flavours", &OsFlavour::ALL.map(|flavour| (flavour.as_str(), flavour)))
}

fn effective(table: &Settings<'_>) -> Result<Vec<Window>, ProfileError> {
    let mut windows: Vec<Window> = Vec::new();
    for entry in table.tables("effective")?.unwrap_or_default() {
        entry.only(&["basis", "from", "until", "held-by"])?;
        let Some(basis) = entry.choice("basis", &Basis::NAMES)? else {
            return Err(entry.missing("basis", "made, sold or as-of"));
        };
        if windows.iter().any(|window| window.basis == basis) {
            return Err(entry.error("basis", format!("`{}` has two windows, expected one", basis.as_str())));
        }
        let (from, until) = days(&entry)?;
        if from.is_none() && until.is_none() {
            return Err(entry.missing("from", "a first day (`from`), a last day (`until`) or both"));
        }
        let held_by = entry.text("held-by")?.map(|word| word.text.to_owned());
        windows.push(Window { basis, from, until, held_by });
    }
    Ok(windows)
}

fn days(table: &Settings<'_>) -> Result<(Option<jiff::civil::Date>, Option<jiff::civil::Date>), ProfileError> {
    let (from, until) = (table.date("from")?, table.date("until")?);
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(table.error("until", format!("`until` is {until}, expected a day not before {from}")))
        }
        days => Ok(days),
    }
}

fn caveat(table: &Settings<'_>) -> Result<Caveat, ProfileError> {
    table.only(&["text", "confidence", "os-flavours", "from", "until"])?;
    let (from, until) = days(table)?;
    Ok(Caveat {
        text: table.need_text("text")?.text.to_owned(),
        confidence: confidence(table)?,
        os_flavours: os_flavours(table)?,
        from,
        until,
    })
}

fn legal(
    rule: &Settings<'_>,
    defaults: Option<Settings<'_>>,
    sources: &BTreeMap<&str, &str>,
) -> Result<Legal, ProfileError> {
    let own = rule.table("legal")?;
    let shared = defaults.map(|defaults| defaults.table("legal")).transpose()?.flatten();
    for table in [own, shared].into_iter().flatten() {
        table.only(LEGAL_KEYS)?;
    }
    let from = |key: &str| [own, shared].into_iter().flatten().find(|table| table.has(key));
    let text = |key: &str| match from(key) {
        Some(table) => table.text(key).map(|word| word.map(|word| word.text.to_owned())),
        None => Ok(None),
    };
    let place = own.unwrap_or(*rule);

    let Some(instrument) = text("instrument")? else {
        return Err(place.missing("instrument", "the law, decree, order or contract"));
    };
    let Some(confidence) = from("confidence").map(|table| confidence(&table)).transpose()?.flatten() else {
        return Err(place.missing("confidence", "A (read in a source) or B (inferred)"));
    };
    let confidence_note = text("confidence-note")?;
    if confidence == Confidence::B && confidence_note.is_none() {
        let message = "a B is inferred, expected `confidence-note` beside it, which says how";
        return Err(from("confidence").unwrap_or(place).error("confidence", message));
    }
    let codes = from("sources").map(|table| table.texts("sources")).transpose()?.flatten();
    let Some(codes) = codes else {
        return Err(place.missing("sources", "codes of the table [sources]"));
    };
    let sources = codes.iter().map(|code| resolve(code, sources)).collect::<Result<_, _>>()?;
    Ok(Legal { instrument, article: text("article")?, sources, confidence, confidence_note })
}

fn confidence(table: &Settings<'_>) -> Result<Option<Confidence>, ProfileError> {
    if table.text("confidence")?.is_some_and(|word| word.text == "C") {
        return Err(table.error("confidence", "a fact of confidence C is not shipped, expected A or B"));
    }
    table.choice("confidence", &[("A", Confidence::A), ("B", Confidence::B)])
}

fn resolve(code: &Word<'_>, sources: &BTreeMap<&str, &str>) -> Result<String, ProfileError> {
    match sources.get(code.text) {
        Some(address) => Ok((*address).to_owned()),
        None => Err(code.unknown("source", sources.keys().copied())),
    }
}

fn need_title(table: &Settings<'_>) -> Result<Text, ProfileError> {
    text(table, "title")?.ok_or_else(|| table.missing("title", "text or { en = ..., ru = ... }"))
}

/// Text in one or two languages: `"..."` is English.
fn text(table: &Settings<'_>, key: &str) -> Result<Option<Text>, ProfileError> {
    if !table.is_table(key) {
        return Ok(table.text(key)?.map(|word| Text { en: word.text.to_owned(), ru: None }));
    }
    let Some(languages) = table.table(key)? else { return Ok(None) };
    languages.only(&["en", "ru"])?;
    let en = languages.need_text("en")?.text.to_owned();
    Ok(Some(Text { en, ru: languages.text("ru")?.map(|word| word.text.to_owned()) }))
}

fn identifier(word: &Word<'_>, example: &str, fits: impl Fn(&str) -> bool) -> Result<String, ProfileError> {
    if fits(word.text) {
        Ok(word.text.to_owned())
    } else {
        Err(word.error(format!("`{}` is no id of this kind, expected one like `{example}`", word.text)))
    }
}

fn is_profile_id(id: &str) -> bool {
    id.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

fn is_rule_id(id: &str) -> bool {
    id.contains('-')
        && id.starts_with(|c: char| c.is_ascii_uppercase())
        && id
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
