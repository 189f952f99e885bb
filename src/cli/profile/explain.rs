//! `preloaded profile explain`.

use std::io::Write;

use clap::Args;

use super::super::exit::{Exit, usage};
use super::super::language::LanguageArguments;
use super::load;
use crate::check;
use crate::profile::{self, Basis, Language, Profile, Rule, Status};
use crate::report::printable;

/// Explain a rule: law, dates, how it is decided, how to fix, history
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The rule's id
    #[arg(value_name = "RULE")]
    rule: String,

    /// The profile that has it, by name or as a TOML file [default: whichever that comes with the program has it]
    #[arg(long, short, value_name = "NAME|FILE")]
    profile: Option<String>,

    #[command(flatten)]
    language: LanguageArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let profiles: Vec<Profile> = match &arguments.profile {
        Some(name) => vec![load(name)?],
        None => profile::builtin().iter().map(|builtin| load(builtin.name)).collect::<anyhow::Result<_>>()?,
    };
    let has = |profile: &&Profile| profile.rules.iter().chain(&profile.off).any(|rule| rule.id == arguments.rule);
    let found = profiles.iter().find(|profile| has(profile) && owns(profile, &arguments.rule));
    let Some(profile) = found.or_else(|| profiles.iter().find(has)) else {
        return Err(usage(unknown(&arguments.rule, &profiles)));
    };
    let rules = profile.rules.iter().chain(&profile.off);
    for rule in rules.filter(|rule| rule.id == arguments.rule) {
        write(out, profile, rule, arguments.language.language())?;
    }
    Ok(Exit::Compliant)
}

fn owns(profile: &Profile, id: &str) -> bool {
    profile.rules.iter().chain(&profile.off).any(|rule| rule.id == id && profile.owns(rule))
}

fn unknown(rule: &str, profiles: &[Profile]) -> String {
    let ids = profiles.iter().flat_map(|profile| &profile.rules).map(|rule| rule.id.as_str());
    match profile::nearest_word(rule, ids) {
        Some(near) => format!("no rule {rule}: did you mean {near}?"),
        None => format!("no rule {rule}: `preloaded profile show NAME` prints the rules of a profile"),
    }
}

/// Words of the page in both languages.
struct Words(Language);

impl Words {
    fn pick<'a>(&self, en: &'a str, ru: &'a str) -> &'a str {
        match self.0 {
            Language::En => en,
            Language::Ru => ru,
        }
    }
}

fn write(out: &mut dyn Write, profile: &Profile, rule: &Rule, language: Language) -> anyhow::Result<()> {
    let words = Words(language);
    let mut field = |name: &str, text: &str| writeln!(out, "  {name:<14} {}", printable(text));
    field("", &format!("{}  {}", rule.id, rule.title.of(language)))?;
    let status = match rule.status {
        Status::Mandatory => {
            words.pick("mandatory: a breach is against the law", "обязательное: нарушение противоречит закону")
        }
        Status::Contractual => {
            words.pick("contractual: a breach is against a contract", "договорное: нарушение противоречит договору")
        }
        Status::Policy => words.pick(
            "policy: a breach is against a house rule",
            "внутреннее: нарушение противоречит правилам организации",
        ),
        Status::Advisory => {
            words.pick("advisory: it fails no device", "рекомендация: устройство из-за неё не отклоняется")
        }
    };
    field(words.pick("status", "статус"), status)?;
    let title = profile.title.of(language);
    field(words.pick("profile", "профиль"), &format!("{} {} ({title})", profile.id, profile.version))?;
    let article = rule.legal.article.as_ref().map(|text| format!(", {}", text.of(language))).unwrap_or_default();
    field(words.pick("law", "основание"), &format!("{}{article}", rule.legal.instrument.of(language)))?;
    for source in &rule.legal.sources {
        field(words.pick("source", "источник"), source)?;
    }
    let note = rule.legal.confidence_note.as_ref().map(|note| format!(": {}", note.of(language))).unwrap_or_default();
    let confidence = rule.legal.confidence.as_str();
    let meaning = match confidence {
        "A" => words.pick("read in a source", "прочитано в источнике"),
        _ => words.pick("inferred", "выведено"),
    };
    field(words.pick("confidence", "достоверность"), &format!("{confidence} ({meaning}){note}"))?;
    scope(&mut field, rule, &words)?;
    if let Some(kind) = check::kind(&rule.check) {
        let about = words.pick(kind.about().en, kind.about().ru);
        field(words.pick("decided by", "как решается"), &format!("{}: {about}", kind.name()))?;
        field("", &profile.settings(rule).words())?;
    }
    for caveat in &rule.caveats {
        field(words.pick("note", "примечание"), caveat.text.of(language))?;
    }
    if let Some(remedy) = &rule.remedy {
        field(words.pick("to fix", "как исправить"), remedy.of(language))?;
    }
    if let Some(next) = &rule.superseded_by {
        field(words.pick("superseded by", "заменено на"), next)?;
    }
    for change in &rule.history {
        field(words.pick("history", "история"), &format!("{}: {}", change.date, change.text.of(language)))?;
    }
    for change in profile.changes.iter().filter(|change| change.rule == rule.id) {
        field(change.change.as_str(), &change.reason)?;
    }
    Ok(())
}

fn scope(field: &mut impl FnMut(&str, &str) -> std::io::Result<()>, rule: &Rule, words: &Words) -> anyhow::Result<()> {
    if rule.effective.is_empty() {
        field(words.pick("in force", "действует"), words.pick("always", "всегда"))?;
    }
    for window in &rule.effective {
        let basis = match window.basis {
            Basis::Made => words.pick("devices made", "для устройств, произведённых"),
            Basis::Sold => words.pick("devices sold", "для устройств, проданных"),
            Basis::AsOf => words.pick("on days", "в дни"),
        };
        let from = window.from.map(|day| format!(" {} {day}", words.pick("from", "с"))).unwrap_or_default();
        let until = window.until.map(|day| format!(" {} {day}", words.pick("until", "по"))).unwrap_or_default();
        let who = window.held_by.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
        field(words.pick("in force", "действует"), &format!("{basis}{from}{until}{who}"))?;
    }
    if let Some(first) = rule.made_from {
        field("", &format!("{} {first}", words.pick("devices made from", "для устройств, произведённых с")))?;
    }
    let kinds = rule.device_kinds.as_ref().map(|list| list.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let flavours = rule.os_flavours.as_ref().map(|list| list.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let markets = rule.markets.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, list) in [
        (words.pick("devices", "устройства"), kinds),
        (words.pick("systems", "системы"), flavours),
        (words.pick("markets", "рынки"), markets),
    ] {
        if let Some(list) = list {
            field(name, &list.join(", "))?;
        }
    }
    if let Some((from, until)) = rule.sdk {
        field(words.pick("API levels", "уровни API"), &format!("{from} – {until}"))?;
    }
    Ok(())
}
