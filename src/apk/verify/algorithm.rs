//! Signature algorithms of the schemes v2 and later, and which signatures of a signer count.
//!
//! <https://source.android.com/docs/security/features/apksigning/v2#signature-algorithm-ids>; levels as in AOSP's
//! `SignatureAlgorithm`.

use super::hash::Hash;
use super::key::Method;

/// How the contents of the package are digested; ordered from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ContentDigest {
    /// SHA-256 over chunks of 1 MiB.
    Sha256,
    /// Root of an fs-verity tree.
    Verity,
    /// SHA-512 over chunks of 1 MiB.
    Sha512,
}

impl ContentDigest {
    /// The number that AOSP gives it in source stamps.
    pub(super) fn id(self) -> u32 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
            Self::Verity => 3,
        }
    }
}

/// A known algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Algorithm {
    pub(super) id: u32,
    pub(super) method: Method,
    pub(super) hash: Hash,
    pub(super) content: ContentDigest,
    /// First API level that takes it in a scheme.
    pub(super) min_sdk: i32,
    /// First API level whose cryptographic providers have it.
    pub(super) primitive_min_sdk: i32,
}

impl Algorithm {
    /// `None` for an id that AOSP does not know.
    pub(super) fn by_id(id: u32) -> Option<Self> {
        use ContentDigest::{Sha256, Sha512, Verity};
        let (method, hash, content, min_sdk, primitive_min_sdk) = match id {
            0x0101 => (Method::Pss, Hash::Sha256, Sha256, 24, 23),
            0x0102 => (Method::Pss, Hash::Sha512, Sha512, 24, 23),
            0x0103 => (Method::Pkcs1, Hash::Sha256, Sha256, 24, 1),
            0x0104 => (Method::Pkcs1, Hash::Sha512, Sha512, 24, 1),
            0x0201 => (Method::Ecdsa, Hash::Sha256, Sha256, 24, 11),
            0x0202 => (Method::Ecdsa, Hash::Sha512, Sha512, 24, 11),
            0x0301 => (Method::Dsa, Hash::Sha256, Sha256, 24, 1),
            0x0421 => (Method::Pkcs1, Hash::Sha256, Verity, 28, 1),
            0x0423 => (Method::Ecdsa, Hash::Sha256, Verity, 28, 11),
            0x0425 => (Method::Dsa, Hash::Sha256, Verity, 28, 1),
            _ => return None,
        };
        Some(Self { id, method, hash, content, min_sdk, primitive_min_sdk })
    }
}

/// The signatures that some API level of `min..=max` verifies: for each level at which an algorithm appears, the one
/// with the strongest digest. `None` where `min` takes none of them.
pub(super) fn to_verify<'a>(
    supported: &[(Algorithm, &'a [u8])],
    (min, max): (i32, i32),
    level: impl Fn(&Algorithm) -> i32,
) -> Option<Vec<(Algorithm, &'a [u8])>> {
    let mut best: Vec<(i32, Algorithm, &'a [u8])> = Vec::new();
    for (algorithm, signature) in supported {
        let since = level(algorithm);
        if since > max {
            continue;
        }
        match best.iter_mut().find(|(at, ..)| *at == since) {
            Some(held) if algorithm.content > held.1.content => *held = (since, *algorithm, signature),
            Some(_) => {}
            None => best.push((since, *algorithm, signature)),
        }
    }
    let first = best.iter().map(|(since, ..)| *since).min()?;
    best.sort_by_key(|(_, algorithm, _)| algorithm.id);
    (min >= first).then(|| best.into_iter().map(|(_, algorithm, signature)| (algorithm, signature)).collect())
}
