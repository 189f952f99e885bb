//! Text from anywhere, made safe for XML and HTML.

use std::borrow::Cow;
use std::fmt::Write;

use super::printable;

/// Text as it may stand between tags and in quoted attributes, of HTML and XML 1.0 alike. Control and direction marks are
/// spelt out, and so are the two characters that XML can't hold.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    let text = printable(text);
    if !text.contains(special) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if special(other) => {
                // Writing to a string does not fail.
                let _ = write!(safe, "{}", other.escape_unicode());
            }
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

/// Writes one line of markup: everything in braces is escaped.
macro_rules! element {
    ($out:expr, $form:literal $(, $value:expr)* $(,)?) => {
        writeln!($out, $form $(, $crate::report::markup::escape($value.as_ref()))*)
    };
}
pub(super) use element;

/// Base64 as RFC 4648 has it, padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| ALPHABET.get((bits & 0x3f) as usize).map_or('=', |byte| char::from(*byte));
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for (index, shift) in [18_u32, 12, 6, 0].into_iter().enumerate() {
            text.push(if index <= chunk.len() { digit(bits >> shift) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_controls_and_noncharacters_are_spelt_out() {
        assert_eq!(escape("<a b='c'>&\"\u{1}\u{ffff}"), "&lt;a b=&#39;c&#39;&gt;&amp;&quot;\\u{1}\\u{ffff}");
        assert!(matches!(escape("МАКС ру"), Cow::Borrowed(_)));
    }

    #[test]
    fn base64_pads_as_the_rfc_shows() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (text, encoded) in cases {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }
}
