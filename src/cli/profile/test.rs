//! `preloaded profile test`.

use std::io::Write;
use std::path::Path;

use clap::Args;

use super::super::exit::{Exit, usage};
use super::{counted, load_all};
use crate::assess::try_examples;
use crate::check::Verdict;
use crate::collect::saved::SavedSource;
use crate::collect::{Request, Silent, Source};

/// Ask the examples of profiles
///
/// Each rule alone is asked of each of its examples. Exits 0 where all came out as expected, 1 where one did not or there
/// is none, 2 where a profile can't be used.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles by name or as TOML files [default: those that come with the program]
    #[arg(value_name = "NAME|FILE")]
    profiles: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut all_held = true;
    let (mut all_rules, mut all_examples, mut all_failed) = (0, 0, 0);
    let profiles = load_all(&arguments.profiles)?;
    for profile in &profiles {
        let folder = Path::new(profile.file()).parent().unwrap_or(Path::new("")).to_owned();
        let beside = |path: &str| {
            SavedSource::new(&folder.join(path))
                .collect(&Request::default(), &Silent)
                .map_err(|error| error.to_string())
        };
        let results = try_examples(profile, &beside).map_err(|error| usage(error.to_string()))?;
        for failure in results.iter().filter_map(|result| result.failure.as_ref()) {
            writeln!(out, "{failure}\n")?;
        }
        let failed = results.iter().filter(|result| result.failure.is_some()).count();
        let by_verdict: Vec<String> = Verdict::ALL
            .into_iter()
            .filter_map(|verdict| {
                let count = results.iter().filter(|result| result.expected == verdict).count();
                (count > 0).then(|| format!("{count} {}", verdict.as_str()))
            })
            .collect();
        let rules = profile.rules.len() + profile.off.len();
        let (id, count) = (&profile.id, results.len());
        let counts = format!("{}, {}", counted(rules, "rule"), counted(count, "example"));
        writeln!(out, "{id}: {counts} ({}), {failed} failed", by_verdict.join(", "))?;
        all_held &= failed == 0 && count > 0;
        (all_rules, all_examples, all_failed) = (all_rules + rules, all_examples + count, all_failed + failed);
    }
    if profiles.len() > 1 {
        let counts = [(profiles.len(), "profile"), (all_rules, "rule"), (all_examples, "example")];
        let counts = counts.map(|(number, noun)| counted(number, noun)).join(", ");
        writeln!(out, "{counts}, {all_failed} failed")?;
    }
    Ok(if all_held { Exit::Compliant } else { Exit::NotCompliant })
}
