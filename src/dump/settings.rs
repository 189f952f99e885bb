//! Settings of a user, in two forms: `settings list secure` (`name=value`) and `dumpsys settings`, which has all namespaces
//! of all users:
//!
//! ```text
//! SECURE SETTINGS (user 0)
//! _id:75 name:default_input_method pkg:android value:com.example/.Ime default:... defaultSystemSet:true
//! ```
//!
//! A value may span lines; only settings whose names are asked for are kept, since others may hold what is private.

use std::collections::BTreeMap;

use super::{At, Leftover};

/// Settings that are kept: components that see or do more than an app does.
pub const KEPT: [&str; 13] = [
    "accessibility_enabled",
    "always_on_vpn_app",
    "always_on_vpn_lockdown",
    "assistant",
    "autofill_service",
    "credential_service",
    "default_input_method",
    "dialer_default_application",
    "enabled_accessibility_services",
    "enabled_input_methods",
    "enabled_notification_listeners",
    "sms_default_application",
    "voice_interaction_service",
];

/// Settings of some users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Values by user and name: those of [`KEPT`] that are set.
    pub by_user: BTreeMap<u32, BTreeMap<&'static str, At<String>>>,
    /// Names of settings seen at all, of every user.
    pub seen: u64,
    /// Other lines.
    pub leftover: Leftover,
}

/// Reads `settings list secure` of one user.
#[must_use]
pub fn parse_list(text: &str, user: u32) -> Settings {
    let mut out = Settings::default();
    let kept = out.by_user.entry(user).or_default();
    for (line, content) in super::numbered(text) {
        let Some((name, value)) = content.split_once('=').filter(|(name, _)| is_name(name)) else {
            // A value goes on: whatever it is, it is none that is kept.
            if out.seen == 0 && !content.trim().is_empty() {
                out.leftover.add(line, content);
            }
            continue;
        };
        out.seen += 1;
        if let Some(name) = KEPT.iter().find(|kept| **kept == name).filter(|_| is_set(value)) {
            kept.insert(name, At { value: value.trim().to_owned(), line });
        }
    }
    out
}

/// Reads `dumpsys settings`.
#[must_use]
pub fn parse_dump(text: &str) -> Settings {
    let mut out = Settings::default();
    let mut user = None;
    for (line, content) in super::numbered(text) {
        if let Some((title, rest)) = content.split_once(" SETTINGS (user ") {
            user = rest.strip_suffix(')').and_then(|id| id.parse().ok()).filter(|_| title == "SECURE");
            if let Some(user) = user {
                out.by_user.entry(user).or_default();
            }
            continue;
        }
        let (Some(user), Some(rest)) = (user, content.strip_prefix("_id:")) else { continue };
        let named = rest.split_once(" name:").and_then(|(_, rest)| rest.split_once(" pkg:"));
        let Some((name, rest)) = named else {
            out.leftover.add(line, content);
            continue;
        };
        out.seen += 1;
        let Some((_, value)) = rest.split_once(" value:") else { continue };
        let value = value.split(" default:").next().unwrap_or_default().trim();
        if let Some(name) = KEPT.iter().find(|kept| **kept == name).filter(|_| is_set(value)) {
            out.by_user.entry(user).or_default().insert(name, At { value: value.to_owned(), line });
        }
    }
    out
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ':'))
}

fn is_set(value: &str) -> bool {
    !matches!(value.trim(), "" | "null" | "{null}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_are_asked_for_are_kept() {
        let text = "android_id=secret\nassistant=com.fiction.a/.B\nenabled_accessibility_services=null\nnote=a\nb=c\n";
        let settings = parse_list(text, 10);
        assert_eq!(settings.by_user[&10].len(), 1);
        assert_eq!(settings.by_user[&10]["assistant"], At { value: "com.fiction.a/.B".into(), line: 2 });
        assert_eq!((settings.seen, settings.leftover.count), (5, 0));
        assert_eq!(parse_list("Error: no\n", 0).leftover.count, 1);
    }

    #[test]
    fn a_dump_has_the_secure_settings_of_every_user() {
        let text = "GLOBAL SETTINGS (user 0)\n_id:1 name:assistant pkg:x value:no\n\nSECURE SETTINGS (user 0)\n_id:175 \
            name:assistant pkg:android value:com.f/.A default:com.f/.A defaultSystemSet:true\n_id:2 name:android_id pkg:a \
            value:1\nSECURE SETTINGS (user 11)\n_id:3 name:assistant pkg:a value: default: defaultSystemSet:true\n";
        let settings = parse_dump(text);
        assert_eq!(settings.by_user.keys().copied().collect::<Vec<_>>(), [0, 11]);
        assert_eq!(settings.by_user[&0]["assistant"].value, "com.f/.A");
        assert!(settings.by_user[&11].is_empty());
    }
}
