//! Which pairs of digest and signature algorithm each API level takes in a JAR signature.
//!
//! Facts of AOSP's `V1SchemeVerifier` (Android 13): levels 9 to 17 had no SHA-2, and 21 to 23 took pairs that don't
//! belong together, in which the signature's own digest counts.

use super::hash::Hash;
use super::key::Method;

/// A pair that some level takes.
#[derive(Debug, Clone)]
pub(super) struct JarAlgorithm {
    /// Digest of the `.SF` file in signed attributes.
    pub(super) digest: Hash,
    /// Digest inside the signature.
    pub(super) signature_hash: Hash,
    pub(super) method: Method,
    /// First and last level of each run.
    levels: &'static [(i32, i32)],
}

const fn from(level: i32) -> (i32, i32) {
    (level, i32::MAX)
}

const ALL: &[(i32, i32)] = &[from(0)];
const SINCE_9: &[(i32, i32)] = &[from(9)];
const SINCE_18: &[(i32, i32)] = &[from(18)];
const SINCE_21: &[(i32, i32)] = &[from(21)];
const SINCE_22: &[(i32, i32)] = &[from(22)];
const TO_8_AND_SINCE_18: &[(i32, i32)] = &[(0, 8), from(18)];
const TO_8_AND_SINCE_21: &[(i32, i32)] = &[(0, 8), from(21)];
const ONLY_21: &[(i32, i32)] = &[(21, 21)];
const FROM_21_TO_23: &[(i32, i32)] = &[(21, 23)];

impl JarAlgorithm {
    /// The pair of two object identifiers (DER, without tag and length); `None` where no level takes it.
    pub(super) fn find(digest: &[u8], signature: &[u8]) -> Option<Self> {
        let digest = digest_by_object(digest)?;
        let (method, named) = signature_by_object(signature)?;
        let levels = levels(method, digest, named)?;
        Some(Self { digest, signature_hash: named.unwrap_or(digest), method, levels })
    }

    /// Whether every level of `range` takes it.
    pub(super) fn covers(&self, range: (i32, i32)) -> bool {
        self.levels.iter().any(|run| run.0 <= range.0 && range.1 <= run.1)
    }
}

fn levels(method: Method, digest: Hash, named: Option<Hash>) -> Option<&'static [(i32, i32)]> {
    use Hash::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    Some(match (method, digest, named) {
        (Method::Pkcs1, Md5 | Sha1, None) | (Method::Pkcs1, Sha1, Some(Sha1)) | (Method::Dsa, Sha1, None) => ALL,
        (Method::Pkcs1, Sha224, None | Some(Sha224)) | (Method::Pkcs1, Md5, Some(Md5)) => TO_8_AND_SINCE_21,
        (Method::Pkcs1, Sha256, None | Some(Sha256)) => TO_8_AND_SINCE_18,
        (Method::Pkcs1, Sha384 | Sha512, None) => SINCE_18,
        (Method::Pkcs1, Sha224, Some(Sha256))
        | (Method::Pkcs1, Sha256, Some(Sha1))
        | (Method::Pkcs1, Sha512, Some(Sha384)) => ONLY_21,
        (Method::Dsa, Sha224 | Sha256, None) => SINCE_22,
        (Method::Dsa, Sha1, Some(Sha1)) => SINCE_9,
        (Method::Ecdsa, Sha1, None | Some(Sha1)) | (Method::Ecdsa, Sha256 | Sha384 | Sha512, None) => SINCE_18,
        (Method::Ecdsa, Sha224, None) => SINCE_21,
        (_, _, Some(named)) if named == digest => SINCE_21,
        (_, _, Some(_)) => FROM_21_TO_23,
        (_, _, None) => return None,
    })
}

fn digest_by_object(object: &[u8]) -> Option<Hash> {
    Some(match object {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05] => Hash::Md5,
        [0x2b, 0x0e, 0x03, 0x02, 0x1a] => Hash::Sha1,
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last] => match last {
            1 => Hash::Sha256,
            2 => Hash::Sha384,
            3 => Hash::Sha512,
            4 => Hash::Sha224,
            _ => return None,
        },
        _ => return None,
    })
}

/// Method, and the digest that the identifier names.
fn signature_by_object(object: &[u8]) -> Option<(Method, Option<Hash>)> {
    Some(match object {
        // PKCS #1: 1.2.840.113549.1.1
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last] => (
            Method::Pkcs1,
            match last {
                1 => None,
                4 => Some(Hash::Md5),
                5 => Some(Hash::Sha1),
                11 => Some(Hash::Sha256),
                12 => Some(Hash::Sha384),
                13 => Some(Hash::Sha512),
                14 => Some(Hash::Sha224),
                _ => return None,
            },
        ),
        // 1.2.840.10040.4
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 1] => (Method::Dsa, None),
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 3] => (Method::Dsa, Some(Hash::Sha1)),
        // 2.16.840.1.101.3.4.3
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 1] => (Method::Dsa, Some(Hash::Sha224)),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 2] => (Method::Dsa, Some(Hash::Sha256)),
        // 1.2.840.10045
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => (Method::Ecdsa, None),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => (Method::Ecdsa, Some(Hash::Sha1)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last] => (
            Method::Ecdsa,
            match last {
                1 => Some(Hash::Sha224),
                2 => Some(Hash::Sha256),
                3 => Some(Hash::Sha384),
                4 => Some(Hash::Sha512),
                _ => return None,
            },
        ),
        _ => return None,
    })
}
