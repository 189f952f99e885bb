//! What a certificate says of itself.

use serde::Serialize;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::AlgorithmIdentifier;

use super::Certificate;
use super::der::Der;

const INTEGER: u8 = 0x02;

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

impl Certificate {
    /// Fields of the certificate; `None` where it is no X.509, which Android's first scheme does not mind.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        let (_, certificate) = X509Certificate::from_der(&self.der).ok()?;
        let key = certificate.public_key();
        let (key_algorithm, key_bits) = match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => ("RSA".to_owned(), Some(rsa.key_size())),
            // Coordinates fill whole bytes; of the curves in use only P-521 does not.
            Ok(PublicKey::EC(point)) => {
                ("EC".to_owned(), Some(point.key_size()).map(|bits| if bits == 528 { 521 } else { bits }))
            }
            Ok(PublicKey::DSA(_)) => ("DSA".to_owned(), dsa_bits(&key.algorithm)),
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
}

/// Bits of the prime, the first of the parameters of a DSA key (RFC 3279).
fn dsa_bits(algorithm: &AlgorithmIdentifier<'_>) -> Option<usize> {
    let prime = Der::new(algorithm.parameters.as_ref()?.as_bytes()).enter(INTEGER, "p").ok()?.rest();
    let digits = prime.get(prime.iter().position(|&byte| byte != 0)?..)?;
    let unused = usize::try_from(digits.first()?.leading_zeros()).ok()?;
    (digits.len() * 8).checked_sub(unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_certificate_have_no_facts() {
        let certificate = Certificate { scheme: "v1", der: vec![0x30, 0x82, 0xff] };
        assert_eq!(certificate.facts(), None);
    }
}
