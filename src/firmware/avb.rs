//! Android Verified Boot metadata of an image (AOSP `external/avb`, libavb 1.x: `avb_vbmeta_image.h`, `avb_footer.h`,
//! `avb_*_descriptor.h`). All integers are big endian.
//!
//! | offset | size | name of the header | meaning |
//! |---|---|---|---|
//! | 0 | 4 | magic | `AVB0` |
//! | 12 | 8 | authentication_data_block_size | bytes behind the header |
//! | 20 | 8 | auxiliary_data_block_size | bytes behind those |
//! | 28 | 4 | algorithm_type | 0 none, 1 to 3 RSA with SHA-256, 4 to 6 RSA with SHA-512 |
//! | 96 | 8 | descriptors_offset | in the auxiliary data |
//! | 104 | 8 | descriptors_size | |
//! | 120 | 4 | flags | bit 1: verification is off, descriptors don't count |
//!
//! A partition named `vbmeta*` begins with the header; any other ends with a footer of 64 bytes (`AVBf`, vbmeta_offset at
//! 20, vbmeta_size at 28). The digest that a bootloader reports as `ro.boot.vbmeta.digest` is over header, authentication
//! and auxiliary data of `vbmeta` and of every chained partition, each before those that it chains
//! (`avb_slot_verify_data_calculate_vbmeta_digest`). Signatures and keys are not verified.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::bytes::{ParseError, ReadAt, SharedBytes, read_vec_at};

const HEADER: u64 = 256;
const FOOTER: u64 = 64;
/// As libavb: `VBMETA_MAX_SIZE`.
const MAX_VBMETA: u64 = 64 << 10;
/// As libavb: `MAX_NUMBER_OF_VBMETA_IMAGES`.
const MAX_CHAIN: usize = 32;
/// Descriptors of one structure; 64 KiB hold no more than this.
const MAX_DESCRIPTORS: usize = 4096;
const VERIFICATION_DISABLED: u32 = 2;
/// Bytes that are read at once.
const STEP: u64 = 1 << 20;
/// Bytes of one level of a hash tree: of an image of 32 GiB.
const MAX_LEVEL: u64 = 256 << 20;

/// The metadata of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avb {
    /// `vbmeta` and what it chains, in the order of the digest.
    pub chain: Vec<Vbmeta>,
    /// Digest of all with SHA-256, lower-case hex.
    pub sha256: String,
    /// Digest of all with SHA-512, lower-case hex.
    pub sha512: String,
}

/// One structure of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vbmeta {
    /// The partition that holds it.
    pub partition: String,
    /// `algorithm_type`.
    pub algorithm: u32,
    /// `flags`.
    pub flags: u32,
    /// What it says of partitions.
    pub claims: Vec<Claim>,
}

/// A descriptor by which a partition can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The partition.
    pub partition: String,
    /// Bytes that it is about, from the partition's start.
    pub image_size: u64,
    /// `sha1`, `sha256` or `sha512`.
    pub algorithm: String,
    /// Bytes that are hashed before the content.
    pub salt: Vec<u8>,
    /// The digest, of a hash tree the one of its root.
    pub digest: Vec<u8>,
    /// Sizes of data and hash blocks; `None` for a digest over the whole.
    pub tree: Option<(u32, u32)>,
}

/// What a check of one partition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The partition.
    pub partition: String,
    /// Why it was not checked, or whether it is as the metadata says.
    pub outcome: Outcome,
}

/// See [`Checked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its content has the digest that the metadata says.
    Agrees,
    /// It has another one. Lower-case hex.
    Differs {
        /// What the metadata says.
        expected: String,
        /// What the content has.
        found: String,
    },
    /// It was not looked at, or could not be read; why.
    NotChecked(String),
}

/// The metadata of an image's partitions; `None` where there is no `vbmeta`.
///
/// # Errors
/// A structure that is damaged, or a chained partition that is not there, with its name: then the digest is not known.
pub fn read(partitions: &[(String, SharedBytes)]) -> Result<Option<Avb>, ParseError> {
    if !partitions.iter().any(|(name, _)| name == "vbmeta") {
        return Ok(None);
    }
    let mut chain = Vec::new();
    let mut hashed = Vec::new();
    // The next one to read is at the end.
    let mut open = vec!["vbmeta".to_owned()];
    while let Some(name) = open.pop() {
        if chain.len() >= MAX_CHAIN {
            return Err(ParseError::limit(0, "structures in the chain", MAX_CHAIN as u64 + 1, MAX_CHAIN as u64));
        }
        let (vbmeta, bytes, chained) = structure(&name, partitions).map_err(|error| error.within(name.clone()))?;
        // With verification off in the first one nothing behind it is looked at.
        let off = chain.is_empty() && vbmeta.flags & VERIFICATION_DISABLED != 0;
        chain.push(vbmeta);
        hashed.extend_from_slice(&bytes);
        if !off {
            open.extend(chained.into_iter().rev());
        }
    }
    Ok(Some(Avb { chain, sha256: hex(&Sha256::digest(&hashed)), sha512: hex(&Sha512::digest(&hashed)) }))
}

/// Checks partitions against the chain's descriptors: those with a digest over the whole of at most `limit` bytes, those
/// with a hash tree where `trees` is set. A partition that the image does not have is not checked.
#[must_use]
pub fn check(avb: &Avb, partitions: &[(String, SharedBytes)], limit: u64, trees: bool) -> Vec<Checked> {
    let mut found: Vec<Checked> = Vec::new();
    for claim in avb.chain.iter().flat_map(|vbmeta| &vbmeta.claims) {
        let outcome = match partitions.iter().find(|(name, _)| *name == claim.partition) {
            None => Outcome::NotChecked("the image does not have it".to_owned()),
            Some(_) if claim.tree.is_some() && !trees => {
                Outcome::NotChecked("its hash tree was not asked for".to_owned())
            }
            Some(_) if claim.tree.is_none() && claim.image_size > limit => {
                Outcome::NotChecked(format!("{} bytes are above the limit of {limit}", claim.image_size))
            }
            Some((_, bytes)) => match digest(claim, bytes.as_ref()) {
                Ok(digest) if digest == claim.digest => Outcome::Agrees,
                Ok(digest) => Outcome::Differs { expected: hex(&claim.digest), found: hex(&digest) },
                Err(error) => Outcome::NotChecked(error.to_string()),
            },
        };
        found.push(Checked { partition: claim.partition.clone(), outcome });
    }
    found.sort_by(|a, b| a.partition.cmp(&b.partition));
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The structure of a partition, its bytes, and the partitions that it chains, in order.
fn structure(name: &str, partitions: &[(String, SharedBytes)]) -> Result<(Vbmeta, Vec<u8>, Vec<String>), ParseError> {
    let source = partitions.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.as_ref());
    let source = source.ok_or_else(|| ParseError::invalid(0, "chained partition", "absent", "one of the image"))?;
    let (offset, room) = place(name, source)?;
    let header = read_vec_at(source, offset, HEADER, "length of a header", HEADER)?;
    if header.get(..4) != Some(b"AVB0") {
        return Err(ParseError::invalid(offset, "magic", hex(header.get(..4).unwrap_or_default()), "AVB0"));
    }
    let (authentication, auxiliary) = (be64(&header, 12), be64(&header, 20));
    let size = HEADER.checked_add(authentication).and_then(|size| size.checked_add(auxiliary));
    let size = size.filter(|size| *size <= room.min(MAX_VBMETA)).ok_or_else(|| {
        let found = format!("{authentication} and {auxiliary}");
        ParseError::invalid(offset + 12, "sizes of data blocks", found, "at most 64 KiB within the partition")
    })?;
    let bytes = read_vec_at(source, offset, size, "length of a structure", MAX_VBMETA)?;
    let (start, length) = (be64(&header, 96), be64(&header, 104));
    let end = start.checked_add(length).filter(|end| *end <= auxiliary);
    let end = end.ok_or_else(|| {
        ParseError::invalid(offset + 96, "descriptors", format!("{start} and {length}"), "within the auxiliary data")
    })?;
    let base = HEADER + authentication;
    let range = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let descriptors = bytes.get(range(base + start)..range(base + end)).unwrap_or_default();
    let mut vbmeta = Vbmeta {
        partition: name.to_owned(),
        algorithm: be32(&header, 28),
        flags: be32(&header, 120),
        claims: Vec::new(),
    };
    let mut chained = Vec::new();
    let mut at = 0;
    let mut count = 0;
    while at < descriptors.len() {
        count += 1;
        let place = offset + base + start + at as u64;
        let follows = be64(descriptors, at + 8);
        let end = usize::try_from(follows).ok().and_then(|follows| at.checked_add(16)?.checked_add(follows));
        let end = end.filter(|end| *end <= descriptors.len() && follows % 8 == 0 && count <= MAX_DESCRIPTORS);
        let Some(end) = end else {
            return Err(ParseError::invalid(
                place + 8,
                "num_bytes_following",
                follows,
                "a multiple of 8 within the data",
            ));
        };
        let body = descriptors.get(at..end).unwrap_or_default();
        match be64(descriptors, at) {
            1 => vbmeta.claims.push(hashtree(body, place)?),
            2 => vbmeta.claims.push(hash(body, place)?),
            4 => chained.push(chain(body, place)?),
            _ => {}
        }
        at = end;
    }
    Ok((vbmeta, bytes, chained))
}

/// Offset of a partition's structure, and the bytes that it may have.
fn place(name: &str, source: &dyn ReadAt) -> Result<(u64, u64), ParseError> {
    if name.starts_with("vbmeta") {
        return Ok((0, source.len()));
    }
    let at = source.len().checked_sub(FOOTER).ok_or_else(|| ParseError::truncated(0, FOOTER, source.len()))?;
    let footer = read_vec_at(source, at, FOOTER, "length of a footer", FOOTER)?;
    if footer.get(..4) != Some(b"AVBf") {
        return Err(ParseError::invalid(at, "magic of the footer", hex(footer.get(..4).unwrap_or_default()), "AVBf"));
    }
    let (offset, size) = (be64(&footer, 20), be64(&footer, 28));
    match offset.checked_add(size) {
        Some(end) if end <= at => Ok((offset, size)),
        _ => Err(ParseError::invalid(at + 20, "vbmeta_offset", offset, "a structure before the footer")),
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |raw| u32::from_be_bytes(*raw))
}

fn be64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |raw| u64::from_be_bytes(*raw))
}

/// Takes variable fields of a descriptor, one behind the other.
struct Fields<'a> {
    body: &'a [u8],
    at: usize,
    place: u64,
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: u32) -> Result<&'a [u8], ParseError> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let found = end.and_then(|end| self.body.get(self.at..end));
        let found = found.ok_or_else(|| {
            ParseError::truncated(self.place + self.at as u64, u64::from(length), self.place + self.body.len() as u64)
        })?;
        self.at += found.len();
        Ok(found)
    }

    fn name(&mut self, length: u32) -> Result<String, ParseError> {
        let place = self.place;
        let name = std::str::from_utf8(self.take(length)?).ok().filter(|name| !name.is_empty());
        name.map(str::to_owned).ok_or_else(|| ParseError::invalid(place, "partition_name", "no text", "a name"))
    }
}

/// The name of an algorithm, which fills 32 bytes.
fn algorithm(body: &[u8], at: usize) -> String {
    let raw = body.get(at..at + 32).unwrap_or_default();
    let text: Vec<u8> = raw.iter().copied().take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&text).into_owned()
}

fn fixed(body: &[u8], place: u64, size: usize) -> Result<Fields<'_>, ParseError> {
    if body.len() < size {
        return Err(ParseError::truncated(place, size as u64, place + body.len() as u64));
    }
    Ok(Fields { body, at: size, place })
}

/// `AvbHashDescriptor`, 132 bytes.
fn hash(body: &[u8], place: u64) -> Result<Claim, ParseError> {
    let mut fields = fixed(body, place, 132)?;
    Ok(Claim {
        image_size: be64(body, 16),
        algorithm: algorithm(body, 24),
        partition: fields.name(be32(body, 56))?,
        salt: fields.take(be32(body, 60))?.to_vec(),
        digest: fields.take(be32(body, 64))?.to_vec(),
        tree: None,
    })
}

/// `AvbHashtreeDescriptor`, 180 bytes.
fn hashtree(body: &[u8], place: u64) -> Result<Claim, ParseError> {
    let mut fields = fixed(body, place, 180)?;
    Ok(Claim {
        image_size: be64(body, 20),
        algorithm: algorithm(body, 72),
        partition: fields.name(be32(body, 104))?,
        salt: fields.take(be32(body, 108))?.to_vec(),
        digest: fields.take(be32(body, 112))?.to_vec(),
        tree: Some((be32(body, 44), be32(body, 48))),
    })
}

/// `AvbChainPartitionDescriptor`, 92 bytes.
fn chain(body: &[u8], place: u64) -> Result<String, ParseError> {
    fixed(body, place, 92)?.name(be32(body, 20))
}

/// A digest in the making.
enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn new(name: &str) -> Option<Self> {
        Some(match name {
            "sha1" => Self::Sha1(Sha1::new()),
            "sha256" => Self::Sha256(Sha256::new()),
            "sha512" => Self::Sha512(Sha512::new()),
            _ => return None,
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

fn digest(claim: &Claim, source: &dyn ReadAt) -> Result<Vec<u8>, ParseError> {
    if claim.image_size > source.len() {
        return Err(ParseError::truncated(0, claim.image_size, source.len()));
    }
    let unknown = || ParseError::unsupported(0, "the digest's algorithm");
    match claim.tree {
        None => {
            let mut hasher = Hasher::new(&claim.algorithm).ok_or_else(unknown)?;
            hasher.update(&claim.salt);
            each_step(source, claim.image_size, |bytes| hasher.update(bytes))?;
            Ok(hasher.finish())
        }
        Some((data, hash)) => root(claim, source, u64::from(data), u64::from(hash), unknown),
    }
}

/// Hands over `length` bytes from the start, some at a time.
fn each_step(source: &dyn ReadAt, length: u64, mut take: impl FnMut(&[u8])) -> Result<(), ParseError> {
    let mut at = 0;
    while at < length {
        let part = STEP.min(length - at);
        take(&read_vec_at(source, at, part, "bytes at once", STEP)?);
        at += part;
    }
    Ok(())
}

/// The root of the tree over the content, as dm-verity version 1 has it: salt before each block, digests padded to a power
/// of two, levels to whole blocks.
fn root(
    claim: &Claim,
    source: &dyn ReadAt,
    data: u64,
    hash: u64,
    unknown: impl Fn() -> ParseError,
) -> Result<Vec<u8>, ParseError> {
    for size in [data, hash] {
        if !size.is_power_of_two() || !(512..=STEP).contains(&size) {
            return Err(ParseError::invalid(0, "block size", size, "a power of two from 512 to 1 MiB"));
        }
    }
    let salted = |block: &[u8], size: u64| {
        let mut hasher = Hasher::new(&claim.algorithm).ok_or_else(&unknown)?;
        hasher.update(&claim.salt);
        hasher.update(block);
        let missing = usize::try_from(size).unwrap_or(0).saturating_sub(block.len());
        hasher.update(&vec![0; missing]);
        Ok::<_, ParseError>(hasher.finish())
    };
    let padded = salted(&[], data)?.len().next_power_of_two();
    let blocks = claim.image_size.div_ceil(data);
    if blocks.checked_mul(padded as u64).is_none_or(|level| level > MAX_LEVEL) {
        return Err(ParseError::limit(0, "bytes of a hash tree's level", blocks, MAX_LEVEL / padded as u64));
    }
    if blocks <= 1 {
        let block = read_vec_at(source, 0, claim.image_size, "bytes of a block", STEP)?;
        return salted(&block, data);
    }
    let mut level = Vec::new();
    let mut failed = None;
    let width = usize::try_from(data).unwrap_or(usize::MAX);
    each_step(source, claim.image_size, |bytes| {
        // A step is a whole number of blocks.
        for block in bytes.chunks(width) {
            match salted(block, data) {
                Ok(mut digest) => {
                    digest.resize(padded, 0);
                    level.append(&mut digest);
                }
                Err(error) => failed = Some(error),
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let size = usize::try_from(hash).unwrap_or(usize::MAX);
    loop {
        let above: Vec<Vec<u8>> = level.chunks(size).map(|block| salted(block, hash)).collect::<Result<_, _>>()?;
        if let [only] = above.as_slice() {
            return Ok(only.clone());
        }
        level = above
            .into_iter()
            .flat_map(|mut digest| {
                digest.resize(padded, 0);
                digest
            })
            .collect();
    }
}
