//! Lines that no grammar covers.

use super::At;

/// Lines kept as samples. The count goes on.
const SAMPLES: usize = 20;

/// Characters kept of one line.
const SAMPLE_CHARS: usize = 200;

/// Lines of an answer that the parser did not understand: all counted, the first of them kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftover {
    /// How many.
    pub count: u64,
    /// The first of them, cut to 200 characters.
    pub samples: Vec<At<String>>,
}

impl Leftover {
    pub(super) fn add(&mut self, line: u32, text: &str) {
        self.count += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(At { value: text.trim().chars().take(SAMPLE_CHARS).collect(), line });
        }
    }

    /// One sentence about them; `None` if there are none.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let first = self.samples.first()?;
        Some(format!("{} lines were not understood, the first is line {}: {}", self.count, first.line, first.value))
    }
}
