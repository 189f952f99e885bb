//! HTML: one file that needs nothing else, reads without a script, and prints.
//!
//! Both languages are in the file; two radio buttons choose between them. Of a batch every device is a page of its own
//! (`:target`), behind a summary. The only script adds search and sorting to tables; a strict policy allows it and the
//! style by their digests and nothing else. Text from devices is escaped, isolated from the direction of the writing
//! around it, and cut where it is longer than anybody would read.

mod charts;
mod contents;
mod device;
mod lines;
mod rules;
mod words;

use std::io;

use sha2::{Digest, Sha256};

use super::markup::{base64, escape};
use super::phrases::{self as say, Lang};
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult, wording};
use crate::assess::Overall;
use words::{both, bounded, words};

/// `--format html`.
pub(super) struct Html;

const STYLE: &str = include_str!("style.css");
/// What a link into a page of a batch shows. It stands at the end, since a browser that knows it while it reads asks it again of
/// each page with every element: a third of the time that five hundred devices take.
const WITHIN: &str = include_str!("within.css");
const SCRIPT: &str = include_str!("script.js");

/// Rows of packages in all tables together, above which each package is a line of text: a browser lays out some thousand
/// rows at once, not a few hundred thousand.
const TABLE_ROWS: usize = 4_000;

impl ReportFormat for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "a page for browsers and paper, in English and Russian"
    }

    fn carries(&self) -> Carries {
        Carries::FindingsAndPackages
    }

    fn write(&self, run: &Run, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let rows: usize = run.targets.iter().map(packages).sum();
        let findings: usize = run.targets.iter().filter_map(lines::judged).map(<[_]>::len).sum();
        let large = rows > TABLE_ROWS || findings > lines::UNFOLDED;
        let alike = large.then(|| lines::Alike::of(run));
        let batch = run.targets.len() != 1;
        head(out, run, style.lang)?;
        writeln!(out, r#"<body class="{}">"#, if batch { "batch" } else { "single" })?;
        for lang in [Lang::En, Lang::Ru] {
            let checked = if lang == style.lang { " checked" } else { "" };
            let (code, name) = (lang.as_str(), language(lang));
            writeln!(
                out,
                r#"<input type="radio" class="switch" name="lang" id="lang-{code}" aria-label="{name}"{checked}>"#
            )?;
        }
        writeln!(out, "<header><nav>")?;
        for lang in [Lang::En, Lang::Ru] {
            let (code, name) = (lang.as_str(), language(lang));
            writeln!(out, r#"<label for="lang-{code}" lang="{code}">{name}</label>"#)?;
        }
        writeln!(out, "</nav></header>\n<main id=\"top\">")?;
        if batch {
            summary(out, run)?;
        }
        for (index, report) in run.targets.iter().enumerate() {
            device::write(out, report, index + 1, alike.as_ref())?;
        }
        notices(out, run)?;
        rules::write(out, run, alike.as_ref())?;
        writeln!(out, "</main>\n<footer><p>{}</p>", both(say::PROVES))?;
        let tool = format!("{} {}", run.tool.name, run.tool.version);
        writeln!(out, "<p>{} {}</p></footer>", both(say::MADE_BY), escape(&tool))?;
        if batch {
            writeln!(out, "<style>{WITHIN}</style>")?;
        }
        writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

fn language(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "English",
        Lang::Ru => "Русский",
    }
}

fn packages(report: &TargetReport) -> usize {
    let packages = report.inventory.as_deref().and_then(|inventory| inventory.packages.known());
    packages.map_or(0, |packages| packages.iter().map(|package| package.copies.len()).sum())
}

fn head(out: &mut dyn io::Write, run: &Run, lang: Lang) -> io::Result<()> {
    let digest = |text: &str| base64(&Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}' 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(WITHIN),
        digest(SCRIPT)
    );
    let about = match run.targets.as_slice() {
        [one] => one.target.name.clone(),
        many => say::DEVICES.count(many.len() as u64, lang),
    };
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">", lang.as_str())?;
    // The policy comes before anything that it governs.
    writeln!(out, r#"<meta http-equiv="Content-Security-Policy" content="{policy}">"#)?;
    writeln!(out, r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#)?;
    writeln!(out, r#"<meta name="referrer" content="no-referrer">"#)?;
    writeln!(out, "<title>{} — {}</title>", escape(&cut(&about, 80)), say::REPORT_TITLE.say(lang))?;
    writeln!(out, "<style>{STYLE}</style>\n</head>")
}

/// The beginning of a text, for places that take no markup.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Waivers, attestations and a baseline that somebody has to see to.
fn notices(out: &mut dyn io::Write, run: &Run) -> io::Result<()> {
    if run.notices.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section>\n<h2>{}</h2>\n<ul>", both(say::NOTICES_TITLE))?;
    for notice in &run.notices {
        let (subject, kind) = (bounded(&notice.subject), notice.kind.as_str());
        writeln!(out, "<li>{subject} <code>{kind}</code> {}</li>", bounded(&notice.text))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn summary(out: &mut dyn io::Write, run: &Run) -> io::Result<()> {
    writeln!(out, "<section id=\"summary\">\n<h1>{}</h1>", both(say::SUMMARY))?;
    if run.targets.is_empty() {
        return writeln!(out, "<p>{}</p>\n</section>", both(say::NO_TARGETS));
    }
    let mut counts = [(Overall::NotCompliant, 0_u64), (Overall::Inconclusive, 0), (Overall::Compliant, 0)];
    let mut unread = 0_u64;
    for report in &run.targets {
        match &report.result {
            TargetResult::Unread { .. } => unread += 1,
            TargetResult::Judged { assessment, .. } => {
                counts.iter_mut().filter(|(overall, _)| *overall == assessment.overall).for_each(|(_, n)| *n += 1);
            }
        }
    }
    writeln!(out, "<p>{}:</p>\n<ul>", words(|lang| say::DEVICES.count(run.targets.len() as u64, lang)))?;
    for (overall, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let (class, word) = (class_of(overall), both(wording::overall(overall)));
        writeln!(out, r#"<li class="{class}"><span class="word">{word}</span>: {count}</li>"#)?;
    }
    if unread > 0 {
        writeln!(out, r#"<li class="open"><span class="word">{}</span>: {unread}</li>"#, both(say::NOT_READ))?;
    }
    writeln!(out, "</ul>\n<div class=\"wide\"><table class=\"sortable\">\n<thead><tr>")?;
    for column in [say::VERDICT, say::DEVICE, say::VERSION, say::COUNTS, say::GAP] {
        writeln!(out, r#"<th scope="col">{}</th>"#, both(column))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for (index, report) in run.targets.iter().enumerate() {
        let number = index + 1;
        let name = bounded(&report.target.name);
        match &report.result {
            TargetResult::Unread { temporary, error } => {
                let word = both(wording::unread(*temporary));
                writeln!(
                    out,
                    r##"<tr class="open"><td class="word">{word}</td><td><a href="#d{number}">{name}</a></td><td></td><td>{}</td><td></td></tr>"##,
                    bounded(error)
                )?;
            }
            TargetResult::Judged { device, coverage, assessment } => {
                let (class, word) = (class_of(assessment.overall), both(wording::overall(assessment.overall)));
                let counts = words(|lang| wording::counts(&assessment.counts, lang));
                let build = device.fingerprint.known().map(|print| bounded(print)).unwrap_or_default();
                let model = words(|lang| wording::model(device, lang));
                writeln!(
                    out,
                    r##"<tr class="{class}"><td class="word">{word}</td><td><a href="#d{number}">{name}</a> <small>{model}</small></td><td>{build}</td><td>{counts}</td><td class="n">{}</td></tr>"##,
                    coverage.gaps.len()
                )?;
            }
        }
    }
    writeln!(out, "</tbody></table></div>\n<p><a href=\"#rules\">{}</a></p>\n</section>", both(say::RULES_TITLE))
}

/// The colour of a verdict.
fn class_of(overall: Overall) -> &'static str {
    match overall {
        Overall::Compliant => "pass",
        Overall::NotCompliant => "fail",
        Overall::Inconclusive => "open",
    }
}
