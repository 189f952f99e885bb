//! APK Signature Scheme v2 (<https://source.android.com/docs/security/features/apksigning/v2>).

use super::content::Contents;
use super::fields::Fields;
use super::issue::Issue;
use super::signer::{Issues, Malformed, Outcome};
use crate::bytes::{ParseError, le};

/// Id of the scheme's value.
pub(super) const ID: u32 = 0x7109_871a;
/// Android refuses more signers.
const MAX_SIGNERS: usize = 10;
/// Names a newer scheme that was used too.
const STRIPPING_PROTECTION: u32 = 0xbeef_f00d;

const ISSUES: Issues = Issues {
    malformed_signature: Issue::V2SigMalformedSignature,
    no_signatures: Issue::V2SigNoSignatures,
    no_supported_signatures: Issue::V2SigNoSupportedSignatures,
    unknown_algorithm: Issue::V2SigUnknownSigAlgorithm,
    malformed_key: Issue::V2SigMalformedPublicKey,
    exception: Issue::V2SigVerifyException,
    did_not_verify: Issue::V2SigDidNotVerify,
    malformed_certificate: Issue::V2SigMalformedCertificate,
    no_certificates: Issue::V2SigNoCertificates,
    key_mismatch: Issue::V2SigPublicKeyMismatchBetweenCertificateAndSignaturesRecord,
    malformed_digest: Issue::V2SigMalformedDigest,
    algorithm_mismatch: Issue::V2SigSigAlgMismatchBetweenSignaturesAndDigestsRecords,
    contents_differ: Issue::V2SigApkDigestDidNotVerify,
};

/// What the levels in question make of a package.
pub(super) struct Context<'a> {
    pub(super) range: (i32, i32),
    /// Schemes that these levels know.
    pub(super) supported: &'a [u32],
    /// Schemes found before.
    pub(super) found: &'a [u32],
}

/// Verifies a value of the scheme. Without `contents` the signers alone.
pub(super) fn verify(value: &[u8], contents: Option<&Contents>, context: &Context<'_>) -> Result<Outcome, ParseError> {
    let mut outcome = Outcome::default();
    signers(&mut outcome, value, context);
    if let Some(contents) = contents.filter(|_| !outcome.failed()) {
        outcome.contents(&ISSUES, contents)?;
        outcome.scheme.verified = !outcome.failed();
    }
    Ok(outcome)
}

fn signers(outcome: &mut Outcome, value: &[u8], context: &Context<'_>) {
    let Some(mut signers) = Fields(value).prefixed() else { return outcome.error(Issue::V2SigMalformedSigners) };
    if signers.is_empty() {
        return outcome.error(Issue::V2SigNoSigners);
    }
    let mut count = 0_usize;
    while !signers.is_empty() {
        count += 1;
        // AOSP goes through them all before it counts, to the same end.
        if count > MAX_SIGNERS {
            return outcome.error(Issue::V2SigMaxSignaturesExceeded);
        }
        let one = signers.prefixed().ok_or(Malformed).and_then(|fields| signer(outcome, fields, context));
        if one.is_err() {
            return outcome.error(Issue::V2SigMalformedSigner);
        }
    }
}

fn signer(outcome: &mut Outcome, mut fields: Fields<'_>, context: &Context<'_>) -> Result<(), Malformed> {
    let signed = fields.bytes().ok_or(Malformed)?;
    let signatures = fields.prefixed().ok_or(Malformed)?;
    let key = fields.bytes().ok_or(Malformed)?;
    let Some(ids) = outcome.signatures(&ISSUES, signatures, signed, key, context.range) else { return Ok(()) };
    let mut signed = Fields(signed);
    let (digests, certificates) = (signed.prefixed().ok_or(Malformed)?, signed.prefixed().ok_or(Malformed)?);
    let mut attributes = signed.prefixed().ok_or(Malformed)?;
    if outcome.signed(&ISSUES, digests, certificates, key, &ids)?.is_none() {
        return Ok(());
    }
    let mut promised = Vec::new();
    while !attributes.is_empty() {
        let attribute = attributes.prefixed().and_then(|mut attribute| Some((attribute.u32()?, attribute.0)));
        match attribute {
            Some((STRIPPING_PROTECTION, value)) => match le::u32(value, 0) {
                Some(scheme) if context.supported.contains(&scheme) => promised.push(scheme),
                Some(_) => outcome.warning(Issue::V2SigUnknownApkSigSchemeId),
                None => {
                    outcome.error(Issue::V2SigMalformedAdditionalAttribute);
                    return Ok(());
                }
            },
            Some(_) => outcome.warning(Issue::V2SigUnknownAdditionalAttribute),
            None => {
                outcome.error(Issue::V2SigMalformedAdditionalAttribute);
                return Ok(());
            }
        }
    }
    promised.sort_unstable();
    promised.dedup();
    for _ in promised.iter().filter(|scheme| !context.found.contains(scheme)) {
        outcome.error(Issue::V2SigMissingApkSigReferenced);
    }
    Ok(())
}
