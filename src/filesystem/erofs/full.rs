//! Indexes with 8 bytes for each logical cluster, 16 bytes behind the header.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | `di_advise`: bits 0 and 1 the kind (0 plain, 1 head, 2 not a head, 3 second head) |
//! | 2 | 2 | `di_clusterofs` |
//! | 4 | 4 | `blkaddr`; if not a head, distance to it (2) and to the next (2) |

use super::compressed::Header;
use super::lclusters::{BLOCK_COUNT, Entry, Kind};
use crate::bytes::{ParseError, le};

/// Byte offset behind the index.
pub(super) fn end(header: &Header) -> u64 {
    header.offset.saturating_add(16).saturating_add(header.lclusters().saturating_mul(8))
}

pub(super) fn entry(header: &Header, lcluster: u64) -> Result<Entry, ParseError> {
    let offset = header.offset.saturating_add(16).saturating_add(lcluster.saturating_mul(8));
    let raw: [u8; 8] = header.index.read(offset)?;
    let short = |at| le::u16(&raw, at).unwrap_or_default();
    let kind = match short(0) & 3 {
        0 => Kind::Plain,
        1 => Kind::First,
        3 => Kind::Second,
        _ => {
            let back = short(4);
            let blocks = (back & BLOCK_COUNT != 0).then(|| u64::from(back & !BLOCK_COUNT));
            // Only the first entry behind the head counts blocks.
            return Ok(Entry::Rest { back: if blocks.is_some() { 1 } else { u64::from(back) }, blocks });
        }
    };
    let within = u64::from(short(2));
    if within >= 1 << header.lcluster_bits {
        return Err(ParseError::invalid(offset + 2, "di_clusterofs", within, "less than a logical cluster"));
    }
    Ok(Entry::Head { kind, within, block: le::u32(&raw, 4).map_or(0, u64::from) })
}
