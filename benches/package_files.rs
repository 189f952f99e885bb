//! `cargo bench --bench package_files`: processor time and bytes read for the facts of one package file, on the files that come
//! with the project. `cargo xtask bench apk` measures the program beside others on many more.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a panic is how a benchmark fails, and its figures are for people"
)]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use preloaded::apk;
use preloaded::bytes::{FileBytes, ParseError, ReadAt, SharedBytes};

/// Milliseconds of processor time for the file in the middle.
const MOST: f64 = 1.0;
const ROUNDS: u32 = 50;

/// Nanoseconds that this thread has run; by the wall where the kernel does not say.
fn now(start: Instant) -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ran = text.split_whitespace().next().and_then(|word| word.parse().ok());
    ran.unwrap_or_else(|| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

struct Counted {
    file: FileBytes,
    read: AtomicU64,
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        self.read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        self.file.read_exact_at(offset, buf)
    }
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["samples/apks", "tests/data/apks", "tests/data/signatures"].map(|folder| root.join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "apk"));
    files.sort();
    files
}

fn main() {
    let start = Instant::now();
    let (mut rows, mut length, mut read) = (Vec::new(), 0, 0);
    for path in files() {
        let before = now(start);
        for _ in 0..ROUNDS {
            let source: SharedBytes = Arc::new(FileBytes::open(&path).unwrap());
            let _ = black_box(apk::open(&source));
        }
        let spent = now(start).saturating_sub(before) as f64 / f64::from(ROUNDS) / 1e6;
        let counted = Arc::new(Counted { file: FileBytes::open(&path).unwrap(), read: AtomicU64::new(0) });
        let source: SharedBytes = counted.clone();
        let _ = apk::open(&source);
        length += counted.len();
        read += counted.read.load(Ordering::Relaxed);
        rows.push((spent, path));
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (median, _) = rows.get(rows.len() / 2).unwrap();
    let (worst, name) = rows.last().unwrap();
    println!("{} package files, {read} of {length} bytes read", rows.len());
    println!("median {median:.3} ms of processor time, at most {MOST} wanted");
    println!("slowest {worst:.3} ms, {}", name.file_name().unwrap().to_string_lossy());
    assert!(*median <= MOST, "the median is above {MOST} ms");
}
