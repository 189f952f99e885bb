//! Source stamps: a shop's signature over the digests that the other schemes sign
//! (AOSP `V2SourceStampVerifier`, Android 13). The first form of stamps, which no verifier looks at any more, is not read.
//!
//! The value is one element: certificate, signatures by scheme, then attributes and signatures over them.

use std::collections::BTreeMap;

use super::algorithm::{Algorithm, to_verify};
use super::certificate::Parsed;
use super::fields::Fields;
use super::hash::Hash;
use super::issue::Issue;
use super::key::{self, Failure};
use super::lineage::{Broken, Lineage};
use super::signer::pair;

/// Id of the stamp's value in the signing block.
pub(super) const ID: u32 = 0x6dff_800d;
/// The entry with the SHA-256 of the stamp's certificate.
pub(super) const ENTRY: &[u8] = b"stamp-cert-sha256";
/// Bytes of that entry that are looked at.
pub(super) const MAX_ENTRY: u64 = 4096;

const PROOF_OF_ROTATION: u32 = 0x9d63_03f7;
const TIME: u32 = 0xe43c_5946;

/// Digests of each scheme: digest algorithm and digest.
pub(super) type Digests = BTreeMap<u32, BTreeMap<u32, Vec<u8>>>;

/// What was found out.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) certificate: Vec<u8>,
    /// Seconds since 1970, where the stamp says when it was made.
    pub(super) time: Option<u64>,
    /// Oldest first.
    pub(super) lineage: Vec<Vec<u8>>,
    /// Each keeps the stamp from being verified.
    pub(super) problems: Vec<Issue>,
    /// What a newer verifier may know.
    pub(super) notes: Vec<Issue>,
}

/// Verifies a stamp against the digest of its certificate and the digests that the schemes give.
pub(super) fn verify(value: &[u8], certificate_digest: &[u8], digests: &Digests, range: (i32, i32)) -> Outcome {
    let mut outcome = Outcome::default();
    if outcome.block(value, certificate_digest, digests, range).is_none() {
        outcome.problems.push(Issue::SourceStampMalformedSignature);
    }
    outcome
}

impl Outcome {
    /// `None` where an element is too short.
    fn block(&mut self, value: &[u8], wanted: &[u8], digests: &Digests, range: (i32, i32)) -> Option<()> {
        let mut block = Fields(value).prefixed()?;
        let raw = block.bytes()?;
        let Some(certificate) = Parsed::new(raw) else {
            self.problems.push(Issue::SourceStampMalformedCertificate);
            return Some(());
        };
        self.certificate = raw.to_vec();
        if Hash::Sha256.digest(&[raw]) != wanted {
            self.problems.push(Issue::SourceStampCertificateMismatchBetweenSignatureBlockAndApk);
            return Some(());
        }
        let mut schemes = block.prefixed()?;
        let mut signed = BTreeMap::new();
        while !schemes.is_empty() {
            let mut scheme = schemes.prefixed()?;
            signed.insert(scheme.u32()?, scheme.prefixed()?);
        }
        for (scheme, digests) in digests {
            let Some(signatures) = signed.get(scheme) else {
                self.problems.push(Issue::SourceStampNoSignature);
                return Some(());
            };
            if !self.signatures(*signatures, &encode(digests), &certificate, range) {
                return Some(());
            }
        }
        if !block.is_empty() {
            let (attributes, signatures) = (block.bytes()?, block.prefixed()?);
            if self.signatures(signatures, attributes, &certificate, range) {
                self.attributes(Fields(attributes).prefixed()?, raw);
            }
        }
        Some(())
    }

    /// Whether the signatures that count are the certificate's.
    fn signatures(
        &mut self,
        mut signatures: Fields<'_>,
        data: &[u8],
        certificate: &Parsed<'_>,
        range: (i32, i32),
    ) -> bool {
        let mut supported = Vec::new();
        while !signatures.is_empty() {
            let Some((id, signature)) = pair(&mut signatures) else {
                self.problems.push(Issue::SourceStampMalformedSignature);
                return false;
            };
            match Algorithm::by_id(id) {
                Some(algorithm) => supported.push((algorithm, signature)),
                None => self.notes.push(Issue::SourceStampUnknownSigAlgorithm),
            }
        }
        if supported.is_empty() {
            self.problems.push(Issue::SourceStampNoSignature);
            return false;
        }
        let Some(chosen) = to_verify(&supported, range, |algorithm| algorithm.primitive_min_sdk) else {
            self.problems.push(Issue::SourceStampNoSupportedSignature);
            return false;
        };
        for (algorithm, signature) in chosen {
            let result = key::verify(certificate.key, algorithm.method, algorithm.hash, &[data], signature);
            if let Err(failure) = result {
                self.problems.push(match failure {
                    Failure::Mismatch => Issue::SourceStampDidNotVerify,
                    Failure::Key | Failure::Form => Issue::SourceStampVerifyException,
                });
                return false;
            }
        }
        true
    }

    fn attributes(&mut self, mut attributes: Fields<'_>, certificate: &[u8]) {
        while !attributes.is_empty() {
            let attribute = attributes.prefixed().and_then(|mut attribute| Some((attribute.u32()?, attribute)));
            let Some((id, mut value)) = attribute else {
                return self.problems.push(Issue::SourceStampMalformedAttribute);
            };
            match id {
                PROOF_OF_ROTATION => self.rotation(value.0, certificate),
                TIME => match value.i64() {
                    None => return self.problems.push(Issue::SourceStampMalformedAttribute),
                    Some(time) if time > 0 => self.time = u64::try_from(time).ok(),
                    Some(_) => self.problems.push(Issue::SourceStampInvalidTimestamp),
                },
                _ => self.notes.push(Issue::SourceStampUnknownAttribute),
            }
        }
    }

    fn rotation(&mut self, value: &[u8], certificate: &[u8]) {
        match Lineage::read(value) {
            Ok(lineage) => {
                self.lineage = lineage.certificates().map(<[u8]>::to_vec).collect();
                if lineage.certificates().next_back() != Some(certificate) {
                    self.problems.push(Issue::SourceStampPorCertMismatch);
                }
            }
            Err(Broken::Signature) => self.problems.push(Issue::SourceStampPorDidNotVerify),
            Err(Broken::Version) => self.problems.push(Issue::SourceStampPorCertMismatch),
            Err(Broken::Malformed) => self.problems.push(Issue::SourceStampMalformedLineage),
        }
    }
}

/// Digests as the stamp signs them.
fn encode(digests: &BTreeMap<u32, Vec<u8>>) -> Vec<u8> {
    let mut encoded = Vec::new();
    for (id, digest) in digests {
        let length = u32::try_from(digest.len()).unwrap_or(u32::MAX);
        for field in [length.saturating_add(8), *id, length] {
            encoded.extend_from_slice(&field.to_le_bytes());
        }
        encoded.extend_from_slice(digest);
    }
    encoded
}
