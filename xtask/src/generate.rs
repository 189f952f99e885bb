//! Files that derive from the program: each is what one call of it prints.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::tools;

/// Whether derived files are written or held against what stands there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// A derived file and the calls that print it. Several calls go under headings of their own.
const FILES: &[(&str, &[&[&str]])] = &[
    ("docs/schema/inventory.schema.json", &[&["schema", "inventory"]]),
    ("docs/schema/report.schema.json", &[&["schema", "report"]]),
    ("docs/schema/event.schema.json", &[&["schema", "event"]]),
    ("docs/schema/profile.schema.json", &[&["schema", "profile"]]),
    ("docs/schema/waivers.schema.json", &[&["schema", "waivers"]]),
    ("docs/schema/attestations.schema.json", &[&["schema", "attestations"]]),
    ("docs/schema/diff.schema.json", &[&["schema", "diff"]]),
    ("docs/schema/odd.schema.json", &[&["schema", "odd"]]),
    ("docs/schema/history.schema.json", &[&["schema", "history"]]),
    ("docs/checks.md", &[&["profile", "checks"]]),
    ("profiles/README.md", &[&["profile", "guide"]]),
    ("docs/adb-commands.md", &[&["devices", "--commands"]]),
    (
        "docs/command-line.md",
        &[
            &["--help"],
            &["check", "--help"],
            &["convert", "--help"],
            &["scan", "--help"],
            &["list", "--help"],
            &["match", "--help"],
            &["show", "--help"],
            &["why", "--help"],
            &["apk", "--help"],
            &["image", "--help"],
            &["image", "info", "--help"],
            &["image", "ls", "--help"],
            &["image", "cat", "--help"],
            &["diff", "--help"],
            &["odd", "--help"],
            &["notice", "--help"],
            &["key", "--help"],
            &["key", "new", "--help"],
            &["key", "public", "--help"],
            &["verify", "--help"],
            &["history", "--help"],
            &["redact", "--help"],
            &["config", "--help"],
            &["config", "show", "--help"],
            &["completions", "--help"],
            &["man", "--help"],
            &["attest", "--help"],
            &["devices", "--help"],
            &["doctor", "--help"],
            &["watch", "--help"],
            &["journal", "--help"],
            &["journal", "verify", "--help"],
            &["profile", "--help"],
            &["profile", "list", "--help"],
            &["profile", "show", "--help"],
            &["profile", "explain", "--help"],
            &["profile", "lint", "--help"],
            &["profile", "test", "--help"],
            &["profile", "new", "--help"],
            &["profile", "sign", "--help"],
            &["profile", "verify", "--help"],
            &["profile", "diff", "--help"],
            &["profile", "checks", "--help"],
            &["profile", "guide", "--help"],
            &["schema", "--help"],
        ],
    ),
];

pub(crate) fn run(mode: Mode) -> Result<()> {
    tools::run(&mut tools::cargo(&["build", "--quiet", "--features", "usb", "--bin", "preloaded"]))?;
    let mut differing = Vec::new();
    for (path, calls) in FILES {
        let content = match calls {
            [call] => print_of(call)?,
            calls => headed(calls)?,
        };
        let file = tools::root().join(path);
        match mode {
            Mode::Write => {
                if let Some(folder) = file.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(&file, content).with_context(|| format!("{path}: can't be written"))?;
            }
            Mode::Check => {
                if fs::read_to_string(&file).unwrap_or_default() != content {
                    differing.push(*path);
                }
            }
        }
    }
    let readme = tools::root().join("README.md");
    let text = fs::read_to_string(&readme).context("README.md")?;
    let listed = with_commands(&text, &print_of(&["devices", "--commands"])?)?;
    match mode {
        Mode::Write if listed != text => fs::write(&readme, listed).context("README.md can't be written")?,
        Mode::Check if listed != text => differing.push("README.md"),
        _ => {}
    }
    if !differing.is_empty() {
        bail!("out of date: {}\n       run: cargo xtask generate", differing.join(", "));
    }
    Ok(())
}

const BEGIN: &str = "<!-- commands: generated -->\n";
const END: &str = "<!-- end of commands -->\n";

/// The README with the commands of the table in the place that is marked for them.
fn with_commands(readme: &str, table: &str) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).context("README.md has no mark where the commands begin")?;
    let (_, after) = rest.split_once(END).context("README.md has no mark where the commands end")?;
    let commands = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    // A table escapes what would end its cell.
    let commands: Vec<String> = commands.map(|command| command.replace("\\|", "|")).collect();
    Ok(format!("{before}{BEGIN}\n```text\n{}\n```\n\n{END}{after}", commands.join("\n")))
}

fn headed(calls: &[&[&str]]) -> Result<String> {
    let mut text = String::from("# The command line\n\nWhat each command's `--help` prints.\n");
    for call in calls {
        let words: Vec<&str> = call.iter().copied().filter(|word| *word != "--help").collect();
        let name = ["preloaded"].into_iter().chain(words).collect::<Vec<_>>().join(" ");
        text.push_str(&format!("\n## `{name}`\n\n```text\n{}```\n", print_of(call)?));
    }
    Ok(text)
}

fn print_of(call: &[&str]) -> Result<String> {
    let mut arguments = vec!["run", "--quiet", "--features", "usb", "--bin", "preloaded", "--"];
    arguments.extend_from_slice(call);
    let mut command = tools::cargo(&arguments);
    // The width of help must not depend on the terminal that generated it.
    command.env("COLUMNS", "100").env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().with_context(|| format!("preloaded {}", call.join(" ")))?;
    if !output.status.success() {
        bail!("preloaded {}: {}", call.join(" "), output.status);
    }
    String::from_utf8(output.stdout).context("output is not UTF-8")
}
