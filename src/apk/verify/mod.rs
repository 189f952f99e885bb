//! Whether the signatures of a package hold over its contents, decided as AOSP's verifier (apksig of Android 13) does.
//!
//! A package is verified for a range of API levels: each level has its own newest scheme, and all must be content. An
//! algorithm that AOSP does not know verifies nothing. Scheme v4 lives in a file beside the package ([`verify_with`]).

mod algorithm;
mod block;
mod certificate;
mod content;
mod facts;
mod fields;
mod hash;
mod issue;
mod jar_algorithm;
mod jar_digest;
mod key;
mod lineage;
mod pkcs7;
mod sections;
mod signer;
mod stamp;
mod stamped;
mod threads;
mod v1;
mod v2;
mod v3;
mod v4;

pub use issue::Issue;
pub use stamped::{Stamp, StampStatus, verify_stamp};

use std::collections::BTreeMap;

use super::directory::Directory;
use crate::bytes::{ParseError, SharedBytes};
use algorithm::ContentDigest;
use block::Block;
use facts::Facts;
use lineage::Lineage;
use signer::Outcome;

/// API levels from which a scheme counts.
const V2_SINCE: i32 = 24;
const V3_SINCE: i32 = 28;
/// From this level on a `targetSandboxVersion` above 1 wants a scheme newer than v1.
const SANDBOX_SINCE: i32 = 26;
/// A package that targets this level or more wants a scheme newer than v1.
const V2_WANTED_BY_TARGET: i32 = 30;
/// Numbers of the schemes in stripping protection.
const V2: u32 = 2;
const V3: u32 = 3;
const V31: u32 = 31;

/// API levels for which the answer shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SdkRange {
    /// First level; `None` for the package's own `minSdkVersion`.
    pub min: Option<u32>,
    /// Last level; `None` for all that come.
    pub max: Option<u32>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// JAR signature. Of each scheme `None` where the levels don't look at it, or there is none.
    pub v1: Option<Scheme>,
    /// APK Signature Scheme v2.
    pub v2: Option<Scheme>,
    /// APK Signature Scheme v3.
    pub v3: Option<Scheme>,
    /// APK Signature Scheme v3.1.
    pub v31: Option<Scheme>,
    /// APK Signature Scheme v4; `None` unless its file was given.
    pub v4: Option<Scheme>,
    /// Source stamp; it never decides [`Verification::verified`].
    pub stamp: Option<Scheme>,
    /// Whether every level of the range accepts the package.
    pub verified: bool,
    /// All errors, those of the schemes too, in the order found. Empty where verified.
    pub errors: Vec<Issue>,
    /// What AOSP warns of, those of the schemes too.
    pub warnings: Vec<Issue>,
    /// What can't be read, where that is an error.
    pub damage: Option<ParseError>,
}

/// What was found of one scheme.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scheme {
    /// Whether it holds over the contents.
    pub verified: bool,
    /// Signers in the order of the file; beside errors, those read before them.
    pub signers: Vec<Signer>,
    /// Why it does not hold.
    pub errors: Vec<Issue>,
    /// What AOSP warns of.
    pub warnings: Vec<Issue>,
    /// What its signers say of the contents.
    digests: BTreeMap<ContentDigest, Vec<u8>>,
}

/// A signer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signer {
    /// Its certificate, as it stands in the file.
    pub certificate: Vec<u8>,
    /// First API level that it is for; 0 but in v3 and v3.1.
    pub min_sdk: u32,
    /// Last API level that it is for; 0 but in v3 and v3.1.
    pub max_sdk: u32,
    /// Certificates of a proof of rotation, oldest first and the signer's own last; empty without one.
    pub lineage: Vec<Vec<u8>>,
}

/// Verifies the package for `range`. A package that can't be read has [`Issue::MalformedApk`].
#[must_use]
pub fn verify(source: &SharedBytes, range: SdkRange) -> Verification {
    verify_with(source, None, range)
}

/// Verifies the package and the file of its v4 signature, which must mean the same signers and contents. A file that
/// can't be read has [`Issue::V4SigMalformedSigners`].
#[must_use]
pub fn verify_with(source: &SharedBytes, v4: Option<&SharedBytes>, range: SdkRange) -> Verification {
    let mut verification = Verification::default();
    if let Err(error) = Package::open(source, range).and_then(|package| verification.all(&package)) {
        verification.errors.push(Issue::MalformedApk);
        verification.damage = Some(error);
    }
    if let Some(signature) = v4.filter(|_| verification.errors.is_empty()) {
        match v4::verify(source, signature, &verification) {
            Ok(scheme) => {
                verification.errors.extend(&scheme.errors);
                verification.warnings.extend(&scheme.warnings);
                verification.v4 = Some(scheme);
            }
            Err(error) => {
                verification.errors.push(Issue::V4SigMalformedSigners);
                verification.damage = Some(error);
            }
        }
    }
    verification.verified = verification.errors.is_empty();
    verification
}

/// An opened package.
struct Package {
    directory: Directory,
    block: Option<Block>,
    facts: Result<Facts, ParseError>,
    range: (i32, i32),
}

impl Package {
    fn open(source: &SharedBytes, range: SdkRange) -> Result<Self, ParseError> {
        let directory = Directory::open(source)?;
        let facts = Facts::read(&directory);
        let level = |sdk: u32| i32::try_from(sdk).unwrap_or(i32::MAX);
        let max = range.max.map_or(i32::MAX, level);
        let min = match (range.min, &facts) {
            (Some(min), _) => level(min),
            (None, Ok(facts)) => level(facts.min_sdk),
            (None, Err(error)) => return Err(error.clone()),
        };
        if min > max {
            return Err(ParseError::invalid(0, "first API level", min, "at most the last"));
        }
        Ok(Self { block: Block::find(&directory)?, directory, facts, range: (min, max) })
    }

    /// The value of a scheme in the signing block.
    fn value(&self, id: u32) -> Result<Option<(&Block, Vec<u8>)>, ParseError> {
        let Some(block) = &self.block else { return Ok(None) };
        Ok(block.value(&self.directory, id)?.map(|value| (block, value)))
    }

    /// The range, from `level` on.
    fn since(&self, level: i32) -> (i32, i32) {
        (self.range.0.max(level), self.range.1)
    }

    /// Newer schemes that the last level knows.
    fn supported(&self) -> &'static [u32] {
        match self.range.1 {
            V3_SINCE.. => &[V2, V3],
            V2_SINCE.. => &[V2],
            _ => &[],
        }
    }

    /// Whether the levels look at v2, after these schemes were found.
    fn wants_v2(&self, found: &[u32]) -> bool {
        self.range.1 >= V2_SINCE && (self.range.0 < V3_SINCE || found.is_empty())
    }

    /// Whether the levels look at v1.
    fn wants_v1(&self, found: &[u32]) -> bool {
        self.range.0 < V2_SINCE || found.is_empty()
    }
}

impl Verification {
    /// Goes through the schemes, newest first, and stops after one with errors.
    fn all(&mut self, package: &Package) -> Result<(), ParseError> {
        let (mut found, mut digests, mut lineage) = (Vec::new(), stamp::Digests::new(), None);
        let last = package.range.1;
        if last >= v3::MIN_SDK_31
            && let Some((block, value)) = package.value(v3::ID_31)?
        {
            let range = package.since(v3::MIN_SDK_31);
            let context = v3::Context { range, is_31: true, rotation_min_sdk: None };
            let outcome = v3::verify(&value, Some(&block.contents), &context)?;
            // Stamps don't sign it.
            found.push(V31);
            self.v31 = Some(self.take(outcome, &mut lineage));
        }
        if self.errors.is_empty() && last >= V3_SINCE {
            if let Some((block, value)) = package.value(v3::ID)? {
                let rotation = self.v31.iter().flat_map(|scheme| &scheme.signers).map(|signer| signer.min_sdk).min();
                let rotation_min_sdk = rotation.filter(|&sdk| sdk > 0).and_then(|sdk| i32::try_from(sdk).ok());
                let context = v3::Context { range: package.since(V3_SINCE), is_31: false, rotation_min_sdk };
                let outcome = v3::verify(&value, Some(&block.contents), &context)?;
                found.push(V3);
                digests.insert(V3, stamped::by_id(&outcome));
                self.v3 = Some(self.take(outcome, &mut lineage));
            } else if self.v31.is_some() {
                self.errors.push(Issue::V31BlockFoundWithoutV3Block);
            }
        }
        if self.errors.is_empty()
            && package.wants_v2(&found)
            && let Some((block, value)) = package.value(v2::ID)?
        {
            let range = package.since(V2_SINCE);
            let context = v2::Context { range, supported: package.supported(), found: &found };
            let outcome = v2::verify(&value, Some(&block.contents), &context)?;
            found.push(V2);
            digests.insert(V2, stamped::by_id(&outcome));
            self.v2 = Some(self.take(outcome, &mut None));
        }
        if self.errors.is_empty() {
            self.older(package, &found, &mut digests)?;
        }
        if self.errors.is_empty() {
            self.compare(lineage.as_ref());
            self.target(package);
        }
        Ok(())
    }

    /// Keeps the issues of a scheme, and its lineage where there is none yet.
    fn take(&mut self, outcome: Outcome, lineage: &mut Option<Lineage>) -> Scheme {
        if lineage.is_none() {
            *lineage = outcome.lineage;
        }
        self.errors.extend(&outcome.scheme.errors);
        self.warnings.extend(&outcome.scheme.warnings);
        Scheme { digests: outcome.digests, ..outcome.scheme }
    }

    /// The JAR signature, and the stamp.
    fn older(&mut self, package: &Package, found: &[u32], digests: &mut stamp::Digests) -> Result<(), ParseError> {
        if package.range.1 >= SANDBOX_SINCE {
            let facts = package.facts.as_ref().map_err(Clone::clone)?;
            if facts.target_sandbox > 1 && found.is_empty() {
                self.errors.push(Issue::NoSigForTargetSandboxVersion);
            }
        }
        if package.wants_v1(found) {
            let context = v1::Context { range: package.range, supported: package.supported(), found };
            let scheme = v1::verify(&package.directory, &context)?;
            digests.insert(1, stamped::of_manifest(&package.directory)?);
            self.errors.extend(&scheme.errors);
            self.warnings.extend(&scheme.warnings);
            self.v1 = Some(scheme);
        }
        if self.errors.is_empty() {
            self.stamp = stamped::scheme(package, digests)?;
            self.warnings.extend(self.stamp.iter().flat_map(|stamp| &stamp.errors));
        }
        Ok(())
    }

    /// Signers of one scheme must be those of the others.
    fn compare(&mut self, lineage: Option<&Lineage>) {
        let verified = |scheme: &Option<Scheme>| scheme.clone().filter(|scheme| scheme.verified);
        let (v1, v2, v3) = (verified(&self.v1), verified(&self.v2), verified(&self.v3));
        let certificates =
            |scheme: &Scheme| scheme.signers.iter().map(|signer| signer.certificate.clone()).collect::<Vec<_>>();
        if let (Some(v1), Some(v2)) = (&v1, &v2) {
            let (v1, v2) = (certificates(v1), certificates(v2));
            if v1.iter().any(|certificate| !v2.contains(certificate)) {
                self.errors.push(Issue::V2SigMissing);
            }
            if v2.iter().any(|certificate| !v1.contains(certificate)) {
                self.errors.push(Issue::JarSigMissing);
            }
        }
        let (Some(v3), Some(older)) = (v3, v1.or(v2)) else { return };
        let older = certificates(&older);
        if older.len() != 1 {
            self.errors.push(Issue::V3SigMultiplePastSigners);
        }
        let oldest = older.first().map(Vec::as_slice).unwrap_or_default();
        let fits = match lineage {
            Some(lineage) => lineage.begins_with(oldest),
            None => {
                if v3.signers.len() != 1 {
                    self.errors.push(Issue::V3SigMultipleSigners);
                }
                v3.signers.first().is_some_and(|signer| signer.certificate == oldest)
            }
        };
        if !fits {
            self.errors.push(Issue::V3SigPastSignersMismatch);
        }
    }

    /// Newer packages must have a newer scheme.
    fn target(&mut self, package: &Package) {
        let Ok(facts) = &package.facts else { return };
        let target = i32::try_from(facts.target_sdk).unwrap_or(i32::MAX);
        let newer = [&self.v2, &self.v3, &self.v31].into_iter().flatten().any(|scheme| scheme.verified);
        if target >= V2_WANTED_BY_TARGET && package.range.1 >= target && !newer {
            self.errors.push(Issue::MinSigSchemeForTargetSdkNotMet);
        }
    }
}
