//! The superblock at byte 0.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `s_magic`, "hsqs" |
//! | 12 | 4 | `block_size` |
//! | 16 | 4 | `fragments` |
//! | 20 | 2 | `compression`: 1 gzip, 2 lzma, 3 lzo, 4 xz, 5 lz4, 6 zstd |
//! | 22 | 2 | `block_log`: block size is 1 << it |
//! | 28 | 4 | `s_major`, `s_minor` |
//! | 32 | 8 | `root_inode` |
//! | 40 | 8 | `bytes_used` |
//! | 64 | 8 | `inode_table_start` |
//! | 72 | 8 | `directory_table_start` |
//! | 80 | 8 | `fragment_table_start` |

use super::decode::Codec;
use crate::bytes::{ParseError, SharedBytes, le};

/// Where the parts of the volume are.
pub(super) struct Superblock {
    pub(super) block_bits: u32,
    pub(super) codec: Codec,
    pub(super) fragments: u32,
    pub(super) root: u64,
    pub(super) inodes: u64,
    pub(super) directories: u64,
    pub(super) fragment_table: u64,
}

impl Superblock {
    pub(super) fn read(volume: &SharedBytes) -> Result<Self, ParseError> {
        let mut raw = [0; 96];
        volume.read_exact_at(0, &mut raw)?;
        let short = |at| le::u16(&raw, at).unwrap_or_default();
        let long = |at| le::u32(&raw, at).unwrap_or_default();
        let quad = |at| le::u64(&raw, at).unwrap_or_default();

        if raw.first_chunk() != Some(b"hsqs") {
            return Err(ParseError::invalid(0, "s_magic", format!("{:#x}", long(0)), "hsqs"));
        }
        if (short(28), short(30)) != (4, 0) {
            return Err(ParseError::unsupported(28, format!("version {}.{}", short(28), short(30))));
        }
        let block_bits = u32::from(short(22));
        if !(12..=20).contains(&block_bits) {
            return Err(ParseError::invalid(22, "block_log", block_bits, "12 to 20"));
        }
        if long(12) != 1 << block_bits {
            return Err(ParseError::invalid(12, "block_size", long(12), "1 << block_log"));
        }
        let codec = match short(20) {
            1 => Codec::Zlib,
            2 => return Err(ParseError::unsupported(20, "compression with lzma")),
            3 => Codec::Lzo,
            4 => Codec::Xz,
            5 => Codec::Lz4,
            6 => Codec::Zstd,
            found => return Err(ParseError::invalid(20, "compression", found, "1 to 6")),
        };
        if quad(40) > volume.len() {
            return Err(ParseError::truncated(40, quad(40), volume.len()).within("bytes_used"));
        }
        Ok(Self {
            block_bits,
            codec,
            fragments: long(16),
            root: quad(32),
            inodes: quad(64),
            directories: quad(72),
            fragment_table: quad(80),
        })
    }

    pub(super) fn block_size(&self) -> u64 {
        1 << self.block_bits
    }
}
