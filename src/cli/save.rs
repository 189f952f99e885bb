//! Inventories as files, whole or not at all.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::output::write_whole;
use crate::inventory::Inventory;

/// Saves an inventory into a folder under its target's name. The folder is made where there is none.
pub(super) fn inventory(folder: &Path, name: &str, inventory: &Inventory) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    let path = folder.join(file_name(folder, name));
    write_whole(&path, &text(inventory)?).with_context(|| format!("{}", path.display()))?;
    Ok(path)
}

/// The text of a saved inventory.
pub(super) fn text(inventory: &Inventory) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(inventory)?;
    text.push(b'\n');
    Ok(text)
}

/// A name of letters, digits, dots, hyphens and underscores that no other target of this run has.
fn file_name(folder: &Path, name: &str) -> String {
    static TAKEN: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let plain = plain.trim_start_matches('.');
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = taken.get_or_insert_with(HashSet::new);
    let numbered = |number: u32| match number {
        1 => format!("{plain}.json"),
        more => format!("{plain}-{more}.json"),
    };
    let free = (1..=u32::MAX).map(numbered).find(|name| taken.insert(folder.join(name)));
    free.unwrap_or_else(|| numbered(1))
}
