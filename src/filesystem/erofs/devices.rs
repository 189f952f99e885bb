//! Devices of a volume besides the one with its superblock: blobs that hold chunks.
//!
//! The table has an entry of 128 bytes for each:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 64 | `tag`: a name or hash that whoever made the volume chose, or zeros |
//! | 64 | 4 | `blocks_lo` |
//! | 68 | 4 | `uniaddr_lo`: the block that it begins at in addresses that count through all devices; 0 if it has none |
//! | 72 | 4 | `blocks_hi`, with 48BIT |
//! | 76 | 2 | `uniaddr_hi`, with 48BIT |
//!
//! Nothing in the table says which file a device is. Here it is the one beside the volume whose name is or begins with the
//! tag; without a tag, the only one that is no volume itself and has as many blocks (as some blocks, where the table tells no
//! number, as of `mkfs.erofs --blobdev` up to 1.5). Else, as in the kernel's flat mode, it is
//! a part of the first device, if that reaches so far.

use std::sync::Arc;

use super::superblock::{DEVICE_SLOT, Superblock};
use crate::bytes::{ExtentMap, Failed, ParseError, ReadAt, SharedBytes, Window, le, read_vec_at};
use crate::filesystem::Beside;

/// Images in layers have some dozens.
const DEVICES: u64 = 1024;
const TAG: usize = 64;

/// The devices, by their number less 1.
#[derive(Clone, Default)]
pub(super) struct Devices(Vec<Device>);

#[derive(Clone)]
struct Device {
    /// Byte of the addresses that count through all devices, where it has one and is no part of the first device.
    start: Option<u64>,
    bytes: SharedBytes,
}

impl Devices {
    pub(super) fn read(volume: &SharedBytes, superblock: &Superblock, beside: &[Beside]) -> Result<Self, ParseError> {
        let count = u64::from(superblock.devices);
        if count > DEVICES {
            return Err(ParseError::limit(1024 + 86, "extra_devices", count, DEVICES));
        }
        let table = superblock.device_table;
        let raw = read_vec_at(volume.as_ref(), table, count * DEVICE_SLOT, "table of devices", DEVICES * DEVICE_SLOT)?;
        let mut devices = Vec::new();
        for (slot, place) in raw.chunks_exact(128).zip((table..).step_by(128)) {
            let long = |at| le::u32(slot, at).map_or(0, u64::from);
            let high = |value: u64| if superblock.wide { value << 32 } else { 0 };
            let size = superblock.block_size();
            let len = (high(long(72)) | long(64)).checked_mul(size);
            let start = (high(le::u16(slot, 76).map_or(0, u64::from)) | long(68)).checked_mul(size);
            let (Some(len), Some(start)) = (len, start.filter(|start| start.checked_add(len.unwrap_or(0)).is_some()))
            else {
                return Err(ParseError::invalid(place + 64, "blocks, uniaddr", "too large", "addresses of 64 bits"));
            };
            let number = devices.len() + 1;
            let tag = tag(slot);
            let found = among(beside, volume, &tag, len, size);
            let inside = || Window::new(volume.clone(), start, len).ok().filter(|_| start > 0);
            devices.push(match found.map_or_else(|| Err(inside()), Ok) {
                // A file may be longer than the device, by what its last block was filled up with or more.
                Ok(file) if file.bytes.len() >= len => {
                    file.taken.set(true);
                    let bytes: SharedBytes =
                        if len > 0 { Arc::new(Window::new(file.bytes.clone(), 0, len)?) } else { file.bytes.clone() };
                    Device { start: (start > 0).then_some(start), bytes }
                }
                Err(Some(window)) => Device { start: None, bytes: Arc::new(window) },
                Ok(_) | Err(None) => {
                    let name = if tag.is_empty() { String::new() } else { format!(" ({tag})") };
                    let feature = format!("a part on another device, number {number}{name}, which is not here,");
                    let bytes = Arc::new(Failed::new(len, ParseError::unsupported(place, feature)));
                    Device { start: (start > 0).then_some(start), bytes }
                }
            });
        }
        Ok(Self(devices))
    }

    /// The device with that number, as an entry at `place` has it; `None` for the first one.
    pub(super) fn get(&self, number: u16, place: u64) -> Result<Option<&SharedBytes>, ParseError> {
        // As the kernel does, bits above those that the number of devices needs are left out.
        let mask = (self.0.len() + 1).next_power_of_two() - 1;
        let Some(index) = (usize::from(number) & mask).checked_sub(1) else {
            return Ok(None);
        };
        let device = self.0.get(index).map(|device| Some(&device.bytes));
        device.ok_or_else(|| ParseError::invalid(place + 2, "device", number, "one of the table"))
    }

    /// The first device with those that are addressed like it at their places.
    pub(super) fn unified(&self, volume: &SharedBytes) -> Result<SharedBytes, ParseError> {
        let mut apart: Vec<(u64, &Device)> = self.0.iter().filter_map(|device| Some((device.start?, device))).collect();
        if apart.is_empty() {
            return Ok(volume.clone());
        }
        apart.sort_by_key(|(start, _)| *start);
        let end = apart.iter().map(|(start, device)| start + device.bytes.len()).max().unwrap_or_default();
        let mut map = ExtentMap::new(end.max(volume.len()));
        let mut at = 0;
        for (start, device) in apart {
            let before = start.min(volume.len()).saturating_sub(at);
            map.store(at, volume.clone(), at, before)?;
            map.store(start, device.bytes.clone(), 0, device.bytes.len())?;
            at = start + device.bytes.len();
        }
        let rest = volume.len().saturating_sub(at);
        map.store(at.min(volume.len()), volume.clone(), at.min(volume.len()), rest)?;
        Ok(map.shared())
    }
}

/// What lies beside the volume and is the device.
fn among<'a>(beside: &'a [Beside], volume: &SharedBytes, tag: &str, len: u64, block: u64) -> Option<&'a Beside> {
    let file = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let mut others = beside.iter().filter(|other| !Arc::ptr_eq(&other.bytes, volume));
    if !tag.is_empty() {
        return others.find(|other| {
            let name = file(&other.name);
            name.strip_prefix(tag).is_some_and(|end| end.is_empty() || end.starts_with('.'))
        });
    }
    let fits = |other: &&Beside| {
        let length = other.bytes.len();
        let as_long = length.checked_sub(len).is_some_and(|rest| rest < block);
        if len > 0 { as_long } else { length > 0 && length.is_multiple_of(block) }
    };
    let mut fitting = others.filter(fits).filter(|other| !is_volume(&other.bytes));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn tag(slot: &[u8]) -> String {
    let tag = slot.get(..TAG).unwrap_or_default();
    let end = tag.iter().position(|byte| *byte == 0).unwrap_or(TAG);
    String::from_utf8_lossy(tag.get(..end).unwrap_or_default()).into_owned()
}

fn is_volume(bytes: &SharedBytes) -> bool {
    let head = read_vec_at(bytes.as_ref(), 0, bytes.len().min(2048), "head", 2048).unwrap_or_default();
    crate::filesystem::recognize(&head).is_some()
}
