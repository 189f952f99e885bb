//! Errors that point into a profile.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Characters of a line that are shown around the place of an error: enough for any line that people write, and a
/// bound for lines that they don't.
const EXCERPT_CHARS: usize = 160;

/// A profile that can't be used, and where.
///
/// Displayed as `file:line:column: message`, the line with a caret below it, and help where there is some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError {
    // One pointer, so that every `Result` of the layer stays small.
    details: Box<Details>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    file: String,
    place: Option<Place>,
    message: String,
    help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// The line, cleaned for terminals.
    excerpt: String,
    /// Terminal cells before the caret.
    indent: usize,
    /// Carets.
    width: usize,
}

impl ProfileError {
    /// An error about a file as a whole.
    #[must_use]
    pub fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { details: Box::new(Details { file: file.into(), place: None, message: message.into(), help: None }) }
    }

    /// An error at the bytes `span` of `text`.
    #[must_use]
    pub fn at(file: impl Into<String>, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let mut error = Self::whole(file, message);
        error.details.place = Some(Place::find(text, span));
        error
    }

    /// The same error with a line of help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.details.help = Some(help.into());
        self
    }

    /// The file's name, or the name under which a profile was asked for.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.details.file
    }

    /// Line, from 1; `None` where the error concerns the whole file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.details.place.as_ref().map(|place| place.line)
    }

    /// Column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.details.place.as_ref().map(|place| place.column)
    }

    /// What is wrong and what was expected, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// What may help: the nearest known word.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.details.help.as_deref()
    }
}

impl std::error::Error for ProfileError {}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { file, place, message, help } = &*self.details;
        write!(f, "{}", clean(file))?;
        let Some(place) = place else {
            write!(f, ": {}", clean(message))?;
            return match help {
                Some(help) => write!(f, "\n  = {}", clean(help)),
                None => Ok(()),
            };
        };
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, ":{}:{}: {}", place.line, place.column, clean(message))?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", place.excerpt)?;
        write!(f, "{gutter} | {}{}", " ".repeat(place.indent), "^".repeat(place.width))?;
        match help {
            Some(help) => write!(f, "\n{gutter} = {}", clean(help)),
            None => Ok(()),
        }
    }
}

impl Place {
    fn find(text: &str, span: Range<usize>) -> Self {
        let start = floor_char(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let whole = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let column = text.get(line_start..start).unwrap_or_default().chars().count() + 1;

        let skipped = (column - 1).saturating_sub(EXCERPT_CHARS / 2);
        let shown: Vec<char> = whole.chars().skip(skipped).take(EXCERPT_CHARS).map(printable).collect();
        let caret = column - 1 - skipped;
        let length = text.get(start..floor_char(text, span.end.max(start))).unwrap_or_default();
        let length = length.split('\n').next().unwrap_or_default().trim_end_matches('\r').chars().count();
        let cells = |chars: &[char]| chars.iter().map(|c| c.width().unwrap_or(1)).sum::<usize>();
        let at = caret.min(shown.len());
        let end = caret.saturating_add(length).clamp(at, shown.len());
        Self {
            line,
            column,
            indent: cells(shown.get(..at).unwrap_or_default()),
            width: cells(shown.get(at..end).unwrap_or_default()).max(1),
            excerpt: shown.into_iter().collect::<String>().trim_end().to_owned(),
        }
    }
}

/// The nearest boundary of a character at or before `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What may go to a terminal in place of `c`: a profile may come from anybody.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || is_bidi_control(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Characters that reorder the text around them, so that a line reads otherwise than it is.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn clean(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// The word of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A hostile word of megabytes is nobody's slip of the finger, and the distance costs its length squared.
    if word.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() + 1).max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_place_also_after_wide_characters() {
        let text = "a = 1\nключ = \"漢\" x\n";
        let start = text.find('x').unwrap();
        let error = ProfileError::at("p.toml", text, start..start + 1, "no").with_help("none");
        assert_eq!(error.to_string(), "p.toml:2:12: no\n  |\n2 | ключ = \"漢\" x\n  |             ^\n  = none");
    }

    #[test]
    fn a_line_of_a_megabyte_and_escape_sequences_stay_out_of_the_terminal() {
        let text = format!("\u{1b}[31m\u{202e}{}x", "y".repeat(1 << 20));
        let error = ProfileError::at("p\u{7}.toml", &text, text.len() - 1..text.len(), "bad \u{1b}c");
        let shown = error.to_string();
        assert!(shown.len() < 1000, "{} bytes", shown.len());
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
        let shown = ProfileError::at("p", &text, 0..1, "bad").to_string();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    }

    #[test]
    fn a_span_beyond_the_text_or_within_a_character_is_still_shown() {
        for span in [100..200, 1..2, Range { start: 3, end: 2 }] {
            assert!(ProfileError::at("p", "я", span, "m").to_string().starts_with("p:1:"));
        }
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["title", "status", "device-kinds"];
        assert_eq!(nearest("titel", known), Some("title"));
        assert_eq!(nearest("device_kinds", known), Some("device-kinds"));
        assert_eq!(nearest("colour", known), None);
    }
}
