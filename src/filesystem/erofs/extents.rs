//! Clusters that are found by extents: a table of records behind the header, aligned to a record.
//!
//! | record | fields of 4 bytes each |
//! |---|---|
//! | 4 | `plen`; one for each logical cluster, bytes follow each other from a start (8) in front of the table |
//! | 8 | `plen`, `pstart`; one for each logical cluster |
//! | 16 | `plen`, `pstart` low and high, `lstart`; in ascending order of `lstart` |
//! | 32 | the same, high half of `lstart`, 12 unused |
//!
//! `plen`: bits 0 to 20 bytes (0 for a hole), bits 28 to 31 the algorithm and 1, or 0 for stored bytes. `pstart` counts
//! bytes. Of a file with a fragment the last record is its place: `plen` and above it `pstart`.

use std::sync::OnceLock;

use super::compressed::{Cluster, Header, Place};
use super::decode::Codec;
use crate::bytes::{ParseError, le, read_vec_at};

const ADVISE_INTERLACED: u16 = 0x10;
const LENGTH: u32 = 0x1F_FFFF;
/// Records of 4 bytes of one file: 64 GiB in logical clusters of 4 KiB.
const SHORT_RECORDS: u64 = 1 << 24;
/// Records of 4 bytes between two sums.
const SUM_RECORDS: u64 = 1024;

/// The table of one file.
pub(super) struct Extents {
    record: u64,
    table: u64,
    count: u64,
    /// With records of 4 bytes: where the first of each [`SUM_RECORDS`] lies.
    sums: OnceLock<Result<Vec<u64>, ParseError>>,
    start: u64,
}

#[derive(Clone, Copy, Default)]
struct Record {
    plen: u32,
    pstart: u64,
    lstart: u64,
}

impl Extents {
    pub(super) fn open(header: &Header) -> Result<Self, ParseError> {
        let record = 4_u64 << (header.advise >> 1 & 3);
        let mut table = header.offset.saturating_add(8).next_multiple_of(record);
        let (mut count, mut start) = (header.lclusters(), 0);
        if record == 4 {
            let raw = read_vec_at(header.index.bytes().as_ref(), table, 8, "start of extents", 8)?;
            start = le::u64(&raw, 0).unwrap_or_default();
            table += 8;
            if count > SHORT_RECORDS {
                return Err(ParseError::limit(header.offset, "extents", count, SHORT_RECORDS));
            }
        } else if record > 8 {
            count = (header.value >> 16 & 0xFFFF_0000_0000) | (header.value & 0xFFFF_FFFF);
        }
        let (size, len) = (count.saturating_mul(record), header.index.bytes().len());
        if table.checked_add(size).is_none_or(|end| end > len) {
            return Err(ParseError::truncated(table, size, len).within("extents"));
        }
        if count == 0 {
            return Err(ParseError::invalid(header.offset, "h_extents", 0, "1 or more"));
        }
        Ok(Self { record, table, count, sums: OnceLock::new(), start })
    }

    /// The cluster that holds the byte `offset` of the file.
    pub(super) fn find(&self, header: &Header, offset: u64) -> Result<Cluster, ParseError> {
        let index = if self.record > 8 { self.search(header, offset)? } else { offset >> header.lcluster_bits };
        let record = self.read(header, index)?;
        let last = index + 1 >= self.count;
        let end = if last { header.len } else { self.read(header, index + 1)?.lstart.min(header.len) };
        if !(record.lstart..end).contains(&offset) {
            let place = self.table + index * self.record;
            return Err(ParseError::invalid(place, "lstart", record.lstart, "ascending from 0"));
        }
        let (start, len) = (record.lstart, end - record.lstart);
        let cluster = |place, codec| Cluster { start, len, place, codec };
        if last && header.has_fragment() {
            let high = if self.record > 4 { (record.pstart & 0xFFFF_FFFF) << 32 } else { 0 };
            return Ok(cluster(Place::Fragment(high | u64::from(record.plen)), Codec::Stored));
        }
        let bytes = u64::from(record.plen & LENGTH);
        if bytes == 0 {
            return Ok(cluster(Place::Hole, Codec::Stored));
        }
        let aligned = (record.pstart | bytes) % (1 << header.block_bits) == 0;
        let codec = match u8::try_from(record.plen >> 28).unwrap_or_default() {
            0 if aligned && header.advise & ADVISE_INTERLACED != 0 => Codec::Interlaced,
            0 => Codec::Stored,
            algorithm => Codec::of(algorithm - 1).ok_or_else(|| {
                let place = self.table + index * self.record;
                ParseError::unsupported(place, format!("the compression algorithm {algorithm}"))
            })?,
        };
        Ok(cluster(Place::Volume { offset: record.pstart, len: bytes }, codec))
    }

    /// The last record that starts at `offset` or before.
    fn search(&self, header: &Header, offset: u64) -> Result<u64, ParseError> {
        let (mut low, mut high) = (0, self.count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.read(header, middle)?.lstart <= offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn read(&self, header: &Header, index: u64) -> Result<Record, ParseError> {
        let offset = self.table + index * self.record;
        let lstart = index.saturating_mul(1 << header.lcluster_bits);
        let mut raw = [0; 32];
        match self.record {
            4 => {
                let plen = u32::from_le_bytes(header.index.read(offset)?);
                return Ok(Record { plen, pstart: self.sum(header, index)?, lstart });
            }
            8 => {
                let short: [u8; 8] = header.index.read(offset)?;
                let long = |at| le::u32(&short, at).unwrap_or_default();
                return Ok(Record { plen: long(0), pstart: long(4).into(), lstart });
            }
            16 => {
                let short: [u8; 16] = header.index.read(offset)?;
                for (to, from) in raw.iter_mut().zip(short) {
                    *to = from;
                }
            }
            _ => raw = header.index.read(offset)?,
        }
        let quad = |low, high| {
            u64::from(le::u32(&raw, high).unwrap_or_default()) << 32 | le::u32(&raw, low).map_or(0, u64::from)
        };
        // Behind a record of 16 bytes the buffer is zero.
        Ok(Record { plen: le::u32(&raw, 0).unwrap_or_default(), pstart: quad(4, 8), lstart: quad(12, 16) })
    }

    /// Where the bytes of a record of 4 bytes lie.
    fn sum(&self, header: &Header, index: u64) -> Result<u64, ParseError> {
        let length = |index| {
            let raw = header.index.read(self.table + index * 4)?;
            Ok(u64::from(u32::from_le_bytes(raw) & LENGTH))
        };
        let sums = self.sums.get_or_init(|| {
            let (mut sums, mut at) = (Vec::new(), self.start);
            for index in 0..self.count {
                if index % SUM_RECORDS == 0 {
                    sums.push(at);
                }
                at = at.saturating_add(length(index)?);
            }
            Ok(sums)
        });
        let sums = sums.as_ref().map_err(Clone::clone)?;
        let known = usize::try_from(index / SUM_RECORDS).ok().and_then(|at| sums.get(at)).copied();
        let mut at = known.unwrap_or_default();
        for before in index - index % SUM_RECORDS..index {
            at = at.saturating_add(length(before)?);
        }
        Ok(at)
    }
}
