//! One package file: what Android would read from it.
//!
//! Cost does not depend on the file's size: the end, the central directory, the signing block and the entries that hold
//! an answer are read, nothing else.

mod apex;
mod axml;
mod certificate;
mod chunk;
mod der;
mod dex;
mod directory;
mod elf;
mod entry;
mod framework;
mod jar;
mod known_certificates;
mod locale;
mod manifest;
mod named;
mod native;
mod network;
mod paged;
mod resources;
mod signing_block;
mod strings;
mod stub;
mod value;
mod verify;

use crate::bytes::{ParseError, SharedBytes};
pub use apex::{Apex, ApexKey, ApexManifest, Payload};
pub use certificate::CertificateFacts;
pub use dex::{Dex, Prefix, Sdk};
use directory::{Directory, Record};
pub use elf::{Elf, ElfKind, Relro};
use entry::Reader;
pub use framework::Framework;
pub use known_certificates::{Known, KnownCertificates, KnownError};
pub use locale::{Locale, LocaleError};
pub use manifest::{
    Component, ComponentKind, DeclaredPermission, Feature, Hook, ImpliedPermission, Instrumentation, IntentFilter,
    Label, Library, LibraryKind, Manifest, MetaData, Overlay, Queries, RequestedPermission, Role, Screen, Unresolved,
};
use manifest::{Resolve, Resolved};
pub use named::{XmlElement, XmlFile, values, xml_files};
pub use native::NativeLibrary;
pub use network::{DomainConfig, NetworkConfig};
use paged::Paged;
use resources::{Found, Resources};
pub use stub::Stub;

pub use verify::{
    Issue, Scheme, SdkRange, Signer, Stamp, StampStatus, Verification, verify, verify_stamp, verify_with,
};

/// The entry of a package file that says what it is.
pub const MANIFEST: &str = "AndroidManifest.xml";
const RESOURCES: &str = "resources.arsc";
/// The largest manifest measured (Play services) has 0.6 MiB.
const MAX_MANIFEST: u64 = 16 << 20;
/// Android's own table has 32 MiB. Since API 30 tables are stored and cost no memory.
const MAX_RESOURCES: u64 = 64 << 20;
/// References that are followed from one value; Android follows as many.
const MAX_REFERENCES: u32 = 20;

/// What a package file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apk {
    /// `AndroidManifest.xml`.
    pub manifest: Manifest,
    /// Whether each reference from the manifest into `resources.arsc` could be looked up. After an error the label, or
    /// whatever else referred to the table, reads as if it were not there.
    pub resources: Result<(), ParseError>,
    /// What `networkSecurityConfig` refers to; `None` where the manifest names none.
    pub network: Option<Result<NetworkConfig, ParseError>>,
    /// Certificates that its signatures claim: each signer's own, newest scheme first; an error where the block or
    /// signature file is damaged. As Android since 7.0, v1 counts only where no other scheme is claimed. Empty: unsigned.
    pub signers: Result<Vec<Certificate>, ParseError>,
    /// DEX and native code, by the central directory.
    pub code: Code,
    /// Whether it is an APEX or CAPEX: see [`apex()`].
    pub is_apex: bool,
}

/// A certificate claimed by a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// `v1`, `v2`, `v3`, `v3.1`.
    pub scheme: &'static str,
    /// The certificate as it stands in the file.
    pub der: Vec<u8>,
    /// Certificates that it replaced, oldest first, as a proof of rotation claims.
    pub past: Vec<PastCertificate>,
}

/// A former certificate of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCertificate {
    /// The certificate as it stands in the file.
    pub der: Vec<u8>,
    /// What it may still be used for: 1 data, 2 shared user, 4 permissions, 8 going back to it, 16 authenticators.
    pub flags: u32,
}

impl PastCertificate {
    /// SHA-256 of the DER bytes, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(&self.der)
    }

    /// Whether packages that are still signed with it hold the permissions of those that are not.
    #[must_use]
    pub fn may_share_permissions(&self) -> bool {
        self.flags & 4 != 0
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from(if number < 10 { b'0' + number } else { b'a' - 10 + number });
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

impl Certificate {
    /// SHA-256 of the DER bytes, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(&self.der)
    }

    /// Java's `Arrays.hashCode` of the DER bytes, as `dumpsys package` prints it: hex without leading zeros.
    #[must_use]
    pub fn hash_code(&self) -> String {
        let hash = self.der.iter().fold(1_u32, |hash, &byte| {
            hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed()).cast_unsigned())
        });
        format!("{hash:x}")
    }
}

/// Code that the file carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Code {
    /// `classes.dex`, `classes2.dex` ...
    pub dex_files: u32,
    /// Their uncompressed length in bytes.
    pub dex_bytes: u64,
    /// Classes that they define, by their headers; `None` where one can't be read.
    pub classes: Option<u64>,
    /// Folders of `lib/` with libraries, sorted.
    pub abis: Vec<String>,
    /// The first library of each, in the same order.
    pub native: Vec<NativeAbi>,
}

impl Code {
    /// Whether it carries native code, and none for 64 bits.
    #[must_use]
    pub fn is_32_bit_only(&self) -> bool {
        native::is_32_bit_only(&self.abis)
    }
}

/// What the ELF header of the first library of an ABI says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeAbi {
    /// Folder of `lib/`.
    pub abi: String,
    /// File name of the library.
    pub library: String,
    /// Whether it is ELF of the machine and word size that the folder stands for; false also where it can't be read.
    pub matches: bool,
    /// Least alignment in bytes of its `PT_LOAD` segments: below 16,384 it can't be loaded with pages of 16 KiB.
    pub load_alignment: Option<u64>,
}

/// Locales of labels that [`open`] reads beside the default.
pub const LOCALES: [Locale; 2] = [Locale::ENGLISH, Locale::RUSSIAN];

/// What reading a package file may lean on.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Locales in which the label is wanted beside the default.
    pub locales: &'a [Locale],
    /// Where references into other packages lead; without it they stay references, see [`Manifest::unresolved`].
    pub framework: Option<&'a Framework>,
}

/// Reads a package file, its label also in English and Russian.
///
/// # Errors
/// The place in the ZIP structure or the manifest that can't be read, or that Android refuses. A damaged resource table
/// is an error of [`Apk::resources`] alone, a damaged signature one of [`Apk::signers`].
pub fn open(source: &SharedBytes) -> Result<Apk, ParseError> {
    open_with(source, Options { locales: &LOCALES, framework: None })
}

/// As [`open`], with other locales and references into other packages followed.
///
/// # Errors
/// As [`open`].
pub fn open_with(source: &SharedBytes, options: Options<'_>) -> Result<Apk, ParseError> {
    let opened = Opened::read(source, options)?;
    let (network, signers, code, is_apex) = (opened.network(), opened.signers(), opened.code(), opened.is_apex());
    let Opened { manifest, resources, .. } = opened;
    Ok(Apk { manifest, resources, network, signers, code, is_apex })
}

/// A package file of which the manifest was read; the rest of what an [`Apk`] holds is read as it is asked for.
pub struct Opened {
    directory: Directory,
    /// As [`Apk::manifest`].
    pub manifest: Manifest,
    /// As [`Apk::resources`].
    pub resources: Result<(), ParseError>,
}

impl Opened {
    /// Reads the directory, the manifest, and what it refers to in `resources.arsc`.
    ///
    /// # Errors
    /// As [`open`].
    pub fn read(source: &SharedBytes, options: Options<'_>) -> Result<Self, ParseError> {
        let directory = Directory::open(&Paged::open(source))?;
        let document = read_manifest(&directory)?;
        let mut table = Table::new(&directory, options.framework);
        let manifest = axml::Document::open(document);
        let manifest = manifest.and_then(|document| manifest::read(&document, &mut table, options.locales));
        let manifest = manifest.map_err(|error| error.within(MANIFEST))?;
        let resources = table.failed.take().map_or(Ok(()), Err);
        Ok(Self { directory, manifest, resources })
    }

    /// As [`Apk::network`].
    #[must_use]
    pub fn network(&self) -> Option<Result<NetworkConfig, ParseError>> {
        self.manifest.network_security_config.as_ref().map(|path| network_config(&self.directory, path))
    }

    /// As [`Apk::signers`].
    ///
    /// # Errors
    /// The place in the signing block or the signature file that can't be read.
    pub fn signers(&self) -> Result<Vec<Certificate>, ParseError> {
        signers(&self.directory)
    }

    /// As [`Apk::code`].
    #[must_use]
    pub fn code(&self) -> Code {
        native::code(&self.directory)
    }

    /// As [`Code::abis`], by the directory alone.
    #[must_use]
    pub fn abis(&self) -> Vec<String> {
        native::abis(&self.directory).map(|(_, abi, _)| abi.to_owned()).collect()
    }

    /// As [`Apk::is_apex`].
    #[must_use]
    pub fn is_apex(&self) -> bool {
        apex::is_one(&self.directory)
    }
}

/// The certificates that its signatures claim, as of [`Apk::signers`], and nothing else: a few kilobytes of any file.
///
/// # Errors
/// The place in the ZIP structure, the signing block or the signature file that can't be read.
pub fn certificates(source: &SharedBytes) -> Result<Vec<Certificate>, ParseError> {
    signers(&Directory::open(source)?)
}

/// `AndroidManifest.xml` as it stands in the file, inflated: binary XML.
///
/// # Errors
/// The place in the ZIP structure that can't be read.
pub fn manifest_bytes(source: &SharedBytes) -> Result<Vec<u8>, ParseError> {
    read_manifest(&Directory::open(source)?)
}

/// Classes that the package's DEX files define. Reads some megabytes of a large package, so [`open`] does not.
///
/// # Errors
/// The place in the ZIP structure or in a DEX file that can't be read.
pub fn dex(source: &SharedBytes) -> Result<Dex, ParseError> {
    dex::read(&Directory::open(source)?)
}

/// Every native library of the package. Reads the tables of each, and inflates those that are deflated, so [`open`] does
/// not.
///
/// # Errors
/// The place in the ZIP structure that can't be read. A damaged library is an error of [`NativeLibrary::elf`] alone.
pub fn native(source: &SharedBytes) -> Result<Vec<NativeLibrary>, ParseError> {
    native::libraries(&Directory::open(source)?)
}

/// What an APEX or CAPEX says of itself beside its package manifest; `None` for any other package file. Of a CAPEX the
/// whole APEX within is inflated.
///
/// # Errors
/// The place in the ZIP structure or in the APEX's manifest that can't be read.
pub fn apex(source: &SharedBytes) -> Result<Option<Apex>, ParseError> {
    apex::read(&Directory::open(source)?)
}

/// Names of the package files in a file that is a set of them (`.apks`, `.xapk`, `.apkm`), sorted; empty for any other ZIP.
///
/// # Errors
/// The place in the ZIP structure that can't be read.
pub fn bundled(source: &SharedBytes) -> Result<Vec<String>, ParseError> {
    let directory = Directory::open(source)?;
    if directory.find(MANIFEST.as_bytes()).is_some() {
        return Ok(Vec::new());
    }
    let names = directory.with_prefix(b"").filter(|record| record.name.ends_with(b".apk"));
    Ok(names.map(|record| String::from_utf8_lossy(record.name).into_owned()).collect())
}

fn network_config(directory: &Directory, path: &str) -> Result<NetworkConfig, ParseError> {
    let read = || {
        let record = directory.find(path.as_bytes());
        let record = record.ok_or_else(|| ParseError::invalid(directory.start, "entry", "absent", "one"))?;
        network::read(directory.read_entry(&record, Reader::Assets, network::MAX_BYTES)?)
    };
    read().map_err(|error: ParseError| error.within(path.escape_debug().to_string()))
}

fn record<'d>(directory: &'d Directory, name: &'static str) -> Result<Record<'d>, ParseError> {
    let record = directory.find(name.as_bytes());
    record.ok_or_else(|| ParseError::invalid(directory.start, "entry", "absent", "one").within(name))
}

fn read_manifest(directory: &Directory) -> Result<Vec<u8>, ParseError> {
    let record = record(directory, MANIFEST)?;
    directory.read_entry(&record, Reader::Assets, MAX_MANIFEST).map_err(|error| error.within(MANIFEST))
}

fn open_resources(directory: &Directory) -> Result<SharedBytes, ParseError> {
    let record = record(directory, RESOURCES)?;
    directory.open_entry(&record, Reader::Assets, MAX_RESOURCES).map_err(|error| error.within(RESOURCES))
}

fn signers(directory: &Directory) -> Result<Vec<Certificate>, ParseError> {
    let newer = signing_block::certificates(directory).map_err(|error| error.within("signing block"))?;
    if newer.is_empty() { jar::certificates(directory) } else { Ok(newer) }
}

/// The resource tables that a manifest refers into, each opened when the first reference asks for it.
struct Table<'a> {
    directory: &'a Directory,
    framework: Option<&'a Framework>,
    own: Option<Resources>,
    /// Those of the framework that were asked.
    others: Vec<Resources>,
    /// The first error, after which nothing is looked up.
    failed: Option<ParseError>,
}

impl<'a> Table<'a> {
    fn new(directory: &'a Directory, framework: Option<&'a Framework>) -> Self {
        Self { directory, framework, own: None, others: Vec::new(), failed: None }
    }

    /// The package's own table; `None` where it has none and the resource can only be another package's.
    fn own(&mut self, id: u32) -> Result<Option<&Resources>, ParseError> {
        if self.own.is_none() {
            // Package 1 is the platform's: an app that refers to it needs no table.
            if id >> 24 == 1 && self.directory.find(RESOURCES.as_bytes()).is_none() {
                return Ok(None);
            }
            let contents = open_resources(self.directory)?;
            self.own = Some(Resources::open(contents).map_err(|error| error.within(RESOURCES))?);
        }
        Ok(self.own.as_ref())
    }

    fn look_up(&mut self, id: u32, locale: Option<&Locale>) -> Result<Resolved, ParseError> {
        let mut id = id;
        for _ in 0..MAX_REFERENCES {
            let found = match self.own(id)?.filter(|own| own.covers(id)) {
                Some(own) => own.look_up(id, locale).map_err(|error| error.within(RESOURCES))?,
                None => match self.other(id) {
                    Some(other) => other.look_up(id, locale).map_err(|error| error.within("framework"))?,
                    None => return Ok(Resolved::Elsewhere(id)),
                },
            };
            match found {
                Some(Found::Value(value)) => return Ok(Resolved::Value(value)),
                Some(Found::Reference(next)) => id = next,
                None => return Ok(Resolved::Nothing),
            }
        }
        Ok(Resolved::Nothing)
    }

    /// The table of the framework that has the resource's package.
    fn other(&mut self, id: u32) -> Option<&Resources> {
        let at = match self.others.iter().position(|table| table.covers(id)) {
            Some(at) => at,
            None => {
                self.others.push(self.framework?.table(id)?);
                self.others.len() - 1
            }
        };
        self.others.get(at)
    }
}

impl Resolve for Table<'_> {
    fn resolve_texts(&mut self, id: u32) -> Vec<String> {
        if self.failed.is_some() {
            return Vec::new();
        }
        let texts = self.own(id).and_then(|own| match own.filter(|own| own.covers(id)) {
            Some(own) => own.texts(id).map_err(|error| error.within(RESOURCES)),
            None => Ok(Vec::new()),
        });
        texts.unwrap_or_else(|error| {
            self.failed = Some(error);
            Vec::new()
        })
    }

    fn resolve(&mut self, id: u32, locale: Option<&Locale>) -> Resolved {
        if self.failed.is_some() {
            return Resolved::Nothing;
        }
        self.look_up(id, locale).unwrap_or_else(|error| {
            self.failed = Some(error);
            Resolved::Nothing
        })
    }
}
