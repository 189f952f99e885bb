//! The wrapper around a command that shows where its answer ends, and with which status.
//!
//! A stream that was cut looks to a client like one that ended, and phones before Android 7 report no exit status. So
//! the phone is asked to print a mark after the command's output: a nonce that the output can't know, and the status.
//!
//! ```text
//! ( COMMAND
//! )</dev/null;echo "__end_NONCE:$?"
//! ```
//!
//! The subshell makes `$?` the command's own status, and the line feed keeps a comment in the command from swallowing
//! the bracket. Without `</dev/null` a command that reads its input would wait for ever.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

const OPEN: &str = "( ";
const INPUT: &str = "\n)</dev/null;echo \"";
const MARK: &str = "__end_";
const STATUS: &str = ":$?\"";

/// A fresh nonce: 32 hexadecimal digits that no earlier call had and that nobody outside this process can foresee.
#[must_use]
pub fn nonce() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let half = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(call);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(), half())
}

/// The request for a command's line.
#[must_use]
pub fn wrap(line: &str, nonce: &str) -> String {
    format!("{OPEN}{line}{INPUT}{MARK}{nonce}{STATUS}")
}

/// The line within a request, and its nonce; `None` for anything that [`wrap`] did not make.
#[must_use]
pub fn unwrap(request: &str) -> Option<(&str, &str)> {
    let (line, rest) = request.strip_prefix(OPEN)?.split_once(INPUT)?;
    let nonce = rest.strip_prefix(MARK)?.strip_suffix(STATUS)?;
    let plain = nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then_some((line, nonce))
}

/// Cuts the mark off a command's output and returns its status; `None`, and the output unchanged, if the output does
/// not end with it: then there is no telling how much is missing.
pub fn take_status(output: &mut Vec<u8>, nonce: &str) -> Option<i32> {
    let mark = format!("{MARK}{nonce}:");
    let at = output.windows(mark.len()).rposition(|window| window == mark.as_bytes())?;
    let digits = output.get(at + mark.len()..)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = digits.strip_suffix('\n')?.trim_end_matches('\r');
    if digits.is_empty() || digits.len() > 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let status = digits.parse().ok()?;
    output.truncate(at);
    Some(status)
}

/// Makes each CR LF an LF: the terminal that phones before Android 7 put between a command and its reader.
#[must_use]
pub fn without_carriage_returns(output: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(output.len());
    let mut bytes = output.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            plain.push(byte);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_wrapped_line_is_found_again_and_nothing_else_is() {
        let request = wrap("pm list users", NONCE);
        assert_eq!(request, format!("( pm list users\n)</dev/null;echo \"__end_{NONCE}:$?\""));
        assert_eq!(unwrap(&request), Some(("pm list users", NONCE)));
        for other in [
            "pm list users".to_owned(),
            format!("{request};reboot"),
            format!("reboot;{request}"),
            wrap("x", "$(reboot)"),
        ] {
            assert_eq!(unwrap(&other), None, "{other:?}");
        }
    }

    #[test]
    fn nonces_differ() {
        let (a, b) = (nonce(), nonce());
        assert_ne!(a, b);
        assert_eq!(a.len(), 32);
    }

    #[test]
    fn the_status_is_taken_from_the_very_end_only() {
        let cases: [(String, Option<(i32, &str)>); 9] = [
            (format!("out\n__end_{NONCE}:0\n"), Some((0, "out\n"))),
            (format!("no line feed__end_{NONCE}:7\r\n"), Some((7, "no line feed"))),
            (format!("__end_{NONCE}:255\n"), Some((255, ""))),
            (format!("__end_{NONCE}:0\n__end_{NONCE}:1\n"), Some((1, "__end_0123456789abcdef0123456789abcdef:0\n"))),
            (format!("out\n__end_{NONCE}:0\nmore"), None),
            (format!("out\n__end_{NONCE}:\n"), None),
            (format!("out\n__end_{NONCE}:0"), None),
            (format!("out\n__end_{NONCE}:99999999999\n"), None),
            ("__end_00000000000000000000000000000000:0\n".to_owned(), None),
        ];
        for (output, expected) in cases {
            let mut bytes = output.clone().into_bytes();
            let status = take_status(&mut bytes, NONCE);
            assert_eq!(status, expected.map(|(status, _)| status), "{output:?}");
            let left = expected.map_or(output.as_str(), |(_, rest)| rest);
            assert_eq!(String::from_utf8_lossy(&bytes), left);
        }
    }

    #[test]
    fn only_a_carriage_return_before_a_line_feed_is_dropped() {
        assert_eq!(without_carriage_returns(b"a\r\nb\rc\n\r\r\n\r"), b"a\nb\rc\n\r\n\r");
    }
}
