//! `getprop`: `[name]: [value]`, one property a line, values that may span lines.

use super::{At, Leftover};

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its value; may be empty, may hold line feeds.
    pub value: String,
}

/// The answer of `getprop`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Getprop {
    /// Properties in the device's order.
    pub entries: Vec<At<Entry>>,
    /// Lines outside any property.
    pub leftover: Leftover,
    /// Whether the answer ends within a property.
    pub truncated: bool,
}

/// Reads the answer of `getprop`.
#[must_use]
pub fn parse(text: &str) -> Getprop {
    let mut out = Getprop::default();
    let mut open: Option<At<Entry>> = None;
    for (line, content) in super::numbered(text) {
        if let Some((name, value)) = begin(content) {
            if let Some(unclosed) = open.take() {
                out.leftover.add(unclosed.line, &format!("[{}]: [", unclosed.value.name));
            }
            let entry = |value: &str| At { value: Entry { name: name.to_owned(), value: value.to_owned() }, line };
            match value.strip_suffix(']') {
                Some(value) => out.entries.push(entry(value)),
                None => open = Some(entry(value)),
            }
        } else if let Some(mut entry) = open.take() {
            entry.value.value.push('\n');
            match content.strip_suffix(']') {
                Some(rest) => {
                    entry.value.value.push_str(rest);
                    out.entries.push(entry);
                }
                None => {
                    entry.value.value.push_str(content);
                    open = Some(entry);
                }
            }
        } else if !content.trim().is_empty() {
            out.leftover.add(line, content);
        }
    }
    out.truncated = open.is_some() || (!text.is_empty() && !text.ends_with('\n'));
    out
}

/// `[name]: [value`, the value with its closing bracket if it is there.
fn begin(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('[')?.split_once("]: [")?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_span_lines_and_be_empty() {
        let parsed = parse("[a.b]: [1]\n[c]: [two\nlines]\n\n[d]: []\n");
        let all: Vec<_> =
            parsed.entries.iter().map(|e| (e.line, e.value.name.as_str(), e.value.value.as_str())).collect();
        assert_eq!(all, [(1, "a.b", "1"), (2, "c", "two\nlines"), (5, "d", "")]);
        assert!(!parsed.truncated);
        assert_eq!(parsed.leftover.count, 0);
    }

    #[test]
    fn an_answer_that_ends_within_a_property_is_truncated() {
        assert!(parse("[a]: [1]\n[b]: [2").truncated);
        assert!(parse("[a]: [1]\n[b]: [2\n").truncated);
    }

    #[test]
    fn other_lines_are_counted_not_dropped() {
        let parsed = parse("WARNING: linker\n[a]: [1]\n");
        assert_eq!(parsed.leftover.count, 1);
        assert_eq!(parsed.entries.len(), 1);
    }
}
