//! Locales that labels are asked for in, and how well the locale of a resource fits one (AOSP `ResTable_config::match`
//! and `isLocaleBetterThan`).
//!
//! | offset in `ResTable_config` | size | name | meaning |
//! |---|---|---|---|
//! | 8 | 2 | language | two letters, or three packed into 15 bits with the top bit set |
//! | 10 | 2 | country | two letters, or three digits packed alike |
//! | 36 | 4 | localeScript | four letters, or nothing |
//! | 40 | 8 | localeVariant | not looked at |

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// A locale as BCP 47 writes it, without variants: `ru`, `pt-BR`, `sr-Latn`, `zh-Hant-TW`, `fil`, `es-419`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale {
    /// As a configuration holds it.
    language: [u8; 2],
    script: [u8; 4],
    region: [u8; 2],
}

/// Why a text is no [`Locale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a language, then a script and a region where wanted, as in \"ru\", \"pt-BR\" or \"zh-Hant-TW\"")]
pub struct LocaleError;

impl Locale {
    /// English.
    pub const ENGLISH: Self = Self { language: *b"en", script: [0; 4], region: [0; 2] };
    /// Russian.
    pub const RUSSIAN: Self = Self { language: *b"ru", script: [0; 4], region: [0; 2] };

    /// The locale of a configuration, from its start on; what is short reads as nothing.
    pub(super) fn of_config(raw: &[u8]) -> Self {
        let field = |at: usize| raw.get(at).copied().unwrap_or_default();
        let script = [36, 37, 38, 39].map(field);
        Self { language: [field(8), field(9)], script, region: [field(10), field(11)] }
    }

    /// Whether it is that of values for every locale.
    pub(super) fn is_any(&self) -> bool {
        self.language == [0; 2]
    }

    /// Whether it is English.
    pub(super) fn is_english(&self) -> bool {
        self.language == *b"en"
    }

    /// Whether it is of no country.
    pub(super) fn is_regionless(&self) -> bool {
        self.region == [0; 2]
    }

    /// Whether tools made it to test layouts.
    pub(super) fn is_pseudo(&self) -> bool {
        matches!(&self.region, b"XA" | b"XB")
    }

    /// How well a resource of locale `found` serves, greater is better; `None` where a device of this locale does not
    /// take it. Values for every locale have 2.
    ///
    /// Of another country of the language, Android takes what its tables of parents say is nearest; here all are equal.
    pub(super) fn fit(&self, found: &Self) -> Option<u32> {
        if found.is_any() {
            return Some(2);
        }
        if equivalent(self.language) != equivalent(found.language) {
            return None;
        }
        if self.script().zip(found.script()).is_some_and(|(wanted, found)| wanted != found) {
            return None;
        }
        let own = if self.region == [0; 2] { usual_region(self.language) } else { self.region };
        Some(match found.region {
            region if region == self.region => 6,
            [0, 0] => 5,
            region if region == own => 4,
            // Values for every locale are where American English stands.
            _ if self.is_english() && own == *b"US" => 1,
            _ => 3,
        })
    }

    /// The script, said or usual.
    fn script(&self) -> Option<[u8; 4]> {
        if self.script != [0; 4] {
            return Some(self.script);
        }
        Some(match (&self.language, &self.region) {
            (b"zh", b"TW" | b"HK" | b"MO") => *b"Hant",
            (b"zh", _) => *b"Hans",
            (b"sr", b"ME") => *b"Latn",
            (b"sr", _) => *b"Cyrl",
            _ => return None,
        })
    }
}

/// Languages that have had two codes count as one.
fn equivalent(language: [u8; 2]) -> [u8; 2] {
    match &language {
        b"iw" => *b"he",
        b"in" => *b"id",
        b"ji" => *b"yi",
        // `fil`, packed.
        [0xad, 0x05] => *b"tl",
        _ => language,
    }
}

/// The country that a device speaking the language is likely set to.
fn usual_region(language: [u8; 2]) -> [u8; 2] {
    match &language {
        b"en" => *b"US",
        b"pt" => *b"BR",
        b"zh" => *b"CN",
        b"uk" => *b"UA",
        b"be" => *b"BY",
        b"kk" => *b"KZ",
        _ => language.map(|letter| letter.to_ascii_uppercase()),
    }
}

/// Two letters as they are, or three packed above `base`.
fn pack(text: &str, base: u8) -> Option<[u8; 2]> {
    match text.as_bytes() {
        [first, second] => Some([*first, *second]),
        [first, second, third] => {
            let [first, second, third] = [first, second, third].map(|byte| byte.checked_sub(base));
            let (first, second, third) = (first?, second?, third?);
            Some([0x80 | third << 2 | second >> 3, second << 5 | first])
        }
        _ => None,
    }
}

fn unpack(packed: [u8; 2], base: u8, write: &mut dyn FnMut(&[u8]) -> fmt::Result) -> fmt::Result {
    let [high, low] = packed;
    if high & 0x80 == 0 {
        return write(&packed);
    }
    write(&[(low & 0x1f) + base, ((low & 0xe0) >> 5 | (high & 0x03) << 3) + base, ((high & 0x7c) >> 2) + base])
}

impl FromStr for Locale {
    type Err = LocaleError;

    fn from_str(text: &str) -> Result<Self, LocaleError> {
        let mut parts = text.split(['-', '_']).peekable();
        let all = |part: &str, kind: fn(&u8) -> bool| part.as_bytes().iter().all(kind);
        let language = parts.next().filter(|part| all(part, u8::is_ascii_alphabetic)).map(str::to_ascii_lowercase);
        let language = language.and_then(|part| pack(&part, b'a')).ok_or(LocaleError)?;
        let mut locale = Self { language, script: [0; 4], region: [0; 2] };
        if let Some(part) = parts.next_if(|part| part.len() == 4 && all(part, u8::is_ascii_alphabetic)) {
            let mut script = <[u8; 4]>::try_from(part.as_bytes()).map_err(|_| LocaleError)?;
            script.make_ascii_lowercase();
            if let Some(first) = script.first_mut() {
                first.make_ascii_uppercase();
            }
            locale.script = script;
        }
        if let Some(part) = parts.next() {
            let fits = match part.len() {
                2 => all(part, u8::is_ascii_alphabetic),
                3 => all(part, u8::is_ascii_digit),
                _ => false,
            };
            let region = Some(part.to_ascii_uppercase()).filter(|_| fits).and_then(|part| pack(&part, b'0'));
            locale.region = region.ok_or(LocaleError)?;
        }
        if parts.next().is_some() { Err(LocaleError) } else { Ok(locale) }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write = |letters: &[u8]| letters.iter().try_for_each(|&letter| out.write_char(letter.into()));
        unpack(self.language, b'a', &mut write)?;
        if self.script != [0; 4] {
            write(b"-")?;
            write(&self.script)?;
        }
        if self.region != [0; 2] {
            write(b"-")?;
            unpack(self.region, b'0', &mut write)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(text: &str) -> Locale {
        text.parse().unwrap()
    }

    #[test]
    fn a_locale_is_written_as_it_is_read() {
        for text in ["ru", "pt-BR", "sr-Latn", "zh-Hant-TW", "fil", "es-419"] {
            assert_eq!(locale(text).to_string(), text);
        }
        assert_eq!(locale("PT_br").to_string(), "pt-BR");
        for text in ["", "r", "russ", "ru-", "ru-R", "ru-RUS", "zh-Hant-TW-x", "r1", "es-4a9", "ру"] {
            assert_eq!(text.parse::<Locale>(), Err(LocaleError), "{text}");
        }
    }

    #[test]
    fn three_letters_are_packed_as_android_packs_them() {
        // Bytes of `values-fil` and `values-es-r419` in a table that aapt2 wrote.
        assert_eq!(pack("fil", b'a'), Some([0xad, 0x05]));
        assert_eq!(pack("419", b'0'), Some([0xa4, 0x24]));
    }

    #[test]
    fn a_country_of_the_same_language_serves_before_the_default_but_not_for_american_english() {
        let fit = |wanted: &str, found: &str| locale(wanted).fit(&locale(found));
        let default = locale("ru").fit(&Locale::of_config(&[]));
        assert_eq!(default, Some(2));
        assert!(fit("pt-PT", "pt-PT") > fit("pt-PT", "pt") && fit("pt-PT", "pt") > fit("pt-PT", "pt-BR"));
        assert!(fit("pt-PT", "pt-BR") > default && fit("en", "en-GB") < default && fit("en-AU", "en-GB") > default);
        assert_eq!((fit("ru", "uk"), fit("zh-TW", "zh-CN"), fit("sr-Latn", "sr")), (None, None, None));
        assert!(fit("zh-HK", "zh-TW") > default && fit("he", "iw") == Some(6) && fit("fil", "tl") == Some(6));
    }
}
