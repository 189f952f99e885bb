use super::inode::Inode;
use super::volume::Volume;
use crate::bytes::{ParseError, SharedBytes};
use std::sync::Arc;
pub(super) fn open(_: &Arc<Volume>, inode: &Inode, _: Option<u64>) -> Result<SharedBytes, ParseError> {
    Err(ParseError::unsupported(inode.offset, "compression"))
}
