//! Wrappings: one source in, named parts out. One format, one file.
//!
//! A format is found by its content: [`ContainerFormat::recognizes`] looks at the first bytes, and at a name alone only where a format
//! has no magic number. True followed by an error of `open` is a gap of the target, never "try the next format".

mod amlogic;
mod block_update;
mod boot;
mod brotli;
mod bzip2;
mod cpio;
mod foreign;
mod gpt;
mod gzip;
mod imagewty;
mod lz4;
mod mbr;
mod mediatek;
mod pac;
mod payload;
mod rockchip;
mod sets;
mod sparse;
mod star;
mod super_image;
mod tar;
mod update_app;
mod vendor_header;
mod xz;
mod zip;
mod zstd;

use std::sync::Arc;

use crate::bytes::{Budget, Failed, ParseError, SharedBytes, Window, le};

pub use block_update::is_data as is_block_update_data;
pub use foreign::{Foreign, recognize as recognize_foreign, recognize_end};
pub use sets::arrange;

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

    /// The parts, in the container's order, unread. A later piece of a split set has none: the first gives the whole.
    ///
    /// # Errors
    /// Whatever is wrong with the container's own structure. A part's bytes report their own errors when they are read.
    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError>;

    /// A small valid container, for tests that damage it.
    #[cfg(test)]
    fn sample(&self) -> Vec<u8>;

    /// The sample's name, for a format that only a name tells of.
    #[cfg(test)]
    fn sample_name(&self) -> &'static str {
        "sample"
    }
}

/// Every format, in the order of probing.
pub static FORMATS: &[&dyn ContainerFormat] = &[
    &sparse::Sparse,
    &super_image::SuperImage,
    &payload::Payload,
    &block_update::BlockUpdate,
    &gzip::Gzip,
    &lz4::Lz4,
    &xz::Xz,
    &zstd::Zstd,
    &bzip2::Bzip2,
    &zip::Zip,
    &tar::Tar,
    &amlogic::Amlogic,
    &imagewty::ImageWty,
    &pac::Pac,
    &rockchip::Rkfw,
    &rockchip::Rkaf,
    &update_app::UpdateApp,
    &star::Star,
    &mediatek::MediaTek,
    &vendor_header::VendorHeader,
    &boot::Boot,
    &cpio::Cpio,
    &brotli::Brotli,
    &gpt::Gpt,
    &mbr::Mbr,
];

/// The first [`PROBE_BYTES`] of a source, or all of it.
///
/// # Errors
/// What the source reports.
pub fn read_head(source: &SharedBytes) -> Result<Vec<u8>, ParseError> {
    read_head_of(source, PROBE_BYTES)
}

/// The first `len` bytes of a source, or all of it; [`PROBE_BYTES`] at most.
///
/// # Errors
/// What the source reports.
pub fn read_head_of(source: &SharedBytes, len: u64) -> Result<Vec<u8>, ParseError> {
    crate::bytes::read_vec_at(source.as_ref(), 0, source.len().min(len), "probe", PROBE_BYTES)
}

/// The name of a compressed file without the end that says so.
fn inner_name(name: &str, ends: &[&str]) -> String {
    let lower = name.to_ascii_lowercase();
    let stem = |end: &&str| Some(name.get(..lower.strip_suffix(*end)?.len())?.to_owned());
    ends.iter().find_map(stem).filter(|stem| !stem.is_empty()).unwrap_or_else(|| name.to_owned())
}

/// A range of a container; of one that the container's end cuts off, an error when it is read: what lies before is still good.
fn stored(source: &SharedBytes, start: u64, len: u64) -> SharedBytes {
    match Window::new(source.clone(), start, len) {
        Ok(window) => Arc::new(window),
        Err(error) => Arc::new(Failed::new(len, error)),
    }
}

/// A field of text up to its first NUL; bytes that are not UTF-8 are replaced.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

/// A field of UTF-16 text, little endian, up to its first NUL.
fn utf16(field: &[u8]) -> String {
    let units = field.chunks_exact(2).filter_map(|unit| le::u16(unit, 0)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The supported format that recognises the probe.
#[must_use]
pub fn recognize(probe: &Probe<'_>) -> Option<&'static dyn ContainerFormat> {
    FORMATS.iter().copied().find(|format| format.recognizes(probe))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bytes::Limits;

    /// Opens and reads everything, whatever comes of it.
    fn exercise(format: &dyn ContainerFormat, bytes: Vec<u8>) {
        let budget = Budget::new(Limits { decompressed: 1 << 20, parts: 100, ..Limits::default() });
        let part = Part { name: "sample.0".to_owned(), bytes: Arc::new(bytes) };
        let set = PartSet { part: &part, siblings: std::slice::from_ref(&part) };
        for part in format.open(&set, &budget).unwrap_or_default() {
            let mut buf = [0; 512];
            let mut at = 0;
            // Virtual lengths may be huge: the beginning and the end are enough to see every structure.
            while at < part.bytes.len().min(1 << 16) {
                let len = usize::try_from(part.bytes.len() - at).unwrap_or(512).min(512);
                if part.bytes.read_exact_at(at, &mut buf[..len]).is_err() {
                    break;
                }
                at += len as u64;
            }
            let _ = part.bytes.read_exact_at(part.bytes.len().saturating_sub(1), &mut buf[..1]);
            assert!(part.bytes.read_exact_at(part.bytes.len(), &mut buf[..1]).is_err());
        }
    }

    #[test]
    fn every_format_recognises_its_own_sample_and_no_other() {
        for format in FORMATS {
            let sample = format.sample();
            let probe = Probe { name: format.sample_name(), head: &sample, len: sample.len() as u64 };
            let names: Vec<_> = FORMATS.iter().filter(|other| other.recognizes(&probe)).map(|f| f.name()).collect();
            assert_eq!(names, [format.name()]);
            assert!(recognize_foreign(&probe).is_none(), "{}", format.name());
        }
        let names: BTreeSet<_> = FORMATS.iter().map(|format| format.name()).collect();
        assert_eq!(names.len(), FORMATS.len());
    }

    #[test]
    #[ignore = "writes the samples into the folder that SEEDS names: cargo xtask fuzz"]
    fn samples_become_the_seeds_of_the_fuzz_target() {
        let folder = std::path::PathBuf::from(std::env::var_os("SEEDS").unwrap()).join("containers");
        std::fs::create_dir_all(&folder).unwrap();
        for format in FORMATS {
            std::fs::write(folder.join(format.name().replace(' ', "-")), format.sample()).unwrap();
        }
    }

    #[test]
    fn every_sample_opens_and_reads() {
        for format in FORMATS {
            let part = Part { name: "sample".to_owned(), bytes: Arc::new(format.sample()) };
            let set = PartSet { part: &part, siblings: &[] };
            let parts = format.open(&set, &Budget::new(Limits::default())).unwrap();
            assert!(!parts.is_empty(), "{}", format.name());
            for part in parts {
                assert!(!read_head(&part.bytes).unwrap().is_empty(), "{} {}", format.name(), part.name);
            }
        }
    }

    #[test]
    fn a_sample_cut_or_changed_at_any_byte_does_no_harm() {
        for format in FORMATS {
            let sample = format.sample();
            for at in 0..sample.len() {
                exercise(*format, sample[..at].to_vec());
                for value in [0, 0xff, sample[at] ^ 1, sample[at] ^ 0x80] {
                    let mut changed = sample.clone();
                    changed[at] = value;
                    exercise(*format, changed);
                }
            }
        }
    }
}
