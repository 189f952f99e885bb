//! A comparison as one self-contained page: no script, no external asset, light and dark, printable.

use std::fmt::Write as _;
use std::io;

use super::text::{not_compared, summary};
use crate::diff::{Change, Diff, EntryKind, SideRef, aspect_in_words, unsettled_in_words};
use crate::report::markup::escape;

/// Nothing is loaded, nothing runs; the page's own style is all there is.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What is pre-installed: differences</title>
<style>
:root { color-scheme: light dark; --line: #8886; --plus: #0a6b2d; --minus: #a3161a; }
@media (prefers-color-scheme: dark) { :root { --plus: #6fd692; --minus: #ff8f8f; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; border-bottom: 1px solid var(--line); margin-top: 2rem }
h3 { font-size: 1rem; margin: 1rem 0 0 } ul { margin: .2rem 0 .6rem; padding-left: 1.4rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0 }
.label { font-weight: normal } ins { color: var(--plus); text-decoration: none } del { color: var(--minus) }
@media print { @page { size: A4; margin: 18mm } body { margin: 0; max-width: none } h2, h3 { break-after: avoid } }
</style></head><body><main>
"#;

/// Writes a comparison as HTML.
///
/// # Errors
/// What `out` reports.
pub fn html(diff: &Diff, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    writeln!(out, "<h1>What is pre-installed: differences</h1>\n<p>{}</p>", escape(&summary(diff)))?;
    writeln!(
        out,
        "<table><thead><tr><th scope=\"col\"></th><th scope=\"col\">before</th><th scope=\"col\">after</th></tr></thead><tbody>"
    )?;
    let names = ["target", "device", "fingerprint", "packages", "collected", "profile"];
    for ((name, before), after) in names.into_iter().zip(cells(&diff.before)).zip(cells(&diff.after)) {
        if before.is_some() || after.is_some() {
            let cell = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| escape(&text).into_owned());
            let (before, after) = (cell(before), cell(after));
            writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{before}</td><td>{after}</td></tr>")?;
        }
    }
    writeln!(out, "</tbody></table>")?;
    for kind in EntryKind::ALL {
        let entries: Vec<_> = diff.entries.iter().filter(|entry| entry.kind == kind).collect();
        if entries.is_empty() {
            continue;
        }
        writeln!(out, "<section><h2>{} ({})</h2>", escape(kind.heading()), entries.len())?;
        for entry in entries {
            if let Some(subject) = &entry.subject {
                let label =
                    entry.label.as_ref().map(|label| format!(" <span class=\"label\">{}</span>", escape(label)));
                writeln!(out, "<h3><code>{}</code>{}</h3>", escape(subject), label.unwrap_or_default())?;
            }
            writeln!(out, "<ul>")?;
            for change in &entry.changes {
                writeln!(out, "<li>{}</li>", item(change))?;
            }
            writeln!(out, "</ul>")?;
        }
        writeln!(out, "</section>")?;
    }
    if !diff.unsettled.is_empty() || !diff.hidden_on_both.is_empty() {
        writeln!(out, "<section><h2>{}</h2><ul>", not_compared(diff))?;
        for unsettled in &diff.unsettled {
            writeln!(out, "<li>{}</li>", escape(&unsettled_in_words(unsettled)))?;
        }
        for gap in &diff.hidden_on_both {
            let words = format!("hidden on both sides: {} [{}]", gap.place, gap.reason.as_str());
            writeln!(out, "<li>{}</li>", escape(&words))?;
        }
        writeln!(out, "</ul></section>")?;
    }
    writeln!(out, "</main></body></html>")
}

/// Who a side is, line by line.
fn cells(side: &SideRef) -> [Option<String>; 6] {
    [
        Some(side.target.name.clone()),
        side.device.clone(),
        side.fingerprint.clone(),
        side.packages.map(|count| count.to_string()),
        side.target.collected_at.clone(),
        side.profile.clone(),
    ]
}

fn item(change: &Change) -> String {
    let mut html = escape(aspect_in_words(&change.aspect)).into_owned();
    html.push_str(": ");
    // Writing to a string does not fail.
    for lost in change.before.iter().chain(&change.lost) {
        let _ = write!(html, "<del>{}</del> ", escape(lost));
    }
    for gained in change.after.iter().chain(&change.gained) {
        let _ = write!(html, "<ins>{}</ins> ", escape(gained));
    }
    html.trim_end().to_owned()
}
