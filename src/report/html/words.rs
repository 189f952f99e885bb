//! Text in both languages, and text from devices.

use crate::assess::Text;
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Lang, Phrase};

/// Characters of a text from a device that are shown; the report in JSON has all of it. Longer ones are no names.
pub(super) const SHOWN: usize = 400;

/// A phrase in both languages, one of which the reader hides.
pub(super) fn both(phrase: Phrase) -> String {
    spans(phrase.say(Lang::En), phrase.say(Lang::Ru))
}

/// Words with numbers, or texts of devices among them, in both languages.
pub(super) fn words(make: impl Fn(Lang) -> String) -> String {
    let (en, ru) = (make(Lang::En), make(Lang::Ru));
    if en == ru { bounded(&en) } else { spans(&bounded(&en), &bounded(&ru)) }
}

/// A text of a profile.
pub(super) fn text(text: &Text) -> String {
    match &text.ru {
        Some(ru) => spans(&escape(&text.en), &escape(ru)),
        None => format!(r#"<span lang="en">{}</span>"#, escape(&text.en)),
    }
}

pub(super) fn spans(en: &str, ru: &str) -> String {
    format!(r#"<span class="en" lang="en">{en}</span><span class="ru" lang="ru">{ru}</span>"#)
}

/// Text from anywhere: escaped, isolated, and cut with its length said.
pub(super) fn bounded(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => format!("<bdi>{}</bdi>", escape(text)),
        Some((at, _)) => {
            let (shown, length) = (text.get(..at).unwrap_or_default(), text.chars().count() as u64);
            let length = spans(&say::CHARACTERS.count(length, Lang::En), &say::CHARACTERS.count(length, Lang::Ru));
            format!("<bdi>{}</bdi>… <small>({length})</small>", escape(shown))
        }
    }
}
