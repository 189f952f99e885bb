//! Text in both languages, and text from devices.

use crate::assess::Text;
use crate::check::Words;
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Lang, Phrase};

/// Characters of a text from a device that are shown; the report in JSON has all of it. Longer ones are no names.
pub(super) const SHOWN: usize = 400;

/// A text in both languages.
pub(super) fn pair(make: impl Fn(Lang) -> String) -> Words {
    Words { en: make(Lang::En), ru: make(Lang::Ru) }
}

/// It in one of them.
pub(super) fn say_in(words: &Words, lang: Lang) -> &str {
    match lang {
        Lang::En => &words.en,
        Lang::Ru => &words.ru,
    }
}

/// It as it is shown: escaped and bounded.
pub(super) fn shown(Words { en, ru }: &Words) -> String {
    if en == ru { bounded(en) } else { spans(&cut_short(en), &cut_short(ru)) }
}

/// A phrase in both languages, one of which the reader hides.
pub(super) fn both(phrase: Phrase) -> String {
    spans(phrase.say(Lang::En), phrase.say(Lang::Ru))
}

/// Words with numbers, or texts of devices among them, in both languages.
pub(super) fn words(make: impl Fn(Lang) -> String) -> String {
    shown(&pair(make))
}

/// A text of a profile.
pub(super) fn text(text: &Text) -> String {
    match &text.ru {
        Some(ru) => spans(&escape(&text.en), &escape(ru)),
        None => format!("<bdi lang=en>{}</bdi>", escape(&text.en)),
    }
}

/// A language's span is what the style hides while the other one is chosen, hence a text in one language alone stands in
/// none; it isolates text from devices as `bdi` does. A page has tens of thousands of them, hence no quotes.
pub(super) fn spans(en: &str, ru: &str) -> String {
    format!("<span lang=en>{en}</span><span lang=ru>{ru}</span>")
}

/// Text from anywhere: escaped, isolated, and cut with its length said.
pub(super) fn bounded(text: &str) -> String {
    format!("<bdi>{}</bdi>", cut_short(text))
}

/// Text from anywhere, escaped, and cut with its length said.
fn cut_short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => escape(text).into_owned(),
        Some((at, _)) => {
            let (shown, length) = (text.get(..at).unwrap_or_default(), text.chars().count() as u64);
            let length = spans(&say::CHARACTERS.count(length, Lang::En), &say::CHARACTERS.count(length, Lang::Ru));
            format!("{}… <small>({length})</small>", escape(shown))
        }
    }
}
