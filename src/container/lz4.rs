//! LZ4 frames (`lz4_Frame_format.md` 1.6.4), as Samsung's `*.img.lz4`: one part, named after the file.
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | magic | 0x184D2204 |
//! | 4 | 1 | `FLG` | version 01, independent blocks, block checksums, content size, content checksum, 0, dictionary |
//! | 5 | 1 | `BD` | most bytes of a block: 4 to 7 for 64 KiB to 4 MiB |
//! | 6 | 8 | content size | where `FLG` says so; then 1 byte of header checksum |
//!
//! A block: its length (4 bytes, the highest bit for a stored one), data, checksum (4 bytes) where `FLG` says so; a length of
//! zero ends the frame. Independent blocks are found by their headers alone and decoded where they are read; each but the last must be a
//! full one. Linked blocks, several frames and the legacy format are decoded from the front.
//! Checksums of independent blocks and of the whole content are not checked.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe, inner_name};
use crate::bytes::{Budget, Codec, DecodedCache, ParseError, ReadAt, SharedBytes, le, read_vec_at};

const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
const LEGACY_MAGIC: [u8; 4] = 0x184C_2102_u32.to_le_bytes();
const STORED: u32 = 1 << 31;
/// 1 TiB of Samsung's blocks; each costs 16 bytes of memory.
const BLOCKS: usize = 1 << 20;

/// The format.
pub(super) struct Lz4;

impl ContainerFormat for Lz4 {
    fn name(&self) -> &'static str {
        "lz4"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(&MAGIC) || probe.head.starts_with(&LEGACY_MAGIC)
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let source = &input.part.bytes;
        let bytes = match Frame::open(source, budget)? {
            Some(frame) => Arc::new(frame) as SharedBytes,
            None => Codec::Lz4.spool(source.clone(), &input.part.name, budget)?,
        };
        Ok(vec![Part { name: inner_name(&input.part.name, &[".lz4"]), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::frame(&[(false, b"\x1fa\x01\0\xff\x1e"), (true, b"stored")])
    }
}

/// A frame of independent blocks.
struct Frame {
    source: SharedBytes,
    blocks: Vec<Block>,
    block_bytes: u64,
    len: u64,
    budget: Arc<Budget>,
    cache: DecodedCache,
}

#[derive(Clone, Copy)]
struct Block {
    start: u64,
    size: u32,
}

/// What the headers of a frame and of its blocks say.
struct Layout {
    blocks: Vec<Block>,
    block_bytes: u64,
    independent: bool,
    size: Option<u64>,
    end: u64,
}

/// Walks over the first frame.
fn read_layout(source: &dyn ReadAt) -> Result<Layout, ParseError> {
    let mut head = [0; 6];
    source.read_exact_at(0, &mut head)?;
    let [.., flags, descriptor] = head;
    if flags >> 6 != 1 {
        return Err(ParseError::invalid(4, "version", flags >> 6, "1"));
    }
    if flags & 1 != 0 {
        return Err(ParseError::unsupported(4, "an LZ4 frame with a dictionary"));
    }
    let class = descriptor >> 4 & 7;
    if class < 4 {
        return Err(ParseError::invalid(5, "block maximum size", class, "4 to 7"));
    }
    let block_bytes = 1_u64 << (2 * class + 8);
    let trailer = if flags & 0x10 == 0 { 0 } else { 4 };
    let mut at = 7;
    let mut size = None;
    if flags & 8 != 0 {
        let mut raw = [0; 8];
        source.read_exact_at(6, &mut raw)?;
        size = le::u64(&raw, 0);
        at += 8;
    }
    let mut blocks = Vec::new();
    loop {
        let mut raw = [0; 4];
        source.read_exact_at(at, &mut raw)?;
        let size = u32::from_le_bytes(raw);
        at += 4;
        if size == 0 {
            break;
        }
        let stored = u64::from(size & !STORED);
        if stored > block_bytes {
            return Err(ParseError::invalid(at - 4, "block size", stored, "the block maximum size or less"));
        }
        blocks.push(Block { start: at, size });
        if blocks.len() > BLOCKS {
            return Err(ParseError::limit(at, "blocks", blocks.len() as u64, BLOCKS as u64));
        }
        at += stored + trailer;
    }
    at += if flags & 4 == 0 { 0 } else { 4 };
    if at > source.len() {
        return Err(ParseError::truncated(at, 1, source.len()));
    }
    Ok(Layout { blocks, block_bytes, independent: flags & 0x20 != 0, size, end: at })
}

impl Frame {
    /// The frame, unless it has to be decoded from the front.
    fn open(source: &SharedBytes, budget: &Arc<Budget>) -> Result<Option<Self>, ParseError> {
        let magic = |at| {
            let mut raw = [0; 4];
            source.read_exact_at(at, &mut raw).map(|()| raw).unwrap_or_default()
        };
        if magic(0) == LEGACY_MAGIC {
            return Ok(None);
        }
        let layout = read_layout(source.as_ref())?;
        let next = magic(layout.end);
        if !layout.independent || next == MAGIC || next == LEGACY_MAGIC {
            return Ok(None);
        }
        let Layout { blocks, block_bytes, size, .. } = layout;
        let cache = budget.decoded();
        let mut frame = Self { source: source.clone(), blocks, block_bytes, len: 0, budget: budget.clone(), cache };
        let full = (frame.blocks.len() as u64).saturating_sub(1);
        let last = if frame.blocks.is_empty() { 0 } else { frame.decode(full)?.len() as u64 };
        frame.len = full * block_bytes + last;
        if let Some(size) = size.filter(|size| *size != frame.len) {
            return Err(ParseError::invalid(6, "content size", size, "that of the blocks"));
        }
        Ok(Some(frame))
    }

    fn decode(&self, number: u64) -> Result<Vec<u8>, ParseError> {
        let block = usize::try_from(number).ok().and_then(|index| self.blocks.get(index).copied());
        let Some(Block { start, size }) = block else {
            return Err(ParseError::limit(0, "blocks", number, self.blocks.len() as u64));
        };
        let data = read_vec_at(self.source.as_ref(), start, u64::from(size & !STORED), "block", self.block_bytes)?;
        let decoded = if size & STORED == 0 {
            let mut out = crate::bytes::zeroed(start, self.block_bytes, "block", self.block_bytes)?;
            let len = lz4_flex::block::decompress_into(&data, &mut out)
                .map_err(|error| ParseError::invalid(start, "block", error, "LZ4 data"))?;
            self.budget.spend_decompressed(len as u64)?;
            out.truncate(len);
            out
        } else {
            data
        };
        let last = number + 1 == self.blocks.len() as u64;
        if !last && decoded.len() as u64 != self.block_bytes {
            return Err(ParseError::unsupported(start, "an LZ4 frame with short blocks before the last"));
        }
        Ok(decoded)
    }
}

impl ReadAt for Frame {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ParseError> {
        let wanted = buf.len() as u64;
        if offset.checked_add(wanted).is_none_or(|end| end > self.len) {
            return Err(ParseError::truncated(offset, wanted, self.len));
        }
        while !buf.is_empty() {
            let number = offset / self.block_bytes;
            let block = self.cache.get((number, 0), || self.decode(number))?;
            let skip = usize::try_from(offset % self.block_bytes).unwrap_or_default();
            let available = block.get(skip..).unwrap_or_default();
            let count = available.len().min(buf.len());
            if count == 0 {
                return Err(ParseError::truncated(offset, buf.len() as u64, self.len));
            }
            let (now, later) = buf.split_at_mut(count);
            now.copy_from_slice(available.get(..count).unwrap_or_default());
            buf = later;
            offset += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    /// A frame of independent blocks of 64 KiB at most, with content size; (stored, data) of each.
    pub(super) fn frame(blocks: &[(bool, &[u8])]) -> Vec<u8> {
        // Only the last one may be short: those before it are stretched by a run.
        let (mut frame, mut body) = (MAGIC.to_vec(), Vec::new());
        let mut size = 0_u64;
        for (index, (stored, data)) in blocks.iter().enumerate() {
            let data = if index + 1 < blocks.len() { run() } else { data.to_vec() };
            size += if index + 1 < blocks.len() { 65536 } else { data.len() as u64 };
            let flag = if *stored { STORED } else { 0 };
            body.extend((u32::try_from(data.len()).unwrap() | flag).to_le_bytes());
            body.extend(data);
        }
        frame.extend([0x68, 0x40]);
        frame.extend(size.to_le_bytes());
        frame.push(0);
        [frame, body, vec![0; 4]].concat()
    }

    /// A block of 65536 letters a: one literal, a match of 65530 at distance 1, five last literals.
    fn run() -> Vec<u8> {
        let mut block = vec![0x1f, b'a', 1, 0];
        let rest = 65530 - 4 - 15;
        block.extend(vec![255; rest / 255]);
        block.push(u8::try_from(rest % 255).unwrap());
        block.extend(b"\x50aaaaa");
        block
    }

    fn open(bytes: Vec<u8>) -> Result<SharedBytes, ParseError> {
        let part = Part { name: "x.img.lz4".to_owned(), bytes: Arc::new(bytes) };
        let budget = Budget::new(Limits::default());
        let parts = Lz4.open(&PartSet { part: &part, siblings: &[] }, &budget)?;
        assert_eq!(parts[0].name, "x.img");
        Ok(parts[0].bytes.clone())
    }

    #[test]
    fn a_read_decodes_the_blocks_that_it_touches() {
        let bytes = frame(&[(false, b""), (false, b""), (false, b""), (true, b"end")]);
        let part = Part { name: "x".to_owned(), bytes: Arc::new(bytes) };
        let budget = Budget::new(Limits::default());
        let parts = Lz4.open(&PartSet { part: &part, siblings: &[] }, &budget).unwrap();
        assert_eq!((parts[0].bytes.len(), budget.decompressed()), (3 * 65536 + 3, 0));
        let mut buf = [0; 5];
        parts[0].bytes.read_exact_at(3 * 65536 - 2, &mut buf).unwrap();
        assert_eq!((&buf, budget.decompressed()), (b"aaend", 65536));
    }

    #[test]
    fn a_block_that_is_short_too_large_or_beyond_the_file_is_an_error() {
        let good = frame(&[(false, b""), (true, b"end")]);
        let mut size = good.clone();
        size[6] ^= 1;
        assert!(open(size).err().unwrap().to_string().contains("content size"));
        let mut long = good.clone();
        long[15..19].copy_from_slice(&70_000_u32.to_le_bytes());
        assert!(open(long).err().unwrap().to_string().contains("block size is 70000"));
        assert!(open(good[..good.len() - 4].to_vec()).is_err());
        let mut short = good.clone();
        let first = run().len();
        short[15 + 4 + first - 6] = 0x40;
        let stream = open(short);
        assert!(stream.is_err() || stream.unwrap().read_exact_at(0, &mut [0; 8]).is_err());
    }
}
