//! Block-based updates: `X.transfer.list` with the blocks in `X.new.dat` (AOSP `updater/blockimg.cpp`, versions 1 to 4).
//!
//! The list is text: the version, the number of blocks written, since version 2 two lines about stashes, then commands:
//! `new R` writes the next blocks of `X.new.dat` at `R`, `zero R` writes zeros, `erase R` leaves what it likes. `R` is `n,a,b,c,d...`: `n` numbers,
//! half-open ranges of blocks of 4096 bytes. `X.new.dat` may be cut into `X.new.dat.1` ... or compressed (`.br`, `.xz`); a compressed one is
//! decoded once, in full. An update of what the device has (`move`, `bsdiff`, `imgdiff`, `stash`) can't be read, and names those commands.
//! The part is named `X.img`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ContainerFormat, Part, PartSet, Probe};
use crate::bytes::{Budget, Codec, ExtentMap, Failed, ParseError, SharedBytes, read_vec_at};

const BLOCK: u64 = 4096;
const LIST: &str = ".transfer.list";
const DATA: &str = ".new.dat";
const PATCHES: &str = ".patch.dat";
/// The list of a partition of 4 GiB has some hundred KiB.
const LIST_BYTES: u64 = 64 << 20;
const RANGES: usize = 1 << 20;
/// As for sparse images.
const IMAGE_BYTES: u64 = 1 << 44;
const COMMANDS: [&str; 10] =
    ["new", "zero", "erase", "move", "bsdiff", "imgdiff", "stash", "free", "compute_hash_tree", "abort"];

/// The format.
pub(super) struct BlockUpdate;

impl ContainerFormat for BlockUpdate {
    fn name(&self) -> &'static str {
        "block update"
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        // Every part of every input is asked: a beginning that is no version is not read as text.
        let is_list = matches!(probe.head, [b'1'..=b'4', b'\n' | b'\r', ..]);
        is_data(probe.name) || (is_list && header(&String::from_utf8_lossy(probe.head)).is_some())
    }

    fn open(&self, input: &PartSet<'_>, budget: &Arc<Budget>) -> Result<Vec<Part>, ParseError> {
        let name = &input.part.name;
        let sibling = |name: &str| input.siblings.iter().find(|part| part.name == name);
        if let Some((stem, _)) = split_data(name) {
            // The list gives the partition.
            let list = sibling(&format!("{stem}{LIST}"));
            let alone = || ParseError::unsupported(0, "the data of a block-based update without its transfer list");
            return list.map(|_| Vec::new()).ok_or_else(alone);
        }
        let bytes = &input.part.bytes;
        let text = read_vec_at(bytes.as_ref(), 0, bytes.len(), "transfer list", LIST_BYTES)?;
        let list = TransferList::parse(&String::from_utf8_lossy(&text))?;
        let stem = name.strip_suffix(LIST).unwrap_or(name);
        let patched = sibling(&format!("{stem}{PATCHES}")).is_some_and(|part| !part.bytes.is_empty());
        let bytes: SharedBytes = if !list.incremental.is_empty() || patched {
            let commands: Vec<&str> = list.incremental.iter().map(String::as_str).collect();
            let how = if commands.is_empty() { PATCHES.to_owned() } else { commands.join(", ") };
            let feature = format!("an incremental update ({how}), made from the build before it,");
            Arc::new(Failed::new(list.len, ParseError::unsupported(0, feature)))
        } else if list.written.is_empty() {
            ExtentMap::new(list.len).shared()
        } else {
            match data(stem, input.siblings, budget)? {
                Some(data) => list.assemble(&data)?,
                None => {
                    let missing = format!("the update without its data, {stem}{DATA},");
                    Arc::new(Failed::new(list.len, ParseError::unsupported(0, missing)))
                }
            }
        };
        Ok(vec![Part { name: format!("{stem}.img"), bytes }])
    }

    #[cfg(test)]
    fn sample(&self) -> Vec<u8> {
        b"4\n3\n0\n0\nerase 2,0,9\nzero 4,0,2,4,5\n".to_vec()
    }
}

/// Whether a name is that of a block-based update's data, whose bytes mean nothing without the list.
#[must_use]
pub fn is_data(name: &str) -> bool {
    split_data(name).is_some()
}

/// `system` and the rest of `system.new.dat.br`.
fn split_data(name: &str) -> Option<(&str, &str)> {
    let (stem, rest) = [DATA, PATCHES].iter().find_map(|end| name.rsplit_once(end))?;
    let piece = rest.strip_prefix('.').is_some_and(|number| number.parse::<u32>().is_ok());
    (piece || ["", ".br", ".xz"].contains(&rest)).then_some((stem, rest))
}

/// What the new blocks are read from.
fn data(stem: &str, siblings: &[Part], budget: &Arc<Budget>) -> Result<Option<SharedBytes>, ParseError> {
    let whole = format!("{stem}{DATA}");
    let named = |name: &str| siblings.iter().find(|part| part.name == name).map(|part| part.bytes.clone());
    if let Some(bytes) = named(&whole) {
        return Ok(Some(bytes));
    }
    for (end, codec) in [(".br", Codec::Brotli), (".xz", Codec::Xz)] {
        if let Some(bytes) = named(&format!("{whole}{end}")) {
            let name = format!("{whole}{end}");
            return codec.spool(bytes, &name, budget).map(Some).map_err(|error| error.within(name));
        }
    }
    let number = |part: &Part| part.name.strip_prefix(&whole)?.strip_prefix('.')?.parse::<u32>().ok();
    let mut pieces: Vec<_> = siblings.iter().filter_map(|part| Some((number(part)?, &part.bytes))).collect();
    pieces.sort_by_key(|(number, _)| *number);
    let Some((first, _)) = pieces.first() else {
        return Ok(None);
    };
    let mut expected = (*first).min(1);
    let len = pieces.iter().try_fold(0_u64, |sum, (_, bytes)| sum.checked_add(bytes.len()));
    let mut map = ExtentMap::new(len.ok_or_else(|| ParseError::limit(0, "length", u64::MAX, IMAGE_BYTES))?);
    let mut at = 0;
    for (number, bytes) in pieces {
        if number != expected {
            return Err(ParseError::unsupported(0, format!("the update without its piece {whole}.{expected}")));
        }
        map.store(at, bytes.clone(), 0, bytes.len())?;
        at += bytes.len();
        expected = number.saturating_add(1);
    }
    Ok(Some(map.shared()))
}

/// Number of lines before the commands, if the text is a transfer list.
fn header(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().take(5).collect();
    let count = match *lines.first()? {
        "1" => 2,
        "2" | "3" | "4" => 4,
        _ => return None,
    };
    let digits = |line: &&str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let command = lines.get(count)?.split(' ').next()?;
    (lines.get(..count)?.iter().all(digits) && COMMANDS.contains(&command)).then_some(count)
}

/// Blocks of a partition, the first and the one after the last.
type Range = (u64, u64);

struct TransferList {
    /// What `X.new.dat` holds, in its order.
    written: Vec<Range>,
    len: u64,
    /// Commands that need what the device has.
    incremental: BTreeSet<String>,
}

impl TransferList {
    fn parse(text: &str) -> Result<Self, ParseError> {
        let skipped = header(text).ok_or_else(|| ParseError::invalid(0, "version", "another", "1 to 4"))?;
        let mut list = Self { written: Vec::new(), len: 0, incremental: BTreeSet::new() };
        for (number, line) in (1..).zip(text.lines()).skip(skipped) {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            match command {
                "new" | "zero" | "erase" => {
                    for range in ranges(rest).map_err(|error| error.within(format!("line {number}")))? {
                        list.len = list.len.max(range.1.saturating_mul(BLOCK));
                        if command == "new" {
                            list.written.push(range);
                        }
                    }
                }
                "" | "compute_hash_tree" => {}
                "move" | "bsdiff" | "imgdiff" | "stash" | "free" => {
                    list.incremental.insert(command.to_owned());
                }
                other => return Err(ParseError::unsupported(0, format!("the command {other:?} of a transfer list"))),
            }
            if list.written.len() > RANGES {
                return Err(ParseError::limit(0, "ranges", list.written.len() as u64, RANGES as u64));
            }
        }
        if list.len > IMAGE_BYTES {
            return Err(ParseError::limit(0, "length", list.len, IMAGE_BYTES));
        }
        Ok(list)
    }

    fn assemble(&self, data: &SharedBytes) -> Result<SharedBytes, ParseError> {
        let mut at = 0_u64;
        let mut pieces = Vec::new();
        for (first, end) in &self.written {
            let len = (end - first) * BLOCK;
            pieces.push((first * BLOCK, at, len));
            at = at.saturating_add(len);
        }
        // In order, so that each is put at the end.
        pieces.sort_unstable();
        let mut map = ExtentMap::new(self.len);
        for (start, offset, len) in pieces {
            map.store(start, data.clone(), offset, len)?;
        }
        Ok(map.shared())
    }
}

fn ranges(text: &str) -> Result<Vec<Range>, ParseError> {
    let invalid = || ParseError::invalid(0, "ranges", format!("{:.40}", text), "a count and as many numbers");
    let mut numbers = text.trim().split(',').map(str::parse::<u64>);
    let count = numbers.next().and_then(Result::ok).ok_or_else(invalid)?;
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().map_err(|_| invalid())?;
    if numbers.len() as u64 != count || count % 2 != 0 {
        return Err(invalid());
    }
    let pair = |pair: &[u64]| match *pair {
        [first, end] if first < end && end <= IMAGE_BYTES / BLOCK => Ok((first, end)),
        _ => Err(invalid()),
    };
    numbers.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Limits;

    fn open(files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, ParseError> {
        let part = |(name, bytes): &(&str, Vec<u8>)| Part { name: (*name).to_owned(), bytes: Arc::new(bytes.clone()) };
        let siblings: Vec<_> = files.iter().map(part).collect();
        let set = PartSet { part: &siblings[0], siblings: &siblings };
        let parts = BlockUpdate.open(&set, &Budget::new(Limits::default()))?;
        assert_eq!(parts[0].name, "my_stock.001.img");
        read_vec_at(parts[0].bytes.as_ref(), 0, parts[0].bytes.len(), "all", 1 << 20)
    }

    fn list(commands: &str) -> (&'static str, Vec<u8>) {
        ("my_stock.001.transfer.list", format!("4\n3\n0\n0\n{commands}").into_bytes())
    }

    fn blocks(letters: &[u8]) -> Vec<u8> {
        letters.iter().flat_map(|letter| [*letter; 4096]).collect()
    }

    #[test]
    fn new_blocks_go_where_the_list_says_from_one_file_or_its_pieces() {
        let commands = "erase 2,0,6\nnew 4,4,5,0,2\nnew 2,3,4\nzero 2,2,3\n";
        let expected = blocks(b"bc\0da\0");
        assert_eq!(open(&[list(commands), ("my_stock.001.new.dat", blocks(b"abcd"))]).unwrap(), expected);
        let pieces = [("my_stock.001.new.dat.2", blocks(b"d")), ("my_stock.001.new.dat.1", blocks(b"abc"))];
        let [second, first] = pieces;
        assert_eq!(open(&[list(commands), second.clone(), first]).unwrap(), expected);
        assert!(open(&[list(commands), second]).unwrap_err().to_string().contains("my_stock.001.new.dat.1"));
        assert!(open(&[list(commands), ("my_stock.001.new.dat", blocks(b"abc"))]).is_err(), "too short");
        assert!(open(&[list(commands)]).unwrap_err().to_string().contains("without its data"));
    }

    /// A brotli stream of uncompressed meta-blocks (RFC 7932, 9.2): window bits 16, then each: not the last, 4 nibbles of
    /// length, uncompressed.
    fn brotli(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut first = true;
        for chunk in data.chunks(4096) {
            let length = u32::try_from(chunk.len() - 1).unwrap();
            // ISLAST 0, MNIBBLES 00, MLEN - 1, ISUNCOMPRESSED 1; the first one after a zero bit of WBITS.
            let bits = (length << 3 | 1 << 19) << u32::from(first);
            out.extend(&bits.to_le_bytes()[..3]);
            out.extend_from_slice(chunk);
            first = false;
        }
        out.push(3);
        out
    }

    #[test]
    fn new_blocks_come_from_a_brotli_stream_too() {
        let packed = ("my_stock.001.new.dat.br", brotli(&blocks(b"abc")));
        assert_eq!(open(&[list("erase 2,0,5\nnew 4,1,3,4,5\n"), packed]).unwrap(), blocks(b"\0ab\0c"));
        let cut = ("my_stock.001.new.dat.br", brotli(&blocks(b"abc"))[..9000].to_vec());
        assert!(open(&[list("new 2,0,3\n"), cut]).unwrap_err().to_string().contains("my_stock.001.new.dat.br: brotli"));
    }

    #[test]
    fn an_incremental_update_is_named() {
        for version in 1..=4 {
            let head = if version == 1 { "1\n3\n".to_owned() } else { format!("{version}\n3\n0\n0\n") };
            let text = format!("{head}stash x 2,0,1\nbsdiff 0 9 a b 2,0,1 1 2,0,1\nnew 2,0,1\nmove a 2,0,1 1 2,0,1\n");
            let message = open(&[("my_stock.001.transfer.list", text.into_bytes())]).unwrap_err().to_string();
            assert!(message.contains("an incremental update (bsdiff, move, stash), made from"), "{message}");
        }
        let patches = ("my_stock.001.patch.dat", vec![1]);
        assert!(open(&[list("new 2,0,1\n"), patches]).unwrap_err().to_string().contains("an incremental update"));
    }

    #[test]
    fn ranges_that_can_not_be_are_errors() {
        for bad in ["2,1", "1,1", "2,3,2", "2,0,99999999999999", "9999999999999999999999,1", "", "2,0,-1"] {
            assert!(open(&[list(&format!("new {bad}\n"))]).is_err(), "{bad}");
        }
        let data = ("my_stock.001.new.dat", blocks(b"abcd"));
        let message = open(&[list("new 4,0,2,1,3\n"), data]).unwrap_err().to_string();
        assert!(message.contains("overlapping"), "{message}");
    }

    #[test]
    fn data_gives_no_part_beside_its_list_and_an_error_without() {
        let [part, list] = ["a/x.new.dat.br", "a/x.transfer.list"]
            .map(|name| Part { name: name.to_owned(), bytes: Arc::new(Vec::new()) });
        let budget = Budget::new(Limits::default());
        let siblings = [part.clone(), list];
        assert!(BlockUpdate.open(&PartSet { part: &part, siblings: &siblings }, &budget).unwrap().is_empty());
        assert!(BlockUpdate.open(&PartSet { part: &part, siblings: &siblings[..1] }, &budget).is_err());
        assert!(is_data("x.new.dat.12") && is_data("x.patch.dat") && !is_data("x.new.data") && !is_data("x.dat"));
    }
}
