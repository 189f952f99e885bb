//! `preloaded convert`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failed, usage};
use super::output::{self, OutputArguments};

/// Render a report that was written as JSON in other forms
///
/// The report is not judged again. Exits 0 when everything was written, whatever the verdicts in it.
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
    preloaded check firmware.zip --profile ru/smartphone -o json=report.json
    preloaded convert report.json -o html=report.html -o junit=report.xml
    preloaded convert report.json --format markdown >> \"$GITHUB_STEP_SUMMARY\"

{}
Exits 0 done, 2 wrong usage, or a form that the report has no data for, 4 not a report, or a file can't be written.", output::formats_help()))]
pub(super) struct Arguments {
    /// A report in JSON; `-` for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,

    #[command(flatten)]
    output: OutputArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let outputs = arguments.output.open(false)?;
    let name = arguments.report.display();
    let mut run =
        output::read_report(&arguments.report).map_err(|error| Failed(Exit::Unreadable, format!("{name}: {error}")))?;
    if let Some(format) = outputs.needing_inventories().filter(|_| !run.has_inventories()) {
        return Err(usage(format!(
            "{name} was written without inventories, and {format} shows nothing else: check the target again without \
             --findings-only"
        )));
    }
    outputs.write(&mut run)?;
    Ok(Exit::Compliant)
}
