//! This computer: the program adb, room for temporary files, memory.

use std::path::{Path, PathBuf};

use super::finding::{self, Finding};

/// Below it an image whose streams have to be unpacked does not fit.
const DISK: u64 = 4 << 30;
/// Below it two targets at once do not fit.
const MEMORY: u64 = 512 << 20;

pub(super) fn look(findings: &mut Vec<Finding>) {
    match adb() {
        Some(path) => findings.push(Finding::new(&finding::ADB_PROGRAM, path.display().to_string(), "")),
        None => findings.push(Finding::new(&finding::ADB_PROGRAM_MISSING, "", "")),
    }
    let folder = std::env::temp_dir();
    if let Some(free) = free(&folder) {
        let kind = if free < DISK { &finding::DISK_LOW } else { &finding::DISK };
        findings.push(Finding::new(kind, folder.display().to_string(), size(free)));
    }
    let available = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    if let Some(available) = available {
        let kind = if available < MEMORY { &finding::MEMORY_LOW } else { &finding::MEMORY };
        findings.push(Finding::new(kind, size(available), ""));
    }
}

/// Where the program adb is, as a shell would find it.
pub(super) fn adb() -> Option<PathBuf> {
    let name = if cfg!(windows) { "adb.exe" } else { "adb" };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Bytes that an unprivileged user may still write.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}

/// `MemAvailable:   123 kB`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

fn size(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib >= 10 << 10 { format!("{} GiB", mib >> 10) } else { format!("{mib} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_sizes_are_read_and_printed() {
        assert_eq!(available("MemTotal: 1 kB\nMemAvailable:    2048 kB\n"), Some(2 << 20));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!((size(5 << 20).as_str(), size(20 << 30).as_str()), ("5 MiB", "20 GiB"));
    }
}
