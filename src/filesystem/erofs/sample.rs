//! A volume of 5.5 KiB with each way of storing content, built by hand for tests that damage it.

use std::io::Write;

/// Bytes of a block.
const BLOCK: usize = 512;
/// The block that inode 0 stands in.
const INODES: usize = 3;

/// Where [`volume`] puts the inode with that number.
pub(super) fn inode_at(number: usize) -> usize {
    INODES * BLOCK + number * 32
}

/// Blocks of 512 bytes: superblock 2, inodes 3 and 4, stored 5 to 7, LZ4 8 and 9, DEFLATE 10.
/// Files: `chunks`, `compact`, `extents`, `full`, `hole`, `indexes`, `inline`, `link`, `plain`, `tail`, `whole`.
pub(crate) fn volume() -> Vec<u8> {
    let mut out = vec![0; 11 * BLOCK];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(1024, &0xE0F5_E1E2_u32.to_le_bytes());
    put(1024 + 12, &[9, 0, 0, 0]);
    put(1024 + 36, &11_u32.to_le_bytes());
    put(1024 + 40, &3_u32.to_le_bytes());
    put(1024 + 80, &0x25_u32.to_le_bytes());
    put(1024 + 96, &30_u64.to_le_bytes());

    // Number, layout, mode, size, `i_u`.
    let inodes: [(usize, u16, u16, u32, u32); 13] = [
        (0, 2, 0o40755, 218, 0),
        (8, 0, 0o100_644, 600, 5),
        (9, 2, 0o100_600, 519, 5),
        (11, 0, 0o100_644, 1000, u32::MAX),
        (12, 4, 0o100_644, 1030, 0),
        (14, 4, 0o100_644, 1030, 0x20),
        (16, 2, 0o120_777, 6, 0),
        (18, 1, 0o100_644, 1500, 0),
        (21, 3, 0o100_644, 2000, 0),
        (23, 3, 0o100_644, 1000, 0),
        (25, 1, 0o100_644, 900, 0),
        (28, 3, 0o100_644, 7, 0),
        (30, 2, 0o100_644, 10, 0),
    ];
    for (number, layout, mode, size, start) in inodes {
        put(inode_at(number), &(layout << 1).to_le_bytes());
        put(inode_at(number) + 4, &mode.to_le_bytes());
        put(inode_at(number) + 8, &size.to_le_bytes());
        put(inode_at(number) + 16, &start.to_le_bytes());
    }
    put(inode_at(10), b"content");
    for (index, block) in [6, u32::MAX, 7].into_iter().enumerate() {
        put(inode_at(13) + index * 4, &block.to_le_bytes());
        put(inode_at(15) + index * 8 + 4, &block.to_le_bytes());
    }
    put(inode_at(17), b"target");

    let shorts = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let longs = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    // A thousand times the same byte: one literal, and a match of the rest.
    let lz4 = |byte| [0x1f, byte, 1, 0, 0xff, 0xff, 0xff, 0xd7];
    // LZ4 to byte 1000, then stored.
    put(inode_at(19) + 16, &shorts(&[1, 0, 8, 0, 0, 488, 5, 0, 2, 0, 1, 1]));
    // Two clusters of LZ4; heads 0x1000, others 0x2000.
    put(inode_at(22) + 8, &shorts(&[0x1000, 0x1000 | 488, 7, 0, 0x2001, 0x2001, 9, 0]));
    // LZ4 behind the index.
    put(inode_at(24), &shorts(&[0, 8, 8, 0, 0x1000, 0x2001, 0, 0]));
    put(inode_at(24) + 16, &lz4(b'c'));
    // DEFLATE to byte 700, then a hole.
    put(inode_at(26), &shorts(&[2, 0, 5, 0]));
    put(inode_at(26) + 16, &longs(&[512 | 3 << 28, 10 * 512, 0, 0, 0, 0, 0, 700]));
    put(inode_at(29), &(1_u64 << 63 | 3).to_le_bytes());
    put(inode_at(31), b"___content");

    let names: [(u64, &[u8]); 13] = [
        (0, b"."),
        (0, b".."),
        (12, b"chunks"),
        (21, b"compact"),
        (25, b"extents"),
        (18, b"full"),
        (11, b"hole"),
        (14, b"indexes"),
        (9, b"inline"),
        (16, b"link"),
        (8, b"plain"),
        (23, b"tail"),
        (28, b"whole"),
    ];
    let mut name_at = names.len() * 12;
    for (index, (node, name)) in names.iter().enumerate() {
        let entry = inode_at(1) + index * 12;
        put(entry, &node.to_le_bytes());
        put(entry + 8, &u16::try_from(name_at).unwrap().to_le_bytes());
        put(inode_at(1) + name_at, name);
        name_at += name.len();
    }
    for block in 5..8 {
        put(block * BLOCK, &[b'0' + u8::try_from(block).unwrap(); BLOCK]);
    }
    put(9 * BLOCK - 8, &lz4(b'a'));
    put(10 * BLOCK - 8, &lz4(b'b'));
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(&[b'd'; 700]).unwrap();
    let deflate = deflate.finish().unwrap();
    put(11 * BLOCK - deflate.len(), &deflate);
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bytes::{Budget, Limits, ParseError, ReadAt, read_vec_at};
    use crate::filesystem::{Filesystem, FilesystemFormat, find, walk};

    fn mount(volume: Vec<u8>) -> Box<dyn Filesystem> {
        super::super::ErofsFormat.mount(Arc::new(volume), &Arc::default()).unwrap()
    }

    fn content(filesystem: &dyn Filesystem, path: &str) -> Result<Vec<u8>, ParseError> {
        let node = find(filesystem, filesystem.root(), path)?.unwrap();
        let bytes = filesystem.open(node)?;
        // From the end the beginning of a cluster must be looked for.
        bytes.read_exact_at(bytes.len() - 1, &mut [0; 1])?;
        read_vec_at(bytes.as_ref(), 0, bytes.len(), "file", 1 << 20)
    }

    /// The error of reading a file after a change of the bytes at `at`.
    fn damaged(path: &str, at: usize, bytes: &[u8]) -> String {
        let mut volume = volume();
        volume[at..at + bytes.len()].copy_from_slice(bytes);
        let mounted = super::super::ErofsFormat.mount(Arc::new(volume), &Arc::default());
        mounted.and_then(|filesystem| content(filesystem.as_ref(), path)).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn files_have_their_content_however_it_is_stored() {
        let filesystem = mount(volume());
        let content = |path: &str| content(filesystem.as_ref(), path).unwrap();
        assert!(content("plain") == [[b'5'; 512].as_slice(), &[b'6'; 88]].concat(), "plain");
        assert!(content("inline") == [[b'5'; 512].as_slice(), b"content"].concat(), "inline");
        assert_eq!(content("hole"), [0; 1000]);
        for name in ["chunks", "indexes"] {
            assert!(content(name) == [[b'6'; 512].as_slice(), &[0; 512], b"777777"].concat(), "{name}");
        }
        assert_eq!(content("link"), b"target");
        assert!(content("full") == [[b'a'; 1000].as_slice(), &[b'5'; 500]].concat(), "full");
        assert!(content("compact") == [[b'a'; 1000], [b'b'; 1000]].concat(), "compact");
        assert!(content("tail") == [b'c'; 1000], "tail");
        assert!(content("extents") == [[b'd'; 700].as_slice(), &[0; 200]].concat(), "extents");
        assert_eq!(content("whole"), b"content");
    }

    #[test]
    fn any_part_of_a_compressed_file_reads_as_it_does_in_the_whole() {
        let filesystem = mount(volume());
        for name in ["full", "compact", "tail", "extents", "chunks"] {
            let whole = content(filesystem.as_ref(), name).unwrap();
            let node = find(filesystem.as_ref(), filesystem.root(), name).unwrap().unwrap();
            let bytes = filesystem.open(node).unwrap();
            for start in (0..whole.len()).rev().step_by(37) {
                let mut buf = vec![0; (whole.len() - start).min(601)];
                bytes.read_exact_at(start as u64, &mut buf).unwrap();
                assert!(buf == whole[start..start + buf.len()], "{name} at {start}");
            }
        }
    }

    #[test]
    fn only_the_cluster_that_holds_the_answer_is_decoded_and_only_once() {
        let budget = Budget::new(Limits::default());
        let filesystem = super::super::ErofsFormat.mount(Arc::new(volume()), &budget).unwrap();
        let bytes = filesystem.open(find(filesystem.as_ref(), filesystem.root(), "compact").unwrap().unwrap()).unwrap();
        assert_eq!(budget.decompressed(), 0);
        for at in [1999, 1000, 1500] {
            bytes.read_exact_at(at, &mut [0; 1]).unwrap();
            assert_eq!(budget.decompressed(), 1000);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let budget = Budget::new(Limits { decompressed: 999, ..Limits::default() });
        let filesystem = super::super::ErofsFormat.mount(Arc::new(volume()), &budget).unwrap();
        let error = content(filesystem.as_ref(), "tail").unwrap_err().to_string();
        assert!(error.contains("decompressed bytes is 1000, the limit is 999"), "{error}");
    }

    #[test]
    fn an_index_that_leads_nowhere_is_named() {
        // The distance to the head becomes 0, then more than there are entries.
        let error = damaged("full", inode_at(19) + 36, &[0]);
        assert!(error.contains("index entry 2: byte 2144: distance of an entry is 0, expected 1 to"), "{error}");
        let error = damaged("full", inode_at(19) + 36, &[3]);
        assert!(error.contains("distance of an entry is 3"), "{error}");
        let error = damaged("full", inode_at(19) + 26, &[0, 2]);
        assert!(error.contains("di_clusterofs is 512, expected less than a logical cluster"), "{error}");
        // Records of extents that do not ascend.
        let error = damaged("extents", inode_at(26) + 28, &[1, 3]);
        assert!(error.contains("lstart is 769, expected ascending from 0"), "{error}");
    }

    #[test]
    fn a_file_longer_than_its_index_can_say_is_truncated_and_costs_nothing() {
        let error = damaged("full", inode_at(18) + 8, &[0xff; 4]);
        assert!(error.starts_with("inode 18: index: byte "), "{error}");
        let error = damaged("chunks", inode_at(12) + 8, &[0xff; 4]);
        assert!(error.starts_with("inode 12: chunk table: byte "), "{error}");
        let error = damaged("extents", inode_at(26), &[0xff; 4]);
        assert!(error.starts_with("inode 25: extents: byte "), "{error}");
    }

    #[test]
    fn damaged_data_of_a_cluster_name_its_inode_and_place() {
        // The distance of the match becomes 0.
        let error = damaged("full", 9 * BLOCK - 6, &[0]);
        assert_eq!(error, "inode 18: byte 4096: compressed cluster is damaged, expected LZ4 data");
    }

    #[test]
    fn what_holds_fragments_can_not_be_a_fragment() {
        // The packed inode becomes the file that lies in it.
        let error = damaged("whole", 1024 + 96, &[28]);
        assert!(error.starts_with("inode 28: packed inode: inode 28: "), "{error}");
        assert!(error.contains("nothing holds fragments"), "{error}");
    }

    #[test]
    fn a_directory_that_contains_itself_is_reported_once_and_the_walk_ends() {
        let mut volume = volume();
        // The entry `chunks` names the root.
        volume[inode_at(1) + 24] = 0;
        let filesystem = mount(volume);
        let (files, unreadable) = walk(filesystem.as_ref(), filesystem.root(), &Limits::default());
        assert_eq!((files.len(), unreadable.len()), (9, 1));
        assert_eq!(unreadable[0].path, "chunks");
    }

    #[test]
    fn values_of_a_hostile_superblock_are_named() {
        let error = damaged("plain", 1024 + 12, &[31]);
        assert_eq!(error, "superblock: byte 1036: blkszbits is 31, expected 9 to 16");
        let error = damaged("plain", 1024 + 36, &[0xff; 4]);
        assert!(error.starts_with("superblock: blocks: byte 1060: "), "{error}");
        let error = damaged("plain", 1024 + 82, &[1]);
        assert_eq!(error, "superblock: byte 1104: the feature bit 0x10000 is not supported");
    }
}
