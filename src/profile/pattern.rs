//! Names with `*` in them.

/// A name in which `*` stands for any characters, none included: `com.ironsource.appcloud.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern of letters, digits, `.`, `_` and `*`, with at least one letter: `*` alone names nothing.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '*');
        (text.chars().all(fits) && text.contains(|c: char| c.is_ascii_alphabetic())).then(|| Self(text.to_owned()))
    }

    /// As written in the profile.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, if the pattern has no `*`.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&self.0)
    }

    /// Whether `name` has the pattern's form.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0, name)
    }
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any characters, none included.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // Taking each middle part at its first place leaves the most for the parts after it.
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_is_special() {
        for (pattern, name, expected) in [
            ("com.a.b", "com.a.b", true),
            ("com.a.b", "com.a.bc", false),
            ("com.a.*", "com.a.b.c", true),
            ("com.a.*", "com.a", false),
            ("com.a*", "com.a", true),
            ("*.oobe", "com.aura.oobe", true),
            ("com.*.oobe.*", "com.aura.oobe.x", true),
            ("com.*.oobe.*", "com.oobe.x", false),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("com.a.b", "com_a_b", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_names_nothing_is_none() {
        for text in ["", "*", "*.*", "com.a b", "com.ключ", "com/../a"] {
            assert_eq!(Pattern::new(text), None, "{text}");
        }
    }
}
