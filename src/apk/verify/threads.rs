//! Work in numbered pieces over a bounded number of threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::bytes::ParseError;

/// More would wait for the disk.
const MAX_THREADS: usize = 8;
/// Bytes for which one thread more is worth its start.
const PER_THREAD: u64 = 1 << 20;

/// The results of `job` for each of `count` pieces of `bytes` in all, in their order. After an error no new piece is begun.
pub(super) fn map<T: Send>(
    count: usize,
    bytes: u64,
    job: impl Fn(usize, &mut Vec<u8>) -> Result<T, ParseError> + Sync,
) -> Result<Vec<T>, ParseError> {
    let worth = usize::try_from(bytes / PER_THREAD).unwrap_or(MAX_THREADS);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS).min(count).min(worth);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let (mut done, mut buffer) = (Vec::new(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= count {
                break;
            }
            let result = job(piece, &mut buffer);
            stop.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((piece, result));
        }
        done
    };
    let mut all = if threads <= 1 {
        work()
    } else {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let results = workers.into_iter().map(|worker| worker.join());
            results.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    };
    all.sort_unstable_by_key(|(piece, _)| *piece);
    all.into_iter().map(|(_, result)| result).collect()
}
