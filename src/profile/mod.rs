//! Profiles: rules that people write as TOML, with line and column in every error.

/// A rule's settings, with their places in the file.
#[derive(Debug)]
pub struct Settings<'a> {
    text: &'a str,
}

impl Settings<'_> {
    /// The whole profile's text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text
    }
}

/// A profile that can't be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProfileError {
    /// What is wrong.
    pub message: String,
}
