//! Package files of a phone, read in place: by ranges, many files with one request.
//!
//! The code that reads package files asks for bytes that may not be here yet. Then it fails, what it asked for is noted, and
//! after all files were tried, everything noted is fetched with one request; then they are tried again. A file is done
//! when it was read without asking for more. So the number of requests is that of the steps in which one place of a file
//! leads to the next, not that of files. A phone whose shell can't read parts gives whole files, one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::asking::Asker;
use super::files::{Files, Part};
use super::links::{self, Links};
use super::remote::Remote;
use crate::adb::commands::{self, READ_BLOCK};
use crate::apk;
use crate::bytes::{FileBytes, ParseError, SharedBytes};
use crate::collect::firmware::{claimed, of_file};
use crate::collect::{Deep, Progress, Request};
use crate::inventory::{
    CopyRole, Evidence, Fact, Gap, GapReason, Hides, Origin, OriginKind, Package, Placement, Signer,
};

/// Requests after which a file that still asks for more is given up: a directory that leads in circles does not end.
const ROUNDS: u32 = 16;

/// Most bytes that are fetched of one file, and of one phone, by parts.
const FILE_BYTES: u64 = 32 << 20;
const PHONE_BYTES: u64 = 512 << 20;

/// Whole files that a phone may refuse before it has given one; then it is asked for no more.
const REFUSALS: usize = 3;

/// What a file gave.
enum Answer {
    Certificates(Result<Vec<apk::Certificate>, ParseError>),
    Whole(Result<Box<apk::Apk>, ParseError>),
}

impl Answer {
    fn of(source: &SharedBytes, deep: Deep) -> Self {
        match deep {
            Deep::All => Self::Whole(apk::open(source).map(Box::new)),
            Deep::No | Deep::Signers => Self::Certificates(apk::certificates(source)),
        }
    }
}

/// A package file that is to be read, and where its facts go.
struct Task {
    package: usize,
    copy: usize,
    path: String,
    remote: Option<Arc<Remote>>,
    len: Option<u64>,
    answer: Option<Answer>,
    gap: Option<Gap>,
}

/// Reads the package files of pre-installed packages and adds what they say; the number of files that were read.
pub(super) fn read(
    asker: &mut Asker<'_>,
    files: &mut Files,
    packages: &mut [Package],
    request: &Request,
    progress: &dyn Progress,
) -> usize {
    let deep = request.deep;
    let all = tasks(packages, &mut asker.gaps);
    // Who verifies each file reads each.
    let (first, rest) = if deep == Deep::Signers && !request.verify {
        one_of_each(packages, all, &request.also)
    } else {
        (all, Vec::new())
    };
    let mut count = first.len();
    let first = run(asker, files, first, deep, progress);
    if let Some(gap) = common(&first, rest.len()) {
        asker.note(gap);
        return count;
    }
    let mut links = Links::default();
    for task in first {
        finish(asker, packages, task, &mut links);
    }
    // Where the file that was to stand for the others could not be read, or shows that they are not alike, each is read.
    let leads = |task: &Task| {
        let copy = packages.get(task.package).and_then(|package| package.copies.get(task.copy));
        copy.and_then(links::numbers).is_some_and(|numbers| links.lead(&numbers))
    };
    let (linked, again): (Vec<Task>, Vec<Task>) = rest.into_iter().partition(leads);
    if !again.is_empty() {
        count += again.len();
        for task in run(asker, files, again, deep, progress) {
            finish(asker, packages, task, &mut links);
        }
    }
    for task in linked {
        if let Some(copy) = packages.get_mut(task.package).and_then(|package| package.copies.get_mut(task.copy)) {
            links.link(copy);
        }
    }
    asker.gaps.extend(links.shared());
    count
}

/// Files that are read in any case, and those that one of them may stand for.
fn one_of_each(packages: &[Package], all: Vec<Task>, named: &BTreeSet<String>) -> (Vec<Task>, Vec<Task>) {
    let mut seen: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let is_named = |task: &Task| packages.get(task.package).is_some_and(|package| named.contains(&package.name));
    // Those that are read anyway stand for others first.
    let (asked, others): (Vec<Task>, Vec<Task>) = all.into_iter().partition(is_named);
    let numbers = |task: &Task| links::numbers(packages.get(task.package)?.copies.get(task.copy)?);
    seen.extend(asked.iter().filter_map(numbers));
    for task in others {
        if numbers(&task).is_some_and(|numbers| !seen.insert(numbers)) {
            rest.push(task);
        } else {
            first.push(task);
        }
    }
    first.extend(asked);
    (first, rest)
}

fn run(
    asker: &mut Asker<'_>,
    files: &mut Files,
    mut tasks: Vec<Task>,
    deep: Deep,
    progress: &dyn Progress,
) -> Vec<Task> {
    progress.step(&format!("{} package files", tasks.len()));
    if !files.are_whole() {
        lengths(asker, files, &mut tasks);
    }
    for round in 0..ROUNDS {
        let mut asked: Vec<(usize, u64, u64)> = Vec::new();
        for (number, task) in tasks.iter_mut().enumerate() {
            if let Some(remote) = task.remote.as_ref().filter(|_| task.answer.is_none() && task.gap.is_none()) {
                if round > 0 {
                    let source: SharedBytes = remote.clone();
                    let answer = Answer::of(&source, deep);
                    if !remote.is_waiting() {
                        task.answer = Some(answer);
                        continue;
                    }
                }
                asked.extend(remote.take_wanted().into_iter().map(|(start, count)| (number, start, count)));
            }
        }
        if asked.is_empty() || files.are_whole() {
            break;
        }
        progress.step(&format!("package files, request {}", round + 1));
        fetch(asker, files, &mut tasks, &asked);
    }
    if files.are_whole() {
        whole(asker, files, &mut tasks, deep, progress);
    }
    tasks
}

/// The one reason for which no file could be read, as where the phone lacks a tool: told once, not for each file.
fn common(tasks: &[Task], others: usize) -> Option<Gap> {
    let [first, second, rest @ ..] = tasks else { return None };
    let gap = first.gap.as_ref()?;
    let is_same =
        |task: &Task| task.gap.as_ref().is_some_and(|other| (other.reason, &other.detail) == (gap.reason, &gap.detail));
    let all = is_same(second) && rest.iter().all(is_same);
    all.then(|| Gap::new(format!("{} package files", tasks.len() + others), gap.reason, gap.detail.clone()))
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
                tasks.push(Task {
                    package: number,
                    copy: position,
                    path,
                    remote: None,
                    len: None,
                    answer: None,
                    gap: None,
                });
            } else {
                let words = "a path with characters that are not sent to a shell";
                gaps.push(Gap::new(path, GapReason::Unsupported, words));
            }
        }
    }
    tasks
}

fn lengths(asker: &mut Asker<'_>, files: &mut Files, tasks: &mut [Task]) {
    let paths: Vec<&str> = tasks.iter().map(|task| task.path.as_str()).collect();
    let lengths = files.lengths(asker, &paths);
    for (task, length) in tasks.iter_mut().zip(lengths) {
        match length {
            Ok(length) => {
                task.len = Some(length);
                task.remote = Some(Arc::new(Remote::new(length)));
            }
            Err(gap) => task.gap = Some(gap),
        }
    }
}

fn fetch(asker: &mut Asker<'_>, files: &mut Files, tasks: &mut [Task], asked: &[(usize, u64, u64)]) {
    let mut runs = Vec::new();
    for (number, start, count) in asked {
        let Some(task) = tasks.get_mut(*number) else { continue };
        let Some(remote) = &task.remote else { continue };
        if remote.fetched() + count * READ_BLOCK > FILE_BYTES || files.bytes > PHONE_BYTES {
            task.gap = Some(Gap::new(&task.path, GapReason::TooLarge, "more of the file is needed than is fetched"));
            continue;
        }
        runs.push((*number, *start, *count));
    }
    let part = |(number, start, count): &(usize, u64, u64)| {
        let task = tasks.get(*number)?;
        Some(Part { path: &task.path, len: task.len?, start: *start, count: *count })
    };
    let parts: Vec<Part<'_>> = runs.iter().filter_map(part).collect();
    let answers = match files.parts(asker, &parts) {
        Ok(answers) => answers,
        Err(gaps) => gaps.into_iter().map(Err).collect(),
    };
    for ((number, start, _), answer) in runs.into_iter().zip(answers) {
        let Some(task) = tasks.get_mut(number) else { continue };
        match (answer, &task.remote) {
            (Ok(bytes), Some(remote)) => remote.enter(start, &bytes),
            (Ok(_), None) => {}
            (Err(gap), _) => task.gap = Some(gap),
        }
    }
}

/// Reads whole files, each dropped before the next. The gaps that stand stay where a file does not come.
fn whole(asker: &mut Asker<'_>, files: &mut Files, tasks: &mut [Task], deep: Deep, progress: &dyn Progress) {
    let (mut given, mut refused) = (false, 0);
    for task in tasks.iter_mut().filter(|task| task.answer.is_none()) {
        if !given && refused >= REFUSALS {
            return;
        }
        progress.step(&format!("the whole of {}", task.path));
        match files.whole(asker, &task.path) {
            Ok((file, length)) => {
                given = true;
                task.gap = match FileBytes::open(file.path()) {
                    Ok(bytes) => {
                        let source: SharedBytes = Arc::new(bytes);
                        task.answer = Some(Answer::of(&source, deep));
                        task.len = Some(length);
                        None
                    }
                    Err(error) => Some(Gap::new(&task.path, GapReason::Failed, error.to_string())),
                };
            }
            Err(gap) => {
                refused += 1;
                // Once files come, each has a reason of its own; until then the tools are what is missing.
                if given || task.gap.is_none() {
                    task.gap = Some(gap);
                }
            }
        }
    }
}

fn finish(asker: &mut Asker<'_>, packages: &mut [Package], task: Task, links: &mut Links) {
    let Task { package, copy, path, len: length, answer, gap, .. } = task;
    let Some(copy) = packages.get_mut(package).and_then(|package| package.copies.get_mut(copy)) else { return };
    let unread = |detail: String| Gap::new(&path, GapReason::Damaged, detail);
    let gap = match (gap, answer) {
        (Some(gap), _) => gap,
        (None, None) => unread(format!("it was not read with {ROUNDS} requests")),
        (None, Some(Answer::Certificates(Err(error)))) => unread(error.to_string()),
        (None, Some(Answer::Whole(Err(error)))) => unread(error.to_string()),
        (None, Some(Answer::Certificates(Ok(certificates)))) => {
            let origin = Origin { kind: OriginKind::File, name: path.clone(), length, sha256: None };
            let at = asker.origins.evidence(origin).at("signatures");
            let told: Vec<Signer> = certificates.iter().map(claimed).collect();
            links.enter(&told, &path);
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
            list.iter().map(|signer| links::digits(&signer.hash_code)).collect()
        };
        let (by_phone, by_file) = (numbers(value), numbers(&told));
        if !by_phone.is_empty() && !by_file.is_empty() && by_phone.is_disjoint(&by_file) {
            let words = format!("the phone accepted the certificates {by_phone:?}, the file has {by_file:?}");
            gaps.push(Gap::new(path, GapReason::Contradiction, words));
        }
    }
    *known = Fact::new(told, at);
}
