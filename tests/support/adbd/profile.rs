//! What a simulated phone is, and what it answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a phone treats a computer that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Does not ask.
    None,
    /// Knows every key: accepts the first signature.
    Known,
    /// Knows the key of [`Profile::key`] alone, and looks at signatures.
    Verifies,
    /// Shows its dialog, which [`Adbd::accept`](super::Adbd::accept) accepts.
    Prompt,
    /// Shows its dialog and nobody accepts it.
    Never,
}

/// What goes wrong after a number of bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing more comes, and the stream stays open.
    Hang,
    /// The stream ends, with no mark and no exit packet.
    Close,
    /// The connection ends, as if the cable were pulled.
    Drop,
}

/// Which commands a script answers.
#[derive(Debug, Clone)]
pub(crate) enum Matches {
    /// This line.
    Exactly(String),
    /// Every line that begins so.
    StartingWith(String),
}

/// A scripted answer.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) matches: Matches,
    pub(crate) stdout: Arc<[u8]>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) status: u8,
    pub(crate) delay: Duration,
    /// Bytes per second.
    pub(crate) rate: Option<u32>,
    /// After how many bytes of output what goes wrong.
    pub(crate) fault: Option<(usize, Fault)>,
    /// Whether the command reads its input: it waits for ever unless that is redirected.
    pub(crate) reads_input: bool,
}

impl Script {
    /// An answer to one line: this output, status 0.
    pub(crate) fn new(line: &str, stdout: impl AsRef<[u8]>) -> Self {
        Self {
            matches: Matches::Exactly(line.to_owned()),
            stdout: stdout.as_ref().into(),
            stderr: Vec::new(),
            status: 0,
            delay: Duration::ZERO,
            rate: None,
            fault: None,
            reads_input: false,
        }
    }

    /// An answer to every line that begins so.
    pub(crate) fn starting_with(start: &str, stdout: impl AsRef<[u8]>) -> Self {
        Self { matches: Matches::StartingWith(start.to_owned()), ..Self::new(start, stdout) }
    }

    pub(crate) fn stderr(self, text: &str) -> Self {
        Self { stderr: text.into(), ..self }
    }

    pub(crate) fn status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn rate(self, bytes_per_second: u32) -> Self {
        Self { rate: Some(bytes_per_second), ..self }
    }

    pub(crate) fn fault(self, after: usize, fault: Fault) -> Self {
        Self { fault: Some((after, fault)), ..self }
    }

    pub(crate) fn reads_input(self) -> Self {
        Self { reads_input: true, ..self }
    }

    pub(crate) fn answers(&self, line: &str) -> bool {
        match &self.matches {
            Matches::Exactly(text) => line == text,
            Matches::StartingWith(text) => line.starts_with(text),
        }
    }
}

/// What a phone is.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// `device`, `recovery` ...
    pub(crate) state: &'static str,
    pub(crate) product: &'static str,
    pub(crate) model: &'static str,
    pub(crate) device: &'static str,
    /// Protocol features. Without `shell_v2` the shell is that of Android before 7.
    pub(crate) features: Vec<&'static str>,
    pub(crate) auth: Auth,
    /// The private key whose public half the phone knows, for [`Auth::Verifies`].
    pub(crate) key: Option<PathBuf>,
    /// Longest payload of a packet.
    pub(crate) max_data: u32,
    /// What every request costs before anything happens.
    pub(crate) latency: Duration,
    /// The first that matches answers.
    pub(crate) scripts: Vec<Script>,
    /// Whether scripts answer before files do.
    pub(crate) scripts_first: bool,
    /// Regular files by absolute path.
    pub(crate) files: BTreeMap<String, Arc<[u8]>>,
    /// Tools that its shell has not: `dd`, `stat`. What stands behind `ls -l` prints as toolbox did, without `stat`.
    pub(crate) lacks: Vec<&'static str>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            state: "device",
            product: "sim",
            model: "Sim Phone",
            device: "simulator",
            features: vec!["cmd", "shell_v2", "fixed_push_mkdir"],
            auth: Auth::None,
            key: None,
            max_data: 1 << 20,
            latency: Duration::ZERO,
            scripts: Vec::new(),
            scripts_first: false,
            files: BTreeMap::new(),
            lacks: Vec::new(),
        }
    }
}

impl Profile {
    /// A phone with these answers.
    pub(crate) fn answering(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self { scripts: scripts.into_iter().collect(), ..Self::default() }
    }

    /// The same phone with Android before 7.
    pub(crate) fn legacy(self) -> Self {
        Self { features: Vec::new(), ..self }
    }
}
