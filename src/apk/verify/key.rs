//! One signature over bytes: RSA (RFC 8017), ECDSA and DSA (FIPS 186-4), with the key as `SubjectPublicKeyInfo`.
//!
//! As in Java's providers, which AOSP's verifier uses, a signature that has not the form of its algorithm is another
//! failure than one that does not fit. Curves are P-256, P-384 and P-521, RSA goes up to 16,384 bits.

use num_bigint::BigUint;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::{PublicKeyParts as _, SignatureScheme as _};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey};

use super::super::der::Der;
use super::hash::Hash;

/// Java takes no smaller RSA key.
const MIN_RSA_BITS: usize = 512;
/// Java and BoringSSL take no larger RSA key.
const MAX_RSA_BITS: usize = 16_384;
/// Larger than any DSA key that a standard names, so that a hostile one costs little time.
const MAX_DSA_BITS: u64 = 4096;
const MAX_DSA_Q_BITS: u64 = 512;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10040.4.1
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// 1.3.132.0.35
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

/// The mathematics of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Pkcs1,
    /// With the function's own MGF1 and a salt of the digest's length.
    Pss,
    Ecdsa,
    Dsa,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The key is damaged, or none of this method.
    Key,
    /// The signature has not the form of its method.
    Form,
    /// The signature is another's.
    Mismatch,
}

/// Checks `signature` over `parts`, one behind the other.
pub(super) fn verify(key: &[u8], method: Method, hash: Hash, parts: &[&[u8]], signature: &[u8]) -> Result<(), Failure> {
    let (algorithm, parameters, bits) = split(key).ok_or(Failure::Key)?;
    let digest = hash.digest(parts);
    match (method, algorithm) {
        (Method::Pkcs1 | Method::Pss, RSA) => rsa(bits, method, hash, &digest, signature),
        (Method::Ecdsa, EC) => ecdsa(parameters, bits, &digest, signature),
        (Method::Dsa, DSA) => dsa(parameters, bits, &digest, signature),
        _ => Err(Failure::Key),
    }
}

/// Algorithm, its parameters and the bits of a `SubjectPublicKeyInfo`.
fn split(key: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut info = Der::new(key).enter(SEQUENCE, "SubjectPublicKeyInfo").ok()?;
    let mut algorithm = info.enter(SEQUENCE, "algorithm").ok()?;
    let object = algorithm.enter(OBJECT, "algorithm").ok()?.rest();
    let bits = info.enter(BIT_STRING, "subjectPublicKey").ok()?.rest();
    let (0, bits) = bits.split_first().map(|(unused, bits)| (*unused, bits))? else { return None };
    Some((object, algorithm.rest(), bits))
}

/// The next integer, taken as positive: some keys were written without the leading zero.
fn integer<'a>(der: &mut Der<'a>) -> Option<&'a [u8]> {
    let digits = der.enter(INTEGER, "integer").ok()?.rest();
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    digits.get(zeros..).filter(|digits| !digits.is_empty())
}

fn rsa(bits: &[u8], method: Method, hash: Hash, digest: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let key = rsa_key(bits).ok_or(Failure::Key)?;
    if signature.len() != key.size() {
        return Err(Failure::Form);
    }
    let result = match (method, hash) {
        (Method::Pss, Hash::Sha256) => Pss::<sha2::Sha256>::new_with_salt(32).verify(&key, digest, signature),
        (Method::Pss, Hash::Sha512) => Pss::<sha2::Sha512>::new_with_salt(64).verify(&key, digest, signature),
        (Method::Pss, _) => return Err(Failure::Key),
        (_, Hash::Md5) => Pkcs1v15Sign::new::<md5::Md5>().verify(&key, digest, signature),
        (_, Hash::Sha1) => Pkcs1v15Sign::new::<sha1::Sha1>().verify(&key, digest, signature),
        (_, Hash::Sha224) => Pkcs1v15Sign::new::<sha2::Sha224>().verify(&key, digest, signature),
        (_, Hash::Sha256) => Pkcs1v15Sign::new::<sha2::Sha256>().verify(&key, digest, signature),
        (_, Hash::Sha384) => Pkcs1v15Sign::new::<sha2::Sha384>().verify(&key, digest, signature),
        (_, Hash::Sha512) => Pkcs1v15Sign::new::<sha2::Sha512>().verify(&key, digest, signature),
    };
    result.map_err(|_| Failure::Mismatch)
}

fn rsa_key(bits: &[u8]) -> Option<PublicKey> {
    let mut fields = Der::new(bits).enter(SEQUENCE, "RSAPublicKey").ok()?;
    let (modulus, exponent) = (integer(&mut fields)?, integer(&mut fields)?);
    if modulus.len() * 8 > MAX_RSA_BITS || exponent.len() > 8 {
        return None;
    }
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let exponent = BoxedUint::from_be_slice_vartime(exponent);
    PublicKey::new_with_size_limits(modulus, exponent, MIN_RSA_BITS..=MAX_RSA_BITS).ok()
}

/// The two numbers of an ECDSA or DSA signature.
fn numbers(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Der::new(signature);
    let mut fields = outer.enter(SEQUENCE, "signature").ok()?;
    let pair = (integer(&mut fields)?, integer(&mut fields)?);
    (outer.rest().is_empty() && fields.rest().is_empty()).then_some(pair)
}

fn ecdsa(curve: &[u8], point: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let curve = Der::new(curve).enter(OBJECT, "namedCurve").map_err(|_| Failure::Key)?.rest();
    let size = match curve {
        P256 => 32,
        P384 => 48,
        P521 => 66,
        _ => return Err(Failure::Key),
    };
    let (r, s) = numbers(signature).ok_or(Failure::Form)?;
    let digits = [widened(r, size), widened(s, size)].into_iter().collect::<Option<Vec<_>>>();
    let digits = digits.ok_or(Failure::Mismatch)?.concat();
    // The crates refuse digests of less than half the field; leading zeros don't change the number.
    let digest = widened(digest, size.div_ceil(2)).unwrap_or_else(|| digest.to_vec());
    macro_rules! on {
        ($curve:ident) => {{
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| Failure::Key)?;
            let signature = $curve::ecdsa::Signature::from_slice(&digits).map_err(|_| Failure::Mismatch)?;
            key.verify_prehash(&digest, &signature).map_err(|_| Failure::Mismatch)
        }};
    }
    match curve {
        P256 => on!(p256),
        P384 => on!(p384),
        _ => on!(p521),
    }
}

/// `digits` with zeros before them; `None` where there are more than `size`.
fn widened(digits: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut wide = vec![0; size.checked_sub(digits.len())?];
    wide.extend_from_slice(digits);
    Some(wide)
}

fn dsa(parameters: &[u8], bits: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let (p, q, g, y) = dsa_key(parameters, bits).ok_or(Failure::Key)?;
    let (r, s) = numbers(signature).ok_or(Failure::Form)?;
    let (r, s) = (BigUint::from_bytes_be(r), BigUint::from_bytes_be(s));
    let zero = BigUint::ZERO;
    if r == zero || s == zero || r >= q || s >= q {
        return Err(Failure::Mismatch);
    }
    let inverse = s.modinv(&q).ok_or(Failure::Mismatch)?;
    let kept = usize::try_from(q.bits() / 8).unwrap_or(usize::MAX).min(digest.len());
    let digest = BigUint::from_bytes_be(digest.get(..kept).unwrap_or_default());
    let (first, second) = (digest * &inverse % &q, &r * &inverse % &q);
    let found = g.modpow(&first, &p) * y.modpow(&second, &p) % &p % &q;
    if found == r { Ok(()) } else { Err(Failure::Mismatch) }
}

fn dsa_key(parameters: &[u8], bits: &[u8]) -> Option<(BigUint, BigUint, BigUint, BigUint)> {
    let mut fields = Der::new(parameters).enter(SEQUENCE, "Dss-Parms").ok()?;
    let mut next = || integer(&mut fields).map(BigUint::from_bytes_be);
    let (p, q, g) = (next()?, next()?, next()?);
    let y = integer(&mut Der::new(bits)).map(BigUint::from_bytes_be)?;
    let one = BigUint::from(1_u8);
    let sound = p.bits() <= MAX_DSA_BITS && q.bits() <= MAX_DSA_Q_BITS && q > one && q < p && g < p && y < p;
    (sound && g > one && y > one).then_some((p, q, g, y))
}
