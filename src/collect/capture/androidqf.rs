//! androidqf's `packages.json`: what its helper on the phone, or `pm list packages`, told, and the certificates that it read
//! from pulled files.
//!
//! ```text
//! [{"name": ..., "installer": "null", "uid": 10271, "disabled": false, "system": false, "third_party": true,
//!   "files": [{"path": "/data/app/.../base.apk", "sha256": ..., "verified_certificate": true,
//!              "certificate": {"Sha256": ...}}]}]
//! ```

use serde_json::Value;

use super::document::{Document, number, signer, text};
use super::texts::Texts;
use crate::inventory::{Evidence, Fact, Gap, GapReason, Inventory, SignerDepth, SourceId};

/// The list, and the file that has it.
pub(super) struct Listed<'d> {
    document: &'d Document,
    packages: &'d [Value],
}

impl<'d> Listed<'d> {
    pub(super) fn of(documents: &'d [Document]) -> Option<Self> {
        documents.iter().find_map(|document| {
            let packages = document.value.as_array()?;
            let named = |package: &Value| text(package, "name").is_some() && package.get("files").is_some();
            packages.first().is_some_and(named).then_some(Self { document, packages })
        })
    }

    /// As an answer of `pm list packages -f -i -U`, so that it is held against a dump or stands in its place.
    pub(super) fn as_list(&self, texts: &mut Texts) {
        let mut lines = String::new();
        for package in self.packages {
            let (Some(name), Some(path)) = (text(package, "name"), path(package)) else { continue };
            let whole = |text: &str| text.chars().all(|c| !c.is_control() && c != ' ');
            if !whole(name) || !whole(path) {
                continue;
            }
            let installer = text(package, "installer").unwrap_or("null");
            lines.push_str(&format!("package:{path}={name}  installer={installer}"));
            if let Some(uid) = number(package, "uid") {
                lines.push_str(&format!(" uid:{uid}"));
            }
            lines.push('\n');
        }
        if !lines.is_empty() {
            let place = format!("{}, as lines of `pm list packages`", self.document.name);
            texts.keep_list(0, place, lines);
        }
    }

    /// Adds the certificates that were read from pulled files to packages whose signers are known by number at most.
    pub(super) fn certify(&self, inventory: &mut Inventory) {
        let source = SourceId(u32::try_from(inventory.sources.len()).unwrap_or(u32::MAX));
        let mut used = false;
        if let Fact::Known { value: packages, .. } = &mut inventory.packages {
            for (number, listed) in (1_u32..).zip(self.packages) {
                let found =
                    text(listed, "name").and_then(|name| packages.iter_mut().find(|package| package.name == name));
                let Some(copy) = found.and_then(|package| package.copies.first_mut()) else { continue };
                let file = listed.get("files").and_then(|files| files.get(0));
                let Some(sha256) = file.and_then(|file| text(file.get("certificate")?, "Sha256")) else { continue };
                // androidqf's word that it verified them is not ours.
                let Some(mut signer) = signer(sha256, SignerDepth::Claimed) else { continue };
                let numbers = copy.signers.known().map(Vec::as_slice).unwrap_or_default();
                match numbers {
                    [] => {}
                    [one] if one.sha256.is_none() => signer.hash_code.clone_from(&one.hash_code),
                    _ => continue,
                }
                let at = Evidence { source, at: Some(format!("package {number}")) };
                copy.signers = Fact::new(vec![signer], &at);
                used = true;
            }
        }
        if used {
            inventory.sources.push(self.document.origin());
        }
        let unread = self.packages.iter().filter(|package| path(package).is_none()).count();
        if unread > 0 {
            let words = format!("{unread} packages have no file");
            inventory.gaps.push(
                Gap::new(&self.document.name, GapReason::Missing, words).hiding(crate::inventory::Hides::Packages),
            );
        }
        inventory.normalize();
    }
}

fn path(package: &Value) -> Option<&str> {
    let file = package.get("files")?.get(0)?;
    text(file, "path").filter(|path| path.starts_with('/'))
}
