//! The signers of a JAR signature (scheme v1): the certificate that each `META-INF/*.RSA`, `*.DSA` or `*.EC` claims.
//!
//! Such a file is a PKCS #7 `SignedData` (RFC 2315). As Android, a file counts only beside its `.SF` and a
//! `META-INF/MANIFEST.MF`, and of several signer infos the first; its certificate is the one with that issuer and serial
//! number. Certificates are taken as they stand: they need not be DER inside. Nothing is verified.

use super::Certificate;
use super::der::Der;
use super::directory::Directory;
use super::entry::Reader;
use crate::bytes::ParseError;

/// Bytes of one signature file. A certificate of 16,384 bits makes one of 7 KiB.
const MAX_FILE: u64 = 1 << 20;
/// Signature files of one package; Android accepts ten signers.
const MAX_FILES: usize = 64;
/// Certificates in one file.
const MAX_CERTIFICATES: usize = 256;
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const CONTEXT_0: u8 = 0xa0;

/// Certificates in the order of the files' names.
pub(super) fn certificates(directory: &Directory) -> Result<Vec<Certificate>, ParseError> {
    let mut found = Vec::new();
    if directory.find(b"META-INF/MANIFEST.MF").is_none() {
        return Ok(found);
    }
    for record in directory.with_prefix(b"META-INF/") {
        let Some(stem) = signature_stem(record.name) else { continue };
        if directory.find(&[stem, b"SF"].concat()).is_none() {
            continue;
        }
        let name = String::from_utf8_lossy(record.name).into_owned();
        if found.len() >= MAX_FILES {
            let count = MAX_FILES as u64 + 1;
            return Err(ParseError::limit(record.local_header, "number of signature files", count, MAX_FILES as u64));
        }
        let certificate = || {
            let raw = directory.read_entry(&record, Reader::Jar, MAX_FILE)?;
            signer(&raw).map(<[u8]>::to_vec)
        };
        let der = certificate().map_err(|error| error.within(name))?;
        found.push(Certificate { scheme: "v1", der, past: Vec::new() });
    }
    Ok(found)
}

/// The name up to and with its last dot.
fn signature_stem(name: &[u8]) -> Option<&[u8]> {
    [b"RSA".as_slice(), b"DSA", b"EC"].into_iter().find_map(|extension| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(extension.len())?)?;
        (end.eq_ignore_ascii_case(extension) && stem.ends_with(b".")).then_some(stem)
    })
}

/// The certificate of the first signer info.
fn signer(raw: &[u8]) -> Result<&[u8], ParseError> {
    let mut content = Der::new(raw).enter(SEQUENCE, "ContentInfo")?;
    let kind = content.enter(OBJECT, "contentType")?;
    if kind.rest() != SIGNED_DATA {
        return Err(ParseError::invalid(kind.offset(), "contentType", "another", "1.2.840.113549.1.7.2"));
    }
    let mut signed = content.enter(CONTEXT_0, "content")?.enter(SEQUENCE, "SignedData")?;
    signed.enter(INTEGER, "version")?;
    signed.enter(SET, "digestAlgorithms")?;
    signed.enter(SEQUENCE, "contentInfo")?;
    let mut bag = signed.enter(CONTEXT_0, "certificates")?;
    // Revocation lists may follow.
    if signed.tag() == Some(0xa1) {
        signed.element("crls")?;
    }
    let mut info = signed.enter(SET, "signerInfos")?.enter(SEQUENCE, "SignerInfo")?;
    info.enter(INTEGER, "version")?;
    let mut who = info.enter(SEQUENCE, "issuerAndSerialNumber")?;
    let wanted = (who.element("issuer")?, who.element("serialNumber")?);
    let offset = bag.offset();
    let mut same_serial = Vec::new();
    for _ in 0..MAX_CERTIFICATES {
        if bag.rest().is_empty() {
            break;
        }
        let raw = bag.element("certificate")?;
        match issuer_and_serial(raw) {
            Ok(found) if found == wanted => return Ok(raw),
            Ok((_, serial)) if serial == wanted.1 => same_serial.push(raw),
            _ => {}
        }
    }
    // Signing tools write the issuer anew, with other string types than the certificate has.
    match same_serial.as_slice() {
        [only] => Ok(only),
        several => {
            let expected = "one with the signer's issuer and serial number";
            Err(ParseError::invalid(offset, "certificates of that serial number", several.len(), expected))
        }
    }
}

fn issuer_and_serial(certificate: &[u8]) -> Result<(&[u8], &[u8]), ParseError> {
    let mut fields = Der::new(certificate).enter(SEQUENCE, "Certificate")?.enter(SEQUENCE, "TBSCertificate")?;
    if fields.tag() == Some(CONTEXT_0) {
        fields.element("version")?;
    }
    let serial = fields.element("serialNumber")?;
    fields.element("signature")?;
    Ok((fields.element("issuer")?, serial))
}
