//! The APK Signing Block: certificates that the schemes v2, v3 and v3.1 claim.
//!
//! It ends where the central directory begins
//! (<https://source.android.com/docs/security/features/apksigning/v2>):
//!
//! | size | name | meaning |
//! |---|---|---|
//! | 8 | size | bytes of the block without this field |
//! | ... | pairs | length 8, id 4, value |
//! | 8 | size | the same again |
//! | 16 | magic | `APK Sig Block 42` |
//!
//! The value of a scheme is a sequence of signers; a signer begins with its signed data, which are a sequence of digests
//! and a sequence of certificates, the signer's own first. All of these have a 32-bit length before them. Nothing is
//! verified here; source stamps and other pairs are not read.

use super::directory::Directory;
use super::{Certificate, PastCertificate};
use crate::bytes::{ParseError, ReadAt, le, read_at};

/// Schemes, newest first.
const SCHEMES: [(u32, &str); 3] = [(0x1b93_ad61, "v3.1"), (0xf053_68c0, "v3"), (0x7109_871a, "v2")];
const FOOTER: u64 = 24;
/// Pairs of a block: a scheme each, stamps, padding, notes of shops. The most that was seen is 8.
const MAX_PAIRS: usize = 1024;
/// Bytes of one scheme. A signer with a certificate of 16,384 bits has below 16 KiB.
const MAX_SCHEME: u64 = 4 << 20;
/// Signers of one scheme; Android accepts ten.
const MAX_SIGNERS: usize = 64;
/// Certificates of a proof of rotation; Android's own tests have three.
const MAX_PAST: usize = 64;
/// Id of the attribute with the proof.
const PROOF_OF_ROTATION: u32 = 0x3ba0_6f8c;

/// Certificates by scheme, newest first; empty where there is no block, or none of these schemes in it.
pub(super) fn certificates(directory: &Directory) -> Result<Vec<Certificate>, ParseError> {
    let source = directory.source.as_ref();
    let Some((start, end)) = locate(source, directory.start)? else { return Ok(Vec::new()) };
    let pairs = pairs(source, start, end)?;
    let mut found = Vec::new();
    for (id, scheme) in SCHEMES {
        // Android takes the first pair of an id.
        if let Some((_, at, length)) = pairs.iter().find(|pair| pair.0 == id) {
            let value = read_at(source, *at, *length, "bytes of a signature scheme", MAX_SCHEME)?;
            signers(&value, *at, scheme, &mut found).map_err(|error| error.within(scheme))?;
        }
    }
    Ok(found)
}

/// Start and end of the pairs.
fn locate(source: &dyn ReadAt, directory: u64) -> Result<Option<(u64, u64)>, ParseError> {
    let Some(footer_at) = directory.checked_sub(FOOTER) else { return Ok(None) };
    let footer = read_at(source, footer_at, FOOTER, "bytes of the block's footer", FOOTER)?;
    if footer.get(8..) != Some(b"APK Sig Block 42") {
        return Ok(None);
    }
    let size = le::u64(&footer, 0).unwrap_or_default();
    let start = size.checked_add(8).filter(|_| size >= FOOTER).and_then(|whole| directory.checked_sub(whole));
    let Some(start) = start else {
        return Err(ParseError::invalid(footer_at, "size", size, "24 to what precedes the directory"));
    };
    let head = read_at(source, start, 8, "bytes of the block's header", 8)?;
    let other = le::u64(&head, 0).unwrap_or_default();
    if other != size {
        return Err(ParseError::invalid(start, "size", other, "the size at the block's end"));
    }
    Ok(Some((start + 8, footer_at)))
}

/// Id, offset and length of each value.
fn pairs(source: &dyn ReadAt, start: u64, end: u64) -> Result<Vec<(u32, u64, u64)>, ParseError> {
    let mut pairs = Vec::new();
    let mut at = start;
    while at < end {
        if end - at < 12 {
            return Err(ParseError::truncated(at, 12, end));
        }
        let head = read_at(source, at, 12, "bytes of a pair's header", 12)?;
        let (Some(length), Some(id)) = (le::u64(&head, 0), le::u32(&head, 8)) else {
            return Err(ParseError::truncated(at, 12, end));
        };
        if length < 4 || length > end - at - 8 {
            return Err(ParseError::invalid(at, "length of a pair", length, "4 to what is left of the block"));
        }
        if pairs.len() >= MAX_PAIRS {
            return Err(ParseError::limit(at, "number of pairs", MAX_PAIRS as u64 + 1, MAX_PAIRS as u64));
        }
        pairs.push((id, at + 12, length - 4));
        at += 8 + length;
    }
    Ok(pairs)
}

fn signers(value: &[u8], base: u64, scheme: &'static str, found: &mut Vec<Certificate>) -> Result<(), ParseError> {
    let mut signers = Prefixed { rest: value, at: base }.next("signers")?;
    for number in 0.. {
        if signers.rest.is_empty() {
            break;
        }
        if number >= MAX_SIGNERS {
            return Err(ParseError::limit(signers.at, "number of signers", number as u64 + 1, MAX_SIGNERS as u64));
        }
        let certificate =
            certificate(&mut signers, scheme).map_err(|error| error.within(format!("signer {number}")))?;
        found.push(certificate);
    }
    Ok(())
}

/// The next signer's own certificate, with those that it replaced.
fn certificate(signers: &mut Prefixed<'_>, scheme: &'static str) -> Result<Certificate, ParseError> {
    let mut signed_data = signers.next("signer")?.next("signed data")?;
    signed_data.next("digests")?;
    let mut certificates = signed_data.next("certificates")?;
    if certificates.rest.is_empty() {
        return Err(ParseError::invalid(certificates.at, "certificates", "empty", "at least one"));
    }
    let der = certificates.next("certificate")?.rest.to_vec();
    // Android refuses a package whose proof is damaged; who signed it is known all the same.
    let past = if scheme == "v2" { Vec::new() } else { past(&mut signed_data).unwrap_or_default() };
    let past = past.into_iter().filter(|past| past.der != der).collect();
    Ok(Certificate { scheme, der, past })
}

/// Certificates of the proof of rotation among a signer's attributes
/// (<https://source.android.com/docs/security/features/apksigning/v3#proof-of-rotation>), the signer's own last.
fn past(signed_data: &mut Prefixed<'_>) -> Result<Vec<PastCertificate>, ParseError> {
    // The least and greatest API level of the signer stand before its attributes.
    signed_data.skip(8, "API levels")?;
    let mut attributes = signed_data.next("attributes")?;
    let mut past = Vec::new();
    while !attributes.rest.is_empty() {
        let mut attribute = attributes.next("attribute")?;
        if attribute.number("id of an attribute")? != PROOF_OF_ROTATION {
            continue;
        }
        attribute.number("version of the proof")?;
        while !attribute.rest.is_empty() {
            if past.len() >= MAX_PAST {
                let found = past.len() as u64 + 1;
                return Err(ParseError::limit(attribute.at, "certificates of a proof", found, MAX_PAST as u64));
            }
            let mut node = attribute.next("node of the proof")?;
            let mut signed = node.next("signed data of a node")?;
            let der = signed.next("certificate of a node")?.rest.to_vec();
            let flags = node.number("flags of a node")?;
            past.push(PastCertificate { der, flags });
        }
    }
    Ok(past)
}

/// A run of elements, each with its length in 32 bits before it.
struct Prefixed<'a> {
    rest: &'a [u8],
    at: u64,
}

impl<'a> Prefixed<'a> {
    /// A number of 32 bits that stands without a length.
    fn number(&mut self, what: &'static str) -> Result<u32, ParseError> {
        let number = le::u32(self.rest, 0);
        let number =
            number.ok_or_else(|| ParseError::truncated(self.at, 4, self.at + self.rest.len() as u64).within(what))?;
        self.skip(4, what)?;
        Ok(number)
    }

    fn skip(&mut self, bytes: usize, what: &'static str) -> Result<(), ParseError> {
        let short = || ParseError::truncated(self.at, bytes as u64, self.at + self.rest.len() as u64).within(what);
        self.rest = self.rest.get(bytes..).ok_or_else(short)?;
        self.at += bytes as u64;
        Ok(())
    }

    fn next(&mut self, what: &'static str) -> Result<Self, ParseError> {
        let short = |length: u64| ParseError::truncated(self.at, length, self.at + self.rest.len() as u64).within(what);
        let length = le::u32(self.rest, 0).ok_or_else(|| short(4))?;
        let behind = self.rest.get(4..).unwrap_or_default();
        let split = usize::try_from(length).ok().and_then(|length| behind.split_at_checked(length));
        let (element, rest) = split.ok_or_else(|| short(u64::from(length) + 4))?;
        let element = Self { rest: element, at: self.at + 4 };
        self.at += 4 + u64::from(length);
        self.rest = rest;
        Ok(element)
    }
}
