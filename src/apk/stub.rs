//! Package files that are there for their name alone.
//!
//! Measured on 267 packages of two devices: no real app declares more components than it has classes, and of those
//! without components all but a placeholder offer a library or a backup agent.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Apk, Code, ComponentKind, LibraryKind, Manifest};

/// Why a package file is no full app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stub {
    /// Its manifest has components and does not say `hasCode="false"`, and the file has neither DEX nor native code.
    /// Devices before Android 9 may have the code beside the file, in `oat`.
    NoCode,
    /// It declares more components than its DEX files define classes.
    FewClasses,
    /// It has code and nothing that could be started: no components, library, backup agent or instrumentation.
    NoComponents,
}

impl Apk {
    /// As [`Manifest::stub`], with the file's own code.
    #[must_use]
    pub fn stub(&self) -> Option<Stub> {
        self.manifest.stub(&self.code)
    }
}

impl Manifest {
    /// Whether the file with this code is a placeholder. A split, an overlay and a package without code by its manifest are
    /// none.
    #[must_use]
    pub fn stub(&self, code: &Code) -> Option<Stub> {
        if self.split.is_some() || self.overlay.is_some() || !self.has_code {
            return None;
        }
        let components = self.components.iter().filter(|component| component.kind != ComponentKind::ActivityAlias);
        let components = components.map(|component| component.name.as_str());
        let most = components.clone().count();
        if code.dex_files == 0 {
            return (most > 0 && code.abis.is_empty()).then_some(Stub::NoCode);
        }
        let distinct = || components.collect::<BTreeSet<_>>().len() as u64;
        if code.classes.is_some_and(|classes| classes < most as u64 && classes < distinct()) {
            return Some(Stub::FewClasses);
        }
        let offers = self.libraries.iter().any(|library| {
            matches!(library.kind, LibraryKind::Library | LibraryKind::StaticLibrary | LibraryKind::SdkLibrary)
        });
        let starts = offers || self.has_backup_agent || !self.instrumentations.is_empty();
        (most == 0 && !starts).then_some(Stub::NoComponents)
    }
}
