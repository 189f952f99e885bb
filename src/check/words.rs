//! What a finding says, in the languages of reports: each sentence is written in all of them where it is made.

use std::borrow::Cow;

/// A text in English and Russian. What is the same in every language (names, paths, numbers, codes) is [`Words::plain`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Russian.
    pub ru: String,
}

/// A text of ours without anything in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phrase {
    en: &'static str,
    ru: &'static str,
}

/// A phrase in both languages.
pub(super) const fn phrase(en: &'static str, ru: &'static str) -> Phrase {
    Phrase { en, ru }
}

/// What can stand within words.
pub trait Say {
    /// In English.
    fn en(&self) -> Cow<'_, str>;

    /// In Russian.
    fn ru(&self) -> Cow<'_, str> {
        self.en()
    }
}

impl Words {
    /// The same in every language.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        let en = text.into();
        Self { ru: en.clone(), en }
    }

    /// Several texts with the same between them.
    #[must_use]
    pub fn joined<T: Say>(parts: impl IntoIterator<Item = T>, between: &str) -> Self {
        let mut all = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                all.en.push_str(between);
                all.ru.push_str(between);
            }
            all.en.push_str(&part.en());
            all.ru.push_str(&part.ru());
        }
        all
    }
}

impl From<Phrase> for Words {
    fn from(phrase: Phrase) -> Self {
        Self { en: phrase.en.to_owned(), ru: phrase.ru.to_owned() }
    }
}

impl From<&crate::profile::Text> for Words {
    fn from(text: &crate::profile::Text) -> Self {
        Self { en: text.en.clone(), ru: text.ru.clone().unwrap_or_else(|| text.en.clone()) }
    }
}

impl Say for Words {
    fn en(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.en)
    }

    fn ru(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.ru)
    }
}

impl Say for Phrase {
    fn en(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.en)
    }

    fn ru(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.ru)
    }
}

impl Say for str {
    fn en(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Say for String {
    fn en(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl<T: Say + ?Sized> Say for &T {
    fn en(&self) -> Cow<'_, str> {
        (**self).en()
    }

    fn ru(&self) -> Cow<'_, str> {
        (**self).ru()
    }
}

macro_rules! say_as_printed {
    ($($number:ty),*) => {$(
        impl Say for $number {
            fn en(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}

say_as_printed!(u32, u64, usize, i64, jiff::civil::Date);

/// Words of a sentence in English and one in Russian, with the same things in both: `words!("{path} is gone", "{path} пропал",
/// path = copy.path)`. Each thing is anything that implements [`Say`]; `path` alone stands for `path = path`.
macro_rules! words {
    (@value $name:ident) => { $name };
    (@value $name:ident $value:expr) => { $value };
    ($en:literal, $ru:literal $(,)?) => {
        $crate::check::words::Words { en: $en.to_owned(), ru: $ru.to_owned() }
    };
    ($en:literal, $ru:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        $(let $name = &$crate::check::words::words!(@value $name $($value)?);)+
        $crate::check::words::Words {
            en: { $(let $name = $crate::check::words::Say::en($name);)+ format!($en) },
            ru: { $(let $name = $crate::check::words::Say::ru($name);)+ format!($ru) },
        }
    }};
}
pub(crate) use words;

/// A noun with its forms for numbers: one, many in English; one, two to four, five and more in Russian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noun {
    en: [&'static str; 2],
    ru: [&'static str; 3],
}

impl Noun {
    pub(super) const fn new(en: [&'static str; 2], ru: [&'static str; 3]) -> Self {
        Self { en, ru }
    }

    /// A number with its noun.
    pub(super) fn count(self, count: usize) -> Words {
        let en = if count == 1 { self.en[0] } else { self.en[1] };
        let ru = match (count % 10, count % 100) {
            (_, 11..=14) => self.ru[2],
            (1, _) => self.ru[0],
            (2..=4, _) => self.ru[1],
            _ => self.ru[2],
        };
        Words { en: format!("{count} {en}"), ru: format!("{count} {ru}") }
    }
}

pub(super) const PACKAGES: Noun = Noun::new(["package", "packages"], ["пакет", "пакета", "пакетов"]);
/// As they stand behind "of" and "among".
pub(super) const OF_PACKAGES: Noun = Noun::new(["package", "packages"], ["пакета", "пакетов", "пакетов"]);
pub(super) const MORE_PACKAGES: Noun = Noun::new(["more package", "more packages"], ["пакет", "пакета", "пакетов"]);
pub(super) const MORE_LIBRARIES: Noun =
    Noun::new(["more library", "more libraries"], ["библиотека", "библиотеки", "библиотек"]);
pub(super) const GAPS: Noun = Noun::new(["gap", "gaps"], ["пробел", "пробела", "пробелов"]);
pub(super) const MORE_GAPS: Noun = Noun::new(["more gap", "more gaps"], ["пробел", "пробела", "пробелов"]);
pub(super) const CLASSES: Noun = Noun::new(["class", "classes"], ["класс", "класса", "классов"]);
pub(super) const OF_KNOWN_APPS: Noun =
    Noun::new(["known app", "known apps"], ["известного приложения", "известных приложений", "известных приложений"]);

/// Tests are written in English.
#[cfg(test)]
impl std::ops::Deref for Words {
    type Target = str;

    fn deref(&self) -> &str {
        &self.en
    }
}

#[cfg(test)]
impl PartialEq<str> for Words {
    fn eq(&self, other: &str) -> bool {
        self.en == other
    }
}

#[cfg(test)]
impl PartialEq<&str> for Words {
    fn eq(&self, other: &&str) -> bool {
        self.en == *other
    }
}

#[cfg(test)]
impl PartialEq<String> for Words {
    fn eq(&self, other: &String) -> bool {
        self.en == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_within_words_is_said_in_the_language_of_each() {
        let place = words!("at {path}", "по пути {path}", path = "/system");
        let count = PACKAGES.count(2);
        let words =
            words!("{count} {place}: {what}", "{place}: {count}: {what}", count, place, what = phrase("a", "б"));
        assert_eq!(words, Words { en: "2 packages at /system: a".into(), ru: "по пути /system: 2 пакета: б".into() });
        assert_eq!(Words::joined([Words::plain("x"), phrase("a", "б").into()], ", ").ru, "x, б");
    }

    #[test]
    fn nouns_follow_their_numbers() {
        let ru = |count| PACKAGES.count(count).ru;
        assert_eq!([0, 1, 3, 12, 21].map(ru), ["0 пакетов", "1 пакет", "3 пакета", "12 пакетов", "21 пакет"]);
        assert_eq!(OF_PACKAGES.count(21), Words { en: "21 packages".into(), ru: "21 пакета".into() });
    }
}
