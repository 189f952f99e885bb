//! `dumpsys package` and its parts (`packages`, `shared-users`, `permissions`, `permission NAMES`), Android 5 to 16.
//!
//! The answer is a row of sections, each begun by a title at the margin. The sections `Packages`, `Hidden system
//! packages` (the factory copies of updated packages), `Shared users`, `Permissions` and `Features` are read; the others
//! are named in [`PackageDump::sections`]. Where one part was asked for, the whole dump is read as well.

pub mod block;
pub mod facts;

use block::{Block, Reader};

use super::refusal::{self, Refusal, RefusalKind};
use super::{At, Leftover};

/// A dump of the package manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageDump {
    /// Entries of `Packages`; `None` if there is no such section.
    pub packages: Option<Vec<Block>>,
    /// Entries of `Hidden system packages`.
    pub hidden: Vec<Block>,
    /// Entries of `Shared users`; `None` if there is no such section.
    pub shared_users: Option<Vec<Block>>,
    /// Entries of `Permissions`; `None` if there is no such section.
    pub permissions: Option<Vec<Block>>,
    /// Lines of `Features`.
    pub features: Vec<At<String>>,
    /// Titles of all sections, in order.
    pub sections: Vec<At<String>>,
    /// How it ends.
    pub end: End,
    /// Entries of the packages' sections whose title was not understood.
    pub lost_packages: u64,
    /// Lines of the sections above that were not understood.
    pub leftover: Leftover,
}

/// How a dump ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// As far as the text shows, it is whole. A dump cut between two entries looks whole too: hold it against the list
    /// of packages.
    Whole,
    /// The device says that it stopped, with its words.
    Stopped(At<Refusal>),
    /// It ends within a line or an entry; the line.
    Cut(u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Packages,
    Hidden,
    Shared,
    Permissions,
    Features,
    Other,
}

/// Reads a dump.
#[must_use]
pub fn parse(text: &str) -> PackageDump {
    let mut packages = Reader::new("Package");
    let mut hidden = Reader::new("Package");
    let mut shared = Reader::new("SharedUser");
    let mut permissions = Reader::new("Permission");
    let mut out = PackageDump {
        packages: None,
        hidden: Vec::new(),
        shared_users: None,
        permissions: None,
        features: Vec::new(),
        sections: Vec::new(),
        end: End::Whole,
        lost_packages: 0,
        leftover: Leftover::default(),
    };
    let (mut has_packages, mut has_shared, mut has_permissions) = (false, false, false);
    let mut section = Section::Other;
    let mut last_line = 0;
    for (line, content) in super::numbered(text) {
        last_line = line;
        if content.trim().is_empty() {
            continue;
        }
        if !content.starts_with([' ', '\t']) {
            // Android's own log of warnings stands at the margin too, each line with its date, and quotes such words.
            let is_log = content.starts_with(|c: char| c.is_ascii_digit());
            if let Some(refusal) = refusal::find(content).filter(|_| !is_log) {
                out.end = End::Stopped(At { value: refusal, line });
                break;
            }
            section = match content.trim_end() {
                "Packages:" => {
                    has_packages = true;
                    Section::Packages
                }
                "Hidden system packages:" => Section::Hidden,
                "Shared users:" => {
                    has_shared = true;
                    Section::Shared
                }
                "Permissions:" => {
                    has_permissions = true;
                    Section::Permissions
                }
                "Features:" => Section::Features,
                _ => Section::Other,
            };
            out.sections.push(At { value: content.trim_end().trim_end_matches(':').to_owned(), line });
            continue;
        }
        match section {
            Section::Packages => packages.line(line, content, &mut out.leftover),
            Section::Hidden => hidden.line(line, content, &mut out.leftover),
            Section::Shared => shared.line(line, content, &mut out.leftover),
            Section::Permissions => permissions.line(line, content, &mut out.leftover),
            Section::Features => out.features.push(At { value: content.trim().to_owned(), line }),
            Section::Other => {}
        }
    }
    let last = match section {
        Section::Packages => packages.last(),
        Section::Hidden => hidden.last(),
        Section::Shared => shared.last(),
        Section::Permissions => permissions.last(),
        Section::Features | Section::Other => None,
    };
    // Android prints a line for every user at the end of each package: there is always user 0.
    let without_users = matches!(section, Section::Packages | Section::Hidden)
        && last.as_ref().is_some_and(|block| block.users.is_empty());
    if out.end == End::Whole && (without_users || (!text.is_empty() && !text.ends_with('\n'))) {
        out.end = End::Cut(last_line);
    }
    if let Some(block) = last.filter(|_| out.end != End::Whole) {
        block.complete = false;
    }
    out.lost_packages = packages.lost() + hidden.lost();
    out.packages = has_packages.then(|| packages.into_blocks());
    out.hidden = hidden.into_blocks();
    out.shared_users = has_shared.then(|| shared.into_blocks());
    out.permissions = has_permissions.then(|| permissions.into_blocks());
    out
}

impl End {
    /// Why the dump is not whole, in words; `None` if it is.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Stopped(refusal) => Some(format!("line {}: {}", refusal.line, refusal.value.words)),
            Self::Cut(line) => Some(format!("the dump ends within an entry, at line {line}")),
        }
    }

    /// The device's words, if it gave any.
    #[must_use]
    pub fn refusal(&self) -> Option<RefusalKind> {
        match self {
            Self::Stopped(refusal) => Some(refusal.value.kind),
            Self::Whole | Self::Cut(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "Packages:\n  Package [com.example.a] (1f):\n    userId=10001\n    versionCode=7 minSdk=24 \
        targetSdk=30\n    requested permissions:\n      a.B\n    User 0: installed=true enabled=0\n      \
        lastDisabledCaller: com.x\n      runtime permissions:\n        a.B: granted=true\n\nShared users:\n  SharedUser \
        [s] (2):\n    userId=1000\n    Packages\n      PackageSetting{1 com.example.a/1000}\n    User 0: \n      \
        gids=[1, 2]\n";

    #[test]
    fn fields_lists_and_users_are_told_apart_by_indentation() {
        let dump = parse(SMALL);
        let package = &dump.packages.as_ref().unwrap()[0];
        assert_eq!(package.body.field("minSdk").unwrap(), At { value: "24", line: 4 });
        assert_eq!(package.body.list("requested permissions").unwrap().value[0], At { value: "a.B".into(), line: 6 });
        let user = &package.users[0];
        assert_eq!(user.words["installed"], "true");
        assert_eq!(user.body.field("lastDisabledCaller").unwrap().value, "com.x");
        assert_eq!(user.body.list("runtime permissions").unwrap().value.len(), 1);
        let shared = &dump.shared_users.as_ref().unwrap()[0];
        assert_eq!(shared.body.list("Packages").unwrap().value.len(), 1);
        assert_eq!(shared.users[0].body.field("gids").unwrap().value, "[1, 2]");
        assert_eq!((dump.end, dump.leftover.count), (End::Whole, 0));
    }

    #[test]
    fn a_dump_that_the_device_stopped_is_not_whole() {
        let text = format!(
            "{}*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n",
            SMALL.split("    User 0").next().unwrap()
        );
        let dump = parse(&text);
        assert_eq!(dump.end.refusal(), Some(RefusalKind::TimedOut));
        assert!(!dump.packages.unwrap()[0].complete);
    }

    #[test]
    fn the_phones_log_of_warnings_does_not_stop_a_dump() {
        let text = format!("{SMALL}\nPackage warning messages:\n4/1/70 11:05 PM: com.example.b not found\n");
        assert_eq!(parse(&text).end, End::Whole);
    }

    #[test]
    fn a_dump_that_ends_within_an_entry_is_cut() {
        for end in ["    User 0", "ed=true", "    requested"] {
            let text = SMALL.split(end).next().unwrap();
            assert!(matches!(parse(text).end, End::Cut(_)), "before {end:?}");
        }
    }

    #[test]
    fn fields_below_a_title_that_was_not_understood_do_not_go_to_the_entry_before() {
        let dump = parse("Packages:\n  Package [a] (1):\n    User 0: installed=true\n  Package <b>:\n    userId=9\n");
        assert_eq!(dump.lost_packages, 1);
        assert_eq!(dump.packages.unwrap()[0].body.field("userId"), None);
    }

    #[test]
    fn a_line_outside_the_grammar_is_counted() {
        let dump = parse("Packages:\n  what is this\n  Package [a] (1):\n    nonsense\n    User 0: installed=true\n");
        assert_eq!((dump.leftover.count, dump.lost_packages), (2, 1));
        assert_eq!(dump.leftover.samples[0], At { value: "what is this".into(), line: 2 });
    }
}
