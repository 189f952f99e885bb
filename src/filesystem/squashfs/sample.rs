//! A volume of half a KiB with each way of storing content, built by hand for tests that damage it.

use std::io::Write;

/// Where the first byte behind the superblock stands.
const DATA: usize = 96;

/// Appends a block of metadata that is stored as it is. Where it begins.
fn metadata(out: &mut Vec<u8>, content: &[u8]) -> u64 {
    let start = out.len() as u64;
    out.extend((u16::try_from(content.len()).unwrap() | 0x8000).to_le_bytes());
    out.extend(content);
    start
}

/// Blocks of 4 KiB. Files: `file` (a block and a fragment), `folder/named` (the same), `hole`, `link`, `stored`.
pub(crate) fn volume() -> Vec<u8> {
    let longs = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let quads = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let at = |place: usize| u32::try_from(place).unwrap();
    let mut out = vec![0; DATA];
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&[b'a'; 4096]).unwrap();
    let zlib = zlib.finish().unwrap();
    out.extend(&zlib);
    let stored = out.len();
    out.extend(b"plain");
    let fragment = out.len();
    out.extend(b"___content");

    let (mut inodes, mut places) = (Vec::new(), Vec::new());
    let mut inode = |kind: u16, mode: u16, rest: &[u8]| {
        places.push(u16::try_from(inodes.len()).unwrap());
        inodes.extend(kind.to_le_bytes());
        inodes.extend(mode.to_le_bytes());
        inodes.extend([0; 12]);
        inodes.extend(rest);
    };
    let hole = [quads(&[DATA as u64, 8192, 8192]), longs(&[1, u32::MAX, 0, u32::MAX, 0, 0])].concat();
    inode(2, 0o644, &longs(&[at(DATA), 0, 3, 4096 + 7, at(zlib.len())]));
    inode(9, 0o600, &hole);
    inode(3, 0o777, &[longs(&[1, 6]), b"target".to_vec()].concat());
    inode(2, 0o644, &longs(&[at(stored), u32::MAX, 0, 5, 5 | 1 << 24]));
    // The folder's entries stand behind those of the root: 12 bytes and 5 entries of 8 with their names.
    let root_len = 12 + 5 * 8 + "filefolderholelinkstored".len();
    inode(8, 0o755, &longs(&[2, 12 + 8 + 5 + 3, 0, 0, at(root_len) << 16, u32::MAX]));
    inode(1, 0o755, &longs(&[0, 2, at(root_len) + 3, 0]));

    let mut directories = Vec::new();
    let mut directory = |names: &[(usize, &[u8])]| {
        directories.extend(longs(&[at(names.len()) - 1, 0, 1]));
        for (index, name) in names {
            directories.extend(places[*index].to_le_bytes());
            directories.extend([0; 4]);
            directories.extend(u16::try_from(name.len() - 1).unwrap().to_le_bytes());
            directories.extend(*name);
        }
    };
    directory(&[(0, b"file"), (4, b"folder"), (1, b"hole"), (2, b"link"), (3, b"stored")]);
    directory(&[(0, b"named")]);

    let inode_table = metadata(&mut out, &inodes);
    let directory_table = metadata(&mut out, &directories);
    let entry = [quads(&[fragment as u64]), longs(&[10 | 1 << 24, 0])].concat();
    let fragments = metadata(&mut out, &entry);
    let fragment_table = out.len() as u64;
    out.extend(fragments.to_le_bytes());

    let len = out.len() as u64;
    let root = u64::from(places[5]);
    out.splice(0..4, *b"hsqs");
    out.splice(12..24, [longs(&[4096, 1]), vec![1, 0, 12, 0]].concat());
    out.splice(28..30, [4, 0]);
    out.splice(32..48, quads(&[root, len]));
    out.splice(64..88, quads(&[inode_table, directory_table, fragment_table]));
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bytes::{Budget, Limits, ParseError, le, read_vec_at};
    use crate::filesystem::{Filesystem, FilesystemFormat, find, walk};

    fn mount(volume: Vec<u8>) -> Result<Box<dyn Filesystem>, ParseError> {
        super::super::SquashfsFormat.mount(Arc::new(volume), &Arc::default())
    }

    fn content(filesystem: &dyn Filesystem, path: &str) -> Result<Vec<u8>, ParseError> {
        let node = find(filesystem, filesystem.root(), path)?.unwrap();
        let bytes = filesystem.open(node)?;
        read_vec_at(bytes.as_ref(), 0, bytes.len(), "file", 1 << 20)
    }

    /// Where a table begins, behind the header of its first block.
    fn table(volume: &[u8], field: usize) -> usize {
        usize::try_from(le::u64(volume, field).unwrap()).unwrap() + 2
    }

    /// The error of reading a file after a change of the bytes at a place of a table, or of the volume.
    fn damaged(path: &str, field: Option<usize>, at: usize, bytes: &[u8]) -> String {
        let mut volume = volume();
        let at = at + field.map_or(0, |field| table(&volume, field));
        volume[at..at + bytes.len()].copy_from_slice(bytes);
        mount(volume).and_then(|filesystem| content(filesystem.as_ref(), path)).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn files_have_their_content_however_it_is_stored() {
        let filesystem = mount(volume()).unwrap();
        let content = |path: &str| content(filesystem.as_ref(), path).unwrap();
        for path in ["file", "folder/named"] {
            assert!(content(path) == [&[b'a'; 4096][..], b"content"].concat(), "{path}");
        }
        assert!(content("hole") == [0; 8192]);
        assert_eq!(content("link"), b"target");
        assert_eq!(content("stored"), b"plain");
    }

    #[test]
    fn a_bomb_stops_at_the_budget_and_a_block_at_its_length() {
        let budget = Budget::new(Limits { decompressed: 4095, ..Limits::default() });
        let filesystem = super::super::SquashfsFormat.mount(Arc::new(volume()), &budget).unwrap();
        let error = content(filesystem.as_ref(), "file").unwrap_err().to_string();
        assert!(error.contains("decompressed bytes is 4096, the limit is 4095"), "{error}");
        // A stored length above the block size.
        let error = damaged("file", Some(64), 34, &[1]);
        assert!(error.contains("length of a block is 65"), "{error}");
    }

    #[test]
    fn a_file_longer_than_its_blocks_is_an_error_and_costs_nothing() {
        // The long file's length becomes 16 TiB, then 64 MiB, more than there are lengths of blocks.
        let error = damaged("hole", Some(64), 36 + 16 + 8, &(1_u64 << 44).to_le_bytes());
        assert!(error.contains("blocks of a file is 4294967296, the limit is 1048576"), "{error}");
        let error = damaged("hole", Some(64), 36 + 16 + 8, &(1_u64 << 26).to_le_bytes());
        assert!(error.contains("lengths of blocks: "), "{error}");
    }

    #[test]
    fn a_fragment_that_is_not_in_the_table_is_named() {
        let error = damaged("file", Some(64), 20, &[1]);
        assert!(error.contains("fragment is 1, expected one of the table"), "{error}");
    }

    #[test]
    fn a_directory_that_contains_itself_is_reported_once_and_the_walk_ends() {
        let mut volume = volume();
        let root = volume[32];
        let at = table(&volume, 72) + 12;
        volume[at] = root;
        let filesystem = mount(volume).unwrap();
        let (files, unreadable) = walk(filesystem.as_ref(), filesystem.root(), &Limits::default());
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["folder/named", "hole", "stored"]);
        assert_eq!(unreadable.len(), 1);
        assert_eq!(unreadable[0].path, "file");
    }

    #[test]
    fn values_of_a_hostile_superblock_are_named() {
        assert_eq!(damaged("file", None, 22, &[31]), "superblock: byte 22: block_log is 31, expected 12 to 20");
        assert_eq!(damaged("file", None, 20, &[2]), "superblock: byte 20: compression with lzma is not supported");
        assert_eq!(damaged("file", None, 28, &[3]), "superblock: byte 28: version 3.0 is not supported");
        let error = damaged("file", None, 40, &[0xff; 8]);
        assert!(error.starts_with("superblock: bytes_used: byte 40: "), "{error}");
        let error = damaged("file", None, 64, &[0xff; 8]);
        assert!(error.contains("needed here"), "{error}");
    }
}
