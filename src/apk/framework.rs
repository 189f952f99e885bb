//! Resource tables that package files refer into beside their own: the platform's (package 1) and those of the device's
//! maker, `framework-res.apk` and its neighbours in `/system/framework`.

use super::directory::Directory;
use super::resources::Resources;
use super::{RESOURCES, open_resources};
use crate::bytes::{ParseError, SharedBytes};

/// Id of the packages of apps: nobody refers into another app's.
const APP: u8 = 0x7f;
/// Tables of one device; the most that was seen has five.
const MAX_TABLES: usize = 64;

/// Tables at hand. Empty: references into other packages stay references.
#[derive(Default)]
pub struct Framework {
    tables: Vec<Resources>,
}

impl Framework {
    /// Adds the table of a package file; of two with the same package the first counts.
    ///
    /// # Errors
    /// The place in the file that can't be read; a table of an app, into which nobody refers.
    pub fn add(&mut self, source: &SharedBytes) -> Result<(), ParseError> {
        let contents = open_resources(&Directory::open(source)?)?;
        let table = Resources::open(contents).map_err(|error| error.within(RESOURCES))?;
        if self.tables.len() >= MAX_TABLES {
            return Err(ParseError::limit(0, "number of frameworks", MAX_TABLES as u64 + 1, MAX_TABLES as u64));
        }
        if !table.packages().iter().any(|&package| package != APP && package != 0) {
            let found = table.packages().first().map_or_else(|| "absent".to_owned(), |id| format!("0x{id:02x}"));
            return Err(ParseError::invalid(0, "package", found, "that of a platform, such as 0x01").within(RESOURCES));
        }
        self.tables.push(table);
        Ok(())
    }

    /// The table that a resource belongs to, for the look-ups of one package file.
    pub(super) fn table(&self, id: u32) -> Option<Resources> {
        let [package, ..] = id.to_be_bytes();
        let shared = |table: &Resources| table.packages().contains(&package);
        let known = package != APP && package != 0;
        self.tables.iter().find(|table| known && shared(table)).map(Resources::shared)
    }
}
