//! A comparison for a terminal.

use std::io;

use anstyle::Style as Ansi;

use crate::diff::{Diff, Entry, EntryKind, Group, OddPreloads, SideRef, change_in_words, unsettled_in_words};
use crate::report::{Style, printable};

const HEADING: Ansi = Ansi::new().bold();
/// Items of one list that are written out; JSON has them all.
const LISTED: usize = 40;

/// Writes a comparison as release notes.
///
/// # Errors
/// What `out` reports.
pub fn text(diff: &Diff, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "from  {}", side_in_words(&diff.before))?;
    writeln!(out, "to    {}", side_in_words(&diff.after))?;
    writeln!(out, "\n{}", printable(&summary(diff)))?;
    entries(&diff.entries, "", style, out)?;
    incomplete(diff, "", style, out)
}

/// Writes what is odd in a batch.
///
/// # Errors
/// What `out` reports.
pub fn odd(found: &OddPreloads, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    for group in &found.groups {
        heading(&printable(&group.fingerprint), "", style, out)?;
        writeln!(out, "    {}", group_in_words(group))?;
        for device in &group.odd {
            writeln!(out)?;
            heading(&format!("ODD  {}", printable(&device.name)), "    ", style, out)?;
            entries(&device.diff.entries, "        ", style, out)?;
            incomplete(&device.diff, "        ", style, out)?;
        }
        for device in &group.undecided {
            writeln!(out)?;
            heading(&format!("UNDECIDED  {}", printable(&device.name)), "    ", style, out)?;
            incomplete(&device.diff, "        ", style, out)?;
        }
        writeln!(out)?;
    }
    if !found.without_fingerprint.is_empty() {
        heading("Fingerprint not known, compared with none", "", style, out)?;
        for name in &found.without_fingerprint {
            writeln!(out, "    {}", printable(name))?;
        }
    }
    Ok(())
}

fn group_in_words(group: &Group) -> String {
    match group.devices.len() {
        1 => format!("{}: the only one, compared with none", printable(&group.usual)),
        count => format!(
            "{count} devices: {} alike, {} odd, {} undecided; the usual one is {}",
            group.alike,
            group.odd.len(),
            group.undecided.len(),
            printable(&group.usual)
        ),
    }
}

fn side_in_words(side: &SideRef) -> String {
    let mut words = vec![side.target.name.clone()];
    words.extend(side.device.clone());
    words.extend(side.fingerprint.clone());
    words.extend(side.packages.map(|count| format!("{count} packages")));
    words.extend(side.target.collected_at.clone());
    printable(&words.join(", ")).into_owned()
}

/// The whole in one sentence.
pub(super) fn summary(diff: &Diff) -> String {
    let counts = EntryKind::ALL.map(|kind| (kind, diff.entries.iter().filter(|entry| entry.kind == kind).count()));
    let words: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{}: {count}", kind.heading().to_lowercase()))
        .collect();
    match (words.is_empty(), diff.is_incomplete()) {
        (true, false) if diff.same_source => "No difference: both sides are the same, byte for byte.".to_owned(),
        (true, false) => "No difference.".to_owned(),
        (true, true) => "No difference in what could be compared.".to_owned(),
        (false, _) => format!("Differences. {}.", capitalized(&words.join("; "))),
    }
}

/// The heading above what was not compared.
pub(super) fn not_compared(diff: &Diff) -> &'static str {
    if diff.is_incomplete() { "Not compared" } else { "Not read, and the same bytes on both sides" }
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn heading(words: &str, indent: &str, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    if style.colour { writeln!(out, "{indent}{HEADING}{words}{HEADING:#}") } else { writeln!(out, "{indent}{words}") }
}

fn entries(entries: &[Entry], indent: &str, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    for kind in EntryKind::ALL {
        let of_kind: Vec<&Entry> = entries.iter().filter(|entry| entry.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        writeln!(out)?;
        heading(kind.heading(), indent, style, out)?;
        for entry in of_kind {
            let label = entry.label.as_ref().map(|label| format!("  {label}")).unwrap_or_default();
            if let Some(subject) = &entry.subject {
                writeln!(out, "{indent}    {}{}", printable(subject), printable(&label))?;
            }
            for change in &entry.changes {
                let mut change = change.clone();
                for list in [&mut change.gained, &mut change.lost] {
                    if let Some(more) = list.len().checked_sub(LISTED).filter(|more| *more > 0) {
                        list.truncate(LISTED);
                        list.push(format!("and {more} more (all of them: --format json)"));
                    }
                }
                let deeper = if entry.subject.is_some() { "    " } else { "" };
                writeln!(out, "{indent}    {deeper}{}", printable(&change_in_words(&change)))?;
            }
        }
    }
    Ok(())
}

fn incomplete(diff: &Diff, indent: &str, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    if diff.unsettled.is_empty() && diff.hidden_on_both.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    heading(not_compared(diff), indent, style, out)?;
    for unsettled in &diff.unsettled {
        writeln!(out, "{indent}    {}", printable(&unsettled_in_words(unsettled)))?;
    }
    if !diff.hidden_on_both.is_empty() {
        let count = diff.hidden_on_both.len();
        writeln!(out, "{indent}    what {count} gaps hide on both sides alike:")?;
        for gap in diff.hidden_on_both.iter().take(LISTED) {
            writeln!(out, "{indent}        {} [{}]", printable(&gap.place), gap.reason.as_str())?;
        }
        if count > LISTED {
            writeln!(out, "{indent}        and {} more (all of them: --format json)", count - LISTED)?;
        }
    }
    Ok(())
}
