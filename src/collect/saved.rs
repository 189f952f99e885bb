//! An inventory that was saved before.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Progress, Request, Source, SourceError};
use crate::inventory::{Inventory, SCHEMA_VERSION};
use crate::platform::conclusions;

/// Largest inventory that is read, in bytes. The largest measured, of a phone with 500 packages, has below 5 MiB.
const LIMIT: u64 = 512 << 20;

/// A file that `preloaded scan` wrote.
#[derive(Debug)]
pub struct SavedSource {
    path: PathBuf,
}

impl SavedSource {
    /// The inventory in that file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// Whether the file looks like JSON: no image that is read begins with a brace.
    #[must_use]
    pub fn recognizes(path: &Path) -> bool {
        let mut head = [0; 64];
        let read = File::open(path).and_then(|mut file| file.read(&mut head));
        let head = head.get(..read.unwrap_or(0)).unwrap_or_default();
        head.trim_ascii_start().first() == Some(&b'{')
    }
}

impl Source for SavedSource {
    fn collect(&mut self, _request: &Request, _progress: &dyn Progress) -> Result<Inventory, SourceError> {
        let text = read(&self.path).map_err(|error| SourceError::Unreadable(error.to_string()))?;
        parse(&text).map_err(SourceError::Unreadable)
    }
}

/// Said of a report, which has what was judged and not all that was read.
const REPORT: &str = "a report, not a saved inventory: `preloaded convert` renders it; what `preloaded scan -o FILE` saves can be judged again";

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {LIMIT} bytes")));
    }
    Ok(text)
}

fn parse(text: &[u8]) -> Result<Inventory, String> {
    /// The one field that every version has, and two of a report.
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema_version: String,
        exit_code: Option<serde::de::IgnoredAny>,
        targets: Option<serde::de::IgnoredAny>,
    }

    let not_ours = |error: serde_json::Error| format!("not a saved inventory: {error}");
    // Once as a whole: it costs far less than to look at each of its many short texts.
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("not a saved inventory: not UTF-8 from byte {}", error.valid_up_to()))?;
    // The whole is tried first: to look for the version alone would read every file twice.
    let read: Result<Inventory, _> = serde_json::from_str(text);
    let schema_version = match &read {
        Ok(inventory) => inventory.schema_version.clone(),
        Err(_) => match serde_json::from_str::<Versioned>(text).map_err(not_ours)? {
            Versioned { exit_code: Some(_), targets: Some(_), .. } => return Err(REPORT.to_owned()),
            Versioned { schema_version, .. } => schema_version,
        },
    };
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&schema_version) != major(SCHEMA_VERSION) {
        return Err(format!("a saved inventory of schema {schema_version}, this version reads {SCHEMA_VERSION}"));
    }
    let mut inventory = read.map_err(not_ours)?;
    // A file edited by hand may be out of order, and look-ups rely on it.
    inventory.normalize();
    // What an older version did not conclude follows from the facts that it saved.
    conclusions::complete(&mut inventory);
    Ok(inventory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Gap, GapReason, Target, TargetKind};

    fn inventory() -> Inventory {
        let target =
            Target { kind: TargetKind::Phone, name: "adb:X".to_owned(), collected_at: None, layers: Vec::new() };
        Inventory::unknown(target, &Gap::new("getprop", GapReason::TimedOut, "nothing within 30 s"))
    }

    #[test]
    fn reading_a_saved_inventory_back_is_lossless() {
        let text = serde_json::to_vec(&inventory()).unwrap();
        assert_eq!(parse(&text).unwrap(), inventory());
    }

    #[test]
    fn another_major_version_is_refused_by_its_number() {
        let text = serde_json::to_string(&inventory()).unwrap();
        let text = text.replacen(r#""schema_version":"1.0""#, r#""schema_version":"2.0""#, 1);
        assert_eq!(parse(text.as_bytes()).unwrap_err(), "a saved inventory of schema 2.0, this version reads 1.0");
    }

    #[test]
    fn a_report_is_called_one() {
        let report = include_bytes!("../../samples/orion-p1-phone.report.json");
        assert_eq!(parse(report).unwrap_err(), REPORT);
    }

    #[test]
    fn json_of_another_kind_is_refused() {
        assert!(parse(b"{}").unwrap_err().starts_with("not a saved inventory: missing field `schema_version`"));
        assert_eq!(parse(b"{\"a\":\"\xff\"}").unwrap_err(), "not a saved inventory: not UTF-8 from byte 6");
    }
}
