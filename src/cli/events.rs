//! What happens while targets are read and judged, as lines of JSON.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;

use super::exit::usage;
use super::target::Watch;
use crate::inventory::Target;
use crate::report::{Event, EventKind, Identity, TargetReport, TargetResult};

/// Where events go, if they go anywhere. Each line is written at once, so that a reader can follow.
pub(super) struct Events {
    out: Option<Mutex<Sink>>,
    identity: Identity,
}

struct Sink {
    name: String,
    out: Box<dyn Write + Send>,
    /// The first line that could not be written; nothing is written after it.
    failed: Option<io::Error>,
}

impl Events {
    /// Events into a file, to standard output for `-`, or nowhere.
    ///
    /// # Errors
    /// The file can't be made.
    pub(super) fn open(path: Option<&Path>, identity: Identity) -> anyhow::Result<Self> {
        let sink = |path: &Path| -> anyhow::Result<Mutex<Sink>> {
            let name = path.display().to_string();
            let out: Box<dyn Write + Send> = if path == Path::new("-") {
                Box::new(io::stdout())
            } else {
                Box::new(File::create(path).map_err(|error| usage(format!("{name}: {error}")))?)
            };
            Ok(Mutex::new(Sink { name, out, failed: None }))
        };
        Ok(Self { out: path.map(sink).transpose()?, identity })
    }

    /// Something happened now.
    pub(super) fn emit(&self, kind: EventKind) {
        let Some(out) = &self.out else { return };
        let Ok(mut sink) = out.lock() else { return };
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        if sink.failed.is_none() {
            let written = serde_json::to_vec(&Event::new(at, kind)).map_err(io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                sink.out.write_all(&line)?;
                sink.out.flush()
            });
            sink.failed = written.err();
        }
    }

    /// A target was judged, or could not be read.
    pub(super) fn judged(&self, target: usize, report: &TargetReport) {
        if self.out.is_none() {
            return;
        }
        let name = self.identity.name(&report.target, target + 1);
        let serial = |text: &str| self.identity.clean(text, &report.target, target + 1);
        self.emit(match &report.result {
            TargetResult::Judged { assessment, coverage, .. } => EventKind::Judged {
                target,
                name,
                overall: assessment.overall,
                counts: assessment.counts,
                gaps: coverage.gaps.len(),
            },
            TargetResult::Unread { temporary, error } => {
                EventKind::Unread { target, name, temporary: *temporary, error: serial(error) }
            }
        });
    }

    /// The end of the stream.
    ///
    /// # Errors
    /// A line that could not be written, whenever that was.
    pub(super) fn close(self) -> anyhow::Result<()> {
        let Some(sink) = self.out.and_then(|out| out.into_inner().ok()) else { return Ok(()) };
        match sink.failed {
            Some(error) => Err(error).context(sink.name),
            None => Ok(()),
        }
    }
}

impl Watch for Events {
    fn started(&self, targets: usize) {
        self.emit(EventKind::Started { targets });
    }

    fn reading(&self, target: usize, named: &Target) {
        self.emit(EventKind::Reading { target, name: self.identity.name(named, target + 1) });
    }

    fn step(&self, target: usize, text: &str) {
        self.emit(EventKind::Step { target, text: text.to_owned() });
    }

    fn notice(&self, target: usize, text: &str) {
        self.emit(EventKind::Notice { target, text: text.to_owned() });
    }
}
