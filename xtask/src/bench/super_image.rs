//! Writer of `super.img`, LP metadata 10.2 with A/B slots
//! (<https://android.googlesource.com/platform/system/core/+/main/fs_mgr/liblp/include/liblp/metadata_format.h>).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const SLOTS: u64 = 2;
const METADATA: u64 = 65_536;
const FIRST: u64 = 1 << 20;

fn name(text: &str) -> [u8; 36] {
    let mut out = [0; 36];
    for (to, from) in out.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    out
}

/// Writes a super image that holds `images` as slot A, and a slot B without any.
pub(super) fn write(path: &Path, images: &[(&str, &Path)]) -> Result<()> {
    let mut out = File::create(path)?;
    let (mut partitions, mut extents, mut at, mut index) = (Vec::new(), Vec::new(), FIRST, 0_u32);
    for (partition, image) in images {
        let mut source = File::open(image).with_context(|| image.display().to_string())?;
        let length = source.metadata()?.len().next_multiple_of(4096);
        out.seek(SeekFrom::Start(at))?;
        copy_data(&mut source, &mut out)?;
        for (suffix, count) in [("_a", 1_u32), ("_b", 0)] {
            partitions.extend(name(&format!("{partition}{suffix}")));
            let group = 2 - count;
            for value in [1, index, count, group] {
                partitions.extend(value.to_le_bytes());
            }
            index += count;
        }
        extents.extend((length / 512).to_le_bytes());
        extents.extend(0_u32.to_le_bytes());
        extents.extend((at / 512).to_le_bytes());
        extents.extend(0_u32.to_le_bytes());
        at = (at + length).next_multiple_of(FIRST);
    }
    let size = at;
    out.set_len(size)?;
    let mut groups = Vec::new();
    for (group, most) in [("default", 0), ("main_a", size - FIRST), ("main_b", size - FIRST)] {
        groups.extend(name(group));
        groups.extend(0_u32.to_le_bytes());
        groups.extend(most.to_le_bytes());
    }
    let mut devices = Vec::new();
    devices.extend((FIRST / 512).to_le_bytes());
    devices.extend(u32::try_from(FIRST)?.to_le_bytes());
    devices.extend(0_u32.to_le_bytes());
    devices.extend(size.to_le_bytes());
    devices.extend(name("super"));
    devices.extend(0_u32.to_le_bytes());

    let tables: Vec<u8> = [&partitions[..], &extents, &groups, &devices].concat();
    let mut header = Vec::new();
    header.extend(0x414C_5030_u32.to_le_bytes());
    header.extend(10_u16.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(256_u32.to_le_bytes());
    header.extend([0; 32]);
    header.extend(u32::try_from(tables.len())?.to_le_bytes());
    header.extend(Sha256::digest(&tables));
    let mut start = 0_u32;
    for (table, entry) in [(&partitions, 52_u32), (&extents, 24), (&groups, 48), (&devices, 64)] {
        let length = u32::try_from(table.len())?;
        for value in [start, length / entry, entry] {
            header.extend(value.to_le_bytes());
        }
        start += length;
    }
    header.resize(256, 0);
    seal(&mut header, 12);
    let mut geometry = Vec::new();
    geometry.extend(0x616C_4467_u32.to_le_bytes());
    geometry.extend(52_u32.to_le_bytes());
    geometry.extend([0; 32]);
    geometry.extend(u32::try_from(METADATA)?.to_le_bytes());
    geometry.extend(u32::try_from(SLOTS)?.to_le_bytes());
    geometry.extend(4096_u32.to_le_bytes());
    seal(&mut geometry, 8);
    for place in [4096, 8192] {
        out.seek(SeekFrom::Start(place))?;
        out.write_all(&geometry)?;
    }
    for copy in 0..SLOTS * 2 {
        out.seek(SeekFrom::Start(12_288 + copy * METADATA))?;
        out.write_all(&header)?;
        out.write_all(&tables)?;
    }
    Ok(())
}

/// Puts the checksum of the structure into it, where zeros stand.
fn seal(structure: &mut [u8], at: usize) {
    let sum = Sha256::digest(&*structure);
    for (to, from) in structure.iter_mut().skip(at).zip(sum) {
        *to = from;
    }
}

/// Copies, and leaves holes where there are zeros.
fn copy_data(source: &mut File, out: &mut File) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match source.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        let Some(piece) = buffer.get(..filled).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        if piece.iter().all(|byte| *byte == 0) {
            out.seek_relative(i64::try_from(filled)?)?;
        } else {
            out.write_all(piece)?;
        }
    }
}
