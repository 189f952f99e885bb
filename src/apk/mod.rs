//! One package file: what Android would read from it.
//!
//! Cost does not depend on the file's size: the end, the central directory, the signing block and the entries that hold
//! an answer are read, nothing else.

mod axml;
mod chunk;
mod der;
mod directory;
mod entry;
mod jar;
mod manifest;
mod native;
mod resources;
mod signing_block;
mod strings;
mod value;
mod verify;

use crate::bytes::{ParseError, SharedBytes};
use directory::Directory;
use entry::Reader;
use manifest::Resolve;
use resources::{Config, Resources};
use value::Value;

pub use verify::{Issue, Scheme, SdkRange, Signer, Stamp, StampStatus, Verification, verify, verify_stamp};

const MANIFEST: &str = "AndroidManifest.xml";
const RESOURCES: &str = "resources.arsc";
/// The largest manifest measured (Play services) has 0.6 MiB.
const MAX_MANIFEST: u64 = 16 << 20;
/// Android's own table has 32 MiB. Since API 30 tables are stored and cost no memory.
const MAX_RESOURCES: u64 = 64 << 20;

/// What a package file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apk {
    /// `AndroidManifest.xml`.
    pub manifest: Manifest,
    /// Whether each reference from the manifest into `resources.arsc` could be looked up. After an error the label, or
    /// whatever else referred to the table, reads as if it were not there.
    pub resources: Result<(), ParseError>,
    /// Certificates that its signatures claim: each signer's own, newest scheme first; an error where the block or
    /// signature file is damaged. As Android since 7.0, v1 counts only where no other scheme is claimed. Empty: unsigned.
    pub signers: Result<Vec<Certificate>, ParseError>,
    /// DEX and native code, by the central directory.
    pub code: Code,
}

/// Facts of `AndroidManifest.xml`, references to the file's own resources resolved in the default configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// `package`.
    pub package: String,
    /// `versionCodeMajor` in the upper, `versionCode` in the lower 32 bits.
    pub version_code: u64,
    /// `versionName`.
    pub version_name: Option<String>,
    /// `minSdkVersion`; 1 where there is none, 10,000 for a codename of a version under development.
    pub min_sdk: u32,
    /// `targetSdkVersion`; the minimum where there is none, 10,000 for a codename.
    pub target_sdk: u32,
    /// `split`: the name of a split APK; `None` for a base.
    pub split: Option<String>,
    /// `sharedUserId`.
    pub shared_user: Option<String>,
    /// `application android:label`, resolved where it refers to the file's own resources.
    pub label: Option<String>,
    /// Enabled activities and aliases with a MAIN and LAUNCHER filter, as full class names, in manifest order.
    pub launcher: Vec<String>,
    /// `uses-permission` and `uses-permission-sdk-23`, in manifest order.
    pub requested_permissions: Vec<RequestedPermission>,
    /// `permission`, in manifest order.
    pub declared_permissions: Vec<DeclaredPermission>,
    /// `hasCode` of the application; true where it is not said.
    pub has_code: bool,
    /// Attributes of `application` and `manifest` that are set to true: `debuggable`, `testOnly`, `persistent`,
    /// `coreApp` ..., sorted.
    pub flags: Vec<String>,
    /// `overlay android:targetPackage`, for a resource overlay.
    pub overlay_target: Option<String>,
}

/// A `uses-permission` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedPermission {
    /// `name`.
    pub name: String,
    /// `maxSdkVersion`.
    pub max_sdk: Option<u32>,
    /// Whether the element is `uses-permission-sdk-23`.
    pub sdk_23: bool,
}

/// A `permission` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPermission {
    /// `name`.
    pub name: String,
    /// `protectionLevel` as a number; 0 (normal) where there is none, `None` where it is a reference that was not resolved.
    pub protection_level: Option<u32>,
}

/// A certificate claimed by a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// `v1`, `v2`, `v3`, `v3.1`.
    pub scheme: &'static str,
    /// The certificate as it stands in the file.
    pub der: Vec<u8>,
}

impl Certificate {
    /// SHA-256 of the DER bytes, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        use sha2::Digest;
        sha2::Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02x}")).collect()
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
    /// Folders of `lib/` with libraries, sorted.
    pub abis: Vec<String>,
    /// The first library of each, in the same order.
    pub native: Vec<NativeAbi>,
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

/// Reads a package file.
///
/// # Errors
/// The place in the ZIP structure or the manifest that can't be read, or that Android refuses. A damaged resource table
/// is an error of [`Apk::resources`] alone, a damaged signature one of [`Apk::signers`].
pub fn open(source: &SharedBytes) -> Result<Apk, ParseError> {
    let directory = Directory::open(source)?;
    let document = open_entry(&directory, MANIFEST, MAX_MANIFEST)?;
    let mut table = Table { directory: &directory, opened: None, failed: None };
    let manifest = axml::Document::open(document).and_then(|document| manifest::read(&document, &mut table));
    let manifest = manifest.map_err(|error| error.within(MANIFEST))?;
    let resources = table.failed.map_or(Ok(()), Err);
    Ok(Apk { manifest, resources, signers: signers(&directory), code: native::code(&directory) })
}

fn open_entry(directory: &Directory, name: &'static str, limit: u64) -> Result<SharedBytes, ParseError> {
    let record = directory.find(name.as_bytes());
    let record = record.ok_or_else(|| ParseError::invalid(directory.start, "entry", "absent", "one").within(name))?;
    directory.open_entry(&record, Reader::Assets, limit).map_err(|error| error.within(name))
}

fn signers(directory: &Directory) -> Result<Vec<Certificate>, ParseError> {
    let newer = signing_block::certificates(directory).map_err(|error| error.within("signing block"))?;
    if newer.is_empty() { jar::certificates(directory) } else { Ok(newer) }
}

/// The resource table, opened when the first reference asks for it.
struct Table<'a> {
    directory: &'a Directory,
    opened: Option<Resources>,
    /// The first error, after which nothing is looked up.
    failed: Option<ParseError>,
}

impl Table<'_> {
    fn look_up(&mut self, id: u32) -> Result<Option<Value>, ParseError> {
        if self.opened.is_none() {
            let contents = open_entry(self.directory, RESOURCES, MAX_RESOURCES)?;
            self.opened = Some(Resources::open(contents).map_err(|error| error.within(RESOURCES))?);
        }
        let value = self.opened.as_ref().map(|table| table.value(id, Config::default())).transpose();
        value.map(Option::flatten).map_err(|error| error.within(RESOURCES))
    }
}

impl Resolve for Table<'_> {
    fn resolve(&mut self, id: u32) -> Option<Value> {
        // Package 1 is the platform's, in its own file: an app that refers to it needs no table.
        let elsewhere = id >> 24 == 1 && self.directory.find(RESOURCES.as_bytes()).is_none();
        if elsewhere || self.failed.is_some() {
            return None;
        }
        self.look_up(id).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        })
    }
}
