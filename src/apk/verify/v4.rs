//! APK Signature Scheme v4: a file beside the package with the root of an fs-verity tree over all of it
//! (<https://source.android.com/docs/security/features/apksigning/v4>).
//!
//! | size | name | meaning |
//! |---|---|---|
//! | 4 | version | 2 |
//! | 4, ... | hashing info | length, then algorithm (4), log2 of the block size (1), salt and root hash, each with its length |
//! | 4, ... | signing infos | length, then one info, then blocks for other schemes: id (4), length, info |
//! | 4, ... | tree | length, then the tree; may be absent |
//!
//! An info is the package's digest by v3 or v2, certificate, additional data and key, each with its length, the
//! algorithm's id (4) and a signature with its length. All numbers are little-endian.

use super::algorithm::{Algorithm, ContentDigest};
use super::certificate::Parsed;
use super::content::{BLOCK, level_above};
use super::fields::Fields;
use super::issue::Issue;
use super::key::{self, Failure};
use super::{Scheme, Signer, Verification, threads, v3};
use crate::bytes::{ParseError, SharedBytes, read_vec_at};

const VERSION: u32 = 2;
/// A file with the tree of the largest package that a ZIP without ZIP64 can be: 32 bytes for each 4096 of 4 GiB.
const MAX_BYTES: u64 = 40 << 20;
/// Bytes hashed at once, whole blocks.
const PIECE: u64 = 1 << 20;
/// Infos of one file: one, and one more beside v3.1.
const MAX_BLOCKS: usize = 8;

/// The file in its parts.
struct File<'a> {
    version: u32,
    algorithm: u32,
    log2_block: u8,
    salt: &'a [u8],
    root: &'a [u8],
    info: Info<'a>,
    /// Id of a scheme, and what is signed for it.
    others: Vec<(u32, Info<'a>)>,
    tree: Option<&'a [u8]>,
}

struct Info<'a> {
    digest: &'a [u8],
    certificate: &'a [u8],
    additional: &'a [u8],
    key: &'a [u8],
    algorithm: u32,
    signature: &'a [u8],
}

impl<'a> File<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let version = fields.u32()?;
        let mut hashing = fields.prefixed()?;
        let algorithm = hashing.u32()?;
        let (log2_block, rest) = hashing.0.split_first()?;
        hashing.0 = rest;
        let (salt, root) = (hashing.bytes()?, hashing.bytes()?);
        let mut infos = fields.prefixed()?;
        let info = Info::read(&mut infos)?;
        let mut others = Vec::new();
        while !infos.is_empty() && others.len() < MAX_BLOCKS {
            let id = infos.u32()?;
            others.push((id, Info::read(&mut infos.prefixed()?)?));
        }
        // AOSP takes a tree that is cut off as none: it is there for speed, the root is what is signed.
        Some(Self { version, algorithm, log2_block: *log2_block, salt, root, info, others, tree: fields.bytes() })
    }

    /// What a signature is made over, for a package of `length` bytes.
    fn signed(&self, length: u64, info: &Info<'_>) -> Vec<u8> {
        let mut signed = vec![0; 4];
        signed.extend(length.to_le_bytes());
        signed.extend(self.algorithm.to_le_bytes());
        signed.push(self.log2_block);
        for field in [self.salt, self.root, info.digest, info.certificate, info.additional] {
            signed.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes());
            signed.extend(field);
        }
        let size = u32::try_from(signed.len()).unwrap_or(u32::MAX).to_le_bytes();
        signed.splice(..4, size);
        signed
    }
}

impl<'a> Info<'a> {
    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            digest: fields.bytes()?,
            certificate: fields.bytes()?,
            additional: fields.bytes()?,
            key: fields.bytes()?,
            algorithm: fields.u32()?,
            signature: fields.bytes()?,
        })
    }

    fn verify(&self, signed: &[u8]) -> Result<(), Issue> {
        let algorithm = Algorithm::by_id(self.algorithm).ok_or(Issue::V4SigUnknownSigAlgorithm)?;
        let verified = key::verify(self.key, algorithm.method, algorithm.hash, &[signed], self.signature);
        verified.map_err(|failure| match failure {
            Failure::Key => Issue::V4SigMalformedPublicKey,
            Failure::Form => Issue::V4SigVerifyException,
            Failure::Mismatch => Issue::V4SigDidNotVerify,
        })?;
        let certificate = Parsed::new(self.certificate).ok_or(Issue::V4SigMalformedCertificate)?;
        if certificate.key != self.key {
            return Err(Issue::V4SigPublicKeyMismatchBetweenCertificateAndSignaturesRecord);
        }
        Ok(())
    }
}

/// Verifies the file `signature` over the package, and that it means the signers and digests of `others`, which hold.
pub(super) fn verify(
    source: &SharedBytes,
    signature: &SharedBytes,
    others: &Verification,
) -> Result<Scheme, ParseError> {
    let bytes = read_vec_at(signature.as_ref(), 0, signature.len(), "bytes of a v4 signature", MAX_BYTES)?;
    let file = File::read(&bytes).ok_or_else(|| ParseError::invalid(0, "v4 signature", "cut off", "a whole one"))?;
    if file.version != VERSION {
        return Err(ParseError::invalid(0, "version", file.version, "2"));
    }
    let mut scheme = Scheme::default();
    let infos = || std::iter::once(&file.info).chain(file.others.iter().map(|(_, info)| info));
    for info in infos() {
        match info.verify(&file.signed(source.len(), info)) {
            Ok(()) => scheme.signers.push(Signer { certificate: info.certificate.to_vec(), ..Signer::default() }),
            Err(issue) => scheme.errors.push(issue),
        }
    }
    if scheme.errors.is_empty() {
        let (root, tree) = tree(source)?;
        if file.root != root {
            scheme.errors.push(Issue::V4SigApkRootDidNotVerify);
        } else if file.tree.is_some_and(|claimed| claimed != tree) {
            scheme.errors.push(Issue::V4SigApkTreeDidNotVerify);
        }
    }
    if scheme.errors.is_empty() {
        compare(&file, others, &mut scheme.errors);
    }
    scheme.verified = scheme.errors.is_empty();
    Ok(scheme)
}

/// The signers and digests of v3, or else v2, are those of the file; v3.1 has an info of its own.
fn compare(file: &File<'_>, others: &Verification, errors: &mut Vec<Issue>) {
    let verified = |scheme: &'_ Option<Scheme>| scheme.clone().filter(|scheme| scheme.verified);
    let mut pairs = vec![(Some(&file.info), verified(&others.v3).or_else(|| verified(&others.v2)))];
    let rotated = file.others.iter().find(|(id, _)| *id == v3::ID_31).map(|(_, info)| info);
    if let Some(newer) = verified(&others.v31) {
        if file.others.len() != 1 {
            errors.push(Issue::V41SigNeedsTwoSigners);
        }
        pairs.push((rotated, Some(newer)));
    } else if !file.others.is_empty() {
        errors.push(Issue::V4SigMultipleSigners);
    }
    for (info, scheme) in pairs {
        let (Some(info), Some(scheme)) = (info, scheme) else {
            errors.push(Issue::V4SigV2V3SignersMismatch);
            continue;
        };
        if scheme.signers.first().map(|signer| signer.certificate.as_slice()) != Some(info.certificate) {
            errors.push(Issue::V4SigV2V3SignersMismatch);
        }
        // The order in which AOSP prefers them.
        let kinds = [ContentDigest::Sha512, ContentDigest::Verity, ContentDigest::Sha256];
        if kinds.iter().find_map(|kind| scheme.digests.get(kind)).map(Vec::as_slice) != Some(info.digest) {
            errors.push(Issue::V4SigV2V3DigestsMismatch);
        }
    }
}

/// Root hash and tree over the whole file, the top of the tree first, each level filled with zeros to whole blocks.
fn tree(source: &SharedBytes) -> Result<(Vec<u8>, Vec<u8>), ParseError> {
    let length = source.len();
    let pieces = usize::try_from(length.div_ceil(PIECE)).unwrap_or(usize::MAX);
    let bottom = threads::map(pieces, length, |index, buffer| {
        let start = index as u64 * PIECE;
        buffer.resize(usize::try_from(PIECE.min(length - start)).unwrap_or_default(), 0);
        source.read_exact_at(start, buffer)?;
        Ok(level_above(buffer, &[]))
    })?;
    let mut levels = vec![bottom.concat()];
    while let Some(last) = levels.last().filter(|last| last.len() > BLOCK) {
        levels.push(level_above(last, &[]));
    }
    let root = levels.last().map(|top| level_above(top, &[])).unwrap_or_default();
    let mut tree = Vec::new();
    for mut level in levels.into_iter().rev() {
        level.resize(level.len().next_multiple_of(BLOCK), 0);
        tree.append(&mut level);
    }
    Ok((root, tree))
}
