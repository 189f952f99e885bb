//! The one error of everything that parses bytes.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Why a place in the input could not be read as what it should be.
///
/// Printed as one line, outermost context first:
/// `super: partition product_a: ext4: superblock: byte 1048: s_log_block_size is 31, expected 0 to 6`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Where the reader was, innermost first; printed in reverse.
    context: Vec<String>,
    /// Byte offset within the innermost source.
    pub offset: u64,
    /// What is wrong there.
    pub kind: ErrorKind,
}

/// What is wrong at the place that a [`ParseError`] names.
#[derive(Debug, Clone)]
pub enum ErrorKind {
    /// A field holds a value that its specification does not allow.
    Invalid {
        /// The field's name in its specification.
        field: &'static str,
        /// The value, as text.
        found: String,
        /// What is allowed, as text.
        expected: &'static str,
    },
    /// The input ends before the structure does.
    Truncated {
        /// Bytes wanted at the offset.
        wanted: u64,
        /// Length of the source in bytes.
        length: u64,
    },
    /// Well-formed, but of a kind that is not read.
    Unsupported {
        /// The feature's name.
        feature: String,
    },
    /// A size, count or depth above the limit that bounds it.
    LimitExceeded {
        /// What was counted.
        what: &'static str,
        /// The value found.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// The operating system, or the transport, refused.
    Io(Arc<io::Error>),
}

impl PartialEq for ErrorKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Io(a), Self::Io(b)) => a.kind() == b.kind(),
            (Self::Io(_), _) | (_, Self::Io(_)) => false,
            (a, b) => a.to_string() == b.to_string(),
        }
    }
}

impl Eq for ErrorKind {}

impl ParseError {
    /// An error of the given kind.
    #[must_use]
    pub fn new(offset: u64, kind: ErrorKind) -> Self {
        Self { context: Vec::new(), offset, kind }
    }

    /// A field with a value that is not allowed.
    #[must_use]
    pub fn invalid(offset: u64, field: &'static str, found: impl fmt::Display, expected: &'static str) -> Self {
        Self::new(offset, ErrorKind::Invalid { field, found: found.to_string(), expected })
    }

    /// `wanted` bytes at `offset` of a source that has `length`.
    #[must_use]
    pub fn truncated(offset: u64, wanted: u64, length: u64) -> Self {
        Self::new(offset, ErrorKind::Truncated { wanted, length })
    }

    /// A feature that is not read.
    #[must_use]
    pub fn unsupported(offset: u64, feature: impl Into<String>) -> Self {
        Self::new(offset, ErrorKind::Unsupported { feature: feature.into() })
    }

    /// `what` is `found`, above `limit`.
    #[must_use]
    pub fn limit(offset: u64, what: &'static str, found: u64, limit: u64) -> Self {
        Self::new(offset, ErrorKind::LimitExceeded { what, found, limit })
    }

    /// The operating system's refusal.
    #[must_use]
    pub fn io(offset: u64, error: io::Error) -> Self {
        Self::new(offset, ErrorKind::Io(Arc::new(error)))
    }

    /// The same error seen from one layer further out: a format, a partition, a path.
    #[must_use]
    pub fn within(mut self, context: impl Into<String>) -> Self {
        self.context.push(context.into());
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.context.iter().rev() {
            write!(f, "{context}: ")?;
        }
        match &self.kind {
            // The operating system speaks of the whole file, not of a byte in it.
            ErrorKind::Io(_) => {}
            _ => write!(f, "byte {}: ", self.offset)?,
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { field, found, expected } => write!(f, "{field} is {found}, expected {expected}"),
            Self::Truncated { wanted, length } => {
                write!(f, "{wanted} bytes are needed here, the source ends at {length}")
            }
            Self::Unsupported { feature } => write!(f, "{feature} is not supported"),
            Self::LimitExceeded { what, found, limit } => write!(f, "{what} is {found}, the limit is {limit}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_one_line_outermost_first() {
        let error = ParseError::invalid(1024, "blkszbits", 31, "9 to 16")
            .within("superblock")
            .within("erofs")
            .within("partition product_a");
        assert_eq!(
            error.to_string(),
            "partition product_a: erofs: superblock: byte 1024: blkszbits is 31, expected 9 to 16"
        );
    }
}
