//! Certificates whose private keys anyone can have, recognised by their SHA-256 and by nothing else: a subject is only
//! text.
//!
//! A line for each, columns separated by tabs; lines that begin with `#` and empty ones are skipped:
//!
//! | column | meaning |
//! |---|---|
//! | SHA-256 | of the certificate in DER, 64 hex digits; colons and upper case are taken too |
//! | name | what the key is called |
//! | kind | `aosp-test-key`, `tool-test-key`, `debug-key`, `leaked-key`, or a word of your own in small letters and dashes |
//! | source | the https:// address where it is published, or where its leak was |

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;

use super::Certificate;

/// Those that come with the program.
const PUBLISHED: &str = include_str!("known_certificates.tsv");

/// A certificate whose private key is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Name of the key.
    pub name: String,
    /// `aosp-test-key`: signs Android's own builds until release keys replace it. `tool-test-key`: belongs to tests.
    /// `debug-key`: comes with a tool for developers. `leaked-key`: was its owner's alone once. Else the list's own word.
    pub kind: String,
    /// Where it is published.
    pub source: String,
}

/// What is wrong in a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct KnownError {
    /// Counted from 1.
    pub line: usize,
    /// In words.
    pub what: String,
}

/// A list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownCertificates {
    by_sha256: BTreeMap<String, Known>,
}

impl KnownCertificates {
    /// Those that come with the program.
    #[must_use]
    pub fn published() -> &'static Self {
        static KNOWN: OnceLock<KnownCertificates> = OnceLock::new();
        KNOWN.get_or_init(|| {
            let mut known = Self::default();
            // A unit test reads it without an error.
            let _ = known.extend(PUBLISHED);
            known
        })
    }

    /// Adds the lines of a list; one that stands in both counts as the list has it.
    ///
    /// # Errors
    /// The first line that is not as it must be. Those before it have been added.
    pub fn extend(&mut self, list: &str) -> Result<(), KnownError> {
        for (index, text) in list.lines().enumerate() {
            let text = text.trim_end_matches('\r');
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let (sha256, known) = row(text).map_err(|what| KnownError { line: index + 1, what })?;
            self.by_sha256.insert(sha256, known);
        }
        Ok(())
    }

    /// What is known of a certificate.
    #[must_use]
    pub fn get(&self, certificate: &Certificate) -> Option<&Known> {
        self.by_sha256.get(&certificate.sha256())
    }

    /// Their number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_sha256.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_sha256.is_empty()
    }
}

fn row(text: &str) -> Result<(String, Known), String> {
    let columns: Vec<&str> = text.split('\t').map(str::trim).collect();
    let [sha256, name, kind, source] = columns.as_slice() else {
        return Err(format!("{} columns, expected SHA-256, name, kind and source with tabs between", columns.len()));
    };
    let sha256 = sha256.replace(':', "").to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("the first column is no SHA-256 of 64 hex digits".to_owned());
    }
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if kind.is_empty() || !kind.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-') {
        return Err(format!("the kind is '{}', expected a word such as leaked-key", kind.escape_debug()));
    }
    if !source.starts_with("https://") {
        return Err("the source is no https:// address".to_owned());
    }
    Ok((sha256, Known { name: (*name).to_owned(), kind: (*kind).to_owned(), source: (*source).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_line_is_read_and_each_digest_stands_once() {
        let mut known = KnownCertificates::default();
        assert_eq!(known.extend(PUBLISHED), Ok(()));
        let lines = PUBLISHED.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(known.len(), lines.count());
        let kinds = ["aosp-test-key", "tool-test-key", "debug-key", "leaked-key"];
        assert!(known.by_sha256.values().all(|known| kinds.contains(&known.kind.as_str())));
    }

    #[test]
    fn a_list_of_ones_own_adds_and_its_first_fault_is_named() {
        let mut known = KnownCertificates::published().clone();
        let digest = "AB".repeat(32);
        let before = known.len();
        assert_eq!(known.extend(&format!("# mine\n\n{digest}\tours\tstolen\thttps://a.example/x\r\n")), Ok(()));
        assert_eq!(known.len(), before + 1);
        for (list, fault) in [
            ("00\ta\tb\thttps://a".to_owned(), "line 1: the first column is no SHA-256"),
            (format!("#\n{digest}\ta\tb"), "line 2: 3 columns"),
            (format!("{digest}\ta\tB c\thttps://a"), "the kind is 'B c'"),
            (format!("{digest}\ta\tb\thttp://a"), "the source is no https:// address"),
            (format!("{digest}\t\tb\thttps://a"), "the name is empty"),
        ] {
            let error = known.extend(&list).unwrap_err().to_string();
            assert!(error.contains(fault), "{error}");
        }
    }
}
