//! A file or folder that is to be read: what it is, and whether anything of it can be.

use std::path::Path;

use super::finding::{self, Finding};
use crate::bytes::{Budget, Limits};
use crate::collect::capture::CaptureSource;
use crate::collect::saved::SavedSource;
use crate::firmware::{self, Cause};

/// Problems that one finding tells.
const TOLD: usize = 3;

pub(super) fn look(path: &Path, findings: &mut Vec<Finding>) {
    let name = path.display().to_string();
    if !path.exists() {
        findings.push(Finding::new(&finding::FILE_MISSING, name, ""));
        return;
    }
    let mut fine = |what: String| findings.push(Finding::new(&finding::FILE, name.clone(), what));
    if CaptureSource::recognizes(path) {
        return fine("a capture of a phone".to_owned());
    }
    if path.is_file() && SavedSource::recognizes(path) {
        return fine("a saved inventory".to_owned());
    }
    let image = match firmware::open(path, &Budget::new(Limits::default()), &()) {
        Ok(image) => image,
        Err(error) => {
            findings.push(Finding::new(&finding::FILE_UNREADABLE, name, error.to_string()));
            return;
        }
    };
    let told: Vec<String> = image
        .problems
        .iter()
        .take(TOLD)
        .map(|problem| format!("{}: {}", problem.place, words(&problem.cause)))
        .collect();
    let more = image.problems.len().saturating_sub(TOLD);
    let mut told = told.join("; ");
    if more > 0 {
        told.push_str(&format!(" (+{more})"));
    }
    if image.partitions.is_empty() {
        let why = if told.is_empty() {
            "no Android partition or package of partitions was recognised".to_owned()
        } else {
            told
        };
        findings.push(Finding::new(&finding::FILE_UNREADABLE, name, why));
        return;
    }
    let partitions: Vec<&str> = image.partitions.iter().map(|partition| partition.name.as_str()).collect();
    fine(format!("{} [{}]", image.layers.join(" > "), partitions.join(", ")));
    if !told.is_empty() {
        findings.push(Finding::new(&finding::FILE_PARTLY, name, told));
    }
}

fn words(cause: &Cause) -> String {
    match cause {
        Cause::Error(error) => error.to_string(),
        Cause::Missing(words) | Cause::Contradiction(words) => words.clone(),
    }
}
