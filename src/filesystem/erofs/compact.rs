//! Indexes with 2 or 4 bytes for each logical cluster, 8 bytes behind the header.
//!
//! Entries stand in packs: 16 of 14 bits in 32 bytes ("2B") or 2 of 16 bits in 8 bytes ("4B"), each pack aligned to its
//! size and ended by the block (4 bytes) that its entries count from. First come 4B packs up to a multiple of 32 bytes,
//! then as many 2B packs as get full where the header's flag 1 allows them, then 4B packs.
//!
//! An entry is a value and above it a kind of 2 bits (as in the full index). The value of a head is its place in the
//! piece. Else it is the distance to the head, or with 0x800 the cluster's count of blocks, or in the last entry of a
//! pack the distance to the next head. A head's block is the pack's and the blocks of all heads before it in the pack.

use super::compressed::Header;
use super::lclusters::{BLOCK_COUNT, Entry, Kind};
use crate::bytes::{ParseError, le};

pub(super) const ADVISE_2B: u16 = 0x1;
const ADVISE_BIG_1: u16 = 0x2;
/// Kind of an entry that begins no cluster.
const REST: u32 = 2;

/// A pack and an entry in it.
struct Place {
    pack: u64,
    wide: bool,
    index: u32,
}

/// Byte offset behind the index: behind the last entry's pack.
pub(super) fn end(header: &Header) -> u64 {
    let place = place(header, header.lclusters().saturating_sub(1));
    place.pack.saturating_add(if place.wide { 8 } else { 32 })
}

fn place(header: &Header, lcluster: u64) -> Place {
    let start = header.offset.saturating_add(8);
    let first = (32 - start % 32) / 4 % 8;
    let entries = header.lclusters();
    let small = if header.advise & ADVISE_2B != 0 { entries.saturating_sub(first) / 16 * 16 } else { 0 };
    let behind = start.saturating_add(first * 4);
    let (at, wide) = if lcluster < first {
        (start.saturating_add(lcluster * 4), true)
    } else if lcluster - first < small {
        (behind.saturating_add((lcluster - first) * 2), false)
    } else {
        (behind.saturating_add(small * 2).saturating_add((lcluster - first - small) * 4), true)
    };
    let (pack, entry) = if wide { (8, 4) } else { (32, 2) };
    Place { pack: at - at % pack, wide, index: u32::try_from(at % pack / entry).unwrap_or_default() }
}

/// A pack's entries.
struct Pack {
    raw: [u8; 32],
    width: u32,
    value_bits: u32,
    entries: u32,
    base: u64,
}

impl Pack {
    fn read(header: &Header, place: &Place) -> Result<Self, ParseError> {
        let mut raw = [0; 32];
        let (entries, width, base) = if place.wide {
            let bytes: [u8; 8] = header.index.read(place.pack)?;
            for (to, from) in raw.iter_mut().zip(bytes) {
                *to = from;
            }
            (2, 16, 4)
        } else {
            raw = header.index.read(place.pack)?;
            (16, 14, 28)
        };
        let base = le::u32(&raw, base).map_or(0, u64::from);
        Ok(Self { raw, width, value_bits: header.lcluster_bits.max(12), entries, base })
    }

    /// Kind and value of an entry.
    fn get(&self, index: u32) -> (u32, u32) {
        let bit = index * self.width;
        let bits = le::u32(&self.raw, usize::try_from(bit / 8).unwrap_or_default()).unwrap_or_default() >> (bit % 8);
        (bits >> self.value_bits & 3, bits & ((1 << self.value_bits) - 1))
    }

    /// Blocks of the clusters that begin in this pack before the entry `index`; a pack counts the one that reaches into
    /// it only where clusters have one block.
    fn blocks_before(&self, index: u32, big: bool) -> Option<u64> {
        let (mut at, mut blocks) = (index, u64::from(!big));
        while at > 0 {
            at -= 1;
            let (kind, value) = self.get(at);
            let counts = kind == REST && big && value & u32::from(BLOCK_COUNT) != 0;
            if counts {
                // The entry before is the head that these blocks belong to.
                blocks += u64::from(value & !u32::from(BLOCK_COUNT));
                at = at.saturating_sub(1);
            } else if kind == REST && big {
                // The entry behind the head counts the blocks, so it must be looked at.
                let back = value.checked_sub(2)?;
                at = at.saturating_sub(back);
            } else if kind == REST {
                // The head itself is counted, unless it stands in an earlier pack.
                match at.checked_sub(value) {
                    Some(head) => (at, blocks) = (head, blocks + 1),
                    None => return Some(blocks),
                }
            } else {
                blocks += 1;
            }
        }
        Some(blocks)
    }
}

pub(super) fn entry(header: &Header, lcluster: u64) -> Result<Entry, ParseError> {
    let place = place(header, lcluster);
    let pack = Pack::read(header, &place)?;
    let invalid = |field, found: u32, expected| {
        Err(ParseError::invalid(place.pack, field, found, expected).within(format!("index entry {lcluster}")))
    };
    let counted = |value: u32| value & u32::from(BLOCK_COUNT) != 0;
    let (kind, value) = pack.get(place.index);
    let kind = match kind {
        0 => Kind::Plain,
        1 => Kind::First,
        3 => Kind::Second,
        _ if counted(value) => {
            let blocks = u64::from(value & !u32::from(BLOCK_COUNT));
            return Ok(Entry::Rest { back: 1, blocks: Some(blocks) });
        }
        _ if place.index + 1 < pack.entries => return Ok(Entry::Rest { back: value.into(), blocks: None }),
        _ => {
            // The last of a pack says how far the next head is; the one before it says where the head was.
            let back = match pack.get(place.index - 1) {
                (REST, value) if counted(value) => 2,
                (REST, value) => value + 1,
                _ => 1,
            };
            return Ok(Entry::Rest { back: back.into(), blocks: None });
        }
    };
    if value >= 1 << header.lcluster_bits {
        return invalid("clusterofs", value, "less than a logical cluster");
    }
    match pack.blocks_before(place.index, header.advise & ADVISE_BIG_1 != 0) {
        Some(blocks) => Ok(Entry::Head { kind, within: value.into(), block: pack.base + blocks }),
        None => invalid("distance of an entry", 1, "2 or more where the next counts blocks"),
    }
}
