//! `dumpsys overlay` (Android 8 and later): overlays and whether they are in force, per user.
//!
//! ```text
//! com.example.overlay:0 {                  since Android 10: name, user
//! com.example.overlay:name:0 {             since 12, for those with a name of their own
//!   mPackageName...........: com.example.overlay
//!   mTargetPackageName.....: android
//!   mState.................: STATE_ENABLED_STATIC
//! ```
//!
//! Android 8 and 9 print `User 0:` titles and the same keys below them.

use super::At;

/// An overlay for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The overlay's package.
    pub package: String,
    /// User id.
    pub user: u32,
    /// The package whose resources it changes.
    pub target: String,
    /// `STATE_ENABLED`, `STATE_DISABLED` ...; before Android 9 a number.
    pub state: String,
    /// Whether it is in force; `None` where the device does not say.
    pub enabled: Option<bool>,
}

/// The answer of `dumpsys overlay`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlays {
    /// Overlays in the device's order.
    pub overlays: Vec<At<Overlay>>,
    /// Entries of which package, target, user or state is missing.
    pub unread: u64,
    /// Whether the last entry is not closed.
    pub truncated: bool,
}

#[derive(Default)]
struct Entry {
    package: Option<String>,
    user: Option<u32>,
    target: Option<String>,
    state: Option<String>,
    enabled: Option<bool>,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> Overlays {
    let mut out = Overlays::default();
    let mut open: Option<(u32, Entry)> = None;
    for (line, content) in super::numbered(text) {
        let trimmed = content.trim();
        if trimmed.ends_with(" {") {
            open = Some((line, Entry::default()));
            continue;
        }
        if trimmed == "}" {
            match open.take() {
                Some((
                    line,
                    Entry {
                        package: Some(package),
                        user: Some(user),
                        target: Some(target),
                        state: Some(state),
                        enabled,
                    },
                )) => {
                    out.overlays.push(At { value: Overlay { package, user, target, state, enabled }, line });
                }
                Some(_) => out.unread += 1,
                None => {}
            }
            continue;
        }
        let Some((_, entry)) = &mut open else { continue };
        let Some((key, value)) = trimmed.split_once(':') else { continue };
        let value = value.trim();
        match key.trim_end_matches('.') {
            "mPackageName" => entry.package = Some(value.to_owned()),
            "mUserId" => entry.user = value.parse().ok(),
            "mTargetPackageName" => entry.target = Some(value.to_owned()),
            "mState" => entry.state = Some(value.to_owned()),
            "mIsEnabled" => entry.enabled = value.parse().ok(),
            _ => {}
        }
    }
    out.truncated = open.is_some();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_has_target_state_and_user() {
        let text = "com.f.o:0 {\n  mPackageName...........: com.f.o\n  mUserId................: 0\n  \
            mTargetPackageName.....: android\n  mState.................: STATE_ENABLED\n  mIsEnabled.............: true\n}\n\
            com.f.p:0 {\n  mPackageName...........: com.f.p\n}\n";
        let parsed = parse(text);
        assert_eq!((parsed.overlays.len(), parsed.unread, parsed.truncated), (1, 1, false));
        let overlay = &parsed.overlays[0].value;
        assert_eq!(
            (overlay.target.as_str(), overlay.state.as_str(), overlay.enabled),
            ("android", "STATE_ENABLED", Some(true))
        );
        assert!(parse("com.f.o:0 {\n  mPackageName: x\n").truncated);
    }
}
