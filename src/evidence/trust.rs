//! Which keys are trusted, for whom and for how long.
//!
//! A list of keys is TOML:
//!
//! ```toml
//! [[key]]
//! name = "station 3"                                       # whose it is, as reports name it
//! public = "GZ9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="  # 32 bytes in base64
//! from = "2026-01-01"                                      # first day, optional
//! until = "2026-12-31"                                     # last day, UTC, optional
//! revoked = "2026-03-01"                                   # signatures from this day on are wrong, optional
//! ```
//!
//! A public key in PEM is a list of one key without dates.

use jiff::civil::Date;
use serde::Deserialize;

use super::key::{KeyError, PublicKey};

/// A key that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// Whose it is; empty where the file does not say.
    pub name: String,
    /// First day on which it may sign.
    pub from: Option<Date>,
    /// Last day on which it may sign, in UTC.
    pub until: Option<Date>,
    /// From this day on its signatures are wrong.
    pub revoked: Option<Date>,
}

/// Keys that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// In the order of their files.
    pub keys: Vec<TrustedKey>,
}

/// What a list of keys says of a signature's key on the day of signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is in the list, and the day is within its time.
    Trusted,
    /// It is not in the list.
    Foreign,
    /// The day is after its last, or before its first, or it was revoked: in words.
    OutOfTime(String),
}

/// Why a text is no list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not TOML of that form.
    #[error("not a list of keys: {0}")]
    Form(String),
    /// A key in it is none.
    #[error("key {name}: {error}")]
    Key {
        /// The entry's name.
        name: String,
        /// What is wrong.
        error: KeyError,
    },
    /// No key at all.
    #[error("the list holds no key")]
    Empty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    key: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    public: String,
    from: Option<String>,
    until: Option<String>,
    revoked: Option<String>,
}

impl Trust {
    /// The keys of a file: a public key in PEM, or a list in TOML.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        if text.contains("-----BEGIN PUBLIC KEY-----") {
            let of_pem = |error| TrustError::Key { name: "in PEM".to_owned(), error };
            let key = PublicKey::from_pem(text).map_err(of_pem)?;
            let key = TrustedKey { key, name: String::new(), from: None, until: None, revoked: None };
            return Ok(Self { keys: vec![key] });
        }
        let list: List = toml::from_str(text).map_err(|error| TrustError::Form(error.to_string()))?;
        let keys: Result<Vec<_>, _> = list.key.into_iter().map(trusted).collect();
        let keys = keys?;
        if keys.is_empty() { Err(TrustError::Empty) } else { Ok(Self { keys }) }
    }

    /// What the list says of a key that signed on `day`. Of several entries for one key the best counts: a key may be
    /// listed anew with a later end.
    #[must_use]
    pub fn standing(&self, key: &PublicKey, day: Date) -> Standing {
        let mut worst = Standing::Foreign;
        for entry in self.keys.iter().filter(|entry| entry.key == *key) {
            match entry.out_of_time(day) {
                None => return Standing::Trusted,
                Some(words) => worst = Standing::OutOfTime(words),
            }
        }
        worst
    }

    /// The name that the list gives a key; `None` for one that it has not, or has without a name.
    #[must_use]
    pub fn name(&self, key: &PublicKey) -> Option<&str> {
        self.keys
            .iter()
            .find(|entry| entry.key == *key)
            .map(|entry| entry.name.as_str())
            .filter(|name| !name.is_empty())
    }
}

impl TrustedKey {
    fn out_of_time(&self, day: Date) -> Option<String> {
        if let Some(revoked) = self.revoked.filter(|revoked| day >= *revoked) {
            return Some(format!("signed on {day}, and the key was revoked on {revoked}"));
        }
        if let Some(until) = self.until.filter(|until| day > *until) {
            return Some(format!("signed on {day}, and the key expired after {until}"));
        }
        self.from.filter(|from| day < *from).map(|from| format!("signed on {day}, before the key's first day, {from}"))
    }
}

fn trusted(entry: Entry) -> Result<TrustedKey, TrustError> {
    let Entry { name, public, from, until, revoked } = entry;
    let key = PublicKey::from_base64(&public).map_err(|error| TrustError::Key { name: name.clone(), error })?;
    let day = |text: Option<String>| -> Result<Option<Date>, TrustError> {
        let parse = |text: String| {
            text.parse().map_err(|_| TrustError::Form(format!("key {name}: {text} is no day, expected YYYY-MM-DD")))
        };
        text.map(parse).transpose()
    };
    let (from, until, revoked) = (day(from)?, day(until)?, day(revoked)?);
    Ok(TrustedKey { key, name, from, until, revoked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const LIST: &str = r#"
[[key]]
name = "station 3"
public = "GZ9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
from = "2026-01-01"
until = "2026-12-31"
revoked = "2026-11-01"
"#;

    #[test]
    fn a_key_is_trusted_within_its_time_only() {
        let trust = Trust::parse(LIST).unwrap();
        let key = trust.keys[0].key;
        let standing = |day| trust.standing(&key, day);
        assert_eq!(standing(date(2026, 1, 1)), Standing::Trusted);
        assert_eq!(standing(date(2026, 10, 31)), Standing::Trusted);
        for (day, word) in
            [(date(2025, 12, 31), "first day"), (date(2026, 11, 1), "revoked"), (date(2027, 1, 1), "revoked")]
        {
            assert!(matches!(standing(day), Standing::OutOfTime(words) if words.contains(word)), "{day}");
        }
        let unrevoked = Trust::parse(&LIST.replace("revoked", "# revoked")).unwrap();
        assert_eq!(unrevoked.standing(&key, date(2026, 12, 31)), Standing::Trusted);
        assert!(
            matches!(unrevoked.standing(&key, date(2027, 1, 1)), Standing::OutOfTime(words) if words.contains("expired"))
        );
    }

    #[test]
    fn a_key_that_is_not_in_the_list_is_foreign() {
        let trust = Trust::parse(LIST).unwrap();
        assert_eq!(trust.standing(&PublicKey::from_bytes([7; 32]), date(2026, 5, 1)), Standing::Foreign);
    }

    #[test]
    fn lists_that_are_none_are_refused() {
        for (text, words) in [
            ("", "the list holds no key"),
            ("[[key]]\nname = \"a\"\npublic = \"AAAA\"\n", "key a: not an ed25519 key: a public key has 32 bytes"),
        ] {
            assert_eq!(Trust::parse(text).unwrap_err().to_string(), words);
        }
        assert!(Trust::parse(&LIST.replace("until", "til")).unwrap_err().to_string().contains("unknown field `til`"));
        assert!(Trust::parse(&LIST.replace("2026-12-31", "2026-13-31")).is_err());
    }
}
