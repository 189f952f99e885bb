//! LZ4 frames from the front: linked blocks, frames one after another, the legacy form (`lz4_Frame_format.md` 1.6.4).
//!
//! Only the block decoder is the crate's: its frame decoder (0.14) fails an assertion of its own on a file whose frames have
//! different block sizes. The checksums (xxHash) are not checked.

use std::io::{self, BufRead, Read};

const MAGIC: u32 = 0x184D_2204;
const LEGACY_MAGIC: u32 = 0x184C_2102;
const STORED: u32 = 1 << 31;
/// A linked block refers back this far.
const WINDOW: usize = 64 << 10;
const LEGACY_BLOCK: usize = 8 << 20;

/// The content of frames one after another.
pub(super) struct Lz4Frames<R> {
    input: R,
    frame: Option<Frame>,
    /// The end of what linked blocks put out.
    window: Vec<u8>,
    block: Vec<u8>,
    taken: usize,
}

#[derive(Clone, Copy)]
struct Frame {
    legacy: bool,
    linked: bool,
    block_bytes: usize,
    block_checksum: bool,
    content_checksum: bool,
}

fn invalid(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

impl<R: BufRead> Lz4Frames<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, frame: None, window: Vec::new(), block: Vec::new(), taken: 0 }
    }

    fn word(&mut self) -> io::Result<u32> {
        let mut raw = [0; 4];
        self.input.read_exact(&mut raw)?;
        Ok(u32::from_le_bytes(raw))
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        match io::copy(&mut self.input.by_ref().take(len), &mut io::sink())? {
            skipped if skipped == len => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn ended(&mut self) -> io::Result<bool> {
        Ok(self.input.fill_buf()?.is_empty())
    }

    fn begin(&mut self, magic: u32) -> io::Result<()> {
        self.window.clear();
        if magic == LEGACY_MAGIC {
            let block_bytes = LEGACY_BLOCK;
            let frame =
                Frame { legacy: true, linked: false, block_bytes, block_checksum: false, content_checksum: false };
            self.frame = Some(frame);
            return Ok(());
        }
        if magic & 0xFFFF_FFF0 == 0x184D_2A50 {
            let len = self.word()?;
            return self.skip(u64::from(len));
        }
        let mut raw = [0; 2];
        self.input.read_exact(&mut raw)?;
        let [flags, descriptor] = raw;
        let class = descriptor >> 4 & 7;
        if magic != MAGIC || flags >> 6 != 1 || class < 4 {
            return Err(invalid("not an LZ4 frame"));
        }
        if flags & 1 != 0 {
            return Err(invalid("a frame with a dictionary"));
        }
        self.skip(if flags & 8 == 0 { 1 } else { 9 })?;
        self.frame = Some(Frame {
            legacy: false,
            linked: flags & 0x20 == 0,
            block_bytes: 1 << (2 * class + 8),
            block_checksum: flags & 0x10 != 0,
            content_checksum: flags & 4 != 0,
        });
        Ok(())
    }

    /// Decodes the next block, which may be empty, or ends the frame.
    fn step(&mut self, frame: Frame) -> io::Result<()> {
        if frame.legacy && self.ended()? {
            self.frame = None;
            return Ok(());
        }
        let size = self.word()?;
        if frame.legacy && (size == MAGIC || size == LEGACY_MAGIC) {
            return self.begin(size);
        }
        if size == 0 && !frame.legacy {
            self.frame = None;
            return if frame.content_checksum { self.skip(4) } else { Ok(()) };
        }
        let stored = size & STORED != 0 && !frame.legacy;
        let len = usize::try_from(if frame.legacy { size } else { size & !STORED }).unwrap_or(usize::MAX);
        let most = if frame.legacy { LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16 } else { frame.block_bytes };
        if len > most {
            return Err(invalid("a block above the frame's block size"));
        }
        let mut data = vec![0; len];
        self.input.read_exact(&mut data)?;
        if frame.block_checksum {
            self.skip(4)?;
        }
        if stored {
            self.block = data;
        } else {
            self.block.resize(frame.block_bytes, 0);
            let len = lz4_flex::block::decompress_into_with_dict(&data, &mut self.block, &self.window);
            self.block.truncate(len.map_err(io::Error::other)?);
        }
        self.taken = 0;
        if frame.linked {
            self.window.extend_from_slice(&self.block);
            self.window.drain(..self.window.len().saturating_sub(WINDOW));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.block.len() {
            if let Some(frame) = self.frame {
                self.step(frame)?;
            } else if self.ended()? {
                return Ok(0);
            } else {
                let magic = self.word()?;
                self.begin(magic)?;
            }
        }
        let rest = self.block.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(target), Some(rest)) = (buf.get_mut(..count), rest.get(..count)) {
            target.copy_from_slice(rest);
        }
        self.taken += count;
        Ok(count)
    }
}
