//! Package files of realistic layout and any size: a real one with a large entry before its signing block, so that the
//! directory, the block and the manifest stand where they do in real ones. The signature is there and not valid.

use std::fs::{self, File};
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// Numbers that are the same in every run (xorshift64*).
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Uniform in 0 to 1.
    fn part(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / 4_294_967_296.0
    }

    /// Normal, by the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }
}

/// A real package file in its three pieces.
struct Base {
    entries: Vec<u8>,
    block: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Base {
    fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| path.display().to_string())?;
        let read = || {
            let end = data.windows(4).rposition(|window| window == b"PK\x05\x06")?;
            let count = u16::from_le_bytes(data.get(end + 10..end + 12)?.try_into().ok()?);
            let word = |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize);
            let (length, start) = (word(end + 12)?, word(end + 16)?);
            let footer = data.get(start.checked_sub(24)?..start)?;
            let block = if footer.ends_with(b"APK Sig Block 42") {
                usize::try_from(u64::from_le_bytes(footer.get(..8)?.try_into().ok()?)).ok()? + 8
            } else {
                0
            };
            Some(Self {
                entries: data.get(..start.checked_sub(block)?)?.to_vec(),
                block: data.get(start - block..start)?.to_vec(),
                directory: data.get(start..start + length)?.to_vec(),
                count,
            })
        };
        read().with_context(|| format!("{}: not a package file", path.display()))
    }
}

/// Code and pictures: half of it does not compress, half of it does well.
fn content(length: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + (256 << 10));
    while out.len() < length {
        for _ in 0..16 << 10 {
            out.extend(numbers.next().to_le_bytes());
        }
        let pattern: Vec<u8> = (0..8).flat_map(|_| (numbers.next() & 0x1f1f_1f1f_1f1f_1f1f).to_le_bytes()).collect();
        for _ in 0..2 << 10 {
            out.extend(&pattern);
        }
    }
    out.truncate(length);
    out
}

fn write(base: &Base, path: &Path, length: usize, numbers: &mut Numbers) -> Result<u64> {
    const NAME: &[u8] = b"lib/arm64-v8a/libbulk.so";
    let data = content(length, numbers);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&data);
    let (crc, size) = (crc.finalize().to_le_bytes(), u32::try_from(length)?.to_le_bytes());
    let offset = u32::try_from(base.entries.len())?;
    // The data begin at a page, by the extra field that zipalign uses.
    let unpadded = base.entries.len() + 30 + NAME.len() + 6;
    let padding = unpadded.next_multiple_of(4096) - unpadded;
    let mut extra = vec![0x35, 0xd9];
    extra.extend(u16::try_from(padding + 2)?.to_le_bytes());
    extra.extend(4096_u16.to_le_bytes());
    extra.resize(6 + padding, 0);
    let name_len = u16::try_from(NAME.len())?.to_le_bytes();

    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).with_context(|| path.display().to_string())?);
    out.write_all(&base.entries)?;
    out.write_all(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\x02")?;
    for piece in [&crc[..], &size, &size, &name_len, &u16::try_from(extra.len())?.to_le_bytes(), NAME, &extra, &data] {
        out.write_all(piece)?;
    }
    out.write_all(&base.block)?;
    let start = u32::try_from(out.stream_position()?)?;
    let mut directory = base.directory.clone();
    directory.extend(b"PK\x01\x02\x14\0\x0a\0\0\0\0\0\0\0\x21\x02");
    directory.extend(crc.iter().chain(&size).chain(&size).chain(&name_len).chain(&[0; 12]));
    directory.extend(offset.to_le_bytes());
    directory.extend(NAME);
    out.write_all(&directory)?;
    let count = (base.count + 1).to_le_bytes();
    out.write_all(b"PK\x05\x06\0\0\0\0")?;
    out.write_all(&count)?;
    out.write_all(&count)?;
    out.write_all(&u32::try_from(directory.len())?.to_le_bytes())?;
    out.write_all(&start.to_le_bytes())?;
    out.write_all(&[0; 2])?;
    let length = out.stream_position()?;
    out.flush()?;
    Ok(length)
}

/// Writes `count` packages into `app` and `priv-app` of `folder`; sizes are lognormal around `mean` MiB, 220 MiB at most.
/// Their bytes in all.
pub(super) fn fill(folder: &Path, bases: &[std::path::PathBuf], count: u32, mean: f64, seed: u64) -> Result<u64> {
    let bases = bases.iter().map(|path| Base::read(path)).collect::<Result<Vec<_>>>()?;
    let mut numbers = Numbers::new(seed);
    let mut bytes = 0;
    for index in 0..count {
        let name = format!("App{seed}x{index:03}");
        let folder = folder.join(if index % 3 == 0 { "priv-app" } else { "app" }).join(&name);
        fs::create_dir_all(&folder)?;
        let mib = ((numbers.normal() * 1.6).exp() * mean * 0.28).min(220.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 220 MiB")]
        let length = (mib * 1_048_576.0) as usize;
        let at = numbers.below(bases.len());
        let base = bases.get(at).context("no base")?;
        bytes += write(base, &folder.join(format!("{name}.apk")), length, &mut numbers)?;
    }
    Ok(bytes)
}
