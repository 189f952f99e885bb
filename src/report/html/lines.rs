//! Findings of a large batch: a line each, or one for several that say the same. Those that ask something of somebody
//! unfold instead while they are not too many.
//!
//! What findings of a rule say alike on many devices (what it wants, its dates, notes) stands once, with the rule, and
//! the names of what was read once on the device's page: five hundred devices in two languages are too much otherwise.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use super::rules::anchor;
use super::words::{SHOWN, both, bounded, pair, say_in, spans};
use super::{cut, device};
use crate::assess::Finding;
use crate::check::{Verdict, Words};
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Lang};
use crate::report::{Run, TargetReport, TargetResult, wording};

/// What a finding says of its rule rather than of the device.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// What the rule wants.
    pub(super) expected: Words,
    /// When it is in force.
    pub(super) governing: Option<Words>,
    /// Caveats, in their order.
    pub(super) notes: Vec<Words>,
}

impl Said {
    fn by(finding: &Finding) -> Self {
        let notes = wording::notes(finding, Lang::En).iter().zip(wording::notes(finding, Lang::Ru));
        Self {
            expected: pair(|lang| wording::expected(finding, lang).to_owned()),
            governing: finding.governing.as_ref().map(|day| pair(|lang| wording::governing(day, lang))),
            notes: notes.map(|(en, ru)| Words { en: en.clone(), ru: ru.clone() }).collect(),
        }
    }
}

/// Most findings of a page that unfold: a browser lays out some ten thousand boxes at once, not half a million.
pub(super) const UNFOLDED: usize = 2_000;

/// What the findings that are lines say alike of their rules.
pub(super) struct Alike<'a> {
    /// By rule, what several findings say, each numbered from 1.
    rules: BTreeMap<&'a str, BTreeMap<Said, usize>>,
    /// Whether findings that ask something of somebody are lines too.
    all: bool,
}

impl<'a> Alike<'a> {
    /// Of a large batch.
    pub(super) fn of(run: &'a Run) -> Self {
        let findings = || run.targets.iter().filter_map(judged).flatten();
        let all = findings().filter(|finding| !quiet(finding.verdict)).count() > UNFOLDED;
        let mut rules: BTreeMap<&str, BTreeMap<Said, usize>> = BTreeMap::new();
        for finding in findings().filter(|finding| all || quiet(finding.verdict)) {
            *rules.entry(&finding.rule).or_default().entry(Said::by(finding)).or_default() += 1;
        }
        for said in rules.values_mut() {
            said.retain(|_, findings| *findings > 1);
            said.values_mut().enumerate().for_each(|(index, number)| *number = index + 1);
        }
        Self { rules, all }
    }

    /// Whether a finding is a line.
    pub(super) fn holds(&self, finding: &Finding) -> bool {
        self.all || quiet(finding.verdict)
    }

    /// What stands with a rule, in the order of its numbers.
    pub(super) fn with(&self, rule: &str) -> impl Iterator<Item = (&Said, usize)> {
        self.rules.get(rule).into_iter().flatten().map(|(said, number)| (said, *number))
    }

    fn number(&self, rule: &str, said: &Said) -> Option<usize> {
        self.rules.get(rule)?.get(said).copied()
    }
}

/// The findings of a target that was judged.
pub(super) fn judged(report: &TargetReport) -> Option<&[Finding]> {
    match &report.result {
        TargetResult::Judged { assessment, .. } => Some(&assessment.findings),
        TargetResult::Unread { .. } => None,
    }
}

/// Whether a finding asks nothing of anybody.
fn quiet(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Informational | Verdict::NotApplicable)
}

/// Where what a rule's findings say alike stands: a mark that no rule's own place has.
pub(super) fn place(rule: &str, number: usize) -> String {
    format!("{}.{number}", anchor(rule))
}

/// The sources that more than one finding of a device rests on, numbered as they come.
pub(super) struct Sources<'a>(BTreeMap<&'a str, usize>);

impl<'a> Sources<'a> {
    /// Of the findings that are lines; says them, and what the lines leave to the rules.
    pub(super) fn write(out: &mut dyn io::Write, findings: &'a [Finding], alike: &Alike<'_>) -> io::Result<Self> {
        let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let pieces = findings.iter().filter(|finding| alike.holds(finding)).flat_map(|finding| &finding.evidence);
        for (index, piece) in pieces.enumerate() {
            seen.entry(&piece.source).or_insert((index, 0)).1 += 1;
        }
        let mut several: Vec<(usize, &str)> =
            seen.into_iter().filter(|(_, (_, uses))| *uses > 1).map(|(source, (first, _))| (first, source)).collect();
        several.sort_unstable();
        write!(out, r#"<p class="soft line">{}"#, both(say::LINES_BRIEF))?;
        for (index, (_, source)) in several.iter().enumerate() {
            let before = if index == 0 { format!(" {}:", both(say::WHERE)) } else { ";".to_owned() };
            write!(out, "{before} [{}] {}", index + 1, bounded(source))?;
        }
        writeln!(out, "</p>")?;
        Ok(Self(several.iter().enumerate().map(|(index, (_, source))| (*source, index + 1)).collect()))
    }

    /// Each piece of a finding's evidence in words, the name of its source before the first of several.
    fn evidence(&self, finding: &Finding, lang: Lang) -> Vec<String> {
        let mut said = Vec::new();
        let mut last = None;
        let observed = wording::observed(finding, lang);
        for (piece, says) in finding.evidence.iter().zip(wording::says(finding, lang)) {
            let source = piece.source.as_str();
            // What was observed, with more: it stands at the beginning of the line.
            let more = says.strip_prefix(observed).filter(|more| more.starts_with([',', ':', ';']));
            let says = more.map_or(Cow::Borrowed(says), |more| Cow::Owned(format!("…{more}")));
            let at = piece.at.as_ref().map(|at| format!("{}: ", wording::within(at, lang))).unwrap_or_default();
            said.push(match self.0.get(source) {
                _ if last == Some(source) => format!("{at}{says}"),
                Some(number) => format!("[{number}] {at}{says}"),
                None => format!("{}: {says}", wording::place_in(piece, lang)),
            });
            last = Some(source);
        }
        said
    }
}

/// Writes the findings of a verdict. `first`: the number of the first on its device's page, from 1.
pub(super) fn write(
    out: &mut dyn io::Write,
    findings: &[Finding],
    (device, first): (usize, usize),
    sources: &Sources<'_>,
    alike: &Alike<'_>,
) -> io::Result<()> {
    let mut lines: Vec<(Words, Vec<String>)> = Vec::new();
    let mut known: BTreeMap<Words, usize> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let said = Said::by(finding);
        let number = alike.number(&finding.rule, &said);
        let at = number.map_or_else(|| anchor(&finding.rule), |number| place(&finding.rule, number));
        let rule = escape(&finding.rule);
        let link = format!(r##"<a id="d{device}-{}" href="#{at}">{rule}</a>"##, first + index);
        let words = words(finding, number.is_none().then_some(&said), sources);
        match known.get(&words).and_then(|line| lines.get_mut(*line)) {
            Some((_, links)) => links.push(link),
            None => {
                known.insert(words.clone(), lines.len());
                lines.push((words, vec![link]));
            }
        }
    }
    let class = findings.first().map(|finding| device::class(finding.verdict)).unwrap_or_default();
    for (Words { en, ru }, links) in lines {
        let words = if en == ru { format!("<bdi>{en}</bdi>") } else { spans(&en, &ru) };
        writeln!(out, r#"<p class="line {class}">{}: {words}</p>"#, links.join(", "))?;
    }
    Ok(())
}

/// The words of a line, escaped. `said`: what does not stand with the rule.
fn words(finding: &Finding, said: Option<&Said>, sources: &Sources<'_>) -> Words {
    pair(|lang| {
        let own = |words: &Words| say_in(words, lang).to_owned();
        let observed = wording::observed(finding, lang);
        let mut words = Vec::new();
        if !quiet(finding.verdict) {
            let waived = finding.waiver.as_ref().map(|_| say::WAIVED.say(lang));
            let reason = finding.reason.map(|reason| wording::reason(reason).say(lang));
            let why: String = reason.into_iter().chain(waived).map(|why| format!(" [{why}]")).collect();
            words.push(format!("{}{why}", wording::text(&finding.title, lang)));
        }
        words.push(observed.to_owned());
        words.extend(finding.subject.iter().filter(|subject| !observed.contains(*subject)).cloned());
        words.extend(said.map(|said| format!("{}: {}", say::EXPECTED.say(lang), say_in(&said.expected, lang))));
        words.extend(sources.evidence(finding, lang));
        if let Some(said) = said {
            words.extend(said.governing.iter().chain(&said.notes).map(own));
        }
        let overlays = wording::overlays(finding, lang).into_iter();
        words.extend(overlays.map(|(name, words)| format!("{}: {words}", name.say(lang))));
        let words: Vec<String> = words.iter().map(|part| escape(&cut(part, SHOWN)).into_owned()).collect();
        words.join("; ")
    })
}
