//! From a document to a profile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::rule::{Basis, Caveat, Change, Confidence, Legal, Rule, Status, Text, Window};
use super::settings::{Settings, Word};
use super::table::{Document, Table};
use super::tailoring::{self, Resolve};
use super::{Profile, ProfileError, SCHEMA, example};
use crate::inventory::{DeviceKind, OsFlavour};

/// Keys of a profile.
pub(super) const PROFILE_KEYS: &[&str] = &[
    "schema",
    "id",
    "version",
    "title",
    "description",
    "extends",
    "deselect",
    "select",
    "refine",
    "sources",
    "defaults",
    "rule",
];
/// Keys of `[defaults]`.
pub const DEFAULTS_KEYS: &[&str] = &[
    "status",
    "device-kinds",
    "os-flavours",
    "markets",
    "sdk",
    "made-from",
    "effective",
    "legal",
    "remedy",
    "caveats",
];
/// Keys of a rule.
pub const RULE_KEYS: &[&str] = &[
    "id",
    "title",
    "check",
    "settings",
    "selected",
    "status",
    "device-kinds",
    "os-flavours",
    "markets",
    "sdk",
    "made-from",
    "effective",
    "legal",
    "remedy",
    "caveats",
    "superseded-by",
    "history",
    "examples",
];
/// Keys of `legal`.
pub const LEGAL_KEYS: &[&str] = &["instrument", "article", "sources", "confidence", "confidence-note"];

/// `opened`: the files that extend one another down to this one.
pub(super) fn profile(
    document: Document,
    resolve: &Resolve<'_>,
    opened: &mut Vec<String>,
) -> Result<Profile, ProfileError> {
    let document = Arc::new(document);
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
    let description = root.wording("description")?;
    let sources = sources(&root)?;

    let defaults = root.table("defaults")?;
    if let Some(defaults) = &defaults {
        defaults.only(DEFAULTS_KEYS)?;
    }
    let mut tailored = tailoring::apply(&root, &document, resolve, opened)?;
    let tables = root.tables("rule")?.unwrap_or_default();
    if tables.is_empty() && tailored.extends.is_empty() {
        return Err(ProfileError::whole(&document.file, "the profile has no rules, expected at least one [[rule]]"));
    }
    let inherited: BTreeSet<String> = tailored.rules.iter().chain(&tailored.off).map(|rule| rule.id.clone()).collect();
    let mut seen = BTreeSet::new();
    for table in tables {
        let rule = rule(table, defaults, &sources, &document)?;
        if inherited.contains(&rule.id) {
            let error = table.error("id", format!("the rule `{}` comes from a profile that this one extends", rule.id));
            return Err(error.with_help("to change it, use [[refine]] with a reason"));
        }
        if !seen.insert(rule.id.clone()) {
            return Err(table.error("id", format!("the rule id `{}` stands twice", rule.id)));
        }
        if table.maybe_flag("selected")?.unwrap_or(true) {
            tailored.rules.push(rule);
        } else {
            tailored.off.push(rule);
        }
    }
    if tailored.rules.is_empty() {
        let message = "no rule is left to judge by, all are deselected or off: expected one at least";
        let key = if root.has("deselect") { "deselect" } else { "rule" };
        return Err(root.error(key, message));
    }
    superseding(&tailored.rules, &tailored.off)?;
    let sha256 = hex(&Sha256::digest(document.text.as_bytes()));
    let tailoring::Tailored { rules, off, extends, changes, bases } = tailored;
    Ok(Profile { id, version, title, description, sha256, extends, changes, rules, off, document, bases })
}

/// Every rule that took another's place exists.
fn superseding(rules: &[Rule], off: &[Rule]) -> Result<(), ProfileError> {
    let ids = || rules.iter().chain(off).map(|rule| rule.id.as_str());
    for rule in rules.iter().chain(off) {
        if let Some(next) = &rule.superseded_by
            && (next == &rule.id || !ids().any(|id| id == next))
        {
            let word = Word::new(&rule.id, &rule.id_span, &rule.document);
            let error = word.error(format!("`superseded-by` of `{}` is `{next}`, expected another rule's id", rule.id));
            return Err(match super::error::nearest(next, ids()) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
    }
    Ok(())
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
    document: &Arc<Document>,
) -> Result<Rule, ProfileError> {
    table.only(RULE_KEYS)?;
    // The table that a value is taken from: the rule's own, else the defaults'.
    let from = |key: &str| if table.has(key) { table } else { defaults.unwrap_or(table) };

    let check = table.need_text("check")?;
    let settings = match table.table("settings")? {
        Some(settings) => settings.owned(),
        None => Table::empty(table.span()),
    };
    let id = table.need_text("id")?;
    let Some(status) = from("status").choice("status", &Status::NAMES)? else {
        return Err(table.missing("status", "mandatory, contractual, policy or advisory"));
    };
    let caveats = from("caveats").tables("caveats")?.unwrap_or_default();
    let caveats = caveats.iter().map(caveat).collect::<Result<_, _>>()?;
    Ok(Rule {
        id: rule_id(&id)?,
        id_span: id.span(),
        title: need_title(&table)?,
        status,
        device_kinds: device_kinds(&from("device-kinds"))?,
        os_flavours: os_flavours(&from("os-flavours"))?,
        markets: markets(&from("markets"))?,
        sdk: sdk(&from("sdk"))?,
        made_from: from("made-from").date("made-from")?,
        effective: effective(&from("effective"))?,
        legal: legal(&table, defaults, sources)?,
        remedy: from("remedy").wording("remedy")?,
        caveats,
        superseded_by: table.text("superseded-by")?.map(|word| rule_id(&word)).transpose()?,
        history: history(&table)?,
        examples: example::examples(&table)?,
        check: check.text.to_owned(),
        check_span: check.span(),
        settings,
        document: Arc::clone(document),
        settings_document: Arc::clone(document),
        examples_document: Arc::clone(document),
    })
}

fn history(table: &Settings<'_>) -> Result<Vec<Change>, ProfileError> {
    let mut changes: Vec<Change> = Vec::new();
    for entry in table.tables("history")?.unwrap_or_default() {
        entry.only(&["date", "text"])?;
        let Some(date) = entry.date("date")? else { return Err(entry.missing("date", "a day, 2025-09-01")) };
        if changes.last().is_some_and(|last| date < last.date) {
            return Err(entry.error("date", format!("`date` is {date}, expected the oldest first")));
        }
        let Some(text) = entry.wording("text")? else { return Err(entry.missing("text", "what happened")) };
        changes.push(Change { date, text });
    }
    Ok(changes)
}

pub(super) fn device_kinds(table: &Settings<'_>) -> Result<Option<Vec<DeviceKind>>, ProfileError> {
    table.choices("device-kinds", &DeviceKind::ALL.map(|kind| (kind.as_str(), kind)))
}

pub(super) fn markets(table: &Settings<'_>) -> Result<Option<Vec<String>>, ProfileError> {
    let Some(words) = table.texts("markets")? else { return Ok(None) };
    let market = |word: Word<'_>| {
        if is_market(word.text) {
            Ok(word.text.to_owned())
        } else {
            Err(word.error(format!("`{}` is no market, expected an ISO 3166-1 code like `RU`", word.text)))
        }
    };
    words.into_iter().map(market).collect::<Result<_, _>>().map(Some)
}

/// Whether the text has the form of an ISO 3166-1 alpha-2 code.
pub(super) fn is_market(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

pub(super) fn sdk(table: &Settings<'_>) -> Result<Option<(u32, u32)>, ProfileError> {
    let range = table.range("sdk")?;
    Ok(range.map(|(from, until)| (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(until).unwrap_or(u32::MAX))))
}

pub(super) fn os_flavours(table: &Settings<'_>) -> Result<Option<Vec<OsFlavour>>, ProfileError> {
    table.choices("os-flavours", &OsFlavour::ALL.map(|flavour| (flavour.as_str(), flavour)))
}

pub(super) fn effective(table: &Settings<'_>) -> Result<Vec<Window>, ProfileError> {
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

pub(super) fn days(
    table: &Settings<'_>,
) -> Result<(Option<jiff::civil::Date>, Option<jiff::civil::Date>), ProfileError> {
    let (from, until) = (table.date("from")?, table.date("until")?);
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(table.error("until", format!("`until` is {until}, expected a day not before {from}")))
        }
        days => Ok(days),
    }
}

pub(super) fn caveat(table: &Settings<'_>) -> Result<Caveat, ProfileError> {
    table.only(&["text", "confidence", "os-flavours", "from", "until"])?;
    let (from, until) = days(table)?;
    Ok(Caveat {
        text: table.wording("text")?.ok_or_else(|| table.missing("text", "text"))?,
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
        Some(table) => table.wording(key),
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
    table.wording("title")?.ok_or_else(|| table.missing("title", "text or { en = ..., ru = ... }"))
}

/// A rule's id.
pub(super) fn rule_id(word: &Word<'_>) -> Result<String, ProfileError> {
    identifier(word, "RU-MAX-2025", is_rule_id)
}

pub(super) fn identifier(word: &Word<'_>, example: &str, fits: impl Fn(&str) -> bool) -> Result<String, ProfileError> {
    if fits(word.text) {
        Ok(word.text.to_owned())
    } else {
        Err(word.error(format!("`{}` is no id of this kind, expected one like `{example}`", word.text)))
    }
}

pub(super) fn is_profile_id(id: &str) -> bool {
    id.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

pub(super) fn is_rule_id(id: &str) -> bool {
    id.contains('-')
        && id.starts_with(|c: char| c.is_ascii_uppercase())
        && id
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
