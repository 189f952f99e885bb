//! Texts for buyers, from findings: what is missing from a device that is sold all the same.
//!
//! The words are the shop's: they stand in a template, of which the default comes with the program. No law was found that
//! prescribes a wording; the default follows what sellers print, and is no legal advice.

mod template;

use crate::assess::{Assessment, Finding};
use crate::check::Verdict;
use crate::inventory::Device;
use crate::report::printable;

pub use template::{Body, Template, TemplateError};

/// The template that comes with the program.
pub const DEFAULT: &str = include_str!("default.toml");

/// The check that asks for an app.
const REQUIRED: &str = "required-package";

/// The texts of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What there is to say.
    pub kind: NoticeKind,
    /// Name, title and body of each text, in the template's order; empty where there is nothing to say.
    pub texts: Vec<Text>,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// `disclosure`, `price-tag`, `product-card`, or whatever the template has.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub body: String,
}

/// Whether there is something to tell the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A rule failed.
    Due,
    /// No rule failed, but something could not be settled: nothing may be promised either way.
    Unsettled,
    /// Nothing failed and nothing stayed open.
    Nothing,
}

/// What a device's findings leave to be said to its buyer. A failure that a waiver covers is one: it was accepted, not
/// mended.
#[must_use]
pub fn notice(template: &Template, device: &Device, assessment: &Assessment) -> Notice {
    let of = |verdicts: &[Verdict], required: Option<bool>| {
        let mut names: Vec<String> = assessment
            .findings
            .iter()
            .filter(|finding| verdicts.contains(&finding.verdict))
            .filter(|finding| required.is_none_or(|required| (finding.check == REQUIRED) == required))
            .map(|finding| name(template, finding))
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let missing = of(&[Verdict::Fail], Some(true));
    let other = of(&[Verdict::Fail], Some(false));
    let unsettled = of(&[Verdict::Inconclusive, Verdict::Error, Verdict::NotChecked], None);
    let kind = match (missing.is_empty() && other.is_empty(), unsettled.is_empty() && nothing_open(assessment)) {
        (false, _) => NoticeKind::Due,
        (true, false) => NoticeKind::Unsettled,
        (true, true) => NoticeKind::Nothing,
    };
    if kind != NoticeKind::Due {
        return Notice { kind, texts: Vec::new() };
    }
    let known = [&device.brand, &device.model].into_iter().filter_map(|fact| fact.known().map(String::as_str));
    let text = |fact: &crate::inventory::Fact<String>| fact.known().cloned().unwrap_or_default();
    let list = |names: &[String]| names.iter().map(|name| format!("— {name}")).collect::<Vec<_>>().join("\n");
    let values = [
        ("device", known.collect::<Vec<_>>().join(" ")),
        ("build", text(&device.build)),
        ("fingerprint", text(&device.fingerprint)),
        ("as-of", assessment.context.as_of.clone()),
        ("profile", format!("{} {}", assessment.profile.id, assessment.profile.version)),
        ("missing", missing.join(", ")),
        ("missing-list", list(&missing)),
        ("other", other.join(", ")),
        ("other-list", list(&other)),
        ("unsettled", unsettled.join(", ")),
        ("unsettled-list", list(&unsettled)),
        ("count", (missing.len() + other.len()).to_string()),
    ];
    let value = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| clean(value));
    let texts = template.texts.iter().map(|body| Text {
        name: body.name.clone(),
        title: body.title.clone(),
        body: body.fill(&|name| value(name).unwrap_or_default()),
    });
    Notice { kind, texts: texts.collect() }
}

/// Placeholders that a template may use.
pub(super) const PLACEHOLDERS: [&str; 12] = [
    "device",
    "build",
    "fingerprint",
    "as-of",
    "profile",
    "missing",
    "missing-list",
    "other",
    "other-list",
    "unsettled",
    "unsettled-list",
    "count",
];

/// A verdict on the whole that was left open by something that no finding names.
fn nothing_open(assessment: &Assessment) -> bool {
    assessment.overall != crate::assess::Overall::Inconclusive
}

/// What a buyer reads for a rule: the template's word for it, or its title without what says that it should be there.
fn name(template: &Template, finding: &Finding) -> String {
    if let Some(name) = template.names.get(&finding.rule) {
        return name.clone();
    }
    let title = finding.title.ru.as_deref().unwrap_or(&finding.title.en);
    let cut = template.cut.iter().find_map(|end| title.strip_suffix(end.as_str()));
    cut.unwrap_or(title).to_owned()
}

/// Text of devices line by line: its line breaks are our own, everything else that moves a cursor is spelt out.
fn clean(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_template_is_one() {
        let template = Template::parse(DEFAULT).unwrap();
        let names: Vec<&str> = template.texts.iter().map(|body| body.name.as_str()).collect();
        assert_eq!(names, ["disclosure", "price-tag", "product-card"]);
    }
}
