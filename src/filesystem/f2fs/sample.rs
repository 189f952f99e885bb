//! A volume of 17.5 KiB with each way of storing content, built by hand for tests that damage it.

use super::checkpoint::crc;

/// Bytes of a block.
const BLOCK: usize = 512;
/// The first block of the node address table.
const NAT: u32 = 15;
/// The first block of the main area.
const MAIN: u32 = 16;

/// Where [`volume`] puts the inode, or node, with that number.
pub(super) fn node_at(number: u32) -> usize {
    (MAIN + number) as usize * BLOCK
}

/// Signs a block of a checkpoint again after a change.
pub(super) fn sign(volume: &mut [u8], block: usize) {
    let block = &mut volume[block * BLOCK..(block + 1) * BLOCK];
    let checksum = crc(&block[..BLOCK - 4], &[]);
    block[BLOCK - 4..].copy_from_slice(&checksum.to_le_bytes());
}

/// Blocks of 512 bytes: superblock 2 to 7, checkpoint packs 8 to 10 and 12 to 14, node address table 15, then nodes by number
/// and data from 29 on. Root 3; files: `blocks`, `compressed`, `folder/named`, `hole`, `inline`, `link`, `lzo`.
pub(crate) fn volume() -> Vec<u8> {
    let mut out = vec![0; 35 * BLOCK];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    let longs = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    put(1024, &0xF2F5_2010_u32.to_le_bytes());
    put(1024 + 16, &longs(&[9, 2]));
    put(1024 + 76, &longs(&[8, 0, NAT, 0, MAIN, 3]));
    put(1024 + 2180, &0x2008_u32.to_le_bytes());

    for (pack, version) in [(8, 1_u64), (12, 2)] {
        for block in [pack, pack + 2] {
            put(block * BLOCK, &version.to_le_bytes());
            // Compact summaries in the second of three blocks, after an unmount; bitmaps of a byte each.
            put(block * BLOCK + 132, &longs(&[5, 3, 1]));
            put(block * BLOCK + 156, &longs(&[1, 1, 508]));
        }
    }
    // The newer journal says where node 5 is, which the table has elsewhere.
    put(13 * BLOCK, &[1, 0]);
    put(13 * BLOCK + 2, &longs(&[5]));
    put(13 * BLOCK + 11, &longs(&[MAIN + 5]));
    for number in 3..12 {
        let place = if number == 5 { 1 } else { MAIN + number };
        put(NAT as usize * BLOCK + number as usize * 9 + 5, &longs(&[place]));
    }

    // Number, inode, mode, inline, size.
    let inodes: [(u32, u32, u16, u8, u64); 9] = [
        (3, 3, 0o40755, 0, 512),
        (4, 4, 0o100_644, 2, 7),
        (5, 5, 0o100_600, 1, 29 * 512 + 7),
        (6, 5, 0, 0, 0),
        (7, 7, 0o120_777, 2, 6),
        (8, 8, 0o100_644, 0x20, 2055),
        (9, 9, 0o40755, 4, 512),
        (10, 10, 0o100_644, 0, 1 << 29),
        (11, 11, 0o100_644, 0x20, 2048),
    ];
    for (number, inode, mode, inline, size) in inodes {
        let at = node_at(number);
        put(at + 488, &longs(&[number, inode]));
        if mode != 0 {
            put(at, &mode.to_le_bytes());
            put(at + 3, &[inline]);
            put(at + 16, &size.to_le_bytes());
        }
    }
    put(node_at(4) + 364, b"content");
    put(node_at(7) + 364, b"target");
    // 14 addresses are left by attributes; the rest is in a direct node.
    put(node_at(5) + 360, &longs(&[29, 30]));
    put(node_at(5) + 468, &longs(&[6]));
    put(node_at(6), &longs(&[31, 0, 29]));
    put(node_at(6) + 15 * 4, &longs(&[30]));
    // Clusters of four blocks: LZ4, then one that is not compressed.
    put(node_at(8) + 80, &longs(&[4]));
    put(node_at(8) + 360, &[36, 0]);
    put(node_at(8) + 392, &[1, 2]);
    put(node_at(8) + 396, &longs(&[0xFFFF_FFFE, 32, 0xFFFF_FFFF, 0, 30]));
    put(node_at(11) + 80, &longs(&[4]));
    put(node_at(11) + 360, &[36, 0]);
    put(node_at(11) + 392, &[0, 2]);
    put(node_at(11) + 396, &longs(&[0xFFFF_FFFE, 33, 0, 0]));
    put(node_at(3) + 360, &longs(&[34]));

    for block in 29..32 {
        put(block * BLOCK, &[b'0' + u8::try_from(block - 29).unwrap(); BLOCK]);
    }
    // 2035 times the same byte, and 13 literals, with which LZ4 ends.
    let lz4: &[u8] = &[0x1f, b'a', 1, 0, 255, 255, 255, 255, 255, 255, 255, 230, 0xd0];
    put(32 * BLOCK, &longs(&[u32::try_from(lz4.len()).unwrap() + 13]));
    put(32 * BLOCK + 24, lz4);
    put(32 * BLOCK + 24 + lz4.len(), b"last literals");
    // Four literals, a match of 33 + 7 * 255 + 226 at distance 4, the end.
    let lzo = [&[21], b"abcd".as_slice(), &[32, 0, 0, 0, 0, 0, 0, 0, 226, 12, 0, 17, 0, 0]].concat();
    put(33 * BLOCK, &longs(&[u32::try_from(lzo.len()).unwrap()]));
    put(33 * BLOCK + 24, &lzo);

    let mut directory = |at: usize, len: usize, names: &[(u32, &[u8])]| {
        let slots = len * 8 / 153;
        let names_at = at + len - slots * 8;
        let (mut used, mut index) = (0_u32, 0);
        for (node, name) in names {
            let slot = names_at - slots * 11 + index * 11;
            put(slot + 4, &node.to_le_bytes());
            put(slot + 8, &u16::try_from(name.len()).unwrap().to_le_bytes());
            put(names_at + index * 8, name);
            for _ in 0..name.len().div_ceil(8) {
                used |= 1 << index;
                index += 1;
            }
        }
        put(at, &used.to_le_bytes()[..slots.div_ceil(8)]);
    };
    let names: [(u32, &[u8]); 9] = [
        (3, b"."),
        (3, b".."),
        (5, b"blocks"),
        (8, b"compressed"),
        (9, b"folder"),
        (10, b"hole"),
        (4, b"inline"),
        (7, b"link"),
        (11, b"lzo"),
    ];
    directory(34 * BLOCK, BLOCK, &names);
    directory(node_at(9) + 364, 52, &[(4, b"named")]);
    for block in [8, 10, 12, 14] {
        sign(&mut out, block);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bytes::{Budget, Limits, ParseError, read_vec_at};
    use crate::filesystem::{Filesystem, FilesystemFormat, find, walk};

    fn mount(volume: Vec<u8>) -> Result<Box<dyn Filesystem>, ParseError> {
        super::super::F2fsFormat.mount(Arc::new(volume), &Arc::default())
    }

    fn content(filesystem: &dyn Filesystem, path: &str) -> Result<Vec<u8>, ParseError> {
        let node = find(filesystem, filesystem.root(), path)?.unwrap();
        let bytes = filesystem.open(node)?;
        read_vec_at(bytes.as_ref(), 0, bytes.len(), "file", 1 << 20)
    }

    /// The error of reading a file after a change of the bytes at `at`, with checkpoints signed again.
    fn damaged(path: &str, at: usize, bytes: &[u8]) -> String {
        let mut volume = volume();
        volume[at..at + bytes.len()].copy_from_slice(bytes);
        for block in [8, 10, 12, 14] {
            sign(&mut volume, block);
        }
        mount(volume).and_then(|filesystem| content(filesystem.as_ref(), path)).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn files_have_their_content_however_it_is_stored() {
        let filesystem = mount(volume()).unwrap();
        let content = |path: &str| content(filesystem.as_ref(), path).unwrap();
        assert_eq!(content("inline"), b"content");
        assert_eq!(content("folder/named"), b"content");
        assert_eq!(content("link"), b"target");
        let (zero, one, two) = ([b'0'; 512], [b'1'; 512], [b'2'; 512]);
        let blocks = [&zero[..], &one, &[0; 12 * 512], &two, &[0; 512], &zero, &[0; 12 * 512], &one[..7]].concat();
        assert!(content("blocks") == blocks);
        let clusters = [&[b'a'; 2035][..], b"last literals", b"1111111"].concat();
        assert!(content("compressed") == clusters);
        assert!(content("lzo") == b"abcd".repeat(512));
    }
    #[test]
    fn any_part_of_a_file_reads_as_it_does_in_the_whole() {
        let filesystem = mount(volume()).unwrap();
        for name in ["blocks", "compressed", "lzo"] {
            let whole = content(filesystem.as_ref(), name).unwrap();
            let node = find(filesystem.as_ref(), filesystem.root(), name).unwrap().unwrap();
            let bytes = filesystem.open(node).unwrap();
            for start in (0..whole.len()).rev().step_by(37) {
                let mut buf = vec![0; (whole.len() - start).min(1201)];
                bytes.read_exact_at(start as u64, &mut buf).unwrap();
                assert!(buf == whole[start..start + buf.len()], "{name} at {start}");
            }
        }
    }

    #[test]
    fn the_newest_valid_checkpoint_holds_and_the_other_one_when_it_is_damaged() {
        // Only the journal of the second pack knows where `blocks` is.
        assert!(mount(volume()).and_then(|filesystem| content(filesystem.as_ref(), "blocks")).is_ok());
        for block in [12, 14] {
            let mut volume = volume();
            volume[block * BLOCK + 20] ^= 1;
            let filesystem = mount(volume).unwrap();
            let error = content(filesystem.as_ref(), "blocks").unwrap_err().to_string();
            assert!(error.contains("address is 1, expected one in the main area"), "{error}");
            assert!(content(filesystem.as_ref(), "inline").is_ok());
        }
        let mut volume = volume();
        volume[8 * BLOCK + 20] ^= 1;
        volume[14 * BLOCK + 20] ^= 1;
        let error = mount(volume).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("expected the checksum that it has"), "{error}");
    }

    #[test]
    fn a_log_that_waits_to_be_recovered_is_named() {
        let mut volume = volume();
        for block in [12, 14] {
            // Neither unmounted nor anything but a compact summary; the next node would be the third of the main area.
            volume[block * BLOCK + 132] = 4;
            volume[block * BLOCK + 70] = 2;
            sign(&mut volume, block);
        }
        assert!(mount(volume.clone()).is_ok());
        let next = (MAIN as usize + 2) * BLOCK + 500;
        volume[next..next + 8].copy_from_slice(&2_u64.to_le_bytes());
        let error = mount(volume).map(|_| ()).unwrap_err().to_string();
        assert!(error.ends_with("a log that waits to be recovered is not supported"), "{error}");
    }

    #[test]
    fn a_signed_checkpoint_changed_at_any_byte_does_no_harm() {
        for at in (12 * BLOCK..14 * BLOCK).chain(14 * BLOCK..14 * BLOCK + 8) {
            for value in [0, 1, 0x80, 0xff] {
                let mut volume = volume();
                volume[at] = value;
                sign(&mut volume, 12);
                sign(&mut volume, 14);
                if let Ok(filesystem) = mount(volume) {
                    let (files, _) = walk(filesystem.as_ref(), filesystem.root(), &Limits::default());
                    for file in files {
                        let _ = filesystem.open(file.node).and_then(|file| file.read_exact_at(0, &mut [0; 16]));
                    }
                }
            }
        }
    }

    #[test]
    fn a_node_that_leads_back_into_itself_ends() {
        // The double indirect node of a large hole becomes a node of that file which names itself.
        let mut volume = volume();
        let (hole, node) = (node_at(10), node_at(6));
        volume[hole + 484..hole + 488].copy_from_slice(&6_u32.to_le_bytes());
        for number in volume[node..node + 488].chunks_exact_mut(4) {
            number.copy_from_slice(&6_u32.to_le_bytes());
        }
        volume[node + 492] = 10;
        let filesystem = mount(volume).unwrap();
        let bytes = filesystem.open(crate::filesystem::NodeId(10)).unwrap();
        let error = bytes.read_exact_at(bytes.len() - 1, &mut [0; 1]).unwrap_err().to_string();
        assert!(error.starts_with("inode 10: byte 3072: address is 6, expected one in the main area"), "{error}");
        let error = damaged("blocks", node_at(6) + 488, &[7]);
        assert!(error.contains("node 6: byte 11752: nid is 7"), "{error}");
    }

    #[test]
    fn a_bomb_stops_at_the_budget_and_damaged_data_name_their_place() {
        let budget = Budget::new(Limits { decompressed: 2047, ..Limits::default() });
        let filesystem = super::super::F2fsFormat.mount(Arc::new(volume()), &budget).unwrap();
        let error = content(filesystem.as_ref(), "lzo").unwrap_err().to_string();
        assert!(error.contains("decompressed bytes is 2048, the limit is 2047"), "{error}");
        let error = damaged("lzo", 33 * BLOCK + 24 + 5, &[0xff]);
        assert!(error.ends_with("compressed cluster is damaged, expected LZO data"), "{error}");
        let error = damaged("lzo", 33 * BLOCK, &[0xff; 4]);
        assert!(error.contains("clen is 4294967295"), "{error}");
        let error = damaged("lzo", node_at(11) + 392, &[9]);
        assert!(error.ends_with("compression with algorithm 9 is not supported"), "{error}");
    }

    #[test]
    fn what_is_encrypted_is_named() {
        for (path, number) in [("inline", 4), ("folder/named", 9)] {
            let error = damaged(path, node_at(number) + 2, &[4]);
            assert!(error.ends_with("an encrypted inode is not supported"), "{error}");
        }
    }

    #[test]
    fn values_of_a_hostile_superblock_are_named() {
        let error = damaged("inline", 1024 + 16, &[31]);
        assert_eq!(error, "superblock: byte 1040: log_blocksize is 31, expected 9 to 16");
        let error = damaged("inline", 1024 + 84, &[0xff; 4]);
        assert!(error.contains("node address table: "), "{error}");
        let error = damaged("inline", 1024 + 76, &[0xff; 4]);
        assert!(error.starts_with("checkpoint: "), "{error}");
        let error = damaged("inline", 1024 + 2201 + 68, b"/dev");
        assert!(error.ends_with("a volume on several devices is not supported"), "{error}");
    }

    #[test]
    fn a_directory_that_contains_itself_is_reported_once_and_the_walk_ends() {
        let mut volume = volume();
        // The inline folder's entry names the root.
        volume[node_at(9) + 364 + 14 + 4] = 3;
        let filesystem = mount(volume).unwrap();
        let (files, unreadable) = walk(filesystem.as_ref(), filesystem.root(), &Limits::default());
        assert_eq!((files.len(), unreadable.len()), (5, 1));
        assert_eq!(unreadable[0].path, "folder/named");
    }
}
