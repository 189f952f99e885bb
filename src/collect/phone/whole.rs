//! Whole package files, pulled one after the other and verified: whether the signature holds over the contents.
//!
//! A file goes into a temporary file and is dropped once it is verified; nothing of it is kept.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::asking::Asker;
use super::files::{Files, Part};
use crate::adb::commands::{self, FILE_CAP, READ_BLOCK, READ_BLOCKS};
use crate::apk::{self, SdkRange, Verification};
use crate::bytes::{FileBytes, SharedBytes};
use crate::collect::Progress;
use crate::inventory::{Fact, Gap, GapReason, Package, SignerDepth};

/// Reads of one request: 64 MiB in memory.
const READS: u64 = 16;

/// Pulls and verifies the file that Android runs of each package whose signers were read.
pub(super) fn verify(
    asker: &mut Asker<'_>,
    files: &mut Files,
    packages: &mut [Package],
    sdk: Option<u32>,
    progress: &dyn Progress,
) {
    for package in packages {
        let Some(copy) = package.copies.first_mut() else { continue };
        let path = copy.path.clone();
        let Fact::Known { value: signers, .. } = &mut copy.signers else { continue };
        if signers.iter().all(|signer| signer.sha256.is_none()) {
            // Why it was not read was told.
            continue;
        }
        progress.step(&format!("verifying {path}"));
        let file = match pull(asker, files, &path) {
            Ok(file) => file,
            Err(gap) => {
                asker.note(gap);
                continue;
            }
        };
        let source: SharedBytes = match FileBytes::open(file.path()) {
            Ok(bytes) => Arc::new(bytes),
            Err(error) => {
                asker.note(Gap::new(&path, GapReason::Failed, error.to_string()));
                continue;
            }
        };
        // What this phone's version of Android decides.
        let found = apk::verify(&source, SdkRange { min: sdk, max: sdk });
        if !found.verified {
            let why = found.errors.first().map_or_else(|| "no reason".to_owned(), |issue| format!("{issue:?}"));
            asker.note(Gap::new(&path, GapReason::Damaged, format!("its signature does not hold: {why}")));
            continue;
        }
        let holding = holding(&found);
        for signer in signers.iter_mut() {
            if signer.sha256.as_ref().is_some_and(|sha256| holding.contains(sha256)) {
                signer.depth = SignerDepth::Verified;
            }
        }
    }
}

/// SHA-256 of the certificates whose signatures hold.
fn holding(found: &Verification) -> BTreeSet<String> {
    let schemes = [&found.v1, &found.v2, &found.v3, &found.v31];
    let signers = schemes.into_iter().flatten().filter(|scheme| scheme.verified).flat_map(|scheme| &scheme.signers);
    signers
        .map(|signer| Sha256::digest(&signer.certificate).iter().map(|byte| format!("{byte:02x}")).collect())
        .collect()
}

fn pull(asker: &mut Asker<'_>, files: &mut Files, path: &str) -> Result<NamedTempFile, Gap> {
    let gap = |reason, words: String| Gap::new(path, reason, words);
    if !commands::is_package_file(path) {
        return Err(gap(GapReason::Unsupported, "a path that is not sent to a shell".to_owned()));
    }
    if files.are_whole() {
        return files.whole(asker, path).map(|(file, _)| file);
    }
    let Some(Ok(length)) = files.lengths(asker, &[path]).pop() else {
        // Whatever the shell says of its length, the file service may give the file.
        return files.whole(asker, path).map(|(file, _)| file);
    };
    if length > FILE_CAP {
        return Err(gap(GapReason::TooLarge, format!("{length} bytes")));
    }
    let failed = |error: std::io::Error| gap(GapReason::Failed, format!("a temporary file: {error}"));
    let mut file = NamedTempFile::new().map_err(failed)?;
    let piece = READ_BLOCKS * READ_BLOCK;
    let mut at = 0;
    while at < length {
        let starts = (0..READS).map(|number| at + number * piece).filter(|start| *start < length);
        let parts: Vec<Part<'_>> =
            starts.map(|start| Part { path, len: length, start: start / READ_BLOCK, count: READ_BLOCKS }).collect();
        let Ok(answers) = files.parts(asker, &parts) else {
            return files.whole(asker, path).map(|(file, _)| file);
        };
        for answer in answers {
            file.write_all(&answer?).map_err(failed)?;
        }
        at += READS * piece;
    }
    file.flush().map_err(failed)?;
    Ok(file)
}
