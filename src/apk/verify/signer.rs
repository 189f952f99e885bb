//! What signers of the schemes v2 and v3 have in common: signatures over signed data, which hold digests of the contents
//! and certificates.

use std::collections::{BTreeMap, BTreeSet};

use super::algorithm::{Algorithm, ContentDigest, to_verify};
use super::certificate::Parsed;
use super::content::Contents;
use super::fields::Fields;
use super::issue::Issue;
use super::key::{self, Failure};
use super::lineage::Lineage;
use super::{Scheme, Signer};
use crate::bytes::ParseError;

/// The issues of one scheme.
pub(super) struct Issues {
    pub(super) malformed_signature: Issue,
    pub(super) no_signatures: Issue,
    pub(super) no_supported_signatures: Issue,
    pub(super) unknown_algorithm: Issue,
    pub(super) malformed_key: Issue,
    pub(super) exception: Issue,
    pub(super) did_not_verify: Issue,
    pub(super) malformed_certificate: Issue,
    pub(super) no_certificates: Issue,
    pub(super) key_mismatch: Issue,
    pub(super) malformed_digest: Issue,
    pub(super) algorithm_mismatch: Issue,
    pub(super) contents_differ: Issue,
}

/// A scheme in the course of verification.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) scheme: Scheme,
    /// What the signers say of the contents.
    pub(super) digests: BTreeMap<ContentDigest, Vec<u8>>,
    /// Algorithm id and digest, as each signer says.
    claims: Vec<(u32, Vec<u8>)>,
    /// Digests that a verified signature asks for.
    wanted: BTreeSet<ContentDigest>,
    /// The consolidated proof of rotation.
    pub(super) lineage: Option<Lineage>,
}

impl Outcome {
    pub(super) fn error(&mut self, issue: Issue) {
        self.scheme.errors.push(issue);
    }

    pub(super) fn warning(&mut self, issue: Issue) {
        self.scheme.warnings.push(issue);
    }

    pub(super) fn failed(&self) -> bool {
        !self.scheme.errors.is_empty()
    }

    /// Verifies `signatures` over `signed`. Gives the ids of all signatures, `None` after an error.
    pub(super) fn signatures(
        &mut self,
        issues: &Issues,
        mut signatures: Fields<'_>,
        signed: &[u8],
        key: &[u8],
        range: (i32, i32),
    ) -> Option<Vec<u32>> {
        let (mut ids, mut supported) = (Vec::new(), Vec::new());
        while !signatures.is_empty() {
            let Some((id, signature)) = pair(&mut signatures) else {
                self.error(issues.malformed_signature);
                return None;
            };
            ids.push(id);
            match Algorithm::by_id(id) {
                Some(algorithm) => supported.push((algorithm, signature)),
                None => self.warning(issues.unknown_algorithm),
            }
        }
        if ids.is_empty() {
            self.error(issues.no_signatures);
            return None;
        }
        let Some(chosen) = to_verify(&supported, range, |algorithm| algorithm.min_sdk) else {
            self.error(issues.no_supported_signatures);
            return None;
        };
        for (algorithm, signature) in chosen {
            match key::verify(key, algorithm.method, algorithm.hash, &[signed], signature) {
                Ok(()) => self.wanted.insert(algorithm.content),
                Err(failure) => {
                    self.error(match failure {
                        Failure::Key => issues.malformed_key,
                        Failure::Form => issues.exception,
                        Failure::Mismatch => issues.did_not_verify,
                    });
                    return None;
                }
            };
        }
        Some(ids)
    }

    /// Checks the certificates and digests of signed data against the key and the signatures' ids, and adds the signer.
    pub(super) fn signed(
        &mut self,
        issues: &Issues,
        mut digests: Fields<'_>,
        mut certificates: Fields<'_>,
        key: &[u8],
        ids: &[u32],
    ) -> Result<Option<()>, Malformed> {
        let mut all = Vec::new();
        while !certificates.is_empty() {
            let raw = certificates.bytes().ok_or(Malformed)?;
            let Some(certificate) = Parsed::new(raw) else {
                self.error(issues.malformed_certificate);
                return Ok(None);
            };
            all.push(certificate);
        }
        let Some(main) = all.first() else {
            self.error(issues.no_certificates);
            return Ok(None);
        };
        if main.key != key {
            self.error(issues.key_mismatch);
            return Ok(None);
        }
        let mut claimed = Vec::new();
        while !digests.is_empty() {
            let Some((id, digest)) = pair(&mut digests) else {
                self.error(issues.malformed_digest);
                return Ok(None);
            };
            claimed.push(id);
            self.claims.push((id, digest.to_vec()));
            if let Some(algorithm) = Algorithm::by_id(id) {
                self.digests.insert(algorithm.content, digest.to_vec());
            }
        }
        if claimed != ids {
            self.error(issues.algorithm_mismatch);
            return Ok(None);
        }
        self.scheme.signers.push(Signer { certificate: main.raw.to_vec(), ..Signer::default() });
        Ok(Some(()))
    }

    /// Compares the contents with what the signers say of them.
    pub(super) fn contents(&mut self, issues: &Issues, contents: &Contents) -> Result<(), ParseError> {
        for &kind in &self.wanted {
            let actual = contents.digest(kind)?;
            let claims = self.claims.iter().filter(|(id, _)| Algorithm::by_id(*id).is_some_and(|a| a.content == kind));
            for (_, claim) in claims {
                if actual.as_ref() != Some(claim) {
                    self.scheme.errors.push(issues.contents_differ);
                }
            }
        }
        Ok(())
    }
}

/// Signed data or a signer is too short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Malformed;

/// The next element of an id and bytes.
pub(super) fn pair<'a>(elements: &mut Fields<'a>) -> Option<(u32, &'a [u8])> {
    let mut element = elements.prefixed()?;
    Some((element.u32()?, element.bytes()?))
}
