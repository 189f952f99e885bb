//! A shell that answers from files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use preloaded::adb::{Answer, Command, Failure, Shell};
use preloaded::collect::phone::PhoneSource;
use preloaded::collect::{Request, Silent, Source, SourceError};
use preloaded::inventory::Inventory;

/// What happens to one call.
#[derive(Clone, Debug)]
pub(super) enum Sabotage {
    /// The transport fails.
    Fails(Failure),
    /// The phone answers this instead.
    Says(Answer),
    /// The answer ends in the middle of a line.
    Cut,
    /// The phone stops its dump in the middle, and exits with 0.
    Stopped,
}

/// A phone in memory: answers by key (`packages`, `list-0`).
#[derive(Default)]
pub(super) struct Phone {
    pub(super) answers: BTreeMap<String, Vec<u8>>,
    /// Sabotage by number of the call, from 0; the last holds for all later calls if `for_ever`.
    pub(super) sabotage: Option<(usize, Sabotage)>,
    pub(super) for_ever: bool,
    pub(super) log: RefCell<Vec<String>>,
}

impl Phone {
    /// A folder of `tests/data/captures`.
    pub(super) fn fictional(name: &str) -> Self {
        Self::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures").join(name))
    }

    fn of_folder(folder: &Path) -> Self {
        let mut phone = Self::default();
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            phone.answers.insert(stem, fs::read(&path).unwrap());
        }
        phone
    }

    pub(super) fn answer(mut self, key: &str, text: impl Into<Vec<u8>>) -> Self {
        self.answers.insert(key.to_owned(), text.into());
        self
    }

    /// Changes an answer that is there.
    pub(super) fn edit(mut self, key: &str, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.answers[key].clone()).unwrap();
        assert!(text.contains(from), "{key} has no {from:?}");
        self.answers.insert(key.to_owned(), text.replace(from, to).into_bytes());
        self
    }

    pub(super) fn without(mut self, key: &str) -> Self {
        assert!(self.answers.remove(key).is_some(), "{key}");
        self
    }

    pub(super) fn collect_also(&self, also: &[&str]) -> Result<Inventory, SourceError> {
        let also = also.iter().map(|name| (*name).to_owned()).collect();
        let request = Request { also, ..Request::default() };
        PhoneSource::new(self, "adb:test", None).collect(&request, &Silent)
    }

    pub(super) fn collect(&self) -> Result<Inventory, SourceError> {
        self.collect_also(&[])
    }
}

/// The key of a command: its row's name, and the user.
fn key(command: &Command) -> String {
    let name = command.row().name.trim_end_matches("-old");
    let words: Vec<_> = command.line().split(' ').collect();
    match words.iter().position(|word| *word == "--user").and_then(|at| words.get(at + 1)) {
        Some(user) => format!("{name}-{user}"),
        None => name.to_owned(),
    }
}

impl Shell for Phone {
    fn run(&self, command: &Command) -> Result<Answer, Failure> {
        let number = self.log.borrow().len();
        self.log.borrow_mut().push(command.line().to_owned());
        let honest = match self.answers.get(&key(command)) {
            Some(text) => Answer { stdout: text.clone(), stderr: Vec::new(), status: 0 },
            None => Answer { stdout: Vec::new(), stderr: b"/system/bin/sh: cmd: not found".to_vec(), status: 127 },
        };
        let hit = self.sabotage.as_ref().filter(|(at, _)| number == *at || (self.for_ever && number >= *at));
        let half = || {
            let text = &honest.stdout;
            let mut end = text.len() / 2;
            // Not at the end of a line: a cut there shows in no single answer, and the transport's end marker is for it.
            while end > 0 && (text[end - 1] == b'\n' || text[end] == b'\n') {
                end -= 1;
            }
            text[..end].to_vec()
        };
        match hit.map(|(_, sabotage)| sabotage) {
            None => Ok(honest),
            Some(Sabotage::Fails(failure)) => Err(failure.clone()),
            Some(Sabotage::Says(answer)) => Ok(answer.clone()),
            Some(Sabotage::Cut) => Ok(Answer { stdout: half(), ..honest }),
            Some(Sabotage::Stopped) => {
                let mut stdout = half();
                stdout.extend_from_slice(b"\n*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n");
                Ok(Answer { stdout, ..honest })
            }
        }
    }
}
