//! APK Signature Scheme v3 and v3.1 (<https://source.android.com/docs/security/features/apksigning/v3>,
//! <https://source.android.com/docs/security/features/apksigning/v3-1>).
//!
//! A signer of v3 is for a range of API levels, and may carry a proof of rotation. v3.1 has the same form, for rotated
//! keys that only newer levels shall see; a v3 signer beside it names the level from which v3.1 counts.

use std::collections::BTreeMap;

use super::content::Contents;
use super::fields::Fields;
use super::issue::Issue;
use super::lineage::{Broken, Lineage};
use super::signer::{Issues, Malformed, Outcome};
use crate::bytes::{ParseError, le};

/// Id of the value of v3.
pub(super) const ID: u32 = 0xf053_68c0;
/// Id of the value of v3.1.
pub(super) const ID_31: u32 = 0x1b93_ad61;
/// First API level that knows v3.1.
pub(super) const MIN_SDK_31: i32 = 33;

const PROOF_OF_ROTATION: u32 = 0x3ba0_6f8c;
const ROTATION_MIN_SDK: u32 = 0x559f_8b02;
const ROTATION_ON_DEVELOPMENT: u32 = 0xc2a6_b3ba;
/// Signers of one value; each has another range of API levels.
const MAX_SIGNERS: usize = 64;

const ISSUES: Issues = Issues {
    malformed_signature: Issue::V3SigMalformedSignature,
    no_signatures: Issue::V3SigNoSignatures,
    no_supported_signatures: Issue::V3SigNoSupportedSignatures,
    unknown_algorithm: Issue::V3SigUnknownSigAlgorithm,
    malformed_key: Issue::V3SigMalformedPublicKey,
    exception: Issue::V3SigVerifyException,
    did_not_verify: Issue::V3SigDidNotVerify,
    malformed_certificate: Issue::V3SigMalformedCertificate,
    no_certificates: Issue::V3SigNoCertificates,
    key_mismatch: Issue::V3SigPublicKeyMismatchBetweenCertificateAndSignaturesRecord,
    malformed_digest: Issue::V3SigMalformedDigest,
    algorithm_mismatch: Issue::V3SigSigAlgMismatchBetweenSignaturesAndDigestsRecords,
    contents_differ: Issue::V3SigApkDigestDidNotVerify,
};

/// What is asked of a value.
pub(super) struct Context {
    pub(super) range: (i32, i32),
    /// Whether the value is of v3.1.
    pub(super) is_31: bool,
    /// The level from which a verified v3.1 counts.
    pub(super) rotation_min_sdk: Option<i32>,
}

/// A signer, in the course of verification.
#[derive(Default)]
struct Ranged {
    range: (i32, i32),
    lineage: Option<Lineage>,
    on_development: bool,
}

/// Verifies a value of the scheme. Without `contents` the signers alone.
pub(super) fn verify(value: &[u8], contents: Option<&Contents>, context: &Context) -> Result<Outcome, ParseError> {
    let mut outcome = Outcome::default();
    let signers = signers(&mut outcome, value, context, contents.is_some());
    if let Some(contents) = contents.filter(|_| !outcome.failed()) {
        outcome.contents(&ISSUES, contents)?;
        ranges(&mut outcome, signers, context);
        outcome.scheme.verified = !outcome.failed();
    }
    Ok(outcome)
}

/// Ranges must leave no gap, and lineages grow with the levels.
fn ranges(outcome: &mut Outcome, signers: Vec<Ranged>, context: &Context) {
    let by_max: BTreeMap<i32, Ranged> = signers.into_iter().map(|signer| (signer.range.1, signer)).collect();
    let (mut first_min, mut last_max, mut last_length) = (0, 0, 0);
    let mut lineages = Vec::new();
    for signer in by_max.into_values() {
        let (min, max) = signer.range;
        if first_min == 0 {
            first_min = min;
        } else if Some(min) != i32::checked_add(last_max, 1) && !(min == last_max && signer.on_development) {
            outcome.error(Issue::V3InconsistentSdkVersions);
            break;
        }
        last_max = max;
        if let Some(lineage) = signer.lineage {
            if lineage.len() < last_length {
                outcome.error(Issue::V3InconsistentLineages);
                break;
            }
            last_length = lineage.len();
            lineages.push(lineage);
        }
    }
    let wanted_max = context.rotation_min_sdk.map_or(context.range.1, |sdk| sdk.saturating_sub(1));
    // Levels before the first signer of v3.1 look at v3.
    if (!context.is_31 && first_min > context.range.0) || last_max < wanted_max {
        outcome.error(Issue::V3MissingSdkVersions);
    }
    match Lineage::consolidate(lineages) {
        Ok(lineage) => outcome.lineage = lineage,
        Err(_) => outcome.error(Issue::V3InconsistentLineages),
    }
}

fn signers(outcome: &mut Outcome, value: &[u8], context: &Context, full: bool) -> Vec<Ranged> {
    let mut all = Vec::new();
    let Some(mut signers) = Fields(value).prefixed() else {
        outcome.error(Issue::V3SigMalformedSigners);
        return all;
    };
    if signers.is_empty() {
        outcome.error(Issue::V3SigNoSigners);
    }
    while !signers.is_empty() {
        let mut ranged = Ranged::default();
        let fields = signers.prefixed().filter(|_| all.len() < MAX_SIGNERS).ok_or(Malformed);
        let one = fields.and_then(|fields| signer(outcome, &mut ranged, fields, context, full));
        all.push(ranged);
        if one.is_err() {
            outcome.error(Issue::V3SigMalformedSigner);
            break;
        }
    }
    all
}

fn signer(
    outcome: &mut Outcome,
    ranged: &mut Ranged,
    mut fields: Fields<'_>,
    context: &Context,
    full: bool,
) -> Result<(), Malformed> {
    let signed = fields.bytes().ok_or(Malformed)?;
    let (min, max) = (fields.i32().ok_or(Malformed)?, fields.i32().ok_or(Malformed)?);
    ranged.range = (min, max);
    if min < 0 || min > max {
        outcome.error(Issue::V3SigInvalidSdkVersions);
    }
    let signatures = fields.prefixed().ok_or(Malformed)?;
    let key = fields.bytes().ok_or(Malformed)?;
    let Some(ids) = outcome.signatures(&ISSUES, signatures, signed, key, (min, max)) else { return Ok(()) };
    let mut signed = Fields(signed);
    let (digests, certificates) = (signed.prefixed().ok_or(Malformed)?, signed.prefixed().ok_or(Malformed)?);
    if signed.i32().ok_or(Malformed)? != min {
        outcome.error(Issue::V3MinSdkVersionMismatchBetweenSignerAndSignedDataRecord);
    }
    if signed.i32().ok_or(Malformed)? != max {
        outcome.error(Issue::V3MaxSdkVersionMismatchBetweenSignerAndSignedDataRecord);
    }
    let attributes = signed.prefixed().ok_or(Malformed)?;
    if outcome.signed(&ISSUES, digests, certificates, key, &ids)?.is_some() {
        let certificate = outcome.scheme.signers.last().map(|signer| signer.certificate.clone()).unwrap_or_default();
        self::attributes(outcome, ranged, attributes, context, full, &certificate);
        if let Some(signer) = outcome.scheme.signers.last_mut() {
            signer.min_sdk = min.try_into().unwrap_or_default();
            signer.max_sdk = max.try_into().unwrap_or_default();
            let lineage = ranged.lineage.iter().flat_map(Lineage::certificates);
            signer.lineage = lineage.map(<[u8]>::to_vec).collect();
        }
    }
    Ok(())
}

fn attributes(
    outcome: &mut Outcome,
    ranged: &mut Ranged,
    mut attributes: Fields<'_>,
    context: &Context,
    full: bool,
    certificate: &[u8],
) {
    let mut names_rotation = false;
    while !attributes.is_empty() {
        let attribute = attributes.prefixed().and_then(|mut attribute| Some((attribute.u32()?, attribute.0)));
        let Some((id, value)) = attribute else { return outcome.error(Issue::V3SigMalformedAdditionalAttribute) };
        match id {
            PROOF_OF_ROTATION => match Lineage::read(value) {
                Ok(lineage) => {
                    if !lineage.ends_with(certificate) {
                        outcome.error(Issue::V3SigPorCertMismatch);
                    }
                    ranged.lineage = Some(lineage);
                }
                Err(Broken::Signature) => outcome.error(Issue::V3SigPorDidNotVerify),
                Err(Broken::Version) => outcome.error(Issue::V3SigPorCertMismatch),
                Err(Broken::Malformed) => outcome.error(Issue::V3SigMalformedLineage),
            },
            ROTATION_MIN_SDK => {
                names_rotation = true;
                if full && context.range.1 >= MIN_SDK_31 {
                    let Some(named) = le::u32(value, 0) else {
                        return outcome.error(Issue::V3SigMalformedAdditionalAttribute);
                    };
                    match context.rotation_min_sdk {
                        Some(actual) if actual == named.cast_signed() => {}
                        Some(_) => outcome.error(Issue::V31RotationMinSdkMismatch),
                        None => outcome.error(Issue::V31BlockMissing),
                    }
                }
            }
            ROTATION_ON_DEVELOPMENT => {
                ranged.on_development = true;
                if !context.is_31 {
                    outcome.warning(Issue::V31RotationTargetsDevReleaseAttrOnV3Signer);
                }
            }
            _ => outcome.warning(Issue::V3SigUnknownAdditionalAttribute),
        }
    }
    if full && context.rotation_min_sdk.is_some() && !names_rotation {
        outcome.warning(Issue::V31RotationMinSdkAttrMissing);
    }
}
