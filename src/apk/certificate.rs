//! What a certificate says of itself, and whether its private key is public.

use serde::Serialize;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::Certificate;

/// Certificates whose private keys anyone can have: SHA-256, name, kind, source.
const KNOWN: &str = include_str!("known_certificates.tsv");

/// Fields of a certificate. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// `subject`.
    pub subject: String,
    /// `issuer`.
    pub issuer: String,
    /// `serialNumber` as hex.
    pub serial: String,
    /// `notBefore` in seconds since 1970.
    pub not_before: i64,
    /// `notAfter` in seconds since 1970.
    pub not_after: i64,
    /// `RSA`, `EC`, `DSA`, or the algorithm's object identifier.
    pub key_algorithm: String,
    /// Size of the key in bits, where its kind has one that is known here.
    pub key_bits: Option<usize>,
    /// Object identifier of the algorithm that signed it.
    pub signature_algorithm: String,
}

/// A certificate whose private key is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Name of the key.
    pub name: &'static str,
    /// `aosp-test-key`: signs Android's own builds until release keys replace it. `tool-test-key`: belongs to tests.
    pub kind: &'static str,
    /// Where it is published.
    pub source: &'static str,
}

impl Certificate {
    /// Fields of the certificate; `None` where it is no X.509, which Android's first scheme does not mind.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        let (_, certificate) = X509Certificate::from_der(&self.der).ok()?;
        let key = certificate.public_key();
        let (key_algorithm, key_bits) = match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => ("RSA".to_owned(), Some(rsa.key_size())),
            Ok(PublicKey::EC(point)) => ("EC".to_owned(), Some(point.key_size())),
            // The size is that of the prime, which stands in the parameters.
            Ok(PublicKey::DSA(_)) => ("DSA".to_owned(), None),
            _ => (key.algorithm.algorithm.to_id_string(), None),
        };
        Some(CertificateFacts {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            key_algorithm,
            key_bits,
            signature_algorithm: certificate.signature_algorithm.algorithm.to_id_string(),
        })
    }

    /// What is known of the certificate, by its SHA-256.
    #[must_use]
    pub fn known(&self) -> Option<Known> {
        let digest = self.sha256();
        rows().find(|row| row.0 == digest).map(|row| row.1)
    }
}

fn rows() -> impl Iterator<Item = (&'static str, Known)> {
    KNOWN.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let digest = columns.next()?;
        Some((digest, Known { name: columns.next()?, kind: columns.next()?, source: columns.next()? }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_certificate_has_a_digest_of_its_own_a_kind_and_a_source() {
        let lines = KNOWN.lines().filter(|line| !line.starts_with('#')).count();
        let mut digests: Vec<_> = rows().map(|row| row.0).collect();
        assert_eq!(digests.len(), lines);
        for (digest, known) in rows() {
            assert!(digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
            assert!(["aosp-test-key", "tool-test-key"].contains(&known.kind), "{}", known.name);
            assert!(known.source.starts_with("https://"), "{}", known.name);
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), lines);
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_facts() {
        let certificate = Certificate { scheme: "v1", der: vec![0x30, 0x82, 0xff], past: Vec::new() };
        assert_eq!((certificate.facts(), certificate.known()), (None, None));
    }
}
