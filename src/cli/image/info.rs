//! `preloaded image info`.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::{ImageArguments, exit, is_unread};
use crate::cli::exit::Exit;
use crate::cli::form::{Form, write_json};
use crate::cli::terminal;
use crate::collect::firmware::{Costs, gap};
use crate::firmware::{Image, Mounted};
use crate::report::printable;

/// Parts that nothing was made of are named up to this many, the longest ones.
const LEFTOVER: usize = 8;

/// Say how an image is laid out: layers, partitions, filesystems, what can't be read and why, what reading it cost
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n    preloaded image info firmware.zip --format json | jq '.partitions[] | [.name, .format, .features]'"
)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: ImageArguments,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

#[derive(Debug, Serialize)]
struct Answer {
    target: String,
    /// Whether the target is a folder laid out as a device's tree.
    is_tree: bool,
    /// Containers and volumes, each container before what it holds.
    layers: Vec<Layer>,
    /// By mount point.
    partitions: Vec<Volume>,
    /// What Android mounts below `/apex`, by mount point.
    apexes: Vec<Volume>,
    /// Parts that nothing was made of.
    leftover: Vec<Leftover>,
    /// What can't be read, or is not there.
    problems: Vec<Problem>,
    costs: Option<Costs>,
}

#[derive(Debug, Serialize)]
struct Layer {
    /// The way to it, through the containers.
    place: String,
    format: &'static str,
    /// Containers that it lies in.
    depth: u32,
    /// Bytes.
    length: Option<u64>,
    /// `null` for a volume, and for a container that can't be opened.
    parts: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Volume {
    name: String,
    slot: Option<char>,
    mount_point: String,
    place: String,
    format: &'static str,
    features: Vec<String>,
    /// Bytes of the volume; `null` for a folder.
    length: Option<u64>,
    /// Regular files.
    files: u64,
    /// Bytes in them, as they read: holes and compressed files in full.
    file_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Leftover {
    place: String,
    length: u64,
}

#[derive(Debug, Serialize)]
struct Problem {
    place: String,
    reason: &'static str,
    detail: String,
    hides_packages: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let target = arguments.image.name()?;
    let ((mut answer, code), costs) = arguments.image.visit(|image, _| {
        let unread = image.problems.iter().any(|problem| is_unread(&problem.cause));
        // A container that could be opened is an answer, too.
        let nothing = image.volumes().next().is_none() && !image.opened.iter().any(|layer| layer.parts > Some(0));
        (answer(target, image), exit(nothing, unread))
    })?;
    answer.costs = Some(costs);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Text => write_text(&answer, &mut out)?,
        Form::Json => {
            write_json(&answer, &mut out)?;
        }
    }
    out.flush()?;
    if code == Exit::Unreadable && answer.problems.is_empty() {
        terminal::complain("no filesystem, and no package or table of partitions, was recognised");
    }
    Ok(code)
}

fn answer(target: String, image: &Image) -> Answer {
    let layer = |layer: &crate::firmware::Layer| Layer {
        place: layer.place.clone(),
        format: layer.format,
        depth: layer.depth,
        length: layer.length,
        parts: layer.parts,
    };
    let leftover = |part: &crate::firmware::Leftover| Leftover { place: part.place.clone(), length: part.length };
    let problem = |problem: &crate::firmware::Problem| {
        let gap = gap(problem);
        let (place, detail) = (gap.place, gap.detail);
        Problem { place, reason: gap.reason.as_str(), detail, hides_packages: problem.hides_packages }
    };
    Answer {
        target,
        is_tree: image.is_tree,
        layers: image.opened.iter().map(layer).collect(),
        partitions: image.partitions.iter().map(volume).collect(),
        apexes: image.apexes.iter().map(volume).collect(),
        leftover: image.leftover.iter().map(leftover).collect(),
        problems: image.problems.iter().map(problem).collect(),
        costs: None,
    }
}

fn volume(mounted: &Mounted) -> Volume {
    Volume {
        name: mounted.name.clone(),
        slot: mounted.slot,
        mount_point: mounted.mount_point.clone(),
        place: mounted.place.clone(),
        format: mounted.filesystem.format(),
        features: mounted.filesystem.features(),
        length: mounted.length,
        files: mounted.files.len() as u64,
        file_bytes: mounted.files.iter().fold(0, |sum, file| sum.saturating_add(file.len)),
    }
}

fn write_text(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable(&answer.target))?;
    writeln!(out, "\nLayers")?;
    for layer in &answer.layers {
        let indent = "  ".repeat(usize::try_from(layer.depth).unwrap_or_default() + 1);
        let length = layer.length.map(|length| format!(", {length} bytes")).unwrap_or_default();
        let parts = layer.parts.map(|parts| format!(", {parts} part{}", plural(parts))).unwrap_or_default();
        writeln!(out, "{indent}{}  {}{length}{parts}", layer.format, printable(&layer.place))?;
    }
    for (title, volumes) in [("Partitions", &answer.partitions), ("APEXes", &answer.apexes)] {
        if !volumes.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for volume in volumes {
            let slot = volume.slot.map(|slot| format!(" (slot {slot})")).unwrap_or_default();
            let length = volume.length.map(|length| format!(" of {length} bytes")).unwrap_or_default();
            writeln!(
                out,
                "  {}{slot} at {}: {}{length}, {} file{} with {} bytes",
                printable(&volume.name),
                printable(&volume.mount_point),
                volume.format,
                volume.files,
                plural(volume.files),
                volume.file_bytes
            )?;
            if !volume.features.is_empty() {
                writeln!(out, "      {}", printable(&volume.features.join(", ")))?;
            }
        }
    }
    if !answer.leftover.is_empty() {
        let bytes = answer.leftover.iter().fold(0_u64, |sum, part| sum.saturating_add(part.length));
        let count = answer.leftover.len() as u64;
        writeln!(out, "\nNothing was made of {count} part{} with {bytes} bytes", plural(count))?;
        let mut longest: Vec<&Leftover> = answer.leftover.iter().collect();
        longest.sort_by(|a, b| b.length.cmp(&a.length).then_with(|| a.place.cmp(&b.place)));
        for part in longest.iter().take(LEFTOVER) {
            writeln!(out, "  {}, {} bytes", printable(&part.place), part.length)?;
        }
    }
    if !answer.problems.is_empty() {
        writeln!(out, "\nNot read")?;
    }
    for problem in &answer.problems {
        let Problem { place, reason, detail, .. } = problem;
        let packages = if problem.hides_packages { "; packages may be hidden" } else { "" };
        writeln!(out, "  {} [{reason}{packages}]: {}", printable(place), printable(detail))?;
    }
    if let Some(costs) = &answer.costs {
        writeln!(out, "\nCosts\n  {costs}")?;
        if let Some(fetched) = &costs.fetched {
            writeln!(out, "  {} of {} bytes fetched, {} requests", fetched.bytes, fetched.length, fetched.requests)?;
        }
    }
    Ok(())
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
