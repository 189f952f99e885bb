//! JSON: the source of all other formats. Its schema is printed by `preloaded schema report`.

use std::io;

use super::{Carries, ReportFormat, Run, Style};

/// `--format json`.
pub(super) struct Json;

impl ReportFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "everything; all other formats can be made of it later"
    }

    fn carries(&self) -> Carries {
        Carries::FindingsAndPackages
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, run)?;
        out.write_all(b"\n")
    }
}
