//! What every open file of a volume shares.

use std::sync::Arc;

use super::devices::Devices;
use super::inode::{Inode, Layout};
use super::kept::Kept;
use super::superblock::Superblock;
use super::{chunks, compressed, flat};
use crate::bytes::{Budget, DecodedCache, ParseError, SharedBytes};
use crate::filesystem::Beside;

/// Bytes of indexes that are kept: those of 128 MiB in compact form.
const INDEXES_KEPT: usize = 64 << 10;
/// In an inode's number: it stands in the metabox.
const IN_METABOX: u64 = 1 << 63;

/// A volume whose superblock was read.
pub(super) struct Volume {
    /// The first device, and behind it the others that are addressed like it.
    pub(super) bytes: SharedBytes,
    pub(super) superblock: Superblock,
    pub(super) devices: Devices,
    metabox: Option<SharedBytes>,
    /// Decoded clusters, by inode and place in its content.
    pub(super) clusters: DecodedCache,
    /// Pieces of indexes, by whether they are in the metabox, and place. Apart, since they are small and read again and again.
    pub(super) indexes: Kept,
    pub(super) budget: Arc<Budget>,
}

/// Where inodes, and what follows them, stand.
#[derive(Clone)]
pub(super) enum Metadata {
    Volume(SharedBytes),
    Metabox(SharedBytes),
}

impl Metadata {
    pub(super) fn bytes(&self) -> &SharedBytes {
        match self {
            Self::Volume(bytes) | Self::Metabox(bytes) => bytes,
        }
    }

    pub(super) fn is_metabox(&self) -> bool {
        matches!(self, Self::Metabox(_))
    }
}

impl Volume {
    pub(super) fn open(bytes: SharedBytes, beside: &[Beside], budget: &Arc<Budget>) -> Result<Arc<Self>, ParseError> {
        let superblock = Superblock::read(&bytes).map_err(|error| error.within("superblock"))?;
        let devices = Devices::read(&bytes, &superblock, beside).map_err(|error| error.within("devices"))?;
        let mut volume = Self {
            bytes: devices.unified(&bytes)?,
            superblock,
            devices,
            metabox: None,
            clusters: budget.decoded(),
            indexes: Kept::new(INDEXES_KEPT),
            budget: budget.clone(),
        };
        if let Some(number) = volume.superblock.metabox {
            // The metabox is read through a volume without one, so it can't stand in itself.
            let bare = Arc::new(volume);
            let metabox = bare.special(number).map_err(|error| error.within("metabox"))?;
            volume = Self {
                bytes: bare.bytes.clone(),
                superblock: bare.superblock.clone(),
                devices: bare.devices.clone(),
                metabox: Some(metabox),
                clusters: budget.decoded(),
                indexes: Kept::new(INDEXES_KEPT),
                budget: budget.clone(),
            };
        }
        Ok(Arc::new(volume))
    }

    /// Where the inode with that number stands.
    pub(super) fn place(&self, number: u64) -> Result<(Metadata, u64), ParseError> {
        let within = (number & !IN_METABOX).checked_mul(32);
        let place = match (&self.metabox, number & IN_METABOX != 0) {
            (Some(metabox), true) => Some(Metadata::Metabox(metabox.clone())).zip(within),
            (None, true) => None,
            (_, false) => {
                let offset = within.and_then(|within| within.checked_add(self.superblock.inodes));
                Some(Metadata::Volume(self.bytes.clone())).zip(offset)
            }
        };
        place.ok_or_else(|| ParseError::invalid(0, "nid", number, "the number of an inode"))
    }

    /// Content of a file, directory or symbolic link.
    pub(super) fn content(self: &Arc<Self>, inode: &Inode) -> Result<SharedBytes, ParseError> {
        let fragments = match (inode.layout, self.superblock.packed) {
            // Only compressed files have fragments; what holds them is opened when one is met.
            (Layout::Full | Layout::Compact, packed) => packed,
            _ => None,
        };
        self.open_with(inode, fragments)
    }

    /// An inode that belongs to the volume itself. It has no fragments: what holds them can't be made of them.
    pub(super) fn special(self: &Arc<Self>, number: u64) -> Result<SharedBytes, ParseError> {
        let open = || self.open_with(&Inode::read(self, number)?, None);
        open().map_err(|error| error.within(format!("inode {number}")))
    }

    fn open_with(self: &Arc<Self>, inode: &Inode, packed: Option<u64>) -> Result<SharedBytes, ParseError> {
        match inode.layout {
            Layout::Plain | Layout::Inline => flat::open(self, inode),
            Layout::Chunks => chunks::open(self, inode),
            Layout::Full | Layout::Compact => compressed::open(self, inode, packed),
        }
    }
}
