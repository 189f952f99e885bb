//! Package files of a phone, read in place: by ranges, many files with one request.
//!
//! The code that reads package files asks for bytes that may not be here yet. Then it fails, what it asked for is noted, and
//! after all files were tried, everything noted is fetched with one request; then they are tried again. A file is done
//! when it was read without asking for more. So the number of requests is that of the steps in which one place of a file
//! leads to the next, not that of files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::asking::Asker;
use crate::adb::commands::{self, READ_BLOCK, READ_BLOCKS};
use crate::apk;
use crate::bytes::{ParseError, ReadAt, SharedBytes, within};
use crate::collect::firmware::{claimed, of_file};
use crate::collect::{Deep, Progress};
use crate::inventory::{
    CopyRole, Evidence, Fact, Gap, GapReason, Hides, Origin, OriginKind, Package, Placement, Signer,
};

/// Requests after which a file that still asks for more is given up: a directory that leads in circles does not end.
const ROUNDS: u32 = 16;

/// Most bytes that are fetched of one file, and of one phone.
const FILE_BYTES: u64 = 32 << 20;
const PHONE_BYTES: u64 = 512 << 20;

/// Bytes of the end that are fetched at first: the end record, and the directory of most files.
const TAIL: u64 = 4 << 10;

/// Bytes fetched beyond what is asked for, doubled with each request: what is read late is read on.
const AHEAD: u64 = 1 << 10;
const MOST_AHEAD: u64 = 64 << 10;

/// A file on the phone, as far as it was fetched.
struct Remote {
    len: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: BTreeMap<u64, Vec<u8>>,
    wanted: BTreeSet<u64>,
    ahead: u64,
    fetched: u64,
}

impl Remote {
    fn new(len: u64) -> Self {
        let mut state = State { ahead: AHEAD, ..State::default() };
        if len > 0 {
            state.wanted.extend(len.saturating_sub(TAIL) / READ_BLOCK..=(len - 1) / READ_BLOCK);
            // The first signature is looked at once the directory is read.
            state.wanted.insert(0);
        }
        Self { len, state: Mutex::new(state) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for and is not here, as runs of blocks: start and count.
    fn take_wanted(&self) -> Vec<(u64, u64)> {
        let mut state = self.lock();
        let wanted = std::mem::take(&mut state.wanted);
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for block in wanted.into_iter().filter(|block| !state.blocks.contains_key(block)) {
            match runs.last_mut() {
                Some((start, count)) if *start + *count == block && *count < READ_BLOCKS => *count += 1,
                _ => runs.push((block, 1)),
            }
        }
        runs
    }

    /// Enters a run. `Err` if it has not the length that the file's length gives it.
    fn enter(&self, start: u64, count: u64, bytes: &[u8]) -> Result<(), String> {
        let expected = self.len.saturating_sub(start * READ_BLOCK).min(count * READ_BLOCK);
        if bytes.len() as u64 != expected {
            return Err(format!("{} bytes came, {expected} were asked for", bytes.len()));
        }
        let mut state = self.lock();
        state.fetched += expected;
        for (number, block) in (start..).zip(bytes.chunks(usize::try_from(READ_BLOCK).unwrap_or(1024))) {
            state.blocks.insert(number, block.to_vec());
        }
        Ok(())
    }

    fn is_waiting(&self) -> bool {
        !self.lock().wanted.is_empty()
    }
}

impl ReadAt for Remote {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        if buf.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        let end = offset + buf.len() as u64;
        let (first, last) = (offset / READ_BLOCK, (end - 1) / READ_BLOCK);
        let missing: Vec<u64> = (first..=last).filter(|block| !state.blocks.contains_key(block)).collect();
        if !missing.is_empty() {
            let ahead = (end + state.ahead).min(self.len).saturating_sub(1) / READ_BLOCK;
            state.wanted.extend(missing);
            state.wanted.extend(last..=ahead);
            return Err(ParseError::io(offset, io::Error::new(io::ErrorKind::WouldBlock, "not fetched yet")));
        }
        let mut at = offset;
        for block in first..=last {
            let start = usize::try_from(at - block * READ_BLOCK).unwrap_or(usize::MAX);
            let stop = usize::try_from(end.min((block + 1) * READ_BLOCK) - block * READ_BLOCK).unwrap_or(usize::MAX);
            let from = state.blocks.get(&block).and_then(|bytes| bytes.get(start..stop));
            let begin = usize::try_from(at - offset).unwrap_or(usize::MAX);
            let to = buf.get_mut(begin..begin.saturating_add(stop.saturating_sub(start)));
            match (from, to) {
                (Some(from), Some(to)) => to.copy_from_slice(from),
                _ => return Err(ParseError::truncated(offset, buf.len() as u64, self.len)),
            }
            at = (block + 1) * READ_BLOCK;
        }
        Ok(())
    }
}

/// What a file gave.
enum Answer {
    Certificates(Result<Vec<apk::Certificate>, ParseError>),
    Whole(Result<Box<apk::Apk>, ParseError>),
}

/// A package file that is to be read, and where its facts go.
struct Task {
    package: usize,
    copy: usize,
    path: String,
    remote: Option<Arc<Remote>>,
    answer: Option<Answer>,
    gap: Option<Gap>,
}

/// What reading has cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    pub(super) files: usize,
    pub(super) requests: u32,
    pub(super) bytes: u64,
}

/// Reads the package files of pre-installed packages and adds what they say.
pub(super) fn read(asker: &mut Asker<'_>, packages: &mut [Package], deep: Deep, progress: &dyn Progress) -> Cost {
    let mut tasks = tasks(packages, &mut asker.gaps);
    let mut cost = Cost { files: tasks.len(), ..Cost::default() };
    progress.step(&format!("{} package files", tasks.len()));
    sizes(asker, &mut tasks, &mut cost);
    for round in 0..ROUNDS {
        let mut asked: Vec<(usize, u64, u64)> = Vec::new();
        for (number, task) in tasks.iter_mut().enumerate() {
            if let Some(remote) = task.remote.as_ref().filter(|_| task.answer.is_none() && task.gap.is_none()) {
                if round > 0 {
                    let source: SharedBytes = remote.clone();
                    let answer = match deep {
                        Deep::All => Answer::Whole(apk::open(&source).map(Box::new)),
                        Deep::No | Deep::Signers => Answer::Certificates(apk::certificates(&source)),
                    };
                    if !remote.is_waiting() {
                        task.answer = Some(answer);
                        continue;
                    }
                }
                asked.extend(remote.take_wanted().into_iter().map(|(start, count)| (number, start, count)));
            }
        }
        if asked.is_empty() {
            break;
        }
        progress.step(&format!("package files, request {}", round + 1));
        fetch(asker, &mut tasks, &asked, &mut cost);
    }
    if let Some(gap) = common(&tasks) {
        asker.note(gap);
        return cost;
    }
    for task in tasks {
        finish(asker, packages, task);
    }
    cost
}

/// The one reason for which no file could be read, as where the phone lacks a tool: told once, not for each file.
fn common(tasks: &[Task]) -> Option<Gap> {
    let [first, second, rest @ ..] = tasks else { return None };
    let gap = first.gap.as_ref()?;
    let is_same =
        |task: &Task| task.gap.as_ref().is_some_and(|other| (other.reason, &other.detail) == (gap.reason, &gap.detail));
    let all = is_same(second) && rest.iter().all(is_same);
    all.then(|| Gap::new(format!("{} package files", tasks.len()), gap.reason, gap.detail.clone()))
}

fn tasks(packages: &[Package], gaps: &mut Vec<Gap>) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (number, package) in packages.iter().enumerate() {
        for (position, copy) in package.copies.iter().enumerate() {
            // What the list of packages does not name the base APK of lies in a folder of its own name.
            let path = if copy.path.ends_with(".apk") || copy.path.ends_with(".apex") {
                copy.path.clone()
            } else {
                let name = copy.path.rsplit('/').next().unwrap_or_default();
                format!("{}/{name}.apk", copy.path)
            };
            // Somebody's own app is none of ours, and its updates neither, but for the factory's.
            if copy.role == CopyRole::Added && copy.placement.known() == Some(&Placement::Apex) {
                continue;
            }
            if commands::is_package_file(&path) {
                tasks.push(Task { package: number, copy: position, path, remote: None, answer: None, gap: None });
            } else {
                let words = "a path with characters that are not sent to a shell";
                gaps.push(Gap::new(path, GapReason::Unsupported, words));
            }
        }
    }
    tasks
}

fn sizes(asker: &mut Asker<'_>, tasks: &mut [Task], cost: &mut Cost) {
    let commands: Vec<_> = tasks.iter().filter_map(|task| commands::size(&task.path)).collect();
    cost.requests += u32::try_from(commands::Batch::of(commands.clone()).len()).unwrap_or(u32::MAX);
    for (task, answer) in tasks.iter_mut().zip(asker.raw_batch(commands)) {
        let length = answer.and_then(|bytes| {
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            text.parse::<u64>().map_err(|_| Gap::new(&task.path, GapReason::Damaged, format!("its length is `{text}`")))
        });
        match length {
            Ok(length) => task.remote = Some(Arc::new(Remote::new(length))),
            Err(gap) => task.gap = Some(Gap { place: task.path.clone(), ..gap }),
        }
    }
}

fn fetch(asker: &mut Asker<'_>, tasks: &mut [Task], asked: &[(usize, u64, u64)], cost: &mut Cost) {
    let mut commands = Vec::new();
    let mut runs = Vec::new();
    for (number, start, count) in asked {
        let Some(task) = tasks.get_mut(*number) else { continue };
        let Some(remote) = &task.remote else { continue };
        let fetched = remote.lock().fetched;
        if fetched + count * READ_BLOCK > FILE_BYTES || cost.bytes > PHONE_BYTES {
            task.gap = Some(Gap::new(&task.path, GapReason::TooLarge, "more of the file is needed than is fetched"));
            continue;
        }
        if let Some(command) = commands::read(&task.path, *start, *count) {
            commands.push(command);
            runs.push((*number, *start, *count));
        }
    }
    cost.requests += u32::try_from(commands::Batch::of(commands.clone()).len()).unwrap_or(u32::MAX);
    for ((number, start, count), answer) in runs.into_iter().zip(asker.raw_batch(commands)) {
        let Some(task) = tasks.get_mut(number) else { continue };
        let Some(remote) = &task.remote else { continue };
        let entered = answer.and_then(|bytes| {
            cost.bytes += bytes.len() as u64;
            remote.enter(start, count, &bytes).map_err(|words| Gap::new(&task.path, GapReason::Truncated, words))
        });
        if let Err(gap) = entered {
            task.gap = Some(Gap { place: task.path.clone(), ..gap });
        }
        let mut state = remote.lock();
        state.ahead = (state.ahead * 2).min(MOST_AHEAD);
    }
}

fn finish(asker: &mut Asker<'_>, packages: &mut [Package], task: Task) {
    let Task { package, copy, path, remote, answer, gap } = task;
    let Some(copy) = packages.get_mut(package).and_then(|package| package.copies.get_mut(copy)) else { return };
    let length = remote.as_ref().map(|remote| remote.len);
    let unread = |detail: String| Gap::new(&path, GapReason::Damaged, detail);
    let gap = match (gap, answer) {
        (Some(gap), _) => gap,
        (None, None) => unread(format!("it was not read with {ROUNDS} requests")),
        (None, Some(Answer::Certificates(Err(error)))) => unread(error.to_string()),
        (None, Some(Answer::Whole(Err(error)))) => unread(error.to_string()),
        (None, Some(Answer::Certificates(Ok(certificates)))) => {
            let origin = Origin { kind: OriginKind::File, name: path.clone(), length, sha256: None };
            let at = asker.origins.evidence(origin).at("signatures");
            let told = certificates.iter().map(claimed).collect();
            sign(&mut copy.signers, told, &at, &path, &mut asker.gaps);
            return;
        }
        (None, Some(Answer::Whole(Ok(apk)))) => {
            let read = of_file(path.clone(), length.unwrap_or(0), *apk, &mut asker.origins);
            if let (Some(told), Some(found)) = (copy.version_code.known(), read.version_code.known())
                && told != found
            {
                let words = format!("the phone says version {told}, the file {found}");
                asker.gaps.push(Gap::new(&path, GapReason::Contradiction, words));
            }
            match read.signers {
                Fact::Known { value, evidence } => sign(&mut copy.signers, value, &evidence, &path, &mut asker.gaps),
                Fact::Unknown(gap) => asker.gaps.push(gap),
            }
            // The file is the authority for what it asks for; what the device told was filtered.
            copy.requested_permissions = read.requested_permissions;
            copy.declared_permissions = read.declared_permissions;
            copy.label = read.label;
            copy.launcher = read.launcher;
            copy.code = read.code;
            copy.manifest = read.manifest;
            copy.path = path;
            return;
        }
    };
    asker.gaps.push(gap.hiding(Hides::Facts));
}

/// Takes the certificates of a file for the numbers that the phone told. That the numbers are the same proves nothing, that
/// they differ does.
fn sign(known: &mut Fact<Vec<Signer>>, told: Vec<Signer>, at: &Evidence, path: &str, gaps: &mut Vec<Gap>) {
    if let Fact::Known { value, .. } = known {
        let numbers = |list: &[Signer]| -> BTreeSet<String> {
            list.iter().map(|signer| format!("{:0>8}", signer.hash_code)).collect()
        };
        let (by_phone, by_file) = (numbers(value), numbers(&told));
        if !by_phone.is_empty() && !by_file.is_empty() && by_phone.is_disjoint(&by_file) {
            let words = format!("the phone accepted the certificates {by_phone:?}, the file has {by_file:?}");
            gaps.push(Gap::new(path, GapReason::Contradiction, words));
        }
    }
    *known = Fact::new(told, at);
}
