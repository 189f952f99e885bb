//! `cmd package query-activities --brief`: a count, then for each activity a line of match data and its component.

use std::collections::{BTreeMap, BTreeSet};

use super::Leftover;

/// The answer of `cmd package query-activities --brief`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activities {
    /// Full class names of the activities, by package.
    pub by_package: BTreeMap<String, BTreeSet<String>>,
    /// Other lines.
    pub leftover: Leftover,
    /// Whether fewer activities stand there than the answer announces, or no announcement.
    pub truncated: bool,
}

/// Reads the answer. `No activities found` is an empty answer; an answer without a single word is truncated.
#[must_use]
pub fn parse(text: &str) -> Activities {
    let mut out = Activities::default();
    let mut announced = None;
    let mut found = 0_u64;
    for (line, content) in super::numbered(text) {
        let content = content.trim();
        if content.is_empty() || content.starts_with("priority=") || content.starts_with("Activity #") {
            continue;
        }
        if content == "No activities found" {
            announced = Some(0);
        } else if let Some(number) = content.strip_suffix(" activities found:") {
            announced = number.parse::<u64>().ok();
        } else if let Some((package, class)) = component(content) {
            found += 1;
            out.by_package.entry(package.to_owned()).or_default().insert(class);
        } else {
            out.leftover.add(line, content);
        }
    }
    out.truncated = announced.is_none_or(|announced| announced != found);
    out
}

/// `package/class` with the class's whole name; `None` for what is no component.
#[must_use]
pub fn component_of(text: &str) -> Option<String> {
    component(text).map(|(package, class)| format!("{package}/{class}"))
}

/// `com.example.a/.Main` or `com.example.a/com.other.Main`.
fn component(text: &str) -> Option<(&str, String)> {
    let (package, class) = text.split_once('/')?;
    let valid = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
    if !valid(package) || !valid(class) || !package.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c)) {
        return None;
    }
    let class = if class.starts_with('.') { format!("{package}{class}") } else { class.to_owned() };
    Some((package, class))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "2 activities found:\n  Activity #0:\n    priority=0 preferredOrder=0 match=0x108000 \
        specificIndex=-1 isDefault=false\n    com.example.a/.Main\n  Activity #1:\n    priority=0 preferredOrder=0 \
        match=0x108000 specificIndex=-1 isDefault=false\n    com.example.a/com.other.Start\n";

    #[test]
    fn short_class_names_are_completed() {
        let parsed = parse(TWO);
        assert!(!parsed.truncated);
        let classes: Vec<_> = parsed.by_package["com.example.a"].iter().map(String::as_str).collect();
        assert_eq!(classes, ["com.example.a.Main", "com.other.Start"]);
    }

    #[test]
    fn fewer_activities_than_announced_are_a_truncated_answer() {
        let cut = TWO.split("  Activity #1").next().unwrap();
        assert!(parse(cut).truncated);
        assert!(parse("").truncated);
        assert!(!parse("No activities found\n").truncated);
    }
}
