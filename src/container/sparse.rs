//! Android sparse images (AOSP `libsparse/sparse_format.h`, version 1).
//!
//! | offset | size | field | meaning |
//! |---|---|---|---|
//! | 0 | 4 | `magic` | 0xED26FF3A |
//! | 4 | 2 | `major_version` | 1 |
//! | 8 | 2 | `file_hdr_sz` | length of this header, 28 or more |
//! | 10 | 2 | `chunk_hdr_sz` | length of a chunk header, 12 or more |
//! | 12 | 4 | `blk_sz` | bytes of a block, a multiple of 4 |
//! | 16 | 4 | `total_blks` | blocks of the image |
//! | 20 | 4 | `total_chunks` | chunks that follow |
//!
//! A chunk: `chunk_type` (2 bytes), reserved (2), `chunk_sz` in blocks (4), `total_sz` in bytes with its header (4).
//! A split set (`super.img_sparsechunk.0` ..., `super.img.0` ..., `super_0.img` ..., all counted from 0 or 1) is a number of complete sparse files of the same size,
//! each with holes where the others have data; the first piece found gives the whole, the others give no part.
//! Not supported: Sony's LZ4 chunks (0xCAC5). CRC32 chunks are stepped over.

use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, ExtentMap, ParseError, SharedBytes, le};

const MAGIC: [u8; 4] = 0xED26_FF3A_u32.to_le_bytes();
/// A large `super.img` has some thousands; each costs 64 bytes of memory.
const CHUNKS: u32 = 1 << 20;
/// 16 TiB, what ext4 itself ends at with 4 KiB blocks of 32-bit numbers.
const IMAGE_BYTES: u64 = 1 << 44;

/// The format.
pub(super) struct Sparse;

impl ContainerFormat for Sparse {
    fn name(&self) -> &'static str {
        "sparse"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.head.starts_with(&MAGIC)
    }

    fn open(&self, input: &PartSet<'_>, _budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let Some((stem, number)) = split_name(&input.part.name) else {
            let map = read_map(&input.part.bytes)?;
            return Ok(vec![Part { name: input.part.name.clone(), bytes: map.shared() }]);
        };
        let piece = |part: &Part| split_name(&part.name).filter(|(other, _)| *other == stem).map(|(_, number)| number);
        let mut pieces: Vec<_> =
            input.siblings.iter().filter_map(|part| piece(part).map(|number| (number, part))).collect();
        pieces.sort_by_key(|(number, _)| *number);
        if pieces.first().is_some_and(|(first, _)| *first < number) {
            return Ok(Vec::new());
        }
        // A hole where a piece is missing would read as zeros.
        let expected = (number.min(1)..).zip(&pieces).find(|(expected, (found, _))| expected != found);
        if let Some((expected, (found, _))) = expected.filter(|_| pieces.len() > 1 || number > 1) {
            return Err(ParseError::invalid(
                0,
                "number of a piece",
                format!("{found} behind {expected}"),
                "one after another",
            ));
        }
        let mut whole = read_map(&input.part.bytes)?;
        for (_, part) in pieces.iter().skip(1) {
            let map = read_map(&part.bytes).map_err(|error| error.within(part.name.clone()))?;
            whole.merge(map).map_err(|error| error.within(part.name.clone()))?;
        }
        Ok(vec![Part { name: stem, bytes: whole.shared() }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        tests::image(4, &[(0xCAC1, 1, b"data"), (0xCAC2, 2, b"abcd"), (0xCAC3, 3, b""), (0xCAC4, 0, b"crc!")])
    }
}

/// `super.img_sparsechunk.3`, `super.img.3` or `super_3.img` as `super.img` and 3.
fn split_name(name: &str) -> Option<(String, u32)> {
    let digits = |text: &str| text.len() - text.trim_end_matches(|character: char| character.is_ascii_digit()).len();
    let cut = |text: &str| {
        let (stem, number) = text.split_at_checked(text.len() - digits(text))?;
        Some((stem.to_owned(), number.parse().ok()?))
    };
    if let Some((stem, number)) = cut(name) {
        let stem = stem.strip_suffix('.').unwrap_or(&stem);
        let chunk = stem.strip_suffix("_sparsechunk");
        return chunk
            .or_else(|| name.get(stem.len()..)?.starts_with('.').then_some(stem))
            .map(|stem| (stem.to_owned(), number));
    }
    let (stem, end) = name.rsplit_once('.')?;
    let (stem, number) = cut(stem)?;
    Some((format!("{}.{end}", stem.strip_suffix(['_', '.'])?), number))
}

/// Whether the part is a sparse image.
pub(super) fn is_sparse(part: &Part) -> bool {
    super::read_head_of(&part.bytes, 4).is_ok_and(|head| head == MAGIC)
}

/// The part's content: that of the sparse image, where it is one.
pub(super) fn expanded(part: &Part) -> Result<SharedBytes, ParseError> {
    if is_sparse(part) { Ok(read_map(&part.bytes)?.shared()) } else { Ok(part.bytes.clone()) }
}

fn read_map(source: &SharedBytes) -> Result<ExtentMap, ParseError> {
    let mut raw = [0; 28];
    source.read_exact_at(0, &mut raw)?;
    let field = |at| le::u32(&raw, at).unwrap_or_default();
    let short = |at| le::u16(&raw, at).unwrap_or_default();
    if raw.first_chunk() != Some(&MAGIC) {
        return Err(ParseError::invalid(0, "magic", format!("{:08x}", field(0)), "ed26ff3a"));
    }
    if short(4) != 1 {
        return Err(ParseError::invalid(4, "major_version", short(4), "1"));
    }
    let (file_header, chunk_header) = (u64::from(short(8)), u64::from(short(10)));
    if file_header < 28 {
        return Err(ParseError::invalid(8, "file_hdr_sz", file_header, "28 or more"));
    }
    if chunk_header < 12 {
        return Err(ParseError::invalid(10, "chunk_hdr_sz", chunk_header, "12 or more"));
    }
    let block = u64::from(field(12));
    if block == 0 || block % 4 != 0 {
        return Err(ParseError::invalid(12, "blk_sz", block, "a multiple of 4"));
    }
    let len = block * u64::from(field(16));
    if len > IMAGE_BYTES {
        return Err(ParseError::limit(16, "total_blks * blk_sz", len, IMAGE_BYTES));
    }
    let chunks = field(20);
    if chunks > CHUNKS {
        return Err(ParseError::limit(20, "total_chunks", u64::from(chunks), u64::from(CHUNKS)));
    }
    let mut map = ExtentMap::new(len);
    let (mut at, mut out) = (file_header, 0_u64);
    for _ in 0..chunks {
        let mut raw = [0; 12];
        source.read_exact_at(at, &mut raw)?;
        let blocks = le::u32(&raw, 4).unwrap_or_default();
        let total = le::u32(&raw, 8).map_or(0, u64::from);
        let kind = le::u16(&raw, 0).unwrap_or_default();
        let size = u64::from(blocks) * block;
        let data = total
            .checked_sub(chunk_header)
            .ok_or_else(|| ParseError::invalid(at + 8, "total_sz", total, "chunk_hdr_sz or more"))?;
        let inconsistent = || ParseError::invalid(at + 8, "total_sz", total, "what chunk_type and chunk_sz need");
        match kind {
            0xCAC1 if data == size => map.store(out, source.clone(), at + chunk_header, size)?,
            0xCAC2 if data == 4 => {
                let mut pattern = [0; 4];
                source.read_exact_at(at + chunk_header, &mut pattern)?;
                // Zeros are what a hole reads as, too; a piece of a split set writes them over the others' data.
                if pattern != [0; 4] {
                    map.fill(out, size, pattern)?;
                }
            }
            0xCAC3 if data == 0 => {}
            0xCAC4 if data == 4 => {
                at += total;
                continue;
            }
            0xCAC1..=0xCAC4 => return Err(inconsistent()),
            0xCAC5 => return Err(ParseError::unsupported(at, "an LZ4 chunk (0xCAC5) of a sparse image")),
            _ => return Err(ParseError::invalid(at, "chunk_type", format!("{kind:04x}"), "cac1 to cac4")),
        }
        out = out
            .checked_add(size)
            .filter(|out| *out <= len)
            .ok_or_else(|| ParseError::invalid(at + 4, "chunk_sz", blocks, "no more than total_blks is left"))?;
        at += total;
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Limits, read_vec_at};

    /// A sparse image with blocks of 4 bytes.
    pub(super) fn image(block: u32, chunks: &[(u16, u32, &[u8])]) -> Vec<u8> {
        let total = chunks.iter().map(|(_, blocks, _)| blocks).sum::<u32>();
        let mut out = MAGIC.to_vec();
        for short in [1_u16, 0, 28, 12] {
            out.extend(short.to_le_bytes());
        }
        for field in [block, total, u32::try_from(chunks.len()).unwrap(), 0] {
            out.extend(field.to_le_bytes());
        }
        for (kind, blocks, data) in chunks {
            out.extend(u32::from(*kind).to_le_bytes());
            out.extend(blocks.to_le_bytes());
            out.extend(u32::try_from(12 + data.len()).unwrap().to_le_bytes());
            out.extend(*data);
        }
        out
    }

    fn part(name: &str, bytes: Vec<u8>) -> Part {
        Part { name: name.to_owned(), bytes: Arc::new(bytes) }
    }

    fn open(part: &Part, siblings: &[Part]) -> Result<Vec<Part>, ParseError> {
        Sparse.open(&PartSet { part, siblings }, &Budget::new(Limits::default()))
    }

    fn all(source: &SharedBytes) -> Vec<u8> {
        read_vec_at(source.as_ref(), 0, source.len(), "all", 1 << 20).unwrap()
    }

    #[test]
    fn each_kind_of_chunk_reads_as_what_it_stands_for() {
        let parts = open(&part("system.img", Sparse.sample()), &[]).unwrap();
        assert_eq!(parts[0].name, "system.img");
        assert_eq!(all(&parts[0].bytes), b"dataabcdabcd\0\0\0\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn pieces_of_a_split_set_make_one_image() {
        for naming in
            ["x/super.img_sparsechunk.N", "x/super.img_sparsechunkN", "x/super.img.N", "x/super_N.img", "x/super.N.img"]
        {
            // In another order than counted, ten behind two.
            let mut pieces: Vec<_> = (0..11_u32)
                .map(|number| {
                    let data = [b'a' + u8::try_from(number).unwrap(); 4];
                    let chunks = [(0xCAC3, number, &b""[..]), (0xCAC1, 1, &data), (0xCAC3, 10 - number, b"")];
                    part(&naming.replace('N', &number.to_string()), image(4, &chunks))
                })
                .collect();
            pieces.push(part("y/super.img_sparsechunk.1", image(4, &[(0xCAC1, 3, b"another set.")])));
            pieces.sort_by(|a, b| a.name.cmp(&b.name));
            let parts: Vec<_> = pieces[..11].iter().flat_map(|piece| open(piece, &pieces).unwrap()).collect();
            let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
            assert_eq!(names, ["x/super.img"], "{naming}");
            assert_eq!(all(&parts[0].bytes), b"aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjkkkk");
            pieces.remove(4);
            let missing: Vec<_> = pieces[..10].iter().filter_map(|piece| open(piece, &pieces).err()).collect();
            assert_eq!(missing.len(), 1, "{naming}");
            assert!(missing[0].to_string().contains("number of a piece is"), "{}", missing[0]);
        }
    }

    #[test]
    fn a_number_of_a_whole_image_is_no_piece() {
        let alone = part("vendor_1.img", image(4, &[(0xCAC1, 1, b"data")]));
        assert_eq!(open(&alone, std::slice::from_ref(&alone)).unwrap()[0].name, "vendor.img");
        let later = part("super.img_sparsechunk.3", image(4, &[(0xCAC1, 1, b"data")]));
        assert!(open(&later, std::slice::from_ref(&later)).is_err());
        assert!(split_name("system.img").is_none() && split_name("123").is_none() && split_name("mmcblk0").is_none());
    }

    #[test]
    fn counts_beyond_the_image_are_errors() {
        let mut fill = image(4, &[(0xCAC2, 1, b"abcd")]);
        fill[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(open(&part("a", fill), &[]).is_err());
        let mut huge = image(4, &[(0xCAC2, 1, b"abcd")]);
        huge[12..20].copy_from_slice(&[0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let error = open(&part("a", huge), &[]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("total_blks * blk_sz"), "{error}");
        let mut chunks = image(4, &[(0xCAC3, 1, b"")]);
        chunks[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = open(&part("a", chunks), &[]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("total_chunks"), "{error}");
    }
}
