//! What the targets share: package files around the bytes of one entry, and reading a source to its end.

use std::sync::Arc;

use preloaded::bytes::{Budget, Limits, SharedBytes};

/// A budget small enough that what is slow is found as such.
#[must_use]
pub fn budget() -> Arc<Budget> {
    Budget::new(Limits {
        parts: 4096,
        files: 4096,
        decompressed: 64 << 20,
        memory: 16 << 20,
        spill: 16 << 20,
        ..Limits::default()
    })
}

/// Reads pieces from the beginning, the middle and the end; whatever comes of it.
pub fn read_some(bytes: &SharedBytes) {
    let len = bytes.len();
    let mut buf = [0; 512];
    for at in [0, 4096, len / 2, len.saturating_sub(buf.len() as u64)] {
        let count = usize::try_from(len.saturating_sub(at)).unwrap_or(buf.len()).min(buf.len());
        let _ = bytes.read_exact_at(at, &mut buf[..count]);
    }
    assert!(bytes.read_exact_at(len, &mut buf[..1]).is_err(), "a byte past the end was read");
}

/// A ZIP of stored entries with `block` before its central directory. Sums are left out: Android checks none here.
#[must_use]
pub fn package(entries: &[(&str, &[u8])], block: &[u8]) -> SharedBytes {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let size = u32::try_from(data.len()).unwrap_or_default().to_le_bytes();
        let offset = u32::try_from(out.len()).unwrap_or_default().to_le_bytes();
        let name_len = u16::try_from(name.len()).unwrap_or_default().to_le_bytes();
        // Flags, method, time, date and sum are zero.
        out.extend(*b"PK\x03\x04\x0a\0");
        out.extend([0; 12]);
        out.extend(size.iter().chain(&size).chain(&name_len).chain(&[0, 0]));
        out.extend(name.bytes());
        out.extend(*data);
        directory.extend(*b"PK\x01\x02\x0a\0\x0a\0");
        directory.extend([0; 12]);
        directory.extend(size.iter().chain(&size).chain(&name_len));
        directory.extend([0; 12]);
        directory.extend(offset);
        directory.extend(name.bytes());
    }
    out.extend(block);
    let start = u32::try_from(out.len()).unwrap_or_default().to_le_bytes();
    let length = u32::try_from(directory.len()).unwrap_or_default().to_le_bytes();
    let count = u16::try_from(entries.len()).unwrap_or_default().to_le_bytes();
    out.extend(directory);
    out.extend(*b"PK\x05\x06\0\0\0\0");
    out.extend(count.iter().chain(&count).chain(&length).chain(&start).chain(&[0, 0]));
    Arc::new(out)
}

/// The manifest of `tests/data/apks/apk-info--anomalies--clean.apk` (its README names the origin), whose label refers into the
/// resources.
#[must_use]
pub fn manifest() -> &'static [u8] {
    include_bytes!("../manifest.bin")
}
