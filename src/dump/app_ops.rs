//! `dumpsys appops`: what apps may do besides permissions.
//!
//! ```text
//!   Uid u0a103:
//!       COARSE_LOCATION: mode=ignore         of the uid
//!     Package com.example.app:
//!       WRITE_SMS (ignore):                  of the package
//!           Reject: [fg-s] ...
//! ```
//!
//! A mode may be followed by that of the switch which governs it: `MONITOR_LOCATION (allow / switch COARSE_LOCATION=allow)`.
//! Not read: the state of a uid (`state=cch`), which operations a uid watches (below `foregroundOps:`), when an operation was
//! used (deeper lines), the sections before and behind. Other lines of a uid are left over.

use super::{At, Leftover};

/// The mode of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOp {
    /// User id.
    pub user: u32,
    /// Number of the app within its user: the uid without the user.
    pub app_id: u32,
    /// The package; `None` for a mode of the whole uid.
    pub package: Option<String>,
    /// The operation, in the device's words: `SYSTEM_ALERT_WINDOW`.
    pub operation: String,
    /// `allow`, `ignore`, `deny`, `default`, `foreground` ...
    pub mode: String,
}

/// The answer of `dumpsys appops`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppOps {
    /// Modes in the device's order.
    pub modes: Vec<At<AppOp>>,
    /// Uids named.
    pub uids: u64,
    /// Lines about uids that were not understood.
    pub leftover: Leftover,
    /// Whether the answer has its title and at least one uid.
    pub whole: bool,
}

/// App ids below it are the system's; a user's numbers begin at multiples of [`PER_USER`].
const FIRST_APP: u32 = 10_000;
const PER_USER: u32 = 100_000;

/// What the lines below belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// A uid: modes of its own.
    Uid,
    /// A package of it.
    Package,
    /// What it watches: `COARSE_LOCATION: WATCHER`.
    Watched,
    /// Something whose title was not understood: counted once, by the title.
    Lost,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> AppOps {
    let mut out = AppOps::default();
    let mut uid: Option<(u32, u32)> = None;
    let mut package: Option<String> = None;
    let mut below = Below::Lost;
    let mut titled = false;
    for (line, content) in super::numbered(text) {
        let text = content.trim();
        let indent = content.len() - content.trim_start().len();
        match indent {
            _ if text.is_empty() => {}
            0 => {
                titled |= text.starts_with("Current AppOps Service state");
                (uid, below) = (None, Below::Lost);
            }
            1..=2 => {
                uid = None;
                below = Below::Uid;
                if let Some(name) = text.strip_prefix("Uid ").and_then(|rest| rest.strip_suffix(':')) {
                    uid = parse_uid(name);
                    match uid {
                        Some(_) => out.uids += 1,
                        None => out.leftover.add(line, text),
                    }
                }
            }
            _ if uid.is_none() => {}
            3..=4 => {
                if let Some(name) = text.strip_prefix("Package ").and_then(|rest| rest.strip_suffix(':')) {
                    package = Some(name.to_owned());
                    below = Below::Package;
                } else if text == "foregroundOps:" {
                    below = Below::Watched;
                } else if text.split_once('=').is_some_and(|(key, _)| is_word(key)) {
                    // The uid's state; modes of its own follow it.
                    below = Below::Uid;
                } else {
                    out.leftover.add(line, text);
                    below = Below::Lost;
                }
            }
            5..=6 => {
                let found = match below {
                    Below::Lost => continue,
                    Below::Watched if text.ends_with(": WATCHER") || text.ends_with(": SILENT") => continue,
                    Below::Uid | Below::Watched => of_uid(text).map(|(operation, mode)| (None, operation, mode)),
                    Below::Package => of_package(text)
                        .map(|(operation, mode)| (package.clone(), operation, mode))
                        .or_else(|| of_uid(text).map(|(operation, mode)| (None, operation, mode))),
                };
                match (found, uid) {
                    (Some((package, operation, mode)), Some((user, app_id))) => {
                        let (operation, mode) = (operation.to_owned(), mode.to_owned());
                        out.modes.push(At { value: AppOp { user, app_id, package, operation, mode }, line });
                    }
                    _ => out.leftover.add(line, text),
                }
            }
            _ => {}
        }
    }
    out.whole = titled && out.uids > 0;
    out
}

/// `COARSE_LOCATION: mode=ignore`
fn of_uid(text: &str) -> Option<(&str, &str)> {
    text.split_once(": mode=").filter(|(operation, mode)| is_operation(operation) && is_word(mode))
}

/// `MONITOR_LOCATION (allow / switch COARSE_LOCATION=allow):`
fn of_package(text: &str) -> Option<(&str, &str)> {
    let (operation, rest) = text.split_once(" (")?;
    let mode = rest.split([')', '/']).next()?.trim();
    (is_operation(operation) && is_word(mode)).then_some((operation, mode))
}

/// A name, or a number that a vendor's version has no name for: `MIUIOP(10021)`.
fn is_operation(text: &str) -> bool {
    match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((name, number)) => is_word(name) && number.chars().all(|c| c.is_ascii_digit()),
        None => is_word(text),
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// `1000`, `u0a103`, `u10s1000`, `u0i5`: user and app id.
fn parse_uid(text: &str) -> Option<(u32, u32)> {
    if let Ok(uid) = text.parse::<u32>() {
        return Some((uid / PER_USER, uid % PER_USER));
    }
    let rest = text.strip_prefix('u')?;
    let at = rest.find(|c: char| !c.is_ascii_digit())?;
    let user = rest.get(..at)?.parse().ok()?;
    let (kind, number) = rest.get(at..)?.split_at_checked(1)?;
    let number: u32 = number.parse().ok()?;
    match kind {
        "a" => Some((user, FIRST_APP.checked_add(number)?)),
        "s" => Some((user, number)),
        "i" => Some((user, 99_000_u32.checked_add(number)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_belong_to_the_uid_or_to_a_package_of_it() {
        let text = "Current AppOps Service state:\n  Settings:\n      X: mode=ignore\n  Uid u10a103:\n    state=cch\n      \
            COARSE_LOCATION: mode=ignore\n    Package com.fiction.a:\n      WRITE_SMS (ignore): \n          Access: [x] y\n      \
            MONITOR_LOCATION (allow / switch COARSE_LOCATION=allow): \n  Uid 1000:\n      LEGACY_STORAGE: mode=allow\n";
        let ops = parse(text);
        let found: Vec<_> = ops
            .modes
            .iter()
            .map(|at| {
                let op = &at.value;
                (op.user, op.app_id, op.package.as_deref(), op.operation.as_str(), op.mode.as_str())
            })
            .collect();
        assert_eq!(
            found,
            [
                (10, 10_103, None, "COARSE_LOCATION", "ignore"),
                (10, 10_103, Some("com.fiction.a"), "WRITE_SMS", "ignore"),
                (10, 10_103, Some("com.fiction.a"), "MONITOR_LOCATION", "allow"),
                (0, 1000, None, "LEGACY_STORAGE", "allow"),
            ]
        );
        assert!(ops.whole);
        assert!(!parse("Current AppOps Service state:\n").whole);
        assert_eq!(parse_uid("u0i5"), Some((0, 99_005)));
        assert_eq!(parse_uid("u4294967296a1"), None);
    }

    #[test]
    fn lines_of_a_uid_that_are_not_understood_are_left_over() {
        let text = "Current AppOps Service state:\n  Op mode watchers:\n    Op READ_SMS:\n      #0: x\n  Uid u0a1:\n    state=fg\n    \
            foregroundOps:\n      COARSE_LOCATION: WATCHER\n    hasForegroundWatchers=true\n      COARSE_LOCATION: mode=ignore\n    \
            Package com.a:\n      READ_SMS (allow):\n        null=[\n          Access: [fg-s] x\n        ]\n      \
            MIUIOP(10021) (ignore):\n  Uid 0x:\n    Package com.lost:\n  Uid u0a2:\n    Parcel com.b:\n      READ_SMS (deny):\n    \
            Package com.c:\n      READ_SMS: deny\n  User restrictions for token x:\n      Restricted ops:\n        [CAMERA]\n";
        let ops = parse(text);
        let left: Vec<_> = ops.leftover.samples.iter().map(|at| (at.line, at.value.as_str())).collect();
        assert_eq!(left, [(17, "Uid 0x:"), (20, "Parcel com.b:"), (23, "READ_SMS: deny")]);
        let modes: Vec<_> = ops.modes.iter().map(|at| (at.value.operation.as_str(), at.value.mode.as_str())).collect();
        assert_eq!(modes, [("COARSE_LOCATION", "ignore"), ("READ_SMS", "allow"), ("MIUIOP(10021)", "ignore")]);
        assert_eq!(ops.uids, 2);
    }
}
