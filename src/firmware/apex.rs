//! APEX files: packages with a filesystem image, which Android mounts at `/apex/<name>`.
//!
//! An APEX is a ZIP with the stored `apex_payload.img` and `apex_manifest.pb` (a protobuf: 1 name, 2 version) or, in Android 10,
//! `apex_manifest.json`. A CAPEX is a ZIP with a deflated APEX, `original_apex`. Android takes them from the folder `apex` of each of its
//! partitions. The signatures of an APEX and of its image are not looked at.

use std::sync::Arc;

use super::{Cause, Mounted, Problem};
use crate::bytes::protobuf::Fields;
use crate::bytes::{Budget, ParseError, SharedBytes, read_vec_at};
use crate::container::{self, Part, PartSet, Probe};
use crate::filesystem;

/// Real manifests have some hundred bytes.
const MANIFEST_BYTES: u64 = 1 << 20;
/// Longer than a file name can be.
const NAME_BYTES: usize = 255;

/// What the APEX files of an image hold.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) mounted: Vec<Mounted>,
    pub(super) problems: Vec<Problem>,
    /// Paths of the files on the device.
    pub(super) files: Vec<String>,
}

/// Mounts the APEX files of all partitions. What can't be read is a problem of its file.
pub(super) fn open_all(partitions: &[Mounted], budget: &Arc<Budget>) -> Opened {
    let mut opened = Opened::default();
    for partition in partitions {
        for file in &partition.files {
            let path = partition.device_path(&file.path);
            if !is_apex(&path) {
                continue;
            }
            opened.files.push(path.clone());
            let mounted = match partition.filesystem.open(file.node).and_then(|bytes| open(bytes, &path, budget, 0)) {
                Ok(mounted) => mounted,
                Err(error) => {
                    let cause = Cause::Error(error);
                    opened.problems.push(Problem { place: path, cause, hides_packages: true });
                    continue;
                }
            };
            if let Some(other) = opened.mounted.iter().find(|other| other.name == mounted.name) {
                let detail = format!("a second APEX for {}; the first one was read", other.mount_point);
                let cause = Cause::Contradiction(detail);
                opened.problems.push(Problem { place: path, cause, hides_packages: true });
                continue;
            }
            opened.add(mounted, budget);
        }
    }
    opened
}

/// Mounts APEX files that lie in no partition: the input itself, or a file in a package of them.
pub(super) fn open_loose(parts: &[(String, SharedBytes)], budget: &Arc<Budget>) -> Opened {
    let mut opened = Opened::default();
    for (place, bytes) in parts {
        match open(bytes.clone(), place, budget, 0) {
            Ok(mounted) if opened.mounted.iter().all(|other| other.name != mounted.name) => opened.add(mounted, budget),
            Ok(mounted) => {
                let detail = format!("a second APEX for {}; the first one was read", mounted.mount_point);
                let problem =
                    Problem { place: place.clone(), cause: Cause::Contradiction(detail), hides_packages: true };
                opened.problems.push(problem);
            }
            Err(error) => {
                let cause = Cause::Error(error);
                opened.problems.push(Problem { place: place.clone(), cause, hides_packages: true });
            }
        }
    }
    opened
}

impl Opened {
    /// Lists its files and keeps it.
    fn add(&mut self, mounted: Mounted, budget: &Arc<Budget>) {
        let (entries, unreadable) =
            filesystem::list(mounted.filesystem.as_ref(), mounted.root, &budget.limits, &|_| ());
        self.problems.extend(unreadable.into_iter().map(|unreadable| Problem {
            place: mounted.device_path(&unreadable.path),
            cause: Cause::Error(unreadable.error),
            hides_packages: true,
        }));
        self.mounted.push(Mounted { files: filesystem::files(&entries), entries, ..mounted });
    }
}

/// Paths on a device of the package files in one APEX or CAPEX, sorted.
pub(super) fn packages(bytes: SharedBytes, budget: &Arc<Budget>) -> Result<Vec<String>, ParseError> {
    let mounted = open(bytes, "APEX", budget, 0)?;
    let (files, unreadable) = filesystem::walk(mounted.filesystem.as_ref(), mounted.root, &budget.limits);
    if let Some(unreadable) = unreadable.into_iter().next() {
        return Err(unreadable.error.within(unreadable.path));
    }
    let packages = files.iter().filter(|file| file.path.ends_with(".apk"));
    let mut paths: Vec<String> = packages.map(|file| mounted.device_path(&file.path)).collect();
    paths.sort();
    Ok(paths)
}

/// Whether Android takes the file for an APEX: `/system/apex/com.android.wifi.apex`.
fn is_apex(path: &str) -> bool {
    let named = [".apex", ".capex"].iter().any(|end| path.ends_with(end));
    named && path.rsplit('/').nth(1) == Some("apex")
}

fn open(bytes: SharedBytes, place: &str, budget: &Arc<Budget>, depth: u32) -> Result<Mounted, ParseError> {
    let part = Part { name: "apex".to_owned(), bytes };
    let head = container::read_head(&part.bytes)?;
    let probe = Probe { name: &part.name, head: &head, len: part.bytes.len() };
    let format = container::recognize(&probe).filter(|format| format.name() == "zip");
    let format = format.ok_or_else(|| ParseError::invalid(0, "magic", "another", "that of a ZIP file"))?;
    let parts = format.open(&PartSet { part: &part, siblings: &[] }, budget)?;
    let entry = |name: &str| parts.iter().find(|part| part.name == name).map(|part| &part.bytes);
    if let Some(original) = entry("original_apex") {
        if depth > 0 {
            return Err(ParseError::limit(0, "original_apex within each other", 2, 1));
        }
        return open(original.clone(), place, budget, depth + 1).map_err(|error| error.within("original_apex"));
    }
    let missing = |name| ParseError::invalid(0, "ZIP entries", format!("without {name}"), "an APEX");
    let name = match (entry("apex_manifest.pb"), entry("apex_manifest.json")) {
        (Some(manifest), _) => name_of_protobuf(manifest).map_err(|error| error.within("apex_manifest.pb"))?,
        (None, Some(manifest)) => name_of_json(manifest).map_err(|error| error.within("apex_manifest.json"))?,
        (None, None) => return Err(missing("apex_manifest.pb")),
    };
    let image = entry("apex_payload.img").ok_or_else(|| missing("apex_payload.img"))?.clone();
    mount(name, place, image, budget).map_err(|error| error.within("apex_payload.img"))
}

fn mount(name: String, place: &str, image: SharedBytes, budget: &Arc<Budget>) -> Result<Mounted, ParseError> {
    let head = container::read_head(&image)?;
    let Some(format) = filesystem::recognize(&head) else {
        let probe = Probe { name: "apex_payload.img", head: &head, len: image.len() };
        let format = container::recognize_foreign(&probe);
        let feature = format.map_or("its format, which is not recognised,", |foreign| foreign.name);
        return Err(ParseError::unsupported(0, feature));
    };
    let length = Some(image.len());
    let filesystem = format.mount(image, budget).map_err(|error| error.within(format.name()))?;
    let root = filesystem.root();
    let mount_point = format!("/apex/{name}");
    let filesystem = Arc::from(filesystem);
    let place = place.to_owned();
    Ok(Mounted {
        name,
        slot: None,
        place,
        mount_point,
        filesystem,
        root,
        length,
        entries: Vec::new(),
        files: Vec::new(),
    })
}

fn read(manifest: &SharedBytes) -> Result<Vec<u8>, ParseError> {
    read_vec_at(manifest.as_ref(), 0, manifest.len(), "manifest", MANIFEST_BYTES)
}

fn name_of_protobuf(manifest: &SharedBytes) -> Result<String, ParseError> {
    let raw = read(manifest)?;
    let mut name = String::new();
    for field in Fields::of(&raw) {
        if let (1, value) = field? {
            name = String::from_utf8_lossy(value.bytes().unwrap_or_default()).into_owned();
        }
    }
    checked(name)
}

fn name_of_json(manifest: &SharedBytes) -> Result<String, ParseError> {
    let manifest: serde_json::Value = serde_json::from_slice(&read(manifest)?)
        .map_err(|error| ParseError::invalid(0, "manifest", error, "a JSON object"))?;
    checked(manifest.get("name").and_then(|name| name.as_str()).unwrap_or_default().to_owned())
}

/// The name becomes a folder of the device's tree.
fn checked(name: String) -> Result<String, ParseError> {
    let valid = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if name.is_empty() || name.len() > NAME_BYTES || name.starts_with('.') || !name.chars().all(valid) {
        return Err(ParseError::invalid(0, "name", name, "letters, digits and dots"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_folder_for_apexes_are_mounted() {
        assert!(is_apex("/system/apex/com.android.wifi.apex") && is_apex("/system/apex/x.capex"));
        assert!(!is_apex("/system/app/x.apex") && !is_apex("/system/apex/x/x.apex") && !is_apex("/system/apex/x.apk"));
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_refused() {
        let protobuf = |name: &str| {
            let manifest = [&[10, u8::try_from(name.len()).unwrap()], name.as_bytes(), &[16, 1]].concat();
            name_of_protobuf(&(Arc::new(manifest) as SharedBytes))
        };
        assert_eq!(protobuf("com.android.wifi").unwrap(), "com.android.wifi");
        for name in ["", "..", "../etc", "a/b", "a b"] {
            assert!(protobuf(name).is_err(), "{name}");
        }
        let json: SharedBytes = Arc::new(br#"{"name": "com.android.x", "version": 1}"#.to_vec());
        assert_eq!(name_of_json(&json).unwrap(), "com.android.x");
        let json: SharedBytes = Arc::new(b"[".repeat(100_000));
        assert!(name_of_json(&json).is_err());
    }
}
