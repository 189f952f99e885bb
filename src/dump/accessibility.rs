//! `dumpsys accessibility`: services that are switched on, per user.
//!
//! ```text
//! User state[attributes:{id=0, ...}             Android 10
//!      Enabled services:{{a.b/a.b.C}, {d.e/d.e.F}}
//!   enabled services: {                          Samsung
//!     0 : a.b/a.b.C
//!   }
//!      services:{Service[label=...]}           before Android 10: those that run, not those that are switched on
//! ```
//!
//! Sections beside these are passed over. A user whose services are not told, and what stands among services and is none,
//! is left over.

use super::device_policy::component;
use super::{At, Leftover};

/// The answer of `dumpsys accessibility`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accessibility {
    /// User and component of each service that is switched on, in the device's order.
    pub enabled: Vec<At<(u32, String)>>,
    /// Users whose services are told.
    pub users: Vec<u32>,
    /// Users of whom an older version tells only which services run.
    pub running_only: Vec<u32>,
    /// Other lines.
    pub leftover: Leftover,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> Accessibility {
    let mut out = Accessibility::default();
    // The user, and the line of its title until its services are told.
    let mut user: Option<(Option<u32>, Option<At<&str>>)> = None;
    let mut list = false;
    for (line, content) in super::numbered(text) {
        let trimmed = content.trim();
        if let Some(at) = trimmed.find("attributes:{id=") {
            out.untold(user.take());
            let digits = trimmed.get(at + 15..).unwrap_or_default();
            let id = digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|id| id.parse().ok());
            user = Some((id, Some(At { value: trimmed, line })));
            list = false;
        }
        let Some((Some(id), title)) = &mut user else { continue };
        let id = *id;
        let lower = trimmed.to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("enabled services:") {
            *title = None;
            out.users.push(id);
            let rest = trimmed.get(trimmed.len() - rest.len()..).unwrap_or_default();
            list = rest.trim() == "{";
            let names = rest.split(['{', '}', ',']).map(|name| name.trim_end_matches(']').trim());
            for name in names.filter(|name| !name.is_empty()) {
                out.service(id, line, name);
            }
        } else if lower.starts_with("services:{") {
            if title.take().is_some() {
                out.running_only.push(id);
            }
        } else if trimmed.starts_with('}') {
            list = false;
        } else if list && !trimmed.is_empty() {
            out.service(id, line, trimmed.split_once(" : ").map_or(trimmed, |(_, name)| name));
        }
    }
    out.untold(user);
    out
}

impl Accessibility {
    fn service(&mut self, user: u32, line: u32, name: &str) {
        match component(name) {
            Some(name) => self.enabled.push(At { value: (user, name), line }),
            None => self.leftover.add(line, name),
        }
    }

    /// The user before ends, and may not have told its services.
    fn untold(&mut self, user: Option<(Option<u32>, Option<At<&str>>)>) {
        if let Some((_, Some(title))) = user {
            self.leftover.add(title.line, title.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_services_that_are_on() {
        let text = "User state[\n     attributes:{id=0, x=false}\n     Bound services:{Service[label=x]}\n     Enabled \
            services:{{com.f.a/.S}, {com.f.b/com.f.b.T}}\n     Binding services:{}]\n";
        let found = parse(text);
        assert_eq!(found.users, [0]);
        let names: Vec<_> = found.enabled.iter().map(|at| at.value.1.as_str()).collect();
        assert_eq!(names, ["com.f.a/com.f.a.S", "com.f.b/com.f.b.T"]);
        let samsung = "User state[attributes:{id=10, currentUser=true\n  }\n  installed services: {\n    0 : x.y/.Z\n  }\n  \
            enabled services: {\n    0 : a.b/.C\n  }\n";
        assert_eq!(parse(samsung).enabled, [At { value: (10, "a.b/a.b.C".to_owned()), line: 7 }]);
        assert!(parse("").users.is_empty());
    }

    #[test]
    fn what_is_no_service_and_a_user_without_services_are_left_over() {
        let text = "User state[attributes:{id=0, x=false}\n     Enabled services:{{com.f.a/.S}, {com.f.b}}\n     Binding \
            services:{}]\n";
        let found = parse(text);
        assert_eq!((found.enabled.len(), &found.leftover.samples[0].value[..]), (1, "com.f.b"));
        let untold =
            parse("User state[attributes:{id=0, x=1}\n     Bound services:{}]\nUser state[attributes:{id=10}\n");
        assert_eq!((untold.users.len(), untold.leftover.count), (0, 2));
        let samsung = "User state[attributes:{id=10\n  enabled services: {\n    0 : a.b\n  }\n";
        assert_eq!(parse(samsung).leftover.samples[0], At { value: "a.b".to_owned(), line: 3 });
        let older = parse("User state[attributes:{id=0, currentUser=true}\n           services:{}]\n");
        assert_eq!((older.users.len(), older.running_only, older.leftover.count), (0, vec![0], 0));
    }
}
