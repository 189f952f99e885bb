//! Texts that Android printed, by the command that they answer.
//!
//! A bug report's text (`dumpstate`) has many:
//!
//! ```text
//! == dumpstate: 2020-01-08 15:30:07
//! ------ SYSTEM PROPERTIES (getprop) ------
//! [name]: [value]
//! ------ 0.036s was the duration of 'SYSTEM PROPERTIES' ------
//! -------------------------------------------------------------------------------
//! DUMP OF SERVICE [CRITICAL|HIGH|NORMAL] package:
//! ...
//! --------- 0.224s was the duration of dumpsys package, ending at: 2020-01-08 15:32:02
//! ```

use std::collections::BTreeMap;

use crate::adb::{Answer, Command, Failure, Shell};

/// Texts that were found, by what they answer.
#[derive(Debug, Default)]
pub(super) struct Texts {
    answers: BTreeMap<String, Found>,
    bug_report: bool,
    /// Said where only names of packages were found.
    pub(super) names_only: Option<String>,
}

#[derive(Debug)]
struct Found {
    /// File, section and line, for evidence.
    place: String,
    text: String,
}

/// Services whose text is kept.
const SERVICES: [&str; 9] =
    ["accessibility", "appops", "device_policy", "features", "overlay", "package", "role", "settings", "user"];

/// Whether a text is one that Android prints. Settings are told by the file's name too: their lines have no form.
pub(super) fn recognizes(name: &str, head: &str) -> bool {
    head.contains("== dumpstate: ")
        || head.lines().any(|line| line.starts_with("DUMP OF SERVICE "))
        || bare(name, head).is_some()
}

/// What a text without sections answers.
fn bare(name: &str, text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    let second = lines.next().unwrap_or_default();
    let begins = |words: &str| first.starts_with(words) || second.starts_with(words);
    if first.starts_with('[') && first.contains("]: [") {
        return Some("getprop".to_owned());
    }
    if first.starts_with("package:") {
        return Some(list_key(user_in(name)));
    }
    if first.starts_with("feature:") {
        return Some("features".to_owned());
    }
    let titles = [
        ("ACCESSIBILITY MANAGER (dumpsys accessibility)", "accessibility"),
        ("Current AppOps Service state", "appops"),
        ("Current Device Policy Manager state:", "device_policy"),
        ("ROLE MANAGER STATE", "role"),
    ];
    if let Some((_, key)) = titles.into_iter().find(|(title, _)| begins(title)) {
        return Some(key.to_owned());
    }
    if first == "Users:" && second.contains("UserInfo{") {
        return Some("user".to_owned());
    }
    let has_title = |title: &str, below: &str| text.contains(&format!("{title}\n{below}"));
    if has_title("Packages:", "  Package [")
        || ["Database versions:", "Verifiers:", "Activity Resolver Table:", "Receiver Resolver Table:"]
            .iter()
            .any(|title| begins(title))
    {
        return Some("package".to_owned());
    }
    if text.lines().any(|line| line.starts_with("SECURE SETTINGS (user ") || line.starts_with("GLOBAL SETTINGS (user "))
    {
        return Some("settings".to_owned());
    }
    if first.ends_with(" {") && second.trim_start().starts_with("mPackageName.") {
        return Some("overlay".to_owned());
    }
    let file = name.rsplit('/').next().unwrap_or_default();
    (file.contains("settings_secure") && first.contains('=')).then(|| secure_key(user_in(name)))
}

/// The user whom a file's name tells, 0 where it tells none: `packages-10.txt`, `settings_secure_user10.txt`.
fn user_in(name: &str) -> u32 {
    let stem = name.rsplit('/').next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    stem.get(stem.len() - digits..).and_then(|digits| digits.parse().ok()).filter(|user| *user < 1000).unwrap_or(0)
}

fn list_key(user: u32) -> String {
    format!("list {user}")
}

fn secure_key(user: u32) -> String {
    format!("secure {user}")
}

impl Texts {
    /// Adds a file of a capture.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        // Windows' editors and `adb shell` of old put carriage returns before line feeds.
        let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text.into_owned() };
        let text = text.trim_start_matches('\u{feff}');
        if text.contains("== dumpstate: ") || text.lines().any(|line| line.starts_with("DUMP OF SERVICE ")) {
            self.bug_report |= text.contains("== dumpstate: ");
            self.sections(name, text);
        } else if let Some(key) = bare(name, text) {
            if key.starts_with("list ") && !text.lines().any(|line| line.starts_with("package:/")) {
                self.names_only.get_or_insert_with(|| name.to_owned());
                return;
            }
            self.keep(key, name.to_owned(), text.to_owned());
        }
    }

    /// Keeps an answer; of two for one question, the longer one: bug reports dump some services twice, the first time in
    /// haste.
    pub(super) fn keep(&mut self, key: String, place: String, text: String) {
        let longer = self.answers.get(&key).is_none_or(|found| found.text.len() < text.len());
        if longer {
            self.answers.insert(key, Found { place, text });
        }
    }

    /// Keeps a list of packages of one user that was made of another form.
    pub(super) fn keep_list(&mut self, user: u32, place: String, text: String) {
        self.keep(list_key(user), place, text);
    }

    /// The properties' text and place, if they are there.
    pub(super) fn properties(&self) -> Option<(&str, &str)> {
        self.answers.get("getprop").map(|found| (found.text.as_str(), found.place.as_str()))
    }

    /// Whether any text tells of packages.
    pub(super) fn tells_packages(&self) -> bool {
        self.answers.keys().any(|key| key == "package" || key.starts_with("list "))
    }

    pub(super) fn layer(&self) -> &'static str {
        if self.bug_report { "bug report" } else { "texts" }
    }

    fn sections(&mut self, name: &str, text: &str) {
        let mut open: Option<(String, String, String)> = None;
        let mut empty_rule = false;
        for (line, content) in (1_u64..).zip(text.lines()) {
            let rule = content.len() >= 20 && content.bytes().all(|byte| byte == b'-');
            let ends = content.starts_with("------ ")
                || (content.starts_with("--------- ") && content.contains(" was the duration of "));
            let service = content
                .strip_prefix("DUMP OF SERVICE ")
                .and_then(|rest| rest.strip_suffix(':'))
                .map(|rest| rest.rsplit(' ').next().unwrap_or(rest));
            if rule || ends || service.is_some() {
                if let Some((key, place, text)) = open.take() {
                    self.keep(key, place, text);
                }
            }
            let place = |what: &str| format!("{name}: {what}, from line {}", line + 1);
            if let Some(service) = service {
                if SERVICES.contains(&service) {
                    open = Some((service.to_owned(), place(&format!("DUMP OF SERVICE {service}")), String::new()));
                }
            } else if content.starts_with("------ SYSTEM PROPERTIES (") {
                open = Some(("getprop".to_owned(), place("SYSTEM PROPERTIES"), String::new()));
            } else if !rule && !ends {
                if let Some((_, _, text)) = &mut open {
                    text.push_str(content);
                    text.push('\n');
                }
            }
            empty_rule = rule;
        }
        if let Some((key, place, mut kept)) = open {
            // A file that ends without the line that tells how long a dump took was cut; so is its last line, perhaps.
            if !empty_rule && !text.ends_with('\n') {
                kept.pop();
            }
            self.keep(key, place, kept);
        }
    }

    fn find(&self, command: &Command) -> Option<&Found> {
        let last = command.line().rsplit(' ').next().unwrap_or_default();
        let user = || {
            let mut words = command.line().split(' ').skip_while(|word| *word != "--user");
            words.nth(1).and_then(|user| user.parse::<u32>().ok()).unwrap_or(0)
        };
        match command.row().name {
            "properties" => self.answers.get("getprop"),
            "users" => self.answers.get("user"),
            "packages" | "packages-old" | "shared-users" | "shared-users-old" | "permissions" | "permissions-old"
            | "everything" | "everything-old" => self.answers.get("package"),
            "service" | "service-old" => self.answers.get(last),
            "features" => self.answers.get("features"),
            "list" => self.answers.get(&list_key(user())),
            "settings" => self.answers.get(&secure_key(user())).or_else(|| self.answers.get("settings")),
            _ => None,
        }
    }
}

impl Shell for Texts {
    fn run(&self, command: &Command) -> Result<Answer, Failure> {
        match self.find(command) {
            Some(found) => Ok(Answer { stdout: found.text.clone().into_bytes(), stderr: Vec::new(), status: 0 }),
            None => Err(Failure::NotCaptured("the capture does not hold it".to_owned())),
        }
    }

    fn file(&self, command: &Command) -> Option<String> {
        self.find(command).map(|found| found.place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adb::commands;

    const REPORT: &str = "====\n== dumpstate: 2020-01-08 15:30:07\n====\n\n------ SYSTEM PROPERTIES (getprop) ------\n[a.b]: \
        [1]\n------ 0.036s was the duration of 'SYSTEM PROPERTIES' ------\n\n\
        -------------------------------------------------------------------------------\nDUMP OF SERVICE HIGH \
        package:\nshort\n--------- 0.1s was the duration of dumpsys package, ending at: x\n\
        -------------------------------------------------------------------------------\nDUMP OF SERVICE \
        package:\nPackages:\n  Package [a.b] (1):\n--------- 0.2s was the duration of dumpsys package, ending at: x\n";

    fn text(texts: &Texts, command: &Command) -> Option<String> {
        texts.run(command).ok().map(|answer| String::from_utf8(answer.stdout).unwrap())
    }

    #[test]
    fn a_bug_report_is_cut_into_the_answers_of_commands_and_the_longer_of_two_is_taken() {
        let mut texts = Texts::default();
        texts.add("report.txt", REPORT.as_bytes());
        assert_eq!(text(&texts, &commands::properties()).as_deref(), Some("[a.b]: [1]\n"));
        assert_eq!(text(&texts, &commands::packages(29)).as_deref(), Some("Packages:\n  Package [a.b] (1):\n"));
        assert_eq!(
            texts.file(&commands::packages(29)).as_deref(),
            Some("report.txt: DUMP OF SERVICE package, from line 15")
        );
        assert!(matches!(texts.run(&commands::launcher(0)), Err(Failure::NotCaptured(_))));
        assert_eq!(texts.layer(), "bug report");
    }

    #[test]
    fn bare_texts_are_told_by_their_beginnings_and_users_by_names() {
        for (name, text, key) in [
            ("x.txt", "[a]: [b]\n", Some("getprop")),
            ("pm-10.txt", "package:/system/a.apk=a.b\n", Some("list 10")),
            ("y", "ROLE MANAGER STATE (dumpsys role):\n{\n", Some("role")),
            ("y", "\n\nCurrent Device Policy Manager state:\n", Some("device_policy")),
            ("settings_secure.txt", "a=b\n", Some("secure 0")),
            ("notes.txt", "a=b\n", None),
            ("z", "Users:\n\tUserInfo{0:Owner:13} running\n", Some("user")),
            ("z", "feature:android.hardware.camera\n", Some("features")),
            ("p", "Packages:\n  Package [a] (1):\n", Some("package")),
            ("readme", "This is a text.\n", None),
        ] {
            assert_eq!(bare(name, text).as_deref(), key, "{name} {text:?}");
        }
    }

    #[test]
    fn names_without_paths_are_no_list() {
        let mut texts = Texts::default();
        texts.add("p.txt", b"package:com.example.a\npackage:com.example.b\n");
        assert!(!texts.tells_packages());
        assert_eq!(texts.names_only.as_deref(), Some("p.txt"));
    }
}
