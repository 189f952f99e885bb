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
//! The fields of an administrator and the sections beside these (policies, statistics, constants) are passed over. What
//! stands where an administrator should, and is none, is left over; so is an `admin=` of another section.

use super::{At, Leftover};

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
    /// Lines of the sections above that were not understood, and titles of owners that name none.
    pub leftover: Leftover,
    /// Whether the answer has its title and a list of administrators, for at least one user.
    pub whole: bool,
}

/// A section about administrators.
struct Section {
    power: Power,
    user: Option<u32>,
    /// Spaces before its title.
    indent: usize,
    /// Its title, until an owner's component was read.
    unnamed: Option<At<String>>,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> DevicePolicy {
    let mut out = DevicePolicy::default();
    let mut titled = false;
    let mut lists = false;
    let mut section: Option<Section> = None;
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
            let unnamed = (power != Power::Administrator).then(|| At { value: trimmed.to_owned(), line });
            let next = Section { power, user: user(trimmed), indent, unnamed };
            out.end(section.replace(next));
            continue;
        }
        if section.as_ref().is_some_and(|section| indent <= section.indent) {
            out.end(section.take());
        }
        match &mut section {
            Some(section) => out.within(section, line, indent, trimmed),
            None if trimmed.starts_with("admin=") => out.leftover.add(line, trimmed),
            None => {}
        }
    }
    out.end(section);
    out.whole = titled && lists;
    out
}

impl DevicePolicy {
    /// A line of a section.
    fn within(&mut self, section: &mut Section, line: u32, indent: usize, text: &str) {
        let is_field = text.contains('=') || text.contains(": ");
        let component = match section.power {
            // Deeper stand the fields of the administrator.
            Power::Administrator if indent != section.indent + 2 => return,
            Power::Administrator => match text.strip_suffix(':') {
                Some(name) => component(inner(name)),
                None if is_field => return,
                None => None,
            },
            Power::DeviceOwner | Power::ProfileOwner => match (text.strip_prefix("admin="), user_id(text)) {
                (Some(name), _) => component(inner(name)),
                (None, Some(id)) => {
                    let last = self.administrators.last_mut().filter(|at| at.value.power == section.power);
                    match last.filter(|at| at.value.user.is_none()) {
                        Some(at) => at.value.user = Some(id),
                        None => self.leftover.add(line, text),
                    }
                    return;
                }
                (None, None) if is_field && !text.starts_with(USER_ID) => return,
                (None, None) => None,
            },
        };
        match component {
            Some(component) => {
                section.unnamed = None;
                let value = Administrator { power: section.power, user: section.user, component };
                self.administrators.push(At { value, line });
            }
            None => self.leftover.add(line, text),
        }
    }

    fn end(&mut self, section: Option<Section>) {
        if let Some(title) = section.and_then(|section| section.unnamed) {
            self.leftover.add(title.line, &title.value);
        }
    }
}

const USER_ID: &str = "User ID:";

fn user_id(text: &str) -> Option<u32> {
    text.strip_prefix(USER_ID)?.trim().parse().ok()
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
        assert_eq!(policy.leftover.count, 0);
        assert!(!parse("Current Device Policy Manager state:\n").whole);
        assert!(!parse("").whole);
    }

    #[test]
    fn what_should_be_an_administrator_and_is_none_is_left_over() {
        let left = |body: &str| {
            let policy = parse(&format!("Current Device Policy Manager state:\n{body}"));
            (policy.administrators.len(), policy.leftover.samples)
        };
        let sample = |line, value: &str| vec![At { value: value.to_owned(), line }];
        let admins = "  Enabled Device Admins (User 0):\n    com.f/.A:\n      uid=1\n";
        assert_eq!(left(admins), (1, vec![]));
        assert_eq!(left(&admins.replace("com.f/.A:", "com.f.A:")), (0, sample(3, "com.f.A:")));
        assert_eq!(left(&admins.replace("com.f/.A:", "com.f/.A")), (0, sample(3, "com.f/.A")));
        let owner = "  Device Owner: \n    admin=ComponentInfo{a.b/a.b.C}\n    name=\n    User ID: 0\n";
        assert_eq!(left(owner), (1, vec![]));
        assert_eq!(left(&owner.replace("a.b/a.b.C", "a.b")).1[0], sample(3, "admin=ComponentInfo{a.b}")[0]);
        assert_eq!(left(&owner.replace("ID: 0", "ID: x")), (1, sample(5, "User ID: x")));
        assert_eq!(left("  Profile Owner (User 10):\n    name=x\n"), (0, sample(2, "Profile Owner (User 10):")));
        // A title that no version known here has.
        assert_eq!(
            left("  Finance Owner:\n    admin=ComponentInfo{a.b/.C}\n").1,
            sample(3, "admin=ComponentInfo{a.b/.C}")
        );
    }
}
