//! Keys of ed25519 (RFC 8032).
//!
//! | file | form | mode |
//! |---|---|---|
//! | private key | PKCS#8 in PEM, `PRIVATE KEY` (RFC 5958, RFC 8410), not encrypted | 0600 |
//! | public key | SubjectPublicKeyInfo in PEM, `PUBLIC KEY` (RFC 8410) | any |
//!
//! OpenSSL reads and writes both: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`. Text around the PEM block
//! is ignored. Encrypted private keys are not supported.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// PKCS#8 version 1 of an ed25519 key, up to its 32 bytes (RFC 8410, section 7).
const PRIVATE_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// SubjectPublicKeyInfo of an ed25519 key, up to its 32 bytes (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
/// Columns of base64 in PEM (RFC 7468).
const PEM_COLUMNS: usize = 64;

/// Length of a signature in bytes.
pub const SIGNATURE_BYTES: usize = 64;
/// Length of a public key in bytes.
pub const PUBLIC_BYTES: usize = 32;
/// Largest file that can hold a key or a list of keys, in bytes: thousands of keys.
pub const FILE_LIMIT: u64 = 1 << 20;

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no PEM block of that label.
    #[error("no {0} in PEM")]
    NoBlock(&'static str),
    /// The block is encrypted.
    #[error("the private key is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN)")]
    Encrypted,
    /// The block is not what its label says.
    #[error("not an ed25519 key: {0}")]
    Invalid(&'static str),
    /// The host gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// A key that signs.
pub struct PrivateKey {
    pair: Ed25519KeyPair,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id())
    }
}

impl PrivateKey {
    /// A new key from the operating system's random bytes, and its file.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<(Self, Zeroizing<String>), KeyError> {
        let mut der = Zeroizing::new([0_u8; PRIVATE_PREFIX.len() + 32]);
        let (prefix, seed) = der.split_at_mut(PRIVATE_PREFIX.len());
        prefix.copy_from_slice(&PRIVATE_PREFIX);
        SystemRandom::new().fill(seed).map_err(|_| KeyError::NoRandomness)?;
        let pem = Zeroizing::new(pem("PRIVATE KEY", der.as_slice()));
        Ok((Self::from_pem(&pem)?, pem))
    }

    /// The key of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(KeyError::Encrypted);
        }
        let der = Zeroizing::new(block(text, "PRIVATE KEY")?.ok_or(KeyError::NoBlock("PRIVATE KEY"))?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        Ok(Self { pair: pair.map_err(|_| KeyError::Invalid("the PKCS#8 of another algorithm, or damaged"))? })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; PUBLIC_BYTES];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey { bytes }
    }

    /// The signature of `message`. The same message gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }
}

/// A key that checks signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    bytes: [u8; PUBLIC_BYTES],
}

impl PublicKey {
    /// The key of these bytes (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_bytes(bytes: [u8; PUBLIC_BYTES]) -> Self {
        Self { bytes }
    }

    /// The key of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = block(text, "PUBLIC KEY")?.ok_or(KeyError::NoBlock("PUBLIC KEY"))?;
        let bytes = der.strip_prefix(&PUBLIC_PREFIX).ok_or(KeyError::Invalid("the key of another algorithm"))?;
        let bytes = bytes.try_into().map_err(|_| KeyError::Invalid("a public key has 32 bytes"))?;
        Ok(Self { bytes })
    }

    /// The key in base64, 44 characters, as lists of keys hold it.
    ///
    /// # Errors
    /// Not base64, or not of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::Invalid("not base64"))?;
        let bytes = bytes.try_into().map_err(|_| KeyError::Invalid("a public key has 32 bytes"))?;
        Ok(Self { bytes })
    }

    /// See [`Self::from_base64`].
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.bytes)
    }

    /// Its file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &[PUBLIC_PREFIX.as_slice(), self.bytes.as_slice()].concat())
    }

    /// The bytes (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_BYTES] {
        &self.bytes
    }

    /// SHA-256 of the SubjectPublicKeyInfo, lower-case hex: `openssl pkey -pubin -outform DER | sha256sum`.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Sha256::new().chain_update(PUBLIC_PREFIX).chain_update(self.bytes).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `signature` is this key's of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }
}

/// A PEM block (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, later) = rest.split_at(rest.len().min(PEM_COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = later;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The bytes of the first block of that label.
fn block(text: &str, label: &str) -> Result<Option<Vec<u8>>, KeyError> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let Some((_, rest)) = text.split_once(begin.as_str()) else { return Ok(None) };
    let (body, _) = rest.split_once(end.as_str()).ok_or(KeyError::Invalid("the PEM block does not end"))?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    STANDARD.decode(body.as_bytes()).map(Some).map_err(|_| KeyError::Invalid("the PEM block is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.3 and 10.1.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----\n";

    #[test]
    fn the_keys_of_rfc_8410_belong_together() {
        let key = PrivateKey::from_pem(PRIVATE).unwrap();
        assert_eq!(key.public(), PublicKey::from_pem(PUBLIC).unwrap());
        assert_eq!(key.public().to_pem(), PUBLIC);
    }

    #[test]
    fn the_signature_of_rfc_8032_test_2_is_made_and_verified() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap()).collect();
        let der = [PRIVATE_PREFIX.as_slice(), &bytes].concat();
        let key = PrivateKey::from_pem(&pem("PRIVATE KEY", &der)).unwrap();
        let signature = key.sign(&[0x72]);
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
        assert!(key.public().verifies(&[0x72], &signature));
        assert!(!key.public().verifies(&[0x73], &signature));
    }

    #[test]
    fn a_new_key_reads_back_and_is_not_the_one_before() {
        let (first, text) = PrivateKey::generate().unwrap();
        let (second, _) = PrivateKey::generate().unwrap();
        assert_eq!(PrivateKey::from_pem(&text).unwrap().public(), first.public());
        assert_ne!(first.public(), second.public());
        assert_eq!(PublicKey::from_base64(&first.public().to_base64()).unwrap(), first.public());
    }

    #[test]
    fn what_is_no_key_is_refused_by_what_is_wrong() {
        assert_eq!(PublicKey::from_pem("hello"), Err(KeyError::NoBlock("PUBLIC KEY")));
        assert_eq!(
            PublicKey::from_pem(&PUBLIC.replace("MCow", "MCox")).unwrap_err().to_string(),
            "not an ed25519 key: the key of another algorithm"
        );
        assert_eq!(PrivateKey::from_pem(PUBLIC).unwrap_err(), KeyError::NoBlock("PRIVATE KEY"));
        let encrypted = PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(PrivateKey::from_pem(&encrypted).unwrap_err(), KeyError::Encrypted);
        let unended = PUBLIC.split("-----END").next().unwrap();
        assert!(matches!(PublicKey::from_pem(unended), Err(KeyError::Invalid(_))));
    }
}
