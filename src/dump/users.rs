//! `pm list users`: `UserInfo{0:Owner:13} running`, in the same form since Android 4.2. Flags are hexadecimal, the name
//! is free text. `dumpsys user` has the same with `serialNo=` behind and its state below (`    State: RUNNING_UNLOCKED`).

use super::{At, Leftover};

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// Android's number.
    pub id: u32,
    /// `UserInfo` flags, hexadecimal as printed.
    pub flags: String,
    /// Whether the line ends with `running`.
    pub running: bool,
}

/// The answer of `pm list users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserList {
    /// Users in the device's order.
    pub users: Vec<At<ListedUser>>,
    /// Other lines than the title and users.
    pub leftover: Leftover,
    /// Whether the answer ends within a line.
    pub truncated: bool,
}

/// Reads the answer of `pm list users` or `dumpsys user`.
#[must_use]
pub fn parse(text: &str) -> UserList {
    let mut dumped = false;
    let mut out = UserList { truncated: !text.is_empty() && !text.ends_with('\n'), ..UserList::default() };
    for (line, content) in super::numbered(text) {
        // `dumpsys user` names the same users, each with its state below it.
        if content.starts_with("  UserInfo{") {
            if let Some((entry, _)) = content.split_once(" serialNo=") {
                match user(entry.trim()) {
                    Some(value) => out.users.push(At { value, line }),
                    None => out.leftover.add(line, content),
                }
                dumped = true;
                continue;
            }
        }
        if dumped {
            if let Some(state) = content.strip_prefix("    State: ") {
                if let Some(user) = out.users.last_mut() {
                    user.value.running = state.starts_with("RUNNING");
                }
            }
            continue;
        }
        let content = content.trim();
        if content.is_empty() || content == "Users:" {
            continue;
        }
        match user(content) {
            Some(value) => out.users.push(At { value, line }),
            None => out.leftover.add(line, content),
        }
    }
    out
}

fn user(line: &str) -> Option<ListedUser> {
    // The name may hold any character, so the number is taken from the front and the flags from the back.
    let (inner, tail) = line.strip_prefix("UserInfo{")?.rsplit_once('}')?;
    let (id, rest) = inner.split_once(':')?;
    let (_name, flags) = rest.rsplit_once(':')?;
    if flags.is_empty() || !flags.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let running = match tail.trim() {
        "running" => true,
        "" => false,
        _ => return None,
    };
    Some(ListedUser { id: id.parse().ok()?, flags: flags.to_owned(), running })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_colons_and_braces_do_not_shift_the_flags() {
        let parsed = parse("Users:\n\tUserInfo{0:null:4c13} running\n\tUserInfo{10:a:b}c:1030}\n");
        let all: Vec<_> = parsed.users.iter().map(|u| &u.value).collect();
        assert_eq!(all[0], &ListedUser { id: 0, flags: "4c13".into(), running: true });
        assert_eq!(all[1], &ListedUser { id: 10, flags: "1030".into(), running: false });
        assert_eq!(parsed.leftover.count, 0);
    }

    #[test]
    fn the_dump_of_the_service_has_the_same_users() {
        let parsed = parse(
            "Users:\n  UserInfo{0:null:13} serialNo=0\n    State: RUNNING_UNLOCKED\n    Created: x\n  \
            UserInfo{11:User2:10} serialNo=11\n    State: -1\n\n  Device owner id:-10000\n",
        );
        let all: Vec<_> = parsed.users.iter().map(|u| (u.value.id, u.value.running)).collect();
        assert_eq!((all, parsed.leftover.count), (vec![(0, true), (11, false)], 0));
    }

    #[test]
    fn a_refusal_is_no_user() {
        let parsed = parse("Error: couldn't get users\n");
        assert!(parsed.users.is_empty());
        assert_eq!(parsed.leftover.count, 1);
    }
}
