//! A volume of 4 KiB with each way of storing content, built by hand for tests that damage it.

/// Bytes of a block.
const BLOCK: usize = 512;
/// The block that inode 0 stands in.
const INODES: usize = 3;

/// Where [`volume`] puts the inode with that number.
pub(crate) fn inode_at(number: usize) -> usize {
    INODES * BLOCK + number * 32
}

/// Blocks of 512 bytes: superblock 2, inodes 3 and 4, data from 5.
/// Files: `plain`, `inline`, `hole`, `chunks`, `indexes`, `link`.
pub(crate) fn volume() -> Vec<u8> {
    let mut out = vec![0; 8 * BLOCK];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(1024, &0xE0F5_E1E2_u32.to_le_bytes());
    put(1024 + 12, &[9, 0, 0, 0]);
    put(1024 + 36, &8_u32.to_le_bytes());
    put(1024 + 40, &3_u32.to_le_bytes());
    put(1024 + 80, &4_u32.to_le_bytes());

    // Number, format (layout << 1), mode, size, `i_u`.
    let inodes: [(usize, u16, u16, u32, u32); 7] = [
        (0, 2 << 1, 0o40755, 131, 0),
        (6, 0, 0o100_644, 600, 5),
        (7, 2 << 1, 0o100_600, 519, 5),
        (9, 0, 0o100_644, 1000, u32::MAX),
        (10, 4 << 1, 0o100_644, 1030, 0),
        (12, 4 << 1, 0o100_644, 1030, 0x20),
        (14, 2 << 1, 0o120_777, 6, 0),
    ];
    for (number, format, mode, size, start) in inodes {
        put(inode_at(number), &format.to_le_bytes());
        put(inode_at(number) + 4, &mode.to_le_bytes());
        put(inode_at(number) + 8, &size.to_le_bytes());
        put(inode_at(number) + 16, &start.to_le_bytes());
    }
    put(inode_at(8), b"content");
    for (index, block) in [6, u32::MAX, 7].into_iter().enumerate() {
        put(inode_at(11) + index * 4, &block.to_le_bytes());
        put(inode_at(13) + index * 8, &0_u32.to_le_bytes());
        put(inode_at(13) + index * 8 + 4, &block.to_le_bytes());
    }
    put(inode_at(15), b"target");
    let names: [(u64, &[u8]); 8] = [
        (0, b"."),
        (0, b".."),
        (10, b"chunks"),
        (9, b"hole"),
        (12, b"indexes"),
        (7, b"inline"),
        (14, b"link"),
        (6, b"plain"),
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
    out
}
