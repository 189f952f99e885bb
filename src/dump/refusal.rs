//! A device's words for "no", whatever the exit status.
//!
//! `dumpsys` exits with 0 after a time-out, for an unknown service and after an exception of the service, and `pm`
//! prints some security exceptions with exit status 0 too.

/// What kind of "no" it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The shell user may not.
    Denied,
    /// The device gave up in the middle.
    TimedOut,
    /// The command, service or option does not exist.
    Unknown,
    /// It failed otherwise.
    Failed,
}

/// A device's own words for why there is no answer, or no whole one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its kind.
    pub kind: RefusalKind,
    /// The line, cut to 300 characters.
    pub words: String,
}

/// The refusal that `text` (an answer, or its standard error) holds: the first that denies, else the first of all. Only
/// lines that begin with a device's known words count: a dump quotes such words further in.
#[must_use]
pub fn find(text: &str) -> Option<Refusal> {
    let mut first = None;
    for line in text.lines() {
        let Some(kind) = kind(line) else { continue };
        let refusal = Refusal { kind, words: line.trim().chars().take(300).collect() };
        // An exception is announced by a line that says nothing of its kind.
        if kind == RefusalKind::Denied {
            return Some(refusal);
        }
        first.get_or_insert(refusal);
    }
    first
}

fn kind(line: &str) -> Option<RefusalKind> {
    // Indented lines belong to a dump, but for `pm list users` and for traces of exceptions, which begin at the margin.
    if line.starts_with([' ', '\t']) {
        return None;
    }
    if line.starts_with("*** SERVICE '") && line.contains("DUMP TIMEOUT") {
        return Some(RefusalKind::TimedOut);
    }
    const DENIED: [&str; 6] = [
        "Permission Denial",
        "Permission denied",
        "java.lang.SecurityException",
        "SecurityException",
        "Security exception",
        "Error: java.lang.SecurityException",
    ];
    const UNKNOWN: [&str; 6] =
        ["Can't find service", "Unknown option", "Error: Unknown option", "Unknown command", "Bad argument", "usage:"];
    const FAILED: [&str; 8] = [
        "Error:",
        "Error dumping service",
        "Error with service",
        "Exception occurred while",
        "Failure while",
        "Failed to",
        "java.lang.",
        "android.os.",
    ];
    let begins = |list: &[&str]| list.iter().any(|words| line.starts_with(words));
    if begins(&DENIED) || (line.contains("SecurityException") && line.contains(':')) || is_shell_denial(line) {
        Some(RefusalKind::Denied)
    } else if begins(&UNKNOWN) || is_shell_unknown(line) {
        Some(RefusalKind::Unknown)
    } else if begins(&FAILED) {
        Some(RefusalKind::Failed)
    } else {
        None
    }
}

/// `cat: /proc/x: Permission denied`, `/system/bin/sh: cmd: can't execute: Permission denied`.
fn is_shell_denial(line: &str) -> bool {
    line.ends_with(": Permission denied") || line.ends_with(": Operation not permitted")
}

/// `/system/bin/sh: cmd: not found`, `... inaccessible or not found`, `dumpsys: invalid option -- t`.
fn is_shell_unknown(line: &str) -> bool {
    line.ends_with("not found") || line.ends_with(": No such file or directory") || line.contains(": invalid option --")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Option<RefusalKind> {
        find(text).map(|refusal| refusal.kind)
    }

    #[test]
    fn refusals_of_several_versions_are_recognised() {
        for (text, kind) in [
            ("Permission Denial: can't dump PackageManager from pid=1, uid=2000", RefusalKind::Denied),
            (
                "\nException occurred while executing 'list':\njava.lang.SecurityException: Shell does not have permission",
                RefusalKind::Denied,
            ),
            ("Error: java.lang.SecurityException: Shell does not have ...", RefusalKind::Denied),
            ("Can't find service: package", RefusalKind::Unknown),
            ("Error: Unknown option: -U", RefusalKind::Unknown),
            ("*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***", RefusalKind::TimedOut),
            ("/system/bin/sh: cmd: inaccessible or not found", RefusalKind::Unknown),
            ("cat: /proc/sys/kernel/random/boot_id: Permission denied", RefusalKind::Denied),
        ] {
            assert_eq!(kind_of(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn words_inside_a_dump_are_not_a_refusal() {
        assert_eq!(kind_of("Packages:\n  Package [a.b] (1):\n    label=Permission denied\n"), None);
        assert_eq!(kind_of("4/1/70 11:05 PM: No settings file; creating initial state\n"), None);
    }
}
