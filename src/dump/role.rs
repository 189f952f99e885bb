//! `dumpsys role` (Android 10 and later): who holds which role, per user.
//!
//! ```text
//! ROLE MANAGER STATE (dumpsys role):
//! {
//!   user_states=[
//!     {
//!       user_id=0
//!       roles=[
//!         {
//!           name=android.app.role.SMS
//!           holders=com.example.messages
//!         }
//! ```
//!
//! A role without holders has no line `holders`; one with several repeats it or names them in brackets. From Android 13 on
//! `fallback_enabled` and names after `fallback_enabled_roles` may stand beside.

use super::{At, Leftover};

/// A holder of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// User id.
    pub user: u32,
    /// The role's whole name.
    pub role: String,
    /// The package.
    pub package: String,
}

/// The answer of `dumpsys role`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Holders in the device's order.
    pub holders: Vec<At<Holder>>,
    /// Users that have a state, in the device's order.
    pub users: Vec<u32>,
    /// Roles named, with or without holders.
    pub roles: u64,
    /// Other lines.
    pub leftover: Leftover,
    /// Whether the answer lacks its title or its last bracket.
    pub truncated: bool,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> Roles {
    let mut out = Roles::default();
    let mut user = None;
    let mut role: Option<String> = None;
    let mut depth = 0_i64;
    let mut titled = false;
    let mut list = false;
    for (line, content) in super::numbered(text) {
        let content = content.trim();
        if content.is_empty() {
            continue;
        }
        if content.starts_with("ROLE MANAGER STATE") {
            titled = true;
            continue;
        }
        let opens = content.ends_with(['{', '[']);
        let closes = content == "}" || content == "]";
        if opens {
            depth += 1;
        }
        if closes {
            depth -= 1;
            list = false;
        }
        let holder = |name: &str, out: &mut Roles| match (user, &role) {
            (Some(user), Some(role)) if is_package(name) => {
                out.holders.push(At { value: Holder { user, role: role.clone(), package: name.to_owned() }, line });
            }
            _ => out.leftover.add(line, content),
        };
        match content.split_once('=') {
            Some(("user_id", id)) => match id.parse() {
                Ok(id) => {
                    user = Some(id);
                    out.users.push(id);
                }
                Err(_) => out.leftover.add(line, content),
            },
            Some(("name", name)) => {
                out.roles += 1;
                role = Some(name.to_owned());
            }
            Some(("holders", "[")) => list = true,
            Some(("holders", names)) => {
                for name in names.trim_matches(['[', ']']).split(',').map(str::trim).filter(|name| !name.is_empty()) {
                    holder(name, &mut out);
                }
            }
            Some((
                "user_states"
                | "roles"
                | "version"
                | "packages_hash"
                | "fallback_enabled"
                | "fallback_enabled_roles"
                | "fallback_disabled_roles",
                _,
            )) => {}
            None if content == "{" || closes => {}
            None if list => holder(content.trim_end_matches(','), &mut out),
            _ => out.leftover.add(line, content),
        }
    }
    out.truncated = !titled || depth != 0;
    out
}

fn is_package(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ROLE MANAGER STATE (dumpsys role):\n{\n  user_states=[\n    {\n      user_id=0\n      version=-1\n      \
        roles=[\n        {\n          name=android.app.role.DIALER\n        }\n        {\n          \
        name=android.app.role.SMS\n          holders=com.fiction.sms\n        }\n      ]\n    }\n  ]\n}\n";

    #[test]
    fn a_role_without_a_holder_is_a_role_and_no_holder() {
        let roles = parse(TEXT);
        assert_eq!((roles.roles, roles.users.as_slice(), roles.truncated), (2, &[0][..], false));
        let expected = Holder { user: 0, role: "android.app.role.SMS".into(), package: "com.fiction.sms".into() };
        assert_eq!(roles.holders, [At { value: expected, line: 13 }]);
        assert_eq!(roles.leftover.count, 0);
    }

    #[test]
    fn several_holders_are_told_apart_and_a_cut_answer_is_truncated() {
        let several = TEXT.replace("com.fiction.sms", "[com.fiction.sms, com.fiction.b]");
        assert_eq!(parse(&several).holders.len(), 2);
        let lines = TEXT.replace("holders=com.fiction.sms", "holders=[\n com.fiction.sms\n com.fiction.b\n ]");
        assert_eq!(parse(&lines).holders.len(), 2);
        assert!(parse(TEXT.split("holders").next().unwrap()).truncated);
        assert!(parse("").truncated);
    }
}
