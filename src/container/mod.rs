//! Wrappings: one source in, named parts out. One format, one file.
//!
//! A format is found by its content: [`ContainerFormat::recognizes`] looks at the first and last bytes, never at a name
//! alone. True followed by an error of `open` is a gap of the target, never "try the next format".

use crate::bytes::{Limits, ParseError, SharedBytes};

/// A named piece of a container.
#[derive(Clone)]
pub struct Part {
    /// Name within its container: a file's path, a partition's name. Untrusted: never used as a path of the host.
    pub name: String,
    /// Its bytes, read from the container only when asked for.
    pub bytes: SharedBytes,
}

/// A part and those beside it, since some formats are spread over several files.
#[derive(Clone, Copy)]
pub struct PartSet<'a> {
    /// The part that was recognised.
    pub part: &'a Part,
    /// All parts of the same container or folder, `part` among them.
    pub siblings: &'a [Part],
}

/// What a format is recognised by.
pub struct Probe<'a> {
    /// The part's name.
    pub name: &'a str,
    /// Up to [`PROBE_BYTES`] of its beginning.
    pub head: &'a [u8],
    /// Length of the whole part in bytes.
    pub len: u64,
}

/// Bytes of the beginning that a probe sees. The furthest magic of a supported format is ext4's at 1080 and tar's at 257;
/// LP metadata's geometry starts at 4096.
pub const PROBE_BYTES: u64 = 8192;

/// A format of wrapping.
pub trait ContainerFormat: Sync {
    /// Short name, printed among a target's layers.
    fn name(&self) -> &'static str;

    /// Whether the bytes are of this format, by magic numbers at fixed places. Cheap, no reading.
    fn recognizes(&self, probe: &Probe<'_>) -> bool;

    /// The parts, in the container's order, unread.
    ///
    /// # Errors
    /// Whatever is wrong with the container's own structure. A part's bytes report their own errors when they are read.
    fn open(&self, input: &PartSet<'_>, limits: &Limits) -> Result<Vec<Part>, ParseError>;

    /// A small valid container, for tests that damage it.
    #[cfg(test)]
    fn sample(&self) -> Vec<u8>;
}

/// Every format, in the order of probing.
pub static FORMATS: &[&dyn ContainerFormat] = &[];
