//! Writer of `payload.bin` with XZ operations, as a full update has them
//! (<https://android.googlesource.com/platform/system/update_engine/+/main/update_metadata.proto>).

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const CHUNK: usize = 2 << 20;
const BLOCK: usize = 4096;
const REPLACE: u64 = 0;
const ZERO: u64 = 6;
const REPLACE_XZ: u64 = 8;

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Type and data of the operation for a chunk: whatever is smallest, as `delta_generator` decides. `scratch` is a file for it.
fn compress(chunk: &[u8], scratch: &Path) -> io::Result<(u64, Vec<u8>)> {
    if chunk.iter().all(|byte| *byte == 0) {
        return Ok((ZERO, Vec::new()));
    }
    fs::write(scratch, chunk)?;
    let xz = Command::new("xz").args(["-0", "--check=crc32", "--stdout"]).stdin(File::open(scratch)?).output()?;
    if !xz.status.success() {
        return Err(io::Error::other(format!("xz: {}", xz.status)));
    }
    Ok(if xz.stdout.len() < chunk.len() { (REPLACE_XZ, xz.stdout) } else { (REPLACE, chunk.to_vec()) })
}

/// Writes the update of `images`, by partition name, to `path`.
pub(super) fn write(path: &Path, images: &[(&str, &Path)]) -> Result<()> {
    let data_path = path.with_extension("data");
    let mut data = BufWriter::with_capacity(1 << 20, File::create(&data_path)?);
    let (mut partitions, mut offset) = (Vec::new(), 0_u64);
    for (name, image) in images {
        let mut source = BufReader::with_capacity(CHUNK, File::open(image).context(image.display().to_string())?);
        let (mut hash, mut operations, mut block, mut size) = (Sha256::new(), Vec::new(), 0_u64, 0_u64);
        loop {
            let mut chunks = Vec::new();
            for _ in 0..thread::available_parallelism().map_or(2, |count| count.get() * 4) {
                let mut chunk = Vec::new();
                source.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
                if chunk.is_empty() {
                    break;
                }
                chunk.resize(chunk.len().next_multiple_of(BLOCK), 0);
                hash.update(&chunk);
                chunks.push(chunk);
            }
            if chunks.is_empty() {
                break;
            }
            for (chunk, packed) in chunks.iter().zip(all(&chunks, path)?) {
                let (kind, blob) = packed;
                let (mut operation, mut extent) = (Vec::new(), Vec::new());
                number(&mut operation, 1, kind);
                if !blob.is_empty() {
                    number(&mut operation, 2, offset);
                    number(&mut operation, 3, blob.len() as u64);
                    offset += blob.len() as u64;
                    data.write_all(&blob)?;
                }
                number(&mut extent, 1, block);
                number(&mut extent, 2, (chunk.len() / BLOCK) as u64);
                bytes(&mut operation, 6, &extent);
                if !blob.is_empty() {
                    bytes(&mut operation, 8, &Sha256::digest(&blob));
                }
                bytes(&mut operations, 8, &operation);
                block += (chunk.len() / BLOCK) as u64;
                size += chunk.len() as u64;
            }
        }
        let (mut partition, mut info) = (Vec::new(), Vec::new());
        number(&mut info, 1, size);
        bytes(&mut info, 2, &hash.finalize());
        bytes(&mut partition, 1, name.as_bytes());
        bytes(&mut partition, 7, &info);
        partition.extend(operations);
        bytes(&mut partitions, 13, &partition);
    }
    data.flush()?;
    let mut manifest = Vec::new();
    number(&mut manifest, 3, BLOCK as u64);
    number(&mut manifest, 12, 0);
    manifest.extend(partitions);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(b"CrAU")?;
    out.write_all(&2_u64.to_be_bytes())?;
    out.write_all(&(manifest.len() as u64).to_be_bytes())?;
    out.write_all(&0_u32.to_be_bytes())?;
    out.write_all(&manifest)?;
    io::copy(&mut File::open(&data_path)?, &mut out)?;
    out.flush()?;
    Ok(fs::remove_file(data_path)?)
}

/// Every chunk compressed, on all cores, in order; scratch files stand beside `path`.
fn all(chunks: &[Vec<u8>], path: &Path) -> Result<Vec<(u64, Vec<u8>)>> {
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let share = chunks.len().div_ceil(workers).max(1);
    let packed = thread::scope(|scope| {
        let work = |number: usize, part: &[Vec<u8>]| {
            let scratch = path.with_extension(format!("chunk{number}"));
            let packed = part.iter().map(|chunk| compress(chunk, &scratch)).collect::<io::Result<Vec<_>>>();
            fs::remove_file(scratch).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            packed
        };
        let parts = chunks.chunks(share).enumerate();
        let running: Vec<_> = parts.map(|(number, part)| scope.spawn(move || work(number, part))).collect();
        running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut out = Vec::new();
    for part in packed {
        out.extend(part.map_err(|_| anyhow::anyhow!("a thread of the compressor ended"))??);
    }
    Ok(out)
}
