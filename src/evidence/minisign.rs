//! Signatures of files in the form of minisign (<https://jedisct1.github.io/minisign/>), versions 0.8 and later.
//!
//! | file | lines |
//! |---|---|
//! | signature, `FILE.minisig` | untrusted comment; base64 of algorithm (2), key id (8), signature (64); `trusted comment: ...`; base64 of a signature (64) over the first signature and the trusted comment |
//! | public key | untrusted comment; base64 of `Ed`, key id (8), key (32) |
//! | secret key | untrusted comment; base64 of `Ed`, kdf (2), `B2`, salt (32), two limits (8 each), key id (8), seed (32), public key (32), checksum (32) |
//!
//! The algorithm `ED` signs the BLAKE2b-512 digest of the file, `Ed` (older versions) the file itself; both are verified,
//! `ED` is written. Secret keys with a password (kdf `Sc`) are not supported: `minisign -G -W` makes one without. A key in PEM
//! signs too; its key id is the first 8 bytes of the SHA-256 digest of its public half.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::{KeyError, PUBLIC_BYTES, PrivateKey, PublicKey, SIGNATURE_BYTES};

/// The algorithm that signs a digest.
const HASHED: &[u8] = b"ED";
/// The algorithm that signs the file itself, and the mark of keys.
const PLAIN: &[u8] = b"Ed";
/// PKCS#8 version 1 of an ed25519 key, up to its 32 bytes (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// Longest comment that is taken: minisign's own limit is 8 KiB.
const MAX_COMMENT: usize = 8192;

/// Length of a key's id in bytes.
pub const KEY_ID_BYTES: usize = 8;

/// Why a signature or key is none, or does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The file has not this form.
    #[error("not {0}")]
    Form(&'static str),
    /// The secret key has a password.
    #[error("the secret key has a password, which is not supported: minisign -G -W makes one without")]
    Password,
    /// A key in PEM is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature is of another key.
    #[error("signed with the key {found}, not with {wanted}")]
    OtherKey {
        /// Id of the key that signed.
        found: String,
        /// Ids of the keys that were given.
        wanted: String,
    },
    /// The file was changed after it was signed, or never was signed with this key.
    #[error("the signature does not fit the file")]
    Wrong,
    /// The trusted comment was changed.
    #[error("the signature does not fit its trusted comment")]
    WrongComment,
}

/// A public key with its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey {
    /// The key.
    pub key: PublicKey,
    id: [u8; KEY_ID_BYTES],
}

/// A secret key with its id.
#[derive(Debug)]
pub struct SigningKey {
    key: PrivateKey,
    id: [u8; KEY_ID_BYTES],
}

/// A signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed.
    pub key: VerifyingKey,
    /// What the signer wrote, covered by the signature.
    pub trusted_comment: String,
}

/// An id as minisign prints it: the bytes as a little-endian number, in capital hex.
fn id_text(id: [u8; KEY_ID_BYTES]) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

/// The id of a key that has none of its own.
fn id_of(key: &PublicKey) -> [u8; KEY_ID_BYTES] {
    let digest = Sha256::digest(key.as_bytes());
    let mut id = [0; KEY_ID_BYTES];
    id.copy_from_slice(digest.get(..KEY_ID_BYTES).unwrap_or(&[0; KEY_ID_BYTES]));
    id
}

/// The bytes of the second line, whatever the first one says.
fn body(text: &str, what: &'static str) -> Result<Zeroizing<Vec<u8>>, SignatureError> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let line = if first.starts_with("untrusted comment:") { lines.next().unwrap_or_default() } else { first };
    let decoded = STANDARD.decode(line.trim()).map_err(|_| SignatureError::Form(what))?;
    Ok(Zeroizing::new(decoded))
}

/// Cuts the next bytes off.
fn take<'a, const N: usize>(rest: &mut &'a [u8], what: &'static str) -> Result<&'a [u8; N], SignatureError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(SignatureError::Form(what))?;
    *rest = tail;
    Ok(head)
}

impl VerifyingKey {
    /// The key of a file: minisign's form, or PEM.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        if text.contains("-----BEGIN") {
            let key = PublicKey::from_pem(text)?;
            return Ok(Self { id: id_of(&key), key });
        }
        const WHAT: &str = "a public key of minisign, nor one in PEM";
        let bytes = body(text, WHAT)?;
        let mut rest = bytes.as_slice();
        let algorithm = take::<2>(&mut rest, WHAT)?;
        let id = *take::<KEY_ID_BYTES>(&mut rest, WHAT)?;
        let key = *take::<PUBLIC_BYTES>(&mut rest, WHAT)?;
        if algorithm != PLAIN || !rest.is_empty() {
            return Err(SignatureError::Form(WHAT));
        }
        Ok(Self { key: PublicKey::from_bytes(key), id })
    }

    /// The key of its parts as reports tell them: the id as minisign prints it, the key in hex. `None` where one is none.
    #[must_use]
    pub fn of_parts(id: &str, key: &str) -> Option<Self> {
        let id = u64::from_str_radix(id, 16).ok().filter(|_| id.len() == 2 * KEY_ID_BYTES)?.to_le_bytes();
        let mut bytes = [0; PUBLIC_BYTES];
        let digits = key.as_bytes().chunks_exact(2);
        if key.len() != 2 * PUBLIC_BYTES || !key.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self { key: PublicKey::from_bytes(bytes), id })
    }

    /// The key's id as minisign prints it, 16 hex digits.
    #[must_use]
    pub fn id(&self) -> String {
        id_text(self.id)
    }

    /// Its file.
    #[must_use]
    pub fn to_file(&self) -> String {
        let bytes = [PLAIN, &self.id, self.key.as_bytes()].concat();
        format!("untrusted comment: minisign public key {}\n{}\n", self.id(), STANDARD.encode(bytes))
    }
}

impl SigningKey {
    /// The key of a file: minisign's form without a password, or PEM.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        if text.contains("-----BEGIN") {
            let key = PrivateKey::from_pem(text)?;
            return Ok(Self { id: id_of(&key.public()), key });
        }
        const WHAT: &str = "a secret key of minisign, nor one in PEM";
        let bytes = body(text, WHAT)?;
        let mut rest = bytes.as_slice();
        let algorithm = take::<2>(&mut rest, WHAT)?;
        let kdf = take::<2>(&mut rest, WHAT)?;
        let checksum = take::<2>(&mut rest, WHAT)?;
        if algorithm != PLAIN || checksum != b"B2" {
            return Err(SignatureError::Form(WHAT));
        }
        if kdf != &[0, 0] {
            return Err(SignatureError::Password);
        }
        take::<48>(&mut rest, WHAT)?;
        let id = *take::<KEY_ID_BYTES>(&mut rest, WHAT)?;
        let seed = take::<32>(&mut rest, WHAT)?;
        let public = take::<PUBLIC_BYTES>(&mut rest, WHAT)?;
        let der = Zeroizing::new([PKCS8.as_slice(), seed].concat());
        let pem = Zeroizing::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            Zeroizing::new(STANDARD.encode(der.as_slice())).as_str()
        ));
        let key = PrivateKey::from_pem(&pem)?;
        if key.public().as_bytes() != public {
            return Err(SignatureError::Form("a secret key of minisign: its halves do not belong together"));
        }
        Ok(Self { key, id })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey { key: self.key.public(), id: self.id }
    }

    /// The signature file of `content`.
    ///
    /// # Errors
    /// A comment of several lines, or one too long.
    pub fn sign(&self, content: &[u8], trusted_comment: &str) -> Result<String, SignatureError> {
        if trusted_comment.len() > MAX_COMMENT || trusted_comment.contains(char::is_control) {
            return Err(SignatureError::Form("a trusted comment: one line of at most 8192 bytes"));
        }
        let signature = self.key.sign(&Blake2b512::digest(content));
        let global = self.key.sign(&[signature.as_slice(), trusted_comment.as_bytes()].concat());
        let bytes = [HASHED, &self.id, &signature].concat();
        Ok(format!(
            "untrusted comment: signature of preloaded, key {}\n{}\ntrusted comment: {trusted_comment}\n{}\n",
            id_text(self.id),
            STANDARD.encode(bytes),
            STANDARD.encode(global)
        ))
    }
}

/// Verifies the signature file of `content` with one of `keys`.
///
/// # Errors
/// A file that is no signature, one of another key, one that does not fit.
pub fn verify(keys: &[VerifyingKey], content: &[u8], signature_file: &str) -> Result<Verified, SignatureError> {
    const WHAT: &str = "a signature of minisign";
    let mut lines = signature_file.lines();
    let (Some(untrusted), Some(signature), Some(comment), Some(global)) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(SignatureError::Form(WHAT));
    };
    let comment = comment.strip_prefix("trusted comment: ").ok_or(SignatureError::Form(WHAT))?;
    if !untrusted.starts_with("untrusted comment:") || comment.len() > MAX_COMMENT || lines.next().is_some() {
        return Err(SignatureError::Form(WHAT));
    }
    let decode = |line: &str| STANDARD.decode(line.trim()).map_err(|_| SignatureError::Form(WHAT));
    let (bytes, global) = (decode(signature)?, decode(global)?);
    let mut rest = bytes.as_slice();
    let algorithm = take::<2>(&mut rest, WHAT)?;
    let id = *take::<KEY_ID_BYTES>(&mut rest, WHAT)?;
    let signature = take::<SIGNATURE_BYTES>(&mut rest, WHAT)?;
    if !rest.is_empty() || global.len() != SIGNATURE_BYTES {
        return Err(SignatureError::Form(WHAT));
    }
    let Some(key) = keys.iter().find(|key| key.id == id) else {
        let wanted = keys.iter().map(VerifyingKey::id).collect::<Vec<_>>().join(", ");
        return Err(SignatureError::OtherKey { found: id_text(id), wanted });
    };
    let fits = match algorithm.as_slice() {
        HASHED => key.key.verifies(&Blake2b512::digest(content), signature),
        PLAIN => key.key.verifies(content, signature),
        _ => return Err(SignatureError::Form(WHAT)),
    };
    if !fits {
        return Err(SignatureError::Wrong);
    }
    if !key.key.verifies(&[signature.as_slice(), comment.as_bytes()].concat(), &global) {
        return Err(SignatureError::WrongComment);
    }
    Ok(Verified { key: *key, trusted_comment: comment.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.3.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----";

    fn key() -> SigningKey {
        SigningKey::parse(PRIVATE).unwrap()
    }

    #[test]
    fn a_signature_fits_its_file_its_comment_and_its_key_alone() {
        let (key, content) = (key(), b"schema = 1\n");
        let file = key.sign(content, "profile ru/smartphone 2026.2").unwrap();
        let keys = [key.public()];
        let verified = verify(&keys, content, &file).unwrap();
        assert_eq!(verified.trusted_comment, "profile ru/smartphone 2026.2");
        assert_eq!(verified.key, VerifyingKey::parse(&key.public().to_file()).unwrap());
        assert_eq!(verify(&keys, b"schema = 2\n", &file), Err(SignatureError::Wrong));
        assert_eq!(verify(&keys, content, &file.replace("2026.2", "2026.3")), Err(SignatureError::WrongComment));
        assert!(matches!(verify(&[], content, &file), Err(SignatureError::OtherKey { .. })));
    }

    #[test]
    fn a_signature_cut_or_changed_anywhere_is_an_error() {
        let (key, content) = (key(), b"content");
        let file = key.sign(content, "c").unwrap();
        let keys = [key.public()];
        let untrusted = file.find('\n').unwrap();
        for at in untrusted + 1..file.len() - 1 {
            assert!(verify(&keys, content, &file[..at]).is_err(), "cut at {at}");
            let mut changed = file.clone().into_bytes();
            changed[at] ^= 2;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert!(verify(&keys, content, &changed).is_err(), "changed at {at}: {changed}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "hello", "untrusted comment: x\nRWQ=\n", PRIVATE] {
            assert!(VerifyingKey::parse(text).is_err(), "{text}");
        }
        assert!(SigningKey::parse("untrusted comment: x\nRWQ=\n").is_err());
        assert!(key().sign(b"x", "two\nlines").is_err());
    }
}
