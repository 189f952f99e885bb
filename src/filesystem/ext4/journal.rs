//! A journal that waits to be replayed: the volume as it is after the replay, without a byte written.
//!
//! By the kernel's `Documentation/filesystems/ext4/journal.rst` (6.12). All fields are big-endian. Every block of the log but
//! data begins with `h_magic` 0xC03B3998, `h_blocktype` and `h_sequence`, 4 bytes each.
//!
//! | block | type | body |
//! |---|---|---|
//! | superblock | 3, 4 | 0x0C `s_blocksize`, 0x10 `s_maxlen`, 0x14 `s_first`, 0x18 `s_sequence`, 0x1C `s_start`, 0x28 `s_feature_incompat`, 0x30 `s_uuid`, 0x54 `s_num_fc_blks` |
//! | descriptor | 1 | tags: which block of the volume each data block behind it is for |
//! | revocation | 5 | 0x0C `r_count`, then blocks that no transaction up to this one changes |
//! | commit | 2 | ends a transaction; without it the transaction never was |
//!
//! A damaged checksum refuses the volume: a kernel does not mount it either. Not verified: the sum over a whole transaction that
//! journals had before `csum_v2` (`JBD2_FEATURE_COMPAT_CHECKSUM`).

use std::collections::{BTreeMap, HashMap};

use super::content;
use super::inode::Inode;
use super::superblock::Superblock;
use crate::bytes::{ParseError, ReadAt, SharedBytes, read_vec_at, within};
use crate::filesystem::NodeKind;

const MAGIC: [u8; 4] = [0xC0, 0x3B, 0x39, 0x98];
const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const SUPERBLOCKS: [u32; 2] = [3, 4];
const REVOCATION: u32 = 5;

const FEATURE_64BIT: u32 = 0x2;
const FEATURE_CSUM_V2: u32 = 0x8;
const FEATURE_CSUM_V3: u32 = 0x10;
const FEATURE_FAST_COMMIT: u32 = 0x20;
/// revoke, 64bit, async_commit, csum_v2, csum_v3, fast_commit.
const FEATURES_READ: u32 = 0x3F;

const TAG_ESCAPE: u32 = 1;
const TAG_SAME_UUID: u32 = 2;
const TAG_LAST: u32 = 8;

/// Blocks of the fast-commit area where the superblock names none.
const FAST_COMMIT_BLOCKS: u64 = 256;
/// `EXT4_FC_TAG_HEAD`, little-endian, as everything of a fast commit.
const FAST_COMMIT_HEAD: [u8; 2] = [9, 0];

/// Blocks of a log; `mke2fs` makes none above 1 GiB.
const MAX_LOG: u64 = 1 << 20;
/// Blocks that one log revokes.
const MAX_REVOKED: usize = 1 << 20;
/// Largest block.
const BLOCK_BYTES: u64 = 64 << 10;

/// The volume with every committed transaction of its journal applied.
pub(super) fn replayed(volume: &SharedBytes, superblock: &Superblock) -> Result<SharedBytes, ParseError> {
    let inode = Inode::read(volume, superblock, superblock.journal_inode)?;
    if inode.kind != NodeKind::File {
        return Err(ParseError::invalid(inode.offset, "i_mode", format!("{:?}", inode.kind), "a file"));
    }
    let log = Log::open(content::open(volume, superblock, &inode)?, superblock)?;
    let Some(log) = log else { return Ok(volume.clone()) };
    let blocks = log.walk()?;
    Ok(std::sync::Arc::new(Replayed {
        volume: volume.clone(),
        journal: log.journal,
        block_size: superblock.block_size,
        blocks,
    }))
}

/// A block of the volume that stands in the journal.
#[derive(Clone, Copy)]
struct Logged {
    /// Where, in blocks of the journal.
    at: u64,
    /// Whether its first four bytes, the journal's magic, are zero there.
    escaped: bool,
}

struct Log {
    journal: SharedBytes,
    block_size: u64,
    /// Blocks of the volume.
    volume_blocks: u64,
    /// First block of the ring, and the one behind its last.
    first: u64,
    end: u64,
    /// Where the first transaction begins, and its number.
    start: u64,
    sequence: u32,
    features: u32,
    seed: u32,
    /// The first block of the fast commits, where the journal has them.
    fast_commits: Option<u64>,
}

/// Bytes of one transaction.
#[derive(Default)]
struct Transaction {
    writes: Vec<(u64, Logged)>,
    revoked: Vec<u64>,
}

fn long(raw: &[u8], at: usize) -> u32 {
    raw.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn short(raw: &[u8], at: usize) -> u32 {
    raw.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_be_bytes(*bytes).into())
}

/// crc32c as the kernel continues it: neither the seed nor the result is inverted.
fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

impl Log {
    /// `None`: nothing waits.
    fn open(journal: SharedBytes, superblock: &Superblock) -> Result<Option<Self>, ParseError> {
        let block_size = superblock.block_size;
        let raw = read_vec_at(journal.as_ref(), 0, block_size, "journal superblock", BLOCK_BYTES)?;
        let invalid = |at: u64, field, found: u32, expected| Err(ParseError::invalid(at, field, found, expected));
        if !raw.starts_with(&MAGIC) || !SUPERBLOCKS.contains(&long(&raw, 4)) {
            return invalid(0, "h_magic, h_blocktype", long(&raw, 0), "a journal's superblock");
        }
        let dynamic = long(&raw, 4) == 4;
        let features = if dynamic { long(&raw, 0x28) } else { 0 };
        if features & !FEATURES_READ != 0 {
            return Err(ParseError::unsupported(0x28, format!("journal feature {:#x}", features & !FEATURES_READ)));
        }
        if u64::from(long(&raw, 0x0C)) != block_size {
            return invalid(0x0C, "s_blocksize", long(&raw, 0x0C), "the volume's block size");
        }
        let maxlen = u64::from(long(&raw, 0x10));
        if maxlen > journal.len() / block_size {
            return invalid(0x10, "s_maxlen", long(&raw, 0x10), "at most the blocks of the journal");
        }
        if maxlen > MAX_LOG {
            return Err(ParseError::limit(0x10, "s_maxlen", maxlen, MAX_LOG));
        }
        let fast = (features & FEATURE_FAST_COMMIT != 0).then(|| match u64::from(long(&raw, 0x54)) {
            0 => FAST_COMMIT_BLOCKS,
            blocks => blocks,
        });
        let first = u64::from(long(&raw, 0x14));
        let end = maxlen.saturating_sub(fast.unwrap_or_default());
        if first == 0 || first >= end {
            return invalid(0x14, "s_first", long(&raw, 0x14), "a block of the log behind its superblock");
        }
        let start = u64::from(long(&raw, 0x1C));
        if start == 0 {
            return Ok(None);
        }
        if !(first..end).contains(&start) {
            return invalid(0x1C, "s_start", long(&raw, 0x1C), "a block of the log");
        }
        let uuid = raw.get(0x30..0x40).unwrap_or_default();
        Ok(Some(Self {
            journal,
            block_size,
            volume_blocks: superblock.blocks,
            first,
            end,
            start,
            sequence: long(&raw, 0x18),
            features,
            seed: checksum(u32::MAX, uuid),
            fast_commits: fast.map(|_| end),
        }))
    }

    fn has(&self, feature: u32) -> bool {
        self.features & feature != 0
    }

    fn checks(&self) -> bool {
        self.has(FEATURE_CSUM_V2 | FEATURE_CSUM_V3)
    }

    fn read(&self, block: u64) -> Result<Vec<u8>, ParseError> {
        read_vec_at(self.journal.as_ref(), block * self.block_size, self.block_size, "block", BLOCK_BYTES)
    }

    /// The block behind: the log is a ring.
    fn next(&self, block: u64) -> u64 {
        if block + 1 >= self.end { self.first } else { block + 1 }
    }

    /// Which block of the volume stands where, after the last commit.
    fn walk(&self) -> Result<BTreeMap<u64, Logged>, ParseError> {
        let mut committed: Vec<(u32, Transaction)> = Vec::new();
        let mut revoked: HashMap<u64, u32> = HashMap::new();
        let (mut at, mut sequence, mut current) = (self.start, self.sequence, Transaction::default());
        // As many blocks as there are: a ring that never ends is no log.
        let mut left = self.end - self.first;
        while let Some(rest) = left.checked_sub(1) {
            left = rest;
            let raw = self.read(at)?;
            if !raw.starts_with(&MAGIC) || long(&raw, 8) != sequence {
                break;
            }
            let here = at;
            at = self.next(at);
            match long(&raw, 4) {
                DESCRIPTOR => {
                    self.verify(&raw, here, raw.len().saturating_sub(4))?;
                    self.descriptor(&raw, here, &mut at, &mut left, &mut current)?;
                }
                REVOCATION => {
                    self.verify(&raw, here, raw.len().saturating_sub(4))?;
                    self.revocation(&raw, here, &mut current)?;
                }
                COMMIT => {
                    self.verify(&raw, here, 16)?;
                    for block in std::mem::take(&mut current.revoked) {
                        revoked.insert(block, sequence);
                    }
                    if revoked.len() > MAX_REVOKED {
                        let found = revoked.len() as u64;
                        return Err(ParseError::limit(
                            here * self.block_size,
                            "revoked blocks",
                            found,
                            MAX_REVOKED as u64,
                        ));
                    }
                    committed.push((sequence, std::mem::take(&mut current)));
                    sequence = sequence.wrapping_add(1);
                }
                _ => break,
            }
        }
        self.no_fast_commits(sequence)?;
        let mut blocks = BTreeMap::new();
        for (sequence, transaction) in committed {
            for (block, logged) in transaction.writes {
                // Numbers wrap around, so a later one is told by the distance.
                let is_revoked = revoked.get(&block).is_some_and(|last| last.wrapping_sub(sequence) < 1 << 31);
                if !is_revoked {
                    blocks.insert(block, logged);
                }
            }
        }
        Ok(blocks)
    }

    /// Tags of a descriptor; each stands for the next block of the log.
    fn descriptor(
        &self,
        raw: &[u8],
        here: u64,
        next: &mut u64,
        left: &mut u64,
        transaction: &mut Transaction,
    ) -> Result<(), ParseError> {
        let place = |at: usize| here * self.block_size + at as u64;
        let size = self.tag_size();
        let room = raw.len().saturating_sub(if self.checks() { 4 } else { 0 });
        let mut at = 12;
        while at + size <= room {
            let tag = raw.get(at..at + size).unwrap_or_default();
            let v3 = self.has(FEATURE_CSUM_V3);
            let flags = if v3 { long(tag, 4) } else { short(tag, 6) };
            let high = if self.has(FEATURE_64BIT) { u64::from(long(tag, 8)) << 32 } else { 0 };
            let block = high | u64::from(long(tag, 0));
            if block >= self.volume_blocks {
                return Err(ParseError::invalid(place(at), "t_blocknr", block, "a block of the volume"));
            }
            *left = left.checked_sub(1).ok_or_else(|| {
                ParseError::invalid(place(at), "tags", "more than the log has blocks", "as many as blocks follow")
            })?;
            let logged = Logged { at: *next, escaped: flags & TAG_ESCAPE != 0 };
            if self.checks() {
                let found = checksum(checksum(self.seed, raw.get(8..12).unwrap_or_default()), &self.read(*next)?);
                let (found, expected) = if v3 { (found, long(tag, 12)) } else { (found & 0xFFFF, short(tag, 4)) };
                if found != expected {
                    let (place, found) = (*next * self.block_size, format!("{found:#x}"));
                    return Err(ParseError::invalid(place, "checksum of a journal block", found, "what its tag says"));
                }
            }
            transaction.writes.push((block, logged));
            *next = self.next(*next);
            at += size + if flags & TAG_SAME_UUID == 0 { 16 } else { 0 };
            if flags & TAG_LAST != 0 {
                break;
            }
        }
        Ok(())
    }

    fn tag_size(&self) -> usize {
        if self.has(FEATURE_CSUM_V3) {
            return 16;
        }
        8 + if self.has(FEATURE_64BIT) { 4 } else { 0 } + if self.has(FEATURE_CSUM_V2) { 2 } else { 0 }
    }

    fn revocation(&self, raw: &[u8], here: u64, transaction: &mut Transaction) -> Result<(), ParseError> {
        let place = here * self.block_size + 12;
        let room = raw.len().saturating_sub(if self.checks() { 4 } else { 0 });
        let count = usize::try_from(long(raw, 12)).unwrap_or(usize::MAX);
        if !(16..=room).contains(&count) {
            return Err(ParseError::invalid(place, "r_count", count, "16 to the bytes of a block"));
        }
        let wide = self.has(FEATURE_64BIT);
        let records = raw.get(16..count).unwrap_or_default().chunks_exact(if wide { 8 } else { 4 });
        for record in records {
            let high = if wide { u64::from(long(record, 0)) << 32 } else { 0 };
            transaction.revoked.push(high | u64::from(long(record, if wide { 4 } else { 0 })));
        }
        if transaction.revoked.len() > MAX_REVOKED {
            let found = transaction.revoked.len() as u64;
            return Err(ParseError::limit(place, "revoked blocks", found, MAX_REVOKED as u64));
        }
        Ok(())
    }

    /// Holds a block against the checksum at `field` in it, which is of the block with that field zero.
    fn verify(&self, raw: &[u8], block: u64, field: usize) -> Result<(), ParseError> {
        if !self.checks() {
            return Ok(());
        }
        let before = raw.get(..field).unwrap_or_default();
        let behind = raw.get(field + 4..).unwrap_or_default();
        let found = checksum(checksum(checksum(self.seed, before), &[0; 4]), behind);
        if found == long(raw, field) {
            return Ok(());
        }
        let (place, found) = (block * self.block_size, format!("{found:#x}"));
        Err(ParseError::invalid(place, "checksum of a journal block", found, "what it says itself"))
    }

    /// Fast commits behind the last transaction are changes in another language.
    fn no_fast_commits(&self, sequence: u32) -> Result<(), ParseError> {
        let Some(block) = self.fast_commits else { return Ok(()) };
        let raw = self.read(block)?;
        // Tag, length, features, then the number of the transaction that they follow.
        let number = raw.get(8..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
        if raw.starts_with(&FAST_COMMIT_HEAD) && number == Some(sequence) {
            return Err(ParseError::unsupported(block * self.block_size, "fast commits that wait to be replayed"));
        }
        Ok(())
    }
}

/// A volume of which some blocks are taken from its journal.
struct Replayed {
    volume: SharedBytes,
    journal: SharedBytes,
    block_size: u64,
    blocks: BTreeMap<u64, Logged>,
}

impl Replayed {
    /// Bytes of a logged block from `skip` on.
    fn logged(&self, logged: Logged, skip: u64, piece: &mut [u8]) -> Result<(), ParseError> {
        self.journal.read_exact_at(logged.at * self.block_size + skip, piece)?;
        if logged.escaped {
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let magic = MAGIC.get(skip..).unwrap_or_default();
            piece.iter_mut().zip(magic).for_each(|(byte, magic)| *byte = *magic);
        }
        Ok(())
    }
}

impl ReadAt for Replayed {
    fn len(&self) -> u64 {
        self.volume.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len(), offset, buf.len() as u64)?;
        let (mut at, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let (block, skip) = (at / self.block_size, at % self.block_size);
            let next = self.blocks.range(block..).next();
            let until = match next {
                Some((logged, _)) if *logged == block => self.block_size - skip,
                Some((logged, _)) => (logged * self.block_size).saturating_sub(at),
                None => u64::MAX,
            };
            let len = usize::try_from(until).unwrap_or(usize::MAX).min(rest.len());
            let (piece, behind) = std::mem::take(&mut rest).split_at_mut(len);
            match next {
                Some((number, logged)) if *number == block => self.logged(*logged, skip, piece)?,
                _ => self.volume.read_exact_at(at, piece)?,
            }
            at += len as u64;
            rest = behind;
        }
        Ok(())
    }
}
