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
//! When an operation was used is not read.

use super::At;

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
    /// Whether the answer has its title and at least one uid.
    pub whole: bool,
}

/// App ids below it are the system's; a user's numbers begin at multiples of [`PER_USER`].
const FIRST_APP: u32 = 10_000;
const PER_USER: u32 = 100_000;

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> AppOps {
    let mut out = AppOps::default();
    let mut uid: Option<(u32, u32)> = None;
    let mut package: Option<String> = None;
    let mut titled = false;
    for (line, content) in super::numbered(text) {
        if content.starts_with("Current AppOps Service state") {
            titled = true;
        }
        if let Some(name) = content.strip_prefix("  Uid ").and_then(|rest| rest.strip_suffix(':')) {
            uid = parse_uid(name);
            package = None;
            out.uids += u64::from(uid.is_some());
            continue;
        }
        let Some((user, app_id)) = uid else { continue };
        if let Some(name) = content.strip_prefix("    Package ").and_then(|rest| rest.strip_suffix(':')) {
            package = Some(name.to_owned());
            continue;
        }
        let Some(item) =
            content.strip_prefix("      ").filter(|item| item.starts_with(|c: char| c.is_ascii_uppercase()))
        else {
            continue;
        };
        let found = match (&package, item.split_once(": mode=")) {
            (_, Some((operation, mode))) => Some((None, operation, mode)),
            (Some(package), None) => item
                .split_once(" (")
                .and_then(|(operation, rest)| Some((operation, rest.split([')', '/']).next()?.trim())))
                .map(|(operation, mode)| (Some(package.clone()), operation, mode)),
            (None, None) => None,
        };
        if let Some((package, operation, mode)) =
            found.filter(|(_, operation, mode)| is_word(operation) && is_word(mode))
        {
            let (operation, mode) = (operation.to_owned(), mode.to_owned());
            out.modes.push(At { value: AppOp { user, app_id, package, operation, mode }, line });
        }
    }
    out.whole = titled && out.uids > 0;
    out
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
}
