//! Bars as inline SVG.

use std::collections::BTreeMap;
use std::io;

use super::words::both;
use super::{contents, cut};
use crate::inventory::{CopyRole, Fact, Inventory, Package, PackageCopy, RemovabilityGrade};
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Lang, Phrase};
use crate::report::wording;

/// Bars of a chart; the smallest beyond them are summed up in one.
const BARS: usize = 12;

/// Width of the drawing, of the names on its left and of the numbers on its right, in its own units.
const WIDTH: usize = 480;
const NAMES: usize = 215;
const NUMBERS: usize = 50;

/// Height of a bar with the space below it.
const STEP: usize = 22;

/// Characters of a name that fit beside a bar.
const NAME_LENGTH: usize = 28;

pub(super) fn write(out: &mut dyn io::Write, inventory: &Inventory) -> io::Result<()> {
    let Some(packages) = inventory.packages.known().filter(|packages| !packages.is_empty()) else { return Ok(()) };
    writeln!(out, "<h2>{}</h2>\n<div class=\"charts\">", both(say::CHARTS))?;
    // Where the firmware has it, also where an update in `/data` runs instead.
    let origin = |package: &'_ Package| package.copies.iter().position(|copy| copy.role == CopyRole::Factory);
    let copies = || packages.iter().filter_map(|package| package.copies.get(origin(package).unwrap_or(0)));
    let by = |name: fn(&PackageCopy) -> String| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        copies().for_each(|copy| *counts.entry(name(copy)).or_default() += 1);
        counts
    };
    chart(out, say::BY_PARTITION, by(|copy| known(&copy.partition, Clone::clone)), &[])?;
    let by_placement = by(|copy| known(&copy.placement, |placement| placement.as_str().to_owned()));
    chart(out, say::BY_PLACEMENT, by_placement, &[])?;
    let grades: Vec<RemovabilityGrade> =
        packages.iter().filter_map(|package| package.removability.known()).map(|answer| answer.grade).collect();
    if !grades.is_empty() {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for grade in &grades {
            *counts.entry(grade.as_str().to_owned()).or_default() += 1;
        }
        let unknown = packages.len().saturating_sub(grades.len()) as u64;
        if unknown > 0 {
            counts.insert(UNKNOWN.to_owned(), unknown);
        }
        let phrases: Vec<(&str, Phrase)> =
            grades.iter().map(|grade| (grade.as_str(), wording::removability(*grade))).collect();
        chart(out, say::BY_REMOVABILITY, counts, &phrases)?;
    }
    let mut levels: BTreeMap<String, u64> = BTreeMap::new();
    for (level, count) in contents::by_level(inventory) {
        levels.insert(level.to_owned(), count);
    }
    if !levels.is_empty() {
        chart(out, say::BY_LEVEL, levels, &[])?;
    }
    writeln!(out, "</div>")
}

/// What is not known is a bar of its own.
fn known<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    fact.known().map_or_else(|| UNKNOWN.to_owned(), show)
}

/// The key under which the unknown is counted.
const UNKNOWN: &str = "?";

/// `phrases`: names that have words of their own; all others are shown as they are.
fn chart(
    out: &mut dyn io::Write,
    title: Phrase,
    counts: BTreeMap<String, u64>,
    phrases: &[(&str, Phrase)],
) -> io::Result<()> {
    let phrase = |name: &str| match phrases.iter().find(|(code, _)| *code == name) {
        Some((_, phrase)) => Some(*phrase),
        None => (name == UNKNOWN).then_some(say::UNKNOWN),
    };
    let mut bars: Vec<(String, u64)> = counts.into_iter().collect();
    bars.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if bars.len() > BARS {
        let rest = bars.split_off(BARS - 1);
        bars.push(("…".to_owned(), rest.iter().map(|(_, count)| count).sum()));
    }
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let height = bars.len() * STEP;
    let spoken: Vec<String> = bars.iter().map(|(name, count)| format!("{} {count}", cut(name, NAME_LENGTH))).collect();
    writeln!(out, "<figure><figcaption>{}</figcaption>", both(title))?;
    writeln!(
        out,
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(&format!("{}: {}", title.say(Lang::En), spoken.join(", ")))
    )?;
    let room = (WIDTH - NAMES - NUMBERS) as u64;
    for (index, (name, count)) in bars.iter().enumerate() {
        let (top, line) = (index * STEP + 3, index * STEP + 15);
        let width = (count * room / most).max(2);
        let end = NAMES - 8;
        if let Some(phrase) = phrase(name) {
            for lang in Lang::ALL {
                let (code, word) = (lang.as_str(), phrase.say(lang));
                writeln!(out, r#"<text lang="{code}" x="{end}" y="{line}" text-anchor="end">{word}</text>"#)?;
            }
        } else {
            let name = cut(name, NAME_LENGTH);
            writeln!(out, r#"<text x="{end}" y="{line}" text-anchor="end">{}</text>"#, escape(&name))?;
        }
        writeln!(out, r#"<rect x="{NAMES}" y="{top}" width="{width}" height="15" rx="2"/>"#)?;
        let after = NAMES as u64 + width + 6;
        writeln!(out, r#"<text x="{after}" y="{line}">{count}</text>"#)?;
    }
    writeln!(out, "</svg></figure>")
}
