//! xz files of several blocks, read block by block (`xz-file-format.txt` 1.2.1).
//!
//! A stream is a header (12 bytes: magic, flags, CRC-32), blocks, an index, a footer (12 bytes: CRC-32, length of the index
//! in 4-byte words less one, flags, `YZ`). The index has the packed and the unpacked length of each block, so a file is
//! known from its end: streams one after another, with padding between them, from the last to the first.
//!
//! A block is decoded as a stream of its own, made of its bytes and an index of one record: whatever the decoder checks
//! in a file it checks in a block.

use std::sync::Arc;

use super::{
    Budget, Codec, DecodedCache, ErrorKind, ExtentMap, ParseError, ReadAt, SharedBytes, le, read_vec_at, within,
};

const MAGIC: [u8; 6] = *b"\xfd7zXZ\0";
/// Length of a header and of a footer.
const FRAME: u64 = 12;
/// The index of a file of 64 GiB in blocks of 1 MiB has below 1 MiB.
const INDEX_BYTES: u64 = 16 << 20;
const BLOCKS: usize = 1 << 20;

/// The decoded form of an xz file.
pub(super) struct XzBlocks {
    source: SharedBytes,
    /// In the order of the file.
    blocks: Vec<Block>,
    len: u64,
    cache: DecodedCache,
    budget: Arc<Budget>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    /// First packed byte in the file, and their number without padding.
    input: u64,
    packed: u64,
    /// First unpacked byte, and their number.
    output: u64,
    len: u64,
    flags: [u8; 2],
}

impl XzBlocks {
    /// The file, if it has several blocks and each has room in memory. Anything unusual is left to the decoder.
    pub(super) fn open(source: &SharedBytes, budget: &Arc<Budget>) -> Result<Option<Self>, ParseError> {
        let most = budget.limits.memory / 4;
        let mut blocks = match blocks(source) {
            Ok(blocks) if blocks.len() > 1 && blocks.iter().all(|block| block.len <= most) => blocks,
            Err(error) if matches!(error.kind, ErrorKind::Io(_)) => return Err(error),
            _ => return Ok(None),
        };
        let mut len = 0_u64;
        for block in &mut blocks {
            block.output = len;
            let Some(end) = len.checked_add(block.len) else {
                return Ok(None);
            };
            len = end;
        }
        Ok(Some(Self { source: source.clone(), blocks, len, cache: budget.decoded(), budget: budget.clone() }))
    }

    fn decode(&self, block: &Block) -> Result<Vec<u8>, ParseError> {
        let padded = block.packed.next_multiple_of(4);
        let mut index = vec![0, 1];
        push_number(&mut index, block.packed);
        push_number(&mut index, block.len);
        index.resize(index.len().next_multiple_of(4), 0);
        let words = u32::try_from(index.len() / 4).unwrap_or_default();
        index.extend(crc(&index));
        let footer = [words.to_le_bytes().as_slice(), &block.flags].concat();
        let tail = [index.as_slice(), &crc(&footer), &footer, b"YZ"].concat();
        let head = [MAGIC.as_slice(), &block.flags, &crc(&block.flags)].concat();
        let tail_len = tail.len() as u64;
        let mut stream = ExtentMap::new(FRAME + padded + tail_len);
        stream.store(0, Arc::new(head), 0, FRAME)?;
        stream.store(FRAME, self.source.clone(), block.input, padded)?;
        stream.store(FRAME + padded, Arc::new(tail), 0, tail_len)?;
        let decoded = Codec::Xz.decode(stream.shared(), block.len, &self.budget)?;
        if decoded.len() as u64 != block.len {
            return Err(ParseError::invalid(block.input, "uncompressed size", block.len, "that of the block"));
        }
        Ok(decoded)
    }
}

impl ReadAt for XzBlocks {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        while !buf.is_empty() {
            let number = self.blocks.partition_point(|block| block.output + block.len <= offset);
            let Some(block) = self.blocks.get(number) else {
                return Err(ParseError::truncated(offset, buf.len() as u64, self.len));
            };
            let place = |error: ParseError| error.within(format!("block {number}"));
            let decoded = self.cache.get((number as u64, 0), || self.decode(block).map_err(place))?;
            let skip = usize::try_from(offset - block.output).unwrap_or(usize::MAX);
            let available = decoded.get(skip..).unwrap_or_default();
            let count = available.len().min(buf.len());
            let (now, later) = buf.split_at_mut(count);
            now.copy_from_slice(available.get(..count).unwrap_or_default());
            buf = later;
            offset += count as u64;
        }
        Ok(())
    }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

fn is_checked(bytes: Option<&[u8]>, sum: Option<&[u8]>) -> bool {
    cfg!(fuzzing) || bytes.map(crc).as_ref().map(<[u8; 4]>::as_slice) == sum
}

/// 7 bits in each byte, the lowest first; the highest bit says that more follow.
fn push_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The blocks of all streams.
fn blocks(source: &SharedBytes) -> Result<Vec<Block>, ParseError> {
    let invalid = |at, field| ParseError::invalid(at, field, "another", "that of an xz file");
    // From the last to the first.
    let mut found = Vec::new();
    let mut end = source.len();
    while end > 0 {
        let at = end.checked_sub(FRAME).ok_or_else(|| invalid(end, "footer"))?;
        let footer = read_vec_at(source.as_ref(), at, FRAME, "footer", FRAME)?;
        if footer.ends_with(&[0; 4]) {
            end -= 4;
            continue;
        }
        let flags = footer.get(8..10).and_then(|flags| flags.first_chunk::<2>()).copied();
        let whole = footer.ends_with(b"YZ") && is_checked(footer.get(4..10), footer.get(..4));
        let flags = flags.filter(|_| whole).ok_or_else(|| invalid(at, "footer"))?;
        let index_len = (u64::from(le::u32(&footer, 4).unwrap_or_default()) + 1) * 4;
        let index_at = at.checked_sub(index_len).ok_or_else(|| invalid(at, "backward size"))?;
        let index = read_vec_at(source.as_ref(), index_at, index_len, "index", INDEX_BYTES)?;
        let split = index.split_last_chunk::<4>().filter(|(index, sum)| is_checked(Some(index), Some(*sum)));
        let records = split.and_then(|(index, _)| records(index)).ok_or_else(|| invalid(index_at, "index"))?;
        let packed =
            records.iter().try_fold(0_u64, |sum, (packed, _)| sum.checked_add(packed.checked_next_multiple_of(4)?));
        let first = packed.and_then(|packed| index_at.checked_sub(packed)).ok_or_else(|| invalid(index_at, "index"))?;
        let start = first.checked_sub(FRAME).ok_or_else(|| invalid(index_at, "index"))?;
        let head = read_vec_at(source.as_ref(), start, FRAME, "header", FRAME)?;
        if !head.starts_with(&MAGIC) || head.get(6..8) != Some(&flags) {
            return Err(invalid(start, "header"));
        }
        let mut next = index_at;
        for (packed, len) in records.into_iter().rev() {
            next -= packed.next_multiple_of(4);
            found.push(Block { input: next, packed, output: 0, len, flags });
        }
        if found.len() > BLOCKS {
            return Err(ParseError::limit(start, "blocks", found.len() as u64, BLOCKS as u64));
        }
        end = start;
    }
    // Empty blocks hold nothing that could be asked for.
    found.retain(|block| block.len > 0);
    found.reverse();
    Ok(found)
}

/// Packed and unpacked lengths.
fn records(index: &[u8]) -> Option<Vec<(u64, u64)>> {
    let mut rest = index.strip_prefix(&[0])?;
    let count = take_number(&mut rest)?;
    let mut records = Vec::new();
    for _ in 0..count {
        records.push((take_number(&mut rest)?, take_number(&mut rest)?));
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    fn data(len: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0] & 0x3f
        };
        (0..len).map(|_| next()).collect()
    }

    /// A stream with blocks of that length at most, stored in LZMA2 chunks without compression, checked by CRC-32.
    fn xz(data: &[u8], block: Option<usize>) -> Vec<u8> {
        let flags = [0, 1];
        let (mut file, mut records) = ([MAGIC.as_slice(), &flags, &crc(&flags)].concat(), Vec::new());
        for content in data.chunks(block.unwrap_or(data.len())) {
            let head = [2, 0, 0x21, 1, 0x0c, 0, 0, 0];
            let mut packed = [head.as_slice(), &crc(&head)].concat();
            for (index, chunk) in content.chunks(1 << 16).enumerate() {
                packed.push(if index == 0 { 1 } else { 2 });
                packed.extend(u16::try_from(chunk.len() - 1).unwrap().to_be_bytes());
                packed.extend(chunk);
            }
            packed.push(0);
            push_number(&mut records, packed.len() as u64 + 4);
            push_number(&mut records, content.len() as u64);
            packed.resize(packed.len().next_multiple_of(4), 0);
            file.extend([packed.as_slice(), &crc(content)].concat());
        }
        let mut index = vec![0];
        push_number(&mut index, data.chunks(block.unwrap_or(data.len())).count() as u64);
        index.extend(records);
        index.resize(index.len().next_multiple_of(4), 0);
        index.extend(crc(&index));
        let footer = [u32::try_from(index.len() / 4 - 1).unwrap().to_le_bytes().as_slice(), &flags].concat();
        [file.as_slice(), &index, &crc(&footer), &footer, b"YZ"].concat()
    }

    fn spool(file: Vec<u8>, limits: Limits) -> (SharedBytes, Arc<Budget>) {
        let budget = Budget::new(limits);
        (Codec::Xz.spool(Arc::new(file), "x", &budget).unwrap(), budget)
    }

    #[test]
    fn a_read_decodes_its_block_alone() {
        let data = data(1_000_003);
        let two = [xz(&data[..700_001], Some(100_000)), vec![0; 8], xz(&data[700_001..], Some(150_000)), vec![0; 4]];
        let (stream, budget) = spool(two.concat(), Limits::default());
        assert_eq!((stream.len(), budget.decompressed()), (1_000_003, 0));
        let mut buf = [0; 2000];
        stream.read_exact_at(650_000, &mut buf).unwrap();
        assert!(buf == data[650_000..652_000]);
        assert!(budget.decompressed() <= 2 * 150_000, "{}", budget.decompressed());
        let mut all = vec![0; data.len()];
        stream.read_exact_at(0, &mut all).unwrap();
        assert!(all == data);
        assert!(stream.read_exact_at(1_000_003, &mut [0]).is_err());
        assert_eq!(budget.spooled(), 0);
    }

    #[test]
    fn a_single_block_or_one_without_room_is_unpacked_as_a_whole() {
        let data = data(1_000_000);
        let small = Limits { memory: 1 << 20, ..Limits::default() };
        for (block, limits) in [(None, small.clone()), (Some(400_000), small)] {
            let (stream, budget) = spool(xz(&data, block), limits);
            let mut all = vec![0; data.len()];
            stream.read_exact_at(0, &mut all).unwrap();
            assert!(all == data);
            assert!(budget.spooled() >= 1_000_000);
        }
    }

    #[test]
    fn a_file_cut_or_changed_at_any_byte_gives_its_data_or_an_error() {
        let data = data(600);
        let file = xz(&data, Some(200));
        let read = |file: Vec<u8>| {
            let budget = Budget::new(Limits { decompressed: 1 << 20, ..Limits::default() });
            let stream = Codec::Xz.spool(Arc::new(file), "x", &budget).ok()?;
            let mut all = vec![0; usize::try_from(stream.len().min(1 << 20)).unwrap()];
            stream.read_exact_at(0, &mut all).ok().map(|()| all)
        };
        assert_eq!(read(file.clone()).unwrap(), data);
        for at in 0..file.len() {
            assert_ne!(read(file[..at].to_vec()), Some(data.clone()), "cut at {at}");
            for value in [0, 0xff, file[at] ^ 1, file[at] ^ 0x80] {
                let mut changed = file.clone();
                changed[at] = value;
                if let Some(found) = read(changed) {
                    assert!(found == data, "{at} {value}");
                }
            }
        }
    }
}
