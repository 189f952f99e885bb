//! `preloaded image ls`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{ImageArguments, complain_of, exit};
use crate::bytes::{ParseError, SharedBytes, parallel, read_vec_at};
use crate::cli::exit::{Exit, Failed};
use crate::cli::terminal;
use crate::filesystem::{Entry, NodeId, NodeKind};
use crate::firmware::{Image, Missing, Mounted, Place};
use crate::report::printable;

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;
/// Threads that read files: disks and memory carry no more.
const THREADS: usize = 4;
/// A symbolic link's target; the kernel's PATH_MAX.
const LINK_BYTES: u64 = 4096;

/// List the files of an image, with all folders below
///
/// tsv has a line per regular file without a heading: partition, path in the partition, size in bytes and, with --hash, the
/// SHA-256 of the content, `?` where it can't be read. text and json list folders, symbolic links and devices too, and have
/// the path on the device. APEXes are listed where PATH names them: /apex.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n    preloaded image ls firmware.zip /product/app\n    preloaded image ls payload.bin --hash --format tsv > files.tsv"
)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: ImageArguments,

    /// A file or folder by its path on the running device, or `PARTITION:PATH`; all partitions without it
    #[arg(value_name = "PATH")]
    path: Option<String>,

    /// Read every file and print the SHA-256 of its content
    #[arg(long)]
    hash: bool,

    /// List the images themselves, whatever is in them: partitions, boot images, other parts. The path is the way to each
    /// through the containers
    #[arg(long, conflicts_with = "path")]
    images: bool,

    /// Form of the list
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Kind, size, hash and path on the device
    Text,
    /// Tab-separated, without a heading: regular files only
    Tsv,
    /// One object with all rows
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Folder,
    Link,
    /// A device, pipe or socket.
    Special,
    /// With `--images`.
    Image,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    partition: String,
    /// Below the partition's root, without a leading slash.
    path: String,
    /// On the running device; of an image the way to it.
    device_path: String,
    kind: Kind,
    /// Bytes; of a link those of its target.
    size: u64,
    /// Unix permission bits.
    mode: Option<u16>,
    /// Of a file, where it was asked for and could be read.
    sha256: Option<String>,
    /// Of a link.
    target: Option<String>,
    /// Why the content can't be read.
    error: Option<String>,
}

/// A row and where its content is.
struct Item<'a> {
    row: Row,
    content: Content<'a>,
}

enum Content<'a> {
    Node(&'a Mounted, NodeId),
    Bytes(SharedBytes),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let target = arguments.image.name()?;
    let (listed, _) = arguments.image.visit(|image, _| -> anyhow::Result<(Vec<Row>, bool, bool)> {
        let mut incomplete = complain_of(image);
        let nothing = image.volumes().next().is_none() && !arguments.images;
        let items = match &arguments.path {
            _ if arguments.images => images(image),
            None => whole(image),
            Some(path) => below(image, path).map_err(|missing| Failed(Exit::Unreadable, missing.to_string()))?,
        };
        let rows = read(&items, arguments.hash);
        for row in &rows {
            if let Some(error) = &row.error {
                terminal::complain(&format!("not read: {}: {error}", row.device_path));
                incomplete = true;
            }
        }
        Ok((rows, nothing, incomplete))
    })?;
    let (rows, nothing, incomplete) = listed?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Format::Text => write_text(&rows, arguments.hash, &mut out)?,
        Format::Tsv => write_tsv(&rows, arguments.hash, &mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &serde_json::json!({ "target": target, "entries": rows }))?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    if nothing && !incomplete {
        terminal::complain("no filesystem was recognised");
    }
    Ok(exit(nothing, incomplete))
}

fn whole(image: &Image) -> Vec<Item<'_>> {
    // Of an APEX alone there is nothing else.
    let volumes = if image.partitions.is_empty() { &image.apexes } else { &image.partitions };
    volumes.iter().flat_map(entries).collect()
}

/// What is below a path: in its own volume, and in those that are mounted below it.
fn below<'a>(image: &'a Image, path: &str) -> Result<Vec<Item<'a>>, Missing> {
    let place = image.find(path, true)?;
    let (place, file) = match place {
        Place::Node { metadata, path, .. } => (path, metadata.kind != NodeKind::Directory),
        Place::Above(path) => (path, false),
    };
    let start = format!("{}/", place.trim_end_matches('/'));
    let holds = |mounted: &&Mounted| {
        let root = format!("{}/", mounted.mount_point.trim_end_matches('/'));
        start.starts_with(&root) || root.starts_with(&start)
    };
    let found = image.volumes().filter(holds).flat_map(entries);
    let mut found: Vec<_> = found
        .filter(|item| if file { item.row.device_path == place } else { item.row.device_path.starts_with(&start) })
        .collect();
    // Where a volume is mounted, the folder that it lies over holds nothing.
    found.sort_by(|a, b| a.row.device_path.cmp(&b.row.device_path));
    Ok(found)
}

/// What can't be listed is among the image's problems.
fn entries(mounted: &Mounted) -> Vec<Item<'_>> {
    let item = |entry: &'_ Entry| Item {
        row: Row {
            partition: mounted.name.clone(),
            device_path: mounted.device_path(&entry.path),
            path: entry.path.clone(),
            kind: match entry.metadata.kind {
                NodeKind::File => Kind::File,
                NodeKind::Directory => Kind::Folder,
                NodeKind::Symlink => Kind::Link,
                NodeKind::Special => Kind::Special,
            },
            size: if entry.metadata.kind == NodeKind::Directory { 0 } else { entry.metadata.len },
            mode: Some(entry.metadata.mode),
            sha256: None,
            target: None,
            error: None,
        },
        content: Content::Node(mounted, entry.node),
    };
    mounted.entries.iter().map(item).collect()
}

fn images(image: &Image) -> Vec<Item<'_>> {
    let item = |part: &crate::container::Part| {
        let name = part.name.rsplit(['!', '/']).next().unwrap_or_default();
        let row = Row {
            partition: name.strip_suffix(".img").unwrap_or(name).to_owned(),
            path: part.name.clone(),
            device_path: part.name.clone(),
            kind: Kind::Image,
            size: part.bytes.len(),
            mode: None,
            sha256: None,
            target: None,
            error: None,
        };
        Item { row, content: Content::Bytes(part.bytes.clone()) }
    };
    image.parts.iter().map(item).collect()
}

/// Fills in what needs the contents, some at a time; the order stays.
fn read(items: &[Item<'_>], hash: bool) -> Vec<Row> {
    parallel::map(items, parallel::cores().min(THREADS), |Item { row, content }| {
        let mut row = row.clone();
        let result = match row.kind {
            Kind::File | Kind::Image if hash => {
                content.open().and_then(|bytes| sha256(&bytes)).map(|sum| row.sha256 = Some(sum))
            }
            Kind::Link => content.open().and_then(|bytes| text(&bytes)).map(|text| row.target = Some(text)),
            _ => Ok(()),
        };
        row.error = result.err().map(|error| error.to_string());
        row
    })
}

impl Content<'_> {
    fn open(&self) -> Result<SharedBytes, ParseError> {
        match self {
            Self::Node(mounted, node) => mounted.filesystem.open(*node),
            Self::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

fn text(bytes: &SharedBytes) -> Result<String, ParseError> {
    let target = read_vec_at(bytes.as_ref(), 0, bytes.len(), "symbolic link", LINK_BYTES)?;
    Ok(String::from_utf8_lossy(&target).into_owned())
}

fn sha256(bytes: &SharedBytes) -> Result<String, ParseError> {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < bytes.len() {
        let piece = read_vec_at(bytes.as_ref(), at, (bytes.len() - at).min(PIECE), "piece", PIECE)?;
        hash.update(&piece);
        at += piece.len() as u64;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_tsv(rows: &[Row], hash: bool, out: &mut dyn Write) -> io::Result<()> {
    for row in rows.iter().filter(|row| matches!(row.kind, Kind::File | Kind::Image)) {
        write!(out, "{}\t{}\t{}", printable(&row.partition), printable(&row.path), row.size)?;
        if hash {
            write!(out, "\t{}", row.sha256.as_deref().unwrap_or("?"))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_text(rows: &[Row], hash: bool, out: &mut dyn Write) -> io::Result<()> {
    let width = rows.iter().map(|row| row.size.to_string().len()).max().unwrap_or_default();
    for row in rows {
        let (letter, end) = match row.kind {
            Kind::File | Kind::Image => ('-', ""),
            Kind::Folder => ('d', "/"),
            Kind::Link => ('l', ""),
            Kind::Special => ('s', ""),
        };
        write!(out, "{letter} {:>width$}  ", row.size)?;
        if hash {
            let unread = if row.error.is_some() { "?" } else { "" };
            write!(out, "{:<64}  ", row.sha256.as_deref().unwrap_or(unread))?;
        }
        write!(out, "{}{end}", printable(&row.device_path))?;
        if let Some(target) = &row.target {
            write!(out, " -> {}", printable(target))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
