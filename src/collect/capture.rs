//! What another program took of a phone, as far as it holds the answers that a phone would give.
//!
//! | capture | recognised by |
//! |---|---|
//! | bug report (ZIP, or its text) | `== dumpstate: `, `DUMP OF SERVICE NAME:` |
//! | output of `dumpsys`, `getprop`, `pm list packages -f`, `settings list`, alone or in a folder or ZIP (androidqf, MVT) | what each begins with |
//! | androidqf's `packages.json` | a list of objects with `name` and `files` |
//! | CTS' `PackageDeviceInfo.deviceinfo.json` | an object with `package`, a list of objects with `name` |
//! | Hubble's result files (Uraniborg) | an object with `version` and one of `packages`, `preinstalledPackages`, `hwInfo`, ... |
//!
//! Texts are answers to commands, so the code that reads phones reads them; what a capture does not hold is a gap with the
//! reason `not-observed`. JSON has forms of its own. Nothing is recognised by its name alone but settings, whose lines have
//! no form.

mod androidqf;
mod cts;
mod document;
mod hubble;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Progress, Request, Source, SourceError, phone};
use crate::bytes::{Budget, FileBytes, Limits, ReadAt, SharedBytes, read_vec_at};
use crate::container::{self, Part, PartSet, Probe};
use crate::inventory::{Inventory, Target, TargetKind};
use document::Document;
use texts::Texts;

/// Largest file of a capture that is read whole. A bug report's text of a phone that is in use has 20 to 200 MiB.
const FILE_LIMIT: u64 = 1 << 30;

/// Bytes that a text is recognised by.
const HEAD: u64 = 64 << 10;

/// Files of a folder or ZIP that are looked at, and how deep. androidqf keeps its texts at the top and thousands of others
/// below.
const FILES: usize = 2000;
const DEPTH: usize = 2;

/// A capture in a file or folder of the host.
#[derive(Debug, Clone)]
pub struct CaptureSource {
    path: PathBuf,
    limits: Limits,
}

/// A file of a capture.
struct Item {
    /// Path within the capture; the file's own name where it is one file.
    name: String,
    bytes: SharedBytes,
}

impl CaptureSource {
    /// The capture at `path`.
    #[must_use]
    pub fn new(path: &Path, limits: Limits) -> Self {
        Self { path: path.to_path_buf(), limits }
    }

    /// Whether the file or folder is a capture of a form that is read. Looks at beginnings of files only; what can't be
    /// opened is not recognised.
    #[must_use]
    pub fn recognizes(path: &Path) -> bool {
        let budget = Budget::new(Limits::default());
        let Ok(items) = items(path, &budget) else { return false };
        // A folder or archive with a device's tree may hold texts too, and is firmware.
        let is_firmware = |item: &Item| {
            let name = item.name.rsplit('/').next().unwrap_or_default();
            name == "build.prop" || name == "payload.bin" || name.ends_with(".img") || name.ends_with(".new.dat.br")
        };
        !items.iter().any(is_firmware)
            && items.iter().filter(|item| may_be_text(item, items.len())).any(|item| kind(item).is_some())
    }
}

/// What a file of a capture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
}

/// Whether a file is worth a look: the only one is, and of several those whose names say text.
fn may_be_text(item: &Item, of: usize) -> bool {
    let name = item.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    of == 1 || !name.contains('.') || [".txt", ".json", ".log"].iter().any(|end| name.ends_with(end))
}

fn kind(item: &Item) -> Option<Kind> {
    let head = read_vec_at(item.bytes.as_ref(), 0, item.bytes.len().min(HEAD), "capture", HEAD).ok()?;
    let text = String::from_utf8_lossy(&head);
    match text.trim_start_matches('\u{feff}').trim_start().chars().next()? {
        '{' => is_foreign_object(&text).then_some(Kind::Json),
        '[' if text.trim_start().trim_start_matches('[').trim_start().starts_with('{') => {
            (text.contains("\"name\"") && text.contains("\"files\"")).then_some(Kind::Json)
        }
        _ => texts::recognizes(&item.name, &text).then_some(Kind::Text),
    }
}

/// An object of CTS or Hubble, and no inventory of our own, whose keys may come in any order: other programs sort them.
fn is_foreign_object(text: &str) -> bool {
    let keys = top_keys(text);
    let cts =
        keys.contains(&"package") && (text.contains("\"version_name\"") || text.contains("\"requested_permissions\""));
    let hubble = keys.contains(&"version") && hubble::KEYS.iter().any(|key| keys.contains(key));
    cts || hubble
}

/// Keys of the object itself, in the start of its text, as they are written.
fn top_keys(text: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let (mut depth, mut start, mut last) = (0_u32, None, None);
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (start, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(from), b'"') => {
                last = text.get(from..at);
                start = None;
            }
            (Some(_), _) => {}
            (None, b'"') => start = Some(at + 1),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth = depth.saturating_sub(1),
            (None, b':') if depth == 1 => keys.extend(last),
            (None, _) => {}
        }
    }
    keys
}

impl Source for CaptureSource {
    fn collect(&mut self, request: &Request, progress: &dyn Progress) -> Result<Inventory, SourceError> {
        let unreadable = |error: &dyn std::fmt::Display| SourceError::Unreadable(error.to_string());
        let budget = Budget::new(self.limits.clone());
        progress.step("files");
        let items = items(&self.path, &budget).map_err(|error| unreadable(&error))?;
        let mut texts = Texts::default();
        let mut documents = Vec::new();
        for item in &items {
            let Some(kind) = Some(item).filter(|item| may_be_text(item, items.len())).and_then(kind) else { continue };
            progress.step(&item.name);
            let length = item.bytes.len();
            let bytes = read_vec_at(item.bytes.as_ref(), 0, length, "file of a capture", FILE_LIMIT)
                .map_err(|error| unreadable(&error.within(item.name.clone())))?;
            match kind {
                Kind::Text => texts.add(&item.name, &bytes),
                Kind::Json => documents.push(
                    Document::parse(&item.name, &bytes)
                        .map_err(|error| SourceError::Unreadable(format!("{}: {error}", item.name)))?,
                ),
            }
        }
        let name = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let name = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let target = |layer: &str| Target {
            kind: TargetKind::Capture,
            name: name.clone(),
            collected_at: None,
            layers: vec![layer.to_owned()],
        };
        if let Some(found) = hubble::read(&documents, &texts, &target("hubble"), request)? {
            return Ok(found);
        }
        if let Some(found) = cts::read(&documents, &target("cts"), request)? {
            return Ok(found);
        }
        let listed = androidqf::Listed::of(&documents);
        if let Some(listed) = &listed {
            listed.as_list(&mut texts);
        }
        if !texts.tells_packages()
            && let Some(words) = &texts.names_only
        {
            return Err(SourceError::Unreadable(format!(
                "{words}: names of packages alone do not tell which of them the device ships with; take `pm list \
                     packages -f -u`, `dumpsys package` or a bug report"
            )));
        }
        let layer = if listed.is_some() { "androidqf" } else { texts.layer() };
        let mut inventory = phone::of_capture(&texts, target(layer), request, progress)?;
        if let Some(listed) = &listed {
            listed.certify(&mut inventory);
        }
        Ok(inventory)
    }
}

/// The files that a capture may consist of, by name.
fn items(path: &Path, budget: &Arc<Budget>) -> Result<Vec<Item>, crate::bytes::ParseError> {
    let mut items = Vec::new();
    if path.is_dir() {
        folder(path, "", DEPTH, &mut items);
        items.sort_by(|a: &Item, b| a.name.cmp(&b.name));
        return Ok(items);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes: SharedBytes = Arc::new(FileBytes::open(path)?);
    let part = Part { name: name.clone(), bytes };
    let head = container::read_head(&part.bytes)?;
    let probe = Probe { name: &name, head: &head, len: part.bytes.len() };
    let format = container::recognize(&probe).filter(|format| format.name() == "zip");
    let Some(format) = format else {
        return Ok(vec![Item { name, bytes: part.bytes }]);
    };
    let entries = format.open(&PartSet { part: &part, siblings: &[] }, budget)?;
    for entry in entries.into_iter().filter(|entry| entry.name.matches('/').count() <= DEPTH).take(FILES) {
        items.push(Item { name: entry.name, bytes: entry.bytes });
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

fn folder(path: &Path, prefix: &str, depth: usize, items: &mut Vec<Item>) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if items.len() >= FILES {
            return;
        }
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            folder(&entry.path(), &format!("{name}/"), depth - 1, items);
        } else if kind.is_file()
            && let Ok(bytes) = FileBytes::open(&entry.path())
        {
            items.push(Item { name, bytes: Arc::new(bytes) });
        }
    }
}
