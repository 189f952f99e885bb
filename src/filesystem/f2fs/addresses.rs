//! Where the blocks of a file are: the first ones in the inode, others in nodes, up to three below one another.

use std::sync::Arc;

use super::inode::Inode;
use super::volume::Volume;
use crate::bytes::{ParseError, le};

/// Addresses of blocks that follow each other in a file and stand in one node.
pub(super) enum Leaf<'a> {
    Inode {
        inode: &'a Inode,
        first: usize,
        count: usize,
    },
    Node {
        block: Arc<Vec<u8>>,
        first: usize,
        count: usize,
    },
    /// No node: so many blocks are a hole.
    Hole {
        count: u64,
    },
}

impl Leaf<'_> {
    /// Blocks that it says of, 1 or more.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Inode { count, .. } | Self::Node { count, .. } => *count as u64,
            Self::Hole { count } => *count,
        }
    }

    /// The address of one of them.
    pub(super) fn address(&self, index: u64) -> u32 {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        match self {
            Self::Inode { inode, first, .. } => inode.address(first.saturating_add(index)),
            Self::Node { block, first, .. } => {
                le::u32(block, first.saturating_add(index).saturating_mul(4)).unwrap_or_default()
            }
            Self::Hole { .. } => 0,
        }
    }
}

/// The addresses from that block of the file on.
pub(super) fn find<'a>(volume: &Volume, inode: &'a Inode, block: u64) -> Result<Leaf<'a>, ParseError> {
    let own = inode.addresses() as u64;
    if let Some(left) = own.checked_sub(block).filter(|left| *left > 0) {
        let first = usize::try_from(block).unwrap_or_default();
        return Ok(Leaf::Inode { inode, first, count: usize::try_from(left).unwrap_or_default() });
    }
    let children = volume.superblock.node_addresses() as u64;
    let cluster = inode.cluster_blocks() as u64;
    let direct = children / cluster * cluster;
    let spans = [direct, direct, direct * children, direct * children, direct * children * children];
    let mut rest = block - own;
    for (index, span) in spans.into_iter().enumerate() {
        if rest < span {
            return descend(volume, inode, inode.node(index), span, direct, rest);
        }
        rest -= span;
    }
    Err(ParseError::invalid(inode.offset + 16, "i_size", inode.len, "what addresses can say of"))
}

/// From the node `number`, below which `span` blocks are, to the leaf that holds the block `rest` of them.
fn descend(
    volume: &Volume,
    inode: &Inode,
    mut number: u32,
    mut span: u64,
    direct: u64,
    mut rest: u64,
) -> Result<Leaf<'static>, ParseError> {
    let children = volume.superblock.node_addresses() as u64;
    loop {
        if number == 0 {
            return Ok(Leaf::Hole { count: span - rest });
        }
        let (block, _) = volume.node(number, inode.number).map_err(|error| error.within(format!("node {number}")))?;
        if span <= direct {
            let (first, count) = (usize::try_from(rest), usize::try_from(direct - rest));
            return Ok(Leaf::Node { block, first: first.unwrap_or_default(), count: count.unwrap_or_default() });
        }
        // Ends: each turn is one level further down.
        span /= children;
        let at = usize::try_from(rest / span).unwrap_or(usize::MAX).saturating_mul(4);
        number = le::u32(&block, at).unwrap_or_default();
        rest %= span;
    }
}
