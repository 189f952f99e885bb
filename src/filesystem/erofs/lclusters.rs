//! Clusters that are found by logical clusters: the file in pieces of equal size, each with an entry.
//!
//! An entry says that a cluster begins in its piece, where in it, how it is stored and in which block; or that none
//! does, and how far back the last one began. The second entry of a cluster may say how many blocks it has.

use super::compressed::{Cluster, Header, Place};
use super::decode::Codec;
use super::{compact, full};
use crate::bytes::{ParseError, le};

const ADVISE_BIG_1: u16 = 0x2;
const ADVISE_BIG_2: u16 = 0x4;
const ADVISE_INLINE: u16 = 0x8;
const ADVISE_INTERLACED: u16 = 0x10;
/// In the distance of an entry: it is a count of blocks.
pub(super) const BLOCK_COUNT: u16 = 0x800;
/// Entries that may be passed to find where a cluster begins or ends. A cluster of 12 MiB has 24,576 of 512 bytes.
const STEPS: u64 = 1 << 15;

/// How the cluster that an entry begins is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    First,
    Second,
}

/// What the index says of a logical cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A cluster begins `within` bytes behind the start of this piece; it is stored from `block`.
    Head { kind: Kind, within: u64, block: u64 },
    /// The cluster began `back` pieces before; all of it has `blocks`, where this says so.
    Rest { back: u64, blocks: Option<u64> },
}

/// The cluster that holds a byte.
struct Head {
    lcluster: u64,
    start: u64,
    kind: Kind,
    block: u64,
}

/// The index of one file.
pub(super) struct Lclusters {
    compact: bool,
    /// Where the last cluster starts and is, if it is not in blocks of its own.
    tail: Option<(u64, Place)>,
}

impl Lclusters {
    pub(super) fn open(header: &Header, compact: bool) -> Result<Self, ParseError> {
        // What the entries' bits can say of a place in a piece.
        let bits = match compact {
            true if header.advise & compact::ADVISE_2B != 0 => 12,
            true => 14,
            false => 16,
        };
        if header.lcluster_bits > bits {
            return Err(ParseError::limit(
                header.offset + 7,
                "h_clusterbits",
                header.lcluster_bits.into(),
                bits.into(),
            ));
        }
        let end = if compact { compact::end(header) } else { full::end(header) };
        let len = header.index.bytes().len();
        if end > len {
            return Err(ParseError::truncated(header.offset, end.saturating_sub(header.offset), len).within("index"));
        }
        let mut index = Self { compact, tail: None };
        let raw = header.value.to_le_bytes();
        let inline = le::u16(&raw, 2).filter(|size| *size > 0 && header.advise & ADVISE_INLINE != 0);
        if header.has_fragment() {
            let head = index.head(header, header.len - 1)?;
            let high = if compact { 0 } else { head.block << 32 };
            let place = Place::Fragment(high | le::u32(&raw, 0).map_or(0, u64::from));
            index.tail = Some((head.start, place));
        } else if let Some(size) = inline {
            let head = index.head(header, header.len - 1)?;
            index.tail = Some((head.start, Place::Inline { offset: end, len: u64::from(size) }));
        }
        Ok(index)
    }

    /// The cluster that holds the byte `offset` of the file.
    pub(super) fn find(&self, header: &Header, offset: u64) -> Result<Cluster, ParseError> {
        let head = self.head(header, offset)?;
        let codec = match head.kind {
            Kind::Plain if header.advise & ADVISE_INTERLACED != 0 => Some(Codec::Interlaced),
            Kind::Plain => Some(Codec::Stored),
            Kind::First => Codec::of(header.algorithms & 15),
            Kind::Second => Codec::of(header.algorithms >> 4),
        };
        let Some(codec) = codec else {
            let feature = format!("the compression algorithm {:#x}", header.algorithms);
            return Err(ParseError::unsupported(header.offset + 6, feature));
        };
        if let Some((_, place)) = self.tail.filter(|(start, _)| *start == head.start) {
            return Ok(Cluster { start: head.start, len: header.len - head.start, place, codec });
        }
        let end = self.end(header, &head)?;
        let big = if head.kind == Kind::Second { ADVISE_BIG_2 } else { ADVISE_BIG_1 };
        let next = head.lcluster + 1;
        let blocks = match header.advise & big != 0 && next < header.lclusters() {
            true => match self.entry(header, next)? {
                Entry::Rest { blocks, .. } => blocks.unwrap_or(1),
                Entry::Head { .. } => 1,
            },
            false => 1,
        };
        let place = Place::Volume {
            offset: head.block.saturating_mul(1 << header.block_bits),
            len: blocks.saturating_mul(1 << header.block_bits),
        };
        Ok(Cluster { start: head.start, len: end - head.start, place, codec })
    }

    fn entry(&self, header: &Header, lcluster: u64) -> Result<Entry, ParseError> {
        if self.compact { compact::entry(header, lcluster) } else { full::entry(header, lcluster) }
    }

    /// Where the cluster that holds the byte `offset` begins.
    fn head(&self, header: &Header, offset: u64) -> Result<Head, ParseError> {
        let mut lcluster = offset >> header.lcluster_bits;
        let mut place = offset & ((1 << header.lcluster_bits) - 1);
        for _ in 0..STEPS {
            let back = match self.entry(header, lcluster)? {
                Entry::Head { kind, within, block } if within <= place => {
                    let start = (lcluster << header.lcluster_bits) + within;
                    return Ok(Head { lcluster, start, kind, block });
                }
                Entry::Head { .. } => 1,
                Entry::Rest { back, .. } => back,
            };
            if back == 0 || back > lcluster {
                return Err(ParseError::invalid(header.offset, "distance of an entry", back, "1 to its number")
                    .within(format!("index entry {lcluster}")));
            }
            lcluster -= back;
            // Wherever a cluster begins in an earlier piece, it begins before the byte.
            place = u64::MAX;
        }
        Err(ParseError::limit(header.offset, "entries of a cluster", STEPS + 1, STEPS))
    }

    /// Where the cluster ends: at the next one or with the file.
    fn end(&self, header: &Header, head: &Head) -> Result<u64, ParseError> {
        let entries = header.lclusters();
        for lcluster in (head.lcluster + 1)..=head.lcluster.saturating_add(STEPS) {
            if lcluster >= entries {
                return Ok(header.len);
            }
            if let Entry::Head { within, .. } = self.entry(header, lcluster)? {
                return Ok(((lcluster << header.lcluster_bits) + within).min(header.len));
            }
        }
        Err(ParseError::limit(header.offset, "entries of a cluster", STEPS + 1, STEPS))
    }
}
