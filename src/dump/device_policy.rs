//! `dumpsys device_policy`: owners and active administrators.
//!
//! ```text
//! Current Device Policy Manager state:
//!   Device Owner:
//!     admin=ComponentInfo{com.example.mdm/com.example.mdm.Receiver}
//!     User ID: 0
//!   Profile Owner (User 10):
//!     admin=ComponentInfo{...}
//!   Enabled Device Admins (User 0, provisioningState: 3):
//!     com.example.mdm/.Receiver:
//!       uid=10163
//! ```
//!
//! Everything else (policies, statistics, constants) is not read: it is counted as lines that were passed over.

use super::At;

/// What an administrator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// `Device Owner`.
    DeviceOwner,
    /// `Profile Owner`.
    ProfileOwner,
    /// One of `Enabled Device Admins`.
    Administrator,
}

/// An administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administrator {
    /// What it is.
    pub power: Power,
    /// User id; `None` where the device does not say.
    pub user: Option<u32>,
    /// `package/class`, the class with its whole name.
    pub component: String,
}

/// The answer of `dumpsys device_policy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevicePolicy {
    /// Administrators in the device's order.
    pub administrators: Vec<At<Administrator>>,
    /// Whether the answer has its title and a list of administrators, for at least one user.
    pub whole: bool,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> DevicePolicy {
    let mut out = DevicePolicy::default();
    let mut titled = false;
    let mut lists = false;
    // The section and the indentation of its title.
    let mut section: Option<(Power, Option<u32>, usize)> = None;
    for (line, content) in super::numbered(text) {
        let indent = content.len() - content.trim_start().len();
        let trimmed = content.trim();
        if trimmed.is_empty() {
            continue;
        }
        if trimmed == "Current Device Policy Manager state:" {
            titled = true;
            continue;
        }
        let title = [
            ("Device Owner:", Power::DeviceOwner),
            ("Profile Owner", Power::ProfileOwner),
            ("Enabled Device Admins", Power::Administrator),
        ];
        let begun = title.into_iter().find(|(words, _)| trimmed.starts_with(words) && trimmed.ends_with(':'));
        if let Some((_, power)) = begun {
            lists |= power == Power::Administrator;
            section = Some((power, user(trimmed), indent));
            continue;
        }
        let Some((power, user, at)) = section else { continue };
        if indent <= at {
            section = None;
            continue;
        }
        let component = match power {
            Power::Administrator if indent == at + 2 => trimmed.strip_suffix(':').map(inner).and_then(component),
            Power::Administrator => None,
            _ => trimmed.strip_prefix("admin=").map(inner).and_then(component),
        };
        if let Some(component) = component {
            out.administrators.push(At { value: Administrator { power, user, component }, line });
        } else if let Some(id) = trimmed.strip_prefix("User ID: ").and_then(|id| id.parse().ok()) {
            let last = out.administrators.last_mut().filter(|at| at.value.power == power && at.value.user.is_none());
            if let Some(at) = last {
                at.value.user = Some(id);
            }
        }
    }
    out.whole = titled && lists;
    out
}

/// The number in `(User 0, ...)` or `(User 10)`.
fn user(title: &str) -> Option<u32> {
    let (_, rest) = title.split_once("(User ")?;
    rest.split([',', ')']).next()?.trim().parse().ok()
}

/// What `ComponentInfo{...}` holds; the text itself without it.
fn inner(text: &str) -> &str {
    text.strip_prefix("ComponentInfo{").and_then(|text| text.strip_suffix('}')).unwrap_or(text)
}

/// `package/class` with the class's whole name; `None` for what is no component.
pub(super) fn component(text: &str) -> Option<String> {
    let (package, class) = text.split_once('/')?;
    let valid = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '-'))
    };
    (valid(package) && valid(class))
        .then(|| if class.starts_with('.') { format!("{package}/{package}{class}") } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_administrators_are_told_apart_by_user() {
        let text = "Current Device Policy Manager state:\n  Device Owner: \n    admin=ComponentInfo{com.fiction.mdm/com.fiction.mdm.A}\n    \
            name=x\n    User ID: 0\n\n  Profile Owner (User 10): \n    admin=ComponentInfo{com.fiction.work/.B}\n  \
            Enabled Device Admins (User 0, provisioningState: 3):\n    com.fiction.mdm/.A:\n      uid=10163\n      policies:\n        \
            wipe-data\n\n  Enabled Device Admins (User 10, provisioningState: 0):\n \n    mPasswordOwner=-1\n";
        let policy = parse(text);
        let found: Vec<_> = policy
            .administrators
            .iter()
            .map(|at| (at.value.power, at.value.user, at.value.component.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (Power::DeviceOwner, Some(0), "com.fiction.mdm/com.fiction.mdm.A"),
                (Power::ProfileOwner, Some(10), "com.fiction.work/com.fiction.work.B"),
                (Power::Administrator, Some(0), "com.fiction.mdm/com.fiction.mdm.A"),
            ]
        );
        assert!(policy.whole);
        assert!(!parse("Current Device Policy Manager state:\n").whole);
        assert!(!parse("").whole);
    }
}
