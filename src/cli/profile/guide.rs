//! `preloaded profile guide`: how a profile is written. `profiles/README.md` is what it prints.

use std::io::Write;

use super::load;
use crate::assess::LINTS;
use crate::check;
use crate::profile::{self, TEMPLATE, keys};

pub(super) fn run(out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "# Profiles\n")?;
    writeln!(
        out,
        "A profile is a TOML file of dated rules with their sources. Each file below this folder is built in under its path \
         without the ending. `preloaded profile lint`, `test`, `explain`, `diff` and `new` work on them and on files of your own; \
         `preloaded schema profile` prints a JSON Schema for editors.\n"
    )?;
    writeln!(out, "## Built in\n\n| profile | version | rules | examples | about |\n|---|---|---|---|---|")?;
    for builtin in profile::builtin() {
        let profile = load(builtin.name)?;
        let rules: Vec<_> = profile.rules.iter().chain(&profile.off).collect();
        let examples: usize = rules.iter().map(|rule| rule.examples.len()).sum();
        let (version, title) = (&profile.version, &profile.title.en);
        writeln!(out, "| `{}` | {version} | {} | {examples} | {title} |", builtin.name, rules.len())?;
    }
    writeln!(out, "\n## The language\n\n```toml\n{TEMPLATE}```\n")?;
    writeln!(
        out,
        "Unknown keys are errors, shown with file, line, column, what was expected and the nearest key. A fact that is not \
         known well enough for the confidence `A` (read in a source) or `B` (inferred, with the step in `confidence-note`) is not \
         shipped: make it a `manual` rule, or leave it out.\n"
    )?;
    let list = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let device = [&keys::DEVICE_FACTS[..], &keys::DEVICE_MORE].concat();
    writeln!(
        out,
        "## Devices of examples\n\nWhat is left out is as on a clean image, read completely, of an Android phone; a package is a genuine app of \
         the firmware but for what stands there.\n\n| where | keys | what `unknown` may name there |\n|---|---|---|\n\
         | `device` | {} | {} |\n| an item of `packages` | {} | {} |\n| beside them | `hidden` (a partition that was not read) | `packages` |\n",
        list(&device),
        list(&keys::DEVICE_FACTS),
        list(&keys::PACKAGE),
        list(&keys::PACKAGE_FACTS)
    )?;
    writeln!(out, "## Kinds of check\n\n| kind | asks |\n|---|---|")?;
    for kind in check::KINDS {
        writeln!(out, "| [`{0}`](../docs/checks.md#{0}) | {1} |", kind.name(), kind.about().en)?;
    }
    writeln!(out, "\n## Remarks of `profile lint`\n\n| code | meaning |\n|---|---|")?;
    for (code, meaning) in LINTS {
        writeln!(out, "| `{code}` | {meaning} |")?;
    }
    Ok(())
}
