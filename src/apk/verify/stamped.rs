//! The source stamp of a package, beside its other schemes or alone.

use std::collections::BTreeMap;

use super::super::directory::Directory;
use super::super::entry::Reader;
use super::hash::Hash;
use super::issue::Issue;
use super::signer::Outcome;
use super::stamp::{self, Digests};
use super::{Package, Scheme, SdkRange, Signer, V2, V2_SINCE, V3, V3_SINCE, v1, v2, v3};
use crate::bytes::{ParseError, SharedBytes};

/// Stamps count from this API level.
const STAMP_SINCE: i32 = 30;
/// AOSP's id of a SHA-256 over a file.
const SHA_256: u32 = 4;

/// What a verification of the stamp alone found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The answer.
    pub status: StampStatus,
    /// The stamp's certificate, as it stands in the file; empty where it was not read.
    pub certificate: Vec<u8>,
    /// Certificates of the stamp's proof of rotation, oldest first; empty without one.
    pub lineage: Vec<Vec<u8>>,
    /// When it was made, in seconds since 1970, where the stamp says so.
    pub time: Option<u64>,
    /// Why it is not verified.
    pub errors: Vec<Issue>,
}

/// AOSP's `SourceStampVerificationStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampStatus {
    /// There is none.
    Missing,
    /// A part of it is missing.
    NotVerified,
    /// Its certificate is not the expected one.
    CertificateMismatch,
    /// It holds.
    Verified,
    /// It does not hold.
    Failed,
    /// The package or its other schemes can't be read.
    Error,
}

impl StampStatus {
    /// AOSP's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "STAMP_MISSING",
            Self::NotVerified => "STAMP_NOT_VERIFIED",
            Self::CertificateMismatch => "CERT_DIGEST_MISMATCH",
            Self::Verified => "STAMP_VERIFIED",
            Self::Failed => "STAMP_VERIFICATION_FAILED",
            Self::Error => "VERIFICATION_ERROR",
        }
    }
}

/// Verifies the stamp alone: the schemes that it signs are taken by their word. `expected` is the SHA-256 of the
/// certificate that it must have.
#[must_use]
pub fn verify_stamp(source: &SharedBytes, range: SdkRange, expected: Option<&[u8]>) -> Stamp {
    let failed =
        |status, issue| Stamp { status, certificate: Vec::new(), lineage: Vec::new(), time: None, errors: vec![issue] };
    let stamp = Package::open(source, range).and_then(|package| {
        let Some(digest) = certificate_digest(&package.directory)? else {
            return Ok(if package.value(stamp::ID)?.is_some() {
                failed(StampStatus::NotVerified, Issue::SourceStampSignatureBlockWithoutCertDigest)
            } else {
                failed(StampStatus::Missing, Issue::SourceStampCertDigestAndSigBlockMissing)
            });
        };
        if expected.is_some_and(|expected| expected != digest) {
            return Ok(failed(StampStatus::CertificateMismatch, Issue::SourceStampExpectedDigestMismatch));
        }
        let digests = match claimed(&package)? {
            Ok(digests) => digests,
            Err(issue) => return Ok(failed(StampStatus::Error, issue)),
        };
        let Some((_, value)) = package.value(stamp::ID)? else {
            return Ok(failed(StampStatus::NotVerified, Issue::SourceStampSigMissing));
        };
        let outcome = stamp::verify(&value, &digest, &digests, package.since(STAMP_SINCE));
        Ok(Stamp {
            status: if outcome.problems.is_empty() { StampStatus::Verified } else { StampStatus::Failed },
            certificate: outcome.certificate,
            lineage: outcome.lineage,
            time: outcome.time,
            errors: outcome.problems,
        })
    });
    stamp.unwrap_or_else(|_| failed(StampStatus::Error, Issue::MalformedApk))
}

/// The stamp of a package whose schemes hold and give `digests`; `None` where it claims none.
pub(super) fn scheme(package: &Package, digests: &Digests) -> Result<Option<Scheme>, ParseError> {
    let Some(digest) = certificate_digest(&package.directory)? else { return Ok(None) };
    let Some((_, value)) = package.value(stamp::ID)? else {
        return Ok(Some(Scheme { errors: vec![Issue::SourceStampSigMissing], ..Scheme::default() }));
    };
    let outcome = stamp::verify(&value, &digest, digests, package.since(STAMP_SINCE));
    let signer = Signer { certificate: outcome.certificate, lineage: outcome.lineage, ..Signer::default() };
    Ok(Some(Scheme {
        verified: outcome.problems.is_empty(),
        signers: vec![signer],
        errors: outcome.problems,
        warnings: outcome.notes,
        ..Scheme::default()
    }))
}

/// What the schemes of the range say of the contents, without looking at them.
fn claimed(package: &Package) -> Result<Result<Digests, Issue>, ParseError> {
    let (mut digests, mut found) = (Digests::new(), Vec::new());
    if package.range.1 >= V3_SINCE
        && let Some((_, value)) = package.value(v3::ID)?
    {
        let context = v3::Context { range: package.since(V3_SINCE), is_31: false, rotation_min_sdk: None };
        let outcome = v3::verify(&value, None, &context)?;
        found.push(V3);
        if let Some(issue) = outcome.scheme.errors.first() {
            return Ok(Err(*issue));
        }
        digests.insert(V3, by_id(&outcome));
    }
    if package.wants_v2(&found)
        && let Some((_, value)) = package.value(v2::ID)?
    {
        let range = package.since(V2_SINCE);
        let context = v2::Context { range, supported: package.supported(), found: &found };
        let outcome = v2::verify(&value, None, &context)?;
        if let Some(issue) = outcome.scheme.errors.first() {
            return Ok(Err(*issue));
        }
        found.push(V2);
        digests.insert(V2, by_id(&outcome));
    }
    if package.wants_v1(&found) {
        digests.insert(1, of_manifest(&package.directory)?);
    }
    Ok(Ok(digests))
}

/// Digests of a scheme, as a stamp names them.
pub(super) fn by_id(outcome: &Outcome) -> BTreeMap<u32, Vec<u8>> {
    outcome.digests.iter().map(|(kind, digest)| (kind.id(), digest.clone())).collect()
}

/// What stands for the contents of a JAR signature.
pub(super) fn of_manifest(directory: &Directory) -> Result<BTreeMap<u32, Vec<u8>>, ParseError> {
    let manifest = v1::manifest(directory)?;
    Ok(manifest.map(|manifest| (SHA_256, Hash::Sha256.digest(&[&manifest]))).into_iter().collect())
}

fn certificate_digest(directory: &Directory) -> Result<Option<Vec<u8>>, ParseError> {
    let Some(record) = directory.find(stamp::ENTRY) else { return Ok(None) };
    directory.read_entry(&record, Reader::Jar, stamp::MAX_ENTRY).map(Some)
}
