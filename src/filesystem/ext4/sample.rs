//! A volume of 12 KiB with each way of storing content, built by hand for tests that damage it.

/// Where [`volume`] puts the inode with that number.
pub(crate) fn inode_at(number: usize) -> usize {
    5 * 1024 + (number - 1) * 128
}

/// Blocks of 1 KiB: superblock 1, descriptor 2, inodes 5 and 6, root 7, data 8, extent leaf 9, pointers 10, links 11.
/// Files: `tree` (extents below an index), `mapped` (a block map with holes), `unwritten`, `link`, `slow`.
pub(crate) fn volume() -> Vec<u8> {
    let mut out = vec![0; 12 * 1024];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    for (at, value) in [(0, 16_u32), (4, 12), (0x14, 1), (0x20, 8192), (0x28, 16), (0x4C, 1), (0x60, 0x42), (0x64, 1)] {
        put(1024 + at, &value.to_le_bytes());
    }
    put(1024 + 0x38, &0xEF53_u16.to_le_bytes());
    put(1024 + 0x58, &128_u16.to_le_bytes());
    put(2048 + 8, &5_u32.to_le_bytes());

    let extent = |logical: u32, len: u16, block: u32| {
        [&logical.to_le_bytes()[..], &len.to_le_bytes(), &[0, 0], &block.to_le_bytes()].concat()
    };
    let header = |entries: u16, depth: u16| [0xF30A, entries, 4, depth, 0, 0].map(u16::to_le_bytes).concat();
    let index = |block: u32| [&0_u32.to_le_bytes()[..], &block.to_le_bytes(), &[0; 4]].concat();
    let mut inode = |number: usize, mode: u16, size: u32, flags: u32, block: &[u8]| {
        put(inode_at(number), &mode.to_le_bytes());
        put(inode_at(number) + 4, &size.to_le_bytes());
        put(inode_at(number) + 0x20, &flags.to_le_bytes());
        put(inode_at(number) + 0x28, block);
    };
    let extents = 0x8_0000;
    inode(2, 0o40755, 1024, extents, &[header(1, 0), extent(0, 1, 7)].concat());
    inode(11, 0o100_644, 7, extents, &[header(1, 1), index(9)].concat());
    let pointers = [&[0; 4][..], &8_u32.to_le_bytes(), &[0; 40], &10_u32.to_le_bytes()].concat();
    inode(12, 0o100_600, 13 * 1024, 0, &pointers);
    inode(13, 0o100_644, 1000, extents, &[header(1, 0), extent(0, 32769, 8)].concat());
    inode(14, 0o120_777, 6, 0, b"target");
    inode(15, 0o120_777, 60, extents, &[header(1, 0), extent(0, 1, 11)].concat());

    put(8 * 1024, b"content");
    put(9 * 1024, &[header(1, 0), extent(0, 1, 8)].concat());
    put(10 * 1024, &8_u32.to_le_bytes());
    put(11 * 1024, &[b'x'; 60]);
    let names: [(u32, &[u8]); 7] =
        [(2, b"."), (2, b".."), (11, b"tree"), (12, b"mapped"), (13, b"unwritten"), (14, b"link"), (15, b"slow")];
    let mut at = 7 * 1024;
    for (index, (node, name)) in names.iter().enumerate() {
        let length = if index + 1 == names.len() { 8 * 1024 - at } else { (8 + name.len()).next_multiple_of(4) };
        let length = u16::try_from(length).unwrap();
        put(at, &node.to_le_bytes());
        put(at + 4, &length.to_le_bytes());
        put(at + 6, &[u8::try_from(name.len()).unwrap(), 0]);
        put(at + 8, name);
        at += usize::from(length);
    }
    out
}
