//! What the manifest says that decides how a package must be signed.

use super::super::axml::{Document, Event};
use super::super::directory::Directory;
use super::super::{Table, manifest, read_manifest};
use crate::bytes::ParseError;

const TARGET_SANDBOX_VERSION: u32 = 0x0101_054c;
/// Types of whole numbers.
const INTEGERS: std::ops::RangeInclusive<u8> = 0x10..=0x11;

/// The facts.
pub(super) struct Facts {
    pub(super) min_sdk: u32,
    pub(super) target_sdk: u32,
    /// 1 where it is not said.
    pub(super) target_sandbox: u32,
}

impl Facts {
    pub(super) fn read(directory: &Directory) -> Result<Self, ParseError> {
        let document = Document::open(read_manifest(directory)?)?;
        let mut table = Table::new(directory, None);
        let manifest = manifest::read(&document, &mut table, &[])?;
        let mut target_sandbox = 1;
        if let Some(Event::Start(element)) = document.events().step()? {
            let value = document.by_id(&element, TARGET_SANDBOX_VERSION)?;
            target_sandbox = value.filter(|value| INTEGERS.contains(&value.kind)).map_or(1, |value| value.data);
        }
        Ok(Self { min_sdk: manifest.min_sdk, target_sdk: manifest.target_sdk, target_sandbox })
    }
}
