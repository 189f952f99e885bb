//! JAR signatures, scheme v1 (JAR File Specification; <https://source.android.com/docs/security/features/apksigning#v1>).
//!
//! `META-INF/MANIFEST.MF` holds digests of the entries, each `.SF` file digests of the manifest, and the `.RSA`, `.DSA` or
//! `.EC` file beside it the signature over the `.SF` file. Entries of `META-INF/` are not covered.

use std::collections::{BTreeMap, BTreeSet};

use super::super::directory::{Directory, Record};
use super::super::entry::Reader;
use super::hash::Hash;
use super::issue::Issue;
use super::sections::{self, Section};
use super::{Scheme, Signer, jar_digest, pkcs7, threads};
use crate::bytes::ParseError;

const FOLDER: &[u8] = b"META-INF/";
const MANIFEST: &[u8] = b"META-INF/MANIFEST.MF";
/// Manifests and `.SF` files: 65,535 entries with names of 200 bytes have 18 MiB.
const MAX_FILE: u64 = 32 << 20;
/// Signers of one package; AOSP writes at most ten.
const MAX_SIGNERS: usize = 64;
const PIECE: usize = 64 << 10;

/// What the levels in question make of a package.
pub(super) struct Context<'a> {
    pub(super) range: (i32, i32),
    /// Newer schemes that these levels know.
    pub(super) supported: &'a [u32],
    /// Newer schemes that were found.
    pub(super) found: &'a [u32],
}

/// The manifest's bytes; `None` where there is none.
pub(super) fn manifest(directory: &Directory) -> Result<Option<Vec<u8>>, ParseError> {
    directory.find(MANIFEST).map(|record| file(directory, &record)).transpose()
}

fn file(directory: &Directory, record: &Record<'_>) -> Result<Vec<u8>, ParseError> {
    directory.read_entry(record, Reader::Jar, MAX_FILE)
}

/// Verifies the scheme.
pub(super) fn verify(directory: &Directory, context: &Context<'_>) -> Result<Scheme, ParseError> {
    let mut scheme = Scheme::default();
    let Some(manifest) = manifest(directory)? else {
        scheme.errors.push(Issue::JarSigNoManifest);
        return Ok(scheme);
    };
    let mut sections = sections::parse(&manifest).into_iter();
    let main = sections.next().unwrap_or_default();
    let individual = named_sections(directory, sections, &mut scheme);
    let blocks = signature_blocks(directory, &mut scheme);
    if !scheme.errors.is_empty() {
        return Ok(scheme);
    }
    if blocks.len() > MAX_SIGNERS {
        let count = blocks.len() as u64;
        return Err(ParseError::limit(directory.start, "number of signature files", count, MAX_SIGNERS as u64));
    }
    let mut files = Vec::new();
    for (block, file_record) in &blocks {
        let contents = file(directory, file_record)?;
        match pkcs7::verify(&file(directory, block)?, &contents, context.range) {
            Ok(certificate) => files.push((certificate, contents)),
            Err(issue) => scheme.errors.push(issue),
        }
    }
    if files.is_empty() && scheme.errors.is_empty() {
        scheme.errors.push(Issue::JarSigNoSignatures);
    }
    if !scheme.errors.is_empty() {
        return Ok(scheme);
    }
    let mut signers = Vec::new();
    for (certificate, contents) in &files {
        let checked = SignatureFile { manifest: &manifest, main: &main, individual: &individual, context };
        if let Some(names) = checked.verify(contents, &mut scheme) {
            signers.push((certificate, names));
        }
    }
    if signers.is_empty() && scheme.errors.is_empty() {
        scheme.errors.push(Issue::JarSigNoSignatures);
    }
    if scheme.errors.is_empty() {
        let used = entries(directory, &individual, &signers, context.range, &mut scheme)?;
        let certificates = signers.iter().enumerate().filter(|(index, _)| used.contains(index));
        let signer = |(_, (certificate, _)): (usize, &(&Vec<u8>, _))| Signer {
            certificate: (*certificate).clone(),
            ..Signer::default()
        };
        scheme.signers = certificates.map(signer).collect();
        scheme.verified = scheme.errors.is_empty();
    }
    Ok(scheme)
}

/// Individual sections of the manifest by name; each must be about an entry.
fn named_sections<'a>(
    directory: &Directory,
    sections: impl Iterator<Item = Section<'a>>,
    scheme: &mut Scheme,
) -> BTreeMap<Vec<u8>, Section<'a>> {
    let mut named = BTreeMap::new();
    for section in sections {
        let Some(name) = section.name().map(<[u8]>::to_vec) else {
            scheme.errors.push(Issue::JarSigUnnnamedManifestSection);
            continue;
        };
        let there = !name.ends_with(b"/") && directory.find(&name).is_some();
        if named.insert(name, section).is_some() {
            scheme.errors.push(Issue::JarSigDuplicateManifestSection);
        } else if !there {
            scheme.errors.push(Issue::JarSigMissingZipEntryReferencedInManifest);
        }
    }
    named
}

/// Signature blocks with the `.SF` file of each.
fn signature_blocks<'a>(directory: &'a Directory, scheme: &mut Scheme) -> Vec<(Record<'a>, Record<'a>)> {
    let mut blocks = Vec::new();
    for record in directory.with_prefix(FOLDER) {
        let stem = [b".RSA".as_slice(), b".DSA", b".EC"].into_iter().find_map(|end| record.name.strip_suffix(end));
        let Some(stem) = stem else { continue };
        match directory.find(&[stem, b".SF"].concat()) {
            Some(file) => blocks.push((record, file)),
            None => scheme.warnings.push(Issue::JarSigMissingFile),
        }
    }
    if blocks.is_empty() && scheme.errors.is_empty() {
        scheme.errors.push(Issue::JarSigNoSignatures);
    }
    blocks
}

/// What a `.SF` file is held against.
struct SignatureFile<'a> {
    manifest: &'a [u8],
    main: &'a Section<'a>,
    individual: &'a BTreeMap<Vec<u8>, Section<'a>>,
    context: &'a Context<'a>,
}

impl SignatureFile<'_> {
    /// The entries that the file names; `None` after an error.
    fn verify(&self, contents: &[u8], scheme: &mut Scheme) -> Option<BTreeSet<Vec<u8>>> {
        let before = scheme.errors.len();
        let mut sections = sections::parse(contents).into_iter();
        let main = sections.next().unwrap_or_default();
        if main.value("Signature-Version").is_none() {
            // Such a signer is ignored, not refused.
            scheme.warnings.push(Issue::JarSigMissingVersionAttrInSigFile);
            return None;
        }
        if self.context.range.1 >= 24 {
            self.stripping(&main, scheme);
            if scheme.errors.len() > before {
                return None;
            }
        }
        let created_by = main.value("Created-By").unwrap_or_default();
        let signtool = created_by.array_windows().any(|window| window == b"signtool");
        let whole = self.whole_manifest(&main, signtool, scheme);
        if !signtool {
            let digests = jar_digest::to_verify(&main, "-Digest-Manifest-Main-Attributes", self.context.range);
            for _ in digests.iter().filter(|(hash, digest)| hash.digest(&[self.main.raw]) != *digest) {
                scheme.errors.push(Issue::JarSigManifestMainSectionDigestDidNotVerify);
            }
        }
        if scheme.errors.len() > before {
            return None;
        }
        let mut names = BTreeSet::new();
        for section in sections {
            let Some(name) = section.name() else {
                scheme.warnings.push(Issue::JarSigUnnnamedSigFileSection);
                return None;
            };
            if !names.insert(name.to_vec()) {
                scheme.warnings.push(Issue::JarSigDuplicateSigFileSection);
                return None;
            }
            if whole {
                continue;
            }
            let Some(described) = self.individual.get(name) else {
                scheme.warnings.push(Issue::JarSigNoZipEntryDigestInSigFile);
                return None;
            };
            self.section(&section, described, signtool, scheme);
        }
        (scheme.errors.len() == before).then_some(names)
    }

    fn section(&self, section: &Section<'_>, described: &Section<'_>, signtool: bool, scheme: &mut Scheme) {
        let digests = jar_digest::to_verify(section, "-Digest", self.context.range);
        if digests.is_empty() {
            scheme.errors.push(Issue::JarSigNoZipEntryDigestInSigFile);
        }
        // That tool left out the empty line.
        let short = described.raw.strip_suffix(b"\n").filter(|rest| signtool && rest.ends_with(b"\n"));
        let raw = short.unwrap_or(described.raw);
        for _ in digests.iter().filter(|(hash, digest)| hash.digest(&[raw]) != *digest) {
            scheme.errors.push(Issue::JarSigManifestSectionDigestDidNotVerify);
        }
    }

    /// Whether the digest of the whole manifest fits.
    fn whole_manifest(&self, main: &Section<'_>, signtool: bool, scheme: &mut Scheme) -> bool {
        let suffix = if signtool { "-Digest" } else { "-Digest-Manifest" };
        let digests = jar_digest::to_verify(main, suffix, self.context.range);
        if digests.is_empty() {
            scheme.warnings.push(Issue::JarSigNoManifestDigestInSigFile);
            return false;
        }
        let fits = digests.iter().all(|(hash, digest)| hash.digest(&[self.manifest]) == *digest);
        if !fits {
            scheme.warnings.push(Issue::JarSigZipEntryDigestDidNotVerify);
        }
        fits
    }

    /// `X-Android-APK-Signed` lists newer schemes that must be there.
    fn stripping(&self, main: &Section<'_>, scheme: &mut Scheme) {
        let Some(listed) = main.value("X-Android-APK-Signed") else {
            if !self.context.found.is_empty() {
                scheme.warnings.push(Issue::JarSigNoApkSigStripProtection);
            }
            return;
        };
        if self.context.supported.is_empty() {
            return;
        }
        let listed = String::from_utf8_lossy(listed).into_owned();
        let listed: BTreeSet<u32> = listed.split(',').filter_map(|id| id.trim().parse().ok()).collect();
        for id in listed {
            if !self.context.supported.contains(&id) {
                scheme.warnings.push(Issue::JarSigUnknownApkSigSchemeId);
            } else if !self.context.found.contains(&id) {
                scheme.errors.push(Issue::JarSigMissingApkSigReferenced);
            }
        }
    }
}

/// Holds the entries against the manifest. Gives the signers that sign them all, as indices.
fn entries(
    directory: &Directory,
    individual: &BTreeMap<Vec<u8>, Section<'_>>,
    signers: &[(&Vec<u8>, BTreeSet<Vec<u8>>)],
    range: (i32, i32),
    scheme: &mut Scheme,
) -> Result<Vec<usize>, ParseError> {
    let mut records: Vec<_> = directory.with_prefix(b"").filter(|record| !record.name.ends_with(b"/")).collect();
    records.sort_by_key(|record| record.local_header);
    let unprotected = records.iter().filter(|record| is_unprotected(record.name)).count();
    scheme.warnings.extend(std::iter::repeat_n(Issue::JarSigUnprotectedZipEntry, unprotected));
    records.retain(|record| !record.name.starts_with(FOLDER));
    // Entries that share their data could ask for any amount of work.
    let compressed: u64 = records.iter().fold(0, |sum, record| sum.saturating_add(record.compressed));
    if compressed > directory.source.len() {
        return Err(ParseError::limit(directory.start, "bytes of all entries", compressed, directory.source.len()));
    }
    let mut first: Option<Vec<usize>> = None;
    let mut work = Vec::new();
    for record in &records {
        let Some(section) = individual.get(record.name) else {
            scheme.errors.push(Issue::JarSigNoZipEntryDigestInManifest);
            continue;
        };
        let signed_by = signers.iter().enumerate().filter(|(_, (_, names))| names.contains(record.name));
        let signed_by: Vec<usize> = signed_by.map(|(index, _)| index).collect();
        if signed_by.is_empty() {
            scheme.errors.push(Issue::JarSigZipEntryNotSigned);
            continue;
        }
        if *first.get_or_insert_with(|| signed_by.clone()) != signed_by {
            scheme.errors.push(Issue::JarSigZipEntrySignersMismatch);
            continue;
        }
        let digests = jar_digest::to_verify(section, "-Digest", range);
        if digests.is_empty() {
            scheme.errors.push(Issue::JarSigNoZipEntryDigestInManifest);
            continue;
        }
        work.push((*record, digests));
    }
    let bytes = work.iter().fold(0, |sum: u64, (record, _)| sum.saturating_add(record.uncompressed));
    let wrong = threads::map(work.len(), bytes, |index, buffer| {
        let Some((record, digests)) = work.get(index) else { return Ok(0) };
        let hashes: Vec<Hash> = digests.iter().map(|(hash, _)| *hash).collect();
        let actual = digest_entry(directory, record, &hashes, buffer)?;
        Ok(digests.iter().zip(actual).filter(|((_, expected), actual)| expected != actual).count())
    })?;
    scheme.errors.extend(std::iter::repeat_n(Issue::JarSigZipEntryDigestDidNotVerify, wrong.into_iter().sum()));
    if first.is_none() {
        scheme.errors.push(Issue::JarSigNoSignedZipEntries);
    }
    Ok(first.unwrap_or_default())
}

fn is_unprotected(name: &[u8]) -> bool {
    let of_signature = [b".SF".as_slice(), b".RSA", b".DSA", b".EC"].into_iter().any(|end| name.ends_with(end));
    name.starts_with(FOLDER) && name != MANIFEST && !of_signature
}

/// Digests of an entry's contents, in pieces.
fn digest_entry(
    directory: &Directory,
    record: &Record<'_>,
    hashes: &[Hash],
    buffer: &mut Vec<u8>,
) -> Result<Vec<Vec<u8>>, ParseError> {
    let mut stream = directory.stream(record)?;
    let mut hashers: Vec<_> = hashes.iter().map(|hash| hash.hasher()).collect();
    buffer.resize(PIECE, 0);
    let mut left = record.uncompressed;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let room = buffer.get_mut(..room).unwrap_or_default();
        let count = stream.read(room).map_err(|error| {
            let deflate = error.get_ref().is_none_or(|inner| !inner.is::<ParseError>());
            if deflate {
                ParseError::invalid(record.local_header, "deflate stream", error, "a valid one")
            } else {
                crate::bytes::stream_error(error)
            }
        })?;
        if count == 0 {
            return Err(ParseError::truncated(record.local_header, record.uncompressed, record.uncompressed - left));
        }
        for hasher in &mut hashers {
            hasher.update(room.get(..count).unwrap_or_default());
        }
        left -= count as u64;
    }
    Ok(hashers.into_iter().map(super::hash::Hasher::finish).collect())
}
