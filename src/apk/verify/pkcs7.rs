//! The signature block of a JAR signature: PKCS #7 `SignedData` (RFC 2315) over a `.SF` file.

use super::super::der::Der;
use super::certificate::Parsed;
use super::hash::Hash;
use super::issue::Issue;
use super::jar_algorithm::JarAlgorithm;
use super::key;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
/// Certificates, signers and attributes of one block, each.
const MAX_PARTS: usize = 256;

struct SignedData<'a> {
    content_type: &'a [u8],
    certificates: Vec<&'a [u8]>,
    signers: Vec<SignerInfo<'a>>,
}

struct SignerInfo<'a> {
    issuer: &'a [u8],
    serial: &'a [u8],
    digest: &'a [u8],
    /// Tag, length and contents.
    attributes: Option<&'a [u8]>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

/// Type and values.
type Attribute<'a> = (&'a [u8], Vec<&'a [u8]>);

/// The certificate whose signature over `file` counts at all levels of `range`.
pub(super) fn verify(block: &[u8], file: &[u8], range: (i32, i32)) -> Result<Vec<u8>, Issue> {
    let data = parse(block).ok_or(Issue::JarSigParseException)?;
    if data.signers.is_empty() {
        return Err(Issue::JarSigNoSigners);
    }
    // Before Android 7.0 the first signer alone is looked at.
    let tried = if range.0 < 24 { 1 } else { data.signers.len() };
    let certificates = data.certificates.iter().map(|raw| Parsed::new(raw)).collect::<Option<Vec<_>>>();
    let certificates = certificates.ok_or(Issue::JarSigParseException)?;
    let mut found = None;
    for signer in data.signers.iter().take(tried) {
        let verified = signer.verify(&certificates, data.content_type, file, range)?;
        found = found.or(verified);
    }
    found.ok_or(Issue::JarSigDidNotVerify)
}

impl SignerInfo<'_> {
    /// `None` where the signature is another's: another signer may do.
    fn verify(
        &self,
        certificates: &[Parsed<'_>],
        content_type: &[u8],
        file: &[u8],
        range: (i32, i32),
    ) -> Result<Option<Vec<u8>>, Issue> {
        let supported = JarAlgorithm::find(self.digest, self.algorithm);
        let algorithm = supported.filter(|a| a.covers(range)).ok_or(Issue::JarSigUnsupportedSigAlg)?;
        let found = certificates.iter().find(|certificate| certificate.is(self.issuer, self.serial));
        let sound = found.filter(|certificate| !certificate.unknown_critical && certificate.may_sign());
        let certificate = sound.ok_or(Issue::JarSigVerifyException)?;
        let verify = |parts: &[&[u8]]| {
            let (method, hash) = (algorithm.method, algorithm.signature_hash);
            match key::verify(certificate.key, method, hash, parts, self.signature) {
                Ok(()) => Ok(Some(certificate.raw.to_vec())),
                Err(key::Failure::Mismatch) => Ok(None),
                Err(_) => Err(Issue::JarSigVerifyException),
            }
        };
        let Some(attributes) = self.attributes else { return verify(&[file]) };
        // Levels before Android 4.4 don't hold the digest in the attributes against the file.
        if range.0 < 19 || !attributes_fit(attributes, content_type, algorithm.digest, file, range)? {
            return if range.0 < 19 { Err(Issue::JarSigVerifyException) } else { Ok(None) };
        }
        // The signature is over the attributes as the set they are, not as the element they stand in.
        verify(&[&[SET], attributes.get(1..).unwrap_or_default()])
    }
}

fn attributes_fit(raw: &[u8], content_type: &[u8], hash: Hash, file: &[u8], range: (i32, i32)) -> Result<bool, Issue> {
    let attributes = parse_attributes(raw).ok_or(Issue::JarSigVerifyException)?;
    let twice =
        |(index, (kind, _)): (usize, &Attribute<'_>)| attributes.iter().skip(index + 1).any(|(other, _)| other == kind);
    if attributes.iter().enumerate().any(twice) {
        return Err(Issue::JarSigParseException);
    }
    let single = |wanted: &[u8], tag| {
        let values = attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, values)| values.as_slice());
        match values {
            None | Some([]) => Err(Issue::JarSigVerifyException),
            Some([value]) => {
                let value = Der::new(value).enter(tag, "").map_err(|_| Issue::JarSigParseException)?;
                Ok(value.rest())
            }
            Some(_) => Err(Issue::JarSigParseException),
        }
    };
    if range.1 >= 24 && single(CONTENT_TYPE, OBJECT)? != content_type {
        return Ok(false);
    }
    Ok(single(MESSAGE_DIGEST, OCTET_STRING)? == hash.digest(&[file]))
}

fn parse_attributes(raw: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let mut set = Der::new(raw).enter(CONTEXT_0, "").ok()?;
    let mut all = Vec::new();
    while !set.rest().is_empty() {
        if all.len() >= MAX_PARTS {
            return None;
        }
        let mut attribute = set.enter(SEQUENCE, "").ok()?;
        let kind = attribute.enter(OBJECT, "").ok()?.rest();
        let values = elements(attribute.enter(SET, "").ok()?)?;
        all.push((kind, values));
    }
    Some(all)
}

fn elements(mut der: Der<'_>) -> Option<Vec<&[u8]>> {
    let mut all = Vec::new();
    while !der.rest().is_empty() {
        if all.len() >= MAX_PARTS {
            return None;
        }
        all.push(der.element("").ok()?);
    }
    Some(all)
}

fn parse(block: &[u8]) -> Option<SignedData<'_>> {
    let mut content = Der::new(block).enter(SEQUENCE, "").ok()?;
    if content.enter(OBJECT, "").ok()?.rest() != SIGNED_DATA {
        return None;
    }
    let mut signed = content.enter(CONTEXT_0, "").ok()?.enter(SEQUENCE, "").ok()?;
    signed.enter(INTEGER, "").ok()?;
    signed.enter(SET, "").ok()?;
    let content_type = signed.enter(SEQUENCE, "").ok()?.enter(OBJECT, "").ok()?.rest();
    let mut certificates = Vec::new();
    if signed.tag() == Some(CONTEXT_0) {
        certificates = elements(signed.enter(CONTEXT_0, "").ok()?)?;
    }
    if signed.tag() == Some(CONTEXT_1) {
        signed.element("").ok()?;
    }
    let infos = elements(signed.enter(SET, "").ok()?)?;
    let signers = infos.into_iter().map(signer_info).collect::<Option<_>>()?;
    Some(SignedData { content_type, certificates, signers })
}

fn signer_info(raw: &[u8]) -> Option<SignerInfo<'_>> {
    let mut info = Der::new(raw).enter(SEQUENCE, "").ok()?;
    info.enter(INTEGER, "").ok()?;
    let mut who = info.enter(SEQUENCE, "").ok()?;
    let (issuer, serial) = (who.element("").ok()?, who.enter(INTEGER, "").ok()?.rest());
    let digest = info.enter(SEQUENCE, "").ok()?.enter(OBJECT, "").ok()?.rest();
    let attributes = if info.tag() == Some(CONTEXT_0) { Some(info.element("").ok()?) } else { None };
    let algorithm = info.enter(SEQUENCE, "").ok()?.enter(OBJECT, "").ok()?.rest();
    let signature = info.enter(OCTET_STRING, "").ok()?.rest();
    Some(SignerInfo { issuer, serial, digest, attributes, algorithm, signature })
}
