//! A partition of what its operations write.

use std::sync::Arc;

use super::manifest::{Manifest, Operation, Partition, total};
use super::operation::{Content, content};
use super::{IMAGE_BYTES, Store};
use crate::bytes::{ExtentMap, Failed, ParseError, SharedBytes, Window};

/// The partition's bytes; `first` is the number of its first operation in the payload.
pub(super) fn assemble(
    partition: &Partition,
    manifest: &Manifest,
    store: &Arc<Store>,
    first: u64,
) -> Result<SharedBytes, ParseError> {
    let block = manifest.block_size;
    let extents = partition.operations.iter().flat_map(|operation| &operation.extents);
    let end = extents.map(|extent| extent.start.saturating_add(extent.blocks)).max().unwrap_or_default();
    let size = partition.size.unwrap_or_else(|| end.saturating_mul(block));
    if size > IMAGE_BYTES {
        return Err(ParseError::limit(0, "size", size, IMAGE_BYTES));
    }
    let mut pieces = Vec::new();
    for (number, operation) in (first..).zip(&partition.operations) {
        let content = content(operation, number, partition, block, store)?;
        pieces.extend(placed(operation, block, &content)?);
    }
    if manifest.incremental {
        for extent in &partition.computed {
            let (start, len) = extent.bytes(block)?;
            pieces.push(Piece { start, len, offset: 0, content: Content::Zeros });
        }
    }
    // In order, so that each is put at the end.
    pieces.sort_by_key(|piece| piece.start);
    let mut map = ExtentMap::new(size.next_multiple_of(block));
    let mut at = 0;
    for Piece { start, len, offset, content } in pieces {
        if manifest.incremental && start > at {
            kept(&mut map, at, start - at)?;
        }
        at = at.max(start.saturating_add(len));
        match content {
            Content::Zeros => map.fill(start, len, [0; 4])?,
            Content::Bytes(bytes) => {
                // What the data does not fill is zero.
                let stored = bytes.len().saturating_sub(offset).min(len);
                map.store(start, bytes, offset, stored)?;
                map.fill(start + stored, len - stored, [0; 4])?;
            }
        }
    }
    if manifest.incremental && at < size {
        kept(&mut map, at, size - at)?;
    }
    Ok(Arc::new(Window::new(map.shared(), 0, size)?))
}

struct Piece {
    start: u64,
    len: u64,
    /// In the operation's output.
    offset: u64,
    content: Content,
}

/// Where the output of an operation goes.
fn placed(operation: &Operation, block: u64, content: &Content) -> Result<Vec<Piece>, ParseError> {
    if total(&operation.extents, block) == u64::MAX {
        return Err(ParseError::invalid(0, "start_block", u64::MAX, "blocks of the partition"));
    }
    let mut offset = 0_u64;
    let mut pieces = Vec::new();
    for extent in &operation.extents {
        let (start, len) = extent.bytes(block)?;
        pieces.push(Piece { start, len, offset, content: content.clone() });
        offset = offset.saturating_add(len);
    }
    Ok(pieces)
}

/// In an incremental update, blocks that no operation writes keep what the device held.
fn kept(map: &mut ExtentMap, start: u64, len: u64) -> Result<(), ParseError> {
    let error = ParseError::unsupported(0, "an incremental update that keeps blocks of the device");
    map.store(start, Arc::new(Failed::new(len, error)), 0, len)
}
