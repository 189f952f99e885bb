//! The superblock at byte 1024, and where group descriptors stand.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 4 | `s_inodes_count` |
//! | 0x04 | 4 | `s_blocks_count_lo` (high half at 0x150 with 64bit) |
//! | 0x14 | 4 | `s_first_data_block` |
//! | 0x18 | 4 | `s_log_block_size`: block size is 1024 << it |
//! | 0x20 | 4 | `s_blocks_per_group` |
//! | 0x28 | 4 | `s_inodes_per_group` |
//! | 0x38 | 2 | `s_magic`, 0xEF53 |
//! | 0x4C | 4 | `s_rev_level`: 0 has fixed inodes of 128 bytes and no features |
//! | 0x58 | 2 | `s_inode_size` |
//! | 0x5C, 0x60, 0x64 | 4 | features: compatible, incompatible, read-only compatible |
//! | 0xE0, 0xE4 | 4 | `s_journal_inum`; `s_journal_dev`, where the journal is another device's |
//! | 0xFE | 2 | `s_desc_size` with 64bit |
//! | 0x104 | 4 | `s_first_meta_bg` |
//! | 0x24C | 8 | `s_backup_bgs` with sparse_super2 |

use crate::bytes::{ParseError, ReadAt, SharedBytes, le};
use crate::filesystem::names_of;

const START: u64 = 1024;
const MAGIC: u16 = 0xEF53;

const COMPAT_SPARSE_SUPER2: u32 = 0x200;
const RO_COMPAT_SPARSE_SUPER: u32 = 0x1;
const INCOMPAT_META_BG: u32 = 0x10;
const INCOMPAT_64BIT: u32 = 0x80;
const INCOMPAT_LARGEDIR: u32 = 0x4000;
/// A journal waits to be replayed.
const INCOMPAT_RECOVER: u32 = 0x4;
/// filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt (an inode that
/// is says so), casefold.
const INCOMPAT_READ: u32 = 0x2
    | INCOMPAT_RECOVER
    | INCOMPAT_META_BG
    | 0x40
    | INCOMPAT_64BIT
    | 0x100
    | 0x200
    | 0x400
    | 0x2000
    | INCOMPAT_LARGEDIR
    | 0x8000
    | 0x1_0000
    | 0x2_0000;
const INCOMPAT_NAMES: [(u32, &str); 3] =
    [(0x1, "compression"), (0x8, "an external journal (journal_dev)"), (0x1000, "dirdata")];

/// Names of features, as `dumpe2fs` prints them.
const COMPAT: &[(u32, &str)] = &[
    (0x1, "dir_prealloc"),
    (0x2, "imagic_inodes"),
    (0x4, "has_journal"),
    (0x8, "ext_attr"),
    (0x10, "resize_inode"),
    (0x20, "dir_index"),
    (0x200, "sparse_super2"),
    (0x400, "fast_commit"),
    (0x800, "stable_inodes"),
    (0x1000, "orphan_file"),
];
const INCOMPAT: &[(u32, &str)] = &[
    (0x1, "compression"),
    (0x2, "filetype"),
    (0x4, "needs_recovery"),
    (0x8, "journal_dev"),
    (0x10, "meta_bg"),
    (0x40, "extent"),
    (0x80, "64bit"),
    (0x100, "mmp"),
    (0x200, "flex_bg"),
    (0x400, "ea_inode"),
    (0x1000, "dirdata"),
    (0x2000, "metadata_csum_seed"),
    (0x4000, "large_dir"),
    (0x8000, "inline_data"),
    (0x1_0000, "encrypt"),
    (0x2_0000, "casefold"),
];
const RO_COMPAT: &[(u32, &str)] = &[
    (0x1, "sparse_super"),
    (0x2, "large_file"),
    (0x8, "huge_file"),
    (0x10, "uninit_bg"),
    (0x20, "dir_nlink"),
    (0x40, "extra_isize"),
    (0x100, "quota"),
    (0x200, "bigalloc"),
    (0x400, "metadata_csum"),
    (0x800, "replica"),
    (0x1000, "read-only"),
    (0x2000, "project"),
    (0x4000, "shared_blocks"),
    (0x8000, "verity"),
    (0x1_0000, "orphan_present"),
];

/// What is needed to find an inode. Fields are within the ranges that their types allow and consistent with the volume's length.
pub(super) struct Superblock {
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    pub(super) inode_size: u64,
    pub(super) largedir: bool,
    /// Whether the volume is only whole with its journal.
    pub(super) needs_recovery: bool,
    /// The inode of the journal.
    pub(super) journal_inode: u64,
    inodes: u64,
    inodes_per_group: u64,
    blocks_per_group: u64,
    first_data_block: u64,
    descriptor_size: u64,
    /// With meta_bg, the first descriptor block that stands in its own group.
    first_meta_bg: Option<u64>,
    backups: Backups,
    /// Compatible, incompatible, read-only compatible.
    feature_bits: [u32; 3],
}

/// Which groups begin with a copy of the superblock.
enum Backups {
    All,
    Sparse,
    Two([u64; 2]),
}

impl Superblock {
    pub(super) fn read(volume: &SharedBytes) -> Result<Self, ParseError> {
        let mut raw = [0; 1024];
        volume.read_exact_at(START, &mut raw)?;
        let short = |at| le::u16(&raw, at).map_or(0, u64::from);
        let long = |at| le::u32(&raw, at).unwrap_or_default();
        let invalid =
            |at: u64, field, found: u64, expected| Err(ParseError::invalid(START + at, field, found, expected));

        if short(0x38) != u64::from(MAGIC) {
            return invalid(0x38, "s_magic", short(0x38), "61267 (0xEF53)");
        }
        let dynamic = long(0x4C) != 0;
        let incompat = if dynamic { long(0x60) } else { 0 };
        if incompat & !INCOMPAT_READ != 0 {
            let unread = incompat & !INCOMPAT_READ;
            let name = INCOMPAT_NAMES.iter().find(|(bit, _)| unread & bit != 0).map(|(_, name)| (*name).to_owned());
            let name = name.unwrap_or_else(|| format!("the feature bit {unread:#x}"));
            return Err(ParseError::unsupported(START + 0x60, name));
        }
        if incompat & INCOMPAT_RECOVER != 0 && long(0xE4) != 0 {
            return Err(ParseError::unsupported(START + 0xE4, "a journal on another device"));
        }
        let log_block_size = long(0x18);
        if log_block_size > 6 {
            return invalid(0x18, "s_log_block_size", u64::from(log_block_size), "0 to 6");
        }
        let block_size = 1024_u64 << log_block_size;
        let wide = incompat & INCOMPAT_64BIT != 0;
        let high = if wide { u64::from(long(0x150)) << 32 } else { 0 };
        let blocks = high | u64::from(long(4));
        if blocks.checked_mul(block_size).is_none_or(|len| len > volume.len()) {
            let len = blocks.saturating_mul(block_size);
            return Err(ParseError::truncated(START + 4, len, volume.len()).within("s_blocks_count"));
        }
        let inode_size = if dynamic { short(0x58) } else { 128 };
        if !inode_size.is_power_of_two() || !(128..=block_size).contains(&inode_size) {
            return invalid(0x58, "s_inode_size", inode_size, "a power of two from 128 to the block size");
        }
        let inodes_per_group = u64::from(long(0x28));
        if inodes_per_group == 0 || inodes_per_group > block_size * 8 {
            return invalid(0x28, "s_inodes_per_group", inodes_per_group, "1 to the bits of a block");
        }
        let blocks_per_group = u64::from(long(0x20));
        if blocks_per_group < 8 {
            return invalid(0x20, "s_blocks_per_group", blocks_per_group, "8 or more");
        }
        let first_data_block = u64::from(long(0x14));
        if first_data_block > 1 || first_data_block >= blocks {
            return invalid(0x14, "s_first_data_block", first_data_block, "0 or 1");
        }
        let descriptor_size = if wide { short(0xFE) } else { 32 };
        if wide && (!descriptor_size.is_power_of_two() || !(64..=block_size).contains(&descriptor_size)) {
            return invalid(0xFE, "s_desc_size", descriptor_size, "a power of two from 64 to the block size");
        }
        let backups = if long(0x5C) & COMPAT_SPARSE_SUPER2 != 0 {
            Backups::Two([u64::from(long(0x24C)), u64::from(long(0x250))])
        } else if long(0x64) & RO_COMPAT_SPARSE_SUPER != 0 {
            Backups::Sparse
        } else {
            Backups::All
        };
        Ok(Self {
            block_size,
            blocks,
            inode_size,
            largedir: incompat & INCOMPAT_LARGEDIR != 0,
            needs_recovery: incompat & INCOMPAT_RECOVER != 0,
            journal_inode: long(0xE0).into(),
            inodes: u64::from(long(0)),
            inodes_per_group,
            blocks_per_group,
            first_data_block,
            descriptor_size,
            first_meta_bg: (incompat & INCOMPAT_META_BG != 0).then(|| u64::from(long(0x104))),
            backups,
            feature_bits: if dynamic { [long(0x5C), incompat, long(0x64)] } else { [0; 3] },
        })
    }

    /// Names of the features, in the order of `dumpe2fs`.
    pub(super) fn features(&self) -> Vec<String> {
        let [compat, incompat, ro_compat] = self.feature_bits;
        let mut features = vec![format!("blocks of {} bytes", self.block_size)];
        for (bits, names) in [(compat, COMPAT), (incompat, INCOMPAT), (ro_compat, RO_COMPAT)] {
            features.extend(names_of(bits, names));
        }
        features
    }

    /// Byte offset of an inode, after reading its group's descriptor.
    pub(super) fn inode_offset(&self, volume: &SharedBytes, number: u64) -> Result<u64, ParseError> {
        if number == 0 || number > self.inodes {
            return Err(ParseError::invalid(START, "inode number", number, "1 to s_inodes_count"));
        }
        let (group, index) = ((number - 1) / self.inodes_per_group, (number - 1) % self.inodes_per_group);
        let groups = (self.blocks - self.first_data_block).div_ceil(self.blocks_per_group);
        if group >= groups {
            return Err(ParseError::invalid(START, "group of the inode", group, "less than the number of groups"));
        }
        let per_block = self.block_size / self.descriptor_size;
        let place =
            self.descriptor_block(group / per_block) * self.block_size + group % per_block * self.descriptor_size;
        let mut raw = [0; 64];
        let size = usize::try_from(self.descriptor_size.min(64)).unwrap_or(64);
        volume.read_exact_at(place, raw.get_mut(..size).unwrap_or_default())?;
        // Beyond a descriptor of 32 bytes the buffer is zero.
        let table = u64::from(le::u32(&raw, 0x28).unwrap_or_default()) << 32
            | u64::from(le::u32(&raw, 0x08).unwrap_or_default());
        if table == 0 || table >= self.blocks {
            return Err(ParseError::invalid(place + 8, "bg_inode_table", table, "a block of the volume"));
        }
        Ok(table * self.block_size + index * self.inode_size)
    }

    /// The block that holds the descriptors with the number `index` of a block.
    fn descriptor_block(&self, index: u64) -> u64 {
        let superblock = if self.block_size == 1024 { 1 } else { 0 };
        if self.first_meta_bg.is_none_or(|first| index < first) {
            return superblock + 1 + index;
        }
        let group = index * (self.block_size / self.descriptor_size);
        let mut skip = u64::from(self.has_superblock(group));
        if self.block_size == 1024 && index == 0 && self.first_data_block == 0 {
            skip += 1;
        }
        self.first_data_block + group * self.blocks_per_group + skip
    }

    fn has_superblock(&self, group: u64) -> bool {
        let power = |base: u64| {
            let mut value = base;
            while value < group {
                value = value.saturating_mul(base);
            }
            value == group
        };
        group == 0
            || match self.backups {
                Backups::All => true,
                Backups::Sparse => group == 1 || power(3) || power(5) || power(7),
                Backups::Two(groups) => groups.contains(&group),
            }
    }
}
