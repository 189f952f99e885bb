//! `dumpsys accessibility`: services that are switched on, per user.
//!
//! ```text
//! User state[attributes:{id=0, ...}             Android 10
//!      Enabled services:{{a.b/a.b.C}, {d.e/d.e.F}}
//!   enabled services: {                          Samsung
//!     0 : a.b/a.b.C
//!   }
//! ```

use super::At;
use super::device_policy::component;

/// The answer of `dumpsys accessibility`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accessibility {
    /// User and component of each service that is switched on, in the device's order.
    pub enabled: Vec<At<(u32, String)>>,
    /// Users whose services are told.
    pub users: Vec<u32>,
}

/// Reads the answer.
#[must_use]
pub fn parse(text: &str) -> Accessibility {
    let mut out = Accessibility::default();
    let mut user = None;
    let mut list = false;
    for (line, content) in super::numbered(text) {
        let trimmed = content.trim();
        if let Some(at) = trimmed.find("attributes:{id=") {
            let digits = trimmed.get(at + 15..).unwrap_or_default();
            user = digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|id| id.parse().ok());
        }
        let Some(user) = user else { continue };
        let lower = trimmed.to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("enabled services:") {
            out.users.push(user);
            let rest = trimmed.get(trimmed.len() - rest.len()..).unwrap_or_default();
            for name in rest.split(['{', '}', ',']).map(str::trim).filter_map(component) {
                out.enabled.push(At { value: (user, name), line });
            }
            list = rest.trim() == "{";
        } else if trimmed.starts_with('}') {
            list = false;
        } else if list {
            let name = trimmed.split_once(" : ").map_or(trimmed, |(_, name)| name);
            out.enabled.extend(component(name).map(|name| At { value: (user, name), line }));
        }
    }
    out
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
}
