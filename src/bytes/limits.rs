//! Bounds on what input may ask for.

/// Limits that hold for a whole target. Limits of one structure stand as constants beside its parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Containers and filesystems within each other. Real firmware needs six (zip, tar, lz4, sparse, super, APEX);
    /// a source that goes deeper is built to waste time.
    pub depth: u32,
    /// Parts of one container: files of a zip or tar, partitions of a table. A Samsung or Xiaomi package has
    /// below 200, a large target-files zip below 20,000.
    pub parts: u64,
    /// Files and directories of one filesystem. The largest system partition measured had 12,000.
    pub files: u64,
    /// Bytes that may be decompressed for one target before it is given up as a bomb.
    pub decompressed: u64,
    /// Bytes of memory for what is decoded, whichever readers it belongs to: blocks that are kept, checkpoints, and what a
    /// decoder needs for itself.
    pub memory: u64,
    /// Bytes of temporary files for one target: decoded streams that have no random access, and what came over a network.
    /// Zeros are not counted. The partitions of one device are below 12 GiB.
    pub spill: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 8, parts: 65_536, files: 1 << 20, decompressed: 64 << 30, memory: 128 << 20, spill: 16 << 30 }
    }
}
