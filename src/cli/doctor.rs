//! `preloaded doctor`.

mod computer;
mod finding;
mod phones;
mod target;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::Exit;
use super::server::ServerArguments;
use crate::inventory::Tool;
use crate::report::printable;
use finding::{Finding, Language, Level};

/// Say what keeps phones or files from being read, why, and what to do
///
/// Looks at the ADB server, the phones that it lists, this computer, and at files where any is named. Nothing is changed,
/// and no phone is asked anything. Exits 0 when nothing is in the way, 3 when something is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n    preloaded doctor\n    preloaded doctor firmware.zip --format json --lang ru")]
pub(super) struct Arguments {
    /// Firmware, a capture or a saved inventory that is to be read
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Form of the findings on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Language of the findings [default: that of LC_ALL, LC_MESSAGES or LANG, else English]
    #[arg(long, value_enum)]
    lang: Option<Language>,

    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// One JSON object
    Json,
}

/// The JSON form. Codes, levels and keys are not translated.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: &'static str,
    tool: Tool,
    language: Language,
    findings: Vec<finding::Told<'a>>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let language = arguments.lang.unwrap_or_else(language);
    let mut findings = Vec::new();
    computer::look(&mut findings);
    phones::look(&arguments.server, &mut findings)?;
    for file in &arguments.files {
        target::look(file, &mut findings);
    }
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Json => {
            let findings: Vec<_> = findings.iter().map(|finding| finding.told(language)).collect();
            let report = Report { schema_version: "1.0", tool: Tool::this(), language, findings };
            serde_json::to_writer_pretty(&mut out, &report)?;
            writeln!(out)?;
        }
        Format::Text => text(&findings, language, &mut out)?,
    }
    let in_the_way = findings.iter().any(|finding| finding.level() == Level::Problem);
    Ok(if in_the_way { Exit::Inconclusive } else { Exit::Compliant })
}

fn text(findings: &[Finding], language: Language, out: &mut dyn Write) -> io::Result<()> {
    let [why, fix, nothing] = match language {
        Language::En => ["why", "do", "Nothing is in the way."],
        Language::Ru => ["почему", "что делать", "Препятствий нет."],
    };
    for finding in findings {
        let told = finding.told(language);
        let word = finding.level().word(language);
        writeln!(out, "{word}  {}  [{}]", printable(&told.title), told.code)?;
        if finding.level() != Level::Fine {
            writeln!(out, "    {why}: {}", printable(&told.cause))?;
            writeln!(out, "    {fix}: {}", printable(&told.fix))?;
        }
    }
    if findings.iter().all(|finding| finding.level() != Level::Problem) {
        writeln!(out, "{nothing}")?;
    }
    Ok(())
}

/// The language that the environment asks for.
fn language() -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    if set.is_some_and(|text| text.starts_with("ru")) { Language::Ru } else { Language::En }
}
