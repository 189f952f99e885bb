//! A file of the host.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{ParseError, ReadAt, within};

/// A file of the host, opened for reading only. Its length is taken once: a file that shrinks later reads as truncated.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    len: u64,
}

impl FileBytes {
    /// A file that is open already, of which the first `len` bytes are meant.
    pub(super) fn new(file: File, len: u64) -> Self {
        Self { file, len }
    }

    fn failed(&self, offset: u64, len: usize, error: io::Error) -> ParseError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ParseError::truncated(offset, len as u64, self.len),
            _ => ParseError::io(offset, error),
        }
    }

    pub(super) fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.file, offset, bytes)
    }

    pub(super) fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    /// The same file, of which the first `len` bytes are meant.
    pub(super) fn cut(self, len: u64) -> Self {
        Self { len, ..self }
    }

    /// Opens a regular file.
    ///
    /// # Errors
    /// [`super::ErrorKind::Io`], also for a directory, a pipe or a device: they have no stable length.
    pub fn open(path: &Path) -> Result<Self, ParseError> {
        let open = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            Ok(Self { file, len: metadata.len() })
        };
        open().map_err(|error| ParseError::io(0, error))
    }
}

impl ReadAt for FileBytes {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        read_exact(&self.file, offset, buf).map_err(|error| self.failed(offset, buf.len(), error))
    }

    /// Without filling the vector with zeros before.
    #[cfg(unix)]
    fn read_vec(&self, offset: u64, len: usize) -> Result<Vec<u8>, ParseError> {
        within(self.len, offset, len as u64)?;
        let mut buf = Vec::with_capacity(len);
        read_to_capacity(&self.file, offset, &mut buf, len).map_err(|error| self.failed(offset, len, error))?;
        Ok(buf)
    }
}

#[cfg(unix)]
fn read_to_capacity(file: &File, offset: u64, buf: &mut Vec<u8>, len: usize) -> io::Result<()> {
    while buf.len() < len {
        let at = offset + buf.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(buf), at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            // The vector may have been given room for more.
            Ok(_) => buf.truncate(len),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_exact(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buf, offset)
}

#[cfg(unix)]
fn write_all(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all(file: &File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = bytes.get(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn read_exact(file: &File, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buf.is_empty() {
        match file.seek_read(buf, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buf = buf.get_mut(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::ErrorKind;
    use super::*;

    #[test]
    fn a_new_vector_holds_what_a_buffer_is_filled_with_and_a_file_that_shrank_is_truncated() {
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(100_000).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let source = FileBytes::open(file.path()).unwrap();
        for (offset, len) in [(0, 0), (0, 1), (99_999, 1), (100_000, 0), (7, 65_536), (0, 100_000)] {
            let read = source.read_vec(offset as u64, len).unwrap();
            let mut buf = vec![0; len];
            source.read_exact_at(offset as u64, &mut buf).unwrap();
            assert_eq!((read.as_slice(), buf.as_slice()), (&bytes[offset..offset + len], read.as_slice()));
        }
        let truncated =
            |read: Result<Vec<u8>, ParseError>| matches!(read.unwrap_err().kind, ErrorKind::Truncated { .. });
        assert!(truncated(source.read_vec(99_999, 2)));
        assert!(truncated(source.read_vec(u64::MAX, 1)));
        file.as_file().set_len(50_000).unwrap();
        assert!(truncated(source.read_vec(49_999, 2)));
    }
}
